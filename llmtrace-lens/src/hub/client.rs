//! Requests to the hub, on the calling thread.

use std::error::Error as _;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderValue, RANGE};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Response, StatusCode, Url};
use tokio::runtime::{self, Runtime};

use super::error::HubError;

/// A connection to one hub.
pub(super) struct Client {
    runtime: Runtime,
    http: reqwest::Client,
    endpoint: Url,
    /// Sent to the hub, and to no server that it sends on to.
    token: Option<HeaderValue>,
}

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for further bytes.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Servers that one request may be sent on to.
const REDIRECTS: usize = 10;

impl Client {
    /// A client of the hub at this address.
    pub(super) fn new(endpoint: &str, token: Option<&str>) -> Result<Self, HubError> {
        let wrong =
            |problem: &str| HubError::Endpoint { found: endpoint.to_owned(), problem: problem.to_owned() };
        let url =
            Url::parse(endpoint).map_err(|_| wrong("expected something like https://huggingface.co"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some()
        {
            return Err(wrong("expected https or http, without a user"));
        }
        if token.is_some() && !is_safe(&url) {
            return Err(wrong("the token would cross the network unencrypted: use https, or no token"));
        }
        let token = token.map(|token| HeaderValue::from_str(&format!("Bearer {token}")));
        let token = token.transpose().map_err(|_| wrong("the token has signs that none has"))?;
        let failed = |problem: String| HubError::Network { url: endpoint.to_owned(), problem };
        let http = builder(&url).build().map_err(|error| failed(reason(error)))?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed(format!("no event loop: {error}")))?;
        let token = token.map(|mut token| {
            token.set_sensitive(true);
            token
        });
        Ok(Self { runtime, http, endpoint: url, token })
    }

    /// An address at the hub.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.endpoint.as_str().trim_end_matches('/'))
    }

    /// The status of a page, and at most so many bytes of it.
    pub(super) fn read(&self, url: &str, most: usize) -> Result<(u16, Vec<u8>), HubError> {
        let mut bytes = Vec::new();
        let (status, end) = self.stream(url, 0, |_, chunk| {
            if bytes.len() + chunk.len() > most {
                let problem = format!("has more than {most} bytes");
                return Err(HubError::Answer { url: url.to_owned(), problem });
            }
            bytes.extend_from_slice(chunk);
            Ok(())
        })?;
        match end {
            None => Ok((status, bytes)),
            Some(problem) => Err(HubError::Network { url: url.to_owned(), problem }),
        }
    }

    /// Gives `take` the status and the bytes of a page as they come, from byte `from` on where the server can; answers with the
    /// status, and with what went wrong where the bytes broke off. Of a refusal nothing is read.
    pub(super) fn stream(
        &self,
        url: &str,
        from: u64,
        mut take: impl FnMut(u16, &[u8]) -> Result<(), HubError>,
    ) -> Result<(u16, Option<String>), HubError> {
        self.runtime.block_on(async {
            let mut response = self.get(url, from).await?;
            let status = response.status().as_u16();
            if !response.status().is_success() {
                return Ok((status, None));
            }
            loop {
                match response.chunk().await {
                    Ok(Some(chunk)) => take(status, &chunk)?,
                    Ok(None) => return Ok((status, None)),
                    Err(error) => return Ok((status, Some(reason(error)))),
                }
            }
        })
    }

    async fn get(&self, url: &str, from: u64) -> Result<Response, HubError> {
        let mut headers = HeaderMap::new();
        // Hashes are those of the bytes themselves.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(token) = &self.token {
            headers.insert(AUTHORIZATION, token.clone());
        }
        if from > 0
            && let Ok(range) = HeaderValue::from_str(&format!("bytes={from}-"))
        {
            headers.insert(RANGE, range);
        }
        let sent = self.http.get(url).headers(headers).send().await;
        sent.map_err(|error| {
            let (url, refused) = (url.to_owned(), error.is_redirect());
            let problem = reason(error);
            if refused { HubError::Answer { url, problem } } else { HubError::Network { url, problem } }
        })
    }
}

/// Whether a status means that nobody is there who could answer, rather than an answer.
pub(super) fn is_failure(status: u16) -> bool {
    StatusCode::from_u16(status).is_ok_and(|status| status.is_server_error()) || status == 429
}

fn builder(endpoint: &Url) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder()
        .tls_backend_rustls()
        .redirect(Policy::custom(follow))
        .referer(false)
        .http1_only()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .user_agent(concat!("llmtrace/", env!("CARGO_PKG_VERSION")));
    // A hub on this computer needs no proxy, and one without TLS none of the system's certificates.
    let builder = if is_loopback(endpoint) { builder.no_proxy() } else { builder };
    if endpoint.scheme() == "http" { builder.tls_certs_only([]) } else { builder }
}

/// The hub sends requests for large files on to where they are stored: never to where they could be read on the way.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    if attempt.previous().len() > REDIRECTS {
        return attempt.error("is sent on and on");
    }
    let unsafe_now = !is_safe(attempt.url()) && attempt.previous().iter().all(is_safe);
    if unsafe_now { attempt.error("is sent on to an address without encryption") } else { attempt.follow() }
}

/// Whether what is sent there stays on this computer, or is encrypted.
fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" || is_loopback(url)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// What went wrong, with its causes.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
