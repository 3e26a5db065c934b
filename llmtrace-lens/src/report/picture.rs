use std::fmt::Debug;

use super::{Colour, Table};

/// Something that can be looked at: on a page, as a file of its own, and in a terminal.
///
/// A picture of your own needs these five functions to stand in a [`Page`](super::Page).
pub trait Picture: Debug {
    /// What it shows, in a few words.
    fn title(&self) -> &str;

    /// An SVG file with its own title and colours, for light and dark pages.
    fn to_svg(&self) -> String;

    /// What stands on a page below the title; addresses inside it start with `id`.
    fn to_html(&self, id: &str) -> String;

    /// Lines of at most `width` columns, where that is possible.
    fn to_terminal(&self, width: usize, colour: Colour) -> String;

    /// The numbers that it shows.
    fn table(&self) -> Table;
}

/// A drawing inside a box of its own that scrolls where it is wider than the page.
pub(super) fn in_box(title: &str, drawing: &str) -> String {
    format!(
        r#"<div class="scroll" role="region" tabindex="0" aria-label="{}">{drawing}</div>"#,
        super::markup::Escaped(title)
    )
}
