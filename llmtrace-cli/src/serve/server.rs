//! Connections: how many there are, how long they may take, and how they end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time;

use super::guard::Peer;
use super::patient::Patient;

/// Connections at a time; further ones wait until one ends.
const MAX_CONNECTIONS: usize = 512;

/// How long the head of a request may take to come; also how long a connection may say nothing.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// Longest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// Most headers of a request.
const MAX_HEADERS: usize = 100;

/// How long requests under way may take once the program shall end.
const GRACE: Duration = Duration::from_secs(10);

/// How long to wait after a connection could not be taken: the system is short of something.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers connections until `ending` says so, and then those that are under way.
pub(super) async fn run(listener: TcpListener, router: Router, mut ending: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { break };
        let accepted = tokio::select! {
            biased;
            _ = ending.wait_for(|is_ending| *is_ending) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (router, ending) = (router.clone(), ending.clone());
                tokio::spawn(async move {
                    serve(stream, peer, router, ending).await;
                    drop(place);
                });
            }
            Err(error) if is_of_connection(&error) => {}
            Err(_) => time::sleep(ACCEPT_PAUSE).await,
        }
    }
    drop(listener);
    let all = u32::try_from(MAX_CONNECTIONS).unwrap_or(u32::MAX);
    // Those that are left after that are cut off.
    drop(time::timeout(GRACE, room.acquire_many(all)).await);
}

async fn serve(stream: TcpStream, peer: SocketAddr, router: Router, mut ending: watch::Receiver<bool>) {
    // Answers are written whole, so waiting for more to send only costs time.
    drop(stream.set_nodelay(true));
    let peer = Peer(peer.ip().to_canonical());
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let answer = router.call(request);
        async move { Ok::<_, Infallible>(answer.await.unwrap_or_default()) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(Patient::new(stream)), service);
    tokio::pin!(connection);
    tokio::select! {
        // Whatever ended it, there is nobody left to tell.
        _ = connection.as_mut() => return,
        _ = ending.wait_for(|is_ending| *is_ending) => connection.as_mut().graceful_shutdown(),
    }
    drop(connection.await);
}

/// Whether one connection broke before it was taken; the next may be well.
fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
