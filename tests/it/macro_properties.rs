//! A traced function returns what the untraced one does, whatever goes in.

use std::panic::{AssertUnwindSafe, catch_unwind};

use llmtrace::llm_trace;
use llmtrace::testing::Recording;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Text(String),
    Question(Option<i64>),
    Return(u8),
    Panic(String),
}

macro_rules! functions {
    ($($(#[$attribute:meta])? $sync:ident $nonsync:ident)*) => {$(
        $(#[$attribute])?
        fn $sync(steps: &[Step], mut sum: i64) -> Result<(i64, &str), String> {
            let mut last = "";
            for step in steps {
                match step {
                    Step::Text(text) => last = text,
                    Step::Question(number) => sum = sum.wrapping_add(number.ok_or_else(|| last.to_owned())?),
                    Step::Return(number) => return Ok((i64::from(*number), last)),
                    Step::Panic(message) => panic!("{message}"),
                }
            }
            Ok((sum, last))
        }

        $(#[$attribute])?
        async fn $nonsync(steps: &[Step], sum: i64) -> Result<(i64, &str), String> {
            tokio::task::yield_now().await;
            $sync(steps, sum)
        }
    )*};
}

functions! {
    sync_untraced async_untraced
    #[llm_trace(err(Debug), session = 7)] sync_traced async_traced
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<String>().prop_map(Step::Text),
        4 => any::<Option<i64>>().prop_map(Step::Question),
        1 => any::<u8>().prop_map(Step::Return),
        1 => any::<String>().prop_map(Step::Panic),
    ]
}

/// What a call returned, or the message that it panicked with.
fn outcome<R>(call: impl FnOnce() -> R) -> Result<R, Option<String>> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| payload.downcast_ref::<String>().cloned())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn results_errors_and_panics_are_the_same(steps in prop::collection::vec(step(), 0..6), sum: i64) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let recording = Recording::start();
        let expected = outcome(|| sync_untraced(&steps, sum));
        recording.run(|| {
            prop_assert_eq!(&outcome(|| sync_traced(&steps, sum)), &expected);
            prop_assert_eq!(&outcome(|| runtime.block_on(async_traced(&steps, sum))), &expected);
            prop_assert_eq!(&outcome(|| runtime.block_on(async_untraced(&steps, sum))), &expected);
            Ok(())
        })?;
        let spans = recording.spans();
        prop_assert_eq!(spans.len(), 3);
        prop_assert!(spans.iter().all(|span| span.status.is_error() == !matches!(expected, Ok(Ok(_)))));
    }
}
