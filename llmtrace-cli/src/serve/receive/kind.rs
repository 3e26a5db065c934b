//! What the headers of an OTLP request say of its body.

use axum::http::{HeaderMap, header};
use llmtrace_exporters::Protocol;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Packing {
    Plain,
    Gzip,
}

const EXPECTED_KIND: &str = "send Content-Type: application/x-protobuf or application/json (in UTF-8)";

/// In which encoding the body is; the error says what would be right.
pub(super) fn protocol(headers: &HeaderMap) -> Result<Protocol, &'static str> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).ok_or(EXPECTED_KIND)?;
    let mut parts = kind.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    if [Protocol::Protobuf.content_type(), "application/protobuf"]
        .iter()
        .any(|known| media.eq_ignore_ascii_case(known))
    {
        return Ok(Protocol::Protobuf);
    }
    let is_utf_8 = parts.filter_map(|part| part.split_once('=')).all(|(name, value)| {
        let value = value.trim().trim_matches('"');
        !name.trim().eq_ignore_ascii_case("charset")
            || ["utf-8", "utf8", "us-ascii"].iter().any(|known| value.eq_ignore_ascii_case(known))
    });
    let is_json = media.eq_ignore_ascii_case(Protocol::Json.content_type());
    if is_json && is_utf_8 { Ok(Protocol::Json) } else { Err(EXPECTED_KIND) }
}

/// How the body is packed; the error says what would be right.
pub(super) fn packing(headers: &HeaderMap) -> Result<Packing, &'static str> {
    let mut packing = Packing::Plain;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        for name in value.to_str().unwrap_or("?").split(',').map(str::trim) {
            packing = match (packing, name.to_ascii_lowercase().as_str()) {
                (packing, "" | "identity") => packing,
                (Packing::Plain, "gzip" | "x-gzip") => Packing::Gzip,
                _ => return Err("send Content-Encoding: gzip, once, or none"),
            };
        }
    }
    Ok(packing)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: &HeaderName, values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn encodings_are_told_by_their_media_types() {
        let check = |kind: &'static str, expected: Option<Protocol>| {
            assert_eq!(protocol(&headers(&header::CONTENT_TYPE, &[kind])).ok(), expected, "{kind}");
        };
        check("application/x-protobuf", Some(Protocol::Protobuf));
        check("Application/X-Protobuf; messageType=\"x\"", Some(Protocol::Protobuf));
        check("application/protobuf", Some(Protocol::Protobuf));
        check("application/json", Some(Protocol::Json));
        check("application/json; charset=utf-8", Some(Protocol::Json));
        check("application/json;charset=\"UTF-8\"", Some(Protocol::Json));
        check("application/json; charset=utf-16", None);
        check("application/json+x", None);
        check("text/plain", None);
        check("", None);
        assert_eq!(protocol(&HeaderMap::new()), Err(EXPECTED_KIND));
    }

    #[test]
    fn bodies_may_be_gzip_once() {
        let check = |values: &[&'static str], expected: Option<Packing>| {
            assert_eq!(packing(&headers(&header::CONTENT_ENCODING, values)).ok(), expected, "{values:?}");
        };
        check(&[], Some(Packing::Plain));
        check(&["identity"], Some(Packing::Plain));
        check(&["GZip"], Some(Packing::Gzip));
        check(&["identity, gzip"], Some(Packing::Gzip));
        check(&["gzip, gzip"], None);
        check(&["gzip", "gzip"], None);
        check(&["br"], None);
        check(&["zstd"], None);
    }
}
