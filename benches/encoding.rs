//! One LLM call as records, as a message of `opentelemetry-proto`, as the spans of `opentelemetry_sdk`, and ways to turn
//! each into bytes.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use llmtrace::{
    Cost, CostSource, Message, ObservationKind, Resource, SpanId, SpanRecord, Status, Timestamp, TraceId,
    Usage, semconv,
};
use llmtrace_exporters::{Profile, Protocol, write_line, write_otlp};
use opentelemetry::trace::{SpanContext, SpanKind, TraceFlags, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{self as common, AnyValue};
use opentelemetry_proto::tonic::trace::v1 as wire;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use prost::Message as _;

use crate::Result;
use crate::workload::Call;

/// The spans of one call, in every form.
#[derive(Debug)]
pub struct Forms {
    /// Our records.
    pub records: Vec<SpanRecord>,
    /// What our bytes in the conventions' names mean, as a message.
    pub message: ExportTraceServiceRequest,
    /// The same in the standard profile.
    pub standard: ExportTraceServiceRequest,
    /// What `opentelemetry_sdk` would hand to its exporter.
    pub data: Vec<SpanData>,
    resource: ResourceAttributesWithSchema,
}

/// A way to turn a call into bytes.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// A short name.
    pub name: &'static str,
    /// What it does.
    pub what: &'static str,
    /// Appends the bytes of one call.
    pub write: fn(&Forms, &mut Vec<u8>),
}

/// All ways; the first is what the others are compared with.
pub const WAYS: [Way; 11] = [
    Way {
        name: "prost",
        what: "prost: a ready message, the conventions' names",
        write: |forms, out| {
            // Room is made: this cannot fail.
            let _ = forms.message.encode(out);
        },
    },
    Way {
        name: "ours",
        what: "llmtrace: records to protobuf, the conventions' names",
        write: |forms, out| {
            write_otlp(&forms.records, Protocol::Protobuf, Profile::OpenTelemetry, out);
        },
    },
    Way {
        name: "prost-standard",
        what: "prost: a ready message, profile standard",
        write: |forms, out| {
            let _ = forms.standard.encode(out);
        },
    },
    Way {
        name: "ours-standard",
        what: "llmtrace: records to protobuf, profile standard",
        write: |forms, out| {
            write_otlp(&forms.records, Protocol::Protobuf, Profile::Standard, out);
        },
    },
    Way {
        name: "ours-all",
        what: "llmtrace: records to protobuf, profile all",
        write: |forms, out| {
            write_otlp(&forms.records, Protocol::Protobuf, Profile::All, out);
        },
    },
    Way {
        name: "ours-json",
        what: "llmtrace: records to JSON, the conventions' names",
        write: |forms, out| {
            write_otlp(&forms.records, Protocol::Json, Profile::OpenTelemetry, out);
        },
    },
    Way {
        name: "ours-line",
        what: "llmtrace: records to JSON lines",
        write: |forms, out| {
            forms.records.iter().for_each(|record| write_line(record, out));
        },
    },
    Way {
        name: "build",
        what: "the message built from records, then prost",
        write: |forms, out| {
            let _ = request(&forms.records).encode(out);
        },
    },
    Way {
        name: "clone",
        what: "opentelemetry_sdk: a copy of its spans, to be taken off the next",
        write: |forms, _| {
            black_box(forms.data.clone());
        },
    },
    Way {
        name: "transform",
        what: "opentelemetry-proto: a copy of the SDK's spans transformed, then prost",
        write: |forms, out| {
            let resource_spans = group_spans_by_resource_and_scope(forms.data.clone(), &forms.resource);
            let _ = ExportTraceServiceRequest { resource_spans }.encode(out);
        },
    },
    Way {
        name: "serde-json",
        what: "serde_json: a ready message, the conventions' names",
        write: |forms, out| {
            let _ = serde_json::to_writer(out, &forms.message);
        },
    },
];

/// Encodes the call so many times into one buffer. Instructions are counted in here.
#[inline(never)]
pub fn rounds(way: &Way, forms: &Forms, calls: usize, out: &mut Vec<u8>) {
    for _ in 0..calls {
        out.clear();
        (way.write)(black_box(forms), out);
        black_box(&*out);
    }
}

/// The way of a name.
pub fn find(name: &str) -> Result<Way> {
    WAYS.into_iter().find(|way| way.name == name).ok_or_else(|| format!("no way is called {name:?}").into())
}

impl Forms {
    /// The forms of the benches' usual call: two spans, 3 kB of text.
    pub fn new() -> Result<Self> {
        let records = records(&Call::default())?;
        let decoded = |profile| -> Result<ExportTraceServiceRequest> {
            let mut bytes = Vec::new();
            write_otlp(&records, Protocol::Protobuf, profile, &mut bytes);
            Ok(ExportTraceServiceRequest::decode(bytes.as_slice())?)
        };
        let (message, standard) = (decoded(Profile::OpenTelemetry)?, decoded(Profile::Standard)?);
        let data = message.resource_spans.iter().flat_map(|of| &of.scope_spans).flat_map(|of| &of.spans);
        let data = data.map(span_data).collect();
        let resource = opentelemetry_sdk::Resource::builder_empty().with_service_name("bench").build();
        Ok(Self { message, standard, data, resource: (&resource).into(), records })
    }
}

