//! What somebody else took away: segments, or the whole directory.

use std::io;
use std::process;

use super::folder::Listing;
use super::name::Name;
use super::{Spool, now};

impl Spool {
    /// What the directory holds; what of it is gone is counted as lost.
    pub(super) fn list(&mut self) -> io::Result<Listing> {
        let listing = match self.folder.list() {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                self.miss_vanished(&Listing::default());
                return Err(error);
            }
            listing => listing?,
        };
        self.bytes = listing.bytes();
        self.miss_vanished(&listing);
        Ok(listing)
    }

    /// Makes the directory again, which somebody deleted; what was in it is counted as lost with the next listing.
    pub(super) fn renew(&mut self) {
        let made = self.folder.again().and_then(|folder| Ok((folder.enter(process::id(), now())?, folder)));
        // What keeps it from being made is what the next write fails with.
        if let Ok((me, folder)) = made {
            (self.me, self.folder, self.active) = (me, folder, None);
            self.full.clear();
        }
    }

    /// Counts what somebody else deleted as lost.
    fn miss_vanished(&mut self, listing: &Listing) {
        let is_gone = |name: &Name| !listing.segments.contains_key(name) && !self.folder.has(*name);
        let gone: Vec<_> = self.own.keys().copied().filter(is_gone).collect();
        for name in gone {
            self.lost += self.own.remove(&name).unwrap_or_default().waiting();
            self.active.take_if(|(active, _)| *active == name);
        }
    }
}
