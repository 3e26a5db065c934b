use std::sync::{Arc, Mutex};

use llmtrace::{
    Cost, CostSource, ObservationKind as Kind, SpanRecord, Status, Usage, UsageStatus, Value, semconv,
};

use super::*;
use crate::testing::{self, span_id};

/// What was printed.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Screen {
    /// Takes what was printed since the last call.
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A span of trace 1 from `start` to `end` in milliseconds; `parent` 0 is none.
fn span(id: u64, parent: u64, kind: Kind, name: &str, start: u64, end: u64) -> SpanRecord {
    let mut span = testing::span(1, id, name);
    span.parent_span_id = (parent > 0).then(|| span_id(parent));
    (span.kind, span.status) = (kind, Status::Ok);
    (span.start, span.end) = (testing::at(start * 1_000_000), testing::at(end * 1_000_000));
    span
}

fn call(id: u64, parent: u64, name: &str, start: u64, end: u64, usage: &Usage, cost: &str) -> SpanRecord {
    let mut span = span(id, parent, Kind::Generation, name, start, end);
    span.attributes.set(semconv::REQUEST_MODEL, "gpt-4o");
    span.set_usage(usage);
    if !cost.is_empty() {
        span.set_cost(&Cost::new(cost.parse().unwrap(), CostSource::Bundled));
    }
    span
}

fn with(mut span: SpanRecord, key: &'static str, value: impl Into<Value>) -> SpanRecord {
    span.attributes.set(key, value);
    span
}

fn ended(mut span: SpanRecord, status: Status) -> SpanRecord {
    span.status = status;
    span
}

fn tree() -> (Stdout, Screen) {
    let screen = Screen::default();
    (Stdout::tree().writer(screen.clone()), screen)
}

fn printed(spans: &[SpanRecord]) -> String {
    let (mut exporter, screen) = tree();
    exporter.export(spans).unwrap();
    screen.take()
}

fn check(spans: &[SpanRecord], expected: &str) {
    let printed = printed(spans);
    assert_eq!(printed.trim_end(), expected.trim(), "\n{printed}");
    for line in printed.lines() {
        assert!(text::width(line) <= COLUMNS, "{line}");
    }
}

#[test]
fn an_agent_run_is_drawn() {
    check(
        &[
            span(3, 2, Kind::Retriever, "search docs", 10, 110),
            span(2, 1, Kind::Workflow, "find passages", 5, 120),
            ended(
                call(4, 1, "chat gpt-4o", 120, 330, &Usage::default(), ""),
                Status::error("429 Too Many Requests"),
            ),
            with(
                call(
                    5,
                    1,
                    "chat gpt-4o",
                    400,
                    1_400,
                    &Usage::new(12_412, 512).with_cache_read(10_240),
                    "0.0123",
                ),
                semconv::RESPONSE_TIME_TO_FIRST_CHUNK,
                0.31,
            ),
            ended(
                span(7, 6, Kind::Tool, "get_weather", 1_410, 1_500),
                Status::error("timeout\n after 90 ms"),
            ),
            call(8, 6, "answer", 1_500, 2_000, &Usage::new(900, 80).with_reasoning(64), "0.0571"),
            ended(span(6, 1, Kind::Agent, "weather", 1_400, 2_000), Status::Cancelled),
            span(1, 0, Kind::Agent, "support-bot", 0, 2_000),
        ],
        "
agent support-bot               ━━━━━━━━━━━━  2.00 s  Σ 13,312 → 592  Σ $0.0694
├─ workflow find passages       ━···········  115 ms
│  └─ retriever search docs     ━···········  100 ms
├─ ✗ generation chat gpt-4o     ╺━··········  210 ms  429 Too Many Requests
├─ generation chat gpt-4o       ··━━━━━━╸···  1.00 s    12,412 → 512    $0.0123
│     first 310 ms · 10,240 cached
└─ agent weather                ········━━━━  600 ms     Σ 900 → 80   Σ $0.0571  cancelled
   ├─ ✗ tool get_weather        ········━··· 90.0 ms  timeout\\n after 90 ms
   └─ generation answer gpt-4o  ·········━━━  500 ms       900 → 80     $0.0571  64 reasoning
trace 00000000000000000000000000000001 · 8 spans · 2 errors · 13,312 → 592 tokens · $0.0694 · 2.00 s
",
    );
}

