//! Runs of the program, and files of spans for it.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// The output as one JSON value.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }

    /// The output as one JSON value a line.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The program, with nothing in its environment that changes its output.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_llmtrace"));
    command.args(arguments).env_remove("COLUMNS").env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["OTEL_", "LANGFUSE_", "LLMTRACE_"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&*name);
        }
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the program with `input` as its standard input.
pub(crate) fn run(arguments: &[&str], input: impl AsRef<[u8]>) -> Run {
    run_in(&[], arguments, input)
}

/// Runs the program with these variables in its environment.
pub(crate) fn run_in(variables: &[(&str, &str)], arguments: &[&str], input: impl AsRef<[u8]>) -> Run {
    let mut child = program(arguments).envs(variables.iter().copied()).spawn().unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.as_ref().to_vec());
    // A program that does not read its input closes it.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder with files.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and gives its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// A span as one line: the number of its trace, its own, its parent's (0 is none), and when it starts and ends in
/// milliseconds after noon of 2026-11-20.
pub(crate) struct Span(Value);

impl Span {
    pub(crate) fn new(kind: &str, [trace, id, parent]: [u64; 3], [start, end]: [u64; 2]) -> Self {
        let at =
            |ms: u64| format!("2026-11-20T12:{:02}:{:02}.{:03}Z", ms / 60_000, ms / 1_000 % 60, ms % 1_000);
        let mut line = json!({"v": 1, "trace_id": format!("{trace:032x}"), "span_id": format!("{id:016x}"),
            "name": format!("{kind} {id}"), "kind": kind, "start": at(start), "end": at(end), "status": "ok",
            "attributes": {}});
        if parent > 0 {
            line["parent_span_id"] = format!("{parent:016x}").into();
        }
        Self(line)
    }

    /// A call of gpt-4o-mini with so many input and output tokens.
    pub(crate) fn call(ids: [u64; 3], times: [u64; 2], tokens: [u64; 2]) -> Self {
        Self::new("generation", ids, times)
            .with("gen_ai.provider.name", "openai")
            .with("gen_ai.response.model", "gpt-4o-mini")
            .with("gen_ai.usage.input_tokens", tokens[0])
            .with("gen_ai.usage.output_tokens", tokens[1])
    }

    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0["attributes"][key] = value.into();
        self
    }

    /// A cost in pico-dollars.
    pub(crate) fn cost(self, pico: u64) -> Self {
        self.with("llmtrace.cost.pico_usd", pico).with("llmtrace.cost.source", "bundled")
    }

    pub(crate) fn failed(mut self, message: &str) -> Self {
        self.0["status"] = "error".into();
        self.0["status_message"] = message.into();
        self
    }
}

/// Spans as lines.
pub(crate) fn lines<const N: usize>(spans: [Span; N]) -> String {
    spans.map(|span| format!("{}\n", span.0)).concat()
}
