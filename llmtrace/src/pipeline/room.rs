//! Where the worker waits while every exporter is full.

use std::time::{Duration, Instant};

use crate::sync::{Condvar, Mutex, deadline, lock, wait};

/// Tells the worker that some exporter has made room.
#[derive(Debug, Default)]
pub(super) struct Room {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// A wait was in vain; until room is made, nobody waits again.
    is_stalled: bool,
}

impl Room {
    /// Says that an exporter is done with a batch.
    pub(super) fn made(&self) {
        lock(&self.state).is_stalled = false;
        self.changed.notify_all();
    }

    /// Waits until there is room, at most `patience`.
    pub(super) fn wait_until(&self, has_room: impl Fn() -> bool, patience: Duration) {
        let deadline = deadline(patience);
        let mut state = lock(&self.state);
        while !has_room() && !state.is_stalled {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.is_stalled = true;
            } else {
                state = wait(&self.changed, state, left);
            }
        }
    }
}
