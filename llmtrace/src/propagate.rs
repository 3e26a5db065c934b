//! Trace context across processes: the W3C `traceparent`, `tracestate` and `baggage` headers.
//!
//! Formats: W3C Trace Context (<https://www.w3.org/TR/trace-context/>) and W3C Baggage
//! (<https://www.w3.org/TR/baggage/>). Session and user travel as the baggage members `session.id` and `user.id`.
//!
//! ```
//! use std::collections::HashMap;
//! use llmtrace::propagate;
//!
//! let mut headers = HashMap::new();
//! headers.insert("traceparent".to_owned(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
//! let caller = propagate::extract(&headers).expect("a valid traceparent");
//! assert_eq!(caller.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
//! ```

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::Span;

use crate::layer::Relation;
use crate::sampler::Fate;
use crate::span::with_layer;
use crate::{SpanId, TraceId};

/// Headers of a request, or anything like them. Names are lower-case ASCII; reading ignores case.
pub trait Carrier {
    /// The value of a header.
    fn get(&self, name: &str) -> Option<&str>;

    /// The values of a header that may come more than once, in order.
    fn get_all(&self, name: &str) -> Vec<&str> {
        self.get(name).into_iter().collect()
    }

    /// Sets a header; what was there is replaced.
    fn set(&mut self, name: &'static str, value: String);
}

/// A span of another process, as its headers describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanContext {
    trace_id: TraceId,
    span_id: SpanId,
    sampled: bool,
    state: Option<String>,
    baggage: Vec<(String, String)>,
}

impl SpanContext {
    /// A span that is sampled and carries nothing else.
    pub fn new(trace_id: TraceId, span_id: SpanId) -> Self {
        Self { trace_id, span_id, sampled: true, state: None, baggage: Vec::new() }
    }

    /// The trace.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The span.
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// Whether the caller records the trace.
    pub fn is_sampled(&self) -> bool {
        self.sampled
    }

