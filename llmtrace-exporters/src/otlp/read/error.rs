//! Why a body is not read.

use crate::jsonl::parse::SyntaxError;
use crate::otlp::fields::Broken;

/// Why the body of an OTLP request cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OtlpReadError {
    /// The body is torn or not protobuf.
    #[error("not an OTLP request in protobuf: {what} (byte {at})")]
    NotProtobuf {
        /// The byte at which reading stopped.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// The body is torn or not JSON, or a member has a value of another kind.
    #[error("not an OTLP request in JSON: {what} (byte {at})")]
    NotJson {
        /// The byte at which reading stopped.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// There are more spans than one request may have.
    #[error("more than {limit} spans in one request")]
    TooManySpans {
        /// The most spans that one request may have.
        limit: usize,
    },
    /// What the body says would take many times its own size in memory.
    #[error("the body of {body} bytes would take more than {limit} bytes in memory")]
    TooLarge {
        /// The length of the body in bytes.
        body: usize,
        /// The most memory it may take, in bytes.
        limit: usize,
    },
}

impl From<Broken> for OtlpReadError {
    fn from(Broken { at, what }: Broken) -> Self {
        Self::NotProtobuf { at, what }
    }
}

impl From<SyntaxError> for OtlpReadError {
    fn from(SyntaxError { at, what }: SyntaxError) -> Self {
        Self::NotJson { at, what }
    }
}
