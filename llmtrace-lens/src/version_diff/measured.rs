//! How far two models are apart, over all prompts.

use candle_core::{D, Device, Tensor};

use super::cka::linear_cka;
use super::error::DiffError;
use super::features::{Dictionary, SeenFeatures};
use super::neurons::Directions;
use super::runs::{HeldRun, stream_points};
use crate::analysis::{ReadError, Reading};
use crate::circuit::feature::linear_part;
use crate::hooks::{HookPoint, Site};
use crate::model::{Config, Model};
use crate::ops::Distribution;
use crate::ops::floats;

/// The most positions whose streams CKA is made of.
const ROWS: usize = 4096;

/// How far two models are apart, layer by layer, head by head, neuron by neuron.
pub(super) struct Measured<'d> {
    /// At each of the [`stream_points`].
    pub(super) layers: Vec<LayerSeen>,
    /// Block by block.
    pub(super) heads: Vec<HeadSeen>,
    /// Block by block.
    pub(super) neurons: Vec<NeuronSeen>,
    /// Those that differ; none without transcoders.
    pub(super) features: SeenFeatures,
    /// After each prompt, the divergence of the next token's distribution from that of the older model, in nats.
    pub(super) last_kl: Vec<f64>,
    directions: Vec<Directions>,
    dictionary: Option<&'d Dictionary<'d>>,
}

/// The largest change of one kind, and where it was: prompt and position.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Largest {
    pub(super) share: f64,
    pub(super) place: (usize, usize),
}

impl Largest {
    /// Whether this is larger than all before.
    pub(super) fn see(&mut self, share: f64, place: (usize, usize)) -> bool {
        let larger = share > self.share;
        if larger {
            *self = Self { share, place };
        }
        larger
    }
}

/// A point of the stream.
#[derive(Debug)]
pub(super) struct LayerSeen {
    pub(super) point: HookPoint,
    pub(super) cka: Option<f64>,
    pub(super) cosines: f64,
    pub(super) least_cosine: f64,
    pub(super) divergences: f64,
    pub(super) largest_kl: f64,
    /// Where it was.
    pub(super) place: (usize, usize),
    pub(super) positions: usize,
    streams: [Vec<f32>; 2],
}

/// A head, given the older model's stream (`own`) and its own model's (`whole`).
#[derive(Debug)]
pub(super) struct HeadSeen {
    pub(super) layer: usize,
    pub(super) head: usize,
    pub(super) pattern: Largest,
    pub(super) own: Largest,
    pub(super) whole: Largest,
}

/// A neuron likewise, with its activations where it differs most by itself.
#[derive(Debug)]
pub(super) struct NeuronSeen {
    pub(super) layer: usize,
    pub(super) neuron: usize,
    pub(super) own: Largest,
    pub(super) whole: Largest,
    pub(super) activations: [f32; 2],
}

impl<'d> Measured<'d> {
    /// Nothing yet.
    pub(super) fn new(
        before: &Model,
        after: &Model,
        dictionary: Option<&'d Dictionary<'d>>,
    ) -> Result<Self, DiffError> {
        let config = before.config();
        let layer = |point| LayerSeen {
            point,
            cka: None,
            cosines: 0.0,
            least_cosine: 1.0,
            divergences: 0.0,
            largest_kl: 0.0,
            place: (0, 0),
            positions: 0,
            streams: [Vec::new(), Vec::new()],
        };
        let none = Largest::default();
        let each = |count: usize| {
            (0..config.layers).flat_map(move |layer| (0..count).map(move |index| (layer, index)))
        };
        let head = |(layer, head)| HeadSeen { layer, head, pattern: none, own: none, whole: none };
        let neuron =
            |(layer, neuron)| NeuronSeen { layer, neuron, own: none, whole: none, activations: [0.0; 2] };
        Ok(Self {
            layers: stream_points(config).into_iter().map(layer).collect(),
            heads: each(config.heads).map(head).collect(),
            neurons: each(config.d_mlp).map(neuron).collect(),
            features: SeenFeatures::new(),
            last_kl: Vec::new(),
            directions: Directions::of(before, after)?,
            dictionary,
        })
    }

