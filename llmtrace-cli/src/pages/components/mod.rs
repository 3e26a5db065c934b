//! What pages are put together from.

pub(crate) mod chip;
pub(crate) mod empty;
pub(crate) mod fenced;
pub(crate) mod figure;
pub(crate) mod icon;
pub(crate) mod menu;
pub(crate) mod pager;
pub(crate) mod status;
pub(crate) mod text;
pub(crate) mod time;
