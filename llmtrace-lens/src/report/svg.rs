//! A drawing that is written piece by piece.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::columns;
use super::ink::{self, Ink};
use super::markup::Escaped;
use super::palette::Theme;

/// Units that a character of tokens is wide, and the height of a line.
pub(super) const CHARACTER: f64 = 7.3;
pub(super) const LINE: f64 = 18.0;

/// Room around a drawing of its own, and that for its title.
const MARGIN: f64 = 12.0;
const TITLE: f64 = 26.0;

const SANS: &str = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
pub(super) const MONO: &str = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";

/// Where a text is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    Start,
    Middle,
    End,
}

/// How a text is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    /// A token, or a number under others.
    Token,
    /// A number inside a cell.
    Cell,
    /// Words.
    Word,
    /// Words that name something.
    Strong,
}

/// A drawing; y grows downwards, the top left corner is (0, 0).
#[derive(Clone, Debug)]
pub(super) struct Svg {
    title: String,
    width: f64,
    height: f64,
    body: String,
    names: String,
    names_width: f64,
    inks: BTreeSet<Ink>,
}

impl Svg {
    pub(super) fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            width: 0.0,
            height: 0.0,
            body: String::new(),
            names: String::new(),
            names_width: 0.0,
            inks: BTreeSet::from([Ink::Page, Ink::Text]),
        }
    }

    /// Makes room up to a point.
    pub(super) fn reach(&mut self, x: f64, y: f64) {
        self.width = self.width.max(x);
        self.height = self.height.max(y);
    }

    /// How far down the drawing goes.
    pub(super) fn height(&self) -> f64 {
        self.height
    }

    pub(super) fn rect(&mut self, [x, y, width, height]: [f64; 4], ink: Ink) {
        let paint = self.paint(ink);
        self.add(format_args!(
            r#"<rect x="{}" y="{}" width="{}" height="{}"{paint}/>"#,
            px(x),
            px(y),
            px(width),
            px(height)
        ));
        self.reach(x + width, y + height);
    }

    /// A rectangle that says more where the pointer rests.
    pub(super) fn rect_with_hint(&mut self, at: [f64; 4], ink: Ink, hint: &str) {
        self.body.push_str("<g>");
        self.rect(at, ink);
        self.add(format_args!("<title>{}</title></g>", Escaped(hint)));
    }

    /// A frame that points something out.
    pub(super) fn frame(&mut self, [x, y, width, height]: [f64; 4]) {
        self.inks.insert(Ink::Mark);
        let colour = Ink::Mark.colour(Theme::Light);
        self.add(format_args!(
            r#"<rect x="{}" y="{}" width="{}" height="{}" rx="2" class="mark" fill="none" stroke="{colour}" stroke-width="2.5"/>"#,
            px(x),
            px(y),
            px(width),
            px(height)
        ));
    }

    /// A filled path.
    pub(super) fn path(&mut self, data: &str, ink: Ink) {
        let paint = self.paint(ink);
        self.add(format_args!(r#"<path d="{data}"{paint}/>"#));
    }

    /// What is drawn between this and [`Svg::end`] has its own units.
    pub(super) fn start_scaled(&mut self, [x, y]: [f64; 2], [across, down]: [f64; 2]) {
        self.add(format_args!(
            r#"<g transform="translate({} {}) scale({} {})" shape-rendering="crispEdges">"#,
            px(x),
            px(y),
            px(across),
            px(down)
        ));
    }

    pub(super) fn end(&mut self) {
        self.body.push_str("</g>");
    }

    /// A text whose line of writing lies at y.
    pub(super) fn text(&mut self, [x, y]: [f64; 2], hold: Hold, face: Face, ink: Ink, text: &str) {
        let head = self.text_head(hold, face, ink);
        self.add(format_args!(r#"<text x="{}" y="{}"{head}>{}</text>"#, px(x), px(y), written(face, text)));
        let width = text_width(text);
        let right = match hold {
            Hold::Start => x + width,
            Hold::Middle => x + width / 2.0,
            Hold::End => x,
        };
        self.reach(right, y + 4.0);
    }

    /// A text that rises from a point.
    pub(super) fn rising_text(&mut self, [x, y]: [f64; 2], face: Face, ink: Ink, text: &str) {
        let head = self.text_head(Hold::Start, face, ink);
        self.add(format_args!(
            r#"<text transform="translate({} {}) rotate({})"{head}>{}</text>"#,
            px(x),
            px(y),
            px(-RISE),
            written(face, text)
        ));
        self.reach(x + text_width(text) * RISE.to_radians().cos(), y);
    }

    /// Takes what was drawn until now as the names of rows, left of `width`, which stay in sight when the rest scrolls.
    pub(super) fn end_of_names(&mut self, width: f64) {
        self.names = std::mem::take(&mut self.body);
        self.names_width = width;
    }

    /// The drawing inside a page that has the rules for its classes.
    pub(super) fn inline(self) -> String {
        let [left, right, height] = [self.names_width, self.width.ceil(), self.height.ceil()];
        let part = |more: &str, from: f64, to: f64, body: &str| {
            let (x, width, height) = (px(from), px(to - from), px(height));
            format!(
                r#"<svg xmlns="http://www.w3.org/2000/svg" {more} viewBox="{x} 0 {width} {height}" width="{width}" height="{height}">{body}</svg>"#
            )
        };
        let named = format!(r#"role="img" aria-label="{}""#, Escaped(&self.title));
        let drawing = part(&named, left, right, &self.body);
        if self.names.is_empty() {
            return drawing;
        }
        let names = part(r#"class="names" aria-hidden="true""#, 0.0, left, &self.names);
        format!(r#"<div class="named">{names}{drawing}</div>"#)
    }

    /// The drawing as a file of its own, with its title, its ground and its rules.
    pub(super) fn standalone(mut self) -> String {
        let title = std::mem::take(&mut self.title);
        self.width = self.width.max(text_width(&title));
        let (width, height) = (self.width.ceil() + 2.0 * MARGIN, self.height.ceil() + 2.0 * MARGIN + TITLE);
        let [page, text] = [Ink::Page, Ink::Text].map(|ink| ink.colour(Theme::Light));
        let title = Escaped(&title);
        let (left, top, line) = (px(-MARGIN), px(-MARGIN - TITLE), px(6.0 - TITLE));
        let (width, height, rules) = (px(width), px(height), ink::svg_rules(&self.inks));
        let (faces, names, body) = (FACES.replace("MONO", MONO), self.names, self.body);
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{title}" viewBox="{left} {top} {width} {height}" width="{width}" height="{height}" font-family="{SANS}">
<title>{title}</title><style>{faces}{rules}</style>
<rect x="{left}" y="{top}" width="{width}" height="{height}" class="page" fill="{page}"/>
<text x="0" y="{line}" class="text" fill="{text}" font-size="15" font-weight="600">{title}</text>
{names}{body}</svg>
"#
        )
    }

    fn text_head(&mut self, hold: Hold, face: Face, ink: Ink) -> String {
        let hold = match hold {
            Hold::Start => "",
            Hold::Middle => r#" text-anchor="middle""#,
            Hold::End => r#" text-anchor="end""#,
        };
        let (face, size) = match face {
            Face::Token => ("m", 12),
            Face::Cell => ("c", 11),
            Face::Word => ("w", 12),
            Face::Strong => ("b", 12),
        };
        self.inks.insert(ink);
        let colour = ink.colour(Theme::Light);
        format!(r#"{hold} class="{face} {}" fill="{colour}" font-size="{size}""#, ink.class())
    }

    fn paint(&mut self, ink: Ink) -> String {
        self.inks.insert(ink);
        format!(r#" class="{}" fill="{}""#, ink.class(), ink.colour(Theme::Light))
    }

    fn add(&mut self, piece: std::fmt::Arguments<'_>) {
        // Writing to a text cannot fail.
        let _ = self.body.write_fmt(piece);
    }
}

/// A text as the content of an element; the mark of a space in a token stands back.
fn written(face: Face, text: &str) -> String {
    let text = Escaped(text).to_string();
    if face == Face::Token { text.replace('␣', r#"<tspan fill-opacity=".7">␣</tspan>"#) } else { text }
}

/// The faces of texts; `MONO` stands for the fonts of fixed width.
pub(super) const FACES: &str =
    "svg text{white-space:pre}svg .m,svg .c{font-family:MONO}svg .b{font-weight:600}";

/// Degrees by which a rising text rises.
const RISE: f64 = 50.0;

/// How high a rising text stands.
pub(super) fn risen(text: &str) -> f64 {
    text_width(text) * RISE.to_radians().sin() + 8.0
}

/// About how wide a text is.
pub(super) fn text_width(text: &str) -> f64 {
    columns::width(text) as f64 * CHARACTER
}

/// A coordinate with two decimals at most.
pub(super) fn px(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short() {
        let check = |value: f64, text: &str| assert_eq!(px(value), text);
        check(0.0, "0");
        check(-0.001, "0");
        check(10.0, "10");
        check(12.5, "12.5");
        check(-3.256, "-3.26");
    }
}
