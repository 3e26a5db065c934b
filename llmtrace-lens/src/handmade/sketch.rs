//! The weights of a small GPT-2, set one by one.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use serde_json::json;
use tokenizers::Tokenizer;

use crate::error::LoadError;
use crate::model::ModelBuilder;

/// A score that wins, over half of it too: e^-128 is 0 in f32.
pub(super) const SHARP: f32 = 256.0;

const LAYERS: usize = 2;
/// 2^20: the norms' gain, and the root of their epsilon.
const GAIN: f32 = 1_048_576.0;

/// The shape of a model built by hand.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) words: &'static [&'static str],
    pub(super) context: usize,
    pub(super) width: usize,
    pub(super) heads: usize,
    pub(super) neurons: usize,
}

/// Weights that are zero until they are set.
pub(super) struct Sketch {
    shape: Shape,
    tensors: BTreeMap<String, Grid>,
}

struct Grid {
    shape: Vec<usize>,
    values: Vec<f32>,
}

/// Which product of attention reads the stream.
#[derive(Clone, Copy)]
pub(super) enum Input {
    Query,
    Key,
    Value,
}

impl Sketch {
    pub(super) fn new(shape: Shape) -> Self {
        let (width, neurons, vocab) = (shape.width, shape.neurons, shape.words.len());
        let mut sketch = Self { tensors: BTreeMap::new(), shape };
        sketch.fill("transformer.wte.weight", &[vocab, width], 0.0);
        sketch.fill("transformer.wpe.weight", &[sketch.shape.context, width], 0.0);
        sketch.fill("lm_head.weight", &[vocab, width], 0.0);
        for layer in 0..LAYERS {
            for (part, shape) in [
                ("attn.c_attn.weight", &[width, 3 * width][..]),
                ("attn.c_attn.bias", &[3 * width]),
                ("attn.c_proj.weight", &[width, width]),
                ("attn.c_proj.bias", &[width]),
                ("mlp.c_fc.weight", &[width, neurons]),
                ("mlp.c_fc.bias", &[neurons]),
                ("mlp.c_proj.weight", &[neurons, width]),
                ("mlp.c_proj.bias", &[width]),
            ] {
                sketch.fill(&block(layer, part), shape, 0.0);
            }
            for norm in ["ln_1", "ln_2"] {
                sketch.norm(&block(layer, norm));
            }
        }
        sketch.norm("transformer.ln_f");
        sketch
    }

    /// A token puts `value` into a dimension of the stream.
    pub(super) fn token(&mut self, token: usize, dimension: usize, value: f32) {
        self.write("transformer.wte.weight", token, dimension, value);
    }

    /// A position puts `value` into a dimension of the stream.
    pub(super) fn position(&mut self, position: usize, dimension: usize, value: f32) {
        self.write("transformer.wpe.weight", position, dimension, value);
    }

    /// A token's logit reads a dimension of the stream.
    pub(super) fn logit(&mut self, token: usize, dimension: usize, value: f32) {
        self.add("lm_head.weight", &[token, dimension], value);
    }

    /// A head reads a dimension of the stream into one of its own.
    pub(super) fn reads(
        &mut self,
        (layer, head): (usize, usize),
        input: Input,
        dimension: usize,
        own: usize,
        value: f32,
    ) {
        let column = self.column(head, input, own);
        self.add(&block(layer, "attn.c_attn.weight"), &[dimension, column], value);
    }

    /// What a head has in one of its own dimensions whatever it reads.
    pub(super) fn always(&mut self, (layer, head): (usize, usize), input: Input, own: usize, value: f32) {
        let column = self.column(head, input, own);
        self.add(&block(layer, "attn.c_attn.bias"), &[column], value);
    }

    /// A head writes one of its own dimensions to the stream.
    pub(super) fn writes(&mut self, (layer, head): (usize, usize), own: usize, dimension: usize, value: f32) {
        let row = head * self.head_size() + own;
        self.write(&block(layer, "attn.c_proj.weight"), row, dimension, value);
    }

