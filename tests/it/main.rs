//! What a user meets, tested from outside.

#![allow(missing_docs, reason = "tests")]

mod macro_cost;
mod macro_forms;
mod macro_properties;
mod macro_records;
mod span_macros;
mod streams;
