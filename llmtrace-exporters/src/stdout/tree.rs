//! A trace drawn as a tree.

use std::time::Duration;

use llmtrace::{Timestamp, UsageStatus};

use super::figures;
use super::node::{Node, Outcome};
use super::order::{Row, rows};
use super::paint::{Line, Style};
use super::pending::{Group, State};
use super::text;
use super::totals::Totals;

/// How trees are drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) columns: usize,
    pub(super) colored: bool,
}

/// Columns of the time bar.
const BAR: usize = 12;

/// Columns that a label has at least before the bar gives way, and before it gives way to remarks.
const LABEL_MIN: usize = 24;
const LABEL_COMFORT: usize = 40;

/// Columns that a tree needs to be readable, and columns that no terminal has.
const COLUMNS_RANGE: std::ops::RangeInclusive<usize> = 60..=500;

impl Look {
    pub(super) fn new(columns: usize, colored: bool) -> Self {
        Self { columns: columns.clamp(*COLUMNS_RANGE.start(), *COLUMNS_RANGE.end()), colored }
    }
}

/// Draws a group of spans, and a line about all of them.
pub(super) fn draw(group: &Group, look: Look, out: &mut String) {
    let title = match group.state {
        State::Whole => None,
        State::Late => Some("⋯ late: ended after the parent was printed"),
        State::Open | State::Crowded => Some("⋯ root still open"),
        State::Rootless => Some("⋯ root not found"),
    };
    let (rows, all) = rows(&group.nodes, title.is_some());
    let axis = Axis::of(&group.nodes);
    let cells: Vec<Cells> = rows.iter().map(|row| Cells::of(row, axis)).collect();
    let widths = Widths::of(&cells, look.columns);
    let mut lines = Vec::new();
    if let Some(title) = title {
        let mut line = Line::default();
        line.push(Style::Faint, title);
        lines.push(line);
    }
    for cells in cells {
        cells.lay_out(&widths, look.columns, &mut lines);
    }
    summary(group, axis, &all, look.columns, &mut lines);
    for line in lines {
        line.cut(look.columns).write(look.colored, out);
    }
    out.push('\n');
}

/// The time from the first start to the last end.
#[derive(Clone, Copy)]
struct Axis {
    start: Timestamp,
    length: Duration,
}

impl Axis {
    fn of(nodes: &[Node]) -> Self {
        let start = nodes.iter().map(|node| node.start).min().unwrap_or_default();
        let end = nodes.iter().map(|node| node.end).max().unwrap_or_default();
        Self { start, length: end.since(start) }
    }

    /// A bar in half columns: where on the axis the span lies.
    fn bar(self, node: &Node) -> String {
        let halves = BAR as u128 * 2;
        let scale = |at: Timestamp| at.since(self.start).as_nanos() * halves;
        let length = self.length.as_nanos().max(1);
        let from = (scale(node.start) / length).min(halves - 1);
        let to = scale(node.end).div_ceil(length).clamp(from + 1, halves);
        let covers = |half: u128| (from..to).contains(&half);
        let cell = |cell: u128| match (covers(cell * 2), covers(cell * 2 + 1)) {
            (true, true) => '━',
            (true, false) => '╸',
            (false, true) => '╺',
            (false, false) => '·',
        };
        (0..halves / 2).map(cell).collect()
    }
}

/// What is written in the columns of one row.
struct Cells {
    style: Style,
    label: Line,
    bar: String,
    duration: String,
    tokens: Option<(String, String)>,
    cost: Option<String>,
    remarks: String,
    error: Option<String>,
    /// What stands left of the second line of a span.
    below: String,
}

impl Cells {
    fn of(row: &Row<'_>, axis: Axis) -> Self {
        let node = row.node;
        let style = Style::Kind(node.kind);
        let failed = matches!(node.outcome, Outcome::Failed(_));
        let mut label = Line::default();
        label.push(Style::Faint, &row.branch);
        if failed {
            label.push(Style::Alarm, "✗ ");
        }
        label.push(style, node.kind.as_str());
        if !node.name.is_empty() {
            label.push(if failed { Style::Alarm } else { Style::Strong }, format!(" {}", node.name));
        }
        if let Some(model) = &node.model {
            label.push(Style::Faint, format!(" {model}"));
        }
        let sum = |is_sum: bool| if is_sum { "Σ " } else { "" };
        let tokens = row.totals.tokens().filter(|_| row.sums_tokens || node.has_tokens());
        Self {
            style,
            label,
            bar: axis.bar(node),
            duration: figures::duration(node.end.since(node.start)),
            tokens: tokens.map(|(input, output)| (format!("{}{input}", sum(row.sums_tokens)), output)),
            cost: row.totals.cost().map(|cost| format!("{}{cost}", sum(row.sums_cost))),
            remarks: remarks(row).join(" · "),
            error: match &node.outcome {
                Outcome::Failed(message) if message.is_empty() => Some("failed".to_owned()),
                Outcome::Failed(message) => Some(message.clone()),
                Outcome::Fine | Outcome::Cancelled => None,
            },
            below: row.below.clone(),
        }
    }

