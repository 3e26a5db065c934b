//! Delivery with a spool: through outages and restarts.

use std::path::Path;
use std::time::Duration;

use llmtrace::DropReason;
use llmtrace_exporters::{Otlp, Protocol};
use llmtrace_tests::backend::{LONG, Program, arrived, dropped, span_ids};
use llmtrace_tests::fault::{FaultServer, Step};

fn program(server: &FaultServer, dir: &Path, max_bytes: u64) -> Program {
    let otlp = Otlp::new(&server.url())
        .unwrap()
        .protocol(Protocol::Json)
        .timeout(Duration::from_millis(250))
        .retry_waits(Duration::from_millis(2), Duration::from_millis(20))
        .spool(dir, max_bytes)
        .unwrap();
    Program::start(llmtrace::builder().exporter(otlp))
}

/// How many files the folders of a spool hold.
fn files(dir: &Path) -> usize {
    let folders = std::fs::read_dir(dir).unwrap().map(|folder| folder.unwrap().path());
    folders.map(|folder| std::fs::read_dir(folder).unwrap().count()).sum()
}

/// A short time for a batch to fill.
const TICK: Duration = Duration::from_millis(5);

const ROOM: u64 = 64 << 20;

#[test]
fn spans_wait_on_disk_and_arrive_oldest_first_when_the_server_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = FaultServer::start([]);
    server.close();
    let program = program(&server, dir.path(), ROOM);
    for _ in 0..3 {
        program.deliver(2);
    }
    let stats = program.stats();
    assert_eq!((stats.exported, stats.queued, stats.spooled), (0, 6, 6));
    server.reopen();
    // Nobody ends a span: the exporter comes back by itself.
    let stats = program.wait_until(|stats| stats.queued == 0);
    assert_eq!((stats.exported, stats.spooled, stats.replayed, stats.dropped_total()), (6, 0, 0, 0));
    let stats = program.deliver(1);
    assert_eq!((stats.exported, stats.spooled), (7, 0));
    assert!(arrived(&server, 200..=200).values().all(|times| *times == 1));
    assert!(program.guard.shutdown(LONG).is_ok());
    assert_eq!(files(dir.path()), 0, "nothing is left behind");
}

#[test]
fn the_next_process_delivers_what_the_last_one_left() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = FaultServer::start([]);
    server.close();
    let first = program(&server, dir.path(), ROOM);
    first.run(5);
    let report = first.guard.shutdown(LONG).unwrap();
    assert_eq!((report.exporters[0].queued, report.exporters[0].spooled), (5, 5));
    server.reopen();
    let second = program(&server, dir.path(), ROOM);
    let stats = second.wait_until(|stats| stats.replayed == 5);
    assert_eq!((stats.started, stats.exported, stats.queued), (0, 0, 0));
    assert_eq!(arrived(&server, 200..=200).into_values().collect::<Vec<_>>(), [1; 5]);
}

#[test]
fn a_shutdown_puts_what_is_left_on_disk() {
    for step in [Step::Hang, Step::status(503)] {
        let dir = tempfile::tempdir().unwrap();
        let server = FaultServer::start(vec![step.clone(); 99]);
        let otlp = Otlp::new(&server.url()).unwrap().timeout(LONG).retry_waits(LONG, LONG);
        let otlp = otlp.spool(dir.path(), ROOM).unwrap();
        let program = Program::start(llmtrace::builder().exporter(otlp).batch(2, TICK));
        program.run(5);
        program.wait_until(|_| !server.requests().is_empty());
        let report = program.guard.shutdown(Duration::from_millis(400)).unwrap();
        let stats = &report.exporters[0];
        assert!(report.is_complete, "{step:?}");
        assert_eq!(
            (stats.started, stats.queued, stats.spooled, stats.dropped_total()),
            (5, 5, 5, 0),
            "{step:?}"
        );
    }
}

#[test]
fn a_batch_on_disk_that_is_refused_for_good_is_counted_and_gone() {
    let dir = tempfile::tempdir().unwrap();
    // Twice no luck, then refused, then all is well.
    let server = FaultServer::start([Step::status(503), Step::status(503), Step::status(400)]);
    let program = program(&server, dir.path(), ROOM);
    program.deliver(4);
    let stats = program.wait_until(|stats| stats.queued == 0);
    assert_eq!((stats.exported, dropped(&stats, DropReason::ExportFailed), stats.spooled), (0, 4, 0));
    assert_eq!(server.requests().len(), 3);
    assert_eq!(program.deliver(1).exported, 1);
}

