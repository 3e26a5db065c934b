//! The writing side: what a batch of spans changes in the file.

pub(super) mod commit;
mod delete;
pub(super) mod facets;
mod merge;
mod names;
pub(super) mod prepare;
pub(super) mod rollups;
pub(super) mod row;
pub(super) mod scores;
pub(super) mod search;
mod sessions;
mod texts;
pub(super) mod trace;
