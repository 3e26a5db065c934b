//! The part of Hugging Face's cache that belongs to one model.
//!
//! `blobs/` has the files by their hash, `snapshots/{commit}/` names them by links, `refs/{revision}` says which commit a branch
//! or a tag was when it was last asked for (`huggingface_hub`, "Understand caching").

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::error::HubError;
use super::name;
use crate::model::shards;

pub(super) const CONFIG: &str = "config.json";
pub(super) const WEIGHTS: &str = "model.safetensors";
pub(super) const INDEX: &str = "model.safetensors.index.json";

/// The folder of one model.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
}

/// A file that is being written; unless it is [`kept`](Self::keep), it goes away.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    file: File,
}

impl Cache {
    /// The folder of a model below the folder of all.
    pub(super) fn of(all: &Path, model: &str) -> Self {
        Self { folder: all.join(format!("models--{}", model.replace('/', "--"))) }
    }

    /// The folder of a commit.
    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit)
    }

    /// The folder of a revision, if all is there that a model needs.
    pub(super) fn whole(&self, revision: &str) -> Option<PathBuf> {
        let folder = if name::is_commit(revision) {
            self.snapshot(revision)
        } else {
            self.snapshot(&self.commit_of(revision)?)
        };
        let has = |name: &str| folder.join(name).is_file();
        let sharded = || shards(&folder.join(INDEX)).is_ok_and(|files| files.values().all(|file| has(file)));
        (has(CONFIG) && (has(WEIGHTS) || sharded())).then_some(folder)
    }

    fn commit_of(&self, revision: &str) -> Option<String> {
        let (mut text, file) = (String::new(), File::open(self.folder.join("refs").join(revision)).ok()?);
        file.take(64).read_to_string(&mut text).ok()?;
        Some(text.trim().to_owned()).filter(|commit| name::is_commit(commit))
    }

    /// Writes down which commit a branch or a tag is.
    pub(super) fn refer(&self, revision: &str, commit: &str) -> Result<(), HubError> {
        let path = self.folder.join("refs").join(revision);
        let mut part = Part::beside(&path)?;
        part.write(commit.as_bytes())?;
        part.keep(&path)
    }

    /// Where a file of this hash lies.
    pub(super) fn blob(&self, hash: &str) -> PathBuf {
        self.folder.join("blobs").join(hash)
    }

    /// Gives a file a name in a commit.
    pub(super) fn link(&self, hash: &str, commit: &str, file: &str) -> Result<(), HubError> {
        let path = self.snapshot(commit).join(file);
        if path.is_file() {
            return Ok(());
        }
        folder_of(&path)?;
        let link = unused(&path);
        let linked = link_to(&self.blob(hash), hash, &link).and_then(|()| fs::rename(&link, &path));
        linked.map_err(|source| {
            drop(fs::remove_file(&link));
            HubError::Write { path, source }
        })
    }
}

impl Part {
    /// A new file in the folder of `path`, which is made where it is not there.
    pub(super) fn beside(path: &Path) -> Result<Self, HubError> {
        folder_of(path)?;
        let path = unused(path);
        match File::options().write(true).create_new(true).open(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(HubError::Write { path, source }),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), HubError> {
        self.file.write_all(bytes).map_err(|source| HubError::Write { path: self.path.clone(), source })
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) -> Result<(), HubError> {
        let cleared = self.file.set_len(0).and_then(|()| io::Seek::rewind(&mut self.file));
        cleared.map_err(|source| HubError::Write { path: self.path.clone(), source })
    }

    /// Gives it its name, once its bytes are on the disk.
    pub(super) fn keep(self, path: &Path) -> Result<(), HubError> {
        let kept = self.file.sync_all().and_then(|()| fs::rename(&self.path, path));
        kept.map_err(|source| HubError::Write { path: path.to_owned(), source })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Of one that was kept, nothing is left under this name.
        drop(fs::remove_file(&self.path));
    }
}

/// A name beside `path` that nobody else uses.
fn unused(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}.incomplete", fastrand::u64(..)));
    path.with_file_name(name)
}

fn folder_of(path: &Path) -> Result<(), HubError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|source| HubError::Write { path: folder.to_owned(), source })
}

#[cfg(unix)]
fn link_to(_blob: &Path, hash: &str, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(Path::new("../../blobs").join(hash), link)
}

/// Links may need rights that nobody has: a second name of the same file does not.
#[cfg(not(unix))]
fn link_to(blob: &Path, _hash: &str, link: &Path) -> io::Result<()> {
    fs::hard_link(blob, link)
}
