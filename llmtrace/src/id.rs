//! Trace and span ids, as W3C Trace Context writes them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A trace: 16 bytes, written as 32 lower-case hex digits.
///
/// Ids made here are UUID version 7 values (RFC 9562), so they sort by the time the trace began.
///
/// ```
/// let id: llmtrace::TraceId = "0af7651916cd43dd8448eb211c80319c".parse()?;
/// assert_eq!(id.to_string(), "0af7651916cd43dd8448eb211c80319c");
/// # Ok::<(), llmtrace::ParseIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(u128);

/// A span: 8 bytes, written as 16 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId(u64);

/// The text is not an id: wrong length, a digit that is not lower-case hex, or all zeros.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not {what}: expected {digits} lower-case hex digits, not all zero, found {found:?}")]
pub struct ParseIdError {
    what: &'static str,
    digits: usize,
    found: String,
}

impl TraceId {
    /// An id from its bytes; `None` if all are zero, which W3C reserves for "no trace".
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then(|| Self(u128::from_be_bytes(bytes)))
    }

    /// The 16 bytes, most significant first.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The low bits, which are random, to spread traces over locks.
    pub(crate) fn low_bits(self) -> usize {
        (self.0 & 0xFFFF) as usize
    }

    /// The low 56 bits, which are random (W3C Trace Context Level 2).
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "only these bits are meant")]
    pub(crate) fn random_bits(self) -> u64 {
        random_bits(self.0 as u64)
    }

    /// A version 7 UUID whose low 56 bits are those of `random`, for a trace that began `unix_ms` milliseconds after the
    /// epoch and of which nothing else is kept.
    pub(crate) fn from_random_bits(unix_ms: u64, random: u64) -> Self {
        let uuid = uuid::Builder::from_unix_timestamp_millis(unix_ms, &[0; 10]).into_uuid().as_u128();
        Self(uuid | u128::from(random & RANDOM_BITS))
    }

    /// A version 7 UUID for a trace that begins `unix_ms` milliseconds after the epoch; its low bits are those of `low`.
    pub(crate) fn generate(unix_ms: u64, low: u64) -> Self {
        let mut random = [0; 10];
        random[..2].copy_from_slice(&fastrand::u16(..).to_ne_bytes());
        random[2..].copy_from_slice(&low.to_be_bytes());
        Self(uuid::Builder::from_unix_timestamp_millis(unix_ms, &random).into_uuid().as_u128())
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn sequential(n: u64) -> Self {
        Self(u128::from(n))
    }
}

/// The bits of a trace id that are always random.
const RANDOM_BITS: u64 = (1 << 56) - 1;

/// What of the low bits of a trace id is always random.
#[inline]
pub(crate) fn random_bits(low: u64) -> u64 {
    low & RANDOM_BITS
}

impl SpanId {
    /// An id from its bytes; `None` if all are zero.
    pub fn from_bytes(bytes: [u8; 8]) -> Option<Self> {
        (bytes != [0; 8]).then(|| Self(u64::from_be_bytes(bytes)))
    }

    /// The 8 bytes, most significant first.
    pub fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// Stands in a draft until the span has its id.
    pub(crate) const UNSET: Self = Self(u64::MAX);

    pub(crate) fn generate() -> Self {
        Self(fastrand::u64(1..))
    }

    /// An id made from other random bits (the finaliser of `SplitMix64`, Steele et al. 2014).
    pub(crate) fn from_random_bits(random: u64) -> Self {
        let z = random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Self((z ^ (z >> 31)).max(1))
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn sequential(n: u64) -> Self {
        Self(n)
    }
}

/// Where new ids come from.
#[derive(Debug)]
pub(crate) enum IdSource {
    Random,
    /// 1, 2, 3, ... for each kind of id.
    #[cfg(feature = "testing")]
    Sequential {
        traces: std::sync::atomic::AtomicU64,
        spans: std::sync::atomic::AtomicU64,
    },
}

impl IdSource {
    /// The low bits of the next trace's id: enough to decide whether it is sampled.
    #[inline]
    pub(crate) fn trace_bits(&self) -> u64 {
        match self {
            Self::Random => fastrand::u64(..),
            #[cfg(feature = "testing")]
            Self::Sequential { traces, .. } => 1 + traces.fetch_add(1, std::sync::atomic::Ordering::Relaxed),
        }
    }

    /// The id of a trace with these low bits that begins `unix_ms` milliseconds after the epoch.
    #[inline]
    pub(crate) fn trace_id(&self, unix_ms: u64, low: u64) -> TraceId {
        match self {
            Self::Random => TraceId::generate(unix_ms, low),
            #[cfg(feature = "testing")]
            Self::Sequential { .. } => TraceId::sequential(low),
        }
    }

    #[inline]
    pub(crate) fn span_id(&self) -> SpanId {
        match self {
            Self::Random => SpanId::generate(),
            #[cfg(feature = "testing")]
            Self::Sequential { spans, .. } => {
                SpanId::sequential(1 + spans.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
            }
        }
    }
}

fn parse_hex(text: &str, what: &'static str, digits: usize) -> Result<u128, ParseIdError> {
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let parsed = (text.len() == digits && text.bytes().all(is_hex))
        .then(|| u128::from_str_radix(text, 16).ok())
        .flatten()
        .filter(|&value| value != 0);
    parsed.ok_or_else(|| ParseIdError { what, digits, found: text.chars().take(64).collect() })
}

impl FromStr for TraceId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        parse_hex(text, "a trace id", 32).map(Self)
    }
}

impl FromStr for SpanId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        // 16 hex digits fill 64 bits exactly.
        parse_hex(text, "a span id", 16).map(|value| Self(u64::try_from(value).unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpanId({self})")
    }
}

impl Serialize for TraceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for SpanId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TraceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for SpanId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_what_they_wrote_and_refuse_the_rest() {
        let id = TraceId::generate(1_760_000_000_000, fastrand::u64(..));
        assert_eq!(id.to_string().parse::<TraceId>().unwrap(), id);
        assert_eq!(TraceId::from_bytes(id.to_bytes()), Some(id));
        for bad in ["", "0", &"0".repeat(32), &"g".repeat(32), &"A".repeat(32), &"1".repeat(33)] {
            let error = bad.parse::<TraceId>().unwrap_err().to_string();
            assert!(error.contains("32 lower-case hex digits"), "{error}");
        }
        let span = SpanId::generate();
        assert_eq!(span.to_string().parse::<SpanId>().unwrap(), span);
    }

    #[test]
    fn trace_ids_are_version_7_and_sort_by_time() {
        let (a, b) = (TraceId::generate(1_000, 7), TraceId::generate(2_000, 5));
        assert!(a < b);
        assert_eq!(uuid::Uuid::from_bytes(a.to_bytes()).get_version_num(), 7);
        assert_eq!(a.random_bits(), 7);
        assert_eq!(TraceId::from_random_bits(1_000, u64::MAX).random_bits(), RANDOM_BITS);
    }
}
