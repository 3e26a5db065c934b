//! Models of the Hugging Face hub.

use candle_core::Device;
use llmtrace_lens::Model;
use llmtrace_lens::hub::Download;

use super::input::wrong;
use super::progress::Steps;
use crate::failure::Failure;

/// A model by its name, `owner/name` or `owner/name@revision`, downloaded where it is not there yet.
pub(super) fn load(name: &str, device: &Device) -> Result<Model, Failure> {
    let (model, revision) =
        name.split_once('@').map_or((name, None), |(model, revision)| (model, Some(revision)));
    let bytes = Steps::of_bytes("downloading");
    let download = Download::new(model).map_err(wrong)?;
    let download = match revision {
        Some(revision) => download.revision(revision).map_err(wrong)?,
        None => download,
    };
    let download =
        download.on_progress(|progress| bytes.set_bytes(progress.done_bytes, progress.total_bytes));
    download.load_on(device).map_err(wrong)
}
