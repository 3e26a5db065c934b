//! Pictures of what happens inside a model: as a page, as SVG files, in a terminal.
//!
//! Every picture is made of plain data, numbers and labels, and is a file here: [`Heatmap`] (attention of a head, patching
//! over layers and positions), [`AttentionGrid`] (all heads), [`LogitLensTable`], [`TokenStrip`], [`AttributedPrompt`],
//! [`LayerBars`], [`GenerationTable`], [`CircuitMap`], [`FactLine`]. A picture of your own implements [`Picture`]; copy
//! `report/fact_line.rs`, the smallest. A [`Page`] puts them, with words on how to read them, into one HTML file that needs
//! no script and loads nothing.
//!
//! Whatever stands in a token or a label is escaped. Where there is more than can be drawn, cells are put together and
//! the picture says so, or the constructor refuses with a [`PictureError`].

mod attention_grid;
mod attributed_prompt;
mod axis;
mod blocks;
mod circuit_map;
mod colour;
mod columns;
mod error;
mod fact_line;
mod field;
mod generation_table;
mod heatmap;
mod ink;
mod layer_bars;
mod legend;
mod live;
mod logit_lens_table;
mod markup;
mod number;
mod page;
mod palette;
mod picture;
mod scale;
mod section;
mod sha256;
mod svg;
mod table;
#[cfg(test)]
mod tests;
mod token;
mod token_strip;

pub use attention_grid::AttentionGrid;
pub use attributed_prompt::AttributedPrompt;
pub use axis::Axis;
pub use circuit_map::{CircuitKind, CircuitLink, CircuitMap, CircuitNode, CircuitWay};
pub use colour::Colour;
pub use error::PictureError;
pub use fact_line::FactLine;
pub use generation_table::{GenerationStep, GenerationTable};
pub use heatmap::Heatmap;
pub use layer_bars::LayerBars;
pub(crate) use live::Live;
pub use logit_lens_table::{LensCell, LogitLensTable};
pub use page::Page;
pub use picture::Picture;
pub use scale::Scale;
pub use section::Section;
pub use table::Table;
pub use token::visible;
pub use token_strip::{Measure, TokenStrip};
