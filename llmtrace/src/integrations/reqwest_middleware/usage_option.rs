//! Asking for the usage of a stream.

use bytes::Bytes;
use http::{HeaderMap, header};
use reqwest::{Request, Url};

/// Providers that refuse the option, or state the usage without it: Mistral answers 422 (`extra_forbidden`), Databricks
/// hands it on to Bedrock, which refuses it; Cohere, Perplexity, `OpenRouter` and Google's endpoints state the usage
/// anyway; Azure's model inference refuses parameters that it does not know.
const UNTOLD: &[&str] = &[
    "mistral_ai",
    "cohere",
    "perplexity",
    "openrouter",
    "gcp.gemini",
    "gcp.vertex_ai",
    "aws.bedrock",
    "azure.ai.inference",
    "databricks",
];

/// The first day whose Azure API versions take the option (`2024-09-01-preview`, then `2024-10-21`).
const AZURE_SINCE: &str = "2024-09-01";

const OPTION: &[u8] = br#""stream_options":{"include_usage":true}"#;

/// Whether the option is taken there.
pub(super) fn is_taken(provider: Option<&str>, url: &Url) -> bool {
    match provider {
        // `/openai/v1/` has no versions.
        Some("azure.ai.openai") if !url.path().contains("/openai/v1/") => {
            let version = url.query_pairs().find(|(name, _)| name == "api-version");
            version.is_some_and(|(_, version)| version.get(..10).is_some_and(|day| day >= AZURE_SINCE))
        }
        Some(provider) => !UNTOLD.contains(&provider),
        None => true,
    }
}

/// The body with the option as its last member; all other bytes are as they were.
pub(super) fn added(body: &[u8]) -> Option<Bytes> {
    let members = body.trim_ascii_end().strip_suffix(b"}")?;
    // An empty object would need no comma; it is no request either.
    if members.trim_ascii() == b"{" {
        return None;
    }
    let tail = body.get(members.len()..)?;
    Some([members, b",", OPTION, tail].concat().into())
}

/// Sends `body` in place of the request's, unless a header speaks for the bytes as they were.
pub(super) fn replace(request: &mut Request, body: Bytes) {
    if speaks_for_bytes(request.headers()) {
        return;
    }
    if let Some(length) = request.headers_mut().get_mut(header::CONTENT_LENGTH) {
        *length = body.len().into();
    }
    *request.body_mut() = Some(body.into());
}

fn speaks_for_bytes(headers: &HeaderMap) -> bool {
    const DIGESTS: [&str; 6] =
        ["x-amz-content-sha256", "content-md5", "digest", "content-digest", "repr-digest", "signature"];
    let is_signed = |value: &header::HeaderValue| value.as_bytes().starts_with(b"AWS4-");
    DIGESTS.iter().any(|name| headers.contains_key(*name))
        || headers.get(header::AUTHORIZATION).is_some_and(is_signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_option_is_added() {
        let check = |body: &str, expected: Option<&str>| {
            let added = added(body.as_bytes());
            assert_eq!(added.as_deref(), expected.map(str::as_bytes), "{body}");
        };
        check(
            "{ \"b\" : 1.50,\n \"a\": \"}\" }\n",
            Some("{ \"b\" : 1.50,\n \"a\": \"}\" ,\"stream_options\":{\"include_usage\":true}}\n"),
        );
        check("{}", None);
        check("[]", None);
        check("", None);
    }

    #[test]
    fn it_is_added_where_it_is_taken() {
        let check = |provider, url: &str, expected| {
            assert_eq!(is_taken(provider, &url.parse().unwrap()), expected, "{provider:?} {url}");
        };
        check(Some("openai"), "https://api.openai.com/v1/chat/completions", true);
        check(None, "http://localhost:8000/v1/chat/completions", true);
        check(Some("mistral_ai"), "https://api.mistral.ai/v1/chat/completions", false);
        check(Some("gcp.gemini"), "https://x/v1beta/openai/chat/completions", false);
        let azure = |version: &str| format!("https://x/openai/deployments/d/chat/completions{version}");
        check(Some("azure.ai.openai"), &azure("?api-version=2024-06-01"), false);
        check(Some("azure.ai.openai"), &azure(""), false);
        check(Some("azure.ai.openai"), &azure("?api-version=2024-10-21"), true);
        check(Some("azure.ai.openai"), "https://x/openai/v1/chat/completions", true);
    }

    #[test]
    fn a_body_that_is_spoken_for_stays() {
        let check = |name: &'static str, value: &'static str, changes: bool| {
            let url = "http://localhost/v1/chat/completions".parse().unwrap();
            let mut request = Request::new(http::Method::POST, url);
            *request.body_mut() = Some("old".into());
            request.headers_mut().insert(name, value.parse().unwrap());
            replace(&mut request, Bytes::from_static(b"newer"));
            let sent = request.body().and_then(reqwest::Body::as_bytes).unwrap();
            assert_eq!(sent == b"newer", changes, "{name}");
            if name == "content-length" {
                assert_eq!(request.headers()[name], "5");
            }
        };
        check("accept", "*/*", true);
        check("content-length", "3", true);
        check("authorization", "Bearer x", true);
        check("authorization", "AWS4-HMAC-SHA256 Credential=x", false);
        check("x-amz-content-sha256", "x", false);
        check("content-digest", "x", false);
    }
}
