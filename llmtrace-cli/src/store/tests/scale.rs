//! How fast a large store is written and read.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use llmtrace::{
    Cost, CostSource, Message, ObservationKind as Kind, SpanRecord, Timestamp, Usage, Usd, semconv,
};

use super::support::{EPOCH, Scratch, span, trace_id};
use crate::store::Store;
use crate::store::dashboard::{DashboardBy, DashboardQuery, dashboard};
use crate::store::facets::{Facet, values};
use crate::store::filter::{Sort, TraceFilter};
use crate::store::list::list;
use crate::store::stats::{StatsBy, stats};
use crate::store::{sessions, trace};

/// Traces that are written, of ten spans each; another number is taken from the environment.
const TRACES: u64 = 100_000;
const VARIABLE: &str = "LLMTRACE_SCALE_TRACES";

/// Words that texts are made of.
const WORDS: u32 = 20_000;

/// Words of a trace: two kilobytes of them.
const TRACE_WORDS: u32 = 330;

/// The spans of one trace: an agent, four calls, five tools.
fn agent(number: u64) -> Vec<SpanRecord> {
    let mut rng = Rng::with_seed(number);
    let mut words = |count: u32| {
        let word = |rng: &mut Rng| rng.u32(..WORDS).min(rng.u32(..WORDS)).min(rng.u32(..WORDS));
        (0..count).map(|_| format!("w{}", word(&mut rng))).collect::<Vec<_>>().join(" ")
    };
    let begin = number * 26_000;
    let mut spans = Vec::with_capacity(10);
    for id in 0..10 {
        let kind = if id == 0 {
            Kind::Agent
        } else if id % 2 == 1 {
            Kind::Tool
        } else {
            Kind::Generation
        };
        let mut span = span(
            number,
            number * 10 + id,
            (id > 0).then_some(number * 10),
            kind,
            (begin + id * 500, 450 + number % 700),
        );
        span.attributes.set(semconv::CONVERSATION_ID, format!("session-{}", number / 4));
        span.attributes.set(semconv::USER_ID, format!("user-{}", number % 1_000));
        span.input = vec![Message::user(words(TRACE_WORDS / 20))];
        span.output = vec![Message::assistant(words(TRACE_WORDS / 20))];
        if kind == Kind::Generation {
            span.attributes.set(semconv::RESPONSE_MODEL, format!("model-{}", number % 8));
            span.attributes.set(semconv::PROVIDER_NAME, ["openai", "anthropic"][usize::from(number % 8 > 4)]);
            span.attributes.set(semconv::RESPONSE_TIME_TO_FIRST_CHUNK, 0.2);
            span.set_usage(&Usage::new(1_000 + number % 900, 200).with_cache_read(500));
            span.set_cost(&Cost::new(
                Usd::from_pico(1_000_000 * i128::from(number % 5_000)),
                CostSource::Bundled,
            ));
        }
        if number.is_multiple_of(50) && id == 9 {
            span.status = llmtrace::Status::error("the tool timed out");
        }
        spans.push(span);
    }
    spans
}

