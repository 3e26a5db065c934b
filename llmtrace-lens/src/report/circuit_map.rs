use std::fmt::Write as _;

use super::ink::Ink;
use super::markup::Escaped;
use super::picture::in_box;
use super::scale::Shades;
use super::svg::{CHARACTER, Face, Hold, Svg, px, text_width};
use super::token::visible;
use super::{Colour, Picture, PictureError, Scale, Table, columns, number};

/// The most nodes and links that are drawn; of more, those that matter most are.
const NODES: usize = 60;
const LINKS: usize = 160;

/// Letters of a name in the drawing.
const NAME: usize = 16;

/// Units between rows, and the height of a box.
const ROW: f64 = 62.0;
const BOX: f64 = 22.0;

/// An attribution graph: tokens along the bottom, layers above each other, possible answers on top, and what adds to what.
#[derive(Clone, Debug)]
pub struct CircuitMap {
    title: String,
    columns: usize,
    rows: Vec<String>,
    nodes: Vec<CircuitNode>,
    links: Vec<CircuitLink>,
    ways: Vec<CircuitWay>,
}

/// What a node of a [`CircuitMap`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitKind {
    /// A feature.
    Feature,
    /// What features miss.
    Error,
    /// A token of the prompt.
    Token,
    /// What is explained.
    Answer,
}

/// A node of a [`CircuitMap`].
#[derive(Clone, Debug, PartialEq)]
pub struct CircuitNode {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub kind: CircuitKind,
    /// The position of its token.
    pub column: usize,
    /// Its row, counted from the lowest.
    pub row: usize,
    /// How much it matters, in any unit: of many, those with the most are drawn.
    pub influence: f64,
}

/// A link of a [`CircuitMap`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CircuitLink {
    /// The number of the node that adds.
    pub from: usize,
    /// The number of the node that is added to.
    pub to: usize,
    /// How much it adds; takes where it is below 0.
    pub weight: f32,
}

/// One way from a token to an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct CircuitWay {
    /// Names of the nodes that it goes through.
    pub steps: Vec<String>,
    /// Its share of all influence.
    pub share: f64,
    /// Whether it speaks for the answer.
    pub supports: bool,
}

impl CircuitMap {
    /// A graph over `columns` positions and these rows, from the lowest up; what of it stands outside is refused.
    ///
    /// # Errors
    /// A node stands in no column or row, or a link leads from or to a node that is not there.
    pub fn new(
        title: impl Into<String>,
        columns: usize,
        rows: Vec<String>,
        nodes: Vec<CircuitNode>,
        links: Vec<CircuitLink>,
    ) -> Result<Self, PictureError> {
        let title = title.into();
        let most = |values: &mut dyn Iterator<Item = usize>| values.max().map_or(0, |last| last + 1);
        let check = |what, found, limit| PictureError::check_size(&title, what, found, limit);
        check("columns", most(&mut nodes.iter().map(|node| node.column)), columns)?;
        check("rows", most(&mut nodes.iter().map(|node| node.row)), rows.len())?;
        check("linked nodes", most(&mut links.iter().map(|link| link.from.max(link.to))), nodes.len())?;
        Ok(Self { title, columns, rows, nodes, links, ways: Vec::new() })
    }

    /// The strongest ways through it, the strongest first.
    pub fn ways(self, ways: impl IntoIterator<Item = CircuitWay>) -> Self {
        Self { ways: ways.into_iter().collect(), ..self }
    }

    /// The ways that it lists.
    pub fn strongest_ways(&self) -> &[CircuitWay] {
        &self.ways
    }

