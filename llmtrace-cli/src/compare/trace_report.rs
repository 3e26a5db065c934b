//! Two traces side by side for people.

use llmtrace_exporters::{figures, text};

use super::delta::Delta;
use super::diff::{Change, MessageChange, MessageDiff, Piece};
use super::side::TraceSide;
use super::traces::{SpanPair, TraceComparison};
use crate::grid::{FAINT, GREEN, Grid, RED, YELLOW, styled};

/// Columns that a span is indented by for each that it lies in, and how many of them are drawn.
const INDENT: usize = 2;
const MAX_INDENT: u32 = 12;

/// Chars of a text that is the same on both sides that are shown before and after what differs.
const AROUND_CHARS: usize = 40;

/// Chars of a text that only one side has that are shown.
const MAX_CHARS: usize = 400;

/// What stands in a cell of which nothing is known.
const NOTHING: &str = "–";

/// The sums of both, their spans in one tree, and what was said otherwise.
pub(super) fn text(comparison: &TraceComparison, columns: usize, is_colored: bool) -> String {
    let mut out = String::new();
    for (letter, side) in [("A", &comparison.a), ("B", &comparison.b)] {
        head(letter, side, columns, is_colored, &mut out);
    }
    out.push('\n');
    totals(comparison).write(columns, is_colored, &mut out);
    out.push('\n');
    let shown = ["duration", "cost", "output", "input"];
    let grids =
        (1..=shown.len()).rev().filter_map(|count| shown.get(..count)).map(|kept| spans(comparison, kept));
    let mut grids = grids.collect::<Vec<_>>();
    let fitting = grids.iter().position(|grid| grid.fits(columns)).unwrap_or(grids.len().saturating_sub(1));
    if fitting < grids.len() {
        grids.swap_remove(fitting).write(columns, is_colored, &mut out);
    }
    if comparison.left_out > 0 {
        let more = format!("… {} more spans\n", figures::count(comparison.left_out));
        out.push_str(&styled(&more, FAINT, is_colored));
    }
    let said = Said { columns, is_colored };
    for row in &comparison.rows {
        if let Some(messages) = &row.messages {
            said.span(row, messages, &mut out);
        }
    }
    out
}

fn head(letter: &str, side: &TraceSide, columns: usize, is_colored: bool, out: &mut String) {
    let time = side.start.to_string();
    let time = time.get(..19).unwrap_or_default().replace('T', " ");
    let counted = |count: u64, one: &str| {
        format!("{} {one}{}", figures::count(count), if count == 1 { "" } else { "s" })
    };
    let mut parts = vec![shown(&side.name), time, counted(side.spans, "span"), counted(side.calls, "call")];
    if side.errors > 0 {
        parts.push(counted(side.errors, "error"));
    }
    parts.extend(side.models.iter().map(|model| shown(model)));
    let line = text::cut(&format!("{letter}  {}", parts.join(" · ")), columns);
    out.extend([&line, "\n"]);
    out.push_str(&styled(&format!("   trace {}", side.trace_id), FAINT, is_colored));
    out.push('\n');
}

fn totals(comparison: &TraceComparison) -> Grid {
    let mut grid = Grid::default();
    grid.row(["", "A", "B", "change"].map(str::to_owned).to_vec(), FAINT);
    let count = |name, a: u64, b: u64| Delta {
        name,
        unit: crate::unit::Unit::Count,
        a: Some(a as f64),
        b: Some(b as f64),
    };
    let (a, b) = (&comparison.a, &comparison.b);
    let counts = [
        count("spans", a.spans, b.spans),
        count("calls", a.calls, b.calls),
        count("errors", a.errors, b.errors),
    ];
    for delta in counts.iter().chain(&comparison.totals) {
        let bounds = |side: &TraceSide| match delta.name {
            "cost" => side.figures.cost_is_lower_bound,
            "input" | "output" | "cached" | "written" | "reasoning" => side.figures.tokens_are_lower_bound,
            _ => false,
        };
        let cell = |value: Option<f64>, side: &TraceSide| match value {
            Some(value) => format!("{}{}", if bounds(side) { "≥" } else { "" }, delta.unit.shown(value)),
            None => NOTHING.to_owned(),
        };
        let change = delta.shown().unwrap_or_else(|| NOTHING.to_owned());
        grid.row(vec![delta.name.to_owned(), cell(delta.a, a), cell(delta.b, b), change], "");
    }
    grid
}

fn spans(comparison: &TraceComparison, shown_figures: &[&str]) -> Grid {
    let mut grid = Grid::default();
    let titles = shown_figures.iter().map(|name| format!("{name} A → B"));
    grid.row(["  span".to_owned()].into_iter().chain(titles).collect(), FAINT);
    for row in &comparison.rows {
        let (mark, style) = match (&row.a, &row.b) {
            (Some(_), None) => ("-", RED),
            (None, _) => ("+", GREEN),
            _ if row.is_alike() => ("=", ""),
            _ => ("≠", YELLOW),
        };
        let indent = " ".repeat(INDENT * usize::try_from(row.depth.min(MAX_INDENT)).unwrap_or_default());
        let mut cells = vec![format!("{mark} {indent}{}", title(row))];
        cells.extend(shown_figures.iter().map(|name| cell(row, name)));
        grid.row(cells, style);
    }
    grid
}

