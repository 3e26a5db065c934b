//! How much memory the requests under way may take together.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room for the bodies of requests.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<Semaphore>);

/// Room that one request has taken; it is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    room: Room,
    permit: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

/// There is no room now.
#[derive(Debug, PartialEq)]
pub(super) struct Full;

/// Bytes that all bodies may take together, packed and unpacked.
const BYTES: usize = 192 << 20;

/// Room is given in pieces of so many bytes.
const PIECE_BYTES: usize = 64 << 10;

impl Room {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(BYTES / PIECE_BYTES)))
    }

    /// A place that takes no room yet.
    pub(super) fn place(&self) -> Place {
        Place { room: self.clone(), permit: None, bytes: 0 }
    }
}

impl Place {
    /// Takes room for `bytes` in all.
    pub(super) fn grow_to(&mut self, bytes: usize) -> Result<(), Full> {
        let pieces = |bytes: usize| bytes.div_ceil(PIECE_BYTES);
        let more = pieces(bytes).saturating_sub(pieces(self.bytes));
        if more == 0 {
            return Ok(());
        }
        let more = u32::try_from(more).map_err(|_| Full)?;
        let taken = Arc::clone(&self.room.0).try_acquire_many_owned(more).map_err(|_| Full)?;
        match &mut self.permit {
            Some(permit) => permit.merge(taken),
            None => self.permit = Some(taken),
        }
        self.bytes = bytes;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_taken_once_and_given_back() {
        let room = Room::new();
        let (mut one, mut other) = (room.place(), room.place());
        assert_eq!(one.grow_to(1), Ok(()));
        assert_eq!(one.grow_to(BYTES - PIECE_BYTES), Ok(()));
        assert_eq!(other.grow_to(PIECE_BYTES + 1), Err(Full));
        assert_eq!(other.grow_to(PIECE_BYTES), Ok(()));
        assert_eq!(one.grow_to(BYTES), Err(Full));
        drop(other);
        assert_eq!(one.grow_to(BYTES), Ok(()));
    }
}
