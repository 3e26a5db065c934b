//! Where transcoders read and write.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::LoadError;
use crate::hooks::{HookPoint, Site};
use crate::model::{Config, NormKind, json_file};

/// What a transcoder reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FeatureInput {
    /// The stream before the norm of the MLP (`hook_resid_mid`).
    Stream,
    /// That norm before its gain and bias.
    Normalized,
    /// That norm after gain and bias: what the MLP itself reads (`mlp.hook_in`).
    MlpInput,
}

/// What a transcoder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FeatureOutput {
    /// What is added to the stream (`hook_mlp_out`).
    Stream,
    /// What the MLP writes, before the norm after it that some models have (`mlp.hook_out`).
    MlpOutput,
}

/// The sites that the folder's `config.yaml` names (`feature_input_hook`, `feature_output_hook`), or a `meta.json` with these
/// keys; circuit-tracer's defaults, `hook_resid_mid` and `hook_mlp_out`, where there is none.
///
/// `ln2.hook_normalized` is read as classic TransformerLens has it, on which circuit-tracer stands: after gain and bias of a
/// layer norm, before the gain of an RMS norm.
pub(super) fn of_folder(folder: &Path, config: &Config) -> Result<(FeatureInput, FeatureOutput), LoadError> {
    const LONGEST: u64 = 1 << 20;
    let mut named = [None, None];
    let keys = ["feature_input_hook", "feature_output_hook"];
    let (yaml, json) = (folder.join("config.yaml"), folder.join("meta.json"));
    let mut path = yaml.clone();
    if yaml.exists() {
        let bytes = json_file::bytes(&yaml, LONGEST)?;
        let text = String::from_utf8_lossy(&bytes);
        named = keys.map(|key| scalar(&text, key));
    } else if json.exists() {
        let value = json_file::read(&json)?;
        named = keys.map(|key| value.get(key).and_then(serde_json::Value::as_str).map(str::to_owned));
        path = json;
    }
    let unknown = |name: &str, known: &str| LoadError::Format {
        path: path.clone(),
        problem: format!("{name:?} is no hook that transcoders are known at; known: {known}"),
    };
    let [input, output] = named;
    let input = match input {
        None => FeatureInput::Stream,
        Some(name) => input_site(&name, config)
            .ok_or_else(|| unknown(&name, "hook_resid_mid, ln2.hook_normalized, mlp.hook_in"))?,
    };
    let output = match output.as_deref() {
        None | Some("hook_mlp_out" | "ln2_post.hook_out") => FeatureOutput::Stream,
        Some("mlp.hook_out") => FeatureOutput::MlpOutput,
        Some(name) => return Err(unknown(name, "hook_mlp_out, mlp.hook_out")),
    };
    Ok((input, output))
}

fn input_site(name: &str, config: &Config) -> Option<FeatureInput> {
    // A parallel block has no point of this name: its MLP reads the stream that enters the block.
    if Site::ResidMid.names(config).any(|known| known == name) {
        return Some(FeatureInput::Stream);
    }
    match HookPoint::parse(&format!("blocks.0.{name}"), config)?.site() {
        Site::MlpIn => Some(FeatureInput::Stream),
        Site::Ln2Normalized if config.norm == NormKind::Rms => Some(FeatureInput::Normalized),
        Site::Ln2Normalized | Site::Ln2Out => Some(FeatureInput::MlpInput),
        _ => None,
    }
}

/// The text of a top-level `key: value` line of a YAML file.
fn scalar(yaml: &str, key: &str) -> Option<String> {
    let line = yaml.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix(':'))?;
    let value = line.split(" #").next().unwrap_or_default().trim();
    let value = value.trim_matches(['"', '\'']);
    (!value.is_empty() && value != "null" && value != "~").then(|| value.to_owned())
}