    /// A neuron: what it reads, its bias, what it writes.
    pub(super) fn neuron(
        &mut self,
        (layer, neuron): (usize, usize),
        reads: &[(usize, f32)],
        bias: f32,
        writes: (usize, f32),
    ) {
        for (dimension, value) in reads {
            self.add(&block(layer, "mlp.c_fc.weight"), &[*dimension, neuron], *value);
        }
        self.add(&block(layer, "mlp.c_fc.bias"), &[neuron], bias);
        self.write(&block(layer, "mlp.c_proj.weight"), neuron, writes.0, writes.1);
    }

    /// The model, with a tokenizer that parts words at spaces and puts the first one before every text.
    pub(super) fn finish(self) -> Result<ModelBuilder, LoadError> {
        let shape = &self.shape;
        let config = json!({
            "model_type": "gpt2",
            "architectures": ["GPT2LMHeadModel"],
            "activation_function": "relu",
            "n_embd": shape.width,
            "n_head": shape.heads,
            "n_inner": shape.neurons,
            "n_layer": LAYERS,
            "n_positions": shape.context,
            "vocab_size": shape.words.len(),
            "layer_norm_epsilon": f64::from(GAIN) * f64::from(GAIN),
            "scale_attn_weights": false,
            "tie_word_embeddings": false,
            "bos_token_id": 0,
            "eos_token_id": 0,
        });
        let mut builder = ModelBuilder::new(shape.name, config).tokenizer(tokenizer(shape)?);
        for (name, grid) in self.tensors {
            builder = builder.tensor(name, Tensor::from_vec(grid.values, grid.shape, &Device::Cpu)?);
        }
        Ok(builder)
    }

    fn head_size(&self) -> usize {
        self.shape.width / self.shape.heads
    }

    fn column(&self, head: usize, input: Input, own: usize) -> usize {
        input as usize * self.shape.width + head * self.head_size() + own
    }

    fn fill(&mut self, name: &str, shape: &[usize], value: f32) {
        let values = vec![value; shape.iter().product()];
        self.tensors.insert(name.to_owned(), Grid { shape: shape.to_vec(), values });
    }

    fn norm(&mut self, name: &str) {
        self.fill(&format!("{name}.weight"), &[self.shape.width], GAIN);
        self.fill(&format!("{name}.bias"), &[self.shape.width], 0.0);
    }

    /// Adds to a row that is written to the stream, and takes the same from its last dimension.
    fn write(&mut self, name: &str, row: usize, dimension: usize, value: f32) {
        self.add(name, &[row, dimension], value);
        self.add(name, &[row, self.shape.width - 1], -value);
    }

    fn add(&mut self, name: &str, index: &[usize], value: f32) {
        let slot = self.tensors.get_mut(name).and_then(|grid| {
            let flat = index.iter().zip(&grid.shape).fold(0, |flat, (at, size)| flat * size + at);
            grid.values.get_mut(flat)
        });
        if let Some(slot) = slot {
            *slot += value;
        }
    }
}

fn block(layer: usize, part: &str) -> String {
    format!("transformer.h.{layer}.{part}")
}

fn tokenizer(shape: &Shape) -> Result<Tokenizer, LoadError> {
    let first = shape.words.first().copied().unwrap_or_default();
    let vocab: BTreeMap<&str, usize> = shape.words.iter().enumerate().map(|(id, word)| (*word, id)).collect();
    let sequence =
        json!([{"SpecialToken": {"id": first, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]);
    let tokenizer = json!({
        "version": "1.0",
        "added_tokens": [{
            "id": 0, "content": first, "special": true, "normalized": false,
            "single_word": false, "lstrip": false, "rstrip": false,
        }],
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": sequence,
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {first: {"id": first, "ids": [0], "tokens": [first]}},
        },
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": first},
    });
    Tokenizer::from_bytes(tokenizer.to_string()).map_err(|error| LoadError::Format {
        path: shape.name.into(),
        problem: format!("its tokenizer cannot be made: {error}"),
    })
}
