//! JSON Lines: one span a line, to a file and back.

mod disk;
mod encode;
pub(crate) mod line;
pub(crate) mod lines;
pub(crate) mod open;
mod parse;
pub(crate) mod read;
mod rotate;
pub(crate) mod sync;
mod tail;
pub(crate) mod write;