    /// The caller's `tracestate`, unread.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// A member of the caller's baggage.
    pub fn baggage(&self, name: &str) -> Option<&str> {
        self.baggage.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Longest header that is read, in bytes (W3C Baggage section 3.3.2).
const MAX_HEADER_BYTES: usize = 8192;

/// Most members of a baggage header that are read (W3C Baggage section 3.3.2).
const MAX_BAGGAGE_MEMBERS: usize = 64;

/// Writes the span's ids to the headers of an outgoing request, with the flag that says whether its trace is sampled
/// and the `tracestate` that came with it, and its session and user as baggage. On a span that no [`LlmLayer`](crate::LlmLayer)
/// sees, nothing is written.
///
/// A trace that a rule of the [`Sampler`](crate::Sampler) may yet keep goes on as not sampled: what is decided at its end
/// comes too late for others.
pub fn inject(span: &Span, carrier: &mut impl Carrier) {
    let Some(Outgoing { trace_id, span_id, is_sampled, relation }) = Outgoing::of(span) else { return };
    carrier.set("traceparent", format!("00-{trace_id}-{span_id}-{:02x}", u8::from(is_sampled)));
    let Some(relation) = relation else { return };
    if let Some(state) = &relation.trace_state {
        carrier.set("tracestate", state.to_string());
    }
    let members = [("session.id", relation.identity.session), ("user.id", relation.identity.user)];
    let members =
        members.iter().filter_map(|(key, id)| Some(format!("{key}={}", percent_encode(id.as_ref()?))));
    let baggage = members.collect::<Vec<_>>().join(",");
    if !baggage.is_empty() {
        carrier.set("baggage", baggage);
    }
}

/// Writes a context that was extracted to the headers of an outgoing request: `traceparent` with the ids of
/// `span` and whether it is sampled where it is traced, else the context's own, with the caller's `tracestate` and `baggage`.
pub fn forward(context: &SpanContext, span: &Span, carrier: &mut impl Carrier) {
    let (trace_id, span_id, is_sampled) = match Outgoing::of(span) {
        Some(Outgoing { trace_id, span_id, is_sampled, .. }) => (trace_id, span_id, is_sampled),
        None => (context.trace_id, context.span_id, context.sampled),
    };
    carrier.set("traceparent", format!("00-{trace_id}-{span_id}-{:02x}", u8::from(is_sampled)));
    if let Some(state) = &context.state {
        carrier.set("tracestate", state.clone());
    }
    if !context.baggage.is_empty() {
        let members = context.baggage.iter().map(|(key, value)| format!("{key}={}", percent_encode(value)));
        carrier.set("baggage", members.collect::<Vec<_>>().join(","));
    }
}

/// What goes out of a span.
struct Outgoing {
    trace_id: TraceId,
    span_id: SpanId,
    is_sampled: bool,
    /// What it inherits and hands on; `None` for a span that is not recorded.
    relation: Option<Relation>,
}

impl Outgoing {
    fn of(span: &Span) -> Option<Self> {
        let (ids, relation) =
            with_layer(span, |layer, key| Some((layer.0.ids(key)?, layer.0.relation(key)))).flatten()?;
        let is_sampled = relation.as_ref().is_some_and(|relation| relation.fate == Fate::Kept);
        Some(Self { trace_id: ids.0, span_id: ids.1, is_sampled, relation })
    }
}

/// Whether this process has ever read the context of another one.
static HAS_EXTRACTED: AtomicBool = AtomicBool::new(false);

/// Whether this process may go on with the traces of others.
#[inline]
pub(crate) fn has_extracted() -> bool {
    HAS_EXTRACTED.load(Ordering::Relaxed)
}

/// Reads the headers of an incoming request; `None` if there is no valid `traceparent`.
pub fn extract(carrier: &impl Carrier) -> Option<SpanContext> {
    let [parent] = carrier.get_all("traceparent").try_into().ok()?;
    let mut context = parse_traceparent(parent.trim())?;
    HAS_EXTRACTED.store(true, Ordering::Relaxed);
    context.state = list(carrier, "tracestate");
    context.baggage = list(carrier, "baggage").as_deref().map(parse_baggage).unwrap_or_default();
    Some(context)
}

/// A header whose value is a list, which may come in several parts (RFC 9110 section 5.3).
fn list(carrier: &impl Carrier, name: &str) -> Option<String> {
    let parts = carrier.get_all(name);
    let parts: Vec<_> = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
    let list = parts.join(",");
    let is_header = list.bytes().all(|byte| byte == b'\t' || (b' '..0x7f).contains(&byte));
    (!list.is_empty() && list.len() <= MAX_HEADER_BYTES && is_header).then_some(list)
}

fn parse_traceparent(header: &str) -> Option<SpanContext> {
    let mut fields = header.split('-');
    let (version, trace_id, span_id, flags) =
        (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let is_byte =
        |text: &str| text.len() == 2 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !is_byte(version) || version == "ff" || !is_byte(flags) || (version == "00" && fields.next().is_some())
    {
        return None;
    }
    let flags = u8::from_str_radix(flags, 16).ok()?;
    let mut context = SpanContext::new(trace_id.parse().ok()?, span_id.parse().ok()?);
    context.sampled = flags & 1 == 1;
    Some(context)
}

fn parse_baggage(header: &str) -> Vec<(String, String)> {
    let member = |member: &str| {
        let (key, value) = member.split(';').next()?.split_once('=')?;
        let key = key.trim();
        (!key.is_empty()).then(|| (key.to_owned(), percent_decode(value.trim())))
    };
    header.split(',').take(MAX_BAGGAGE_MEMBERS).filter_map(member).collect()
}

fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let hex = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let escaped = hex.filter(|_| byte == b'%');
        out.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn percent_encode(text: &str) -> String {
    let encode = |byte: u8| {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(encode).collect()
}

impl<S: BuildHasher> Carrier for HashMap<String, String, S> {
    fn get(&self, name: &str) -> Option<&str> {
        find(self.iter(), name)
    }

    fn set(&mut self, name: &'static str, value: String) {
        self.insert(name.to_owned(), value);
    }
}

impl Carrier for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<&str> {
        find(self.iter(), name)
    }

    fn set(&mut self, name: &'static str, value: String) {
        self.insert(name.to_owned(), value);
    }
}

impl Carrier for Vec<(String, String)> {
    fn get(&self, name: &str) -> Option<&str> {
        find(self.iter().map(|(key, value)| (key, value)), name)
    }

    fn get_all(&self, name: &str) -> Vec<&str> {
        let named = self.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    fn set(&mut self, name: &'static str, value: String) {
        self.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self.push((name.to_owned(), value));
    }
}

fn find<'a>(mut headers: impl Iterator<Item = (&'a String, &'a String)>, name: &str) -> Option<&'a str> {
    headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

#[cfg(feature = "http")]
impl Carrier for http::HeaderMap {
    fn get(&self, name: &str) -> Option<&str> {
        http::HeaderMap::get(self, name).and_then(|value| value.to_str().ok())
    }

    fn get_all(&self, name: &str) -> Vec<&str> {
        http::HeaderMap::get_all(self, name).iter().filter_map(|value| value.to_str().ok()).collect()
    }

    fn set(&mut self, name: &'static str, value: String) {
        if let Ok(value) = http::HeaderValue::from_str(&value) {
            self.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extract_from(headers: &[(&str, &str)]) -> Option<SpanContext> {
        let headers: Vec<_> = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        extract(&headers)
    }

    #[test]
    fn headers_are_read_as_the_standard_says() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let context = extract_from(&[
            ("Traceparent", parent),
            ("tracestate", "a=1"),
            ("baggage", "session.id=s%201;p=1, user.id = u"),
        ])
        .unwrap();
        assert_eq!(context.span_id().to_string(), "b7ad6b7169203331");
        assert_eq!((context.state(), context.is_sampled()), (Some("a=1"), true));
        assert_eq!((context.baggage("session.id"), context.baggage("user.id")), (Some("s 1"), Some("u")));

        let mut out = HashMap::new();
        forward(&context, &Span::none(), &mut out);
        assert_eq!(out["traceparent"], parent);
        assert_eq!(out["baggage"], "session.id=s%201,user.id=u");
    }

    #[test]
    fn what_is_not_a_traceparent_is_refused() {
        for bad in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0A",
            "0A-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(extract_from(&[("traceparent", bad)]), None, "{bad}");
        }
        // A later version may have more fields.
        assert!(
            extract_from(&[("traceparent", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-x")])
                .is_some()
        );
    }

    #[test]
    fn a_list_that_comes_in_several_headers_is_one() {
        let parent = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        let check = |headers: &[(&str, &str)], state: Option<&str>, user: Option<&str>| {
            let headers: Vec<_> = [parent].iter().chain(headers).copied().collect();
            let context = extract_from(&headers).unwrap();
            assert_eq!((context.state(), context.baggage("user.id")), (state, user), "{headers:?}");
        };
        let lists =
            [("tracestate", "a=1"), ("Tracestate", " b=2 "), ("baggage", "x=1"), ("baggage", "user.id=u")];
        check(&lists, Some("a=1,b=2"), Some("u"));
        check(&[("tracestate", "")], None, None);
        check(&[("tracestate", "a=1\r\nx: y"), ("baggage", "user.id=u\0")], None, None);
        check(&[("tracestate", &"a".repeat(9_000))], None, None);
        check(&[("baggage", "user.id=%+1%4a%zz")], None, Some("%+1J%zz"));
        assert_eq!(extract_from(&[parent, parent]), None, "nobody knows which one is meant");
        #[cfg(feature = "http")]
        {
            let mut headers = http::HeaderMap::new();
            for (name, value) in [parent].iter().chain(&lists) {
                headers
                    .append(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
            }
            assert_eq!(extract(&headers).unwrap().state(), Some("a=1,b=2"));
        }
    }
}
