//! How a figure differs between two sides.

use serde::Serialize;

use super::side::Figures;
use crate::unit::Unit;

/// One figure on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Delta {
    /// What it is, such as `cost`.
    pub(crate) name: &'static str,
    /// What it counts.
    pub(crate) unit: Unit,
    /// On the first side, where it is known.
    pub(crate) a: Option<f64>,
    /// On the second side, where it is known.
    pub(crate) b: Option<f64>,
}

impl Delta {
    /// Every figure that either side has.
    pub(crate) fn of(a: Option<&Figures>, b: Option<&Figures>) -> Vec<Self> {
        type Read = fn(&Figures) -> Option<f64>;
        const FIGURES: [(&str, Unit, Read); 8] = [
            ("cost", Unit::Usd, |of| of.cost.map(llmtrace::Usd::to_f64)),
            ("duration", Unit::Ms, |of| Some(of.duration_ms)),
            ("first chunk", Unit::Ms, |of| of.first_chunk_ms),
            ("input", Unit::Tokens, |of| of.input_tokens.map(|count| count as f64)),
            ("cached", Unit::Tokens, |of| of.cache_read_tokens.map(|count| count as f64)),
            ("written", Unit::Tokens, |of| of.cache_write_tokens.map(|count| count as f64)),
            ("output", Unit::Tokens, |of| of.output_tokens.map(|count| count as f64)),
            ("reasoning", Unit::Tokens, |of| of.reasoning_tokens.map(|count| count as f64)),
        ];
        let both =
            FIGURES.map(|(name, unit, read)| Self { name, unit, a: a.and_then(read), b: b.and_then(read) });
        both.into_iter().filter(|delta| delta.a.is_some() || delta.b.is_some()).collect()
    }

    /// The second figure less the first, where both are known.
    pub(crate) fn change(&self) -> Option<f64> {
        Some(self.b? - self.a?)
    }

    /// The change as a part of the first figure, where that is not nought.
    pub(crate) fn relative(&self) -> Option<f64> {
        let (a, change) = (self.a?, self.change()?);
        (a != 0.0).then(|| change / a)
    }

    /// The change as people read it: `+12 %`, `2.4x`, `=`; nothing where a side is not known.
    pub(crate) fn shown(&self) -> Option<String> {
        let change = self.change()?;
        Some(match self.relative() {
            _ if change == 0.0 => "=".to_owned(),
            Some(part) if part >= 1.0 => format!("{:.1}x", 1.0 + part),
            Some(part) if part.abs() < 0.000_5 => "≈".to_owned(),
            Some(part) => format!("{}{}", if part > 0.0 { "+" } else { "" }, Unit::Share.shown(part)),
            None => format!("+{}", self.unit.shown(change)),
        })
    }
}
