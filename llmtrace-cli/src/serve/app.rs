//! What all requests share.

use super::guard::Guard;
use super::receive::room::Room;

/// The server's state.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) guard: Guard,
    /// Where a browser of this computer finds the page.
    pub(crate) url: String,
    /// Memory for bodies under way.
    pub(crate) room: Room,
}

impl App {
    pub(crate) fn new(guard: Guard, url: String) -> Self {
        Self { guard, url, room: Room::new() }
    }
}
