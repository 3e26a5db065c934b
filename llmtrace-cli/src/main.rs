//! The `llmtrace` program: shows traces, adds them up, prices responses, and sends traces to backends.
//!
//! | command | does |
//! |---|---|
//! | `llmtrace show FILE..` | draws each trace as a tree with time, tokens and cost |
//! | `llmtrace stats FILE..` | adds up calls, tokens, cost and latency |
//! | `llmtrace findings FILE..` | finds what stands out: outliers, bursts, loops, secrets |
//! | `llmtrace compare A [B]` | puts two traces, or two sets of them, side by side |
//! | `llmtrace price [FILE]` | reads a provider's response and says what it cost |
//! | `llmtrace send FILE..` | sends traces to a backend: OTLP, Langfuse, a webhook |
//! | `llmtrace serve` | receives traces, stores them, and shows them on a web page |
//! | `llmtrace db check\|compact\|export STORE` | looks after the file of a store |
//! | `llmtrace query STORE SQL` | asks a store with SQL |
//! | `llmtrace lens .. MODEL` | looks inside a local model |
//! | `llmtrace bench-explain` | measures methods that explain one |
//!
//! Files are those that [`JsonLines`](llmtrace_exporters::JsonLines) writes. The program returns 0 when it is done,
//! 1 when nothing matched or not all was sent, and 2 when it was used wrongly or its input cannot be read; why stands on one line of
//! standard error. When nobody reads its output any more, it ends quietly with 0.

mod arguments;
#[cfg(feature = "lens")]
mod bench_explain;
mod compare;
mod db;
mod failure;
mod filter;
mod findings;
mod grid;
#[cfg(feature = "lens")]
mod lens;
mod log_bins;
mod mistaken;
mod pages;
mod price;
mod prices;
mod progress;
mod query;
mod send;
mod serve;
mod show;
mod spans;
mod stats;
mod store;
mod tail;
mod terminal;
mod traces;
mod unit;
#[cfg(not(feature = "lens"))]
mod without_lens;

#[cfg(not(feature = "lens"))]
use without_lens as lens;

use std::process::ExitCode;

use arguments::{Command, Parsed};

fn main() -> ExitCode {
    let done = match arguments::parse() {
        Ok(Parsed::Command(Command::Show(options))) => show::run(&options),
        Ok(Parsed::Command(Command::Stats(options))) => stats::run(&options),
        Ok(Parsed::Command(Command::Findings(options))) => findings::command::run(&options),
        Ok(Parsed::Command(Command::Compare(options))) => compare::command::run(&options),
        Ok(Parsed::Command(Command::Price(options))) => price::run(&options),
        Ok(Parsed::Command(Command::Send(options))) => send::run(&options),
        Ok(Parsed::Command(Command::Serve(options))) => serve::run(&options),
        Ok(Parsed::Command(Command::Db(options))) => db::run(&options),
        Ok(Parsed::Command(Command::Query(options))) => query::run(&options),
        Ok(Parsed::Command(Command::Lens(options))) => lens::run(&options),
        #[cfg(feature = "lens")]
        Ok(Parsed::Command(Command::BenchExplain(options))) => bench_explain::run(&options),
        Ok(Parsed::Help(text)) => terminal::print(&text),
        Err(failure) => Err(failure),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
