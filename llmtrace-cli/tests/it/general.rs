//! What holds of every command: help, wrong use, closed pipes.

use std::io::Read as _;

use crate::support::{Folder, Span, lines, program, run};

#[test]
fn help_says_what_is_read_printed_and_returned_and_fits_the_screen() {
    for command in [&["--help"][..], &["show", "--help"], &["stats", "--help"], &["price", "--help"]] {
        let help = run(command, "");
        assert_eq!((help.code, help.err.as_str()), (0, ""), "{command:?}");
        let words = if command.len() > 1 {
            &["Read", "Print", "Returns 0", "Examples:"][..]
        } else {
            &["show", "stats", "price", "returns 0"]
        };
        for word in words {
            assert!(help.out.contains(word), "{command:?} lacks {word}");
        }
        let widest = help.out.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(100), "{command:?} is {widest:?} wide");
    }
}

#[test]
fn wrong_use_is_said_on_one_line() {
    let check = |arguments: &[&str], said: &[&str]| {
        let run = run(arguments, "");
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}");
        assert_eq!(run.err.lines().count(), 1, "{}", run.err);
        for said in said {
            assert!(run.err.contains(said), "{arguments:?}: {}", run.err);
        }
    };
    check(&[], &["show, stats, price"]);
    check(&["prise"], &["'prise'", "'price'"]);
    check(&["price", "--modle", "x"], &["'--modle'", "'--model'"]);
    check(&["price", "--api", "openai"], &["openai_chat", "anthropic_messages"]);
    check(&["price", "--at", "yesterday"], &["2026-11-22T08:30:00Z", "\"yesterday\""]);
    check(&["price", "--provider", " "], &["--provider", "expected a name"]);
    check(&["price", "--processing", "bacth"], &["batch"]);
    check(&["price", "--lines", "--stream"], &["--lines", "--stream"]);
    check(&["price", "--prices", "/nonexistent/prices.json"], &["/nonexistent/prices.json"]);
    check(&["price", "/nonexistent/body.json"], &["/nonexistent/body.json", "No such file"]);
    check(&["show"], &["<FILE>"]);
    check(&["show", "/nonexistent/app.jsonl"], &["/nonexistent/app.jsonl"]);
    check(&["show", "/"], &["folder"]);
    check(&["show", "x", "--trace", "xyz"], &["32 hex digits"]);
    check(&["show", "-", "--follow"], &["standard input"]);
    check(&["stats", "x", "--by", "hour"], &["model, session, user, day"]);
    check(&["stats", "x", "--prices", "y"], &["--reprice"]);
    check(&["stats", "/nonexistent/\u{1b}[31mapp.jsonl"], &["\\u{1b}[31m"]);
}

#[test]
fn nothing_found_is_one() {
    let folder = Folder::new();
    let empty = folder.file("empty.jsonl", "");
    let foreign = folder.file("foreign.jsonl", "{\"level\":\"info\"}\nplain text\n");
    let spans = folder.file("spans.jsonl", lines([Span::new("tool", [1, 1, 0], [0, 5])]));
    let check = |arguments: &[&str], said: &str| {
        let run = run(arguments, "");
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{arguments:?}");
        assert!(run.err.lines().last().is_some_and(|line| line.contains(said)), "{}", run.err);
    };
    check(&["show", &empty], "no spans found");
    check(&["stats", &foreign], "no spans found");
    check(&["show", &spans, "--session", "s"], "no trace matches, of 1 span");
    check(&["show", &spans, "--trace", "ff"], "no trace matches");
    check(&["show", &spans, "--errors"], "no trace matches");
    check(&["stats", &spans], "no call of a model");
    assert!(run(&["stats", &foreign], "").err.starts_with("llmtrace: skipped 2 lines that are no spans"));
}

#[test]
fn a_closed_pipe_ends_the_program_quietly() {
    let folder = Folder::new();
    let mut spans = String::new();
    for trace in 1..3_000 {
        spans += &lines([Span::call([trace, trace, 0], [0, 5], [1, 1])]);
    }
    let file = folder.file("many.jsonl", spans);
    let mut child = program(&["show", &file]).spawn().unwrap();
    drop(child.stdin.take());
    let mut start = [0; 100];
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut start).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}
