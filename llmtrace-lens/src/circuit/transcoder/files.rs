//! The files of one layer's transcoder, as circuit-tracer writes them.

use std::path::Path;

use candle_core::Tensor;

use super::activation::FeatureActivation;
use super::archive::Archive;
use super::transcoders::Encoder;
use crate::error::LoadError;

/// One layer's transcoder on the disk.
#[derive(Debug)]
pub(super) struct LayerFiles {
    names: Names,
    encoder: Archive,
    /// Where it is not in the same file.
    decoder: Option<Archive>,
    pub(super) features: usize,
    width: usize,
    /// How many layers it writes to; none where the decoder has no such dimension.
    written: Option<usize>,
}

/// What its tensors are called.
#[derive(Debug)]
struct Names {
    w_enc: String,
    b_enc: String,
    w_dec: String,
    b_dec: String,
    threshold: String,
}

impl LayerFiles {
    /// `layer_{i}.safetensors`: `W_enc` and `W_dec` `[F, D]`, `b_enc`, `b_dec`; `W_skip` `[D, D]`,
    /// `activation_function.threshold`, `k` where there are.
    pub(super) fn per_layer(folder: &Path, layer: usize, width: usize) -> Result<Self, LoadError> {
        let encoder = Archive::open(folder.join(format!("layer_{layer}.safetensors")))?;
        let names = ["W_enc", "b_enc", "W_dec", "b_dec", "activation_function.threshold"].map(str::to_owned);
        Self::new(names, encoder, None, width, None)
    }

    /// `W_enc_{i}.safetensors`: `W_enc_{i}` `[F, D]`, `b_enc_{i}`, `b_dec_{i}`, `threshold_{i}` where there is one; `W_dec_{i}.safetensors`: `W_dec_{i}` `[F, L - i, D]`.
    pub(super) fn cross_layer(
        folder: &Path,
        layer: usize,
        layers: usize,
        width: usize,
    ) -> Result<Self, LoadError> {
        let encoder = Archive::open(folder.join(format!("W_enc_{layer}.safetensors")))?;
        let decoder = Archive::open(folder.join(format!("W_dec_{layer}.safetensors")))?;
        let names = ["W_enc", "b_enc", "W_dec", "b_dec", "threshold"].map(|name| format!("{name}_{layer}"));
        Self::new(names, encoder, Some(decoder), width, Some(layers - layer))
    }

    fn new(
        [w_enc, b_enc, w_dec, b_dec, threshold]: [String; 5],
        encoder: Archive,
        decoder: Option<Archive>,
        width: usize,
        written: Option<usize>,
    ) -> Result<Self, LoadError> {
        let features = encoder.rows(&w_enc, &[0, width])?;
        let names = Names { w_enc, b_enc, w_dec, b_dec, threshold };
        let files = Self { names, encoder, decoder, features, width, written };
        // Wrong shapes are told on opening, before hours of work.
        files.encoder.pieces(&files.names.w_enc, &[features, width], width, &[])?;
        files.encoder.pieces(&files.names.b_enc, &[features], 1, &[])?;
        files.decoders(&[], 0)?;
        files.decoder_bias()?;
        files.activation()?;
        Ok(files)
    }

    pub(super) fn encoder(&self) -> Result<Encoder, LoadError> {
        let (file, names) = (&self.encoder, &self.names);
        Ok(Encoder {
            weight: file.tensor(&names.w_enc, &[self.features, self.width])?,
            bias: file.tensor(&names.b_enc, &[self.features])?,
            activation: self.activation()?,
        })
    }

    /// The rows of some features, read alone.
    pub(super) fn encoder_rows(&self, features: &[usize]) -> Result<Encoder, LoadError> {
        let (file, names) = (&self.encoder, &self.names);
        let starts: Vec<usize> = features.iter().map(|feature| feature * self.width).collect();
        let weight = file.pieces(&names.w_enc, &[self.features, self.width], self.width, &starts)?;
        let bias = file.pieces(&names.b_enc, &[self.features], 1, features)?.flatten_all()?;
        Ok(Encoder { weight, bias, activation: self.activation()? })
    }

    fn activation(&self) -> Result<FeatureActivation, LoadError> {
        let (file, threshold) = (&self.encoder, &self.names.threshold);
        if file.has(threshold) {
            // One for all, or one a feature.
            let single = [1_usize];
            let shape =
                if file.rows(threshold, &[self.features])? == 1 { &single[..] } else { &[self.features] };
            let values = file.tensor(threshold, shape)?.to_vec1::<f32>()?;
            let values = match values.as_slice() {
                [one] => vec![*one; self.features],
                _ => values,
            };
            return Ok(FeatureActivation::JumpRelu(values));
        }
        if self.written.is_none() && file.has("k") {
            let count = file.count("k")?;
            if count == 0 || count > self.features {
                return Err(file.format(format!("\"k\" is {count}, expected 1 to {}", self.features)));
            }
            return Ok(FeatureActivation::TopK(count));
        }
        Ok(FeatureActivation::Relu)
    }

    /// What each of these features writes to the layer so many above its own, `[n, D]`.
    pub(super) fn decoders(&self, features: &[usize], above: usize) -> Result<Tensor, LoadError> {
        let file = self.decoder.as_ref().unwrap_or(&self.encoder);
        let (count, shape) = match self.written {
            Some(written) => (written, vec![self.features, written, self.width]),
            None => (1, vec![self.features, self.width]),
        };
        let starts: Vec<usize> =
            features.iter().map(|feature| (feature * count + above) * self.width).collect();
        file.pieces(&self.names.w_dec, &shape, self.width, &starts)
    }

    pub(super) fn decoder_bias(&self) -> Result<Tensor, LoadError> {
        self.encoder.tensor(&self.names.b_dec, &[self.width])
    }

    pub(super) fn skip(&self) -> Result<Option<Tensor>, LoadError> {
        if self.written.is_some() || !self.encoder.has("W_skip") {
            return Ok(None);
        }
        self.encoder.tensor("W_skip", &[self.width, self.width]).map(Some)
    }
}