#[test]
fn a_single_call_is_drawn() {
    let usage = Usage::new(26, 298);
    check(
        &[call(1, 0, "ask", 0, 1_240, &usage, "0.0000123")],
        "
generation ask gpt-4o  ━━━━━━━━━━━━ 1.24 s  26 → 298  $0.0000123
trace 00000000000000000000000000000001 · 1 span · 26 → 298 tokens · $0.0000123 · 1.24 s
",
    );
}

#[test]
fn figures_that_nobody_stated_are_not_made_up() {
    let partial = |input, output, total, status| {
        let mut usage = Usage::default();
        (usage.input_tokens, usage.output_tokens, usage.total_tokens, usage.status) =
            (input, output, total, status);
        usage
    };
    let mut estimated = Usage::new(7, 3);
    estimated.source = llmtrace::UsageSource::Estimated;
    let mut embedding =
        call(6, 1, "embed", 0, 1, &partial(Some(14), None, None, UsageStatus::Complete), "0.01");
    embedding.kind = Kind::Embedding;
    check(
        &[
            call(2, 1, "unpriced", 0, 1, &Usage::new(10, 5), ""),
            call(3, 1, "cut off", 0, 1, &partial(Some(10), None, None, UsageStatus::Interrupted), "0.5"),
            call(4, 1, "total only", 0, 1, &partial(None, None, Some(1_280), UsageStatus::Partial), ""),
            call(5, 1, "estimated", 0, 1, &estimated, ""),
            embedding,
            call(7, 1, "silent", 0, 1, &Usage::default(), ""),
            call(8, 1, "odd", 0, 1, &Usage::new(1, 2).with_cache_read(3).checked(), ""),
            with(call(9, 1, "fees", 0, 1, &Usage::new(1, 1), "1"), semconv::COST_INCOMPLETE, true),
            span(1, 0, Kind::Workflow, "all", 0, 1),
        ],
        "
workflow all                     ━━━━━━━━━━━━ 1.00 ms  Σ ≥43 → 11  Σ ≥$1.51  1,280 tokens in or out
├─ generation unpriced gpt-4o    ━━━━━━━━━━━━ 1.00 ms     10 → 5
├─ generation cut off gpt-4o     ━━━━━━━━━━━━ 1.00 ms    ≥10 → ?      $0.50
├─ generation total only gpt-4o  ━━━━━━━━━━━━ 1.00 ms  1,280 tokens in or out
├─ generation estimated gpt-4o   ━━━━━━━━━━━━ 1.00 ms     ~7 → 3
├─ embedding embed gpt-4o        ━━━━━━━━━━━━ 1.00 ms     14 → –      $0.01
├─ generation silent gpt-4o      ━━━━━━━━━━━━ 1.00 ms
├─ generation odd gpt-4o         ━━━━━━━━━━━━ 1.00 ms      1 → 2
│     3 cached · counts contradict each other
└─ generation fees gpt-4o        ━━━━━━━━━━━━ 1.00 ms      1 → 1     ≥$1.00
trace 00000000000000000000000000000001
  9 spans · ≥43 → 11 tokens · 1,280 tokens in or out · ≥$1.51 · 1.00 ms
",
    );
}

#[test]
fn a_call_that_two_libraries_saw_counts_once() {
    check(
        &[
            call(3, 2, "http", 0, 1, &Usage::new(10, 5), "0.25"),
            call(2, 1, "ask", 0, 1, &Usage::new(10, 5), "0.25"),
            with(span(1, 0, Kind::Agent, "a", 0, 1), semconv::USAGE_INPUT_TOKENS, 999),
        ],
        "
agent a                       ━━━━━━━━━━━━ 1.00 ms  Σ 10 → 5  Σ $0.25
└─ generation ask gpt-4o      ━━━━━━━━━━━━ 1.00 ms    10 → 5    $0.25
   └─ generation http gpt-4o  ━━━━━━━━━━━━ 1.00 ms    10 → 5    $0.25
trace 00000000000000000000000000000001 · 3 spans · 10 → 5 tokens · $0.25 · 1.00 ms
",
    );
}

