//! How a trace or a span stands.

use llmtrace::Status;
use maud::{Markup, html};

use super::icon::{Icon, icon};

/// How a trace or a span stands, as a reader sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It ended well.
    Ok,
    /// It failed.
    Error,
    /// It was dropped before its end.
    Cancelled,
    /// Its root has not come yet.
    Running,
    /// Its root has not come for so long that it will not come.
    Incomplete,
    /// It ended, and nobody said how.
    #[default]
    Unset,
}

impl Standing {
    /// The word for it, as the filter takes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Running => "running",
            Self::Incomplete => "incomplete",
            Self::Unset => "unset",
        }
    }

    fn icon(self) -> Icon {
        match self {
            Self::Ok | Self::Unset => Icon::Ok,
            Self::Error => Icon::Error,
            Self::Cancelled => Icon::Cancelled,
            Self::Running => Icon::Running,
            Self::Incomplete => Icon::Unknown,
        }
    }
}

impl From<&Status> for Standing {
    fn from(status: &Status) -> Self {
        match status {
            Status::Ok => Self::Ok,
            Status::Error { .. } => Self::Error,
            Status::Cancelled => Self::Cancelled,
            _ => Self::Unset,
        }
    }
}

/// The sign of a standing, with its word for those who do not see it.
pub(crate) fn sign(standing: Standing) -> Markup {
    let word = standing.as_str();
    html! {
        svg class={ "icon status s-" (word) } role="img" aria-label=(word) width="16" height="16" {
            title { (word) }
            use href=(standing.icon().href()) {}
        }
    }
}

/// The sign and the word.
pub(crate) fn badge(standing: Standing) -> Markup {
    html! { span class={ "badge s-" (standing.as_str()) } { (icon(standing.icon())) (standing.as_str()) } }
}
