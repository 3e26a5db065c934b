//! What the logit lens answers.

use std::fmt;

use serde::Serialize;

use crate::model::TokenLabel;

/// What the model would say if it stopped after a layer: the residual stream there, read by the final norm and the
/// unembedding (nostalgebraist 2020, "interpreting GPT: the logit lens").
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LogitLens {
    /// The positions that were read.
    pub positions: Vec<usize>,
    /// The tokens at these positions.
    pub tokens: Vec<TokenLabel>,
    /// One row for each point of the stream, in the order of the forward pass.
    pub rows: Vec<LensRow>,
}

/// One point of the residual stream.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LensRow {
    /// The hook point's name.
    pub point: String,
    /// Its short name: `0_pre`, `0_mid`, `0_post`.
    pub label: String,
    /// One cell for each position that was read.
    pub cells: Vec<LensCell>,
}

/// What one point says at one position.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LensCell {
    /// The most probable tokens, best first.
    pub top: Vec<Guess>,
    /// The tokens that were asked for, in their order.
    pub tracked: Vec<Tracked>,
    /// Entropy of the distribution in nats.
    pub entropy: f32,
    /// How far the model's final distribution is from this one: `KL(final || here)` in nats (Belrose et al. 2023); 0 at
    /// the end.
    pub kl_to_final: f32,
}

/// A token that is said.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Guess {
    /// The token.
    #[serde(flatten)]
    pub token: TokenLabel,
    /// Its logit, after the model's softcap where it has one.
    pub logit: f32,
    /// Its probability.
    pub probability: f32,
}

/// Where a token stands that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Tracked {
    /// The token, its logit and its probability.
    #[serde(flatten)]
    pub guess: Guess,
    /// 1 for the most probable; tokens of equal logits share their rank.
    pub rank: usize,
}

impl LogitLens {
    /// The cell of a row at the last position that was read.
    pub fn last(&self, row: usize) -> Option<&LensCell> {
        self.rows.get(row)?.cells.last()
    }

    /// The row from which on a token is the best guess at a position of the sequence until the end.
    pub fn settled(&self, token: u32, position: usize) -> Option<usize> {
        let column = self.positions.iter().position(|read| *read == position)?;
        let says = |row: &LensRow| {
            row.cells.get(column).and_then(|cell| cell.top.first()).is_some_and(|best| best.token.id == token)
        };
        let undecided = self.rows.iter().rposition(|row| !says(row)).map_or(0, |row| row + 1);
        (undecided < self.rows.len()).then_some(undecided)
    }
}

impl LensRow {
    /// Where that is, in words: `before layer 0`, `after layer 0`.
    pub fn place(&self) -> String {
        place(&self.label)
    }
}

impl LensCell {
    /// The most probable token.
    pub fn best(&self) -> Option<&Guess> {
        self.top.first()
    }
}

/// A place of the residual stream in words: `after layer 1`.
pub(super) fn place(label: &str) -> String {
    match label.split_once('_') {
        Some((layer, "pre")) => format!("before layer {layer}"),
        Some((layer, "mid")) => format!("inside layer {layer}"),
        Some((layer, "post")) => format!("after layer {layer}"),
        _ => label.to_owned(),
    }
}

impl fmt::Display for LogitLens {
    /// A table of best guesses with their probabilities: a row for each point, a column for each position.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guess = |cell: &LensCell| match cell.best() {
            Some(best) => format!("{:?} {:.2}", best.token.text, best.probability),
            None => String::new(),
        };
        let head = self.tokens.iter().zip(&self.positions);
        let mut lines = vec![vec![String::new()]];
        lines[0].extend(head.map(|(token, position)| format!("{position} {:?}", token.text)));
        for row in &self.rows {
            let mut line = vec![row.label.clone()];
            line.extend(row.cells.iter().map(guess));
            lines.push(line);
        }
        super::columns::write(f, &lines)
    }
}
