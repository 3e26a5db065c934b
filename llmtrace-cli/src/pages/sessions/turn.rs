//! One turn of a conversation: a trace, and what was said in it.

use llmtrace::{Message, Part, Role, SpanRecord};

use crate::store::row::TraceRow;

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Turn {
    pub(crate) trace: TraceRow,
    /// What was said to the program.
    pub(crate) input: Option<Said>,
    /// What it answered.
    pub(crate) output: Option<Said>,
}

/// A text that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// Whether it goes on in the trace.
    pub(crate) is_cut: bool,
}

/// Characters of a text that stand on the page.
const MAX_CHARS: usize = 4_000;

/// Characters that the store keeps of a text.
const STORED_CHARS: usize = 200;

impl Turn {
    /// The turn of a trace of which only the row is known: it has the starts of the texts.
    pub(crate) fn of_row(trace: TraceRow) -> Self {
        let said = |text: &Option<String>| {
            let text = text.as_ref().filter(|text| !text.trim().is_empty())?;
            Some(Said { text: text.clone(), is_cut: text.chars().count() >= STORED_CHARS })
        };
        Self { input: said(&trace.input), output: said(&trace.output), trace }
    }

    /// The turn of a trace whose root is known: what was said last, and the whole answer.
    pub(crate) fn of_root(trace: TraceRow, root: &SpanRecord) -> Self {
        let asked = root.input.iter().rev().find(|message| message.role == Role::User);
        let input = asked.and_then(|message| said(&spoken(message)));
        let output = said(
            &root.output.iter().map(spoken).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n"),
        );
        let known = Self::of_row(trace);
        Self { input: input.or(known.input), output: output.or(known.output), trace: known.trace }
    }
}

/// What people read of a message: its texts, and which tools it calls.
fn spoken(message: &Message) -> String {
    let parts = message.parts.iter().filter_map(|part| match part {
        Part::Text { content } => Some(content.clone()),
        Part::ToolCall { name, .. } => Some(format!("[calls {name}]")),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("\n")
}

fn said(text: &str) -> Option<Said> {
    let text = text.trim();
    let end = text.char_indices().nth(MAX_CHARS).map(|(end, _)| end);
    let kept = end.and_then(|end| text.get(..end)).unwrap_or(text);
    (!text.is_empty()).then(|| Said { text: kept.to_owned(), is_cut: end.is_some() })
}
