//! `llmtrace serve`: receives traces, keeps them in one file, and shows them.

mod analysis;
mod api;
mod app;
mod assets;
mod banner;
mod comparison;
mod filter;
mod form;
mod guard;
mod html;
mod import;
mod json;
mod listen;
mod live;
mod load;
mod pages;
mod params;
mod patient;
mod problem;
mod quantity;
mod reads;
mod receive;
mod router;
mod server;
mod stop;

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::runtime;
use tokio::sync::watch;

use crate::arguments::filled;
use crate::failure::{Failure, shown};
use crate::store::Store;
use crate::store::options::{Retention, StoreOptions};
use analysis::Analysis;
use app::App;
use guard::Guard;
use guard::host::Hosts;
use guard::token::{self, Token};
use import::Import;
use listen::Listen;
use reads::MAX_READS;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Receives traces, stores them in one file, and shows them on a web page", long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Files of spans to read into the store
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4318")]
    listen: Listen,
    /// The file that keeps the traces; it is made where it does not exist
    #[arg(long, value_name = "FILE", default_value = "llmtrace.db")]
    store: PathBuf,
    /// Forget traces that are older, such as 30d or 12h; without it, none
    #[arg(long, value_name = "AGE", value_parser = quantity::age)]
    keep: Option<Duration>,
    /// Forget the oldest traces when the store is larger, such as 5GiB
    #[arg(long, value_name = "SIZE", value_parser = quantity::size)]
    max_bytes: Option<u64>,
    /// Go on reading the files as they grow
    #[arg(short, long, requires = "files")]
    follow: bool,
    /// What programs and browsers must show; better set as the variable `LLMTRACE_TOKEN`
    #[arg(long, value_name = "TOKEN", value_parser = filled)]
    token: Option<String>,
    /// A further name under which this server is reached; may be given again
    #[arg(long = "host", value_name = "NAME", value_parser = filled)]
    hosts: Vec<String>,
}

const ABOUT: &str = "\
Receives traces, stores them in one file, and shows them on a web page.

Takes OTLP over HTTP (POST /v1/traces: protobuf or JSON, also gzip) from any
OpenTelemetry program, and reads JSON Lines files, one span a line, as llmtrace
writes them. Calls without a cost are priced. A file that was read before
changes nothing, so it may be given each time.

The page and the JSON API (/api, described by /api/openapi.json) stand at the
same address. Only programs of this computer can reach it, unless --listen says
otherwise; then a token is needed, which programs send as the header
Authorization: Bearer TOKEN, and which the page asks for. On the command line
other users of this computer can see it; the variable LLMTRACE_TOKEN they
cannot. Requests must name this computer, the address, or a --host NAME.

Prints where the page and the store are, and how to send a first trace; then runs
until Ctrl-C. What was acknowledged is on disk.

Returns 0 when it was stopped, 2 if it cannot listen there, if the store or a
file cannot be read, or if an option is wrong.";

const EXAMPLES: &str = "\
Examples:
  llmtrace serve
  llmtrace serve --store traces.db --keep 30d --max-bytes 5GiB
  llmtrace serve --follow app.jsonl
  LLMTRACE_TOKEN=$(openssl rand -hex 32) llmtrace serve --listen 0.0.0.0:4318";

/// Threads that answer requests; what takes long runs on others.
const THREADS: usize = 2;

/// Threads that read and write the store.
const BLOCKING_THREADS: usize = 48;

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let token = asked_token(options)?;
    refuse_own_store(options)?;
    let import = Import::open(&options.files, options.follow)?;
    let listener = options.listen.bind()?;
    let failed = |error: std::io::Error| Failure::Wrong(format!("cannot start: {error}"));
    let bound = listener.local_addr().map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let guard = Guard {
        hosts: hosts(options, token.is_some()),
        token: token.map(|token| Token::new(&token, bound.port())),
    };
    let retention = Retention { keep: options.keep, max_bytes: options.max_bytes };
    let store = StoreOptions { retention, readers: MAX_READS, ..StoreOptions::default() };
    let store = Store::open(&options.store, store).map_err(|error| Failure::Wrong(error.to_string()))?;
    let (end, ending) = watch::channel(false);
    let app = Arc::new(App::new(store, guard, listen::url(bound), ending));
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()
        .map_err(failed)?;
    let import = import.start(&app).map_err(failed)?;
    let analysis = Analysis::start(&app).map_err(failed)?;
    let served = runtime.block_on(serve(listener, &app, options, &end));
    // Reads that hang need not be waited for.
    runtime.shutdown_background();
    app.store.close();
    // A read of standard input cannot be ended.
    drop(import);
    drop(analysis);
    served
}

async fn serve(
    listener: TcpListener,
    app: &Arc<App>,
    options: &Options,
    end: &watch::Sender<bool>,
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Wrong(format!("cannot start: {error}"));
    let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
    let stop = stop::requested().map_err(failed)?;
    banner::print(app, options);
    let serving = tokio::spawn(server::run(listener, router::router(app), app.ending.clone()));
    stop.await;
    end.send_replace(true);
    let ended = tokio::select! {
        ended = serving => ended,
        // Asked once more, it does not wait for requests under way.
        () = stop::requested().map_err(failed)? => Ok(()),
    };
    ended.map_err(|error| Failure::Wrong(format!("stopped by a fault: {error}")))
}

/// A store that is read into itself would never end.
fn refuse_own_store(options: &Options) -> Result<(), Failure> {
    let Ok(own) = options.store.canonicalize() else { return Ok(()) };
    match options.files.iter().find(|file| file.canonicalize().is_ok_and(|file| file == own)) {
        Some(file) => Err(Failure::Wrong(format!("{} is the store itself; leave it out", shown(file)))),
        None => Ok(()),
    }
}

/// The token of the options or the environment. Whoever listens to other computers needs one.
fn asked_token(options: &Options) -> Result<Option<String>, Failure> {
    let of_environment = std::env::var("LLMTRACE_TOKEN").ok().filter(|token| !token.trim().is_empty());
    let token = options.token.clone().or(of_environment).map(|token| token.trim().to_owned());
    match &token {
        Some(token) if token.len() < token::MIN_BYTES => Err(Failure::Wrong(format!(
            "the token is too short: take {} characters or more, such as those of openssl rand -hex 32",
            token::MIN_BYTES
        ))),
        Some(token) if !token.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(Failure::Wrong("the token must be of visible ASCII characters, without spaces".to_owned()))
        }
        None if !options.listen.is_loopback()? => Err(Failure::Wrong(format!(
            "other computers can reach {}, so a token is needed: set LLMTRACE_TOKEN, such as with \
             export LLMTRACE_TOKEN=$(openssl rand -hex 32)",
            options.listen
        ))),
        _ => Ok(token),
    }
}

fn hosts(options: &Options, has_token: bool) -> Hosts {
    let mut names = options.hosts.clone();
    names.push(options.listen.host.clone());
    if has_token { Hosts::addresses(&names) } else { Hosts::loopback(&names) }
}