    /// The numbers of the nodes that are drawn: answers, and of the rest those that matter most.
    fn drawn(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.nodes.len()).collect();
        let rank = |node: &usize| {
            self.nodes
                .get(*node)
                .map_or((false, 0.0), |node| (node.kind == CircuitKind::Answer, node.influence))
        };
        order.sort_by(|a, b| {
            let (a, b) = (rank(a), rank(b));
            b.0.cmp(&a.0).then(b.1.total_cmp(&a.1))
        });
        order.truncate(NODES);
        order
    }

    /// The links between drawn nodes that are drawn, the weakest first.
    fn drawn_links(&self, drawn: &[usize]) -> Vec<CircuitLink> {
        let is_drawn = |link: &&CircuitLink| {
            drawn.contains(&link.from) && drawn.contains(&link.to) && link.weight.is_finite()
        };
        let mut links: Vec<CircuitLink> = self.links.iter().filter(is_drawn).copied().collect();
        links.sort_by(|a, b| a.weight.abs().total_cmp(&b.weight.abs()));
        links.split_off(links.len().saturating_sub(LINKS))
    }

    fn draw(&self) -> Svg {
        let mut svg = Svg::new(&self.title);
        let drawn = self.drawn();
        let places = self.places(&drawn);
        for (row, name) in self.rows.iter().enumerate() {
            svg.text([0.0, self.height(row) + 4.0], Hold::Start, Face::Word, Ink::Muted, name);
        }
        let links = self.drawn_links(&drawn);
        let shades = Shades::new(Scale::Centred, links.iter().map(|link| link.weight));
        let largest = links.last().map_or(1.0, |link| f64::from(link.weight.abs())).max(f64::MIN_POSITIVE);
        for link in &links {
            let (Some(from), Some(to)) = (place(&places, link.from), place(&places, link.to)) else {
                continue;
            };
            let width = 0.7 + 4.0 * (f64::from(link.weight.abs()) / largest);
            svg.path(&stroke([from, to], width, link.weight < 0.0), shades.fill(link.weight));
        }
        for (number, at) in &places {
            let Some(node) = self.nodes.get(*number) else { continue };
            draw_node(&mut svg, node, *at);
        }
        svg
    }

    fn height(&self, row: usize) -> f64 {
        BOX / 2.0 + 4.0 + ROW * self.rows.len().saturating_sub(row + 1) as f64
    }

    /// Where each drawn node stands.
    fn places(&self, drawn: &[usize]) -> Vec<(usize, [f64; 2])> {
        let nodes = || drawn.iter().filter_map(|number| Some((*number, self.nodes.get(*number)?)));
        let cell = |column: usize, row: usize| {
            nodes().filter(move |(_, node)| node.column == column && node.row == row)
        };
        let mut left =
            self.rows.iter().map(|name| text_width(&columns::cut(name, 40))).fold(0.0, f64::max) + 16.0;
        let mut places = Vec::new();
        for column in 0..self.columns {
            let widths =
                (0..self.rows.len()).map(|row| cell(column, row).map(|(_, node)| node.width()).sum());
            let width = widths.fold(0.0, f64::max);
            for row in 0..self.rows.len() {
                let own: f64 = cell(column, row).map(|(_, node)| node.width()).sum();
                let mut x = left + (width - own) / 2.0;
                for (number, node) in cell(column, row) {
                    let at = if node.is_boxed() { node.width() / 2.0 } else { 9.0 };
                    places.push((number, [x + at, self.height(row)]));
                    x += node.width();
                }
            }
            left += width;
        }
        places
    }

    /// Says what is left out, where something is.
    fn left_out(&self) -> Option<String> {
        let drawn = self.drawn();
        let links = self.drawn_links(&drawn).len();
        (drawn.len() < self.nodes.len() || links < self.links.len()).then(|| {
            format!(
                "Drawn are {} of {} nodes and {links} of {} links: those that matter most.",
                drawn.len(),
                self.nodes.len(),
                self.links.len()
            )
        })
    }

    fn name(&self, node: usize) -> String {
        self.nodes.get(node).map_or_else(String::new, |node| visible(&node.name))
    }
}

impl CircuitNode {
    fn is_boxed(&self) -> bool {
        matches!(self.kind, CircuitKind::Token | CircuitKind::Answer)
    }

    fn shown(&self) -> String {
        columns::cut(&visible(&self.name), NAME)
    }

    fn width(&self) -> f64 {
        text_width(&self.shown()) + if self.is_boxed() { 24.0 } else { 28.0 }
    }
}

impl Picture for CircuitMap {
    fn title(&self) -> &str {
        &self.title
    }

    fn to_svg(&self) -> String {
        self.draw().standalone()
    }

