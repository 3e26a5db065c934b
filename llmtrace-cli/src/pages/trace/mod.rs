//! The page of one trace: totals, tree and waterfall in one table, and the pane of one span beside it.

pub(crate) mod axis;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod tree;
