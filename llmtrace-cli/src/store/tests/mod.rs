//! Tests of the store.

mod kill;
mod late;
mod lists;
mod opening;
mod removal;
mod scale;
pub(crate) mod support;
mod upkeep;
