//! HTTP clients and client crates that are traced without a word in the code that calls a model.

mod recognise;

pub mod reqwest_middleware;
