//! One layer learns.

use super::adam::Stride;
use super::coder::{Coder, Finished};
use super::outcome::Outcome;
use super::samples::{Places, Samples, Standard};
use super::training::{Progress, TrainedLayer, Training};
use super::whitening::Whitening;
use crate::circuit::error::CircuitError;

/// A layer that learns, and where it stands among the others.
#[derive(Clone, Debug)]
pub(super) struct Learner {
    pub(super) layer: usize,
    /// How many layers have learnt before it.
    pub(super) before: usize,
    /// How many layers learn.
    pub(super) layers: usize,
    pub(super) random: fastrand::Rng,
}

/// Positions that are judged together.
const JUDGED: usize = 1024;
/// The share of the steps over which the rate rises, that over which it falls, and what it falls to.
const RISE: f64 = 0.05;
const FALL: f64 = 0.8;
const LEAST: f64 = 0.02;
/// The share of the steps over which the price of thresholds rises.
const PRESSED: f64 = 0.5;

impl Learner {
    /// Learns from the samples.
    pub(super) fn run(
        mut self,
        training: &Training<'_>,
        mut samples: Samples,
        places: &Places,
        progress: &mut impl FnMut(&Progress),
    ) -> Result<(Finished, TrainedLayer), CircuitError> {
        let width = training.model.config().d_model;
        let read = Whitening::of(&samples.read, width, &places.learnt)?;
        read.apply(&mut samples.read, width)?;
        let written = Standard::of(&samples.written, width, &places.learnt);
        written.apply(&mut samples.written, width);
        let shape = (width, training.features);
        let mut coder = Coder::new(&samples, &places.learnt, shape, training.sparsity, &mut self.random);
        self.steps(training, &mut coder, &samples, &places.learnt, progress)?;
        let mut seen = vec![false; training.features];
        let of_learnt = judged(&coder, &samples, &places.learnt, width, &mut seen)?;
        let of_rest = judged(&coder, &samples, &places.kept_out, width, &mut seen)?;
        let judged = if places.kept_out.is_empty() { of_learnt } else { of_rest };
        let found = TrainedLayer {
            layer: self.layer,
            positions: places.learnt.len(),
            held_out: places.kept_out.len(),
            loss: judged.loss(),
            fvu: judged.fvu(),
            l0: judged.l0(),
            features: training.features,
            dead: seen.iter().filter(|seen| !**seen).count(),
        };
        Ok((coder.finished(&read, &written)?, found))
    }

    fn steps(
        &mut self,
        training: &Training<'_>,
        coder: &mut Coder,
        samples: &Samples,
        learnt: &[usize],
        progress: &mut impl FnMut(&Progress),
    ) -> Result<(), CircuitError> {
        let width = training.model.config().d_model;
        let mut order = learnt.to_vec();
        let mut at = order.len();
        for step in 1..=training.steps {
            if at >= order.len() {
                self.random.shuffle(&mut order);
                at = 0;
            }
            let to = (at + training.batch).min(order.len());
            let batch = samples.batch(order.get(at..to).unwrap_or_default(), width);
            at = to;
            let done = step as f64 / training.steps as f64;
            coder.press(share(done / PRESSED));
            let outcome = coder.learn(&batch, Stride::new(rate(training.rate, done), step))?;
            progress(&Progress {
                layer: self.layer,
                before: self.before,
                layers: self.layers,
                step,
                steps: training.steps,
                loss: outcome.loss(),
                fvu: outcome.fvu(),
                l0: outcome.l0(),
                dead: coder.silent(learnt.len()),
            });
        }
        Ok(())
    }
}

/// How far a step goes when so large a share of the steps is done.
#[expect(clippy::cast_possible_truncation, reason = "training is in f32")]
fn rate(most: f64, done: f64) -> f32 {
    let rise = (done / RISE).min(1.0);
    let fall = 1.0 - (1.0 - LEAST) * ((done - (1.0 - FALL)) / FALL).max(0.0);
    (most * rise * fall) as f32
}

/// At most the whole.
#[expect(clippy::cast_possible_truncation, reason = "training is in f32")]
fn share(of: f64) -> f32 {
    of.min(1.0) as f32
}

/// What it makes of the samples at these places.
fn judged(
    coder: &Coder,
    samples: &Samples,
    places: &[usize],
    width: usize,
    seen: &mut [bool],
) -> Result<Outcome, CircuitError> {
    places.chunks(JUDGED).try_fold(Outcome::default(), |sum, places| {
        Ok(sum.and(coder.judge(&samples.batch(places, width), seen)?))
    })
}
