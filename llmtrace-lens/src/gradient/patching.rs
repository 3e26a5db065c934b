//! Attribution patching.

use std::collections::BTreeMap;

use candle_core::{D, Tensor};

use super::target::Target;
use crate::error::RunError;
use crate::hooks::{Filter, HookPoint, Site};
use crate::model::Model;

/// How much the target would change, to first order, were one value of a run replaced by that of another run: the
/// gradient times the difference of the two values, summed over their width (Nanda 2023). One backward pass stands for a
/// patched run of each layer, position and head.
#[derive(Clone, Debug)]
pub struct AttributionPatching {
    /// The target's value in the run that is patched.
    pub value: f64,
    /// The target's value in the run that the patches come from.
    pub source_value: f64,
    estimates: BTreeMap<Site, Tensor>,
}

/// Where estimates are made.
const SITES: [Site; 4] = [Site::ResidPre, Site::AttnOut, Site::MlpOut, Site::Z];

impl AttributionPatching {
    /// The estimates at a site: `[L, t]` for [`Site::ResidPre`], [`Site::AttnOut`] and [`Site::MlpOut`], `[L, t, H]` for
    /// [`Site::Z`], none for others. Those of positions or heads can be added up.
    pub fn at(&self, site: Site) -> Option<&Tensor> {
        self.estimates.get(&site)
    }
}

impl Model {
    /// How much `target` of the run of `tokens` would change were its values replaced by those of the run of `source`, a
    /// prompt of the same length.
    ///
    /// # Errors
    /// As for [`gradient`](Self::gradient); or the lengths differ.
    pub fn attribution_patching(
        &self,
        tokens: &[u32],
        source: &[u32],
        target: &Target,
    ) -> Result<AttributionPatching, RunError> {
        self.batch(&[tokens, source], 0)?;
        let names: Vec<String> = SITES.iter().map(|site| format!("blocks.*.{}", site.name())).collect();
        let points = Filter::new(&names.join(",")).resolve(self.config())?;
        let [prompt, other] = [self.embeddings(tokens)?, self.embeddings(source)?];
        let (source_values, source) = self.run_keeping(&other, target, points.clone())?;
        let (gradient, run) = self.backward_keeping(&prompt, target, points.clone(), points)?;
        let mut estimates = BTreeMap::new();
        for site in SITES {
            let estimate = |layer: usize| -> Result<Tensor, RunError> {
                let point = HookPoint::block(layer, site);
                let change = (source.at(point)? - run.at(point)?)?;
                let estimate = (gradient.points().at(point)? * change)?.sum(D::Minus1)?;
                Ok(estimate.narrow(1, 0, tokens.len())?.squeeze(0)?)
            };
            let layers = (0..self.config().layers).map(estimate).collect::<Result<Vec<_>, _>>()?;
            estimates.insert(site, Tensor::stack(&layers, 0)?);
        }
        let [value, source_value] = [gradient.values(), &source_values].map(|values| values.iter().sum());
        Ok(AttributionPatching { value, source_value, estimates })
    }
}
