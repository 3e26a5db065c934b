//! What a user meets, tested from outside.

#![allow(missing_docs, reason = "tests")]

mod macro_forms;
