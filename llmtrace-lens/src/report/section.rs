use std::fmt::Write as _;

use super::columns;
use super::markup::Escaped;
use super::token;
use super::{Colour, Picture};

/// A part of a [`Page`](super::Page): a heading, how to read what follows, and pictures.
#[derive(Debug)]
pub struct Section {
    heading: String,
    reading: String,
    pictures: Vec<Box<dyn Picture + Send + Sync>>,
}

impl Section {
    /// A section without pictures; `reading` tells a newcomer in about two plain sentences what is seen.
    pub fn new(heading: impl Into<String>, reading: impl Into<String>) -> Self {
        Self { heading: heading.into(), reading: reading.into(), pictures: Vec::new() }
    }

    /// Adds a picture below the others.
    pub fn picture(self, picture: impl Picture + Send + Sync + 'static) -> Self {
        self.boxed(Box::new(picture))
    }

    /// Adds a picture whose kind is not known here.
    pub fn boxed(mut self, picture: Box<dyn Picture + Send + Sync>) -> Self {
        self.pictures.push(picture);
        self
    }

    /// What the section is about.
    pub fn heading(&self) -> &str {
        &self.heading
    }

    /// The pictures, in order.
    pub fn pictures(&self) -> impl Iterator<Item = &dyn Picture> {
        self.pictures.iter().map(|picture| {
            let picture: &dyn Picture = picture.as_ref();
            picture
        })
    }

    pub(super) fn write_html(&self, out: &mut String, id: &str) {
        // Writing to a text cannot fail.
        let _ = writeln!(out, r#"<section id="{id}"><h2>{}</h2>"#, Escaped(&self.heading));
        if !self.reading.is_empty() {
            let _ = writeln!(out, r#"<p class="reading">{}</p>"#, Escaped(&self.reading));
        }
        for (at, picture) in self.pictures().enumerate() {
            let title = picture.title();
            let _ = write!(out, "<figure>");
            if title != self.heading {
                let _ = write!(out, "<figcaption>{}</figcaption>", Escaped(title));
            }
            out.push_str(&picture.to_html(&format!("{id}p{}", at + 1)));
            out.push_str(&picture.table().to_html(title));
            out.push_str("</figure>\n");
        }
        out.push_str("</section>\n");
    }

    pub(super) fn write_terminal(&self, out: &mut String, width: usize, colour: Colour) {
        let heading = token::words(&self.heading);
        let rule = "─".repeat(width.saturating_sub(columns::width(&heading) + 4));
        colour.strong(out, &columns::cut(&format!("── {heading} {rule}"), width.max(1)));
        out.push('\n');
        for line in columns::wrapped(&self.reading, width) {
            colour.faint(out, &line);
            out.push('\n');
        }
        for picture in self.pictures() {
            out.push('\n');
            out.push_str(&picture.to_terminal(width, colour));
        }
        out.push('\n');
    }
}
