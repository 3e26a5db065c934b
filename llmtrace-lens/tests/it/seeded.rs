//! Transcoders of random numbers, in the files of circuit-tracer.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use llmtrace_lens::circuit::{Experiment, Tracer, Transcoders};
use llmtrace_lens::{Model, NormKind};

use crate::support::{fixtures, tensors, values};

/// Which transcoders.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a file can have")]
pub(crate) struct Seeded {
    cross_layer: bool,
    skip: bool,
    top_k: bool,
    threshold: bool,
    input: &'static str,
    output: &'static str,
}

const FEATURES: usize = 24;

impl Seeded {
    /// Every kind that a file can hold, at every hook.
    pub(crate) fn all() -> Vec<Self> {
        let plain = Self {
            cross_layer: false,
            skip: false,
            top_k: false,
            threshold: false,
            input: "ln2.hook_normalized",
            output: "mlp.hook_out",
        };
        vec![
            plain,
            Self { skip: true, top_k: true, input: "mlp.hook_in", output: "hook_mlp_out", ..plain },
            Self { skip: true, threshold: true, ..plain },
            Self { skip: true, input: "hook_resid_mid", ..plain },
            Self {
                cross_layer: true,
                threshold: true,
                input: "hook_resid_mid",
                output: "hook_mlp_out",
                ..plain
            },
            Self { cross_layer: true, input: "mlp.hook_in", ..plain },
        ]
    }

    /// What the features of the last layer stand for at the last position `[D]`, computed from the files alone as their format says: each
    /// layer's activations times its decoders, the decoder's bias, and the linear way `x W_skip'`.
    pub(crate) fn reconstructed(self, folder: &Path, model: &Model, tokens: &[u32]) -> Vec<f32> {
        let last = model.config().layers - 1;
        let site = match (self.input, model.config().norm) {
            ("ln2.hook_normalized", NormKind::Layer) => "mlp.hook_in",
            (input, _) => input,
        };
        let names: Vec<String> = (0..=last).map(|layer| format!("blocks.{layer}.{site}")).collect();
        let (_, cache) = model.run_with_cache(tokens, names.join(",").as_str()).unwrap();
        let mut written = vec![0.0; model.config().d_model];
        let mut add = |row: &[f32], times: f32| {
            written.iter_mut().zip(row).for_each(|(sum, value)| *sum += value * times);
        };
        for (layer, name) in names.iter().enumerate().filter(|(layer, _)| self.cross_layer || *layer == last)
        {
            let mut parts = HashMap::new();
            for file in ["layer_", "W_enc_", "W_dec_"] {
                let path = folder.join(format!("{file}{layer}.safetensors"));
                parts.extend(path.exists().then(|| tensors(path)).into_iter().flatten());
            }
            let part = |name: &str| parts.get(name).or_else(|| parts.get(&format!("{name}_{layer}")));
            let rows = |name: &str| {
                part(name)
                    .map(|tensor| tensor.flatten(0, tensor.rank() - 2).unwrap().to_vec2::<f32>().unwrap())
            };
            let row = |name: &str| part(name).map(|tensor| tensor.to_vec1::<f32>().unwrap());
            let read = values(cache.get(name).unwrap());
            let read = &read[read.len() - model.config().d_model..];
            let dot = |row: &[f32]| row.iter().zip(read).map(|(weight, value)| weight * value).sum::<f32>();
            let bias = row("b_enc").unwrap();
            let pre: Vec<f32> =
                rows("W_enc").unwrap().iter().zip(&bias).map(|(row, bias)| dot(row) + bias).collect();
            let least = row("activation_function.threshold")
                .or_else(|| row("threshold"))
                .unwrap_or(vec![0.0; FEATURES]);
            let mut largest = pre.clone();
            largest.sort_by(|a, b| b.total_cmp(a));
            let steps = last - layer + 1;
            let decoders = rows("W_dec").unwrap();
            for feature in 0..FEATURES {
                let is_active =
                    if self.top_k { pre[feature] >= largest[4] } else { pre[feature] > least[feature] };
                let decoder = if self.cross_layer {
                    &decoders[feature * steps + last - layer]
                } else {
                    &decoders[feature]
                };
                add(decoder, if is_active { pre[feature] } else { 0.0 });
            }
            if layer == last {
                add(&row("b_dec").unwrap(), 1.0);
                let skipped: Vec<f32> =
                    rows("W_skip").unwrap_or_default().iter().map(|row| dot(row)).collect();
                add(&skipped, 1.0);
            }
        }
        written
    }

