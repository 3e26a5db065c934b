//! Pages as answers.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::problem::Problem;
use crate::pages::layout::{Page, Section};

/// A page, or a part of one.
#[derive(Debug)]
pub(crate) struct Html(pub(crate) Markup);

/// Whether a token was shown to the login page before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Login {
    Asked,
    Wrong,
}

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], self.0.into_string()).into_response()
    }
}

/// A problem as a page.
pub(crate) fn problem(problem: &Problem) -> Response {
    let body = html! {
        section.empty {
            h1 { (problem.title()) }
            p { (problem.detail) }
            p { a href="/traces" { "All traces" } }
        }
    };
    let page = Page::new(problem.title(), Section::None).render(&body);
    let mut response = (problem.status, Html(page)).into_response();
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The page that asks for the token.
pub(crate) fn login(next: &str, login: Login) -> Html {
    let body = html! {
        section.empty {
            h1 { "This server asks for a token" }
            p { "It is the one that the server was started with, in " code { "LLMTRACE_TOKEN" } " or " code { "--token" } "." }
            @if login == Login::Wrong { p.notice.bad role="alert" { "This is not the token." } }
            form.login method="post" action="/login" {
                input type="hidden" name="next" value=(next);
                label for="token" { "Token" }
                input #token type="password" name="token" required autofocus autocomplete="current-password";
                button type="submit" { "Go on" }
            }
        }
    };
    Html(Page::new("Token", Section::None).render(&body))
}
