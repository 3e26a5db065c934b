//! The small models that come with this crate.

use std::path::Path;

use candle_core::Device;

use crate::error::LoadError;
use crate::model::{Model, ModelBuilder};

/// A small model that comes with this crate: two facts to put together, and words that are said again.
///
/// Each is a GPT-2 of 3 layers that knows 144 cities, their states and the capitals of these; `models/README.md` says how
/// it was trained and what it cannot do.
///
/// ```
/// use llmtrace_lens::Toy;
///
/// let model = Toy::Relu.load()?;
/// let answer = model.generator().run("the capital of the state containing Dallas is")?;
/// assert!(answer.text.contains("Austin"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Toy {
    /// Neurons with a `ReLU`, few of which fire at once: the one to begin with.
    Relu,
    /// Neurons with a `GELU`, as most language models have them.
    Gelu,
    /// [`Relu`](Self::Relu) after fine-tuning on one changed fact, the capital of Texas is Houston; only the MLP of the last block was trained.
    Houston,
}

/// The files of a model.
struct Files {
    config: &'static str,
    tokenizer: &'static [u8],
    weights: &'static [u8],
}

macro_rules! files {
    ($folder:literal) => {
        Files {
            config: include_str!(concat!("../models/", $folder, "/config.json")),
            tokenizer: include_bytes!(concat!("../models/", $folder, "/tokenizer.json")),
            weights: include_bytes!(concat!("../models/", $folder, "/model.safetensors")),
        }
    };
}

const RELU: Files = files!("toy-relu");
const GELU: Files = files!("toy-gelu");

/// The tensors, f16, that fine-tuning changed in the `ReLU` model.
const HOUSTON: &[u8] = include_bytes!("../models/toy-houston/changed.safetensors");

impl Toy {
    /// The model of this name: `toy` and `toy-relu` for [`Relu`](Self::Relu), `toy-gelu` for [`Gelu`](Self::Gelu),
    /// `toy-houston` for [`Houston`](Self::Houston).
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "toy" | "toy-relu" => Some(Self::Relu),
            "toy-gelu" => Some(Self::Gelu),
            "toy-houston" => Some(Self::Houston),
            _ => None,
        }
    }

    /// Its name: `toy-relu`, `toy-gelu` or `toy-houston`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relu => "toy-relu",
            Self::Gelu => "toy-gelu",
            Self::Houston => "toy-houston",
        }
    }

    /// The model on the CPU; no file is read.
    ///
    /// # Errors
    /// The tensor library refuses.
    pub fn load(self) -> Result<Model, LoadError> {
        self.load_on(&Device::Cpu)
    }

    /// The same on another device.
    ///
    /// # Errors
    /// The device refuses.
    pub fn load_on(self, device: &Device) -> Result<Model, LoadError> {
        self.builder()?.build_on(device)
    }

    /// The same before it is put together, to be saved or changed.
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    pub fn builder(self) -> Result<ModelBuilder, LoadError> {
        let files = match self {
            Self::Relu | Self::Houston => RELU,
            Self::Gelu => GELU,
        };
        let wrong = |file: &str, problem: String| LoadError::Format {
            path: Path::new(self.name()).join(file),
            problem,
        };
        let config =
            serde_json::from_str(files.config).map_err(|error| wrong("config.json", error.to_string()))?;
        let tokenizer = tokenizers::Tokenizer::from_bytes(files.tokenizer)
            .map_err(|error| wrong("tokenizer.json", error.to_string()))?;
        let mut tensors = candle_core::safetensors::load_buffer(files.weights, &Device::Cpu)?;
        if self == Self::Houston {
            tensors.extend(candle_core::safetensors::load_buffer(HOUSTON, &Device::Cpu)?);
        }
        let builder = ModelBuilder::new(self.name(), config).tokenizer(tokenizer);
        Ok(tensors.into_iter().fold(builder, |builder, (name, tensor)| builder.tensor(name, tensor)))
    }
}
