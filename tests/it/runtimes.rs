//! Without a runtime and under every kind of it.

use std::future::Future;
use std::time::Duration;

use llmtrace::testing::Recording;
use tracing::instrument::WithSubscriber as _;
use tracing::{Instrument as _, info_span};

async fn work() {
    async { tokio::task::yield_now().await }.instrument(info_span!("chat", gen_ai.request.model = "m")).await;
}

fn check(run: impl FnOnce(std::pin::Pin<Box<dyn Future<Output = ()> + Send>>)) {
    let recording = Recording::start();
    run(Box::pin(work().with_subscriber(recording.dispatch())));
    assert_eq!(recording.tree(), "chat [generation] m\n");
}

#[test]
fn current_thread_runtime() {
    check(|future| tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future));
}

#[test]
fn one_worker_runtime() {
    check(|future| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(async { tokio::spawn(future).await.unwrap() });
    });
}

#[test]
fn built_flushed_and_shut_down_inside_block_on() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let recording = Recording::start();
        work().with_subscriber(recording.dispatch()).await;
        assert_eq!(recording.spans().len(), 1);
        recording.guard().shutdown(Duration::from_secs(30)).unwrap();
        drop(recording);
    });
}

#[test]
fn dropped_in_an_async_drop_position() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    runtime.block_on(async {
        let recording = Recording::start();
        let task = tokio::spawn(async move {
            work().with_subscriber(recording.dispatch()).await;
            drop(recording);
        });
        task.await.unwrap();
    });
}