    /// Writes the row, and what does not fit on lines below it.
    fn lay_out(self, widths: &Widths, columns: usize, lines: &mut Vec<Line>) {
        let mut line = self.label.cut(widths.label);
        line.pad_to(widths.label + 2);
        if widths.bar > 0 {
            line.push(self.style, self.bar);
            line.push(Style::Plain, " ");
        }
        line.push(Style::Plain, format!("{:>width$}", self.duration, width = widths.duration));
        if self.tokens.is_some() || self.cost.is_some() {
            if widths.input > 0 {
                let (input, output) = self.tokens.unwrap_or_default();
                let arrow = if input.is_empty() { " " } else { "→" };
                let fill = " ".repeat(widths.input - text::width(&input));
                line.push(
                    Style::Plain,
                    format!("  {fill}{input} {arrow} {output:<width$}", width = widths.output),
                );
            }
            if widths.cost > 0 {
                let cost = self.cost.unwrap_or_default();
                line.push(Style::Plain, format!("  {cost:>width$}", width = widths.cost));
            }
        }
        let mut below = Vec::new();
        for (style, mark, text) in [(Style::Faint, "", Some(self.remarks)), (Style::Alarm, "✗ ", self.error)]
        {
            let Some(text) = text.filter(|text| !text.is_empty()) else { continue };
            if below.is_empty() && line.width() + 2 + text::width(&text) <= columns {
                line.push(style, format!("  {text}"));
            } else {
                let mut own = Line::default();
                own.push(Style::Faint, &self.below);
                own.push(style, format!("{mark}{text}"));
                below.push(own);
            }
        }
        lines.push(line);
        lines.append(&mut below);
    }
}

/// What the columns do not hold.
fn remarks(row: &Row<'_>) -> Vec<String> {
    let node = row.node;
    let usage = &node.usage;
    let counted = |count: Option<u64>, what: &str| {
        count.filter(|n| *n > 0).map(|n| format!("{} {what}", figures::count(n)))
    };
    let all = [
        (node.outcome == Outcome::Cancelled).then(|| "cancelled".to_owned()),
        node.first_chunk.map(|nanos| format!("first {}", figures::duration(Duration::from_nanos(nanos)))),
        counted(usage.cache_read_tokens, "cached"),
        counted(usage.cache_write_tokens, "cache-written"),
        counted(usage.reasoning_tokens, "reasoning"),
        row.totals.unsplit().filter(|_| row.sums_tokens || node.has_tokens()),
        (usage.status == UsageStatus::Invalid).then(|| "counts contradict each other".to_owned()),
    ];
    all.into_iter().flatten().collect()
}

/// The widths of the columns, in columns of the terminal.
struct Widths {
    label: usize,
    bar: usize,
    duration: usize,
    input: usize,
    output: usize,
    cost: usize,
}

impl Widths {
    fn of(cells: &[Cells], columns: usize) -> Self {
        let widest = |width: &dyn Fn(&Cells) -> usize| cells.iter().map(width).max().unwrap_or_default();
        let optional = |text: Option<&String>| text.map_or(0, |text| text::width(text));
        let label = widest(&|cells| cells.label.width());
        let mut widths = Self {
            label,
            bar: BAR,
            duration: widest(&|cells| text::width(&cells.duration)),
            input: widest(&|cells| optional(cells.tokens.as_ref().map(|(input, _)| input))),
            output: widest(&|cells| optional(cells.tokens.as_ref().map(|(_, output)| output))),
            cost: widest(&|cells| optional(cells.cost.as_ref())),
        };
        if widths.fixed() + LABEL_MIN.min(label) > columns {
            widths.bar = 0;
        }
        let room = columns.saturating_sub(widths.fixed());
        let remarks = widest(&|cells| text::width(&cells.remarks));
        // Names give way to remarks as long as they stay readable.
        let beside = if remarks > 0 { room.saturating_sub(remarks + 2) } else { room };
        widths.label = label.min(if beside >= LABEL_COMFORT.min(label) { beside } else { room });
        widths
    }

    /// All columns but the label and the remarks, with the gaps.
    fn fixed(&self) -> usize {
        let bar = if self.bar > 0 { self.bar + 1 } else { 0 };
        let tokens = if self.input > 0 { 2 + self.input + 3 + self.output } else { 0 };
        let cost = if self.cost > 0 { 2 + self.cost } else { 0 };
        2 + bar + self.duration + tokens + cost
    }
}

/// Adds the line about the whole trace, or two where one is too short.
fn summary(group: &Group, axis: Axis, all: &Totals, columns: usize, lines: &mut Vec<Line>) {
    let errors = group.nodes.iter().filter(|node| matches!(node.outcome, Outcome::Failed(_))).count();
    let plural = |count: usize, what: &str| {
        format!("{} {what}{}", figures::count(count as u64), if count == 1 { "" } else { "s" })
    };
    let state = match group.state {
        State::Whole => None,
        State::Late => Some("late"),
        State::Open => Some("unfinished"),
        State::Crowded => Some("unfinished: too much was waiting"),
        State::Rootless => Some("without root"),
    };
    let mut id = Line::default();
    id.push(Style::Faint, format!("trace {}", group.trace_id));
    let figures = [
        (Style::Strong, state.map(str::to_owned)),
        (Style::Plain, Some(plural(group.nodes.len(), "span"))),
        (Style::Alarm, (errors > 0).then(|| plural(errors, "error"))),
        (Style::Plain, all.tokens().map(|(input, output)| format!("{input} → {output} tokens"))),
        (Style::Plain, all.unsplit()),
        (Style::Plain, all.cost()),
        (Style::Plain, Some(figures::duration(axis.length))),
    ];
    let mut line = Line::default();
    for (style, figure) in figures {
        let Some(figure) = figure else { continue };
        line.push(Style::Faint, if line.width() > 0 { " · " } else { "" });
        line.push(style, figure);
    }
    let fits = id.width() + 3 + line.width() <= columns;
    if !fits {
        lines.push(std::mem::take(&mut id));
    }
    id.push(Style::Faint, if fits { " · " } else { "  " });
    id.append(line);
    lines.push(id);
}