#[test]
#[ignore = "takes minutes, and says something in a release build only"]
fn a_large_store() {
    let traces = std::env::var(VARIABLE).map_or(TRACES, |traces| traces.parse().unwrap());
    let scratch = Scratch::new();
    let (next, begun) = (AtomicU64::new(0), Instant::now());
    let making = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| write(&scratch.store, traces, &next, &making));
        }
    });
    let took = begun.elapsed().as_secs_f64();
    let made = Duration::from_nanos(making.load(Ordering::Relaxed)).as_secs_f64();
    for (thread, seconds) in processor_time() {
        println!("{thread}: {seconds:.1} s of a processor");
    }
    let size = fs::metadata(scratch.path()).unwrap().len();
    let spans = (traces * 10) as f64;
    println!("{:.0} spans/s ({took:.1} s, of which {made:.1} s of threads made spans)", spans / took);
    println!("{:.0} bytes per span, {} MB resident", size as f64 / spans, resident());
    let mut rng = Rng::with_seed(9);
    let none = TraceFilter::default;
    let page = |filter: TraceFilter, sort| {
        scratch.store.read(|conn| list(conn, &filter, sort, None, 50)).unwrap().traces.len()
    };
    measure("list", || page(none(), Sort::Newest));
    measure("costliest", || page(none(), Sort::Costliest));
    measure("model", || page(TraceFilter { model: Some("model-3".to_owned()), ..none() }, Sort::Newest));
    measure("model, user", || {
        let user = Some(format!("user-{}", 8 * rng.u32(..100) + 3));
        page(TraceFilter { model: Some("model-3".to_owned()), user, ..none() }, Sort::Newest)
    });
    measure("error, tool, slowest", || {
        page(TraceFilter { kind: Some(Kind::Tool), min_cost: Some(Usd::ZERO), ..none() }, Sort::Slowest)
    });
    measure("cost above all", || {
        page(TraceFilter { min_cost: Some(Usd::from_pico(1 << 60)), ..none() }, Sort::Newest)
    });
    measure("rare word", || {
        page(TraceFilter { text: Some(format!("w{}", 15_000 + rng.u32(..5_000))), ..none() }, Sort::Newest)
    });
    measure("frequent word", || {
        page(TraceFilter { text: Some(format!("w{}", rng.u32(..10))), ..none() }, Sort::Newest)
    });
    measure("words, model", || {
        let text = Some(format!("w{} w{}", rng.u32(..500), rng.u32(..500)));
        page(TraceFilter { text, model: Some("model-1".to_owned()), ..none() }, Sort::Costliest)
    });
    measure("trace", || {
        let id = trace_id(rng.u64(..traces));
        let mut count = 0;
        scratch
            .store
            .read(|conn| {
                trace::load(conn, id)?;
                trace::records(conn, id, &mut |_| {
                    count += 1;
                    Ok(())
                })
            })
            .unwrap();
        count
    });
    measure("sessions", || scratch.store.read(|conn| sessions::list(conn, None, 50)).unwrap().sessions.len());
    measure("facets", || {
        let all = [
            Facet::Model,
            Facet::Provider,
            Facet::Service,
            Facet::User,
            Facet::Tag,
            Facet::Name,
            Facet::Kind,
        ];
        scratch
            .store
            .read(|conn| all.into_iter().map(|facet| Ok(values(conn, facet, 50)?.len())).sum())
            .unwrap()
    });
    let until = EPOCH + traces * 26_000_000_000;
    for (name, by, days) in [
        ("dashboard, 1 day", DashboardBy::Model, 1),
        ("dashboard, 7 days", DashboardBy::Model, 7),
        ("dashboard, 30 days", DashboardBy::Model, 30),
        ("dashboard, users, 7 days", DashboardBy::User, 7),
    ] {
        let since = Timestamp::from_unix_nanos(until.saturating_sub(days * 86_400_000_000_000));
        let until = Timestamp::from_unix_nanos(until);
        let query = DashboardQuery { since, until, by, model: None, provider: None, service: None };
        measure(name, || scratch.store.read(|conn| dashboard(conn, &query)).unwrap().points.len());
    }
    measure("stats by model", || {
        scratch.store.read(|conn| stats(conn, StatsBy::Model, None, None)).unwrap().len()
    });
    println!("{} MB resident", resident());
}

fn write(store: &Store, traces: u64, next: &AtomicU64, making: &AtomicU64) {
    const BATCH: u64 = 50;
    let mut before = None::<crate::store::Ticket>;
    loop {
        let first = next.fetch_add(BATCH, Ordering::Relaxed);
        if first >= traces {
            break;
        }
        let begun = Instant::now();
        let spans: Vec<_> = (first..first + BATCH).flat_map(agent).collect();
        making.fetch_add(u64::try_from(begun.elapsed().as_nanos()).unwrap(), Ordering::Relaxed);
        let ticket = store.submit(spans).unwrap();
        if let Some(before) = before.replace(ticket) {
            before.wait().unwrap();
        }
    }
    before.map(|ticket| ticket.wait().unwrap());
}

/// Runs a query many times.
fn measure(name: &str, mut query: impl FnMut() -> usize) {
    let mut times: Vec<Duration> = Vec::new();
    let mut found = 0;
    for _ in 0..200 {
        let begun = Instant::now();
        found = query();
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    println!(
        "{name}: {:.1} ms, p99 {:.1} ms ({found} found)",
        times[100].as_secs_f64() * 1e3,
        times[198].as_secs_f64() * 1e3
    );
}

/// What each thread that there is, and those that are over, took of a processor, in seconds.
fn processor_time() -> Vec<(String, f64)> {
    // User and system time, in hundredths of a second (proc_pid_stat(5)).
    let time = |stat: &str| {
        let rest = stat.rsplit(')').next().unwrap_or_default();
        rest.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>()
            / 100.0
    };
    let mut times =
        vec![("all".to_owned(), time(&fs::read_to_string("/proc/self/stat").unwrap_or_default()))];
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        times.push((name.trim().to_owned(), time(&stat)));
    }
    times
}

/// Memory of the process in MB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) / 1_000
}
