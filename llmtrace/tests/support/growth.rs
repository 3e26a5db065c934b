//! Time that grows as the input does, and memory that does not.

use std::fmt::Write as _;
use std::process::Command;

use llmtrace::provider::{Api, StreamAssembler};

/// Nanoseconds that this thread has run on a processor; `None` where the system does not say.
fn processor_time() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

/// The least time of three that reading `body` in pieces takes.
fn time(api: Api, body: &[u8], size: usize) -> Option<u64> {
    let once = || {
        let begin = processor_time()?;
        let mut stream = StreamAssembler::new(api);
        for piece in body.chunks(size) {
            stream.push(piece);
        }
        drop(stream.finish());
        Some(processor_time()? - begin)
    };
    (0..3).filter_map(|_| once()).min()
}

/// A stream with so many units.
struct Growing {
    name: &'static str,
    api: Api,
    /// Bytes of a piece.
    size: usize,
    units: usize,
    body: fn(usize) -> String,
}

fn each(count: usize, write: impl Fn(&mut String, usize)) -> String {
    let mut text = String::new();
    (0..count).for_each(|at| write(&mut text, at));
    text
}

fn chat(delta: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{delta}}}]}}\n\n")
}

const CASES: &[Growing] = &[
    Growing {
        name: "one word a delta",
        api: Api::OpenAiChat,
        size: 1_448,
        units: 8_000,
        body: |n| chat(r#"{"content":" word"}"#).repeat(n),
    },
    Growing {
        name: "one byte a piece",
        api: Api::OpenAiChat,
        size: 1,
        units: 8_000,
        body: |n| chat(r#"{"content":" word"}"#).repeat(n),
    },
    Growing {
        name: "a line in bytes",
        api: Api::OpenAiChat,
        size: 1,
        units: 500_000,
        body: |n| chat(&format!("{{\"content\":\"{}\"}}", "w".repeat(n))),
    },
    Growing {
        name: "a pretty document in bytes",
        api: Api::OpenAiChat,
        size: 1,
        units: 20_000,
        body: |n| {
            format!(
                "{{\n  \"choices\": [\n{}    {{}}\n  ]\n}}\n",
                "    {\n      \"index\": 0\n    },\n".repeat(n)
            )
        },
    },
    Growing {
        name: "data over many lines",
        api: Api::OpenAiChat,
        size: 100,
        units: 20_000,
        body: |n| format!("data: {{\"choices\": [\n{}data: {{}}]}}\n\n", "data: {\"index\": 0},\n".repeat(n)),
    },
    Growing {
        name: "choices",
        api: Api::OpenAiChat,
        size: 4_096,
        units: 3_000,
        body: |n| {
            each(n, |text, at| {
                let _ = write!(
                    text,
                    "data: {{\"choices\":[{{\"index\":{at},\"delta\":{{\"content\":\"a\"}},\"finish_reason\":\"stop\"}}]}}\n\n"
                );
            })
        },
    },
    Growing {
        name: "choices, the last first",
        api: Api::OpenAiCompletions,
        size: 4_096,
        units: 3_000,
        body: |n| {
            each(n, |text, at| {
                let _ = write!(text, "data: {{\"choices\":[{{\"index\":{},\"text\":\"a\"}}]}}\n\n", n - at);
            })
        },
    },
    Growing {
        name: "tool calls",
        api: Api::OpenAiChat,
        size: 4_096,
        units: 3_000,
        body: |n| {
            each(n, |text, at| {
                *text += &chat(&format!(
                    "{{\"tool_calls\":[{{\"index\":{at},\"id\":\"c{at}\",\"function\":{{\"arguments\":\"{{}}\"}}}}]}}"
                ));
            })
        },
    },
    Growing {
        name: "pieces of one tool call",
        api: Api::OpenAiChat,
        size: 4_096,
        units: 8_000,
        body: |n| chat(r#"{"tool_calls":[{"index":0,"function":{"arguments":"[1],"}}]}"#).repeat(n),
    },
    Growing {
        name: "content blocks in disorder",
        api: Api::AnthropicMessages,
        size: 4_096,
        units: 3_000,
        body: |n| {
            each(n, |text, at| {
                let index = at * 7_919 % n;
                let _ = write!(
                    text,
                    "data: {{\"type\":\"content_block_delta\",\"index\":{index},\"delta\":{{\"type\":\"text_delta\",\"text\":\"a\"}}}}\n\n"
                );
            })
        },
    },
    Growing {
        name: "pieces of one tool's input",
        api: Api::AnthropicMessages,
        size: 4_096,
        units: 8_000,
        body: |n| {
            "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"[1],\"}}\n\n".repeat(n)
        },
    },
    Growing {
        name: "citations",
        api: Api::AnthropicMessages,
        size: 4_096,
        units: 3_000,
        body: |n| {
            "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"citations_delta\",\"citation\":{\"url\":\"u\",\"cited_text\":\"t\"}}}\n\n".repeat(n)
        },
    },
    Growing {
        name: "parts",
        api: Api::GeminiGenerate,
        size: 4_096,
        units: 3_000,
        body: |n| {
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\",\"thought\":true},{\"text\":\"b\"},{\"functionCall\":{\"name\":\"f\"}}]}}]}\n\n".repeat(n)
        },
    },
    Growing {
        name: "blocks",
        api: Api::BedrockConverse,
        size: 4_096,
        units: 3_000,
        body: |n| {
            each(n, |text, at| {
                let _ = writeln!(
                    text,
                    "{{\"contentBlockDelta\":{{\"contentBlockIndex\":{at},\"delta\":{{\"text\":\"a\"}}}}}}"
                );
            })
        },
    },
    Growing {
        name: "output items",
        api: Api::OpenAiResponses,
        size: 4_096,
        units: 3_000,
        body: |n| {
            each(n, |text, at| {
                let _ = write!(
                    text,
                    "data: {{\"type\":\"response.output_text.delta\",\"output_index\":{at},\"content_index\":0,\"delta\":\"a\"}}\n\n"
                );
            })
        },
    },
    Growing {
        name: "steps",
        api: Api::GeminiInteractions,
        size: 4_096,
        units: 3_000,
        body: |n| {
            each(n, |text, at| {
                let _ = write!(
                    text,
                    "data: {{\"event_type\":\"step.delta\",\"index\":{at},\"delta\":{{\"type\":\"text\",\"text\":\"a\"}}}}\n\n"
                );
            })
        },
    },
    Growing {
        name: "Ollama's calls",
        api: Api::OllamaChat,
        size: 4_096,
        units: 3_000,
        body: |n| {
            "{\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{}}}]},\"done\":false}\n".repeat(n)
        },
    },
    Growing {
        name: "Cohere's calls",
        api: Api::CohereChat,
        size: 4_096,
        units: 3_000,
        body: |n| {
            each(n, |text, at| {
                let _ = write!(
                    text,
                    "data: {{\"type\":\"tool-call-start\",\"index\":{at},\"delta\":{{\"message\":{{\"tool_calls\":{{\"id\":\"c\",\"function\":{{\"name\":\"f\"}}}}}}}}}}\n\n"
                );
            })
        },
    },
    Growing {
        name: "open brackets",
        api: Api::OpenAiChat,
        size: 4_096,
        units: 500_000,
        body: |n| "[{\"a\":".repeat(n),
    },
    Growing {
        name: "torn lines",
        api: Api::OpenAiChat,
        size: 64,
        units: 100_000,
        body: |n| "{\"a\":\"b\n".repeat(n),
    },
    Growing { name: "NULs", api: Api::BedrockConverse, size: 64, units: 500_000, body: |n| "\0".repeat(n) },
];

/// Eight times the input may take this many times the time; what is quadratic takes 64 times.
const FACTOR: u64 = 24;

/// Nanoseconds below which nothing is told from the system's own ticks.
const LEAST: u64 = 10_000_000;

#[test]
fn time_grows_as_the_input_does() {
    let mut slow = Vec::new();
    for case in CASES {
        // A debug build reads about thirty times slower.
        let units = if cfg!(debug_assertions) { case.units / 8 } else { case.units };
        let (short, long) = ((case.body)(units), (case.body)(units * 8));
        let times = || {
            Some((time(case.api, short.as_bytes(), case.size)?, time(case.api, long.as_bytes(), case.size)?))
        };
        let Some((once, eight)) = times() else { return };
        println!(
            "{}: {} KiB {once} ns, {} KiB {eight} ns, {:.1}",
            case.name,
            short.len() / 1024,
            long.len() / 1024,
            eight as f64 / once as f64
        );
        if eight > FACTOR * once.max(LEAST) {
            slow.push((case.name, once, eight));
        }
    }
    assert!(slow.is_empty(), "{slow:?}");
}

/// Set in the process that reads one of [`HUGE`].
const CHILD: &str = "LLMTRACE_TEST_HUGE";

const MIB: usize = 1 << 20;

/// Input without end, by its beginning and what is repeated.
const HUGE: &[(&str, &str, &str)] = &[
    ("a line", "data: ", "x"),
    ("a text", "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"", "x"),
    ("a document", "{\"a\":\"", "x"),
    ("open lists", "{\"a\":", "["),
    ("objects in a list", "{\"a\":[", "{\"a\":1},"),
    ("lists in a list", "data: {\"a\":[", "[],"),
    ("comments", "", ": keep-alive\n\n"),
    ("line endings", "data:\n", "\r\n"),
    ("deltas", "", "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"words\"}}]}\n\n"),
    (
        "reasons",
        "",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"id\":\"a\"},{\"id\":\"b\"}]}}]}\n\n",
    ),
    ("NULs", "\0", "\0"),
];

/// Most memory that a process takes for any of them, in KiB.
const MOST_KIB: u64 = 512 * 1024;

fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Reads one of them, then a line that is whole, and prints the most memory that it took.
fn read_huge(at: usize) {
    let (name, head, unit) = HUGE[at];
    let total = match (at, cfg!(debug_assertions)) {
        (0 | 1, false) => 1024 * MIB,
        (0 | 1, true) => 64 * MIB,
        (_, false) => 128 * MIB,
        (_, true) => 24 * MIB,
    };
    let piece = unit.repeat(MIB / unit.len());
    let mut stream = StreamAssembler::new(Api::OpenAiChat);
    stream.push(head);
    for _ in 0..total / piece.len() {
        stream.push(&piece);
    }
    stream.push("\n\n{\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n");
    stream.push("\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n");
    let usage = stream.finish().usage;
    let is_read = name == "NULs" || usage.input_tokens == Some(3);
    assert!(is_read, "{name}: the next line is not read: {usage:?}");
    println!("peak {} KiB", peak_kib().unwrap_or_default());
}

#[test]
fn memory_is_bounded() {
    if let Ok(at) = std::env::var(CHILD) {
        return read_huge(at.parse().unwrap());
    }
    let mut large = Vec::new();
    for (at, (name, ..)) in HUGE.iter().enumerate() {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["growth::memory_is_bounded", "--exact", "--nocapture"]).env(CHILD, at.to_string());
        let output = child.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{name}: {text} {}", String::from_utf8_lossy(&output.stderr));
        let peak = text.split("peak ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
        println!("{name}: {peak:?} KiB");
        if peak.is_none_or(|peak| peak > MOST_KIB) {
            large.push((name, peak));
        }
    }
    assert!(large.is_empty(), "{large:?}");
}