#[test]
fn late_spans_and_open_roots_are_told() {
    let (mut exporter, screen) = tree();
    exporter.export(&[span(3, 2, Kind::Tool, "early", 0, 1)]).unwrap();
    assert_eq!(screen.take(), "");
    exporter.export(&[span(1, 0, Kind::Agent, "root", 0, 2)]).unwrap();
    assert!(screen.take().starts_with("agent root  ━━━━━━━━━━━━ 2.00 ms\ntrace"));
    exporter.export(&[span(2, 1, Kind::Workflow, "late", 0, 3)]).unwrap();
    let late = "\
⋯ late: ended after the parent was printed
└─ workflow late  ━━━━━━━━━━━━ 3.00 ms
   └─ tool early  ━━━━········ 1.00 ms
trace 00000000000000000000000000000001 · late · 2 spans · 3.00 ms

";
    assert_eq!(screen.take(), late);
    exporter.export(&[span(5, 4, Kind::Tool, "a", 0, 1), span(6, 4, Kind::Tool, "b", 1, 2)]).unwrap();
    assert_eq!(screen.take(), "");
    exporter.shutdown().unwrap();
    let open = "\
⋯ root still open
├─ tool a  ━━━━━━······ 1.00 ms
└─ tool b  ······━━━━━━ 1.00 ms
trace 00000000000000000000000000000001 · unfinished · 2 spans · 2.00 ms

";
    assert_eq!(screen.take(), open);
    exporter.flush().unwrap();
    assert_eq!(screen.take(), "");
}

#[test]
fn each_local_root_of_a_trace_has_its_own_tree() {
    let (mut exporter, screen) = tree();
    let remote = |id, name: &str| {
        let mut root = span(id, 100, Kind::Workflow, name, 0, 1);
        root.parent_is_remote = true;
        root
    };
    exporter
        .export(&[span(4, 2, Kind::Tool, "of second", 0, 1), span(3, 1, Kind::Tool, "of first", 0, 1)])
        .unwrap();
    exporter.export(&[remote(1, "first")]).unwrap();
    let first = screen.take();
    assert!(
        first.contains("workflow first") && first.contains("of first") && !first.contains("of second"),
        "{first}"
    );
    exporter.export(&[remote(2, "second")]).unwrap();
    let second = screen.take();
    assert!(
        second.contains("workflow second") && second.contains("of second") && !second.contains("late"),
        "{second}"
    );
}

#[test]
fn what_waits_is_bounded_and_printed_not_lost() {
    let (mut exporter, screen) = tree();
    let total = 1_500;
    for trace in 1..=total {
        let mut orphan = testing::span(trace, 2, "orphan");
        orphan.parent_span_id = Some(span_id(1));
        exporter.export(&[orphan]).unwrap();
    }
    let early = screen.take();
    assert_eq!(early.matches("too much was waiting").count(), 500);
    assert!(early.find("00001 ·") < early.find("00002 ·"), "the oldest goes first");
    exporter.flush().unwrap();
    assert_eq!(screen.take().matches("orphan").count(), 1_000);
    // One trace that never ends.
    let batch: Vec<_> = (2..1_002).map(|id| span(id, 1, Kind::Tool, &"x".repeat(300), 0, 1)).collect();
    let mut spans = 0;
    for _ in 0..60 {
        exporter.export(&batch).unwrap();
        spans += screen.take().matches("tool x").count();
    }
    assert!(spans > 0);
    exporter.flush().unwrap();
    assert_eq!(spans + screen.take().matches("tool x").count(), 60_000);
}

#[test]
fn odd_shapes_are_drawn_whole() {
    let names = |spans: &[SpanRecord]| {
        let (mut exporter, screen) = tree();
        exporter.export(spans).unwrap();
        exporter.flush().unwrap();
        screen.take().matches(" n").count()
    };
    // Each other's parents, its own parent, one id twice, a parent that is not there.
    let tool = |id, parent| span(id, parent, Kind::Tool, "n", 0, 1);
    assert_eq!(names(&[tool(2, 3), tool(3, 2)]), 2);
    assert_eq!(names(&[tool(2, 2)]), 1);
    assert_eq!(names(&[tool(2, 1), tool(2, 1), tool(1, 0)]), 3);
    assert_eq!(names(&[tool(2, 9), tool(1, 0)]), 2);
    let deep: Vec<_> = (0..3_000).map(|depth| tool(depth + 1, depth)).rev().collect();
    assert_eq!(names(&deep), 3_000);
}

