//! The program as its users run it.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

#[cfg(feature = "lens")]
mod bench_explain;
mod compare;
mod db;
mod findings;
mod general;
#[cfg(feature = "lens")]
mod lens;
#[cfg(feature = "lens")]
mod lens_diff;
#[cfg(feature = "lens")]
mod lens_explain;
#[cfg(feature = "lens")]
mod lens_features;
#[cfg(feature = "lens")]
mod lens_graph;
#[cfg(feature = "lens")]
mod lens_origin;
#[cfg(feature = "lens")]
mod lens_train;
mod price;
mod price_lines;
mod send;
mod serve;
mod show;
mod stats;
mod support;
mod usages;
