//! Client crates against servers that speak the real wire formats, and what is recorded of their calls.

#![allow(clippy::unwrap_used, reason = "tests")]

mod apis;
mod async_openai;
mod genai;
mod inside;
mod middleware;
mod ollama_rs;
mod plain_reqwest;
mod rig;
mod transparent;
