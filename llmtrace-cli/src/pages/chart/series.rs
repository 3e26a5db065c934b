//! What a chart draws: values in the order of their places.

use crate::pages::components::figure::Exactness;
use crate::unit::Unit;

/// Values that belong together, one for each place of the axis.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// What they are, as the legend says it.
    pub(crate) label: String,
    pub(crate) tone: Tone,
    pub(crate) points: Vec<Point>,
    /// What they come to, where that says something.
    pub(crate) total: Option<String>,
    /// The list of what they sum up.
    pub(crate) href: Option<String>,
}

/// One value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Point {
    /// `None` where it is not known.
    pub(crate) value: Option<f64>,
    pub(crate) exactness: Exactness,
}

/// Which colour and which stroke a series has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// The nth of several alike.
    Nth(usize),
    /// All that have no colour of their own.
    Rest,
    /// What went wrong.
    Bad,
}

/// Series that have a colour of their own; more are [`Tone::Rest`].
pub(crate) const TONES: usize = 8;

impl Series {
    /// Values without a sum and without a list behind them.
    pub(crate) fn new(label: impl Into<String>, tone: Tone, points: Vec<Point>) -> Self {
        Self { label: label.into(), tone, points, total: None, href: None }
    }

    /// Says what the values come to.
    pub(crate) fn total(mut self, total: impl Into<String>) -> Self {
        self.total = Some(total.into());
        self
    }

    /// The value of a place, where it is known and a number.
    pub(super) fn value(&self, place: usize) -> Option<f64> {
        self.point(place).value.filter(|value| value.is_finite())
    }

    /// The value of a place as it is written.
    pub(super) fn shown(&self, place: usize, unit: Unit) -> String {
        let exactness = self.point(place).exactness;
        match self.value(place) {
            Some(value) => format!("{}{}", exactness.mark(), unit.shown(value)),
            None => "–".to_owned(),
        }
    }

    pub(super) fn point(&self, place: usize) -> Point {
        self.points.get(place).copied().unwrap_or_default()
    }
}

impl Point {
    /// A value as it stands.
    pub(crate) fn exact(value: f64) -> Self {
        Self { value: Some(value), exactness: Exactness::Exact }
    }

    /// A value that is known as far as this.
    pub(crate) fn known(value: Option<f64>) -> Self {
        Self { value, exactness: Exactness::Exact }
    }
}

impl Tone {
    /// The tone of the nth series.
    pub(crate) fn nth(number: usize) -> Self {
        if number < TONES { Self::Nth(number) } else { Self::Rest }
    }

    /// Its class.
    pub(super) fn class(self) -> &'static str {
        const CLASSES: [&str; TONES] =
            ["tone-0", "tone-1", "tone-2", "tone-3", "tone-4", "tone-5", "tone-6", "tone-7"];
        match self {
            Self::Nth(number) => CLASSES.get(number).copied().unwrap_or("tone-rest"),
            Self::Rest => "tone-rest",
            Self::Bad => "tone-bad",
        }
    }
}
