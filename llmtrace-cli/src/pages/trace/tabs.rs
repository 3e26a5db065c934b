//! The tabs of a span's pane.

use llmtrace::{SpanRecord, semconv};
use maud::{Markup, html};

use super::{TraceView, path};

/// A tab of a span's pane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tab {
    /// What went in and came out.
    #[default]
    Messages,
    /// All attributes, of the span and of its process.
    Attributes,
    /// What happened during the span.
    Events,
    /// Judgements.
    Scores,
    /// The span as JSON.
    Raw,
}

impl Tab {
    /// All of them in order.
    pub(crate) const ALL: [Self; 5] =
        [Self::Messages, Self::Attributes, Self::Events, Self::Scores, Self::Raw];

    /// The name in addresses.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Attributes => "attributes",
            Self::Events => "events",
            Self::Scores => "scores",
            Self::Raw => "raw",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Messages => "Messages",
            Self::Attributes => "Attributes",
            Self::Events => "Events",
            Self::Scores => "Scores",
            Self::Raw => "Raw",
        }
    }

    /// The tab that an address asks for; where it asks for none, the one that says most of the span.
    pub(super) fn chosen(view: &TraceView<'_>, span: &SpanRecord) -> Self {
        let asked =
            view.query.get("tab").and_then(|name| Self::ALL.into_iter().find(|tab| tab.as_str() == name));
        asked.unwrap_or(if says_what_went_through(span) { Self::Messages } else { Self::Attributes })
    }

    /// How many things it holds, where that is worth saying.
    fn count(self, view: &TraceView<'_>, span: &SpanRecord) -> usize {
        match self {
            Self::Messages => span.input.len() + span.output.len(),
            Self::Attributes => span.attributes.len(),
            Self::Events => span.events.len(),
            Self::Scores => view.scores.iter().filter(|score| score.span_id == span.span_id).count(),
            Self::Raw => 0,
        }
    }
}

/// Whether something of what went in or came out is known.
fn says_what_went_through(span: &SpanRecord) -> bool {
    let keys = [
        semconv::TOOL_CALL_ARGUMENTS,
        semconv::TOOL_CALL_RESULT,
        semconv::ARGUMENTS,
        semconv::RETRIEVAL_QUERY_TEXT,
        semconv::RETRIEVAL_DOCUMENTS,
    ];
    !span.input.is_empty()
        || !span.output.is_empty()
        || span.kind.is_model_call()
        || keys.iter().any(|key| span.attributes.get(key).is_some())
}

/// The row of tabs.
pub(super) fn tabs(view: &TraceView<'_>, span: &SpanRecord, chosen: Tab) -> Markup {
    let state = view.query.with("span", &span.span_id.to_string());
    let href = |tab: Tab| state.with("tab", tab.as_str()).href(&path(view.trace.trace_id));
    html! {
        nav.tabs aria-label="Of this span" {
            @for (index, tab) in Tab::ALL.into_iter().enumerate() {
                @let count = tab.count(view, span);
                a href=(href(tab)) aria-current=[(tab == chosen).then_some("true")] data-tab=(index + 1)
                    data-part-link="pane" {
                    (tab.title()) @if count > 0 { " " span.num { (count) } }
                }
            }
        }
    }
}
