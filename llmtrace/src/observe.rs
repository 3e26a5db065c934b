//! How a return value or an item of a stream is read.

use std::any::type_name;
use std::borrow::Cow;
use std::fmt::Display;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;

use crate::Recorder;

/// A value that says itself what is to be recorded of it, when a traced function returns it.
///
/// Types without it are read by `Serialize`, where the JSON of any known API is understood, else by `Debug`.
/// A panic in `record` ends there; the traced program does not see it.
///
/// ```
/// use llmtrace::{LlmResponse, Recorder, Usage};
///
/// struct Answer {
///     text: String,
///     tokens: (u64, u64),
/// }
///
/// impl LlmResponse for Answer {
///     fn record(&self, recorder: &mut Recorder<'_>) {
///         recorder.text(&self.text);
///         recorder.usage(&Usage::new(self.tokens.0, self.tokens.1));
///     }
/// }
/// ```
pub trait LlmResponse {
    /// Writes what is known of the response.
    fn record(&self, recorder: &mut Recorder<'_>);
}

/// An item of a stream that says itself what is to be recorded of it.
///
/// ```
/// use llmtrace::{LlmChunk, Recorder};
///
/// struct Delta(String);
///
/// impl LlmChunk for Delta {
///     fn record(&self, recorder: &mut Recorder<'_>) {
///         recorder.chunk_body(self.0.as_bytes());
///     }
/// }
/// ```
pub trait LlmChunk {
    /// Writes what is known of the item; the time is taken by the recorder.
    fn record(&self, recorder: &mut Recorder<'_>);
}

/// The name of an error's type: without pointers, bounds and generic arguments.
pub(crate) fn error_name<E: ?Sized>() -> &'static str {
    const POINTERS: [&str; 6] =
        ["alloc::boxed::Box<", "alloc::sync::Arc<", "alloc::rc::Rc<", "&mut ", "&", "dyn "];
    let mut name = type_name::<E>();
    while let Some(rest) = POINTERS.iter().find_map(|pointer| name.strip_prefix(pointer)) {
        name = rest;
    }
    let end = name.find(['<', '>', ' ', ',']).unwrap_or(name.len());
    // The trait says nothing of the error behind it.
    name.get(..end).filter(|name| !["", "core::error::Error"].contains(name)).unwrap_or("error")
}

/// Whether a text looks like what an API sends: JSON, or lines of a stream.
fn is_wire(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    [&b"{"[..], b"[", b"data:", b"event:"].iter().any(|start| bytes.starts_with(start))
}

fn record_response(bytes: &[u8], recorder: &mut Recorder<'_>) {
    match std::str::from_utf8(bytes) {
        Ok(text) if !is_wire(bytes) => recorder.text(text),
        _ => recorder.body(bytes),
    }
}

macro_rules! texts {
    ($($text:ty),*) => {$(
        impl LlmResponse for $text {
            fn record(&self, recorder: &mut Recorder<'_>) {
                let bytes: &[u8] = self.as_ref();
                record_response(bytes, recorder);
            }
        }

        impl LlmChunk for $text {
            fn record(&self, recorder: &mut Recorder<'_>) {
                recorder.chunk_body(self.as_ref());
            }
        }
    )*};
}
texts!(str, String, [u8], Vec<u8>, Bytes);

impl LlmResponse for Cow<'_, str> {
    fn record(&self, recorder: &mut Recorder<'_>) {
        LlmResponse::record(&**self, recorder);
    }
}

impl LlmChunk for Cow<'_, str> {
    fn record(&self, recorder: &mut Recorder<'_>) {
        LlmChunk::record(&**self, recorder);
    }
}

impl LlmResponse for serde_json::Value {
    fn record(&self, recorder: &mut Recorder<'_>) {
        recorder.json(self);
    }
}

impl LlmChunk for serde_json::Value {
    fn record(&self, recorder: &mut Recorder<'_>) {
        recorder.chunk(self);
    }
}

macro_rules! through {
    ($Trait:ident) => {
        /// Nothing is recorded.
        impl $Trait for () {
            fn record(&self, _: &mut Recorder<'_>) {}
        }

        impl<T: $Trait, E: Display> $Trait for Result<T, E> {
            fn record(&self, recorder: &mut Recorder<'_>) {
                match self {
                    Ok(value) => value.record(recorder),
                    Err(error) => recorder.failure(error_name::<E>(), &format_args!("{error:#}")),
                }
            }
        }

        impl<T: $Trait> $Trait for Option<T> {
            fn record(&self, recorder: &mut Recorder<'_>) {
                if let Some(value) = self {
                    value.record(recorder);
                }
            }
        }

        through!($Trait: Box<T>, Rc<T>, Arc<T>, &T);
    };
    ($Trait:ident: $($pointer:ty),*) => {$(
        impl<T: $Trait + ?Sized> $Trait for $pointer {
            fn record(&self, recorder: &mut Recorder<'_>) {
                (**self).record(recorder);
            }
        }
    )*};
}
through!(LlmResponse);
through!(LlmChunk);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_names_have_no_noise() {
        struct Wrapped<T>(T);
        let _ = Wrapped(0_u8).0;
        let check = |name: &str, expected: &str| assert!(name.ends_with(expected), "{name}");
        check(error_name::<std::io::Error>(), "io::error::Error");
        check(error_name::<Box<dyn std::error::Error + Send + Sync>>(), "error");
        check(error_name::<&Arc<std::fmt::Error>>(), "core::fmt::Error");
        check(error_name::<Wrapped<Vec<u8>>>(), "::Wrapped");
        check(error_name::<str>(), "str");
        check(error_name::<()>(), "()");
    }
}
