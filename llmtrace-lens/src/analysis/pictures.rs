//! What was read of a run, as pictures of a report.

use super::attention::{AttentionSummary, HeadSummary};
use super::direct::DirectAttribution;
use super::error::ReadError;
use super::logit_lens::LogitLens;
use super::reading::Reading;
use super::residual_norms::ResidualNorms;
use crate::ops::floats;
use crate::report::{
    AttentionGrid, AttributedPrompt, Axis, Heatmap, LensCell, LogitLensTable, PictureError, Scale,
};

/// The least score that a picture notes beside a head.
const NOTED: f32 = 0.5;

impl LogitLens {
    /// The table as a picture; where the last position was read, what the model says there is marked. Pictures give entropy in bits.
    ///
    /// # Errors
    /// There are more cells than a picture has.
    pub fn picture(&self, title: impl Into<String>) -> Result<LogitLensTable, PictureError> {
        let tokens: Vec<&str> = self.tokens.iter().map(|token| token.text.as_str()).collect();
        let mut table = LogitLensTable::new(title, &tokens);
        let end = self.rows.last().and_then(|row| row.cells.last()).and_then(super::LensCell::best);
        if let Some(answer) = end {
            table = table.answer(answer.token.text.as_str());
        }
        for row in &self.rows {
            let cells = row.cells.iter().map(|cell| {
                let top = cell.top.iter().map(|guess| (guess.token.text.as_str(), guess.probability));
                LensCell::new(cell.entropy / std::f32::consts::LN_2, top)
            });
            table = table.layer(row.place(), cells)?;
        }
        Ok(table)
    }
}

impl DirectAttribution<'_> {
    /// What each head adds: a row for each block, a column for each head.
    ///
    /// # Errors
    /// As for [`heads`](Self::heads).
    pub fn head_map(&self, title: impl Into<String>) -> Result<Heatmap, ReadError> {
        let (heads, config) = (self.heads()?, self.reading.config());
        let values = heads.parts.iter().filter(|part| part.index.is_some()).map(|part| part.value);
        let rows = Axis::counted("layer", "L", config.layers);
        let columns = Axis::counted("head", "H", config.heads);
        let map = Heatmap::new(title, rows, columns, values.collect::<Vec<_>>())?;
        Ok(map.scale(Scale::Centred).value_is(heads.measure()))
    }

    /// What attention and MLP of each block add: a row for each of the two, a column for each block.
    ///
    /// # Errors
    /// As for [`components`](Self::components).
    pub fn layer_map(&self, title: impl Into<String>) -> Result<Heatmap, ReadError> {
        let components = self.components()?;
        let in_blocks = components.parts.iter().filter(|part| part.layer.is_some());
        let (attention, mlp): (Vec<_>, Vec<_>) =
            in_blocks.partition(|part| part.label.ends_with("_attn_out"));
        let values: Vec<f32> = attention.iter().chain(&mlp).map(|part| part.value).collect();
        let columns = Axis::counted("layer", "L", self.reading.config().layers);
        let map = Heatmap::new(title, Axis::named("part", ["attention", "MLP"]), columns, values)?;
        Ok(map.scale(Scale::Centred).value_is(components.measure()))
    }

    /// The prompt, coloured by what a head adds through what it read at each position.
    ///
    /// # Errors
    /// As for [`sources`](Self::sources).
    pub fn source_prompt(
        &self,
        layer: usize,
        head: usize,
        title: impl Into<String>,
    ) -> Result<AttributedPrompt, ReadError> {
        let sources = self.sources(layer, head)?;
        let mut prompt = AttributedPrompt::new(title, sources.measure()).method(format!(
            "direct logit attribution through head L{layer}H{head}, by the position it read"
        ));
        let by_position = sources.parts.iter().filter(|part| part.index.is_some());
        for (part, token) in by_position.zip(self.reading.labels()) {
            prompt = prompt.part(token.text, part.value);
        }
        Ok(prompt)
    }
}

impl AttentionSummary {
    /// One score of every head: a row for each block, a column for each head.
    ///
    /// # Errors
    /// There are more heads than a picture has cells.
    pub fn head_map(
        &self,
        title: impl Into<String>,
        score: impl Fn(&HeadSummary) -> Option<f32>,
    ) -> Result<Heatmap, PictureError> {
        let count =
            |of: fn(&HeadSummary) -> usize| self.heads.iter().map(of).max().map_or(0, |last| last + 1);
        let rows = Axis::counted("layer", "L", count(|head| head.layer));
        let columns = Axis::counted("head", "H", count(|head| head.head));
        let values: Vec<f32> = self.heads.iter().map(|head| score(head).unwrap_or(f32::NAN)).collect();
        Heatmap::new(title, rows, columns, values)
    }
}

impl HeadSummary {
    /// What the head does over this text: its scores of at least a half. Those of repeated tokens say little of a text
    /// that was not made for them.
    fn roles(&self) -> impl Iterator<Item = String> {
        let scores = [("previous token", self.previous_token), ("first token", self.first_token)];
        let noted = scores.into_iter().filter(|(_, score)| *score >= NOTED);
        noted.map(|(role, score)| format!("{role} {score:.2}"))
    }
}

impl ResidualNorms {
    /// The norms as a heat map; those that stand out have a frame.
    ///
    /// # Errors
    /// There are more values than a picture has.
    pub fn picture(&self, title: impl Into<String>) -> Result<Heatmap, PictureError> {
        let rows = Axis::named("point", self.rows.iter().map(|row| super::logit_lens::place(&row.label)));
        let columns = Axis::tokens("position", self.tokens.iter().map(|token| token.text.as_str()));
        let values: Vec<f32> = self.rows.iter().flat_map(|row| row.norms.iter().copied()).collect();
        let mut map = Heatmap::new(title, rows, columns, values)?.value_is("norm of the residual stream");
        for (at, row) in self.rows.iter().enumerate() {
            for position in &row.outliers {
                map = map.mark(at, *position);
            }
        }
        Ok(map)
    }
}

impl Reading<'_> {
    /// The attention of every head as a picture, with what each head does most. What an
    /// [`InductionTest`](super::InductionTest) finds can be noted beside it.
    ///
    /// # Errors
    /// As for [`attention_summary`](Self::attention_summary); or there is more than a picture has.
    pub fn attention_grid(&self, title: impl Into<String>) -> Result<AttentionGrid, ReadError> {
        let config = self.config();
        let mut patterns = Vec::new();
        for layer in 0..config.layers {
            patterns.extend(floats(&self.pattern(layer)?)?);
        }
        let tokens: Vec<String> = self.labels().into_iter().map(|token| token.text).collect();
        let mut grid = AttentionGrid::new(title, &tokens, [config.layers, config.heads], patterns)?;
        for head in self.attention_summary()?.heads {
            for role in head.roles() {
                grid = grid.note(head.layer, head.head, role);
            }
        }
        Ok(grid)
    }
}
