//! JSON Lines: one span a line, to a file and back.

pub(crate) mod disk;
pub(crate) mod encode;
pub(crate) mod line;
pub(crate) mod lines;
pub(crate) mod open;
pub(crate) mod parse;
pub(crate) mod read;
mod rotate;
pub(crate) mod sync;
pub(crate) mod tail;
pub(crate) mod write;
