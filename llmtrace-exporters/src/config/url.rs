//! Whether a text is a URL that spans may be sent to.

use std::net::IpAddr;

use super::standard::ALLOW_HTTP;
use super::variables::{Variables, truth};

/// Whether spans may be sent to another computer unencrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlainHttp {
    Allowed,
    Refused,
}

impl PlainHttp {
    /// What the variables say: `LLMTRACE_ALLOW_HTTP`, or one of `others`.
    pub(super) fn said_by(variables: &Variables<'_>, others: &[&'static str]) -> Self {
        let is_true = |name: &&'static str| variables.read(&[*name], truth).unwrap_or(false);
        let is_allowed = others.iter().chain(&[ALLOW_HTTP]).filter(|name| is_true(name)).count() > 0;
        if is_allowed { Self::Allowed } else { Self::Refused }
    }
}

/// What is wrong with a URL. Nothing of the URL is shown: it may hold a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    Form(&'static str),
    /// It is plain `http` to another computer.
    Unencrypted,
}

impl Wrong {
    /// The message; `remedy` says how plain `http` is allowed.
    pub(super) fn message(self, remedy: &str) -> String {
        match self {
            Self::Form(message) => message.to_owned(),
            Self::Unencrypted => {
                format!(
                    "spans would cross the network unencrypted; write https://, or allow it with {remedy}"
                )
            }
        }
    }
}

/// Checks a URL.
pub(super) fn check(text: &str, plain_http: PlainHttp) -> Result<(), Wrong> {
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(Wrong::Form("expected a URL without blanks"));
    }
    let lower = text.to_ascii_lowercase();
    let after = |scheme| lower.strip_prefix(scheme);
    let (Some(rest), is_plain) = (after("https://").or_else(|| after("http://")), after("http://").is_some())
    else {
        return Err(Wrong::Form("expected a URL that begins with http:// or https://"));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    if name.is_empty() {
        return Err(Wrong::Form("expected a URL with the name of a host"));
    }
    if port.is_some_and(|port| !port.parse::<u16>().is_ok_and(|port| port > 0)) {
        return Err(Wrong::Form("expected a port from 1 to 65535 after the host"));
    }
    #[cfg(feature = "http")]
    if crate::Endpoint::insecure(text).is_err() {
        return Err(Wrong::Form("expected a URL such as https://example.com:4318"));
    }
    if is_plain && plain_http == PlainHttp::Refused && !is_this_computer(name) {
        return Err(Wrong::Unencrypted);
    }
    Ok(())
}

fn is_this_computer(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let check = |text: &str, expected: Result<(), Wrong>| {
            assert_eq!(check(text, PlainHttp::Refused), expected, "{text}");
        };
        let form = |message| Err(Wrong::Form(message));
        for right in [
            "https://h",
            "HTTPS://h.example:443/v1?key=1#x",
            "http://localhost:4318",
            "http://127.0.0.2/x",
            "http://[::1]:4318/v1/traces",
            "http://[::1]",
            "https://user:pass@h",
            "http://otel.localhost",
        ] {
            check(right, Ok(()));
        }
        for unencrypted in
            ["http://h", "http://10.0.0.1:4318", "http://localhost.example", "http://u@h", "HTTP://h"]
        {
            check(unencrypted, Err(Wrong::Unencrypted));
            assert_eq!(super::check(unencrypted, PlainHttp::Allowed), Ok(()));
        }
        let begin = "expected a URL that begins with http:// or https://";
        for text in ["", "localhost:4318", "ftp://h", "http:/h", "//h", "é"] {
            check(text, form(begin));
        }
        for text in ["http://", "https:///v1", "https://:4318", "https://u@", "https://?x"] {
            check(text, form("expected a URL with the name of a host"));
        }
        for text in ["https://h:", "https://h:port", "https://h:0", "https://h:65536", "https://[::1]:x"] {
            check(text, form("expected a port from 1 to 65535 after the host"));
        }
        #[cfg(feature = "http")]
        check("https://a%zz", form("expected a URL such as https://example.com:4318"));
        check("https://h h", form("expected a URL without blanks"));
    }
}
