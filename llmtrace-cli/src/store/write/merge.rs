//! One span out of two that came under the same id.

use llmtrace::{SpanRecord, Value, semconv};

/// What two tellings of a span say together: the later one counts, save where it says less.
///
/// An ended span says more than a running one; what one leaves out is taken from the other; tags, events, links and
/// scores are united.
pub(super) fn merge(earlier: SpanRecord, later: SpanRecord) -> SpanRecord {
    let is_running = |span: &SpanRecord| span.end.unix_nanos() == 0;
    let (mut merged, rest) =
        if is_running(&later) && !is_running(&earlier) { (earlier, later) } else { (later, earlier) };
    let tags = united_tags(&rest, &merged);
    merged.parent_span_id = merged.parent_span_id.or(rest.parent_span_id);
    merged.parent_is_remote |= rest.parent_is_remote;
    if merged.name.is_empty() {
        merged.name = rest.name;
    }
    if merged.status == llmtrace::Status::Unset {
        merged.status = rest.status;
    }
    if merged.resource.attributes.is_empty() {
        merged.resource = rest.resource;
    }
    if merged.scope.is_empty() {
        merged.scope = rest.scope;
    }
    if merged.input.is_empty() {
        merged.input = rest.input;
    }
    if merged.output.is_empty() {
        merged.output = rest.output;
    }
    for (key, value) in rest.attributes.iter() {
        merged.attributes.set_default(key.to_owned(), value.clone());
    }
    if let Some(tags) = tags {
        merged.attributes.set(semconv::TAGS, tags);
    }
    unite(&mut merged.events, rest.events);
    unite(&mut merged.links, rest.links);
    unite(&mut merged.scores, rest.scores);
    merged
}

/// The tags of a span.
pub(super) fn tags(span: &SpanRecord) -> impl Iterator<Item = &str> {
    let (one, many) = match span.attributes.get(semconv::TAGS) {
        Some(Value::Array(tags)) => (None, tags.as_slice()),
        Some(value) => (value.as_str(), [].as_slice()),
        None => (None, [].as_slice()),
    };
    one.into_iter().chain(many.iter().filter_map(Value::as_str))
}

/// The tags of both, where the second lacks some.
fn united_tags(one: &SpanRecord, other: &SpanRecord) -> Option<Value> {
    let mut all: Vec<&str> = tags(other).collect();
    let own = all.len();
    for tag in tags(one) {
        if !all.contains(&tag) && all.len() < MAX_UNITED {
            all.push(tag);
        }
    }
    let text = |tag: &&str| Value::Str((*tag).to_owned().into());
    (own > 0 && all.len() > own).then(|| Value::Array(all.iter().map(text).collect()))
}

/// Items of two lists are united up to this many; the comparison of each with each takes its time.
const MAX_UNITED: usize = 1_000;

fn unite<T: PartialEq>(all: &mut Vec<T>, more: Vec<T>) {
    for item in more {
        if all.len() < MAX_UNITED && !all.contains(&item) {
            all.push(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use llmtrace::{Message, ObservationKind, Score, SpanId, Status, Timestamp, TraceId};

    use super::*;

    fn span(end: u64) -> SpanRecord {
        let (trace, id) = (TraceId::from_bytes([1; 16]).unwrap(), SpanId::from_bytes([2; 8]).unwrap());
        let at = Timestamp::from_unix_nanos;
        SpanRecord::new(trace, id, "s", ObservationKind::Span, at(1), at(end))
    }

    #[test]
    fn the_later_one_counts_where_it_says_more() {
        let mut ended = span(9);
        ended.status = Status::error("broken");
        ended.output = vec![Message::assistant("out")];
        ended.scores = vec![Score::new("good", 1.0)];
        ended.attributes.set(semconv::TAGS, Value::Array(vec!["a".into(), "b".into()]));
        let mut running = span(0);
        running.input = vec![Message::user("in")];
        running.attributes.set("only", 1_u64);
        running.attributes.set(semconv::TAGS, Value::Array(vec!["b".into(), "c".into()]));
        for (earlier, later) in [(&running, &ended), (&ended, &running)] {
            let merged = merge(earlier.clone(), later.clone());
            assert_eq!((merged.end, &merged.status), (ended.end, &ended.status));
            assert_eq!((&merged.input, &merged.output), (&running.input, &ended.output));
            assert_eq!(merged.scores, ended.scores);
            assert!(merged.attributes.get("only").is_some());
            assert_eq!(tags(&merged).collect::<Vec<_>>(), ["a", "b", "c"]);
        }
        assert_eq!(merge(ended.clone(), ended.clone()), ended);
        let mut corrected = ended.clone();
        corrected.output = vec![Message::assistant("other")];
        assert_eq!(merge(ended, corrected.clone()), corrected);
    }
}
