//! A graph in words.

use std::fmt::Write as _;

use llmtrace_lens::circuit::GraphSummary;
use llmtrace_lens::circuit::intervene::{Agreement, Validation};
use llmtrace_lens::report::{Colour, visible};

use super::Found;
use crate::grid::{FAINT, Grid, styled};
use crate::lens::output::Canvas;
use crate::unit::Unit;

/// The most supernodes that are named; all are in the files and the JSON.
const SUPERNODES: usize = 8;

const STRONG: &str = "\x1b[1m";

/// What a person reads of a graph.
pub(super) fn text(found: &Found<'_>, top: usize, canvas: &Canvas) -> String {
    let page = Page { columns: canvas.width, is_colored: canvas.colour != Colour::None };
    let summary = found.summary;
    let mut out = String::new();
    head(summary, &mut out);
    kept(summary, &mut out);
    if top > 0 {
        page.paths(summary, &mut out);
    }
    page.features(summary, &mut out);
    page.supernodes(summary, &mut out);
    if let Some(validation) = &summary.validation {
        page.validation(validation, &mut out);
    }
    let files = found.files.iter().map(|file| file.display().to_string());
    let _ = writeln!(out, "\nwritten: {}", files.collect::<Vec<_>>().join(", "));
    out
}

/// How it is drawn.
struct Page {
    columns: usize,
    is_colored: bool,
}

fn head(summary: &GraphSummary, out: &mut String) {
    let targets = summary.targets.iter().map(|target| {
        let name = visible(target.name.trim());
        match target.probability {
            Some(probability) => format!("{name} {}", Unit::Share.shown(probability)),
            None => name,
        }
    });
    // Writing to a text cannot fail.
    let _ = writeln!(out, "prompt   {}", visible(summary.prompt.trim()));
    let _ = writeln!(out, "explains {}", targets.collect::<Vec<_>>().join(", "));
}

fn kept(summary: &GraphSummary, out: &mut String) {
    let GraphSummary { nodes, edges, kinds, .. } = summary;
    let count = |value: usize| Unit::Count.shown(value as f64);
    let _ = writeln!(
        out,
        "kept     {} of {} nodes: {}, {}, {}, {}; {} of {} edges",
        count(nodes.kept),
        count(nodes.all),
        several(kinds.features, "feature"),
        several(kinds.errors, "error"),
        several(kinds.tokens, "token"),
        several(kinds.targets, "target"),
        count(edges.kept),
        count(edges.all),
    );
    let _ = writeln!(
        out,
        "scores   {:.3} replacement: how much of the answer comes from the prompt through features alone",
        summary.replacement
    );
    let _ = writeln!(
        out,
        "         {:.3} completeness: how much of what nodes read is features and tokens, not errors",
        summary.completeness
    );
}

fn several(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", Unit::Count.shown(count as f64))
}

impl Page {
    /// A section with its columns.
    fn section(&self, heads: &[&str], rows: Vec<Vec<String>>, out: &mut String) {
        let mut grid = Grid::default();
        let (name, others) = heads.split_first().unwrap_or((&"", &[]));
        let titles = std::iter::once((*name).to_owned()).chain(others.iter().map(|head| (*head).to_owned()));
        grid.row(titles.collect(), STRONG);
        for row in rows {
            grid.row(row, "");
        }
        out.push('\n');
        grid.write(self.columns, self.is_colored, out);
    }

    fn paths(&self, summary: &GraphSummary, out: &mut String) {
        if summary.paths.is_empty() {
            let _ = writeln!(out, "\nNo path from a token or an error to a target is kept.");
            return;
        }
        let rows = summary.paths.iter().map(|path| {
            let speaks = path.speaks().to_string();
            vec![format!("  {}", visible(&path.told())), Unit::Share.shown(path.share), speaks]
        });
        self.section(
            &["How it came about: the strongest ways", "share of all", "for or against"],
            rows.collect(),
            out,
        );
        let note = "  A word in quotes stands in the prompt; L1 F79 is feature 79 of layer 1, at the word beside it.";
        let _ = writeln!(out, "{}", styled(note, FAINT, self.is_colored));
    }

    fn features(&self, summary: &GraphSummary, out: &mut String) {
        if summary.features.is_empty() {
            return;
        }
        let rows = summary.features.iter().map(|feature| {
            let words = feature.promoted.iter().map(|effect| visible(effect.token.text.trim()));
            let words = words.collect::<Vec<_>>().join(", ");
            vec![
                format!("  {}: {words}", visible(&feature.name)),
                format!("{:.2}", feature.activation),
                Unit::Share.shown(feature.share),
            ]
        });
        let heads =
            ["The features that matter most, and what they make likelier", "activation", "comes through it"];
        self.section(&heads, rows.collect(), out);
    }

    fn supernodes(&self, summary: &GraphSummary, out: &mut String) {
        if summary.supernodes.is_empty() {
            return;
        }
        let rows = summary.supernodes.iter().take(SUPERNODES).map(|group| {
            let ids = group.nodes.join(" ");
            vec![format!("  {}: {ids}", visible(&group.label)), group.nodes.len().to_string()]
        });
        self.section(&["Supernodes: of one label, or writing alike", "nodes"], rows.collect(), out);
        if let Some(more) = summary.supernodes.len().checked_sub(SUPERNODES).filter(|more| *more > 0) {
            let _ = writeln!(out, "{}", styled(&format!("  and {more} more"), FAINT, self.is_colored));
        }
    }

    fn validation(&self, validation: &Validation, out: &mut String) {
        let line = |name: &str, agreement: &Agreement| {
            let correlation =
                agreement.correlation.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
            vec![
                format!("  {name}"),
                correlation,
                format!("{:.3}", agreement.largest_error),
                format!("{:.3}", agreement.largest_change),
            ]
        };
        let rows = vec![
            line("direct effects, all else held", &validation.direct),
            line("whole effects, attention and norms held", &validation.total),
            line("whole effects, nothing held", &validation.free),
            line("the same, norms following the features", &validation.with_norms),
        ];
        let heads =
            ["What the graph foretells, and what is", "correlation", "largest error", "of changes up to"];
        self.section(&heads, rows, out);
        let note = format!(
            "  {} ablated, one at a time. The graph claims the first two; attention and norms that answer\n  \
             a change, as they do when nothing is held, are not in it.",
            several(validation.nodes.len(), "feature")
        );
        let _ = writeln!(out, "{}", styled(&note, FAINT, self.is_colored));
    }
}
