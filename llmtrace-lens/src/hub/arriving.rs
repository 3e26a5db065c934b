//! A file whose bytes are on their way.

use std::path::Path;

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

use super::cache::Part;
use super::error::HubError;
use super::listing::{Entry, Hash, hex};

/// A file whose bytes are on their way; what came is gone unless it is [`kept`](Self::keep).
pub(super) struct Arriving<'a> {
    entry: &'a Entry,
    part: Part,
    context: Context,
    done: u64,
    /// Whether an answer is expected of which nothing has come yet.
    anew: bool,
}

impl<'a> Arriving<'a> {
    /// Nothing of a file that is to lie at `path`.
    pub(super) fn new(entry: &'a Entry, path: &Path) -> Result<Self, HubError> {
        Ok(Self { entry, part: Part::beside(path)?, context: context(entry), done: 0, anew: true })
    }

    /// The byte from which on it is to be asked for.
    pub(super) fn go_on(&mut self) -> u64 {
        self.anew = true;
        self.done
    }

    /// The number of bytes that are there.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    pub(super) fn is_whole(&self) -> bool {
        self.done == self.entry.size
    }

    /// Takes bytes of an answer with this status: 206 goes on where it was asked to, any other begins with the first byte.
    pub(super) fn take(&mut self, status: u16, bytes: &[u8], url: &str) -> Result<(), HubError> {
        if self.anew && status != 206 && self.done > 0 {
            self.part.clear()?;
            (self.context, self.done) = (context(self.entry), 0);
        }
        self.anew = false;
        let done = self.done.saturating_add(bytes.len() as u64);
        if done > self.entry.size {
            let problem = format!("has more than the {} bytes that the hub states", self.entry.size);
            return Err(HubError::Answer { url: url.to_owned(), problem });
        }
        self.part.write(bytes)?;
        self.context.update(bytes);
        self.done = done;
        Ok(())
    }

    /// Gives it its name, if it is what the hub states.
    pub(super) fn keep(self, url: &str, path: &Path) -> Result<(), HubError> {
        let found = hex(self.context.finish().as_ref());
        let expected = self.entry.hash.digits();
        if found != expected {
            let problem = format!("has hash {found}, expected {expected}: other bytes than the hub states");
            return Err(HubError::Answer { url: url.to_owned(), problem });
        }
        self.part.keep(path)
    }
}

/// The hash of nothing yet.
fn context(entry: &Entry) -> Context {
    match entry.hash {
        Hash::Sha256(_) => Context::new(&SHA256),
        Hash::Git(_) => {
            let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
            context.update(format!("blob {}\0", entry.size).as_bytes());
            context
        }
    }
}
