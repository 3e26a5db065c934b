//! Models of the Hugging Face hub, in a program that was built without them.

use candle_core::Device;
use llmtrace_lens::Model;

use crate::failure::Failure;

/// Says how to build a program that has them.
pub(super) fn load(name: &str, _device: &Device) -> Result<Model, Failure> {
    Err(Failure::Wrong(format!(
        "this build downloads nothing, so not {name} either: cargo install llmtrace-cli --features hub"
    )))
}
