//! Folders that hold no model, or another one than they say: each is one error that names what is wrong.

mod config;
mod files;
mod tensors;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use candle_core::Tensor;
use llmtrace_lens::{Model, ModelBuilder};
use serde_json::{Map, Value};

use crate::support::{folder, tensors};

fn config_of(model: &str) -> Map<String, Value> {
    serde_json::from_slice(&fs::read(folder(model).join("config.json")).unwrap()).unwrap()
}

fn tensors_of(model: &str) -> HashMap<String, Tensor> {
    tensors(folder(model).join("model.safetensors"))
}

/// What loading a copy of this model says, without the folder's name, once something was changed in it.
fn load(model: &str, change: impl FnOnce(&Path)) -> Result<Model, String> {
    let copy = tempfile::tempdir().unwrap();
    for entry in folder(model).read_dir().unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        if entry.path().is_file() && !name.to_string_lossy().contains("expected") {
            fs::copy(entry.path(), copy.path().join(name)).unwrap();
        }
    }
    change(copy.path());
    Model::load(copy.path()).map_err(|error| {
        let place = copy.path().to_string_lossy().into_owned();
        error.to_string().replace(&format!("{place}/"), "").replace(&place, "FOLDER")
    })
}

#[track_caller]
fn check(model: &str, change: impl FnOnce(&Path), expected: &str) {
    assert_eq!(load(model, change).err().as_deref(), Some(expected), "{model}");
}

/// Fields of config.json set, or left out where their names begin with a minus.
#[track_caller]
fn check_config(model: &str, fields: &Value, expected: &str) {
    assert_eq!(build(model, fields, |_| {}).err().as_deref(), Some(expected), "{model} {fields}");
}

/// The same model put together in memory.
fn build(
    model: &str,
    fields: &Value,
    change: impl FnOnce(&mut HashMap<String, Tensor>),
) -> Result<Model, String> {
    let (mut config, mut tensors) = (config_of(model), tensors_of(model));
    for (name, value) in fields.as_object().unwrap() {
        match name.strip_prefix('-') {
            Some(name) => config.remove(name),
            None => config.insert(name.clone(), value.clone()),
        };
    }
    change(&mut tensors);
    let builder = ModelBuilder::new("model", Value::Object(config));
    let builder = tensors.into_iter().fold(builder, |builder, (name, tensor)| builder.tensor(name, tensor));
    builder.build().map_err(|error| error.to_string().replace("model (in memory): ", ""))
}
