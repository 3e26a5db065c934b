//! What a run keeps for the backward pass.

use std::collections::BTreeMap;

use candle_core::Tensor;

use crate::error::RunError;
use crate::hooks::{HookPoint, PointSet, Site, Tap};
use crate::model::{Config, MlpKind, Positions};

/// What a run keeps for the backward pass. They are references to what the run computed, and each is let go of as soon
/// as the backward pass is through with it.
#[derive(Debug)]
pub(super) struct Tape {
    needed: PointSet,
    values: BTreeMap<HookPoint, Tensor>,
}

impl Tape {
    /// A tape that keeps what the backward pass of every block needs.
    pub(super) fn new(config: &Config) -> Self {
        let mut needed = PointSet::none(config);
        for layer in 0..config.layers {
            for site in needed_sites(config) {
                needed.insert(HookPoint::block(layer, site));
            }
        }
        Self { needed, values: BTreeMap::new() }
    }

    /// The value kept at a point, which is the caller's from now on.
    pub(super) fn take(&mut self, layer: usize, site: Site) -> Result<Tensor, RunError> {
        let point = HookPoint::block(layer, site);
        self.values.remove(&point).ok_or(RunError::NotKept { point })
    }
}

impl Tap for Tape {
    fn wants(&self, point: HookPoint) -> bool {
        self.needed.contains(point)
    }

    fn visit(&mut self, point: HookPoint, value: Tensor) -> Result<Tensor, RunError> {
        if self.needed.contains(point) {
            self.values.insert(point, value.clone());
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
