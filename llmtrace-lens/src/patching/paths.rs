//! Patches that reach the answer along one path alone.

use candle_core::{D, Tensor};

use super::patching::{Patching, blend, kept, rows};
use super::sweep::{Sweep, SweepAxis};
use crate::error::RunError;
use crate::hooks::{ActivationCache, Filter, HookPoint, Hooks, Site};
use crate::model::Readout;

/// Where a path ends: the part of a block that reads what the sender writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// The queries of a head: layer and head.
    Query(usize, usize),
    /// The keys of a head; of a head that several query heads share where there are fewer.
    Key(usize, usize),
    /// The values of a head; likewise.
    Value(usize, usize),
    /// The MLP of a layer.
    Mlp(usize),
}

impl Receiver {
    fn layer(self) -> usize {
        match self {
            Self::Query(layer, _) | Self::Key(layer, _) | Self::Value(layer, _) | Self::Mlp(layer) => layer,
        }
    }

    fn point(self) -> HookPoint {
        let site = match self {
            Self::Query(..) => Site::Q,
            Self::Key(..) => Site::K,
            Self::Value(..) => Site::V,
            Self::Mlp(_) => Site::MlpIn,
        };
        HookPoint::block(self.layer(), site)
    }

    fn head(self) -> Option<usize> {
        match self {
            Self::Query(_, head) | Self::Key(_, head) | Self::Value(_, head) => Some(head),
            Self::Mlp(_) => None,
        }
    }
}

