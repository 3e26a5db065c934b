use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use super::ink;
use super::markup::Escaped;
use super::svg::{FACES, MONO};
use super::{Colour, Live, Section};

/// Pictures and how to read them, as one file that needs no other: `report.html`.
///
/// It loads nothing and runs no script, which its content security policy enforces, follows the reader's choice of light or dark, and can be printed.
///
/// ```
/// use llmtrace_lens::report::{FactLine, Page, Section};
///
/// let facts = FactLine::new("The answer").fact("97.8 %", "probability of Austin");
/// let html = Page::new("Where is Dallas?")
///     .lead("What a model of three layers does between the prompt and its answer.")
///     .section(Section::new("In short", "The model is sure of its answer.").picture(facts))
///     .to_html();
/// assert!(html.contains("97.8 %"));
/// ```
#[derive(Debug)]
pub struct Page {
    title: String,
    lead: String,
    sections: Vec<Section>,
    foot: String,
}

impl Page {
    /// A page without sections.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), lead: String::new(), sections: Vec::new(), foot: String::new() }
    }

    /// What the page is about, in a sentence or two.
    pub fn lead(self, lead: impl Into<String>) -> Self {
        Self { lead: lead.into(), ..self }
    }

    /// Adds a section below the others.
    pub fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// How the page was made: model, command, seed, versions.
    pub fn foot(self, foot: impl Into<String>) -> Self {
        Self { foot: foot.into(), ..self }
    }

    /// The page as HTML.
    pub fn to_html(&self) -> String {
        let mut out = self.head("default-src 'none'; style-src 'unsafe-inline'", &style());
        self.write_header(&mut out);
        out.push_str("<main>\n");
        self.write_sections(&mut out);
        out.push_str("</main>\n");
        self.write_footer(&mut out);
        out.push_str("</body>\n</html>\n");
        out
    }

    /// The page with a script that shows more than the sections do, which stand below it until it runs.
    pub(crate) fn to_live_html(&self, live: &Live<'_>) -> String {
        let style = style() + live.style;
        let mut out = self.head(&live.policy(&style), &style);
        self.write_header(&mut out);
        // Writing to a text cannot fail.
        let _ = write!(out, "<main>\n{}\n<div class=\"plain\">\n", live.root);
        self.write_sections(&mut out);
        out.push_str("</div>\n</main>\n");
        self.write_footer(&mut out);
        let _ = write!(out, "{}</body>\n</html>\n", live.tail());
        out
    }

    fn head(&self, policy: &str, style: &str) -> String {
        let title = Escaped(&self.title);
        format!(
            r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
"#
        )
    }

    fn write_header(&self, out: &mut String) {
        let _ = write!(out, "<header><h1>{}</h1>", Escaped(&self.title));
        // Writing to a text cannot fail.
        if !self.lead.is_empty() {
            let _ = write!(out, r#"<p class="lead">{}</p>"#, Escaped(&self.lead));
        }
        if self.sections.len() > 1 {
            out.push_str(r#"<nav aria-label="Sections"><ol>"#);
            for (at, section) in self.sections.iter().enumerate() {
                let _ =
                    write!(out, r##"<li><a href="#s{}">{}</a></li>"##, at + 1, Escaped(section.heading()));
            }
            out.push_str("</ol></nav>");
        }
        out.push_str("</header>\n");
    }

    fn write_sections(&self, out: &mut String) {
        for (at, section) in self.sections.iter().enumerate() {
            section.write_html(out, &format!("s{}", at + 1));
        }
    }

    fn write_footer(&self, out: &mut String) {
        out.push_str("<footer>");
        if !self.foot.is_empty() {
            let _ = write!(out, "<p>{}</p>", Escaped(&self.foot));
        }
        let _ = writeln!(out, "<p>{SOURCES}</p></footer>");
    }

    /// Writes the page to a file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> io::Result<()> {
        std::fs::write(path, self.to_html())
    }

    /// Writes each picture to a file of its own in a folder, and says which: `1-logit-lens.svg` and so on.
    ///
    /// # Errors
    /// The folder cannot be made, or a file not be written.
    pub fn write_svgs(&self, folder: impl AsRef<Path>) -> io::Result<Vec<PathBuf>> {
        let folder = folder.as_ref();
        std::fs::create_dir_all(folder)?;
        let mut paths = Vec::new();
        for picture in self.sections.iter().flat_map(Section::pictures) {
            let path = folder.join(format!("{}-{}.svg", paths.len() + 1, file_name(picture.title())));
            std::fs::write(&path, picture.to_svg())?;
            paths.push(path);
        }
        Ok(paths)
    }

    /// All of it as text for a terminal of `width` columns.
    pub fn to_terminal(&self, width: usize, colour: Colour) -> String {
        let mut out = String::new();
        for section in &self.sections {
            section.write_terminal(&mut out, width, colour);
        }
        out
    }
}

/// The rules of a page.
fn style() -> String {
    let rules = format!("{}{}", ink::svg_rules(&ink::Ink::all()), ink::html_rules());
    format!("\n{}{}{rules}\n", STYLE.replace("MONO", MONO), FACES.replace("MONO", MONO))
}

const STYLE: &str = include_str!("page.css");

const SOURCES: &str = "Colours: ColorBrewer Blues and RdBu, Paul Tol's high-contrast scheme. Values also stand in the \
    tables, and where the pointer rests.";

/// The most characters of a file's name.
const FILE_NAME: usize = 60;

/// A title in small letters and digits, with hyphens for all else.
fn file_name(title: &str) -> String {
    let words = title.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut name = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    name.truncate(FILE_NAME);
    name
}