fn records(call: &Call) -> Result<Vec<SpanRecord>> {
    let trace = TraceId::from_bytes([7; 16]).ok_or("no trace id")?;
    let id = |byte| SpanId::from_bytes([byte; 8]).ok_or("no span id");
    let at = |nanos: u64| Timestamp::from_unix_nanos(1_700_000_000_000_000_000 + nanos);
    let mut resource = Resource::default();
    resource.attributes.set(semconv::SERVICE_NAME, "bench");
    let resource = Arc::new(resource);

    let mut root = SpanRecord::new(trace, id(1)?, "answer", ObservationKind::Span, at(0), at(1_300_000_000));
    let mut span =
        SpanRecord::new(trace, id(2)?, "chat", ObservationKind::Generation, at(20_000), at(1_240_000_000));
    span.parent_span_id = Some(root.span_id);
    for record in [&mut root, &mut span] {
        record.resource = Arc::clone(&resource);
        record.scope = "bench::app".into();
        record.status = Status::Ok;
    }
    span.attributes.set(semconv::OPERATION_NAME, "chat");
    span.attributes.set(semconv::PROVIDER_NAME, "openai");
    span.attributes.set(semconv::REQUEST_MODEL, call.request_model.clone());
    span.attributes.set(semconv::RESPONSE_MODEL, call.response_model.clone());
    span.attributes.set(semconv::RESPONSE_ID, call.response_id.clone());
    span.attributes.set(semconv::REQUEST_TEMPERATURE, 0.7);
    span.attributes.set(semconv::REQUEST_MAX_TOKENS, 1024);
    span.attributes.set(semconv::RESPONSE_FINISH_REASONS, ["stop"]);
    span.attributes.set(semconv::RESPONSE_TIME_TO_FIRST_CHUNK, 0.25);
    let usage = Usage::new(call.input_tokens, call.output_tokens).with_cache_read(call.cache_read_tokens);
    span.set_usage(&usage.with_reasoning(call.reasoning_tokens));
    span.set_cost(&Cost::new("0.0002304".parse()?, CostSource::Bundled));
    span.input = messages(&call.prompt)?;
    span.output = messages(&call.completion)?;
    Ok(vec![span, root])
}

fn messages(json: &str) -> Result<Vec<Message>> {
    Ok(serde_json::from_str(json)?)
}

/// The message that a program would build of the records: what `opentelemetry-otlp` does with its spans.
fn request(records: &[SpanRecord]) -> ExportTraceServiceRequest {
    let pair = |key: &str, value: Any| common::KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..Default::default()
    };
    let value = |value: &llmtrace::Value| match value {
        llmtrace::Value::Str(text) => Any::StringValue(text.to_string()),
        llmtrace::Value::Int(int) => Any::IntValue(i64::try_from(*int).unwrap_or(i64::MAX)),
        llmtrace::Value::Float(float) => Any::DoubleValue(*float),
        llmtrace::Value::Bool(bool) => Any::BoolValue(*bool),
        other => Any::StringValue(other.to_string()),
    };
    let messages =
        |messages: &[Message]| Any::StringValue(serde_json::to_string(messages).unwrap_or_default());
    let spans = records.iter().map(|record| {
        let mut attributes: Vec<_> =
            record.attributes.iter().map(|(key, stated)| pair(key, value(stated))).collect();
        if !record.input.is_empty() {
            attributes.push(pair(semconv::INPUT_MESSAGES, messages(&record.input)));
            attributes.push(pair(semconv::OUTPUT_MESSAGES, messages(&record.output)));
        }
        wire::Span {
            trace_id: record.trace_id.to_bytes().to_vec(),
            span_id: record.span_id.to_bytes().to_vec(),
            parent_span_id: record.parent_span_id.map(|id| id.to_bytes().to_vec()).unwrap_or_default(),
            flags: 0x101,
            name: record.name.to_string(),
            kind: 3,
            start_time_unix_nano: record.start.unix_nanos(),
            end_time_unix_nano: record.end.unix_nanos(),
            attributes,
            status: Some(wire::Status { code: 1, message: String::new() }),
            ..Default::default()
        }
    });
    let scope = common::InstrumentationScope { name: "bench::app".to_owned(), ..Default::default() };
    let scope_spans = wire::ScopeSpans { scope: Some(scope), spans: spans.collect(), ..Default::default() };
    ExportTraceServiceRequest {
        resource_spans: vec![wire::ResourceSpans { scope_spans: vec![scope_spans], ..Default::default() }],
    }
}

fn span_data(span: &wire::Span) -> SpanData {
    let id = |bytes: &[u8]| bytes.try_into().map(u64::from_be_bytes).unwrap_or_default();
    let trace = span.trace_id.as_slice().try_into().map(u128::from_be_bytes).unwrap_or_default();
    let at = |nanos| -> SystemTime { UNIX_EPOCH + Duration::from_nanos(nanos) };
    let attributes = span.attributes.iter().filter_map(|pair| {
        let key = pair.key.clone();
        Some(match pair.value.as_ref()?.value.as_ref()? {
            Any::StringValue(text) => KeyValue::new(key, text.clone()),
            Any::IntValue(int) => KeyValue::new(key, *int),
            Any::DoubleValue(float) => KeyValue::new(key, *float),
            Any::BoolValue(bool) => KeyValue::new(key, *bool),
            _ => KeyValue::new(key, "stop"),
        })
    });
    SpanData {
        span_context: SpanContext::new(
            trace.into(),
            id(&span.span_id).into(),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        ),
        parent_span_id: id(&span.parent_span_id).into(),
        parent_span_is_remote: false,
        span_kind: SpanKind::Client,
        name: span.name.clone().into(),
        start_time: at(span.start_time_unix_nano),
        end_time: at(span.end_time_unix_nano),
        attributes: attributes.collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: opentelemetry::trace::Status::Ok,
        instrumentation_scope: InstrumentationScope::builder("bench::app").build(),
    }
}
