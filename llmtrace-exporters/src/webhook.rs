//! Spans as JSON to a URL of the user's own.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use llmtrace::SpanRecord;

use crate::http::endpoint::{Endpoint, EndpointError};
use crate::http::exporter::HttpExporter;
use crate::http::options::delivers_over_http;
use crate::http::service::Service;
use crate::http::settings::Settings;
use crate::write_line;

/// Posts spans as JSON to a URL of your own: `{"spans":[...]}`, each span as [`write_line`](crate::write_line) writes it.
///
/// Every request has the headers of Standard Webhooks (<https://www.standardwebhooks.com>), which has libraries for many
/// languages:
///
/// | header | holds |
/// |---|---|
/// | `webhook-id` | the same for the same body, so that a batch that comes again can be told |
/// | `webhook-timestamp` | when it was sent, in seconds since 1970 |
/// | `webhook-signature` | with a [`secret`](Webhook::secret): `v1,` and the Base64 of the HMAC-SHA256 of `id.timestamp.body` |
///
/// The body is signed as it is sent, so with [`gzip`](Webhook::gzip) check it before it is decompressed. To check a request in
/// Python:
///
/// ```python
/// import base64, hashlib, hmac, time
/// def is_genuine(secret: bytes, headers, body: bytes) -> bool:
///     id, at = headers["webhook-id"], headers["webhook-timestamp"]
///     mac = hmac.new(secret, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
///     expected = "v1," + base64.b64encode(mac).decode()
///     return hmac.compare_digest(expected, headers["webhook-signature"]) and abs(time.time() - int(at)) < 300
/// ```
///
/// In Rust, with crates `aws-lc-rs` and `base64` (that `at` is at most five minutes ago is for the caller to check):
///
/// ```
/// use base64::{Engine as _, engine::general_purpose::STANDARD};
/// use aws_lc_rs::hmac;
///
/// fn is_genuine(secret: &[u8], id: &str, at: &str, signature: &str, body: &[u8]) -> bool {
///     let content = [format!("{id}.{at}.").as_bytes(), body].concat();
///     let mac = signature.strip_prefix("v1,").and_then(|mac| STANDARD.decode(mac).ok()).unwrap_or_default();
///     hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, secret), &content, &mac).is_ok()
/// }
/// # let id = "msg_ea54f700fd09b64bc7ed4a8f415a3e17";
/// # let signature = "v1,gi4Q+BoyY468zpuo6gdZeiSIippnGjcmRrBg9WK+pts=";
/// # assert!(is_genuine(b"secret", id, "1614265330", signature, b"{\"spans\":[]}\n"));
/// # assert!(!is_genuine(b"secret", id, "1614265331", signature, b"{\"spans\":[]}\n"));
/// ```
///
/// Any answer of 2xx says that the spans are taken. Retries, the spool and proxies work as they do for
/// [`Otlp`](crate::Otlp); a span may come twice, with the same `trace_id` and `span_id`.
///
/// ```
/// use llmtrace_exporters::Webhook;
///
/// let webhook = Webhook::new("https://example.com/traces?team=support")?.secret("whsec_c2VjcmV0").gzip();
/// assert!(!format!("{webhook:?}").contains("c2VjcmV0"), "neither secrets nor the URL's path are shown");
/// let tracing = llmtrace::builder().exporter(webhook);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Webhook(HttpExporter<Posts>);

/// How Standard Webhooks marks a secret that is written in Base64.
const ENCODED_SECRET: &str = "whsec_";

impl Webhook {
    /// Posts to a URL: `https`, or `http` on this computer.
    ///
    /// # Errors
    ///
    /// The text is no URL, or plain `http` to another computer; for that see [`Endpoint::insecure`] and
    /// [`to`](Webhook::to).
    pub fn new(url: &str) -> Result<Self, EndpointError> {
        Endpoint::insecure(url)?.hiding_path().protected().map(Self::to)
    }

    /// Posts to a URL.
    pub fn to(url: Endpoint) -> Self {
        Self(HttpExporter::new(Posts { key: None }, Settings::new(url.hiding_path())))
    }

