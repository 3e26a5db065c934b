//! What the MLPs of a model read and write over a corpus.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::circuit::error::CircuitError;
use crate::circuit::graph::{floats, input_site};
use crate::circuit::transcoder::FeatureInput;
use crate::hooks::{Filter, HookPoint, Hooks, Site};
use crate::model::{Model, Readout};

/// What one layer's MLP reads and writes at each position, `[N, D]` each.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    pub(super) read: Vec<f32>,
    pub(super) written: Vec<f32>,
}

/// Texts in pieces that a model can read, no more than can be kept.
#[derive(Clone, Debug)]
pub(super) struct Corpus<'t> {
    /// Pieces by their lengths.
    pieces: BTreeMap<usize, Vec<&'t [u32]>>,
    /// Positions at which features may be active.
    pub(super) positions: usize,
}

/// Tokens that are run together.
const TOGETHER: usize = 4096;

impl<'t> Corpus<'t> {
    /// Pieces of the texts, chosen at random where they have more than `most` positions.
    pub(super) fn new(model: &Model, texts: &'t [Vec<u32>], most: usize, random: &mut fastrand::Rng) -> Self {
        let context = model.config().context.max(1);
        let mut pieces: Vec<&[u32]> = texts.iter().flat_map(|text| text.chunks(context)).collect();
        random.shuffle(&mut pieces);
        let special = model.special_tokens();
        let skipped = |piece: &[u32]| usize::from(piece.first().is_some_and(|first| special.contains(first)));
        let mut corpus = Self { pieces: BTreeMap::new(), positions: 0 };
        for piece in pieces {
            let more = piece.len() - skipped(piece);
            if more == 0 || corpus.positions + more > most {
                continue;
            }
            corpus.positions += more;
            corpus.pieces.entry(piece.len()).or_default().push(piece);
        }
        corpus
    }

    /// What the MLPs of some layers read and write, a first position with a special token left out.
    pub(super) fn run(
        &self,
        model: &Model,
        layers: Range<usize>,
        input: FeatureInput,
    ) -> Result<Vec<Samples>, CircuitError> {
        let read = input_site(model.config(), input);
        let points = |layer| [read, Site::MlpOut].map(|site| HookPoint::block(layer, site));
        let names: Vec<String> =
            layers.clone().flat_map(points).map(|point: HookPoint| point.to_string()).collect();
        let kept = Filter::new(&names.join(","));
        let special = model.special_tokens();
        let mut samples = vec![Samples::default(); layers.len()];
        for (length, pieces) in &self.pieces {
            for together in pieces.chunks((TOGETHER / length).max(1)) {
                let mut hooks = Hooks::new().keep(kept.clone());
                let (_, cache) = model.run_batch_with_hooks(together, Readout::Last, &mut hooks)?;
                for (layer, samples) in layers.clone().zip(&mut samples) {
                    let [read, written] = points(layer);
                    let values = [floats(cache.at(read)?)?, floats(cache.at(written)?)?];
                    let width = model.config().d_model;
                    for (index, piece) in together.iter().enumerate() {
                        let skipped = piece.first().is_some_and(|first| special.contains(first));
                        let rows = index * length + usize::from(skipped)..(index + 1) * length;
                        let part = rows.start * width..rows.end * width;
                        let [read, written] =
                            values.each_ref().map(|values| values.get(part.clone()).unwrap_or_default());
                        samples.read.extend_from_slice(read);
                        samples.written.extend_from_slice(written);
                    }
                }
            }
        }
        Ok(samples)
    }
}

impl Samples {
    /// The samples at these places.
    pub(super) fn batch(&self, places: &[usize], width: usize) -> Self {
        let row = |all: &[f32], place: usize| -> Vec<f32> {
            all.get(place * width..(place + 1) * width).unwrap_or_default().to_vec()
        };
        Self {
            read: places.iter().flat_map(|place| row(&self.read, *place)).collect(),
            written: places.iter().flat_map(|place| row(&self.written, *place)).collect(),
        }
    }
}

/// Takes the mean away and divides by one number, so that the numbers have variance 1 on average.
#[derive(Clone, Debug)]
pub(super) struct Standard {
    /// `[D]`.
    pub(super) mean: Vec<f32>,
    pub(super) scale: f32,
}

impl Standard {
    /// Of samples `[N, D]`, which it changes.
    pub(super) fn apply(samples: &mut [f32], width: usize) -> Self {
        let rows = (samples.len() / width.max(1)).max(1) as f64;
        let mut mean = vec![0.0_f64; width];
        for row in samples.chunks(width) {
            mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += f64::from(*value) / rows);
        }
        #[expect(clippy::cast_possible_truncation, reason = "training is in f32")]
        let mean: Vec<f32> = mean.into_iter().map(|mean| mean as f32).collect();
        let mut square = 0.0_f64;
        for row in samples.chunks_mut(width) {
            for (value, mean) in row.iter_mut().zip(&mean) {
                *value -= mean;
                square += f64::from(*value * *value);
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "training is in f32")]
        let scale = (square / (rows * width as f64)).sqrt() as f32;
        // What is always the same is left at 0.
        let scale = if scale > f32::MIN_POSITIVE { scale } else { 1.0 };
        for value in samples {
            *value /= scale;
        }
        Self { mean, scale }
    }
}
