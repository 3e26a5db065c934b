//! From which page a request comes.

use axum::http::{HeaderMap, HeaderValue, Method, header};

/// Whether a request that writes may come from where it comes from: from no browser at all, or from a page of ours.
///
/// Browsers state `Sec-Fetch-Site` (<https://www.w3.org/TR/fetch-metadata/>), and `Origin` with every request that
/// may write. Requests that only read are always right: no answer of ours can be read by a page of another site.
pub(crate) fn is_right(method: &Method, headers: &HeaderMap, host: &str) -> bool {
    if method.is_safe() {
        return true;
    }
    let is_site_right = match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => true,
        Some(_) => false,
    };
    let is_origin_right = headers.get_all(header::ORIGIN).iter().all(|origin| {
        let origin = origin.to_str().unwrap_or_default();
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    });
    is_site_right && is_origin_right
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&'static str, &'static str)], expected: bool) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        assert_eq!(is_right(&Method::POST, &map, "localhost:4318"), expected, "{headers:?}");
        assert!(is_right(&Method::GET, &map, "localhost:4318"));
    }

    #[test]
    fn other_sites_cannot_write() {
        check(&[], true);
        check(&[("origin", "http://localhost:4318"), ("sec-fetch-site", "same-origin")], true);
        check(&[("origin", "https://LOCALHOST:4318")], true);
        check(&[("sec-fetch-site", "none")], true);
        check(&[("origin", "http://evil.example")], false);
        check(&[("origin", "http://localhost:3000")], false);
        check(&[("origin", "http://localhost")], false);
        check(&[("origin", "null")], false);
        check(&[("origin", "")], false);
        check(&[("origin", "http://localhost:4318"), ("origin", "http://evil.example")], false);
        check(&[("sec-fetch-site", "cross-site")], false);
        check(&[("sec-fetch-site", "same-site")], false);
        check(&[("origin", "http://localhost:4318"), ("sec-fetch-site", "cross-site")], false);
    }
}
