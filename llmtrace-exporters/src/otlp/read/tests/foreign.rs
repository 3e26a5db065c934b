//! Spans that mix what all conventions say, as `tests/conventions` has it.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value as Json};

use super::conventions::{cases, request};
use super::sent;
use crate::otlp::profile::Profile;
use crate::{Protocol, read_line, read_otlp, write_line};

/// Every attribute of every case.
static ATTRIBUTES: LazyLock<Vec<(String, Json)>> = LazyLock::new(|| {
    let attributes = cases().into_iter().map(|(_, case)| case["attributes"].as_object().unwrap().clone());
    attributes.flatten().collect()
});

fn attributes() -> impl Strategy<Value = Map<String, Json>> {
    let count = ATTRIBUTES.len();
    // Mostly a name with a value of its own, sometimes with another's.
    let pair = (0..count, prop_oneof![4 => Just(None), 1 => (0..count).prop_map(Some)]);
    proptest::collection::vec(pair, 0..24).prop_map(|pairs| {
        let pair = |(key, value): (usize, Option<usize>)| {
            (ATTRIBUTES[key].0.clone(), ATTRIBUTES[value.unwrap_or(key)].1.clone())
        };
        pairs.into_iter().map(pair).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mixture_is_read_written_and_read_back_the_same(attributes in attributes()) {
        let body = request(&serde_json::json!({"name": "work", "attributes": attributes})).to_string();
        let read = read_otlp(body.as_bytes(), Protocol::Json).unwrap();
        prop_assert_eq!(read.spans.len(), 1);
        let mut line = Vec::new();
        write_line(&read.spans[0], &mut line);
        prop_assert!(read_line(&line).is_ok());
        // The first time structured values under names of no convention become text.
        let once = sent(&sent(&read.spans, Profile::Standard), Profile::Standard);
        prop_assert_eq!(sent(&once, Profile::Standard), once);
    }
}