    fn to_html(&self, _id: &str) -> String {
        let mut out = in_box(&self.title, &self.draw().inline());
        // Writing to a text cannot fail.
        if let Some(words) = self.left_out() {
            let _ = write!(out, r#"<p class="note">{}</p>"#, Escaped(&words));
        }
        if !self.ways.is_empty() {
            out.push_str(r#"<ol class="ways">"#);
            for way in &self.ways {
                let steps: Vec<String> =
                    way.steps.iter().map(|step| format!("<bdi>{}</bdi>", Escaped(&visible(step)))).collect();
                let (share, side) = (number::percent(way.percentage()), way.side());
                let _ = write!(
                    out,
                    "<li><b>{}</b> {} <small>{side}</small></li>",
                    Escaped(&share),
                    steps.join(" → ")
                );
            }
            out.push_str("</ol>");
        }
        out
    }

    fn to_terminal(&self, width: usize, colour: Colour) -> String {
        let mut out = columns::heading(&self.title, width, colour);
        for way in &self.ways {
            let steps: Vec<String> = way.steps.iter().map(|step| visible(step)).collect();
            let line = format!(
                "{}  {} ({})",
                columns::right(&number::percent(way.percentage()), 5),
                steps.join(" → "),
                way.side()
            );
            out.push_str(&columns::cut(&line, width));
            out.push('\n');
        }
        out
    }

    fn table(&self) -> Table {
        let mut table = Table::new(["from", "to", "weight"]);
        let mut links: Vec<&CircuitLink> = self.links.iter().collect();
        links.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        for link in links {
            table.push([self.name(link.from), self.name(link.to), number::exact(link.weight)]);
        }
        table
    }
}

impl CircuitWay {
    #[expect(clippy::cast_possible_truncation, reason = "a share in percent needs no more digits")]
    fn percentage(&self) -> f32 {
        self.share as f32
    }

    fn side(&self) -> &'static str {
        if self.supports { "for" } else { "against" }
    }
}

fn place(places: &[(usize, [f64; 2])], number: usize) -> Option<[f64; 2]> {
    places.iter().find(|(known, _)| *known == number).map(|(_, at)| *at)
}

fn draw_node(svg: &mut Svg, node: &CircuitNode, [x, y]: [f64; 2]) {
    let (name, half) = (node.shown(), node.width() / 2.0 - 4.0);
    match node.kind {
        CircuitKind::Token | CircuitKind::Answer => {
            let ink = if node.kind == CircuitKind::Token { Ink::Blank } else { Ink::Line };
            svg.rect([x - half, y - BOX / 2.0, 2.0 * half, BOX], ink);
            svg.text([x, y + 4.0], Hold::Middle, Face::Token, Ink::Text, &name);
            return;
        }
        CircuitKind::Feature => {
            let (left, y) = (px(x - 6.0), px(y));
            svg.path(&format!("M{left} {y}a6 6 0 1 0 12 0a6 6 0 1 0 -12 0z"), Ink::Text);
        }
        CircuitKind::Error => {
            svg.path(&format!("M{} {}l6 6l-6 6l-6 -6z", px(x), px(y - 6.0)), Ink::Muted);
        }
    }
    svg.text([x + 9.0, y - 6.0], Hold::Start, Face::Cell, Ink::Text, &name);
    svg.reach(x + text_width(&name) + CHARACTER, y + 8.0);
}

/// Units of a dash, and of the gap after it.
const DASH: [f64; 2] = [6.0, 4.0];

/// A line as a filled shape, in pieces where it takes away.
fn stroke([from, to]: [[f64; 2]; 2], width: f64, in_pieces: bool) -> String {
    let (across, down) = (to[0] - from[0], to[1] - from[1]);
    let length = across.hypot(down).max(1e-6);
    let unit = [across / length, down / length];
    let aside = [-unit[1] * width / 2.0, unit[0] * width / 2.0];
    let mut data = String::new();
    let mut piece = |start: f64, end: f64| {
        let at = |along: f64, side: f64| {
            let point = [0, 1].map(|axis: usize| {
                let of = |vector: &[f64; 2]| vector.get(axis).copied().unwrap_or_default();
                of(&from) + of(&unit) * along + of(&aside) * side
            });
            format!("{} {}", px(point[0]), px(point[1]))
        };
        // Writing to a text cannot fail.
        let _ = write!(data, "M{}L{}L{}L{}z", at(start, 1.0), at(end, 1.0), at(end, -1.0), at(start, -1.0));
    };
    if !in_pieces {
        piece(0.0, length);
        return data;
    }
    let mut start = 0.0;
    while start < length {
        piece(start, (start + DASH[0]).min(length));
        start += DASH[0] + DASH[1];
    }
    data
}