/// Path patching: what each head and each MLP of the clean run tells a receiver directly, while all else stays as in the corrupted run
/// (Wang et al. 2022, Goldowsky-Dill et al. 2023; MLPs between are held too, norms are not).
impl Patching<'_> {
    /// What each sender adds to the logits directly: `[layer, sender]`, heads first, the MLP last.
    ///
    /// # Errors
    /// A run failed.
    pub fn paths_to_logits(&mut self) -> Result<Sweep, RunError> {
        self.paths("paths to the logits", &[])
    }

    /// What each sender tells these receivers directly, and through them the logits: `[layer, sender]`.
    ///
    /// # Errors
    /// There is no receiver, or the model has none of this layer or head.
    pub fn paths_to(&mut self, receivers: &[Receiver]) -> Result<Sweep, RunError> {
        if receivers.is_empty() {
            return Err(RunError::Input("there is no receiver that paths could lead to".to_owned()));
        }
        let config = self.model.config();
        for receiver in receivers {
            let heads = if matches!(receiver, Receiver::Query(..)) { config.heads } else { config.kv_heads };
            if receiver.layer() >= config.layers || receiver.head().is_some_and(|head| head >= heads) {
                return Err(RunError::Input(format!(
                    "the model has no {receiver:?}: it has {} layers of {heads} such heads",
                    config.layers
                )));
            }
        }
        let names: Vec<String> = receivers.iter().map(|receiver| format!("{receiver:?}")).collect();
        self.paths(&format!("paths to {}", names.join(", ")), receivers)
    }

    fn paths(&mut self, what: &str, receivers: &[Receiver]) -> Result<Sweep, RunError> {
        let config = self.model.config();
        let (layers, senders) = (config.layers, config.heads + 1);
        let reached = receivers.iter().map(|receiver| receiver.layer() + 1).max().unwrap_or(layers);
        let names = "blocks.*.attn.hook_z, blocks.*.hook_attn_out, blocks.*.hook_mlp_out";
        let clean = kept(self.model, &self.clean, names)?;
        let corrupted = kept(self.model, &self.corrupted, names)?;
        let mut values = Vec::with_capacity(layers * senders);
        for layer in 0..layers {
            if layer < reached {
                values.extend(self.senders(layer, &clean, &corrupted, receivers)?);
            } else {
                values.extend(std::iter::repeat_n(self.ends.corrupted, senders));
            }
            (self.progress)((layer + 1) * senders, layers * senders);
        }
        let heads = (0..senders - 1).map(|head| format!("head {head}"));
        let axes = vec![
            SweepAxis::counted("layer", layers),
            SweepAxis::new("sender", heads.chain(["mlp".to_owned()])),
        ];
        Ok(self.ends.sweep(what, self.metric.name(), axes, values))
    }

    /// The metric with the path of each head of a layer, and of its MLP.
    fn senders(
        &self,
        layer: usize,
        clean: &ActivationCache,
        corrupted: &ActivationCache,
        receivers: &[Receiver],
    ) -> Result<Vec<f64>, RunError> {
        let layers = self.model.config().layers;
        let count = self.model.config().heads + 1;
        let at = |site| HookPoint::block(layer, site);
        let one_each = identity(count, count - 1, self.model.device())?;
        let (z, mlp) = (clean.at(at(Site::Z))?, clean.at(at(Site::MlpOut))?);
        let held = corrupted.at(at(Site::MlpOut))?;
        let written = Tensor::cat(&[&rows(held, count - 1)?, mlp], 0)?;
        let mut hooks = Hooks::new()
            .on(at(Site::Z), |_, value| blend(&one_each, z, value).map(Some))
            .on(at(Site::MlpOut), move |_, _| Ok(Some(written.clone())));
        for later in layer + 1..layers {
            for site in [Site::AttnOut, Site::MlpOut] {
                let point = HookPoint::block(later, site);
                let held = rows(corrupted.at(point)?, count)?;
                hooks = hooks.on(point, move |_, _| Ok(Some(held.clone())));
            }
        }
        let points: Vec<String> = receivers.iter().map(|receiver| receiver.point().to_string()).collect();
        if !points.is_empty() {
            hooks = hooks.keep(Filter::new(&points.join(",")));
        }
        let stream = rows(self.streams.at(at(Site::ResidPre))?, count)?;
        let (logits, told) = self.model.run_residual(layer, &stream, Readout::Last, &mut hooks)?;
        drop(hooks);
        if receivers.is_empty() {
            self.metric.of_batch(&logits)
        } else {
            self.received(layer, &told, receivers)
        }
    }

    /// The metric of corrupted runs in which the receivers read what they were told.
    fn received(
        &self,
        sender: usize,
        told: &ActivationCache,
        receivers: &[Receiver],
    ) -> Result<Vec<f64>, RunError> {
        let config = self.model.config();
        let reachable = |receiver: &&Receiver| receiver.layer() >= sender;
        let first = receivers.iter().filter(reachable).map(|receiver| receiver.layer()).min();
        let first = first.unwrap_or(sender);
        let count = config.heads + 1;
        let mut hooks = Hooks::new();
        for receiver in receivers.iter().filter(reachable) {
            let point = receiver.point();
            let new = told.at(point)?.clone();
            let Some(head) = receiver.head() else {
                hooks = hooks.on(point, move |_, _| Ok(Some(new.clone())));
                continue;
            };
            hooks = hooks.on(point, move |_, value| {
                let heads = value.dim(D::Minus2)?;
                let mask: Vec<u8> = (0..heads).map(|other| u8::from(other == head)).collect();
                let mask = Tensor::from_vec(mask, (1, 1, heads, 1), value.device())?;
                blend(&mask, &new, value).map(Some)
            });
        }
        let stream = rows(self.streams.at(HookPoint::block(first, Site::ResidPre))?, count)?;
        let (logits, _) = self.model.run_residual(first, &stream, Readout::Last, &mut hooks)?;
        self.metric.of_batch(&logits)
    }
}

/// 1 where the sequence is the head's, of `[sequences, 1, heads, 1]`.
fn identity(sequences: usize, heads: usize, device: &candle_core::Device) -> Result<Tensor, RunError> {
    let mask: Vec<u8> = (0..sequences * heads).map(|at| u8::from(at / heads == at % heads)).collect();
    Ok(Tensor::from_vec(mask, (sequences, 1, heads, 1), device)?)
}
