//! `llmtrace lens dump`: activations as a safetensors file.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use candle_core::{DType, Device, Tensor};
use clap::Args;
use llmtrace_lens::{Filter, Model};
use serde::Serialize;

use super::input::{ModelArguments, PromptArguments, wrong};
use super::output::print_json;
use crate::failure::Failure;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Writes what a model computes to a safetensors file", long_about = ABOUT, after_help = EXAMPLES)]
#[command(
    override_usage = "llmtrace lens dump MODEL (--prompt TEXT | --tokens IDS) --hooks GLOB,.. --out FILE"
)]
pub(crate) struct Options {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    prompt: PromptArguments,
    /// Hook points by their TransformerLens names; * stands for any characters
    #[arg(long, value_name = "GLOB,..", required = true)]
    hooks: Vec<String>,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print one JSON object, as is done without it too
    #[arg(long = "json")]
    _json: bool,
}

const ABOUT: &str = "\
Writes what a model computes to a safetensors file.

Reads a model and runs it once over the prompt. The file holds the activations
at the named hook points as f32 under their classic TransformerLens names, such
as blocks.0.hook_resid_pre [1, t, width], and tokens [1, t] (i64) and logits
[1, t, vocabulary] (f32). What is asked for by a name of TransformerLens 3 or 4,
or a short one (pattern1), is there under that name too; * leaves out points that
cost extra work, such as hook_result, unless a pattern ends in their own name.

Prints one JSON object: the model, the file, tokens and their texts, the shape
of each tensor, and the times in seconds.

Returns 0 when done, 2 if the model cannot be read, a name fits no hook point,
or the file cannot be written.";

const EXAMPLES: &str = "\
Examples:
  llmtrace lens dump toy --prompt 'Dallas is' --hooks '*.hook_resid_post' --out a.safetensors
  llmtrace lens dump models/gpt2 --tokens 464,3139 --hooks '*.hook_pattern' --out a.safetensors";

/// What is printed.
#[derive(Serialize)]
struct Dumped<'a> {
    model: &'a str,
    file: &'a PathBuf,
    tokens: &'a [u32],
    texts: Vec<String>,
    shapes: BTreeMap<&'a str, Vec<usize>>,
    times: Times,
}

#[derive(Serialize)]
struct Times {
    #[serde(rename = "load_seconds")]
    load: f64,
    #[serde(rename = "run_seconds")]
    run: f64,
    #[serde(rename = "write_seconds")]
    write: f64,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let start = Instant::now();
    let model = options.model.load()?;
    let load = start.elapsed().as_secs_f64();
    let tokens = options.prompt.read(&model)?;
    let start = Instant::now();
    let tensors = tensors(&model, &tokens, &options.hooks.join(","))?;
    let run = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let bytes = safetensors::serialize(&tensors, None).map_err(wrong)?;
    fs::write(&options.out, bytes)
        .map_err(|error| Failure::Wrong(format!("cannot write {}: {error}", options.out.display())))?;
    let times = Times { load, run, write: start.elapsed().as_secs_f64() };
    print_json(&Dumped {
        model: model.name(),
        file: &options.out,
        tokens: &tokens,
        texts: tokens.iter().map(|token| model.token_text(*token)).collect(),
        shapes: tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.dims().to_vec())).collect(),
        times,
    })
}

/// What the file holds.
fn tensors(model: &Model, tokens: &[u32], hooks: &str) -> Result<HashMap<String, Tensor>, Failure> {
    let (logits, cache) = model.run_with_cache(tokens, Filter::new(hooks)).map_err(wrong)?;
    let on_cpu = |tensor: &Tensor| tensor.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.contiguous();
    let mut tensors = HashMap::new();
    for (point, value) in cache.iter() {
        tensors.insert(point.to_string(), on_cpu(value).map_err(wrong)?);
    }
    // What was asked for by one of its other names is there under that one too.
    for name in hooks.split(',').map(str::trim) {
        if let Ok(value) = cache.get(name) {
            tensors.insert(name.to_owned(), on_cpu(value).map_err(wrong)?);
        }
    }
    let ids: Vec<i64> = tokens.iter().map(|token| i64::from(*token)).collect();
    tensors
        .insert("tokens".to_owned(), Tensor::from_vec(ids, (1, tokens.len()), &Device::Cpu).map_err(wrong)?);
    tensors.insert("logits".to_owned(), on_cpu(&logits).map_err(wrong)?);
    Ok(tensors)
}