    /// Adds a prompt: the older model's run, the newer one's, and the newer one's held to the older one's stream.
    pub(super) fn add(
        &mut self,
        before: &Reading<'_>,
        after: &Reading<'_>,
        held: &HeldRun,
    ) -> Result<(), DiffError> {
        let prompt = self.last_kl.len();
        let mut last = 0.0;
        for layer in &mut self.layers {
            last = layer.add(before, after, prompt)?;
        }
        self.last_kl.push(last);
        let config = before.model().config();
        for layer in 0..config.layers {
            let stream =
                before.cache().at(HookPoint::block(layer, Site::ResidPre)).map_err(ReadError::Run)?;
            let stream = norms(stream)?;
            let [attention, mlp] = [Site::Ln1PostScale, Site::Ln2PostScale]
                .map(|site| before_norm(before, layer, site, &stream));
            let mlp = mlp?;
            self.add_heads(layer, &attention?, (before, after, held), config)?;
            self.add_neurons(layer, &mlp, (before, after, held), config)?;
            if let Some(dictionary) = self.dictionary {
                let runs = [before.cache(), after.cache()];
                dictionary.add((layer, prompt), (&stream, &mlp), runs, &mut self.features)?;
            }
        }
        Ok(())
    }

    /// Ends with the figures that are of all prompts together.
    pub(super) fn finish(mut self, config: &Config) -> Result<Self, DiffError> {
        for layer in &mut self.layers {
            let streams = std::mem::take(&mut layer.streams);
            let rows = streams[0].len() / config.d_model.max(1);
            let [x, y] =
                streams.map(|rows_of| Tensor::from_vec(rows_of, (rows, config.d_model), &Device::Cpu));
            layer.cka = linear_cka(&x?, &y?)?;
        }
        Ok(self)
    }

    fn add_heads(
        &mut self,
        layer: usize,
        norms: &[f32],
        (before, after, held): (&Reading<'_>, &Reading<'_>, &HeldRun),
        config: &Config,
    ) -> Result<(), DiffError> {
        let (prompt, heads, steps) = (self.last_kl.len().saturating_sub(1), config.heads, norms.len());
        let [result, pattern] = [Site::Result, Site::Pattern].map(|site| HookPoint::block(layer, site));
        let old = before.cache().at(result)?;
        let norm = before.model().weights().blocks.get(layer).and_then(|block| block.ln1_post.as_ref());
        let apart = |new: &Tensor| -> Result<Vec<f32>, ReadError> {
            let apart = (new - old)?;
            let written = norm.map_or_else(|| Ok(apart.clone()), |norm| linear_part(&apart, norm))?;
            Ok(floats(&written.sqr()?.sum(D::Minus1)?.sqrt()?)?)
        };
        let (own, whole) = (apart(held.cache.at(result)?)?, apart(after.cache().at(result)?)?);
        let patterns = (held.cache.at(pattern)? - before.cache().at(pattern)?)?;
        let moved = floats(&patterns.abs()?.sum(D::Minus1)?)?;
        for seen in self.heads.iter_mut().filter(|seen| seen.layer == layer) {
            for (position, norm) in norms.iter().enumerate() {
                let place = (prompt, position);
                let share = |of: &[f32]| share(of.get(position * heads + seen.head), *norm);
                seen.own.see(share(&own), place);
                seen.whole.see(share(&whole), place);
                let moved = moved.get(seen.head * steps + position).copied().unwrap_or(0.0);
                seen.pattern.see(f64::from(moved) / 2.0, place);
            }
        }
        Ok(())
    }

