//! How what was said differs.

use llmtrace_exporters::figures;
use maud::{Markup, html};

use crate::compare::diff::{Change, MessageChange, MessageDiff};
use crate::pages::components::text;

/// Characters of a message that is the same on both sides.
const SAME_CHARS: usize = 120;

/// The messages of both sides in one order, with what was taken out and what was put in.
pub(super) fn messages(diff: &MessageDiff) -> Markup {
    html! {
        div.diff {
            (side("input", &diff.input))
            (side("output", &diff.output))
            @if diff.left_out > 0 { p.muted { (figures::count(diff.left_out)) " more messages are left out" } }
        }
    }
}

/// What changed, in a few words: `1 changed, 2 added`.
pub(super) fn summary(diff: &MessageDiff) -> String {
    let all = || diff.input.iter().chain(&diff.output);
    let counted = |change: Change, word: &str| {
        let count = all().filter(|message| message.change == change).count();
        (count > 0).then(|| format!("{count} {word}"))
    };
    let words = [
        counted(Change::Changed, "changed"),
        counted(Change::Added, "added"),
        counted(Change::Removed, "removed"),
    ];
    let words: Vec<_> = words.into_iter().flatten().collect();
    if words.is_empty() { "same messages".to_owned() } else { words.join(", ") }
}

fn side(title: &str, messages: &[MessageChange]) -> Markup {
    html! {
        @if !messages.is_empty() {
            section {
                h3 { (title) }
                @for message in messages { (shown(message)) }
            }
        }
    }
}

fn shown(message: &MessageChange) -> Markup {
    let (class, word) = match message.change {
        Change::Same => ("same", "same"),
        Change::Removed => ("removed", "only in A"),
        Change::Added => ("added", "only in B"),
        Change::Changed => ("changed", "changed"),
    };
    html! {
        div class={ "diff-message " (class) } {
            div.diff-head { b { (text::line(&message.role)) } " " span.muted { (word) } }
            div.diff-text dir="auto" {
                @if message.change == Change::Same {
                    @let whole: String = message.pieces.iter().map(|piece| piece.text.as_str()).collect();
                    span.muted { (text::cut(&text::line(&whole), SAME_CHARS)) }
                } @else {
                    @for piece in &message.pieces {
                        @match piece.change {
                            Change::Removed => del { (text::lines(&piece.text)) },
                            Change::Added => ins { (text::lines(&piece.text)) },
                            _ => (text::lines(&piece.text)),
                        }
                    }
                }
            }
            @if message.cut_bytes > 0 {
                p.muted { (figures::count(message.cut_bytes)) " bytes more were not compared" }
            }
        }
    }
}
