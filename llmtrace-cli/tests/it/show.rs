//! `llmtrace show`.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::support::{Folder, Span, lines, program, run};

/// Two traces, the second of which started first.
fn two_traces() -> String {
    lines([
        Span::call([1, 2, 1], [1_000, 2_000], [1_200, 80])
            .cost(210_000_000)
            .with("gen_ai.conversation.id", "s-1"),
        Span::new("tool", [2, 4, 3], [100, 200]).failed("no such file"),
        Span::new("agent", [1, 1, 0], [900, 2_100]),
        Span::new("agent", [2, 3, 0], [0, 300]),
    ])
}

#[test]
fn traces_are_drawn_in_the_order_of_their_starts() {
    let folder = Folder::new();
    let file = folder.file("app.jsonl", two_traces());
    let shown = run(&["show", &file], "");
    assert_eq!((shown.code, shown.err.as_str()), (0, ""));
    let expected = "\
agent agent 3     ━━━━━━━━━━━━ 300 ms
└─ ✗ tool tool 4  ····━━━━···· 100 ms  no such file
trace 00000000000000000000000000000002 · 2 spans · 1 error · 300 ms

agent agent 1                           ━━━━━━━━━━━━ 1.20 s  Σ 1,200 → 80  Σ $0.00021
└─ generation generation 2 gpt-4o-mini  ·━━━━━━━━━━· 1.00 s    1,200 → 80    $0.00021
trace 00000000000000000000000000000001 · 2 spans · 1,200 → 80 tokens · $0.00021 · 1.20 s

";
    assert_eq!(shown.out, expected, "{}", shown.out);
    assert!(!shown.out.contains('\u{1b}'));
}

#[test]
fn files_are_one_set() {
    let folder = Folder::new();
    let all = two_traces();
    let lines: Vec<_> = all.split_inclusive('\n').collect();
    let (old, new) = (lines[..2].concat(), lines[2..].concat());
    // The later file has no newline at its end.
    let (old, new) = (folder.file("app.jsonl.1", old), folder.file("app.jsonl", new.trim_end()));
    let whole = folder.file("whole.jsonl", &all);
    let expected = run(&["show", &whole], "").out;
    assert_eq!(run(&["show", &new, &old], "").out, expected);
    // A line that is there twice is drawn once.
    assert_eq!(run(&["show", &new, &old, &whole], "").out, expected);
}

#[test]
fn only_traces_that_match_are_drawn() {
    let folder = Folder::new();
    let file = folder.file("app.jsonl", two_traces());
    let check = |arguments: &[&str], ids: &[&str]| {
        for source in [file.as_str(), "-"] {
            let shown = run(&[&["show", source], arguments].concat(), two_traces());
            let drawn = shown.out.lines().filter_map(|line| line.strip_prefix("trace "));
            let drawn: Vec<_> = drawn.map(|line| &line[31..32]).collect();
            assert_eq!(drawn, ids, "{source} {arguments:?}");
            assert_eq!(shown.code, i32::from(ids.is_empty()));
        }
    };
    check(&["--errors"], &["2"]);
    check(&["--session", "s-1"], &["1"]);
    check(&["--session", "s-1", "--errors"], &[]);
    check(&["--trace", "00000000000000000000000000000001"], &["1"]);
    check(&["--trace", "0000000000000000000000000000000A"], &[]);
    check(&["--trace", "0", "--errors"], &["2"]);
}

#[test]
fn foreign_and_torn_lines_are_skipped_and_counted() {
    let folder = Folder::new();
    let torn = two_traces().split_at(300).0.to_owned();
    let file = folder.file("app.jsonl", format!("{{\"level\":\"info\"}}\n{}\n\n{torn}", two_traces()));
    let shown = run(&["show", &file], "");
    assert_eq!(shown.code, 0);
    assert_eq!(shown.err.lines().count(), 1);
    assert!(
        shown.err.starts_with("llmtrace: skipped 2 lines that are no spans (the last: "),
        "{}",
        shown.err
    );
    assert!(shown.err.contains("app.jsonl: not a JSON object: the text ends"), "{}", shown.err);
}

#[test]
fn a_trace_without_its_root_says_so() {
    let orphan = || lines([Span::new("tool", [1, 2, 1], [0, 100])]);
    let folder = Folder::new();
    let shown = run(&["show", &folder.file("app.jsonl", orphan())], "");
    assert!(shown.out.starts_with("⋯ root not found\n└─ tool tool 2"), "{}", shown.out);
    let shown = run(&["show", "-"], orphan());
    assert!(shown.out.starts_with("⋯ root still open\n└─ tool tool 2"), "{}", shown.out);
}

/// A run that goes on, and its lines as they come.
struct Following {
    child: Child,
    lines: Receiver<String>,
}

impl Following {
    fn start(arguments: &[&str]) -> Self {
        let mut child = program(&[&["show", "--follow"], arguments].concat()).spawn().unwrap();
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || out.lines().try_for_each(|line| sender.send(line.unwrap())));
        Self { child, lines }
    }

    /// Waits until the line about a trace is drawn.
    fn wait_for_trace(&self, id: u64) {
        let start = format!("trace {id:032x}");
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(60)).unwrap();
            if line.starts_with("trace ") {
                assert!(line.starts_with(&start), "{line}");
                return;
            }
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn a_file_is_followed_through_torn_writes_rotation_and_truncation() {
    let folder = Folder::new();
    let file = folder.file("app.jsonl", two_traces());
    let append = |text: &str| {
        OpenOptions::new().append(true).open(&file).unwrap().write_all(text.as_bytes()).unwrap();
    };
    let root = |trace| lines([Span::new("agent", [trace, trace, 0], [0, 100])]);
    let following = Following::start(&[&file]);
    following.wait_for_trace(1);
    following.wait_for_trace(2);
    let third = root(3);
    let (head, tail) = third.split_at(50);
    append(head);
    append(tail);
    following.wait_for_trace(3);
    // What is written before the rename is read, also when the new file is there already.
    append(&root(4));
    std::fs::rename(&file, folder.path("app.jsonl.1")).unwrap();
    folder.file("app.jsonl", root(5));
    following.wait_for_trace(4);
    following.wait_for_trace(5);
    append(&root(6));
    following.wait_for_trace(6);
    // A file that is shorter than what was read of it is read from its start.
    std::fs::write(&file, root(7)).unwrap();
    following.wait_for_trace(7);
}

#[test]
fn lines_that_are_no_spans_are_said_once_while_following() {
    let folder = Folder::new();
    let file = folder.file("app.jsonl", "{\"level\":\"info\"}\nplain\n");
    let mut following = Following::start(&[&file]);
    let mut said = String::new();
    BufReader::new(following.child.stderr.take().unwrap()).read_line(&mut said).unwrap();
    assert!(said.starts_with("llmtrace: skipped 2 lines that are no spans"), "{said}");
}

#[test]
fn only_matching_traces_are_followed() {
    let folder = Folder::new();
    let file = folder.file("app.jsonl", two_traces());
    let following = Following::start(&[&file, "--errors"]);
    following.wait_for_trace(2);
}
