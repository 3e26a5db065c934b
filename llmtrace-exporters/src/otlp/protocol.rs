//! In which encoding a request is written.

use std::fmt;
use std::str::FromStr;

/// How OTLP requests are written.
///
/// Its names are those of `OTEL_EXPORTER_OTLP_PROTOCOL`
/// (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>); there is no gRPC here.
///
/// ```
/// use llmtrace_exporters::Protocol;
///
/// assert_eq!("http/json".parse(), Ok(Protocol::Json));
/// assert_eq!(Protocol::default().content_type(), "application/x-protobuf");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// `http/protobuf`: the shortest, and read by every backend.
    #[default]
    Protobuf,
    /// `http/json`: for backends and eyes that want text. Arize Phoenix does not take it.
    Json,
}

/// The text names no [`Protocol`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown OTLP protocol {found:?}: expected http/protobuf or http/json")]
pub struct ParseProtocolError {
    found: String,
}

impl Protocol {
    /// The name: `http/protobuf` or `http/json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Protobuf => "http/protobuf",
            Self::Json => "http/json",
        }
    }

    /// The media type of a request's body.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Protocol {
    type Err = ParseProtocolError;

    /// Reads the name, also without `http/`.
    fn from_str(text: &str) -> Result<Self, ParseProtocolError> {
        match text.strip_prefix("http/").unwrap_or(text) {
            "protobuf" => Ok(Self::Protobuf),
            "json" => Ok(Self::Json),
            _ => Err(ParseProtocolError { found: text.chars().take(64).collect() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for protocol in [Protocol::Protobuf, Protocol::Json] {
            assert_eq!(protocol.as_str().parse(), Ok(protocol));
        }
        assert_eq!("json".parse(), Ok(Protocol::Json));
        let error = "grpc".parse::<Protocol>().unwrap_err().to_string();
        assert!(error.contains("\"grpc\"") && error.contains("http/protobuf"), "{error}");
    }
}
