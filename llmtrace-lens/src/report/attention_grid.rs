use std::fmt::Write as _;

use super::blocks;
use super::columns::{self, end_line};
use super::field::{Above, Field};
use super::heatmap::{self, Detail, Heatmap};
use super::ink::Ink;
use super::legend;
use super::markup::Escaped;
use super::number;
use super::scale::Shades;
use super::svg::{Face, Hold, LINE, Svg};
use super::token;
use super::{Colour, Picture, PictureError, Scale, Table};

/// The most heads of a grid.
const HEADS: usize = 4096;

/// The most values of all heads together.
const VALUES: usize = 1 << 26;

/// How wide a small map is, and how many cells it has on a side.
const SMALL: f64 = 78.0;
const SMALL_CELLS: usize = 24;

/// About how many cells all large maps of a page have together, and one on a side.
const LARGE_CELLS: usize = 400_000;
const LARGE_SIDE: [usize; 2] = [16, 64];

/// The most cells of all large maps together that are drawn one by one.
const SINGLE_CELLS: usize = 20_000;

/// The most heads in a terminal.
const TERMINAL_HEADS: usize = 64;

/// The most cells on a side in a terminal.
const TERMINAL_CELLS: usize = 12;

/// The attention of every head of every layer, small; each leads to a large map.
#[derive(Clone, Debug)]
pub struct AttentionGrid {
    title: String,
    tokens: Vec<String>,
    layers: usize,
    heads: usize,
    patterns: Vec<f32>,
    notes: Vec<([usize; 2], String)>,
    first: Option<[usize; 2]>,
}

impl AttentionGrid {
    /// A grid of `patterns`, which hold layers x heads x tokens x tokens shares from 0 to 1.
    ///
    /// # Errors
    /// There are not as many values, more than 4096 heads, or more than 67 million values. Where there are many tokens
    /// or heads, a cell stands for the strongest of several values.
    pub fn new<T: AsRef<str>>(
        title: impl Into<String>,
        tokens: &[T],
        [layers, heads]: [usize; 2],
        patterns: impl Into<Vec<f32>>,
    ) -> Result<Self, PictureError> {
        let (title, patterns) = (title.into(), patterns.into());
        PictureError::check_shape(&title, &[layers, heads, tokens.len(), tokens.len()], patterns.len())?;
        PictureError::check_size(&title, "heads", layers.saturating_mul(heads), HEADS)?;
        PictureError::check_size(&title, "values", patterns.len(), VALUES)?;
        let tokens = tokens.iter().map(|token| token.as_ref().to_owned()).collect();
        Ok(Self { title, tokens, layers, heads, patterns, notes: Vec::new(), first: None })
    }

    /// Says what is known of a head, as `previous token 0.97`.
    pub fn note(mut self, layer: usize, head: usize, note: impl Into<String>) -> Self {
        self.notes.push(([layer, head], note.into()));
        self
    }

    /// The head whose large map is seen before one is chosen; else the first with a note.
    pub fn show_first(self, layer: usize, head: usize) -> Self {
        Self { first: Some([layer, head]), ..self }
    }

    /// The large map of a head; none where there is no such head.
    pub fn head(&self, layer: usize, head: usize) -> Option<Heatmap> {
        let notes: String = self.notes_of([layer, head]).flat_map(|note| [" · ", note]).collect();
        let title = format!("{}: {}{notes}", self.title, name([layer, head]));
        Heatmap::attention(title, &self.tokens, self.pattern([layer, head])?).ok()
    }

    /// Layer and head of every head, in order.
    fn places(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let heads = self.heads;
        (0..self.layers).flat_map(move |layer| (0..heads).map(move |head| [layer, head]))
    }

    fn pattern(&self, [layer, head]: [usize; 2]) -> Option<&[f32]> {
        let size = self.tokens.len() * self.tokens.len();
        let from = (layer * self.heads + head) * size;
        if layer < self.layers && head < self.heads { self.patterns.get(from..from + size) } else { None }
    }

