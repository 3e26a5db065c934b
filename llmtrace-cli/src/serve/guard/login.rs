//! How a browser gets the cookie.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};

use super::token::{Shown, Token};
use super::{Peer, too_many};
use crate::pages::query::Query;
use crate::serve::app::App;
use crate::serve::form::Form;
use crate::serve::html::{self, Login};
use crate::serve::problem::Problem;

/// Sends a browser to the page that asks for the token, and back to `wanted` afterwards.
pub(super) fn redirect(wanted: &Uri) -> Response {
    let wanted = wanted.path_and_query().map_or("/", |wanted| wanted.as_str());
    Redirect::to(&Query::default().with("next", wanted).href("/login")).into_response()
}

/// The page that asks for the token.
pub(crate) async fn page(State(app): State<Arc<App>>, uri: Uri) -> Response {
    if app.guard.token.is_none() {
        return Redirect::to("/").into_response();
    }
    let query = Query::parse(uri.query().unwrap_or_default());
    html::login(local(query.get("next").unwrap_or("/")), Login::Asked).into_response()
}

/// Takes the token from the page's form.
pub(crate) async fn submit(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    form: Form,
) -> Result<Response, Problem> {
    let Some(token) = &app.guard.token else { return Ok(Redirect::to("/").into_response()) };
    let (given, next) = (form.text("token").unwrap_or_default(), form.text("next").unwrap_or("/"));
    match token.try_token(given.trim(), peer) {
        Shown::Right => Ok(welcome(token, local(next))),
        Shown::Wrong => {
            Ok((StatusCode::UNAUTHORIZED, html::login(local(next), Login::Wrong)).into_response())
        }
        Shown::TooMany => Err(too_many()),
    }
}

/// Takes the cookie away.
pub(crate) async fn leave(State(app): State<Arc<App>>, _: Form) -> Response {
    match &app.guard.token {
        Some(token) => ([(header::SET_COOKIE, token.clear_cookie())], Redirect::to("/login")).into_response(),
        None => Redirect::to("/").into_response(),
    }
}

fn welcome(token: &Token, next: &str) -> Response {
    ([(header::SET_COOKIE, token.set_cookie())], Redirect::to(next)).into_response()
}

/// A path of this server: what would lead a browser elsewhere becomes the first page.
fn local(next: &str) -> &str {
    let is_local = next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_local { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn the_way_back_stays_here() {
        for here in ["/", "/traces?q=a%20b", "/traces/0af7?span=1"] {
            assert_eq!(local(here), here);
        }
        for away in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "evil", "/a\nb", "/\t/evil"]
        {
            assert_eq!(local(away), "/", "{away:?}");
        }
    }
}
