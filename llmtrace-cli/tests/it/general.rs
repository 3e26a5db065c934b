//! What holds of every command: help, wrong use, closed pipes.

use std::io::Read as _;

use crate::support::{Folder, Span, lines, program, run};

#[test]
fn help_says_what_is_read_printed_and_returned_and_fits_the_screen() {
    for command in [
        &["--help"][..],
        &["show", "--help"],
        &["stats", "--help"],
        &["findings", "--help"],
        &["compare", "--help"],
        &["price", "--help"],
        &["send", "--help"],
        #[cfg(feature = "lens")]
        &["lens", "generate", "--help"],
        #[cfg(feature = "lens")]
        &["lens", "logit-lens", "--help"],
        #[cfg(feature = "lens")]
        &["lens", "attention", "--help"],
        #[cfg(feature = "lens")]
        &["lens", "patch", "--help"],
        #[cfg(feature = "lens")]
        &["lens", "explain", "--help"],
        #[cfg(feature = "lens")]
        &["lens", "report", "--help"],
        #[cfg(feature = "lens")]
        &["lens", "dump", "--help"],
        #[cfg(feature = "lens")]
        &["lens", "graph", "--help"],
        #[cfg(feature = "lens")]
        &["lens", "features", "--help"],
        #[cfg(feature = "lens")]
        &["lens", "bias", "--help"],
        #[cfg(feature = "lens")]
        &["lens", "diff", "--help"],
        #[cfg(feature = "lens")]
        &["lens", "origin", "--help"],
        #[cfg(feature = "lens")]
        &["lens", "train-transcoder", "--help"],
        #[cfg(feature = "lens")]
        &["lens", "origin", "train", "--help"],
        #[cfg(feature = "lens")]
        &["lens", "origin", "score", "--help"],
        #[cfg(feature = "lens")]
        &["bench-explain", "--help"],
    ] {
        let help = run(command, "");
        assert_eq!((help.code, help.err.as_str()), (0, ""), "{command:?}");
        let words = if command.len() > 1 {
            &["Read", "Print", "Returns 0", "Examples:"][..]
        } else {
            &["show", "stats", "findings", "compare", "price", "send", "serve", "db", "query", "returns 0"]
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
        assert!(!run.err.contains("s3cret"), "{}", run.err);
        for said in said {
            assert!(run.err.contains(said), "{arguments:?}: {}", run.err);
        }
    };
    check(&[], &["show, stats, findings, compare, price, send, serve, db, query"]);
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
    check(&["send", "x"], &["--to"]);
    check(&["send", "x", "--to", "otlp", "--endpoint", "localhost:4318"], &["--endpoint: localhost"]);
    check(&["send", "x", "--to", "otlp", "--endpoint", "http://a.b"], &["http://a.b", "--allow-http"]);
    check(&["send", "x", "--to", "otlp", "--profile", "arize"], &["arize", "phoenix"]);
    check(&["send", "x", "--to", "otlp", "--header", "authorization: s3cret"], &["NAME=VALUE"]);
    check(&["send", "x", "--to", "otlp", "--header", "a: s3cret=x"], &["--header", "name of a header"]);
    check(&["send", "x", "--to", "otlp", "--secret-key", "s3cret"], &["--header"]);
    check(&["send", "x", "--to", "webhook"], &["--endpoint"]);
    check(&["send", "x", "--to", "webhook", "--endpoint", "https://a.b", "--profile", "all"], &["--to otlp"]);
    check(&["send", "x", "--to", "langfuse"], &["LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"]);
    check(&["send", "x", "--to", "langfuse", "--secret-key", "s3cret"], &["--public-key"]);
    check(&["send", "/nonexistent/app.jsonl", "--to", "otlp"], &["/nonexistent/app.jsonl"]);
    check(&["send", "-", "--to", "otlp", "--errors"], &["standard input", "twice"]);
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
        assert!(run.err.lines().count() == 1 && run.err.contains(said), "{}", run.err);
    };
    check(&["show", &empty], "no spans found");
    check(&["stats", &foreign], "no spans found");
    check(&["show", &spans, "--session", "s"], "no trace matches, of 1 span");
    check(&["show", &spans, "--trace", "ff"], "no trace matches");
    check(&["show", &spans, "--errors"], "no trace matches");
    check(&["stats", &spans], "no call of a model");
    check(&["stats", &foreign], "foreign.jsonl; skipped 2 lines that are no spans");
}

/// To open a named pipe again would wait for ever for another writer.
#[cfg(unix)]
#[test]
fn a_named_pipe_is_read_once() {
    let folder = Folder::new();
    let pipe = folder.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::write(pipe, "plain text\n")
    });
    let stats = run(&["stats", pipe.to_str().unwrap()], "");
    writer.join().unwrap().unwrap();
    assert_eq!((stats.code, stats.err.lines().count()), (1, 1), "{}", stats.err);
}

#[test]
fn a_file_for_another_command_is_recognised() {
    let folder = Folder::new();
    let span = lines([Span::new("tool", [1, 1, 0], [0, 5])]);
    let one = folder.file("one.jsonl", &span);
    let two = folder.file("two.jsonl", span.repeat(2));
    let prices = folder.file("prices.json", "[\n{\"model\": \"m\",\n\"input_per_mtok\": 1}]");
    let body = folder
        .file("body.json", "{\"model\":\"m\",\n\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}");
    let asked =
        folder.file("ask.json", "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");
    let check = |arguments: &[&str], code: i32, said: &str| {
        let run = run(arguments, "");
        assert_eq!(run.code, code, "{arguments:?}");
        assert!(run.err.lines().count() == 1 && run.err.contains(said), "{}", run.err);
    };
    check(&["price", &one], 1, "llmtrace show");
    check(&["price", &two], 2, "llmtrace show");
    check(&["price", &prices], 1, "--prices");
    check(&["price", &asked], 1, "it holds a request");
    check(&["show", &prices], 1, "--prices");
    check(&["stats", &body], 1, "llmtrace price reads");
    check(&["price", &body, "--prices", &body], 2, "body.json: the price overrides must be");
    check(&["price", "--stream", "/dev/null"], 2, "it is empty");
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let folder = Folder::new();
    let file = folder.file("app.jsonl", lines([Span::call([1, 1, 0], [0, 5], [1, 1])]));
    for command in ["show", "stats"] {
        let colored = |more: &[&str]| run(&[&[command, &file], more].concat(), "").out.contains('\u{1b}');
        assert_eq!((colored(&[]), colored(&["--color", "always"])), (false, true), "{command}");
        assert!(!colored(&["--color", "never"]), "{command}");
    }
}

#[test]
fn help_may_be_asked_for_by_name() {
    assert_eq!(run(&["help", "show"], "").out, run(&["show", "--help"], "").out);
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
