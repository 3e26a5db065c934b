//! Asking for a logit lens.

use candle_core::Tensor;
use rayon::prelude::*;

use super::error::ReadError;
use super::logit_lens::{Guess, LensCell, LensRow, LogitLens, Tracked};
use super::reading::{Reading, single};
use crate::hooks::{Filter, HookPoint, Site, points};
use crate::ops::floats;
use crate::ops::{self, Distribution, greatest, rank};

/// How many logits are held at once.
const CHUNK: usize = 1 << 22;

/// What the logit lens is to read of a run; made by [`Reading::logit_lens`].
#[derive(Clone, Debug)]
pub struct LensQuery<'r> {
    reading: &'r Reading<'r>,
    points: Option<Filter>,
    positions: Option<Vec<usize>>,
    top: usize,
    tracked: Vec<u32>,
}

impl Reading<'_> {
    /// The logit lens of this run: at every position, at the stream that enters the first block and that leaves each.
    pub fn logit_lens(&self) -> LensQuery<'_> {
        LensQuery { reading: self, points: None, positions: None, top: 5, tracked: Vec::new() }
    }
}

impl LensQuery<'_> {
    /// Reads these points of the residual stream: `blocks.*.hook_resid_mid`.
    pub fn points(mut self, points: impl Into<Filter>) -> Self {
        self.points = Some(points.into());
        self
    }

    /// Reads these positions only; the others are not turned into logits.
    pub fn positions(mut self, positions: impl IntoIterator<Item = usize>) -> Self {
        self.positions = Some(positions.into_iter().collect());
        self
    }

    /// Reads the last position only.
    pub fn last(self) -> Self {
        let last = self.reading.tokens.len().saturating_sub(1);
        self.positions([last])
    }

    /// Keeps this many of the most probable tokens of each cell; 5 where nothing is said.
    pub fn top(mut self, count: usize) -> Self {
        self.top = count;
        self
    }

    /// Keeps rank, logit and probability of these tokens in each cell.
    pub fn track(mut self, tokens: impl IntoIterator<Item = u32>) -> Self {
        self.tracked.extend(tokens);
        self
    }

    /// Reads.
    ///
    /// # Errors
    /// A point is no residual stream or does not exist, a position or a token is out of range, or the run did not keep
    /// a point, that of the last block's output included.
    pub fn read(&self) -> Result<LogitLens, ReadError> {
        let (model, steps) = (self.reading.model, self.reading.tokens.len());
        let config = model.config();
        for token in &self.tracked {
            ReadError::check("token", *token as usize, config.vocab)?;
        }
        let positions = self.positions.clone().unwrap_or_else(|| (0..steps).collect());
        for position in &positions {
            ReadError::check("position", *position, steps)?;
        }
        let points = self.chosen()?;
        let mut rows = Vec::with_capacity(points.len());
        for point in &points {
            self.reading.stream(*point)?;
            let label = point.stream_label();
            rows.push(LensRow {
                point: point.to_string(),
                label,
                cells: Vec::with_capacity(positions.len()),
            });
        }
        let at_once = (CHUNK / config.vocab.max(1)).max(1);
        for positions in positions.chunks(at_once) {
            let end = self.logits(self.reading.last_point(), positions)?;
            let ends: Vec<(Distribution, &[f32])> = end
                .par_chunks(config.vocab.max(1))
                .map(|logits| (Distribution::of(logits), logits))
                .collect();
            for (row, point) in rows.iter_mut().zip(&points) {
                let here = self.logits(*point, positions)?;
                let here = here.par_chunks(config.vocab.max(1)).zip(&ends);
                let cells: Vec<LensCell> = here.map(|(logits, end)| self.cell(logits, end)).collect();
                row.cells.extend(cells);
            }
        }
        let tokens = positions.iter().filter_map(|position| self.reading.tokens.get(*position));
        let tokens = tokens.map(|id| model.token_label(*id)).collect();
        Ok(LogitLens { positions, tokens, rows })
    }

    /// The points to read, in the order of the forward pass.
    fn chosen(&self) -> Result<Vec<HookPoint>, ReadError> {
        let config = self.reading.config();
        let Some(filter) = &self.points else {
            let first = HookPoint::block(0, Site::ResidPre);
            let blocks = (0..config.layers).map(|layer| HookPoint::block(layer, Site::ResidPost));
            return Ok(std::iter::once(first).chain(blocks).collect());
        };
        let set = filter.resolve(config)?;
        let chosen: Vec<HookPoint> = points(config).filter(|point| set.contains(*point)).collect();
        let residual =
            |point: &HookPoint| matches!(point.site(), Site::ResidPre | Site::ResidMid | Site::ResidPost);
        match chosen.iter().find(|point| !residual(point)) {
            Some(point) => Err(ReadError::NotResidual { point: *point }),
            None => Ok(chosen),
        }
    }

    /// Logits of some positions of a point of the stream, row by row, as the model's own end computes them.
    pub(crate) fn logits(&self, point: HookPoint, positions: &[usize]) -> Result<Vec<f32>, ReadError> {
        let (model, stream) = (self.reading.model, self.reading.stream(point)?);
        let rows: Vec<u32> = positions.iter().filter_map(|position| u32::try_from(*position).ok()).collect();
        let rows = Tensor::from_vec(rows, positions.len(), stream.device())?;
        let weights = model.weights();
        let logits = weights.unembed.apply(&weights.ln_final.apply(&stream.index_select(&rows, 1)?)?)?;
        let logits = match model.config().logit_softcap {
            Some(cap) => floats(&ops::softcap(&logits, cap)?)?,
            None => floats(&logits)?,
        };
        if logits.iter().all(|logit| logit.is_finite()) {
            Ok(logits)
        } else {
            Err(ReadError::NotFinite { point })
        }
    }

    fn cell(&self, logits: &[f32], (end, end_logits): &(Distribution, &[f32])) -> LensCell {
        let here = Distribution::of(logits);
        let guess = |id: usize| {
            let (logit, probability) = (logits.get(id), here.probabilities.get(id));
            Some(Guess {
                token: self.reading.model.token_label(u32::try_from(id).ok()?),
                logit: *logit?,
                probability: single(*probability?),
            })
        };
        let tracked = self.tracked.iter().filter_map(|id| {
            let guess = guess(*id as usize)?;
            Some(Tracked { rank: rank(logits, guess.logit), guess })
        });
        LensCell {
            top: greatest(logits, self.top).into_iter().filter_map(guess).collect(),
            tracked: tracked.collect(),
            entropy: single(here.entropy()),
            kl_to_final: single(here.divergence_from(logits, end, end_logits)),
        }
    }
}
