//! Features in words.

use std::fmt::Write as _;

use llmtrace_exporters::text;
use llmtrace_lens::circuit::feature::{Context, FeatureCard, Histogram, TokenEffect};
use llmtrace_lens::report::{Colour, visible};

use super::Found;
use crate::grid::{FAINT, YELLOW, styled};
use crate::lens::output::Canvas;
use crate::unit::Unit;

const STRONG: &str = "\x1b[1m";

/// What a name of a line takes.
const NAME: usize = 15;

/// What a context takes at least.
const CONTEXT_MIN: usize = 20;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What a person reads of features.
pub(super) fn text(found: &Found<'_>, canvas: &Canvas) -> String {
    let page = Page { columns: canvas.width, is_colored: canvas.colour != Colour::None };
    let mut out = String::new();
    for (at, card) in found.features.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        page.card(card, &mut out);
    }
    out
}

/// How it is drawn.
struct Page {
    columns: usize,
    is_colored: bool,
}

impl Page {
    fn card(&self, card: &FeatureCard, out: &mut String) {
        let mut name = format!("L{} F{}", card.layer, card.feature);
        if let Some(label) = &card.label {
            let _ = write!(name, "  {}", visible(label));
        }
        let count = |value: u64| Unit::Count.shown(value as f64);
        out.push_str(&styled(&name, STRONG, self.is_colored));
        out.push('\n');
        let (active, tokens) = (count(card.active), count(card.tokens));
        self.line(
            "active",
            &format!("at {active} of {tokens} tokens, {}", Unit::Share.shown(card.density)),
            out,
        );
        if let (Some(histogram), Some(mean), Some(largest)) = (&card.histogram, card.mean, card.largest) {
            let bars = bars(histogram);
            let end = histogram.width * histogram.counts.len() as f32;
            self.line(
                "how strongly",
                &format!("0 {bars} {end:.3}   mean {mean:.3}, at most {largest:.3}"),
                out,
            );
        }
        self.effects("makes likelier", &card.promoted, out);
        self.effects("less likely", &card.suppressed, out);
        for (at, context) in card.contexts.iter().enumerate() {
            self.context(if at == 0 { "most active" } else { "" }, context, out);
        }
    }

    /// A line with its name, cut where it is wider than the page.
    fn line(&self, name: &str, said: &str, out: &mut String) {
        let said = text::cut(said, self.room());
        let _ = writeln!(out, "  {}{said}", self.name(name));
    }

    fn name(&self, name: &str) -> String {
        styled(&format!("{name:NAME$}"), FAINT, self.is_colored)
    }

    fn effects(&self, name: &str, effects: &[TokenEffect], out: &mut String) {
        if effects.is_empty() {
            return;
        }
        let mut told = String::new();
        for effect in effects {
            let next = format!("{} {:+.2}  ", visible(effect.token.text.trim()), effect.effect);
            // Whole words, as far as there is room; one there is always.
            if !told.is_empty() && text::width(&told) + text::width(next.trim_end()) > self.room() {
                break;
            }
            told.push_str(&next);
        }
        self.line(name, told.trim_end(), out);
    }

    /// Columns beside the name of a line.
    fn room(&self) -> usize {
        self.columns.saturating_sub(NAME + 2).max(CONTEXT_MIN)
    }

    /// The tokens around the place where the feature is most active; those where it is active stand out.
    fn context(&self, name: &str, context: &Context, out: &mut String) {
        let most = context.activations.get(context.at).copied().unwrap_or(0.0);
        let lead = format!("{most:<7.3} line {:<5} ", context.line);
        let room = self.room().saturating_sub(lead.len()).max(CONTEXT_MIN);
        let pieces: Vec<Piece> = context
            .tokens
            .iter()
            .zip(&context.activations)
            .map(|(token, activation)| Piece::new(token, *activation != 0.0, self.is_colored))
            .collect();
        let (from, to) = around(&pieces, context.at, room);
        let shown: String =
            pieces.get(from..to).unwrap_or_default().iter().map(|piece| piece.said.as_str()).collect();
        let before = if from > 0 { "…" } else { "" };
        let after = if to < pieces.len() { "…" } else { "" };
        let _ = writeln!(out, "  {}{lead}{before}{}{after}", self.name(name), shown.trim());
    }
}

/// A token of a context, as it is written.
struct Piece {
    said: String,
    width: usize,
}

impl Piece {
    fn new(token: &str, is_active: bool, is_colored: bool) -> Self {
        let word = visible(token.trim());
        let space = if token.starts_with(char::is_whitespace) { " " } else { "" };
        let width = space.len() + text::width(&word) + if is_active && !is_colored { 2 } else { 0 };
        let said = match (is_active, is_colored) {
            (false, _) => format!("{space}{word}"),
            (true, true) => format!("{space}{}", styled(&word, YELLOW, true)),
            (true, false) => format!("{space}[{word}]"),
        };
        Self { said, width }
    }
}

/// The pieces that have room around one of them.
fn around(pieces: &[Piece], at: usize, room: usize) -> (usize, usize) {
    let width = |at: usize| pieces.get(at).map(|piece| piece.width);
    let mut left = room.saturating_sub(2 + width(at).unwrap_or(0));
    let (mut from, mut to) = (at, (at + 1).min(pieces.len()));
    loop {
        let mut grown = false;
        if let Some(next) = from.checked_sub(1).and_then(width).filter(|next| *next <= left) {
            (from, left, grown) = (from - 1, left - next, true);
        }
        if let Some(next) = width(to).filter(|next| *next <= left) {
            (to, left, grown) = (to + 1, left - next, true);
        }
        if !grown {
            return (from, to);
        }
    }
}

/// A histogram as a line of bars, each as high as the root of its count: rare strong activations stay to be seen.
fn bars(histogram: &Histogram) -> String {
    let most = histogram.counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let bar = |count: &u64| {
        if *count == 0 {
            return ' ';
        }
        let height = (*count as f64 / most).sqrt() * (BARS.len() - 1) as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to the number of bars"
        )]
        BARS.get(height.round() as usize).copied().unwrap_or('█')
    };
    histogram.counts.iter().map(bar).collect()
}