#[test]
fn a_refused_batch_never_goes_to_disk() {
    let dir = tempfile::tempdir().unwrap();
    let server = FaultServer::start([Step::status(400)]);
    let stats = program(&server, dir.path(), ROOM).deliver(3);
    assert_eq!((stats.exported, dropped(&stats, DropReason::ExportFailed), stats.spooled), (0, 3, 0));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn half_a_batch_that_was_taken_does_not_come_again() {
    let dir = tempfile::tempdir().unwrap();
    // No luck, twice; on replay too large, then one half is taken and the other one is not.
    let statuses = [503, 503, 413, 200, 503, 503];
    let server = FaultServer::start(statuses.map(Step::status));
    let program = program(&server, dir.path(), ROOM);
    program.deliver(4);
    let stats = program.wait_until(|stats| stats.queued == 0);
    assert_eq!((stats.exported, stats.dropped_total()), (4, 0));
    assert_eq!(arrived(&server, 200..=200).into_values().collect::<Vec<_>>(), [1; 4]);
}

#[test]
fn a_full_spool_refuses_the_newest_and_they_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = FaultServer::start([]);
    server.close();
    let program = program(&server, dir.path(), 4_000);
    for _ in 0..20 {
        program.deliver(5);
    }
    let before = program.stats();
    let lost = dropped(&before, DropReason::ExportFailed);
    assert!(before.spooled > 0 && lost > 0 && before.spooled + lost == 100, "{before:?}");
    server.reopen();
    let stats = program.wait_until(|stats| stats.queued == 0);
    assert_eq!((stats.exported, stats.dropped_total()), (before.spooled, lost));
    let firsts = server.requests().iter().flat_map(span_ids).count() as u64;
    assert_eq!(firsts, before.spooled);
    // The loss is told as soon as a batch arrives.
    program.deliver(1);
    let last = server.requests().pop().unwrap();
    assert!(String::from_utf8_lossy(&last.body).contains("llmtrace.dropped.export_failed"));
}

#[test]
fn destinations_that_share_a_directory_get_their_own_spans() {
    let dir = tempfile::tempdir().unwrap();
    let mut servers = [FaultServer::start([]), FaultServer::start([])];
    servers.iter_mut().for_each(FaultServer::close);
    for (server, spans) in servers.iter().zip([3, 5]) {
        let program = program(server, dir.path(), ROOM);
        program.run(spans);
        program.guard.shutdown(LONG).unwrap();
    }
    servers.iter_mut().for_each(FaultServer::reopen);
    // Whoever comes first must not take what waits for the other one.
    let second = program(&servers[1], dir.path(), ROOM);
    second.wait_until(|stats| stats.replayed == 5);
    second.guard.shutdown(LONG).unwrap();
    assert_eq!(arrived(&servers[0], 200..=200).len(), 0);
    program(&servers[0], dir.path(), ROOM).wait_until(|stats| stats.replayed == 3);
    assert_eq!(servers.map(|server| arrived(&server, 200..=200).len()), [3, 5]);
    assert_eq!(files(dir.path()), 0);
}

#[test]
fn users_of_one_server_get_their_own_spans() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = FaultServer::start([]);
    let start = |server: &FaultServer, key: &str| {
        let url = server.url().replace("http://", &format!("http://{key}@"));
        let otlp = Otlp::new(&url).unwrap().protocol(Protocol::Json).retry_waits(TICK, TICK);
        Program::start(llmtrace::builder().exporter(otlp.spool(dir.path(), ROOM).unwrap()))
    };
    server.close();
    let first = start(&server, "first:old");
    first.run(2);
    first.guard.shutdown(LONG).unwrap();
    server.reopen();
    let second = start(&server, "second:key");
    assert_eq!(second.deliver(1).replayed, 0);
    second.guard.shutdown(LONG).unwrap();
    // The key may change meanwhile.
    start(&server, "first:new").wait_until(|stats| stats.replayed == 2);
}

#[test]
fn a_directory_that_is_deleted_costs_what_was_in_it_and_no_more() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("spool");
    let mut server = FaultServer::start([]);
    server.close();
    let program = program(&server, &dir, ROOM);
    assert_eq!(program.deliver(3).spooled, 3);
    std::fs::remove_dir_all(&dir).unwrap();
    let stats = program.deliver(2);
    assert_eq!((stats.spooled, stats.dropped_total()), (2, 3), "{stats:?}");
    server.reopen();
    let stats = program.wait_until(|stats| stats.queued == 0);
    assert_eq!((stats.exported, stats.dropped_total()), (2, 3), "{stats:?}");
}

#[test]
fn without_its_directory_an_exporter_delivers_what_the_server_takes() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("spool");
    let mut server = FaultServer::start([]);
    server.close();
    let program = program(&server, &dir, ROOM);
    program.deliver(3);
    std::fs::remove_dir_all(&dir).unwrap();
    std::fs::write(&dir, "not a directory").unwrap();
    let stats = program.deliver(2);
    assert_eq!((stats.exported, stats.spooled), (0, 0), "{stats:?}");
    server.reopen();
    program.wait_until(|_| program.deliver(1).exported > 0);
    let before = program.stats();
    let after = program.deliver(4);
    assert_eq!((after.exported, after.dropped_total()), (before.exported + 4, before.dropped_total()));
    assert_eq!(after.queued, 0);
}

#[test]
fn a_span_that_the_spool_cannot_take_costs_itself_only() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = FaultServer::start([]);
    server.close();
    let program = program(&server, dir.path(), 10_000);
    program.large(1 << 20);
    let stats = program.deliver(1);
    assert_eq!((stats.spooled, stats.dropped_total()), (1, 1), "{stats:?}");
}
