//! Any record, in every profile.

use llmtrace::{Event, Link, Message, ObservationKind, Part, Role, Score, Status, Value};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::testing::trace_id;

/// Keys that the dialects write or read, and keys of programs.
const KEYS: [&str; 32] = [
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.system",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.total_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.cost",
    "gen_ai.response.finish_reasons",
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.conversation.id",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.tool.call.arguments",
    "gen_ai.retrieval.documents",
    "gen_ai.input.messages",
    "llmtrace.tags",
    "llmtrace.kind",
    "llmtrace.status",
    "user.id",
    "session.id",
    "input.value",
    "langfuse.observation.type",
    "langfuse.observation.metadata.app.k",
    "llm.cost.total",
    "tag.tags",
    "app.k",
];

pub(in crate::otlp) fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        ".{0,12}".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let key =
            prop_oneof![Just("content".to_owned()), Just("type".to_owned()), Just("id".to_owned()), ".{0,6}"];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::Array),
            vec((key, inner), 0..4).prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i128>().prop_map(Value::Int),
        (0..9_000_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::Float),
        Just(Value::Float(f64::NAN)),
        Just(Value::Float(f64::INFINITY)),
        ".{0,24}".prop_map(Value::from),
        json().prop_map(Value::Json),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| vec(inner, 0..4).prop_map(Value::Array))
}

fn attributes() -> impl Strategy<Value = llmtrace::Attributes> {
    let key = prop_oneof![
        4 => prop::sample::select(&KEYS[..]).prop_map(str::to_owned),
        1 => "[a-z.]{0,9}",
        1 => ".{0,9}",
    ];
    vec((key, value()), 0..12).prop_map(|entries| entries.into_iter().collect())
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        ".{0,40}".prop_map(Part::text),
        ".{0,40}".prop_map(Part::reasoning),
        (prop::option::of(".{0,6}"), ".{0,6}", json()).prop_map(|(id, name, arguments)| Part::ToolCall {
            id,
            name,
            arguments
        }),
        (prop::option::of(".{0,6}"), json())
            .prop_map(|(id, response)| Part::ToolCallResponse { id, response }),
        (prop::option::of(".{0,6}"), ".{0,6}", ".{0,6}").prop_map(|(mime_type, modality, uri)| Part::Uri {
            mime_type,
            modality,
            uri
        }),
        json().prop_map(Part::Other),
    ]
}

pub(in crate::otlp) fn messages() -> impl Strategy<Value = Vec<Message>> {
    let message =
        ("[a-z]{0,9}", vec(part(), 0..4), prop::option::of(".{0,6}")).prop_map(|(role, parts, reason)| {
            let mut message = Message::new(Role::from(role.as_str()), parts);
            message.finish_reason = reason;
            message
        });
    vec(message, 0..4)
}

pub(in crate::otlp) fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        Just(Status::Unset),
        Just(Status::Ok),
        Just(Status::Cancelled),
        ".{0,20}".prop_map(Status::error),
    ]
}

pub(in crate::otlp) fn record() -> impl Strategy<Value = SpanRecord> {
    let kind = prop::sample::select(
        &[
            ObservationKind::Generation,
            ObservationKind::Embedding,
            ObservationKind::Agent,
            ObservationKind::Tool,
            ObservationKind::Workflow,
            ObservationKind::Retriever,
            ObservationKind::Reranker,
            ObservationKind::Evaluator,
            ObservationKind::Guardrail,
            ObservationKind::Span,
        ][..],
    );
    let head = (1..u64::MAX, ".{0,9}", kind, any::<(u64, u64)>(), status(), prop::option::of(1..u64::MAX));
    let body = (attributes(), messages(), messages(), vec((".{0,9}", attributes()), 0..3));
    let tail = (vec((1..u64::MAX, attributes()), 0..2), vec((".{0,9}", any::<f64>()), 0..3));
    (head, body, tail).prop_map(|(head, (attributes, input, output, events), (links, scores))| {
        let (id, name, kind, (start, end), status, parent) = head;
        let mut record = span(id, id, &name);
        (record.kind, record.start, record.end, record.status) = (kind, at(start), at(end), status);
        record.parent_span_id = parent.map(span_id);
        (record.attributes, record.input, record.output) = (attributes, input, output);
        record.events =
            events.into_iter().map(|(name, attributes)| Event::new(name, at(end), attributes)).collect();
        record.links = links
            .into_iter()
            .map(|(id, attributes)| {
                let mut link = Link::new(trace_id(id), span_id(id));
                link.attributes = attributes;
                link
            })
            .collect();
        record.scores = scores.into_iter().map(|(name, value)| Score::new(name, value)).collect();
        record
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_record_is_one_message_in_both_encodings(records in vec(record(), 1..4)) {
        for profile in Profile::EVERY {
            // Both encodings are decoded and compared there, and a key that stands twice is found.
            let request = decoded(&records, profile);
            let spans = request.resource_spans.iter().flat_map(|of| &of.scope_spans).flat_map(|of| &of.spans);
            let mut count = 0;
            for (span, record) in spans.zip(&records) {
                prop_assert_eq!(&span.span_id[..], &record.span_id.to_bytes()[..]);
                prop_assert_eq!(span.start_time_unix_nano, record.start.unix_nanos());
                prop_assert_eq!(span.events.len(), record.events.len() + record.scores.len());
                prop_assert_eq!(span.links.len(), record.links.len());
                let attributes = by_key(&span.attributes);
                let unsafe_key = attributes.keys().find(|key| !super::super::pairs::is_safe_key(key));
                prop_assert_eq!(unsafe_key, None);
                if !record.input.is_empty() {
                    let text = attributes["gen_ai.input.messages"].as_str().unwrap_or_default();
                    let input: Vec<Json> = serde_json::from_str(text).unwrap();
                    prop_assert_eq!(input.len(), record.input.len());
                }
                count += 1;
            }
            prop_assert_eq!(count, records.len());
        }
    }
}
