//! Charts as SVG, drawn on the server: pure functions of plain numbers.
//!
//! A chart fills the width that it is given and keeps its letters readable: places along it are percentages, heights are
//! pixels, and only lines stand in a drawing of their own that is stretched. What is not known is a gap, never a zero.
//! Each place says its figures in a `<title>`, and all figures stand in a table below, for those who do not see the
//! drawing. Colours are classes of `charts.css`, in the order of the legend.

pub(crate) mod axis;
mod bars;
pub(crate) mod figure;
pub(crate) mod interval;
mod lines;
pub(crate) mod meter;
mod plot;
mod scale;
pub(crate) mod series;
mod table;
mod tick;
pub(crate) mod usual;

#[cfg(test)]
mod tests;
