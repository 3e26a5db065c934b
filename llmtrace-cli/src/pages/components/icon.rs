//! Icons: symbols of the sprite that each page holds.

use llmtrace::ObservationKind;
use maud::{Markup, html};

/// An icon that stands for something other than a kind of span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    Mark,
    Search,
    Theme,
    Keyboard,
    Copy,
    Close,
    Chevron,
    Ok,
    Error,
    Cancelled,
    Running,
    Unknown,
    Link,
    Media,
    Download,
    Previous,
    Next,
}

impl Icon {
    /// Each of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 17] = [
        Self::Mark,
        Self::Search,
        Self::Theme,
        Self::Keyboard,
        Self::Copy,
        Self::Close,
        Self::Chevron,
        Self::Ok,
        Self::Error,
        Self::Cancelled,
        Self::Running,
        Self::Unknown,
        Self::Link,
        Self::Media,
        Self::Download,
        Self::Previous,
        Self::Next,
    ];

    /// The address of its symbol in the page.
    pub(crate) fn href(self) -> &'static str {
        match self {
            Self::Mark => "#i-mark",
            Self::Search => "#i-search",
            Self::Theme => "#i-theme",
            Self::Keyboard => "#i-keyboard",
            Self::Copy => "#i-copy",
            Self::Close => "#i-close",
            Self::Chevron => "#i-chevron",
            Self::Ok => "#i-ok",
            Self::Error => "#i-error",
            Self::Cancelled => "#i-cancelled",
            Self::Running => "#i-running",
            Self::Unknown => "#i-unknown",
            Self::Link => "#i-link",
            Self::Media => "#i-media",
            Self::Download => "#i-download",
            Self::Previous => "#i-previous",
            Self::Next => "#i-next",
        }
    }
}

/// An icon that says nothing that is not said beside it.
pub(crate) fn icon(icon: Icon) -> Markup {
    html! { svg.icon aria-hidden="true" width="16" height="16" { use href=(icon.href()) {} } }
}

/// The icon of a kind of span, with its name for those who do not see it.
pub(crate) fn kind(kind: ObservationKind) -> Markup {
    let name = kind.as_str();
    html! {
        svg class={ "icon kind k-" (name) } role="img" aria-label=(name) width="16" height="16" {
            title { (name) }
            use href={ "#k-" (name) } {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::assets::ICONS;

    #[test]
    fn each_icon_has_its_symbol() {
        let kinds = ["generation", "embedding", "agent", "tool", "workflow", "retriever", "reranker"];
        let kinds = kinds.iter().chain(&["evaluator", "guardrail", "span"]).map(|kind| format!("k-{kind}"));
        let others = Icon::ALL.iter().map(|icon| icon.href().trim_start_matches('#').to_owned());
        for id in kinds.chain(others) {
            assert_eq!(ICONS.matches(&format!("<symbol id=\"{id}\"")).count(), 1, "{id}");
        }
    }
}
