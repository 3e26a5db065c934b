//! OTLP: spans as an `ExportTraceServiceRequest`, straight from records to bytes.
//!
//! Message and field numbers are those of `opentelemetry/proto/trace/v1/trace.proto`,
//! `common/v1/common.proto`, `resource/v1/resource.proto` and `collector/trace/v1/trace_service.proto`
//! (<https://github.com/open-telemetry/opentelemetry-proto>, v1); the JSON is that of the OTLP specification, section
//! "JSON Protobuf Encoding".

pub(crate) mod answer;
mod buckets;
pub(crate) mod encode;
#[cfg(feature = "http")]
pub(crate) mod exporter;
mod facts;
mod fields;
mod messages;
mod pairs;
pub(crate) mod profile;
pub(crate) mod protocol;
pub(crate) mod read;
mod span;
#[cfg(test)]
pub(in crate::otlp) mod tests;
mod wire;
