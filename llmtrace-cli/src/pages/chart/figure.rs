//! A chart with its title, its legend and its table.

use maud::{Markup, html};

use super::axis::Axis;
use super::plot::{Box, Place, frame};
use super::series::Series;
use super::table::table;
use super::{bars, lines};
use crate::pages::components::figure::Exactness;
use crate::pages::components::text;
use crate::unit::Unit;

/// A chart: values along an axis.
#[derive(Clone, Debug)]
pub(crate) struct Chart<'a> {
    title: String,
    unit: Unit,
    form: Form,
    axis: &'a Axis,
    series: Vec<Series>,
    total: Option<Markup>,
    hrefs: Vec<Option<String>>,
    height: f64,
    reach: Option<f64>,
    alternative: Alternative,
}

/// Where the figures of a chart stand for those who do not see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alternative {
    /// In a table below it.
    Table,
    /// Elsewhere on the page.
    Elsewhere,
}

/// How values are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One on the other: what adds up.
    Stacked,
    /// A line each.
    Lines,
    /// A line each, and the areas between them: percentiles, the lowest first.
    Percentiles,
}

/// Pixels of the drawing where nobody says otherwise.
const HEIGHT: f64 = 140.0;

impl<'a> Chart<'a> {
    /// A chart of these values.
    pub(crate) fn new(title: &str, unit: Unit, form: Form, axis: &'a Axis, series: Vec<Series>) -> Self {
        Self {
            title: text::line(title),
            unit,
            form,
            axis,
            series,
            total: None,
            hrefs: Vec::new(),
            height: HEIGHT,
            reach: None,
            alternative: Alternative::Table,
        }
    }

    /// Says what all of it comes to, beside the title.
    pub(crate) fn total(mut self, total: Markup) -> Self {
        self.total = Some(total);
        self
    }

    /// Links each place to the list of what stands there.
    pub(crate) fn hrefs(mut self, href: impl Fn(usize) -> Option<String>) -> Self {
        self.hrefs = (0..self.axis.len()).map(href).collect();
        self
    }

    /// Draws it so many pixels high.
    pub(crate) fn height(mut self, pixels: f64) -> Self {
        self.height = pixels;
        self
    }

    /// Has a scale that goes up to this value at least, so that several charts can share one.
    pub(crate) fn reaching(mut self, value: f64) -> Self {
        self.reach = Some(value);
        self
    }

    /// Leaves out the table of its figures, where they stand elsewhere on the page.
    pub(crate) fn without_table(mut self) -> Self {
        self.alternative = Alternative::Elsewhere;
        self
    }

    /// The chart with its title, its legend and its table.
    pub(crate) fn render(self) -> Markup {
        let (places, area) = (self.axis.len(), Box { height: self.height });
        let scale = match self.form {
            Form::Stacked => bars::scale(self.unit, &self.series, places, self.reach),
            Form::Lines | Form::Percentiles => lines::scale(self.unit, &self.series, places, self.reach),
        };
        let drawn = self.says_something().then(|| match self.form {
            Form::Stacked => bars::draw(&self.series, places, &scale, area),
            Form::Lines => lines::draw(&self.series, places, &scale, area),
            Form::Percentiles => html! {
                (lines::bands(&self.series, places, &scale, area))
                (lines::draw(&self.series, places, &scale, area))
            },
        });
        let targets: Vec<Place> = (0..places).map(|place| self.place(place)).collect();
        let has_table = self.alternative == Alternative::Table;
        let says = format!(
            "{}{}",
            self.title,
            if has_table { "; its figures stand in the table below" } else { "" }
        );
        html! {
            figure.chart {
                figcaption {
                    span.chart-title { bdi { (self.title) } }
                    @if let Some(total) = &self.total { span.chart-total { (total) } }
                }
                (legend(&self.series, self.form))
                (frame(self.axis, &scale, area, &says, drawn.as_ref(), &targets))
                @if has_table { (table(&self.title, self.axis, self.unit, &self.series, &targets)) }
            }
        }
    }

    fn says_something(&self) -> bool {
        let is_known = |series: &Series| (0..self.axis.len()).any(|place| series.value(place).is_some());
        self.series.iter().any(is_known)
    }

    fn place(&self, place: usize) -> Place {
        let mut says = vec![text::line(&self.axis.name(place))];
        let is_stacked = self.form == Form::Stacked;
        let is_worth_a_line =
            |series: &&Series| !is_stacked || series.value(place).is_some_and(|value| value != 0.0);
        let lines: Vec<_> = self.series.iter().filter(is_worth_a_line).collect();
        // Stacks are read from the top.
        let in_order: Vec<_> = if is_stacked { lines.into_iter().rev().collect() } else { lines };
        for series in &in_order {
            says.push(format!("{}: {}", text::line(&series.label), series.shown(place, self.unit)));
        }
        if is_stacked && in_order.len() != 1 {
            says.push(format!("total: {}", self.sum(place)));
        }
        Place { says: says.join("\n"), href: self.hrefs.get(place).cloned().flatten() }
    }

    fn sum(&self, place: usize) -> String {
        let values: Vec<f64> = self.series.iter().filter_map(|series| series.value(place)).collect();
        let sum: f64 = values.iter().sum();
        if values.is_empty() || !sum.is_finite() {
            return "–".to_owned();
        }
        let marks = self.series.iter().map(|series| series.point(place).exactness);
        let mark = [Exactness::AtLeast, Exactness::Estimated]
            .into_iter()
            .find(|mark| marks.clone().any(|one| one == *mark));
        format!("{}{}", mark.unwrap_or_default().mark(), self.unit.shown(sum))
    }
}

/// The series in the order in which they are drawn, each with what it comes to.
fn legend(series: &[Series], form: Form) -> Markup {
    html! {
        ul class=(if form == Form::Stacked { "legend" } else { "legend lines" }) {
            @for series in series {
                li {
                    svg class={ "swatch " (series.tone.class()) } width="14" height="10" aria-hidden="true" {
                        line x1="0" x2="14" y1="5" y2="5" {}
                    }
                    @let label = text::line(&series.label);
                    @let shown = text::cut(&label, MAX_LABEL_CHARS);
                    @match &series.href {
                        Some(href) => a href=(href) title=(label) { bdi { (shown) } },
                        None => bdi title=(label) { (shown) },
                    }
                    @if let Some(total) = &series.total { span.num { (total) } }
                }
            }
        }
    }
}

/// Characters of a series' name that the legend shows.
const MAX_LABEL_CHARS: usize = 40;
