//! All schedules of the queue's threads, as far as loom tells them apart. Run by `.ci/run`:
//! `RUSTFLAGS="--cfg llmtrace_loom" cargo test --release -p llmtrace --lib loom_tests`

use std::sync::Arc;

use loom::thread;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// A worker that drains until the shutdown.
fn worker(queue: &Arc<Queue<u8>>) -> thread::JoinHandle<Vec<(u64, u8)>> {
    let queue = Arc::clone(queue);
    thread::spawn(move || {
        let mut all = Vec::new();
        loop {
            let order = queue.wait_for_work(HOUR);
            queue.drain(&mut all);
            queue.reach(order.request);
            if order.is_shutdown {
                return all;
            }
        }
    })
}

#[test]
fn a_flush_covers_what_was_pushed_before_it() {
    explore(|| {
        let queue = Arc::new(Queue::new(2, 100, Overflow::DropNewest));
        let drained = Arc::new(Mutex::new(Vec::new()));
        let worker = {
            let (queue, drained) = (Arc::clone(&queue), Arc::clone(&drained));
            thread::spawn(move || {
                let order = queue.wait_for_work(HOUR);
                queue.drain(&mut lock(&drained));
                queue.reach(order.request);
            })
        };
        queue.push(0, 1, 7_u8).unwrap();
        let request = queue.request(true);
        assert!(queue.wait_until_reached(request, HOUR));
        assert_eq!(*lock(&drained), [(0, 7)]);
        worker.join().unwrap();
    });
}

#[test]
fn a_push_beside_the_shutdown_is_drained_or_counted() {
    explore(|| {
        let queue = Arc::new(Queue::new(1, 100, Overflow::DropNewest));
        let worker = worker(&queue);
        let pusher = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.push(0, 1, 7_u8).is_ok())
        };
        queue.close();
        let (accepted, drained) = (pusher.join().unwrap(), worker.join().unwrap());
        assert_eq!(drained.len(), usize::from(accepted));
        let (started, dropped) = queue.counts();
        assert_eq!(started, drained.len() as u64 + dropped.iter().sum::<u64>());
    });
}

#[test]
fn a_push_wakes_a_sleeping_worker() {
    explore(|| {
        let queue = Arc::new(Queue::new(1, 100, Overflow::DropNewest));
        let worker = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                let mut all = Vec::new();
                while all.is_empty() {
                    queue.sleep_until_needed();
                    queue.drain(&mut all);
                }
            })
        };
        queue.push(0, 1, 7_u8).unwrap();
        worker.join().unwrap();
    });
}

#[test]
fn a_push_that_waits_for_room_gets_it() {
    explore(|| {
        let queue = Arc::new(Queue::new(1, 1, Overflow::Block(HOUR)));
        queue.push(0, 1, 1_u8).unwrap();
        let pusher = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.push(0, 1, 2_u8).unwrap())
        };
        let mut all = Vec::new();
        queue.drain(&mut all);
        assert_eq!(all.first(), Some(&(0, 1)));
        queue.release(1);
        pusher.join().unwrap();
    });
}
