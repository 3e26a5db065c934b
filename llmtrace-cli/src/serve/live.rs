//! Word of what changed, as it changes.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http_body::Frame;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::app::App;
use super::params::Params;
use super::problem::Problem;

/// Pages that are told at a time.
pub(crate) const MAX_LISTENERS: usize = 128;

/// Time between two words: four a second at most.
const PAUSE: Duration = Duration::from_millis(250);

/// How often a page hears something when nothing changes, so that both sides know that the other is there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What is sent as it is made; it ends with its maker.
struct Sent(mpsc::Receiver<Bytes>);

/// `GET /api/live`: the number of the last commit, and each further one, as server-sent events
/// (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
pub(crate) async fn events(State(app): State<Arc<App>>, params: Params) -> Result<Response, Problem> {
    params.only(&[])?;
    let place = Arc::clone(&app.listeners).try_acquire_owned();
    let place = place.map_err(|_| Problem::busy("too many pages listen at once", 10))?;
    let (sender, receiver) = mpsc::channel(1);
    let (commits, ending) = (app.store.live(), app.ending.clone());
    tokio::spawn(async move {
        tell(&sender, commits, ending).await;
        drop(place);
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::new(Sent(receiver))).into_response())
}

/// Tells until nobody listens, or until the server ends.
async fn tell(
    sender: &mpsc::Sender<Bytes>,
    mut commits: watch::Receiver<u64>,
    mut ending: watch::Receiver<bool>,
) {
    let mut word = format!("retry: 2000\nevent: commit\ndata: {}\n\n", *commits.borrow_and_update());
    while sender.send(Bytes::from(word)).await.is_ok() {
        let change = tokio::select! {
            biased;
            _ = ending.wait_for(|is_ending| *is_ending) => return,
            () = sender.closed() => return,
            change = timeout(KEEP_ALIVE, commits.changed()) => change,
        };
        word = match change {
            Err(_) => ":\n\n".to_owned(),
            Ok(Err(_)) => return,
            Ok(Ok(())) => {
                sleep(PAUSE).await;
                format!("event: commit\ndata: {}\n\n", *commits.borrow_and_update())
            }
        };
    }
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
