//! `POST /v1/traces`: spans over OTLP/HTTP.

mod body;
mod kind;
mod refusal;
pub(crate) mod room;

use std::sync::Arc;

use axum::body::HttpBody as _;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use llmtrace_exporters::{Protocol, RejectedSpan, read_otlp, text};

use self::kind::Packing;
use self::refusal::{Refusal, accepted};
use self::room::Place;
use super::app::App;
use super::problem::Problem;

/// Requests that are read and stored at a time; those that come meanwhile wait. They are stored together.
pub(crate) const MAX_WRITES: usize = 32;

/// Spans that were refused of which the answer says why.
const MAX_REASONS: usize = 5;

/// What was made of a request.
struct Taken {
    rejected: u64,
    /// Why spans were refused.
    message: String,
}

/// Takes spans, and answers when they are on disk (<https://opentelemetry.io/docs/specs/otlp/#otlphttp-response>).
pub(crate) async fn traces(State(app): State<Arc<App>>, request: Request) -> Response {
    let protocol = match kind::protocol(request.headers()) {
        Ok(protocol) => protocol,
        Err(expected) => return Refusal::unsupported(expected).answer(Protocol::Json),
    };
    match take(app, protocol, request).await {
        Ok(taken) => accepted(protocol, taken.rejected, &taken.message),
        Err(refusal) => refusal.answer(protocol),
    }
}

/// Says to exporters of logs and metrics how to stop.
pub(crate) async fn other(Path(signal): Path<String>) -> Problem {
    let signal: String = signal.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    let detail = format!(
        "this server takes traces only; OTEL_{}_EXPORTER=none stops a program from sending them",
        signal.to_ascii_uppercase()
    );
    Problem::new(StatusCode::NOT_FOUND, detail)
}

async fn take(app: Arc<App>, protocol: Protocol, request: Request) -> Result<Taken, Refusal> {
    let packing = kind::packing(request.headers()).map_err(Refusal::unsupported)?;
    let body = request.into_body();
    let announced = body.size_hint().exact().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    let mut place = app.room.place();
    let body = body::read(body, announced, &mut place).await?;
    let busy = || Refusal::busy("the spans could not be stored");
    let turn = Arc::clone(&app.writes).acquire_owned().await.map_err(|_| busy())?;
    let stored = tokio::task::spawn_blocking(move || {
        let stored = store(&app, protocol, packing, body, place);
        drop(turn);
        stored
    });
    stored.await.unwrap_or_else(|_| Err(busy()))
}

/// Reads the spans of a body and stores them; returns when they are on disk.
fn store(
    app: &App,
    protocol: Protocol,
    packing: Packing,
    body: Vec<u8>,
    mut place: Place,
) -> Result<Taken, Refusal> {
    let body = body::unpack(body, packing, body::MAX_BYTES, &mut place)?;
    let read = read_otlp(&body, protocol).map_err(|error| Refusal::malformed(error.to_string()))?;
    drop(body);
    let mut spans = read.spans;
    for span in &mut spans {
        span.reprice(&app.prices);
    }
    if !spans.is_empty() {
        app.store.write(spans).map_err(|error| Refusal::busy(error.to_string()))?;
    }
    Ok(Taken { rejected: read.rejected.len() as u64, message: reasons(&read.rejected) })
}

/// Why spans were refused: the first few, with their names.
fn reasons(rejected: &[RejectedSpan]) -> String {
    let shown = rejected.iter().take(MAX_REASONS).map(|span| {
        let name = text::escaped(&span.name);
        format!("span {} ({name}): {}", span.index, span.reason)
    });
    let mut said = shown.collect::<Vec<_>>().join("; ");
    if rejected.len() > MAX_REASONS {
        said = format!("{said}; and {} more", rejected.len() - MAX_REASONS);
    }
    said
}
