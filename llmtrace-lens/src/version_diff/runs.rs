//! One prompt, read by two models.

use super::error::DiffError;
use crate::analysis::Reading;
use crate::hooks::{ActivationCache, Filter, HookPoint, Hooks, Site, Slice};
use crate::model::{Config, Model, Readout};
use crate::ops::floats;

/// What is compared of a run.
const KEPT: [Site; 14] = [
    Site::Embed,
    Site::PosEmbed,
    Site::ResidPre,
    Site::Pattern,
    Site::Result,
    Site::Ln1PostScale,
    Site::AttnOut,
    Site::ResidMid,
    Site::Ln2Normalized,
    Site::Ln2Out,
    Site::Post,
    Site::Ln2PostScale,
    Site::MlpOut,
    Site::ResidPost,
];

/// Where the stream enters a part of the model.
const STREAM: [Site; 2] = [Site::ResidPre, Site::ResidMid];

/// A model's own run over a prompt.
pub(super) fn read<'m>(model: &'m Model, tokens: &[u32]) -> Result<Reading<'m>, DiffError> {
    let (_, cache) = model.run_with_cache(tokens, filter(model.config(), &KEPT))?;
    Ok(Reading::of(model, tokens, cache)?)
}

/// A run in which every part of a model reads the stream that another model had there.
///
/// What its parts do otherwise than that model's is then their own doing, not that of what came before them.
#[derive(Debug)]
pub(super) struct HeldRun {
    pub(super) cache: ActivationCache,
    /// What its final norm and unembedding make of the other model's last stream at the last position.
    pub(super) logits: Vec<f32>,
}

impl HeldRun {
    /// Runs `model` over the stream of `of`.
    pub(super) fn new(model: &Model, of: &Reading<'_>) -> Result<Self, DiffError> {
        let config = model.config();
        let end = last_point(config).to_string();
        let mut hooks = Hooks::new()
            .patch(filter(config, &STREAM), of.cache(), Slice::all())
            .patch(end.as_str(), of.cache(), Slice::all())
            .keep(filter(config, &KEPT));
        let (logits, cache) = model.run_batch_with_hooks(&[of.tokens()], Readout::Last, &mut hooks)?;
        Ok(Self { cache, logits: floats(&logits)? })
    }
}

/// The points of the stream whose drift is told: what enters the first block, and what leaves each.
pub(super) fn stream_points(config: &Config) -> Vec<HookPoint> {
    let first = HookPoint::block(0, Site::ResidPre);
    let ends = (0..config.layers).map(|layer| HookPoint::block(layer, Site::ResidPost));
    std::iter::once(first).chain(ends).collect()
}

/// The stream that the final norm reads.
pub(super) fn last_point(config: &Config) -> HookPoint {
    HookPoint::block(config.layers.saturating_sub(1), Site::ResidPost)
}

fn filter(config: &Config, sites: &[Site]) -> Filter {
    let name = |site: &Site| {
        if site.in_block() { format!("blocks.*.{}", site.name()) } else { site.name().to_owned() }
    };
    let names: Vec<String> = sites.iter().filter(|site| site.exists_in(config)).map(name).collect();
    Filter::new(&names.join(","))
}
