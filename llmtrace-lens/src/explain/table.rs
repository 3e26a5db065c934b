//! An attribution as a table for a terminal.

use std::fmt;

use super::{Attribution, Coverage, PartValue};

/// Longest label, in characters.
const LABEL: usize = 32;
/// Longest bar to each side, in characters.
const BAR: usize = 16;
/// Most parts that are drawn; of more, the strongest.
const ROWS: usize = 40;
/// Parts that are all drawn, whatever they did.
const FEW: usize = 12;
/// Eighths of a block.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

impl fmt::Display for Attribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, {}, seed {}", self.method, self.masking, self.seed)?;
        let rows = strongest(&self.parts);
        let labels: Vec<String> = rows.iter().map(|row| label(row)).collect();
        let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or_default();
        let largest = rows.iter().map(|row| row.value.abs()).fold(0.0, f64::max);
        for (row, label) in rows.iter().zip(&labels) {
            let error = row.standard_error.map_or_else(String::new, |error| format!(" ± {error:.4}"));
            let value = if self.meaning.is_signed() {
                format!("{:+.4}", row.value)
            } else {
                format!("{:.4}", row.value)
            };
            writeln!(f, "  {label:width$} {value:>10}{error}  {}", bar(row.value, largest))?;
        }
        if rows.len() < self.parts.len() {
            let least = rows.iter().map(|row| row.value.abs()).fold(f64::INFINITY, f64::min);
            let left_out = self.parts.len() - rows.len();
            writeln!(f, "  ... and {left_out} parts that did less than {least:.4}")?;
        }
        if let (Some(base), Some(gap)) = (self.base_value, self.sum_gap()) {
            let sum: f64 = self.values().iter().sum();
            let full = self.full_value;
            writeln!(f, "all kept {full:.4}, all masked {base:.4}, sum of values {sum:+.4}, gap {gap:+.1e}")?;
        } else {
            writeln!(f, "{}", self.meaning)?;
        }
        if let Some(fit) = self.fit {
            let (intercept, r2, predicted) = (fit.intercept, fit.r2, fit.local_prediction);
            writeln!(f, "linear fit: intercept {intercept:.4}, R² {r2:.3}, all kept {predicted:.4}")?;
        }
        f.write_str(match self.coverage {
            Coverage::Whole => "",
            Coverage::Sampled => "random masks: the values are estimates\n",
            Coverage::CutShort => "cut short: groups of parts that were not opened share evenly\n",
        })?;
        write!(f, "{}, {:.2} s", self.spent, self.seconds)
    }
}

/// All parts in order; where they are many, the strongest in order, without those that did nothing.
fn strongest(parts: &[PartValue]) -> Vec<&PartValue> {
    if parts.len() <= FEW {
        return parts.iter().collect();
    }
    let mut sizes: Vec<f64> = parts.iter().map(|part| part.value.abs()).collect();
    sizes.sort_by(|a, b| b.total_cmp(a));
    let least = sizes.get(ROWS - 1).copied().unwrap_or_default();
    let is_drawn = |part: &&PartValue| part.value.abs() >= least && part.value != 0.0;
    parts.iter().filter(is_drawn).take(ROWS).collect()
}

/// The label, and the text beside it where the label is another; on one line.
fn label(row: &PartValue) -> String {
    let name = row.part.label.as_str();
    let is_text = name.split('#').next() == Some(row.text.as_str()) || name == row.text;
    let whole = if is_text { name.to_owned() } else { format!("{name}: {}", row.text) };
    let words: Vec<String> =
        whole.split_whitespace().map(|word| word.replace(char::is_control, "�")).collect();
    let line = words.join(" ");
    if line.chars().count() <= LABEL {
        return line;
    }
    line.chars().take(LABEL - 1).chain(['…']).collect()
}

/// A bar to the right of an axis for what is above 0, to its left for what is below.
fn bar(value: f64, largest: f64) -> String {
    let share = if largest > 0.0 { (value.abs() / largest).clamp(0.0, 1.0) } else { 0.0 };
    if value < 0.0 {
        // There are no blocks that fill from the right, so a bar to the left has whole ones.
        let blocks = (0..BAR).filter(|&block| share * BAR as f64 >= block as f64 + 0.5).count();
        return format!("{}{}│", " ".repeat(BAR - blocks), "█".repeat(blocks));
    }
    let eighths = (0..BAR * 8).filter(|&eighth| share * (BAR * 8) as f64 >= eighth as f64 + 0.5).count();
    let part = EIGHTHS.get(eighths % 8).copied().unwrap_or_default();
    format!("{}│{}{part}", " ".repeat(BAR), "█".repeat(eighths / 8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::{Meaning, Parts};

    #[test]
    fn a_table_has_bars_to_both_sides() {
        let parts = Parts::segments([
            ("system", "Be brief."),
            ("doc", "A long document that goes on and on, and on."),
        ]);
        let mut attribution = Attribution::new("exact_shapley", &parts, &[-0.5, 1.0]).unwrap();
        attribution.parts[1].standard_error = Some(0.25);
        (attribution.base_value, attribution.full_value) = (Some(0.0), 0.5);
        assert_eq!(
            attribution.to_string(),
            "\
exact_shapley, masked parts deleted, seed 0
  system: Be brief.                   -0.5000          ████████│
  doc: A long document that goes …    +1.0000 ± 0.2500                  │████████████████
all kept 0.5000, all masked 0.0000, sum of values +0.5000, gap +0.0e0
0 calls, 0.00 s"
        );
    }

    #[test]
    fn values_that_are_no_changes_have_no_ends_and_no_sign() {
        let parts = Parts::segments([("a", "one"), ("b", "two")]);
        let mut attribution = Attribution::new("attention_rollout", &parts, &[0.25, 0.5]).unwrap();
        attribution.meaning = Meaning::AttentionShare;
        assert_eq!(
            attribution.to_string(),
            "\
attention_rollout, masked parts deleted, seed 0
  a: one     0.2500                  │████████
  b: two     0.5000                  │████████████████
shares of attention in the last position: they know nothing of the score
0 calls, 0.00 s"
        );
    }

    #[test]
    fn a_prompt_does_not_command_the_terminal() {
        let table = Attribution::new("lime", &Parts::tokens(["a\x1b[2J\nb"]), &[1.0]).unwrap().to_string();
        assert!(table.contains("a�[2J b  ") && !table.contains('\x1b'), "{table}");
    }

    #[test]
    fn of_many_parts_the_strongest_are_drawn() {
        let words: Vec<_> = (0..100).map(|word| format!("w{word} ")).collect();
        let values: Vec<_> = (0..100).map(f64::from).collect();
        let table = Attribution::new("lime", &Parts::tokens(&words), &values).unwrap().to_string();
        assert!(
            table.contains("w60 ")
                && !table.contains("w59 ")
                && table.contains("... and 60 parts that did less than 60.0000"),
            "{table}"
        );
    }
}
