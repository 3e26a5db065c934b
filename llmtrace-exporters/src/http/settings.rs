//! How an exporter over HTTP behaves.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue,
    TRANSFER_ENCODING,
};

use super::endpoint::{Endpoint, user_of};
use crate::spool::destination::Destination;

/// How an exporter over HTTP behaves.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) headers: HeaderMap,
    /// Texts beside the headers that are never told.
    pub(crate) secrets: Vec<String>,
    /// What cannot be sent as it was asked for.
    pub(crate) problem: Option<String>,
    pub(crate) is_compressed: bool,
    /// The longest time that one request may take, connecting and answering included.
    pub(crate) timeout: Duration,
    /// How long a batch is tried again before it is given up.
    pub(crate) retry_for: Duration,
    /// Certificates to trust beside those of the system,
    pub(crate) roots: Arc<[reqwest::Certificate]>,
}

impl Settings {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        let mut headers = HeaderMap::new();
        if let Some(authorization) = endpoint.authorization() {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        Self {
            endpoint: Arc::new(endpoint),
            headers,
            secrets: Vec::new(),
            problem: None,
            is_compressed: false,
            timeout: Duration::from_secs(10),
            retry_for: Duration::from_secs(300),
            roots: Arc::default(),
        }
    }

    /// Sends a header with every request. One that HTTP has no way to send, or that says what the exporter itself does, is
    /// remembered as a problem.
    pub(crate) fn set_header(&mut self, name: &str, value: &str) {
        let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
            self.problem = Some(format!("{name:?} is not the name of a header"));
            return;
        };
        if OWN_HEADERS.contains(&header) {
            self.problem = Some(format!("the header {header} is set by the exporter itself; leave it out"));
            return;
        }
        let Ok(mut value) = HeaderValue::from_str(value) else {
            self.problem =
                Some(format!("the value of the header {header} has characters that no header may have"));
            return;
        };
        value.set_sensitive(true);
        self.headers.insert(header, value);
    }

    /// For whom spans wait on disk. Keys may change meanwhile; the user name of a server that asks for one is part of
    /// it.
    pub(crate) fn destination(&self, exporter: &str) -> Destination {
        let url = self.endpoint.url();
        Destination {
            exporter: exporter.to_owned(),
            host: url.host_str().unwrap_or_default().to_owned(),
            address: url.origin().ascii_serialization() + url.path(),
            user: self.headers.get(AUTHORIZATION).and_then(user_of).unwrap_or_default(),
        }
    }

    /// Sends a header with every request that is the same in every program, and so no secret.
    pub(crate) fn set_fixed_header(&mut self, name: &'static str, value: &'static str) {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }

    /// The text without secrets, should a server repeat one.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        let values = self.headers.values().filter(|value| value.is_sensitive());
        let values = values.filter_map(|value| str::from_utf8(value.as_bytes()).ok());
        let secrets = values.flat_map(|value| std::iter::once(value).chain(value.split_whitespace()));
        let stated = self.secrets.iter().map(String::as_str).filter(|secret| !secret.is_empty());
        secrets
            .filter(|secret| secret.len() >= SHORTEST_SECRET)
            .chain(stated)
            .fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// What says how a body is sent.
const OWN_HEADERS: [HeaderName; 5] =
    [CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING];

/// Shorter words are no secrets: `Basic`, `Bearer`, `true`.
const SHORTEST_SECRET: usize = 8;

impl fmt::Debug for Settings {
    /// Names the headers, and never shows their values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.keys().map(HeaderName::as_str).collect();
        f.debug_struct("Settings")
            .field("endpoint", &self.endpoint)
            .field("headers", &names)
            .field("is_compressed", &self.is_compressed)
            .field("timeout", &self.timeout)
            .field("retry_for", &self.retry_for)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_cannot_be_sent_are_problems() {
        let check = |name: &str, value: &str, expected: Option<&str>| {
            let mut settings = Settings::new(Endpoint::parse("https://h").unwrap());
            settings.set_header(name, value);
            assert_eq!(settings.problem.as_deref(), expected, "{name}");
            assert_eq!(settings.headers.len(), usize::from(expected.is_none()), "{name}");
        };
        check("x-team", "search", None);
        check("a b", "1", Some("\"a b\" is not the name of a header"));
        check("a", "1\n", Some("the value of the header a has characters that no header may have"));
        for name in ["Content-Type", "content-length", "Content-Encoding", "HOST", "transfer-encoding"] {
            let lower = name.to_ascii_lowercase();
            let message = format!("the header {lower} is set by the exporter itself; leave it out");
            check(name, "1", Some(&message));
        }
    }
}
