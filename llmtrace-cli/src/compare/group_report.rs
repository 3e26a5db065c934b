//! Two sets of spans in figures for people.

use llmtrace_exporters::{figures, text};

use super::groups::{GroupComparison, GroupSide, Measure, Verdict};
use crate::grid::{FAINT, Grid, YELLOW};

/// Models that are shown.
const MAX_MODELS: usize = 12;

/// Chars of a name that are shown.
const MAX_CHARS: usize = 100;

const NOTHING: &str = "–";

const NOTES: &str = "\
the ranges hold all together with 95 % confidence;
calls of one trace are taken to be alike
";

/// The figures of both, their change and its range; and which models were called.
pub(super) fn text(comparison: &GroupComparison, columns: usize, is_colored: bool) -> String {
    let mut out = String::new();
    for (letter, side) in [("A", &comparison.a), ("B", &comparison.b)] {
        out.push_str(&text::cut(&format!("{letter}  {}", head(side)), columns));
        out.push('\n');
    }
    out.push('\n');
    let (wide, narrow) = (measures(comparison, true), measures(comparison, false));
    if wide.fits(columns) { wide } else { narrow }.write(columns, is_colored, &mut out);
    if comparison.models.len() > 1 {
        out.push('\n');
        models(comparison).write(columns, is_colored, &mut out);
    }
    out.push('\n');
    out.push_str(NOTES);
    let unpriced = (comparison.a.unpriced, comparison.b.unpriced);
    if unpriced != (0, 0) {
        let (a, b) = (figures::count(unpriced.0), figures::count(unpriced.1));
        out.extend(["≥ calls without a cost: ", &a, " in A, ", &b, " in B\n"]);
    }
    out
}

fn head(side: &GroupSide) -> String {
    let counted = |count: u64, one: &str| {
        format!("{} {one}{}", figures::count(count), if count == 1 { "" } else { "s" })
    };
    let (traces, calls) = (counted(side.traces, "trace"), counted(side.calls, "call"));
    format!("{} · {traces} · {calls} · {}", shown(&side.label), counted(side.errors, "error"))
}

fn measures(comparison: &GroupComparison, with_range: bool) -> Grid {
    let mut grid = Grid::default();
    let titles = ["", "A", "B", "change", "range", ""];
    let kept = |cells: [String; 6]| {
        let cells = cells.into_iter().enumerate().filter(|(number, _)| with_range || *number != 4);
        cells.map(|(_, cell)| cell).collect::<Vec<_>>()
    };
    grid.row(kept(titles.map(str::to_owned)), FAINT);
    for measure in &comparison.measures {
        let style = if matches!(measure.verdict, Verdict::Higher | Verdict::Lower) { YELLOW } else { "" };
        let is_bound = |side: &GroupSide| measure.name == "cost" && side.unpriced > 0;
        let cell = |value: Option<f64>, side| match value {
            Some(value) => format!("{}{}", if is_bound(side) { "≥" } else { "" }, measure.unit.shown(value)),
            None => NOTHING.to_owned(),
        };
        grid.row(
            kept([
                measure.name.to_owned(),
                cell(measure.a, &comparison.a),
                cell(measure.b, &comparison.b),
                measure.change_shown().unwrap_or_else(|| NOTHING.to_owned()),
                measure.range_shown().unwrap_or_else(|| NOTHING.to_owned()),
                verdict(measure).to_owned(),
            ]),
            style,
        );
    }
    grid
}

fn verdict(measure: &Measure) -> &'static str {
    match measure.verdict {
        Verdict::Higher => "higher",
        Verdict::Lower => "lower",
        Verdict::Unclear => "may be chance",
        Verdict::Unjudged if matches!(measure.name, "calls" | "cost") => "",
        Verdict::Unjudged => "too few calls",
    }
}

fn models(comparison: &GroupComparison) -> Grid {
    let mut grid = Grid::default();
    grid.row(["model", "calls A", "calls B"].map(str::to_owned).to_vec(), FAINT);
    for share in comparison.models.iter().take(MAX_MODELS) {
        let name = share.model.as_deref().map_or_else(|| "(no model)".to_owned(), shown);
        grid.row(vec![name, figures::count(share.a_calls), figures::count(share.b_calls)], "");
    }
    if let more @ 1.. = comparison.models.len().saturating_sub(MAX_MODELS) {
        grid.row(vec![format!("… {more} more")], FAINT);
    }
    grid
}

fn shown(name: &str) -> String {
    text::escaped(&name.chars().take(MAX_CHARS).collect::<String>())
}
