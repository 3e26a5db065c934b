use std::fmt::Write as _;

use super::columns::{self, end_line};
use super::ink::Ink;
use super::legend;
use super::markup::{Escaped, Word};
use super::number;
use super::scale::Shades;
use super::svg::{Face, Hold, LINE, Svg, text_width};
use super::token;
use super::{Colour, Picture, Scale, Table};

/// How wide the lines of tokens are.
const WIDTH: f64 = 760.0;

/// How high a token stands with its value.
const HEIGHT: f64 = 44.0;

/// The most characters of a token.
const TOKEN: usize = 32;

/// The most alternatives that stand below a token.
const ALTERNATIVES: usize = 3;

/// What the colour of a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measure {
    /// The probability that the model gave it.
    Probability,
    /// How surprised the model was: the negative base-2 logarithm of the probability, in bits.
    Surprisal,
    /// How unsure the model was before it: the entropy of its distribution, in bits.
    Entropy,
}

impl Measure {
    fn name(self) -> &'static str {
        match self {
            Self::Probability => "probability",
            Self::Surprisal => "surprisal in bits",
            Self::Entropy => "entropy in bits",
        }
    }

    fn scale(self) -> Scale {
        match self {
            Self::Probability => Scale::Unit,
            Self::Surprisal | Self::Entropy => Scale::FromZero,
        }
    }

    fn written(self, value: f32) -> String {
        match self {
            _ if value.is_nan() => "–".to_owned(),
            Self::Probability => number::percent(value),
            Self::Surprisal | Self::Entropy => number::short(value),
        }
    }
}

/// A text token by token, each coloured by what the model made of it.
#[derive(Clone, Debug)]
pub struct TokenStrip {
    title: String,
    measure: Measure,
    tokens: Vec<Chosen>,
}

#[derive(Clone, Debug)]
struct Chosen {
    token: String,
    value: f32,
    alternatives: Vec<(String, f32)>,
}

impl TokenStrip {
    /// A strip without tokens.
    pub fn new(title: impl Into<String>, measure: Measure) -> Self {
        Self { title: title.into(), measure, tokens: Vec::new() }
    }

    /// Adds a token; one of which nothing is known, as the first of a prompt, has the value NaN.
    pub fn token(mut self, token: &str, value: f32) -> Self {
        self.tokens.push(Chosen { token: token::visible(token), value, alternatives: Vec::new() });
        self
    }

    /// Says what the model held possible in place of the last token, with probabilities, best first.
    pub fn alternatives<T: AsRef<str>>(mut self, tokens: impl IntoIterator<Item = (T, f32)>) -> Self {
        if let Some(last) = self.tokens.last_mut() {
            last.alternatives = tokens.into_iter().map(|(t, p)| (token::visible(t.as_ref()), p)).collect();
        }
        self
    }

    fn shades(&self) -> Shades {
        Shades::new(self.measure.scale(), self.tokens.iter().map(|token| token.value))
    }

    fn hint(&self, token: &Chosen) -> String {
        let mut hint = format!("{} · {} {}", token.token, self.measure.name(), number::exact(token.value));
        for (other, probability) in &token.alternatives {
            // Writing to a text cannot fail.
            let _ = write!(hint, "\n{other} {}", number::percent(*probability));
        }
        hint
    }
}

impl Picture for TokenStrip {
    fn title(&self) -> &str {
        &self.title
    }

    fn to_svg(&self) -> String {
        let mut svg = Svg::new(&self.title);
        let shades = self.shades();
        let [mut x, mut y] = [0.0, 0.0];
        for token in &self.tokens {
            let text = columns::cut(&token.token, TOKEN);
            let value = self.measure.written(token.value);
            let width = text_width(&text).max(text_width(&value)) + 10.0;
            if x > 0.0 && x + width > WIDTH {
                [x, y] = [0.0, y + HEIGHT];
            }
            svg.rect_with_hint([x, y, width, 22.0], shades.fill(token.value), &self.hint(token));
            let middle = x + width / 2.0;
            svg.text([middle, y + 15.5], Hold::Middle, Face::Token, shades.text(token.value), &text);
            svg.text([middle, y + 22.0 + LINE - 5.0], Hold::Middle, Face::Cell, Ink::Muted, &value);
            x += width + 3.0;
        }
        legend::draw(&mut svg, 0.0, &shades, self.measure.name());
        svg.standalone()
    }

    fn to_html(&self, _id: &str) -> String {
        let shades = self.shades();
        let mut out = String::new();
        for token in &self.tokens {
            // Writing to a text cannot fail.
            let _ = write!(
                out,
                r#"<li title="{}"><span class="token {}">{}</span><small>{}</small>"#,
                Escaped(&self.hint(token)),
                shades.fill(token.value).class(),
                Word(&token.token),
                Escaped(&self.measure.written(token.value))
            );
            if !token.alternatives.is_empty() {
                out.push_str("<ul>");
                for (other, probability) in token.alternatives.iter().take(ALTERNATIVES) {
                    let _ = write!(
                        out,
                        "<li>{} <small>{}</small></li>",
                        Word(&columns::cut(other, TOKEN)),
                        Escaped(&number::percent(*probability))
                    );
                }
                out.push_str("</ul>");
            }
            out.push_str("</li>");
        }
        let strip = super::picture::in_box(&self.title, &format!(r#"<ol class="strip">{out}</ol>"#));
        strip + &legend::html(&shades, self.measure.name())
    }

    fn to_terminal(&self, width: usize, colour: Colour) -> String {
        let shades = self.shades();
        let mut out = columns::heading(&self.title, width, colour);
        let mut used = 0;
        for token in &self.tokens {
            let mut text = columns::cut(&token.token, TOKEN);
            if colour == Colour::None {
                let _ = write!(text, "[{}]", self.measure.written(token.value));
            }
            let columns = columns::width(&text) + 1;
            if used > 0 && used + columns > width {
                end_line(&mut out);
                used = 0;
            }
            match shades.terminal(colour, token.value) {
                Some((front, ground)) => colour.paint(&mut out, &text, front, ground),
                None => out.push_str(&text),
            }
            out.push(' ');
            used += columns;
        }
        end_line(&mut out);
        if colour != Colour::None {
            out.push_str(&legend::line(&shades, self.measure.name(), colour));
        }
        out
    }

    fn table(&self) -> Table {
        let mut table = Table::new(["#", "token", self.measure.name(), "alternatives"]);
        for (at, token) in self.tokens.iter().enumerate() {
            let others = token.alternatives.iter().map(|(t, p)| format!("{t} {}", number::exact(*p)));
            let others = others.collect::<Vec<_>>().join("   ");
            table.push([at.to_string(), token.token.clone(), number::exact(token.value), others]);
        }
        table
    }
}
