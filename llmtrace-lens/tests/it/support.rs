//! What several tests take: models whose values are known, and their numbers.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use llmtrace_lens::Model;
use serde_json::Value;

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The folder of a small model.
pub(crate) fn folder(name: &str) -> PathBuf {
    fixtures().join("models").join(name)
}

pub(crate) fn model(name: &str) -> Model {
    Model::load(folder(name)).unwrap()
}

/// The folders of the models that transformers was run on.
pub(crate) fn golden_models() -> Vec<PathBuf> {
    let entries = folder("").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut models: Vec<PathBuf> =
        entries.filter(|path| path.join("expected.safetensors").exists()).collect();
    models.sort();
    assert!(models.len() >= 4, "{models:?}");
    models
}

/// The toys that come with the crate, and what their training found.
pub(crate) fn toys() -> Vec<(Model, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let load = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name).join("expected_toy.json")).unwrap();
        (Model::load(folder.join(name)).unwrap(), serde_json::from_str(&text).unwrap())
    };
    ["toy-relu", "toy-gelu"].map(load).into()
}

/// The question that the toys were trained on.
pub(crate) fn toy_prompt(model: &Model, city: &str) -> Vec<u32> {
    model.tokenize(&format!("the capital of the state containing {city} is")).unwrap()
}

/// What the toys were taught of each state, by its name: in one order, however JSON is read.
pub(crate) fn toy_states() -> BTreeMap<String, Value> {
    let facts: Value = serde_json::from_str(include_str!("../../models/toy-relu/facts.json")).unwrap();
    serde_json::from_value(facts["states"].clone()).unwrap()
}

pub(crate) fn tensors(path: impl AsRef<Path>) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(path, &Device::Cpu).unwrap()
}

pub(crate) fn ids(tensor: &Tensor) -> Vec<u32> {
    tensor.to_dtype(DType::U32).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

pub(crate) fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

pub(crate) fn values_f64(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

#[track_caller]
pub(crate) fn close(what: &str, found: &Tensor, expected: &Tensor, tolerance: f32) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    for (at, (found, expected)) in values(found).iter().zip(values(expected)).enumerate() {
        assert!(
            found.to_bits() == expected.to_bits() || (found - expected).abs() <= tolerance,
            "{what}[{at}] is {found}, expected {expected}"
        );
    }
}
