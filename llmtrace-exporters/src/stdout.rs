//! The exporter that prints.

pub mod figures;
mod node;
mod order;
mod paint;
mod pending;
pub mod text;
mod totals;
pub(crate) mod trace_tree;
mod tree;

use std::fmt;
use std::io::{self, IsTerminal as _, Write};

use llmtrace::{ExportError, Exporter, SpanRecord};

use crate::env;
use crate::jsonl::line::write_line;
use pending::{Group, Pending};
use tree::Look;

/// Prints spans to standard output, or to any other writer.
///
/// [`Stdout::tree`] draws one tree a trace, when the root of the trace ends:
///
/// ```text
/// agent support-bot               ━━━━━━━━━━━━  2.00 s  Σ 13,312 → 592  Σ $0.0694
/// ├─ retriever search docs        ━···········  115 ms
/// ├─ ✗ generation chat gpt-4o     ╺━··········  210 ms  429 Too Many Requests
/// ├─ generation chat gpt-4o       ··━━━━━━╸···  1.00 s    12,412 → 512    $0.0123
/// │     first 310 ms · 10,240 cached
/// └─ generation answer gpt-4o     ·········━━━  500 ms       900 → 80     $0.0571  64 reasoning
/// trace 0af7651916cd43dd8448eb211c80319c · 5 spans · 1 error · 13,312 → 592 tokens · $0.0694 · 2.00 s
/// ```
///
/// `Σ` marks a sum over the calls below, `≥` a figure that is not known in full, `~` an estimate. Spans that end
/// after their parent was printed are drawn as a late tree. Spans whose root has not ended are printed on
/// `Guard::flush` and `Guard::shutdown`, or earlier when more than 1,000 traces or 16 MiB of spans wait.
///
/// [`Stdout::json`] prints one line of version 1 a span, the lines that [`JsonLines`](crate::JsonLines) writes.
///
/// Neither prints a control character that comes from a span.
///
/// ```
/// use llmtrace_exporters::{ColorChoice, Stdout};
///
/// let to_a_terminal = Stdout::tree();
/// let to_a_buffer = Stdout::tree().writer(Vec::new()).color(ColorChoice::Never).columns(80);
/// ```
pub struct Stdout {
    form: Form,
    writer: Box<dyn Write + Send>,
    is_terminal: bool,
    color: ColorChoice,
    columns: Option<usize>,
}

/// Whether [`Stdout`] prints in colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ColorChoice {
    /// To a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

impl ColorChoice {
    /// Whether to print in colour to something that is a terminal, or is none.
    ///
    /// ```
    /// use llmtrace_exporters::ColorChoice;
    ///
    /// assert!(!ColorChoice::Auto.applies_to(false));
    /// assert!(ColorChoice::Always.applies_to(false));
    /// ```
    pub fn applies_to(self, is_terminal: bool) -> bool {
        match self {
            Self::Auto => is_terminal && !env::no_color(),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

enum Form {
    Tree(Box<Pending>),
    Json,
}

/// Columns where neither the program nor `COLUMNS` says how many there are.
const COLUMNS: usize = 100;

impl Stdout {
    /// Prints a tree of each trace.
    pub fn tree() -> Self {
        Self::new(Form::Tree(Box::default()))
    }

    /// Prints each span as a line of JSON.
    pub fn json() -> Self {
        Self::new(Form::Json)
    }

    fn new(form: Form) -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        Self { form, writer: Box::new(stdout), is_terminal, color: ColorChoice::Auto, columns: None }
    }

    /// Prints there instead; it is taken for no terminal.
    pub fn writer(mut self, writer: impl Write + Send + 'static) -> Self {
        self.writer = Box::new(writer);
        self.is_terminal = false;
        self
    }

    /// Says whether trees are in colour; JSON never is.
    pub fn color(mut self, color: ColorChoice) -> Self {
        self.color = color;
        self
    }

    /// Sets how wide a tree may be, in columns, from 60 to 500. Where it is not set: as wide as the terminal,
    /// if `COLUMNS` says it, else 100.
    pub fn columns(mut self, columns: usize) -> Self {
        self.columns = Some(columns);
        self
    }

    fn look(&self) -> Look {
        let of_terminal = || env::columns().filter(|_| self.is_terminal);
        let columns = self.columns.or_else(of_terminal).unwrap_or(COLUMNS);
        Look::new(columns, self.color.applies_to(self.is_terminal))
    }

    fn print(&mut self, groups: &[Group]) -> Result<(), ExportError> {
        if groups.is_empty() {
            return Ok(());
        }
        let look = self.look();
        let mut text = String::new();
        for group in groups {
            tree::draw(group, look, &mut text);
        }
        self.write(text.as_bytes())
    }

    /// Writes all at once, so that the program's own output does not come in between.
    fn write(&mut self, bytes: &[u8]) -> Result<(), ExportError> {
        let written = self.writer.write_all(bytes).and_then(|()| self.writer.flush());
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => {
                ExportError::permanent("nobody reads the output any more").with_source(error)
            }
            _ => ExportError::from(error),
        })
    }
}

impl Exporter for Stdout {
    fn name(&self) -> &'static str {
        "stdout"
    }

    fn export(&mut self, batch: &[SpanRecord]) -> Result<(), ExportError> {
        match &mut self.form {
            Form::Tree(pending) => {
                let groups = pending.add(batch);
                self.print(&groups)
            }
            Form::Json => {
                let mut lines = Vec::new();
                for span in batch {
                    write_line(span, &mut lines);
                }
                self.write(&lines)
            }
        }
    }

    /// Prints the spans that wait for a root, and says that it is still open.
    fn flush(&mut self) -> Result<(), ExportError> {
        match &mut self.form {
            Form::Tree(pending) => {
                let groups = pending.drain();
                self.print(&groups)
            }
            Form::Json => Ok(()),
        }
    }
}

impl fmt::Debug for Stdout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = if matches!(self.form, Form::Json) { "json" } else { "tree" };
        f.debug_struct("Stdout").field("form", &form).field("color", &self.color).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
