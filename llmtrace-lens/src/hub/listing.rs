//! What the hub says of a model: its commit and its files.

use serde::Deserialize;

use super::name;

/// The commit and the files of one revision, as `GET /api/models/{model}/revision/{revision}?blobs=true` answers.
#[derive(Debug, Deserialize)]
pub(super) struct Listing {
    #[serde(rename = "sha")]
    pub(super) commit: String,
    siblings: Vec<Sibling>,
}

#[derive(Debug, Deserialize)]
struct Sibling {
    #[serde(rename = "rfilename")]
    name: String,
    size: Option<u64>,
    #[serde(rename = "blobId")]
    git: Option<String>,
    lfs: Option<Large>,
}

/// What is said of a file that is not in git itself.
#[derive(Debug, Deserialize)]
struct Large {
    sha256: String,
    size: u64,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) hash: Hash,
}

/// The hash of a file, which is its name in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    /// SHA-1 of git's object: `blob`, the length, a zero byte, the bytes.
    Git(String),
    /// SHA-256 of the bytes, of large files.
    Sha256(String),
}

impl Listing {
    /// Reads the answer of a hub; the error says what is wrong with it.
    pub(super) fn read(answer: &[u8]) -> Result<Self, String> {
        let listing: Self = serde_json::from_slice(answer)
            .map_err(|error| format!("is no list of a model's files: {error}"))?;
        if name::is_commit(&listing.commit) {
            Ok(listing)
        } else {
            Err("states no commit: \"sha\" is no hash of 40 digits".to_owned())
        }
    }

    /// A file by its name; the error says what is not stated of it.
    pub(super) fn entry(&self, name: &str) -> Result<Option<Entry>, String> {
        let Some(sibling) = self.siblings.iter().find(|sibling| sibling.name == name) else {
            return Ok(None);
        };
        let (size, hash) = match (&sibling.lfs, &sibling.git) {
            (Some(large), _) => (Some(large.size), Hash::Sha256(large.sha256.clone())),
            (None, Some(git)) => (sibling.size, Hash::Git(git.clone())),
            (None, None) => return Err(format!("states no hash of {name}")),
        };
        let size = size.ok_or_else(|| format!("states no size of {name}"))?;
        if !hash.is_whole() {
            return Err(format!("states no hash of {name}, but {:?}", hash.digits()));
        }
        Ok(Some(Entry { name: name.to_owned(), size, hash }))
    }
}

impl Hash {
    /// In lowercase hexadecimal digits.
    pub(super) fn digits(&self) -> &str {
        match self {
            Self::Git(digits) | Self::Sha256(digits) => digits,
        }
    }

    fn is_whole(&self) -> bool {
        let length = match self {
            Self::Git(_) => 40,
            Self::Sha256(_) => 64,
        };
        self.digits().len() == length && name::is_hash(self.digits())
    }
}

/// Bytes in lowercase hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}
