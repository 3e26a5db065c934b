//! What the program says when it starts.

use super::Options;
use super::app::App;
use crate::failure::shown;
use crate::terminal;

/// Prints where things are, and the lines that send a first trace.
pub(super) fn print(app: &App, options: &Options) {
    let (url, store) = (&app.url, shown(&options.store));
    let mut block = format!(
        "llmtrace {}\n\n  page   {url}\n  store  {store}\n\n  Send a first trace to it:\n\n    \
         export OTEL_EXPORTER_OTLP_ENDPOINT={url}\n    export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n",
        env!("CARGO_PKG_VERSION")
    );
    if app.guard.token.is_some() {
        block += "    export OTEL_EXPORTER_OTLP_HEADERS=\"authorization=Bearer%20$LLMTRACE_TOKEN\"\n";
    }
    block += "\n  Ctrl-C ends it.\n\n";
    // Where nobody reads it, the page stands all the same.
    drop(terminal::print(&block));
}
