//! Secrets that reached a trace.

use std::collections::{BTreeMap, HashSet};

use llmtrace::{Redactor, SpanRecord};

use crate::findings::baseline::Baseline;
use crate::findings::finding::{Evidence, Expected, Finding, Severity};
use crate::findings::fingerprint;
use crate::findings::rule::Rule;
use crate::findings::texts;
use crate::findings::trace::Trace;
use crate::unit::Unit;

/// Secrets that reached a trace: what llmtrace would mask. The secret itself is never repeated.
#[derive(Debug)]
pub(crate) struct Secret;

/// Where secrets of a kind stand.
struct Places<'a> {
    span: &'a SpanRecord,
    first: String,
    count: u64,
    texts: u64,
}

impl Rule for Secret {
    fn name(&self) -> &'static str {
        "secret"
    }

    fn about(&self) -> &'static str {
        "secrets that reached a trace, such as keys and passwords"
    }

    fn judge(&self, trace: &Trace<'_>, _: &Baseline) -> Vec<Finding> {
        let redactor = Redactor::secrets();
        // A conversation repeats its texts from call to call: each is looked at once.
        let mut seen: HashSet<u64> = HashSet::new();
        let mut places: BTreeMap<String, Places<'_>> = BTreeMap::new();
        for span in trace.all() {
            texts::each(span, &mut |place, text| {
                if text.len() < MIN_BYTES || !seen.insert(fingerprint::of_text(text)) {
                    return;
                }
                for (kind, count) in kinds(&redactor, text) {
                    let new = || Places { span, first: place.to_string(), count: 0, texts: 0 };
                    let known = places.entry(kind).or_insert_with(new);
                    known.count += count;
                    known.texts += 1;
                }
            });
        }
        places.iter().map(|(kind, places)| finding(self, kind, places)).collect()
    }
}

/// Shorter texts hold no secret.
const MIN_BYTES: usize = 8;

/// What the mark of a masked text begins with, and ends with.
const MARK: (&str, char) = ("[redacted:", ']');

/// The kinds of secrets in a text, and how many of each.
fn kinds(redactor: &Redactor, text: &str) -> BTreeMap<String, u64> {
    let masked = redactor.redact(text);
    let mut kinds = BTreeMap::new();
    if masked == text {
        return kinds;
    }
    for kind in marks(&masked) {
        *kinds.entry(kind.to_owned()).or_default() += 1;
    }
    // Those that were masked before are none.
    for kind in marks(text) {
        if let Some(count) = kinds.get_mut(kind) {
            *count -= 1;
        }
    }
    kinds.retain(|_, count| *count > 0);
    kinds
}

fn marks(text: &str) -> impl Iterator<Item = &str> {
    text.split(MARK.0).skip(1).filter_map(|rest| rest.split_once(MARK.1)).map(|(kind, _)| kind)
}

fn finding(rule: &Secret, kind: &str, places: &Places<'_>) -> Finding {
    let more = if places.texts > 1 {
        format!(", and in {} more texts of the trace", places.texts - 1)
    } else {
        String::new()
    };
    let sentence = format!(
        "{} of the kind {kind} in {}{more}; the exporter that wrote it did not mask it",
        Unit::Count.shown(places.count as f64),
        places.first
    );
    let evidence = Evidence {
        value: places.count as f64,
        unit: Unit::Count,
        expected: Some(Expected { low: 0.0, high: 0.0 }),
        sample: places.texts,
        is_guess: false,
        sentence,
    };
    // A name that means a secret may stand before something else.
    let severity = if kind == "generic-api-key" { Severity::Warning } else { Severity::Critical };
    Finding::of_span(rule, (severity, format!("{kind} in the trace")), places.span, kind, evidence)
}