    fn field(&self, place: [usize; 2], most: usize) -> Field<'_> {
        let side = self.tokens.len();
        let pattern = self.pattern(place).unwrap_or_default();
        Field::new(pattern, [side, side], [most, most]).with_above_diagonal(Above::Hidden)
    }

    fn notes_of(&self, place: [usize; 2]) -> impl Iterator<Item = &str> {
        self.notes.iter().filter(move |(at, _)| *at == place).map(|(_, note)| note.as_str())
    }

    /// Draws a small map at a point.
    fn draw_small(&self, svg: &mut Svg, place: [usize; 2], corner: [f64; 2]) {
        let field = self.field(place, SMALL_CELLS);
        svg.rect([corner[0], corner[1], SMALL, SMALL], Ink::Blank);
        let cell = SMALL / field.columns.max(1) as f64;
        field.draw(svg, &shades(), corner, [cell, cell]);
    }

    fn small(&self, place: [usize; 2]) -> String {
        let mut svg = Svg::new(&name(place));
        self.draw_small(&mut svg, place, [0.0, 0.0]);
        svg.inline()
    }

    /// How much of each large map is drawn, so that all together stay small.
    fn detail(&self) -> Detail {
        let heads = (self.layers * self.heads).max(1);
        let side = (LARGE_CELLS / heads).isqrt().clamp(LARGE_SIDE[0], LARGE_SIDE[1]);
        Detail { side, single: (SINGLE_CELLS / heads).min(1024) }
    }
}

impl Picture for AttentionGrid {
    fn title(&self) -> &str {
        &self.title
    }

    fn to_svg(&self) -> String {
        let mut svg = Svg::new(&self.title);
        for [layer, head] in self.places() {
            let [x, y] = [40.0 + head as f64 * (SMALL + 8.0), LINE + layer as f64 * (SMALL + 8.0)];
            if layer == 0 {
                svg.text([x + SMALL / 2.0, 12.0], Hold::Middle, Face::Token, Ink::Muted, &format!("H{head}"));
            }
            if head == 0 {
                let middle = [30.0, y + SMALL / 2.0 + 4.0];
                svg.text(middle, Hold::End, Face::Token, Ink::Muted, &format!("L{layer}"));
            }
            self.draw_small(&mut svg, [layer, head], [x, y]);
        }
        legend::draw(&mut svg, 40.0, &shades(), MEASURE);
        for (place, note) in self.notes.iter().take(HEADS) {
            let y = svg.height() + LINE;
            let note = format!("{}  {note}", name(*place));
            svg.text([40.0, y - 4.0], Hold::Start, Face::Word, Ink::Muted, &note);
        }
        svg.standalone()
    }

    fn to_html(&self, id: &str) -> String {
        let mut out = format!(
            r#"<div class="heads" id="{id}"><div class="scroll" role="region" tabindex="0" aria-label="{}"><ol style="--heads:{}">"#,
            Escaped(&self.title),
            self.heads
        );
        for place in self.places() {
            let notes = self.notes_of(place).map(|note| format!("<small>{}</small>", Escaped(note)));
            // Writing to a text cannot fail.
            let _ = write!(
                out,
                r##"<li><a href="#{id}{name}">{}<span>{name}</span>{}</a></li>"##,
                self.small(place),
                notes.collect::<String>(),
                name = name(place)
            );
        }
        out.push_str("</ol></div>");
        let first = self.first.or_else(|| self.notes.first().map(|(place, _)| *place)).unwrap_or([0, 0]);
        for place in self.places() {
            let Some(map) = self.head(place[0], place[1]) else { continue };
            let class = if place == first { "large first" } else { "large" };
            let _ = write!(
                out,
                r##"<div class="{class}" id="{id}{}"><h3>{} <a href="#{id}">all heads</a></h3>"##,
                name(place),
                Escaped(map.title())
            );
            let _ = write!(out, "{}</div>", heatmap::html(&map, self.detail()));
        }
        out.push_str("</div>");
        out
    }

