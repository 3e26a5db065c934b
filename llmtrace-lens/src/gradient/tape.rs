//! What a run keeps for the backward pass.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::Tensor;

use crate::error::RunError;
use crate::hooks::{ActivationCache, HookPoint, PointSet, Site, Tap};
use crate::model::{Config, MlpKind, Positions};

/// What a run keeps for the backward pass. They are references to what the run computed, and each is let go of as soon
/// as the backward pass is through with it.
#[derive(Debug, Default)]
pub(super) struct Tape(BTreeMap<HookPoint, Tensor>);

impl Tape {
    /// The value kept at a point, which is the caller's from now on.
    pub(super) fn take(&mut self, layer: usize, site: Site) -> Result<Tensor, RunError> {
        let point = HookPoint::block(layer, site);
        self.0.remove(&point).ok_or(RunError::NotKept { point })
    }
}

/// Keeps what a backward pass needs, and what the caller wants to have of the run.
#[derive(Debug)]
pub(super) struct Recorder {
    needed: PointSet,
    kept: PointSet,
    pub(super) tape: Tape,
    pub(super) cache: ActivationCache,
}

impl Recorder {
    /// Keeps the values at the points in `kept`, and nothing for a backward pass.
    pub(super) fn of_values(config: &Arc<Config>, kept: PointSet) -> Self {
        let cache = ActivationCache::new(Arc::clone(config));
        Self { needed: PointSet::none(config), kept, tape: Tape::default(), cache }
    }

    /// Keeps what the backward pass of every block needs, and the values at the points in `kept`.
    pub(super) fn of_blocks(config: &Arc<Config>, kept: PointSet) -> Self {
        let mut recorder = Self::of_values(config, kept);
        for layer in 0..config.layers {
            for site in needed_sites(config) {
                recorder.needed.insert(HookPoint::block(layer, site));
            }
        }
        recorder
    }
}

impl Tap for Recorder {
    fn begin(&mut self, _start: usize, _end: Option<usize>) {}

    fn wants(&self, point: HookPoint) -> bool {
        self.needed.contains(point) || self.kept.contains(point)
    }

    fn visit(&mut self, point: HookPoint, value: Tensor) -> Result<Tensor, RunError> {
        if self.needed.contains(point) {
            self.tape.0.insert(point, value.clone());
        }
        if self.kept.contains(point) {
            self.cache.insert(point, 0, value.clone());
        }
        Ok(value)
    }
}

/// Where queries and keys are what attention compares.
pub(super) fn compared(config: &Config) -> [Site; 2] {
    if matches!(config.positions, Positions::Rotary(_)) {
        [Site::RotQ, Site::RotK]
    } else if config.qk_norm {
        [Site::QNormed, Site::KNormed]
    } else {
        [Site::Q, Site::K]
    }
}

/// Norms keep quotient and divisor, products their factors; what is cheap to compute again is not kept.
fn needed_sites(config: &Config) -> Vec<Site> {
    let mut sites = vec![
        Site::Ln1Scale,
        Site::Ln1Normalized,
        Site::V,
        Site::Pattern,
        Site::Ln2Scale,
        Site::Ln2Normalized,
        Site::Pre,
    ];
    sites.extend(compared(config));
    if config.qk_norm {
        sites.extend([Site::Q, Site::K]);
    }
    if config.attention_softcap.is_some() {
        sites.push(Site::AttnScores);
    }
    if config.mlp == MlpKind::Gated {
        sites.push(Site::PreLinear);
    }
    if config.post_norms {
        sites.extend([
            Site::Ln1PostScale,
            Site::Ln1PostNormalized,
            Site::Ln2PostScale,
            Site::Ln2PostNormalized,
        ]);
    }
    sites
}
