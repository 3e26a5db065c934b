//! A report as a table for a terminal.

use std::fmt;

use super::attribute::Pairing;
use super::correction::Correction;
use super::interval::Interval;
use super::probe::Over;
use super::report::{BiasReport, Comparison};
use crate::report::visible;

/// Longest name in a table, in characters.
const NAME: usize = 28;

impl fmt::Display for BiasReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.settings;
        let names: Vec<[String; 2]> = self
            .comparisons
            .iter()
            .map(|row| [name(&row.target), name(&format!("{} - {}", row.first, row.second))])
            .collect();
        let widths = [0, 1].map(|column| {
            let names = names.iter().filter_map(|row| row.get(column));
            names.map(|name| name.chars().count()).max().unwrap_or(0).max(6)
        });
        let level = format!("{:.4}", settings.confidence * 100.0);
        let level = format!("{} % interval", level.trim_end_matches('0').trim_end_matches('.'));
        writeln!(
            f,
            "{:1$}  {2:3$}  {4:>9}  {5:>9}  {6:>10}  {7:^20}  {8:>8}  {9:>9}",
            "target",
            widths[0],
            "groups",
            widths[1],
            "first",
            "second",
            "difference",
            level,
            "p",
            "corrected"
        )?;
        for (row, [target, groups]) in self.comparisons.iter().zip(&names) {
            let bounds = row.bounds.map_or_else(
                || "one unit".to_owned(),
                |bounds| format!("{:+.4} .. {:+.4}", bounds.low, bounds.high),
            );
            writeln!(
                f,
                "{target:0$}  {groups:1$}  {2:>+9.4}  {3:>+9.4}  {4:>+10.4}  {bounds:^20}  {5:>8}  {6:>9}{7}",
                widths[0],
                widths[1],
                row.first_mean,
                row.second_mean,
                row.difference,
                chance(row.p),
                chance(row.corrected_p),
                if row.is_established { " *" } else { "" }
            )?;
        }
        writeln!(f, "* established: the corrected p-value is at most {}", short(1.0 - settings.confidence))?;
        if let Some(row) = self.comparisons.first() {
            writeln!(f, "{}", units(row))?;
        }
        let interval = match settings.interval {
            Interval::Student => "Student's",
            Interval::Bca => "bootstrap, BCa",
        };
        let correction = match settings.correction {
            Correction::Holm => "Holm",
            Correction::BenjaminiHochberg => "Benjamini and Hochberg",
        };
        writeln!(
            f,
            "intervals: {interval}; p: permutation; corrected for {} as by {correction}; seed {}",
            counted(self.comparisons.len(), "comparison"),
            settings.seed
        )?;
        let alpha = 1.0 - settings.confidence + f64::EPSILON;
        if let Some(row) = self.comparisons.iter().find(|row| row.smallest_p > alpha) {
            writeln!(
                f,
                "too few to establish anything: p of {} can be no less than {}",
                visible(&row.target),
                chance(row.smallest_p)
            )?;
        }
        Ok(())
    }
}

/// What was counted as one observation.
fn units(row: &Comparison) -> String {
    let [first, second] = row.units;
    match (row.over, row.pairing) {
        (Over::Templates, _) => format!("units: {}, groups compared within each", counted(first, "template")),
        (_, Pairing::Paired) => {
            format!("units: {} of terms, each over all templates", counted(first, "pair"))
        }
        (_, Pairing::Unpaired) => format!("units: terms, {first} and {second}, each over all templates"),
    }
}

/// A p-value as people read one.
pub(super) fn chance(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".to_owned() } else { format!("{p:.4}") }
}

fn short(value: f64) -> String {
    format!("{value:.4}").trim_end_matches('0').to_owned()
}

pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// On one line, cut where it is long; nothing in it acts on a terminal.
pub(super) fn name(text: &str) -> String {
    let text = visible(text);
    if text.chars().count() <= NAME {
        return text;
    }
    text.chars().take(NAME - 1).chain(['…']).collect()
}
