//! What all requests share.

use std::sync::Arc;

use llmtrace::BundledPrices;
use tokio::sync::{Semaphore, watch};

use super::analysis::Analysis;
use super::guard::Guard;
use super::live::MAX_LISTENERS;
use super::reads::MAX_READS;
use super::receive::MAX_WRITES;
use super::receive::room::Room;
use crate::store::Store;

/// The server's state.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) guard: Guard,
    /// Where a browser of this computer finds the page.
    pub(crate) url: String,
    pub(crate) prices: BundledPrices,
    /// What stands out in the newest traces.
    pub(crate) analysis: Analysis,
    /// Memory for bodies under way.
    pub(crate) room: Room,
    /// Turns to read the store.
    pub(crate) reads: Arc<Semaphore>,
    /// Turns to write it.
    pub(crate) writes: Arc<Semaphore>,
    /// Places for pages that are told of changes.
    pub(crate) listeners: Arc<Semaphore>,
    /// Whether the server ends.
    pub(crate) ending: watch::Receiver<bool>,
}

impl App {
    pub(crate) fn new(store: Store, guard: Guard, url: String, ending: watch::Receiver<bool>) -> Self {
        Self {
            store,
            guard,
            url,
            prices: BundledPrices::new(),
            analysis: Analysis::default(),
            room: Room::new(),
            reads: Arc::new(Semaphore::new(MAX_READS)),
            writes: Arc::new(Semaphore::new(MAX_WRITES)),
            listeners: Arc::new(Semaphore::new(MAX_LISTENERS)),
            ending,
        }
    }

    /// Whether the server ends.
    pub(crate) fn is_ending(&self) -> bool {
        *self.ending.borrow()
    }
}
