//! The model and the prompt of a command.

use std::fmt::Display;
use std::num::ParseIntError;
use std::path::{Path, PathBuf};

use candle_core::Device;
use clap::{Args, ValueEnum};
use llmtrace_lens::circuit::Transcoders;
use llmtrace_lens::generate::Stop;
use llmtrace_lens::trace::Detail;
use llmtrace_lens::{LoadError, Model, Toy};

use super::hub;
use crate::failure::Failure;

/// What stands before the name of a model of the Hugging Face hub.
const HUB: &str = "hf:";

/// Which model, and where it is run.
#[derive(Args, Debug)]
pub(super) struct ModelArguments {
    #[arg(
        value_name = "MODEL",
        help = "A folder, hf:owner/name[@revision] of the hub, or toy, toy-gelu, toy-houston"
    )]
    model: String,
    /// Where it is run; cuda and metal need a build with that feature
    #[arg(long, value_name = "DEVICE", value_enum, default_value = "cpu")]
    device: DeviceName,
}

/// What stands for the MLPs.
#[derive(Args, Debug)]
pub(super) struct TranscoderArguments {
    #[arg(
        long,
        value_name = "DIR",
        help = "The folder of the transcoders; without it the model's own neurons, where they have a ReLU"
    )]
    transcoders: Option<PathBuf>,
}

/// A kind of device.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum DeviceName {
    Cpu,
    Cuda,
    Metal,
}

/// What the model reads.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(super) struct PromptArguments {
    /// The prompt as a text, to which the tokenizer adds its special tokens
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// The prompt as ids of tokens: 464,3139,286
    #[arg(long, value_name = "IDS", value_delimiter = ',', value_parser = token_number)]
    tokens: Option<Vec<u32>>,
}

impl ModelArguments {
    /// Loads the model.
    pub(super) fn load(&self) -> Result<Model, Failure> {
        load(&self.model, self.device)
    }
}

impl TranscoderArguments {
    /// Opens them, or takes the model's neurons.
    pub(super) fn load(&self, model: &Model) -> Result<Transcoders, Failure> {
        let Some(folder) = &self.transcoders else {
            return Transcoders::neurons(model).map_err(|error| {
                let error = wrong(error);
                match error {
                    Failure::Wrong(reason) => Failure::Wrong(format!(
                        "{reason} with --transcoders DIR (`llmtrace lens train-transcoder` trains some)"
                    )),
                    other => other,
                }
            });
        };
        open_transcoders(folder, model)
    }
}

/// Opens transcoders of a model.
pub(super) fn open_transcoders(folder: &Path, model: &Model) -> Result<Transcoders, Failure> {
    if !folder.is_dir() {
        let is = if folder.exists() { "is no folder" } else { "is not there" };
        return Err(Failure::Wrong(format!(
            "{} {is}: expected the folder of transcoders (layer_0.safetensors, .. or W_enc_0.safetensors, W_dec_0.safetensors, ..)",
            folder.display()
        )));
    }
    Transcoders::load(folder, model).map_err(wrong)
}

/// Loads the model of a folder, of the hub, or one that comes with the program.
pub(super) fn load(model: &str, device: DeviceName) -> Result<Model, Failure> {
    let device = device.open()?;
    if let Some(name) = model.strip_prefix(HUB) {
        return hub::load(name, &device);
    }
    let folder = Path::new(model);
    let loaded = match Toy::named(model) {
        // A folder of that name is meant before the model that comes with the program.
        Some(toy) if !folder.exists() => toy.load_on(&device),
        None if !folder.is_dir() => return Err(no_folder(folder)),
        _ => Model::load_on(folder, &device),
    };
    loaded.map_err(Failure::from)
}

fn no_folder(path: &Path) -> Failure {
    let is = if path.exists() { "is no folder" } else { "is not there" };
    Failure::Wrong(format!(
        "{} {is}: expected the folder of a model, hf:owner/name, toy, toy-gelu or toy-houston",
        path.display()
    ))
}

impl DeviceName {
    fn open(self) -> Result<Device, Failure> {
        let (opened, feature) = match self {
            Self::Cpu => return Ok(Device::Cpu),
            Self::Cuda => (Device::new_cuda(0), "cuda"),
            Self::Metal => (Device::new_metal(0), "metal"),
        };
        opened.map_err(|error| {
            let reason = one_line(&error);
            Failure::Wrong(if reason.contains("not been built with") {
                format!("this build knows no {feature}: cargo install llmtrace-cli --features {feature}")
            } else {
                format!("the {feature} device cannot be used: {reason}")
            })
        })
    }
}

impl PromptArguments {
    /// The prompt, where it is a text.
    pub(super) fn text(&self) -> Option<&str> {
        self.prompt.as_deref()
    }

    /// The ids of the prompt's tokens.
    pub(super) fn read(&self, model: &Model) -> Result<Vec<u32>, Failure> {
        match (&self.prompt, &self.tokens) {
            (Some(text), _) => tokenized(model, text),
            (None, Some(tokens)) => Ok(tokens.clone()),
            (None, None) => Err(Failure::Wrong("what prompt? Give --prompt or --tokens".to_owned())),
        }
    }
}

/// The token that the model finds most probable after a prompt.
pub(super) fn likeliest(model: &Model, prompt: &[u32]) -> Result<u32, Failure> {
    let answer = model.generator().detail(Detail::Off).stop(Stop::after(1)).run(prompt).map_err(wrong)?;
    let first = answer.ids().first().copied();
    first.ok_or_else(|| Failure::Wrong("the model says nothing".to_owned()))
}

/// The ids of a text's tokens.
pub(super) fn tokenized(model: &Model, text: &str) -> Result<Vec<u32>, Failure> {
    let tokens = model.tokenize(text).map_err(wrong)?;
    if tokens.is_empty() {
        return Err(Failure::Wrong("the prompt has no token".to_owned()));
    }
    Ok(tokens)
}

/// The one token that a text is, with or without the space before it; a number with `#` is an id.
pub(super) fn token(model: &Model, text: &str) -> Result<u32, Failure> {
    if let Some(id) = text.strip_prefix('#').and_then(|id| id.parse().ok()) {
        return Ok(id);
    }
    // Within a text most words begin with their space.
    model.token_id(&format!(" {text}")).or_else(|_| model.token_id(text)).map_err(wrong)
}

fn token_number(text: &str) -> Result<u32, ParseIntError> {
    text.trim().parse()
}

/// What a model refused, in one line.
pub(crate) fn wrong(error: impl Display) -> Failure {
    Failure::Wrong(one_line(&error))
}

fn one_line(error: &impl Display) -> String {
    error.to_string().lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        wrong(error)
    }
}
