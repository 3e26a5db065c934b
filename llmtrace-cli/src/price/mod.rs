//! `llmtrace price`: what a provider's response cost.

mod answer;
mod call;
mod many;
mod one;

use std::path::{Path, PathBuf};

use clap::Args;
use llmtrace::Timestamp;
use llmtrace::provider::Api;

use crate::arguments::{filled, time};
use crate::failure::Failure;
use crate::prices;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Says what a provider's response cost", long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Options {
    /// The response body; - or nothing is standard input
    #[arg(default_value = "-", hide_default_value = true)]
    file: PathBuf,
    #[arg(long, value_name = "API", help = "The API, such as openai_chat [default: told from the body]")]
    api: Option<Api>,
    /// Who answered, such as openai, aws.bedrock or bedrock
    #[arg(long, value_name = "NAME", value_parser = filled)]
    provider: Option<String>,
    /// The model, where the body names none or one without a price
    #[arg(long, value_name = "NAME", value_parser = filled)]
    model: Option<String>,
    /// When the call started: RFC 3339 or a date in UTC [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<Timestamp>,
    /// The body is a stream as it came over the wire
    #[arg(long, conflicts_with = "lines")]
    stream: bool,
    /// Read many, one JSON object a line, and print one line each
    #[arg(long, long_help = LINES)]
    lines: bool,
    /// The service tier, where the body states none: flex, priority, ...
    #[arg(long, value_name = "TIER", value_parser = filled)]
    service_tier: Option<String>,
    /// The speed, where the body states none: fast
    #[arg(long, value_name = "SPEED", value_parser = filled)]
    speed: Option<String>,
    /// How the call was made
    #[arg(long, value_name = "HOW", value_parser = ["batch", "standard"])]
    processing: Option<String>,
    /// Where inference ran, where the body does not say it: us, global
    #[arg(long, value_name = "PLACE", value_parser = filled)]
    inference_geo: Option<String>,
    /// A file of prices of your own, asked before the bundled ones
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

const ABOUT: &str = "\
Says what a provider's response cost, as one JSON object.

Reads one response body: whole, or with --stream as it came over the wire
(server-sent events, NDJSON or AWS event-stream frames).

Prints one JSON object; what is not known is null, and never 0:
  api, provider, model    what answered
  usage                   \"status\" and every count that was stated; the totals
                          include cached and reasoning tokens
  cost_usd                the exact cost
  cost_status             priced, provider_cost, unknown_model, no_usage or
                          invalid_usage
  cost_source             provider (stated by it), override or bundled
  matched_model, match    the price that was used; exact, dated or family
  as_of, incomplete       the day of the price; true if fees are missing
  service_tier            the tier that was served
  finish_reasons, response_id
  api_error               type, code, message; only where the body is an error

A cost that the provider states wins over --prices, and those over the prices
that come with llmtrace. The price is that of the time at which the call started.

Returns 0 when done, 1 if the body is of no known API, 2 if it cannot be read
or an option is wrong.";

const LINES: &str = "\
Read many, one JSON object a line, and print one line each, in order.
A line has \"response\" (a body) or \"stream\" (raw text), and may have \"id\",
\"api\", \"provider\", \"model\", \"at\" and \"context\" (an object with
\"service_tier\", \"speed\", \"processing\", \"inference_geo\"). What it leaves out
is taken from the options. An answer starts with the id. A line that cannot be
read is answered with {\"id\", \"error\"}; the program returns 2 only if no line
can be read.";

const EXAMPLES: &str = "\
Examples:
  curl -s https://api.openai.com/v1/chat/completions ... | llmtrace price
  llmtrace price --provider bedrock --model us.anthropic.claude-haiku-4-5-20251001-v1:0 body.json
  llmtrace price --stream --at 2026-11-20 answer.sse | jq .cost_usd";

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let prices = prices::load(options.prices.as_deref())?;
    let asked = call::Asked {
        api: options.api,
        provider: options.provider.clone(),
        model: options.model.clone(),
        at: options.at,
        context: call::Context {
            service_tier: options.service_tier.clone(),
            speed: options.speed.clone(),
            processing: options.processing.clone(),
            inference_geo: options.inference_geo.clone(),
        },
    };
    let file: &Path = &options.file;
    if options.lines {
        many::run(file, &asked, &prices)
    } else {
        one::run(file, options.stream, &asked, &prices)
    }
}
