//! The list of sessions.

use llmtrace::Timestamp;
use llmtrace_exporters::figures;
use maud::{Markup, html};

use super::sums::cost_of;
use super::{PATH, path};
use crate::pages::components::empty::{empty, first_trace};
use crate::pages::components::figure::{self, Exactness};
use crate::pages::components::pager::pager;
use crate::pages::components::{chip, text, time};
use crate::pages::layout::{Page, Section};
use crate::pages::query::Query;
use crate::store::sessions::{SessionPage, SessionRow};

/// What the list shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionsView<'a> {
    /// The state in the address.
    pub(crate) query: &'a Query,
    pub(crate) page: &'a SessionPage,
    pub(crate) now: Timestamp,
    /// Where traces are sent to, such as `http://127.0.0.1:4318`.
    pub(crate) endpoint: &'a str,
    pub(crate) has_traces: bool,
}

/// Characters of an input or an output that are shown.
const MAX_PREVIEW_CHARS: usize = 120;

/// Characters of a session's name that are shown.
const MAX_NAME_CHARS: usize = 40;

/// The whole page.
pub(crate) fn page(view: &SessionsView<'_>) -> Markup {
    Page::new("Sessions", Section::Sessions).render(&body(view))
}

/// The part that is loaded again when there is something new.
pub(crate) fn part(view: &SessionsView<'_>, name: &str) -> Option<Markup> {
    (name == "sessions").then(|| list(view))
}

fn body(view: &SessionsView<'_>) -> Markup {
    if view.page.sessions.is_empty() && !view.query.is_empty() {
        return titled(&empty("No more sessions", &html! { p { a.button href=(PATH) { "First page" } } }));
    }
    if !view.has_traces {
        return titled(&first_trace(view.endpoint));
    }
    if view.page.sessions.is_empty() {
        return titled(&how_to());
    }
    titled(&list(view))
}

fn titled(body: &Markup) -> Markup {
    html! {
        h1 { "Sessions" }
        (body)
    }
}

fn list(view: &SessionsView<'_>) -> Markup {
    let sessions = &view.page.sessions;
    let next = view.page.after.map(|after| view.query.with("after", &after.to_string()).href(PATH));
    let first = view.query.get("after").map(|_| view.query.without(&["after"]).href(PATH));
    let shown = format!("{} session{}", sessions.len(), if sessions.len() == 1 { "" } else { "s" });
    html! {
        div.stack data-part="sessions" data-refresh[first.is_none()] {
            div.scroll {
                table.sessions {
                    thead { tr {
                        @for title in ["session", "last activity", "user"] { th scope="col" { (title) } }
                        th.figure scope="col" { "traces" }
                        @for title in ["first input", "last output"] { th scope="col" { (title) } }
                        @for title in ["tokens", "cost", "errors"] { th.figure scope="col" { (title) } }
                    } }
                    tbody { @for session in sessions { (row(session, view.now)) } }
                }
            }
            (pager(&shown, first.as_deref(), next.as_deref()))
        }
    }
}

fn row(session: &SessionRow, now: Timestamp) -> Markup {
    let name = text::line(&session.session);
    html! {
        tr data-row data-error[session.errors > 0] {
            td.session-name {
                a href=(path(&session.session)) title=(name) { bdi { (text::cut(&name, MAX_NAME_CHARS)) } }
            }
            td.nowrap.muted { (time::ago(session.last, now)) }
            td { @match &session.user {
                Some(user) => (chip::link(user, &Query::default().and("user", user).href("/traces"))),
                None => (figure::unknown()),
            } }
            td.figure { (figures::count(session.traces)) span.unit { (if session.traces == 1 { " trace" } else { " traces" }) } }
            td.preview { (preview(session.input.as_deref())) }
            td.preview { (preview(session.output.as_deref())) }
            td.figure { (figure::tokens(session.tokens.input, session.tokens.output, Exactness::Exact)) }
            td.figure { (cost_of(session)) }
            td.figure {
                @if session.errors > 0 {
                    span.error-text { (figures::count(session.errors)) span.unit { (if session.errors == 1 { " error" } else { " errors" }) } }
                } @else { span.muted.none { "0" } }
            }
        }
    }
}

fn preview(said: Option<&str>) -> Markup {
    let said = said.map(text::line).filter(|said| !said.is_empty());
    html! {
        @match said {
            Some(said) => span dir="auto" title=(said) { (text::cut(&said, MAX_PREVIEW_CHARS)) },
            None => (figure::unknown()),
        }
    }
}

/// What to do so that traces belong to a session.
fn how_to() -> Markup {
    let rust = "#[llm_trace(kind = \"agent\", session = session_id)]";
    let python = "span.set_attribute(\"gen_ai.conversation.id\", session_id)";
    empty(
        "No session yet",
        &html! {
            p { "Traces that name the same session stand here as one conversation. Say which one a trace belongs to:" }
            @for (title, line) in [("Rust", rust), ("Any OpenTelemetry program", python)] {
                h3 { (title) }
                div.snippet { pre { code { (line) } } (text::copy(line, "line")) }
            }
        },
    )
}
