//! Models of the Hugging Face hub, downloaded where they are asked for: feature `hub`.
//!
//! ```no_run
//! use llmtrace_lens::Model;
//! use llmtrace_lens::hub::Download;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let model = Model::download("openai-community/gpt2")?;
//!
//! // The same, step by step: only the folder, of one commit, with a word on how far it is.
//! let folder = Download::new("openai-community/gpt2")?
//!     .revision("607a30d783dfa663caf39e06633721c8d4cfcd7e")?
//!     .on_progress(|progress| eprintln!("{} of {} bytes", progress.done_bytes, progress.total_bytes))
//!     .run()?;
//! let same = Model::load(folder)?;
//! # Ok(())
//! # }
//! ```
//!
//! Files lie in the cache that Hugging Face's own tools use, in their layout (`blobs`, `refs`, `snapshots`), so that neither
//! downloads what the other has. Each is held to the size and the hash that the hub states before it gets its name: what has a
//! name is whole, whatever happens meanwhile. A model whose commit is named and there needs no network.
//!
//! | variable | says |
//! |---|---|
//! | `HF_HUB_CACHE`, else `HF_HOME` + `/hub`, else `XDG_CACHE_HOME` or `~/.cache` + `/huggingface/hub` | where downloads lie |
//! | `HF_ENDPOINT` | another hub than `https://huggingface.co` |
//! | `HF_TOKEN`, else the file `HF_TOKEN_PATH`, else `token` in `HF_HOME` | who asks; sent to the hub alone, and never unencrypted to another computer |
//! | `HF_HUB_OFFLINE` = `1` | nothing is downloaded |

mod arriving;
mod cache;
mod client;
mod download;
mod env;
mod error;
mod listing;
mod name;
#[cfg(test)]
mod tests;

pub use download::{Download, Progress};
pub use error::HubError;
