//! Recycled items, each for the thread that filled it last: its memory is still near that thread's core.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shelves of recycled items; a thread takes from its own.
#[derive(Debug)]
pub(super) struct Pool<T> {
    shelves: Box<[Shelf<T>]>,
    /// Most memory that the items of a shelf may hold, in bytes.
    limit: usize,
}

#[derive(Debug)]
#[repr(align(64))]
struct Shelf<T>(Mutex<Items<T>>);

#[derive(Debug)]
struct Items<T> {
    /// Each with the memory it holds, in bytes.
    items: Vec<(usize, T)>,
    bytes: usize,
}

/// Fewest items that [`Pool::trim`] leaves on a shelf.
const MIN_ITEMS: usize = 16;

/// The shelf of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home(usize);

impl Home {
    /// The shelf of this thread.
    #[inline]
    pub(crate) fn of_this_thread() -> Self {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static HOME: Cell<Option<usize>> = const { Cell::new(None) };
        }
        Self(HOME.get().unwrap_or_else(|| {
            let home = THREADS.fetch_add(1, Ordering::Relaxed);
            HOME.set(Some(home));
            home
        }))
    }
}

impl<T> Pool<T> {
    /// A pool whose items hold at most `limit` bytes.
    pub(super) fn new(shelves: usize, limit: usize) -> Self {
        let shelves = shelves.max(1);
        let shelf = || Shelf(Mutex::new(Items { items: Vec::new(), bytes: 0 }));
        Self { shelves: (0..shelves).map(|_| shelf()).collect(), limit: limit / shelves }
    }

    #[inline]
    fn shelf(&self, home: Home) -> MutexGuard<'_, Items<T>> {
        self.shelves[home.0 % self.shelves.len()].0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An item that this thread filled before.
    #[inline]
    pub(super) fn take(&self, home: Home) -> Option<T> {
        let mut shelf = self.shelf(home);
        let (bytes, item) = shelf.items.pop()?;
        shelf.bytes -= bytes;
        Some(item)
    }

    /// Gives an item of `bytes` to be recycled; one that does not fit is freed.
    pub(super) fn give_back(&self, home: Home, bytes: usize, item: T) {
        let mut shelf = self.shelf(home);
        if shelf.bytes + bytes <= self.limit {
            shelf.bytes += bytes;
            shelf.items.push((bytes, item));
        }
    }

    /// Gives items beyond what an idle program needs back to the allocator.
    pub(super) fn trim(&self) {
        for Shelf(shelf) in &self.shelves {
            let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
            let keep = (shelf.items.len() / 2).max(MIN_ITEMS);
            shelf.items.truncate(keep);
            shelf.bytes = shelf.items.iter().map(|(bytes, _)| bytes).sum();
        }
    }
}
