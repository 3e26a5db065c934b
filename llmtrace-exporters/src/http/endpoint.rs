//! Where requests go, checked at the start.

use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use reqwest::header::HeaderValue;

/// The address of a server.
///
/// User name and password in it become an `Authorization` header, and are never shown.
///
/// ```
/// use llmtrace_exporters::Endpoint;
///
/// assert!(Endpoint::parse("https://user:secret@otel.example.com/v1/traces").is_ok());
/// assert!(Endpoint::parse("http://localhost:4318").is_ok(), "this computer");
/// let error = Endpoint::parse("http://otel.example.com").unwrap_err();
/// assert!(error.to_string().contains("https"));
/// assert!(Endpoint::insecure("http://otel.example.com").is_ok(), "it was said so");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    authorization: Option<HeaderValue>,
    /// Its path is not shown.
    hides_path: bool,
}

/// Why a text is no usable address. It never repeats user names, passwords or query strings.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The text is no URL.
    #[error("not a URL: {reason}; expected something like https://otel.example.com:4318")]
    NotAUrl {
        /// What is wrong with it.
        reason: String,
    },
    /// The scheme is neither `http` nor `https`.
    #[error("{shown}: the scheme {scheme:?} is not supported; expected https or http")]
    Scheme {
        /// The address without secrets.
        shown: String,
        /// The scheme.
        scheme: String,
    },
    /// Plain `http` to another computer.
    #[error(
        "{shown}: spans would cross the network unencrypted; use https, or say that this is wanted (`Endpoint::insecure`)"
    )]
    Unencrypted {
        /// The address without secrets.
        shown: String,
    },
}

impl fmt::Debug for EndpointError {
    /// The message: it is what a `main` that returns the error shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Endpoint {
    /// An `https` URL, or an `http` URL of this computer.
    ///
    /// # Errors
    ///
    /// The text is no URL, or plain `http` to another computer.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        Self::insecure(text)?.protected()
    }

    /// An `https` or `http` URL of any computer: what is sent to an `http` URL can be read on the way.
    ///
    /// # Errors
    ///
    /// The text is no URL.
    pub fn insecure(text: &str) -> Result<Self, EndpointError> {
        let not_a_url = |reason: &str| EndpointError::NotAUrl { reason: reason.to_owned() };
        let text = text.trim();
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(not_a_url("there are blanks in it"));
        }
        let mut url = Url::parse(text).map_err(|error| not_a_url(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EndpointError::Scheme { shown: shown(&url), scheme: url.scheme().to_owned() });
        }
        // The parser takes `https:/path` and `https:///path`, too, and makes a host of what comes first.
        let rest = text.get(url.scheme().len()..).and_then(|rest| rest.strip_prefix("://"));
        if rest.is_none_or(|rest| rest.starts_with(['/', '\\'])) {
            return Err(not_a_url("it has no host"));
        }
        if url.port() == Some(0) {
            return Err(not_a_url("there is no port 0"));
        }
        let authorization = take_credentials(&mut url);
        url.set_fragment(None);
        Ok(Self { url, authorization, hides_path: false })
    }

    /// The same address, unless what is sent there could be read on the way.
    pub(crate) fn protected(self) -> Result<Self, EndpointError> {
        if self.url.scheme() == "http" && !self.is_local() {
            return Err(EndpointError::Unencrypted { shown: self.to_string() });
        }
        Ok(self)
    }

    /// The same server with `path` behind the present one, unless that ends so already.
    pub(crate) fn with_path(mut self, path: &str) -> Self {
        let base = self.url.path().trim_end_matches('/').to_owned();
        if base.ends_with(path) {
            self.url.set_path(&base);
        } else {
            self.url.set_path(&(base + path));
        }
        self
    }

    /// The same server without `end` at the end of the present path, if it stands there.
    pub(crate) fn without_path_end(mut self, end: &str) -> Self {
        let path = self.url.path().trim_end_matches('/');
        if let Some(rest) = path.strip_suffix(end).map(str::to_owned) {
            self.url.set_path(&rest);
        }
        self
    }

    /// The same address; what shows it leaves out the path, which is a secret with many webhooks.
    pub(crate) fn hiding_path(self) -> Self {
        Self { hides_path: true, ..self }
    }

    /// Whether the server is on this computer.
    pub(crate) fn is_local(&self) -> bool {
        is_loopback(&self.url)
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The header that user name and password in the URL stand for.
    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }
}

/// The address without user name, password and query string; of a webhook, without its path.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.hides_path { f.write_str(&server(&self.url)) } else { f.write_str(&shown(&self.url)) }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

fn shown(url: &Url) -> String {
    server(url) + url.path()
}

