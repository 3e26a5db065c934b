//! What the program is asked for.

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use llmtrace::Timestamp;

#[cfg(feature = "lens")]
use crate::bench_explain;
use crate::compare::command as compare;
use crate::failure::Failure;
use crate::findings::command as findings;
use crate::{db, lens, price, query, send, serve, show, stats};

#[derive(Debug, Parser)]
#[command(name = "llmtrace", version)]
#[command(about = "Shows LLM traces, adds them up, sends them on, and prices responses", long_about = ABOUT)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const ABOUT: &str = "\
Shows LLM traces, adds them up, sends them on, and prices responses.

show, stats, findings, compare and send read the JSON Lines files that llmtrace
writes, one span a line, and the store that llmtrace serve writes; db and query
read the store alone. price reads what a provider answered. lens looks inside a
local model, and bench-explain measures methods that explain one.

Each returns 0 when done, 1 when nothing matched or not all was sent, 2 when it
was used wrongly or its input cannot be read; why stands on one line of standard
error. Colours are for terminals only, unless --color says otherwise; NO_COLOR
turns them off.";

// Their descriptions stand with their options.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Show(show::Options),
    Stats(stats::Options),
    Findings(findings::Options),
    Compare(compare::Options),
    Price(price::Options),
    Send(send::Options),
    Serve(serve::Options),
    Db(db::Options),
    Query(query::Options),
    Lens(lens::Options),
    #[cfg(feature = "lens")]
    BenchExplain(bench_explain::Options),
}

/// What was asked for.
pub(crate) enum Parsed {
    /// To run a command.
    Command(Command),
    /// To see this text.
    Help(String),
}

/// Reads the arguments of the program.
pub(crate) fn parse() -> Result<Parsed, Failure> {
    let command = hyphens(Arguments::command());
    let read = command.clone().try_get_matches().and_then(|matches| Arguments::from_arg_matches(&matches));
    match read {
        Ok(arguments) => Ok(Parsed::Command(arguments.command)),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(Parsed::Help(error.to_string())),
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Err(Failure::Wrong(which(&command, &error.to_string())))
            }
            _ => Err(Failure::Wrong(one_line(&error.to_string()))),
        },
    }
}

/// Texts and numbers may begin with a hyphen: `--prompt '- a list'`, `--targets=-1`.
fn hyphens(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|argument| {
        let is_text = argument.get_value_names().is_some_and(|names| names.iter().any(|name| name == "TEXT"));
        match (argument.get_long(), argument.get_action().takes_values()) {
            (Some(_), true) if is_text => argument.allow_hyphen_values(true),
            (Some(_), true) => argument.allow_negative_numbers(true),
            _ => argument,
        }
    });
    command.mut_subcommands(hyphens)
}

/// What may come next, after a help that was shown because nothing did.
fn which(root: &clap::Command, help: &str) -> String {
    let usage = help.lines().find_map(|line| line.trim().strip_prefix("Usage: ")).unwrap_or_default();
    let mut command = root;
    let mut path = vec![root.get_name()];
    for word in usage.split_whitespace().skip(1) {
        let Some(next) = command.find_subcommand(word) else { break };
        (command, path) = (next, [path, vec![word]].concat());
    }
    let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    format!("{} which? One of {}; see {} --help", path[1..].join(" "), names.join(", "), path.join(" "))
        .trim_start()
        .replacen("which? ", if path.len() == 1 { "which command? " } else { "which? " }, 1)
}

/// A message of clap's on one line, without the usage.
fn one_line(message: &str) -> String {
    let said = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let said = said.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let line = said.collect::<Vec<_>>().join(" ").replace(" tip: ", "; ");
    format!("{}; see --help", line.strip_prefix("error: ").unwrap_or(&line))
}

/// Reads a time: RFC 3339, or a date for its first moment in UTC.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    let parsed =
        if text.len() == 10 { format!("{text}T00:00:00Z").parse() } else { text.parse::<Timestamp>() };
    parsed.map_err(|_| {
        let found: String = text.chars().take(64).collect();
        format!(
            "expected RFC 3339 such as 2026-11-22T08:30:00Z, or a date such as 2026-11-22, found {found:?}"
        )
    })
}

/// Reads a text that must say something.
pub(crate) fn filled(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        Err("expected a name, found nothing".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_contradict_nothing() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_date_is_its_first_moment() {
        assert_eq!(time("2026-02-03"), Ok("2026-02-03T00:00:00Z".parse().unwrap()));
        assert_eq!(time("2026-02-03T01:00:00+01:00"), time("2026-02-03"));
        for wrong in ["", "yesterday", "2026-02-30", "2026-02-03T00:00"] {
            assert!(time(wrong).unwrap_err().contains("2026-11-22"), "{wrong}");
        }
    }
}
