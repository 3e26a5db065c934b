mod file;
mod install;
mod sample;
#[cfg(feature = "http")]
mod send;
mod variables;

use std::path::Path;

use super::settings::Settings;
use super::{file as reader, standard};
use crate::env::Environment;

/// What a file says, where `NAME` and `KEY` are set in the environment.
fn read_file(text: &str) -> Result<Settings, Vec<String>> {
    let environment =
        Environment::of(&[("NAME", "from the environment"), ("KEY", "sk-hunter2"), ("EMPTY", "")]);
    let settings = reader::read(Path::new("conf/llmtrace.toml"), text, &environment);
    settings.map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// What the variables say.
fn read_variables(variables: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
    let settings = standard::read(&Environment::of(variables));
    settings.map_err(|problems| problems.iter().map(ToString::to_string).collect())
}