#[test]
fn nothing_from_a_span_acts_on_the_terminal_or_leaves_the_width() {
    let mut random = fastrand::Rng::with_seed(5);
    let nasty = [
        "\u{1b}[31m",
        "\u{9b}2J",
        "\r\n",
        "\u{202e}",
        "\u{2066}",
        "\u{7f}",
        "\u{1b}]0;x\u{7}",
        "世界",
        "a",
        "\u{301}",
        "🦀",
        " ",
    ];
    for _ in 0..500 {
        let columns = random.usize(60..140);
        let screen = Screen::default();
        let mut exporter = Stdout::tree().writer(screen.clone()).columns(columns);
        let mut text =
            || (0..random.usize(0..60)).map(|_| nasty[random.usize(..nasty.len())]).collect::<String>();
        let (name, model, error) = (text(), text(), text());
        let count = |random: &mut fastrand::Rng| random.u64(..) >> random.u32(0..64);
        let mut spans = Vec::new();
        for id in 2..8 {
            let mut usage =
                Usage::new(count(&mut random), count(&mut random)).with_cache_read(count(&mut random));
            usage.reasoning_tokens = Some(count(&mut random));
            let (start, end) = (random.u64(0..9_000_000), random.u64(0..9_000_000));
            let one = with(
                call(id, random.u64(1..id), &name, start, end, &usage, "0.000012"),
                semconv::RESPONSE_MODEL,
                &model,
            );
            let one = with(one, semconv::COST_PICO_USD, random.i128(..) >> random.u32(0..127));
            spans.push(ended(one, if random.bool() { Status::error(&*error) } else { Status::Ok }));
        }
        spans.push(span(1, 0, Kind::Agent, &name, 0, 9_000_000));
        exporter.export(&spans).unwrap();
        let printed = screen.take();
        for line in printed.lines() {
            assert!(text::width(line) <= columns, "{columns}: {line}");
        }
        let harmful = |c: char| {
            (c.is_control() && c != '\n')
                || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert_eq!(printed.find(harmful), None, "{printed}");
        assert!(printed.matches('→').count() >= 7, "six calls and their sum: {printed}");
    }
}

#[test]
fn colour_is_for_terminals() {
    let colored = |color| {
        let screen = Screen::default();
        Stdout::tree()
            .writer(screen.clone())
            .color(color)
            .export(&[span(1, 0, Kind::Tool, "x", 0, 1)])
            .unwrap();
        screen.take()
    };
    assert!(!colored(ColorChoice::Auto).contains('\x1b'));
    assert!(!colored(ColorChoice::Never).contains('\x1b'));
    assert!(colored(ColorChoice::Always).starts_with("\x1b[33mtool\x1b[0m\x1b[1m x\x1b[0m  \x1b[33m━"));
}

#[test]
fn json_is_a_line_of_version_1_a_span() {
    let screen = Screen::default();
    let spans = [span(1, 0, Kind::Tool, "x\u{1b}\n", 0, 1), call(2, 1, "y", 0, 1, &Usage::new(1, 2), "0.1")];
    Stdout::json().writer(screen.clone()).export(&spans).unwrap();
    let printed = screen.take();
    let read: Vec<_> = printed.lines().map(|line| crate::read_line(line.as_bytes()).unwrap()).collect();
    assert_eq!(read, spans);
    assert!(!printed.contains('\u{1b}'));
}

#[test]
fn a_writer_that_fails_is_an_error() {
    struct Failing(io::ErrorKind);
    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let check = |kind, retryable| {
        for exporter in [Stdout::tree(), Stdout::json()] {
            let error =
                exporter.writer(Failing(kind)).export(&[span(1, 0, Kind::Tool, "x", 0, 1)]).unwrap_err();
            assert_eq!(error.is_retryable(), retryable);
        }
    };
    check(io::ErrorKind::BrokenPipe, false);
    check(io::ErrorKind::StorageFull, true);
}