    /// Signs each request. A secret that begins with `whsec_` is read as Standard Webhooks has it, Base64 behind that; the
    /// key is what it stands for. Any other text is the key itself. A secret that is empty or no Base64 is said when the
    /// exporter starts, and nothing is sent then.
    pub fn secret(mut self, secret: impl AsRef<str>) -> Self {
        let secret = secret.as_ref().trim();
        let key = match secret.strip_prefix(ENCODED_SECRET) {
            Some(encoded) => STANDARD_NO_PAD.decode(encoded.trim_end_matches('=')).ok(),
            None => Some(secret.as_bytes().to_vec()),
        };
        match key.filter(|key| !key.is_empty()) {
            Some(key) => self.0.service.key = Some(hmac::Key::new(hmac::HMAC_SHA256, &key)),
            None => self.0.settings.problem = Some(WRONG_SECRET.to_owned()),
        }
        self
    }
}

const WRONG_SECRET: &str = "the secret is empty, or not the Base64 that whsec_ promises";

delivers_over_http!(Webhook);

/// The webhook's requests.
struct Posts {
    key: Option<hmac::Key>,
}

impl Service for Posts {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn content_type(&self) -> &'static str {
        "application/json"
    }

    fn write(&mut self, spans: &[SpanRecord], body: &mut Vec<u8>) {
        body.extend_from_slice(br#"{"spans":["#);
        for (index, span) in spans.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            write_line(span, body);
            // Its newline.
            body.pop();
        }
        body.extend_from_slice(b"]}\n");
    }

    fn sign(&self, body: &[u8]) -> Vec<(&'static str, String)> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        headers(self.key.as_ref(), now, body)
    }
}

/// The headers of Standard Webhooks for a body that is sent `now`, in seconds since 1970.
fn headers(key: Option<&hmac::Key>, now: u64, body: &[u8]) -> Vec<(&'static str, String)> {
    let digest = digest::digest(&digest::SHA256, body);
    let hex = digest.as_ref().iter().take(ID_BYTES).map(|byte| format!("{byte:02x}"));
    let id = format!("msg_{}", hex.collect::<String>());
    let mut headers = Vec::with_capacity(3);
    if let Some(key) = key {
        let mut context = hmac::Context::with_key(key);
        context.update(format!("{id}.{now}.").as_bytes());
        context.update(body);
        headers.push(("webhook-signature", format!("v1,{}", STANDARD.encode(context.sign()))));
    }
    headers.extend([("webhook-id", id), ("webhook-timestamp", now.to_string())]);
    headers
}

/// How much of a body's SHA-256 makes its id.
const ID_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected values are those of Python's `hmac`, `hashlib` and `base64`.
    #[test]
    fn a_body_is_signed_as_standard_webhooks_has_it() {
        let body = b"{\"spans\":[]}\n";
        let check = |secret: Option<&str>, now: u64, expected: &[(&str, &str)]| {
            let webhook = Webhook::new("https://example.com").unwrap();
            let webhook = secret.into_iter().fold(webhook, Webhook::secret);
            assert_eq!(webhook.0.settings.problem, None);
            let headers = headers(webhook.0.service.key.as_ref(), now, body);
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(headers, expected);
        };
        let id = ("webhook-id", "msg_ea54f700fd09b64bc7ed4a8f415a3e17");
        let signed = ("webhook-signature", "v1,gi4Q+BoyY468zpuo6gdZeiSIippnGjcmRrBg9WK+pts=");
        check(None, 7, &[id, ("webhook-timestamp", "7")]);
        let at = ("webhook-timestamp", "1614265330");
        check(Some("secret"), 1_614_265_330, &[signed, id, at]);
        check(Some("whsec_c2VjcmV0"), 1_614_265_330, &[signed, id, at]);
        check(Some(" whsec_c2VjcmV0== "), 1_614_265_330, &[signed, id, at]);
    }

    #[test]
    fn a_secret_that_is_none_stops_the_exporter() {
        for secret in ["", " ", "whsec_", "whsec_c2Vj*"] {
            let webhook = Webhook::new("https://example.com").unwrap().secret(secret);
            assert_eq!(webhook.0.settings.problem.as_deref(), Some(WRONG_SECRET), "{secret:?}");
        }
    }

    #[test]
    fn the_path_of_the_url_is_shown_nowhere() {
        let url = "https://hooks.example.com/services/T0/s3cret?key=s3cret";
        let webhook = Webhook::new(url).unwrap();
        assert_eq!(webhook.0.settings.endpoint.to_string(), "https://hooks.example.com");
        assert!(!format!("{webhook:?}").contains("s3cret"));
        let refused = Webhook::new("http://hooks.example.com/s3cret").unwrap_err().to_string();
        assert!(refused.contains("unencrypted") && !refused.contains("s3cret"), "{refused}");
    }
}