    fn add_neurons(
        &mut self,
        layer: usize,
        norms: &[f32],
        (before, after, held): (&Reading<'_>, &Reading<'_>, &HeldRun),
        config: &Config,
    ) -> Result<(), DiffError> {
        let (prompt, neurons) = (self.last_kl.len().saturating_sub(1), config.d_mlp);
        let point = HookPoint::block(layer, Site::Post);
        let old = floats(before.cache().at(point)?)?;
        let (own, whole) = (floats(held.cache.at(point)?)?, floats(after.cache().at(point)?)?);
        let Some(directions) = self.directions.get(layer) else { return Ok(()) };
        let of_layer = self.neurons.iter_mut().skip(layer * neurons).take(neurons);
        for seen in of_layer {
            for (position, norm) in norms.iter().enumerate() {
                let at = |of: &[f32]| of.get(position * neurons + seen.neuron).copied().unwrap_or(0.0);
                let written = |new: &[f32]| {
                    directions.change(seen.neuron, at(&old), at(new)) / f64::from(norm.max(f32::MIN_POSITIVE))
                };
                if seen.own.see(written(&own), (prompt, position)) {
                    seen.activations = [at(&old), at(&own)];
                }
                seen.whole.see(written(&whole), (prompt, position));
            }
        }
        Ok(())
    }
}

impl LayerSeen {
    /// Adds a prompt; returns the divergence at its last position.
    fn add(&mut self, before: &Reading<'_>, after: &Reading<'_>, prompt: usize) -> Result<f64, DiffError> {
        let width = before.model().config().d_model;
        let streams = [before, after]
            .map(|run| -> Result<Vec<f32>, DiffError> { Ok(floats(run.cache().at(self.point)?)?) });
        let [old, new] = streams;
        let (old, new) = (old?, new?);
        for (position, (a, b)) in old.chunks(width.max(1)).zip(new.chunks(width.max(1))).enumerate() {
            let cosine = cosine(a, b);
            self.cosines += cosine;
            self.least_cosine = self.least_cosine.min(cosine);
            if self.positions + position < ROWS {
                self.streams[0].extend(a);
                self.streams[1].extend(b);
            }
        }
        let positions: Vec<usize> = (0..before.tokens().len()).collect();
        self.positions += positions.len();
        let vocab = before.model().config().vocab.max(1);
        let lens = |run: &Reading<'_>| run.logit_lens().logits(self.point, &positions);
        let (old, new) = (lens(before)?, lens(after)?);
        let mut last = 0.0;
        for (position, (a, b)) in old.chunks(vocab).zip(new.chunks(vocab)).enumerate() {
            last = divergence(b, a);
            self.divergences += last;
            if last > self.largest_kl {
                (self.largest_kl, self.place) = (last, (prompt, position));
            }
        }
        Ok(last)
    }
}

/// `KL(p || q)` of two rows of logits, in nats.
pub(super) fn divergence(p: &[f32], q: &[f32]) -> f64 {
    Distribution::of(q).divergence_from(q, &Distribution::of(p), p)
}

/// The norm of each position of a stream `[1, t, D]`.
fn norms(stream: &Tensor) -> Result<Vec<f32>, ReadError> {
    Ok(floats(&stream.sqr()?.sum(D::Minus1)?.sqrt()?)?)
}

/// The stream's norms, times what a norm between a part's output and the stream divided by where the older model has one: what the
/// part's change, through that norm's gain, is a share of.
fn before_norm(
    before: &Reading<'_>,
    layer: usize,
    site: Site,
    stream: &[f32],
) -> Result<Vec<f32>, ReadError> {
    if !site.exists_in(before.model().config()) {
        return Ok(stream.to_vec());
    }
    let divisors = floats(before.cache().at(HookPoint::block(layer, site)).map_err(ReadError::Run)?)?;
    Ok(stream.iter().zip(divisors).map(|(norm, divisor)| norm * divisor).collect())
}

fn share(change: Option<&f32>, norm: f32) -> f64 {
    f64::from(change.copied().unwrap_or(0.0)) / f64::from(norm.max(f32::MIN_POSITIVE))
}

/// The cosine of two vectors; 1 where both are the same, whatever their length.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    if a == b {
        return 1.0;
    }
    let product =
        |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
    let sizes = product(a, a).sqrt() * product(b, b).sqrt();
    if sizes > 0.0 { (product(a, b) / sizes).clamp(-1.0, 1.0) } else { 0.0 }
}