fn server(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Takes user name and password out of the URL, as the header of RFC 7617.
fn take_credentials(url: &mut Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let user = percent_decoded(url.username());
    let password = percent_decoded(url.password().unwrap_or_default());
    // Only URLs without a host refuse this.
    let _ = (url.set_username(""), url.set_password(None));
    Some(basic(&user, &password))
}

/// The `Authorization` header for a user name and a password (RFC 7617).
pub(crate) fn basic(user: &[u8], password: &[u8]) -> HeaderValue {
    let text = format!("Basic {}", STANDARD.encode([user, b":", password].concat()));
    let mut header = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("Basic"));
    header.set_sensitive(true);
    header
}

/// The user name in such a header.
pub(super) fn user_of(authorization: &HeaderValue) -> Option<String> {
    let encoded = authorization.as_bytes().strip_prefix(b"Basic ")?;
    let decoded = STANDARD.decode(encoded).ok()?;
    let user = decoded.split(|byte| *byte == b':').next()?;
    Some(String::from_utf8_lossy(user).into_owned())
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    while let Some((first, rest)) = bytes.split_first() {
        let hex = rest.get(..2).filter(|_| *first == b'%').and_then(|hex| str::from_utf8(hex).ok());
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            decoded.push(byte);
            bytes = rest.get(2..).unwrap_or_default();
        } else {
            decoded.push(*first);
            bytes = rest;
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_completed_once() {
        let check = |text: &str, expected: &str| {
            let endpoint = Endpoint::insecure(text).unwrap().with_path("/v1/traces");
            assert_eq!(endpoint.url().as_str(), expected, "{text}");
        };
        check("http://localhost:4318", "http://localhost:4318/v1/traces");
        check("http://localhost:4318/", "http://localhost:4318/v1/traces");
        check("https://a.b/api/public/otel", "https://a.b/api/public/otel/v1/traces");
        check("https://a.b/api/otel/?key=1", "https://a.b/api/otel/v1/traces?key=1");
        check("https://a.b/v1/traces", "https://a.b/v1/traces");
        check("https://a.b/v1/traces/", "https://a.b/v1/traces");
        check("https://a.b/#x", "https://a.b/v1/traces");
    }

    #[test]
    fn http_is_for_this_computer() {
        let check = |text: &str, is_taken: bool| {
            assert_eq!(Endpoint::parse(text).is_ok(), is_taken, "{text}");
            assert!(Endpoint::insecure(text).is_ok(), "{text}");
        };
        check("http://localhost:4318", true);
        check("http://otel.localhost", true);
        check("http://127.0.0.9", true);
        check("http://[::1]:4318", true);
        check("https://otel.example.com", true);
        check("http://otel.example.com", false);
        check("http://localhost.example.com", false);
        check("http://10.0.0.1", false);
        check("http://127.0.0.1.example.com", false);
        check("http://user:localhost@10.0.0.1", false);
    }

    #[test]
    fn errors_say_what_would_be_right_and_show_no_secret() {
        let check = |text: &str, expected: &str| {
            let message = Endpoint::parse(text).unwrap_err().to_string();
            assert!(message.contains(expected) && !message.contains("secret"), "{message}");
            assert_eq!(format!("{:?}", Endpoint::parse(text).unwrap_err()), message, "what `main` shows");
        };
        check("", "not a URL");
        check("localhost:4318", "expected https or http");
        check("otel.example.com", "not a URL");
        check("ftp://u:secret@a.b/x?secret", "\"ftp\"");
        for no_host in
            ["https:/secret", "https:///secret", "https:secret", "https:\\\\secret", "https://\\secret"]
        {
            check(no_host, "it has no host");
        }
        for no_host in ["https://", "https://u@", "https://:4318"] {
            check(no_host, "empty host");
        }
        check("https://a.b:0/secret", "no port 0");
        check("https://a.b:secret", "port");
        check("https://a.b/sec\tret secret", "blanks");
        check("http://u:secret@a.b/x?key=secret", "http://a.b/x: spans would cross the network unencrypted");
    }

    #[test]
    fn credentials_become_a_header_and_are_never_shown() {
        let endpoint = Endpoint::parse("https://us%40er:secr%2Fet@a.b/x?key=secret").unwrap();
        assert_eq!(endpoint.url().as_str(), "https://a.b/x?key=secret");
        let header = endpoint.authorization().unwrap();
        assert_eq!(header, "Basic dXNAZXI6c2Vjci9ldA==");
        assert_eq!(
            format!("{endpoint:?} {endpoint} {header:?}"),
            "Endpoint(https://a.b/x) https://a.b/x Sensitive"
        );
        for (plain, expected) in [("a", "YTo="), ("ab", "YWI6"), ("abc", "YWJjOg==")] {
            assert_eq!(basic(plain.as_bytes(), b""), format!("Basic {expected}"));
            assert_eq!(user_of(&basic(plain.as_bytes(), b"secret:2")).as_deref(), Some(plain));
        }
    }
}
