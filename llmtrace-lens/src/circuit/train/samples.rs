//! What the MLPs of a model read and write over a corpus.

use std::collections::BTreeMap;

use super::whitening::mean;
use crate::circuit::error::CircuitError;
use crate::circuit::graph::{floats, input_site};
use crate::circuit::transcoder::FeatureInput;
use crate::circuit::window::windows;
use crate::hooks::{Filter, HookPoint, Hooks, Site};
use crate::model::{Model, Readout};

/// What one layer's MLP reads and writes at each position, `[N, D]` each.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    pub(super) read: Vec<f32>,
    pub(super) written: Vec<f32>,
}

/// Texts in pieces that are read at once, no more than can be kept.
#[derive(Clone, Debug)]
pub(super) struct Corpus {
    /// Pieces by their lengths.
    pieces: BTreeMap<usize, Vec<Piece>>,
    /// Positions at which features may be active.
    pub(super) positions: usize,
}

/// What a model reads at once.
#[derive(Clone, Debug)]
struct Piece {
    tokens: Vec<u32>,
    /// Where features may be active: everywhere but at a special token that it begins with.
    from: usize,
    /// Whether nothing is learnt from it.
    kept_out: bool,
}

/// Places of samples: those that are learnt from, and those that were kept out.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    pub(super) learnt: Vec<usize>,
    pub(super) kept_out: Vec<usize>,
}

/// Tokens that are run together.
const TOGETHER: usize = 4096;
/// One text of so many is kept out.
const KEPT_OUT: usize = 10;

impl Corpus {
    /// Texts chosen at random where they have more than `most` positions, in pieces of `window` tokens; one text of ten is kept out.
    pub(super) fn new(
        model: &Model,
        texts: &[Vec<u32>],
        (window, most): (usize, usize),
        random: &mut fastrand::Rng,
    ) -> Self {
        let mut texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
        random.shuffle(&mut texts);
        let special = model.special_tokens();
        let mut corpus = Self { pieces: BTreeMap::new(), positions: 0 };
        let mut taken = 0_usize;
        for text in texts {
            let before = corpus.positions;
            let kept_out = (taken + 1).is_multiple_of(KEPT_OUT);
            let (from, parts) = windows(text, &special, window.min(model.config().context));
            for tokens in parts {
                let more = tokens.len() - from;
                if corpus.positions + more <= most {
                    corpus.positions += more;
                    corpus.pieces.entry(tokens.len()).or_default().push(Piece { tokens, from, kept_out });
                }
            }
            taken += usize::from(corpus.positions > before);
        }
        corpus
    }

    /// Which places samples of [`run`](Self::run) have.
    pub(super) fn places(&self) -> Places {
        let mut places = Places::default();
        let mut next = 0;
        for piece in self.pieces.values().flatten() {
            let to = next + piece.tokens.len() - piece.from;
            let those = if piece.kept_out { &mut places.kept_out } else { &mut places.learnt };
            those.extend(next..to);
            next = to;
        }
        places
    }

    /// What the MLPs of some layers read and write, a first position with a special token left out.
    pub(super) fn run(
        &self,
        model: &Model,
        layers: &[usize],
        input: FeatureInput,
    ) -> Result<Vec<Samples>, CircuitError> {
        let read = input_site(model.config(), input);
        let points = |layer| [read, Site::MlpOut].map(|site| HookPoint::block(layer, site));
        let names: Vec<String> =
            layers.iter().copied().flat_map(points).map(|point: HookPoint| point.to_string()).collect();
        let kept = Filter::new(&names.join(","));
        let mut samples = vec![Samples::default(); layers.len()];
        for (length, pieces) in &self.pieces {
            for together in pieces.chunks((TOGETHER / length).max(1)) {
                let mut hooks = Hooks::new().keep(kept.clone());
                let tokens: Vec<&[u32]> = together.iter().map(|piece| piece.tokens.as_slice()).collect();
                let (_, cache) = model.run_batch_with_hooks(&tokens, Readout::Last, &mut hooks)?;
                for (layer, samples) in layers.iter().copied().zip(&mut samples) {
                    let [read, written] = points(layer);
                    let values = [floats(cache.at(read)?)?, floats(cache.at(written)?)?];
                    let width = model.config().d_model;
                    for (index, piece) in together.iter().enumerate() {
                        let rows = index * length + piece.from..(index + 1) * length;
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
    /// Of the samples at these places of `[N, D]`.
    pub(super) fn of(samples: &[f32], width: usize, places: &[usize]) -> Self {
        let mean = mean(samples, width, places);
        let rows = places.iter().map(|at| samples.get(at * width..(at + 1) * width).unwrap_or_default());
        let square: f64 = rows
            .flat_map(|row| row.iter().zip(&mean))
            .map(|(value, mean)| f64::from((value - mean) * (value - mean)))
            .sum();
        #[expect(clippy::cast_possible_truncation, reason = "training is in f32")]
        let scale = (square / (places.len() * width).max(1) as f64).sqrt() as f32;
        // What is always the same is left at 0.
        let scale = if scale > f32::MIN_POSITIVE { scale } else { 1.0 };
        Self { mean, scale }
    }

    /// Changes samples `[N, D]`.
    pub(super) fn apply(&self, samples: &mut [f32], width: usize) {
        for row in samples.chunks_mut(width) {
            for (value, mean) in row.iter_mut().zip(&self.mean) {
                *value = (*value - mean) / self.scale;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handmade::TwoStep;

    #[test]
    fn a_long_text_is_learnt_from_or_kept_out_whole_in_windows_that_begin_as_it_does() {
        let model = TwoStep::model().unwrap();
        // Each text has a token of its own.
        let texts: Vec<Vec<u32>> = (1..=10).map(|own| vec![0, own, own, own, own, own]).collect();
        let corpus = |window, most| {
            let mut random = fastrand::Rng::with_seed(3);
            Corpus::new(&model, &texts, (window, most), &mut random)
        };
        let check = |corpus: &Corpus, expected: &[(usize, usize)]| {
            let found: Vec<(usize, usize)> =
                corpus.pieces.iter().map(|(length, pieces)| (*length, pieces.len())).collect();
            assert_eq!(found, expected);
            let pieces = || corpus.pieces.values().flatten();
            assert!(pieces().all(|piece| piece.from == 1 && piece.tokens[0] == 0));
            assert_eq!(pieces().map(|piece| piece.tokens.len() - 1).sum::<usize>(), corpus.positions);
        };
        check(&corpus(100, 100), &[(6, 10)]);
        let cut = corpus(3, 100);
        check(&cut, &[(2, 10), (3, 20)]);
        check(&corpus(3, 12), &[(2, 2), (3, 5)]);
        let kept_out: Vec<u32> = cut
            .pieces
            .values()
            .flatten()
            .filter(|piece| piece.kept_out)
            .map(|piece| piece.tokens[1])
            .collect();
        assert_eq!(kept_out, [kept_out[0]; 3]);
        assert_eq!(cut.places().kept_out.len(), 5);
    }
}
