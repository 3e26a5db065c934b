//! Tests of the store.

mod kill;
mod late;
mod lists;
mod opening;
mod removal;
mod support;