    fn to_terminal(&self, width: usize, colour: Colour) -> String {
        let mut out = columns::heading(&self.title, width, colour);
        let side = self.field([0, 0], TERMINAL_CELLS).columns.max(4);
        let across = (width / (side + 2)).max(1);
        let places = self.places_in_terminal();
        for row in places.chunk_by(|one, two| one[0] == two[0]).flat_map(|layer| layer.chunks(across)) {
            let names = row.iter().map(|place| columns::left(&name(*place), side));
            out.push_str(&names.collect::<Vec<_>>().join("  "));
            end_line(&mut out);
            self.write_small(&mut out, row, side, colour);
        }
        let more = self.layers * self.heads - places.len();
        if more > 0 {
            let _ = writeln!(out, "{more} more heads are not shown.");
        }
        for (place, note) in &self.notes {
            let _ = writeln!(out, "{}  {}", name(*place), columns::cut(note, width.saturating_sub(8).max(8)));
        }
        out.push_str(&legend::line(&shades(), MEASURE, colour));
        out
    }

    /// What the last token looks at most in every head, and how sharp each head's attention is.
    fn table(&self) -> Table {
        let head = ["head", "known as", "last token looks at", "share", "mean of each row's largest share"];
        let mut table = Table::new(head);
        let side = self.tokens.len().max(1);
        let largest = |row: &[f32]| {
            let shares = row.iter().copied().enumerate().filter(|(_, share)| share.is_finite());
            shares.max_by(|one, two| one.1.total_cmp(&two.1))
        };
        for place in self.places() {
            // The first token can only look at itself.
            let rows = self.pattern(place).unwrap_or_default().chunks(side).skip(1);
            let largest: Vec<_> = rows.filter_map(largest).collect();
            let mean = largest.iter().map(|(_, share)| share).sum::<f32>() / largest.len() as f32;
            let (look, share) = largest.last().map_or_else(Default::default, |(to, share)| {
                let token = self.tokens.get(*to).map_or("", String::as_str);
                (format!("{} ({to})", token::visible(token)), number::exact(*share))
            });
            let notes = self.notes_of(place).collect::<Vec<_>>().join(", ");
            table.push([name(place), notes, look, share, number::exact(mean)]);
        }
        table
    }
}

impl AttentionGrid {
    /// The heads that a terminal shows: all where they are few, else those with notes, else the first.
    fn places_in_terminal(&self) -> Vec<[usize; 2]> {
        let is_noted = |place: &[usize; 2]| self.notes_of(*place).next().is_some();
        let mut places: Vec<_> = self.places().collect();
        if places.len() > TERMINAL_HEADS && places.iter().any(is_noted) {
            places.retain(is_noted);
        }
        places.truncate(TERMINAL_HEADS);
        places
    }

    /// The lines of small maps that stand beside each other.
    fn write_small(&self, out: &mut String, row: &[[usize; 2]], side: usize, colour: Colour) {
        let shades = shades();
        let fields: Vec<_> = row.iter().map(|place| self.field(*place, TERMINAL_CELLS)).collect();
        let rows = fields.iter().map(|field| field.rows).max().unwrap_or(0);
        for line in (0..rows).step_by(blocks::rows_a_line(colour)) {
            for field in &fields {
                blocks::push_line(out, field, line, &shades, colour);
                out.push_str(&" ".repeat((side + 2).saturating_sub(field.columns)));
            }
            end_line(out);
        }
    }
}

const MEASURE: &str = "share of attention; rows look, columns are looked at";

fn shades() -> Shades {
    Shades::new(Scale::Unit, [])
}

fn name([layer, head]: [usize; 2]) -> String {
    format!("L{layer}H{head}")
}
