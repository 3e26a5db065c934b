//! One request at a time, on the exporter's own thread, within bounds.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use llmtrace::ExportContext;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, Url};
use tokio::runtime::{self, Runtime};

use super::retry::retry_after;
use super::settings::Settings;

/// A connection to one server. Requests run on the calling thread, and end when they are told to.
pub(super) struct Client {
    /// There until it is dropped.
    runtime: Option<Runtime>,
    client: reqwest::Client,
}

/// A body and what is said of it.
pub(super) struct Message {
    pub(super) content_type: &'static str,
    pub(super) content_encoding: Option<&'static str>,
    pub(super) signature: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// What came of a request.
pub(super) enum Reply {
    /// The server answered.
    Answer { status: u16, retry_after: Option<Duration>, body: Vec<u8> },
    /// It did not.
    Silence(String),
    /// The shutdown left no time to wait for it.
    CutShort,
}

/// Most bytes of an answer that are read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Longest wait for a connection, within the time that a request may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

impl Client {
    /// A client for the settings' server.
    pub(super) fn new(settings: &Settings) -> Result<Self, String> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("no event loop: {error}"))?;
        let mut builder = reqwest::Client::builder();
        if settings.endpoint.is_local() {
            builder = builder.no_proxy();
        }
        let roots = settings.roots.iter().cloned();
        // A server without TLS needs no certificates of the system.
        builder = match settings.endpoint.url().scheme() {
            "http" => builder.tls_certs_only(roots),
            _ => builder.tls_certs_merge(roots),
        };
        let client = builder
            .tls_backend_rustls()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            .pool_max_idle_per_host(1)
            .connect_timeout(CONNECT_TIMEOUT.min(settings.timeout))
            .timeout(settings.timeout)
            .user_agent(concat!("llmtrace/", env!("CARGO_PKG_VERSION")))
            .build();
        let client = client.map_err(|error| format!("no HTTP client: {}", reason(error)))?;
        Ok(Self { runtime: Some(runtime), client })
    }

    /// Sends a message and waits for the answer, at most until the deadline of a shutdown.
    pub(super) fn post(
        &self,
        url: &Url,
        headers: &HeaderMap,
        message: Message,
        context: &ExportContext,
    ) -> Reply {
        let Some(runtime) = &self.runtime else { return Reply::CutShort };
        let cut_short = async {
            let deadline = context.shutdown_began().await;
            tokio::time::sleep_until(deadline.into()).await;
        };
        let reply = runtime.block_on(race(self.exchange(url, headers, message), cut_short));
        reply.unwrap_or(Reply::CutShort)
    }

    async fn exchange(&self, url: &Url, headers: &HeaderMap, message: Message) -> Reply {
        // A connection that the server closed meanwhile is noticed here, and not used.
        tokio::task::yield_now().await;
        let mut request = self.client.post(url.clone()).headers(headers.clone());
        request = request.header(CONTENT_TYPE, message.content_type);
        if let Some(encoding) = message.content_encoding {
            request = request.header(CONTENT_ENCODING, encoding);
        }
        for (name, value) in message.signature {
            request = request.header(name, value);
        }
        match request.body(message.body).send().await {
            Ok(mut response) => {
                let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                let retry_after = asked.and_then(|asked| retry_after(asked, SystemTime::now()));
                let body = read(&mut response).await;
                Reply::Answer { status: response.status().as_u16(), retry_after, body }
            }
            Err(error) => Reply::Silence(reason(error)),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A name that is still being looked up is not waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// As much of the body as is read. The status line has said what became of the request, so a body that breaks off
/// changes nothing.
async fn read(response: &mut Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = MAX_ANSWER_BYTES - body.len();
        body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if body.len() >= MAX_ANSWER_BYTES {
            break;
        }
    }
    body
}

/// The result of `work`, unless `end` comes first; then `work` is dropped where it stands.
async fn race<T>(work: impl Future<Output = T>, end: impl Future<Output = ()>) -> Option<T> {
    let (mut work, mut end) = (pin!(work), pin!(end));
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => end.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// What went wrong, with its causes and without the URL, which may hold a key.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
