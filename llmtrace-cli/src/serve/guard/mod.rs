//! What every request passes on its way in, and every answer on its way out.

pub(crate) mod host;
pub(crate) mod login;
pub(crate) mod origin;
pub(crate) mod token;

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use self::host::Hosts;
use self::token::{Shown, Token};
use super::app::App;
use super::problem::Problem;

/// Who may ask for what.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) hosts: Hosts,
    /// `None` where every program of this computer may ask.
    pub(crate) token: Option<Token>,
}

/// The address that a connection comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Headers of every answer: nothing remote is loaded, nothing frames us, nothing is told to other sites.
const HEADERS: [(HeaderName, HeaderValue); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // Without a referrer browsers send forms with the origin `null`, as if they came from elsewhere.
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=()"),
    ),
    (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow")),
];

/// Lets a request in or not, and gives every answer its headers.
pub(crate) async fn pass(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let is_page = is_page(request.uri().path());
    let mut response = match app.guard.admit(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => *refusal,
    };
    if is_page && let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = super::html::problem(&problem);
    }
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, value);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Whether people look at what stands under a path.
fn is_page(path: &str) -> bool {
    !["/api", "/v1/", "/healthz"].iter().any(|prefix| path.starts_with(prefix))
}

impl Guard {
    /// The refusal is boxed, as it is rare and large.
    fn admit(&self, request: &Request) -> Result<(), Box<Response>> {
        let refused = |problem: Problem| Box::new(problem.into_response());
        let host = host_of(request).ok_or_else(|| {
            refused(Problem::new(StatusCode::BAD_REQUEST, "the request must have one Host header"))
        })?;
        if !self.hosts.allow(&host) {
            let shown: String = host.chars().take(64).collect();
            let detail =
                format!("{shown:?} is no name of this server; start it with --host NAME to allow one");
            return Err(refused(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail)));
        }
        if !origin::is_right(request.method(), request.headers(), &host) {
            let detail = "a page of another site may not write here";
            return Err(refused(Problem::new(StatusCode::FORBIDDEN, detail)));
        }
        match &self.token {
            Some(token) if !is_open(request.uri().path()) => demand(token, request),
            _ => Ok(()),
        }
    }
}

/// Lets a request in that shows the token.
fn demand(token: &Token, request: &Request) -> Result<(), Box<Response>> {
    let Some(Peer(peer)) = request.extensions().get().copied() else {
        return Err(Box::new(Problem::broken("the connection has no address").into_response()));
    };
    match token.look(request.headers(), peer) {
        Shown::Right => Ok(()),
        Shown::TooMany => Err(Box::new(too_many().into_response())),
        Shown::Wrong if wants_page(request) => Err(Box::new(login::redirect(request.uri()))),
        Shown::Wrong => {
            let detail = "a token is needed: send the header Authorization: Bearer TOKEN, with the token that \
                          the server was started with";
            let mut response = Problem::new(StatusCode::UNAUTHORIZED, detail).into_response();
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            Err(Box::new(response))
        }
    }
}

/// Too many wrong tokens came from one address.
fn too_many() -> Problem {
    let detail = "too many wrong tokens came from this address; wait a minute";
    Problem { retry_after: Some(60), ..Problem::new(StatusCode::TOO_MANY_REQUESTS, detail) }
}

/// What anybody may see who reaches the port: no data.
fn is_open(path: &str) -> bool {
    matches!(path, "/healthz" | "/login") || path.starts_with("/assets/")
}

fn wants_page(request: &Request) -> bool {
    let accepts = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    request.method().is_safe()
        && is_page(request.uri().path())
        && accepts.is_some_and(|accepts| accepts.contains("text/html"))
}

/// The host that the request is for; `None` where it names none, or more than one.
fn host_of(request: &Request) -> Option<String> {
    let stated = only(request.headers(), &header::HOST)?;
    match request.uri().authority().map(Authority::as_str) {
        Some(authority) if !authority.eq_ignore_ascii_case(stated) => None,
        _ => Some(stated.to_owned()),
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() { None } else { first.to_str().ok() }
}