fn cell(row: &SpanPair, name: &str) -> String {
    let Some(delta) = row.deltas.iter().find(|delta| delta.name == name) else { return String::new() };
    let shown = |value: f64| delta.unit.shown(value);
    match (delta.a.map(shown), delta.b.map(shown)) {
        (Some(a), Some(b)) if a == b => a,
        (Some(a), Some(b)) => format!("{a} → {b}"),
        (Some(a), None) => format!("{a} → {NOTHING}"),
        (None, Some(b)) => format!("{NOTHING} → {b}"),
        (None, None) => String::new(),
    }
}

/// Kind and name; and what else differs.
fn title(row: &SpanPair) -> String {
    let Some(side) = row.b.as_ref().or(row.a.as_ref()) else { return String::new() };
    let mut title = format!("{} {}", side.kind, shown(&side.name));
    if let Some((a, b)) = row.a.as_ref().zip(row.b.as_ref()) {
        if a.name != b.name {
            title = format!("{} {} → {}", side.kind, shown(&a.name), shown(&b.name));
        }
        if a.status != b.status {
            title.extend([" (", a.status, " → ", b.status, ")"]);
        }
        if a.model != b.model {
            let model = |model: Option<&str>| shown(model.unwrap_or(NOTHING));
            title.extend([" (", &model(a.model.as_deref()), " → ", &model(b.model.as_deref()), ")"]);
        }
    }
    title
}

/// What was said otherwise.
struct Said {
    columns: usize,
    is_colored: bool,
}

impl Said {
    fn span(&self, row: &SpanPair, messages: &MessageDiff, out: &mut String) {
        out.extend(["\n", &text::cut(&title(row), self.columns), "\n"]);
        for (side, changes) in [("input", &messages.input), ("output", &messages.output)] {
            for (number, change) in changes.iter().enumerate() {
                if change.change != Change::Same {
                    self.message(&format!("{side} {} {}", number + 1, shown(&change.role)), change, out);
                }
            }
        }
        if messages.left_out > 0 {
            let more =
                format!("    … {} more messages were not compared\n", figures::count(messages.left_out));
            out.push_str(&styled(&more, FAINT, self.is_colored));
        }
    }

    fn message(&self, head: &str, change: &MessageChange, out: &mut String) {
        let only = match change.change {
            Change::Removed => ", only in A",
            Change::Added => ", only in B",
            Change::Same | Change::Changed => "",
        };
        out.push_str(&styled(&format!("  {head}{only}\n"), FAINT, self.is_colored));
        let last = change.pieces.len().saturating_sub(1);
        let mut line = Wrapped {
            room: self.columns.saturating_sub(4).max(20),
            is_colored: self.is_colored,
            used: 0,
            out,
        };
        for (number, piece) in change.pieces.iter().enumerate() {
            let (open, said, close, style) = drawn(piece, number == 0, number == last);
            line.write(&format!("{open}{said}{close}"), style);
        }
        line.end();
        if change.cut_bytes > 0 {
            let cut = format!(
                "    … {} bytes were not compared or are not shown\n",
                figures::count(change.cut_bytes)
            );
            out.push_str(&styled(&cut, FAINT, self.is_colored));
        }
    }
}

/// A piece of a text with its marks, cut to what matters.
fn drawn(piece: &Piece, is_first: bool, is_last: bool) -> (&'static str, String, &'static str, &'static str) {
    let chars: Vec<char> = piece.text.chars().collect();
    let part =
        |from: usize, to: usize| shown(&chars.get(from..to).unwrap_or_default().iter().collect::<String>());
    let (end, around) = (chars.len(), AROUND_CHARS);
    match piece.change {
        Change::Removed => ("[-", shown(&limited(&piece.text)), "-]", RED),
        Change::Added => ("{+", shown(&limited(&piece.text)), "+}", GREEN),
        _ if end <= 2 * around => ("", part(0, end), "", ""),
        _ if is_first => ("", format!("… {}", part(end - around, end)), "", ""),
        _ if is_last => ("", format!("{} …", part(0, around)), "", ""),
        _ => ("", format!("{} … {}", part(0, around), part(end - around, end)), "", ""),
    }
}

fn limited(said: &str) -> String {
    let mut kept: String = said.chars().take(MAX_CHARS).collect();
    if kept.len() < said.len() {
        kept.push('…');
    }
    kept
}

fn shown(said: &str) -> String {
    text::escaped(&limited(said).replace(['\n', '\t'], " "))
}

/// Text on as many lines as it needs.
struct Wrapped<'o> {
    room: usize,
    is_colored: bool,
    used: usize,
    out: &'o mut String,
}

impl Wrapped<'_> {
    fn write(&mut self, said: &str, style: &str) {
        for word in said.split_inclusive(' ') {
            let width = text::width(word.trim_end());
            if self.used == 0 || (self.used + width > self.room && self.used > 0) {
                self.out.push_str(if self.used == 0 { "    " } else { "\n    " });
                self.used = 0;
            }
            self.out.push_str(&styled(&text::cut(word, self.room), style, self.is_colored));
            self.used += text::width(word);
        }
    }

    fn end(&mut self) {
        let kept = self.out.trim_end_matches(' ').len();
        self.out.truncate(kept);
        self.out.push('\n');
    }
}