    pub(crate) fn write(self, model: &Model) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let (layers, width) = (model.config().layers, model.config().d_model);
        let mut random = fastrand::Rng::with_seed(7);
        let mut tensor = |shape: &[usize], size: f32| {
            let count = shape.iter().product();
            let values: Vec<f32> = (0..count).map(|_| (random.f32() - 0.5) * size).collect();
            Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
        };
        for layer in 0..layers {
            let (mut encoder, mut decoder) = (HashMap::new(), HashMap::new());
            let name =
                |part: &str| if self.cross_layer { format!("{part}_{layer}") } else { part.to_owned() };
            encoder.insert(name("W_enc"), tensor(&[FEATURES, width], 1.0));
            encoder.insert(name("b_enc"), tensor(&[FEATURES], 0.2));
            encoder.insert(name("b_dec"), tensor(&[width], 0.2));
            if self.threshold {
                let key = if self.cross_layer {
                    name("threshold")
                } else {
                    "activation_function.threshold".to_owned()
                };
                encoder.insert(key, (tensor(&[FEATURES], 0.2) + 0.3).unwrap());
            }
            if self.top_k {
                encoder.insert("k".to_owned(), Tensor::new(&[5_i64], &Device::Cpu).unwrap());
            }
            if self.skip {
                encoder.insert("W_skip".to_owned(), tensor(&[width, width], 0.2));
            }
            if self.cross_layer {
                decoder.insert(name("W_dec"), tensor(&[FEATURES, layers - layer, width], 0.5));
                candle_core::safetensors::save(
                    &encoder,
                    folder.path().join(format!("W_enc_{layer}.safetensors")),
                )
                .unwrap();
                candle_core::safetensors::save(
                    &decoder,
                    folder.path().join(format!("W_dec_{layer}.safetensors")),
                )
                .unwrap();
            } else {
                encoder.insert(name("W_dec"), tensor(&[FEATURES, width], 0.5));
                candle_core::safetensors::save(
                    &encoder,
                    folder.path().join(format!("layer_{layer}.safetensors")),
                )
                .unwrap();
            }
        }
        let config = format!(
            "model_name: \"x\" # none\nfeature_input_hook: {}\nfeature_output_hook: '{}'\n",
            self.input, self.output
        );
        std::fs::write(folder.path().join("config.yaml"), config).unwrap();
        folder
    }
}

/// Graphs of random models of some families, with transcoders of every kind.
#[track_caller]
pub(crate) fn each_experiment(families: &[&str], check: impl Fn(&str, &Experiment<'_>)) {
    for family in families {
        let model = Model::load(fixtures().join("models").join(family)).unwrap();
        for seeded in Seeded::all() {
            let written = seeded.write(&model);
            let transcoders = Transcoders::load(written.path(), &model).unwrap();
            let tracer = Tracer::new(&model, &transcoders).masked(1);
            let experiment = tracer.experiment(&[1, 20, 33, 47, 20, 102, 9]).unwrap();
            check(&format!("{family} {seeded:?}"), &experiment);
        }
    }
}

/// The neurons of `toy-relu` as files of transcoders.
pub(crate) fn neurons_in_files() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let weights = tensors(fixtures().join("../../models/toy-relu/model.safetensors"));
    for layer in 0..3 {
        let part = |name: &str| weights[&format!("transformer.h.{layer}.mlp.{name}")].clone();
        let held = HashMap::from([
            ("W_enc", part("c_fc.weight").t().unwrap().contiguous().unwrap()),
            ("b_enc", part("c_fc.bias")),
            ("W_dec", part("c_proj.weight")),
            ("b_dec", part("c_proj.bias")),
        ]);
        candle_core::safetensors::save(&held, folder.path().join(format!("layer_{layer}.safetensors")))
            .unwrap();
    }
    let config = "model_name: toy\nfeature_input_hook: mlp.hook_in\nfeature_output_hook: hook_mlp_out\n";
    std::fs::write(folder.path().join("config.yaml"), config).unwrap();
    folder
}
