//! A line of text with styles.

use llmtrace::ObservationKind;

use super::text;

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Style {
    /// As the terminal has it.
    Plain,
    /// What the eye should find first.
    Strong,
    /// What may be passed over.
    Faint,
    /// What went wrong.
    Alarm,
    /// The colour of a kind of span.
    Kind(ObservationKind),
}

/// A line that is put together piece by piece.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pieces: Vec<(Style, String)>,
}

impl Line {
    pub(super) fn push(&mut self, style: Style, text: impl Into<String>) {
        self.pieces.push((style, text.into()));
    }

    pub(super) fn append(&mut self, other: Self) {
        self.pieces.extend(other.pieces);
    }

    pub(super) fn width(&self) -> usize {
        self.pieces.iter().map(|(_, text)| text::width(text)).sum()
    }

    /// Adds spaces up to a column.
    pub(super) fn pad_to(&mut self, column: usize) {
        self.push(Style::Plain, " ".repeat(column.saturating_sub(self.width())));
    }

    /// The line cut to `columns`.
    pub(super) fn cut(self, columns: usize) -> Self {
        if self.width() <= columns {
            return self;
        }
        let mut pieces = Vec::new();
        let mut left = columns;
        for (style, text) in self.pieces {
            let width = text::width(&text);
            // One column is kept for the ellipsis as long as there is more to come.
            if width < left {
                left -= width;
                pieces.push((style, text));
            } else {
                pieces.push((style, text::cut(&format!("{text}…"), left)));
                break;
            }
        }
        Self { pieces }
    }

    /// Writes the line, without blanks at its end.
    pub(super) fn write(&self, colored: bool, out: &mut String) {
        let mut blanks = String::new();
        for (style, text) in &self.pieces {
            let shown = text.trim_end_matches(' ');
            if !shown.is_empty() {
                out.push_str(&std::mem::take(&mut blanks));
                match style.code().filter(|_| colored) {
                    Some(code) => out.extend(["\x1b[", code, "m", shown, "\x1b[0m"]),
                    None => out.push_str(shown),
                }
            }
            blanks.extend(std::iter::repeat_n(' ', text.len() - shown.len()));
        }
        out.push('\n');
    }
}

impl Style {
    /// The parameters of ECMA-48's "select graphic rendition".
    fn code(self) -> Option<&'static str> {
        Some(match self {
            Self::Plain => return None,
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Alarm => "31",
            Self::Kind(kind) => match kind {
                ObservationKind::Generation => "36",
                ObservationKind::Embedding | ObservationKind::Reranker => "34",
                ObservationKind::Agent | ObservationKind::Workflow => "35",
                ObservationKind::Tool => "33",
                ObservationKind::Retriever => "32",
                _ => return None,
            },
        })
    }
}
