//! Spans over HTTP: one exporter for every protocol that posts batches. What a protocol adds is a [`Service`].
//!
//! [`Service`]: service::Service

mod ahead;
pub(crate) mod certificates;
pub(crate) mod client;
pub(crate) mod endpoint;
pub(crate) mod exporter;
pub(crate) mod options;
mod outcome;
mod replay;
pub(crate) mod retry;
pub(crate) mod service;
pub(crate) mod settings;
pub(crate) mod shelf;
pub(crate) mod spooled;
