//! Why a model could not be downloaded.

use std::path::PathBuf;

use crate::error::LoadError;

/// Why a model could not be downloaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The text cannot be the name of a model.
    #[error("{found:?} is no model of a hub: expected owner/name, such as openai-community/gpt2")]
    Name {
        /// The text.
        found: String,
    },
    /// The text cannot be the name of a revision.
    #[error("{found:?} is no revision: expected a branch, a tag or a commit, such as main")]
    Revision {
        /// The text.
        found: String,
    },
    /// The text is no address of a hub that is asked.
    #[error("{found:?} is no address of a hub: {problem}")]
    Endpoint {
        /// The text.
        found: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// It is not known where downloads should lie.
    #[error("there is no folder for downloads: set HF_HUB_CACHE or HF_HOME")]
    NoFolder,
    /// Nothing may be downloaded, and the cache does not have it.
    #[error("{model} ({revision}) is not in {} and HF_HUB_OFFLINE is set", folder.display())]
    Offline {
        /// The model.
        model: String,
        /// The branch, tag or commit.
        revision: String,
        /// The cache.
        folder: PathBuf,
    },
    /// The hub has no such model or revision, or shows it only to some.
    #[error("{endpoint} has no {model} ({revision}) {}", who(*known))]
    NotFound {
        /// The hub.
        endpoint: String,
        /// The model.
        model: String,
        /// The branch, tag or commit.
        revision: String,
        /// Whether a token was sent.
        known: bool,
    },
    /// The model is there, but not for this user.
    #[error(
        "{endpoint} refuses {model} ({status}): accept its licence there, and set HF_TOKEN to a token that may read it"
    )]
    Refused {
        /// The hub.
        endpoint: String,
        /// The model.
        model: String,
        /// The status of the answer: 401 or 403.
        status: u16,
    },
    /// The hub cannot be reached, or its answer broke off time and again.
    #[error("cannot read {url}: {problem}")]
    Network {
        /// What was asked for.
        url: String,
        /// What went wrong.
        problem: String,
    },
    /// The hub answered, but not as a hub does.
    #[error("{url}: {problem}")]
    Answer {
        /// What was asked for.
        url: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The model has no file that is needed.
    #[error(
        "{model} ({revision}) has no {missing}; only models with config.json and safetensors files can be read"
    )]
    NoFile {
        /// The model.
        model: String,
        /// The branch, tag or commit.
        revision: String,
        /// The file.
        missing: String,
    },
    /// The model is larger than it may be.
    #[error("{model} has {bytes} bytes, expected at most {most}")]
    TooLarge {
        /// The model.
        model: String,
        /// The size of its files.
        bytes: u64,
        /// What it may be at most: [`Download::most_bytes`](super::Download::most_bytes).
        most: u64,
    },
    /// The cache cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What was downloaded cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
}

fn who(known: bool) -> &'static str {
    if known { "for the owner of the token" } else { "for everyone: set HF_TOKEN if it is private" }
}
