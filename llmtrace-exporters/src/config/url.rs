//! Whether a text is a URL that spans may be sent to.

use super::standard::ALLOW_HTTP;
use super::variables::{Variables, truth};
#[cfg(feature = "http")]
use crate::{Endpoint, EndpointError};

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

/// Checks a URL; `remedy` says how plain `http` is allowed. Nothing of the URL is shown: it may hold a key.
#[cfg(feature = "http")]
pub(super) fn check(text: &str, plain_http: PlainHttp, remedy: &str) -> Result<(), String> {
    let endpoint = match plain_http {
        PlainHttp::Allowed => Endpoint::insecure(text),
        PlainHttp::Refused => Endpoint::parse(text),
    };
    endpoint.map(drop).map_err(|error| match error {
        EndpointError::Scheme { .. } => "expected a URL that begins with http:// or https://".to_owned(),
        EndpointError::Unencrypted { .. } => {
            format!("spans would cross the network unencrypted; write https://, or allow it with {remedy}")
        }
        other @ EndpointError::NotAUrl { .. } => other.to_string(),
    })
}

/// Whoever sends to a URL is refused here, whatever the URL, when it is opened.
#[cfg(not(feature = "http"))]
#[expect(clippy::unnecessary_wraps, reason = "it is as with the feature")]
pub(super) fn check(_: &str, _: PlainHttp, _: &str) -> Result<(), String> {
    Ok(())
}
