//! What tracing a function costs while nobody listens.

use std::cell::Cell;

use llmtrace::llm_trace;

const KIB: usize = 1024;

async fn touch(bytes: &mut [u8]) {
    tokio::task::yield_now().await;
    bytes[0] = 1;
}

macro_rules! bodies {
    ($($(#[$attribute:meta])? $small:ident $large:ident $arguments:ident)*) => {$(
        $(#[$attribute])?
        async fn $small() -> u8 {
            let mut held = [0; 8];
            touch(&mut held).await;
            held[0]
        }

        $(#[$attribute])?
        async fn $large() -> u8 {
            let mut held = [0; KIB];
            touch(&mut held).await;
            held[0]
        }

        $(#[$attribute])?
        async fn $arguments(question: String, history: Vec<String>) -> usize {
            tokio::task::yield_now().await;
            question.len() + history.len()
        }
    )*};
}

bodies! {
    raw_small raw_large raw_arguments
    #[tracing::instrument] their_small their_large their_arguments
    #[llm_trace] our_small our_large our_arguments
}

/// At most a fifth larger than what `#[tracing::instrument]` makes of the same body.
#[test]
fn futures_are_about_as_large_as_instrumented_ones() {
    let check = |what: &str, raw: usize, theirs: usize, ours: usize| {
        println!("{what}: {raw} bytes untraced, {theirs} with #[instrument], {ours} with #[llm_trace]");
        assert!(ours * 5 <= theirs * 6, "{what}: {ours} bytes, #[instrument] makes {theirs}");
    };
    let no = (String::new(), Vec::new());
    check("8 bytes held", size_of_val(&raw_small()), size_of_val(&their_small()), size_of_val(&our_small()));
    check("1 KiB held", size_of_val(&raw_large()), size_of_val(&their_large()), size_of_val(&our_large()));
    check(
        "two arguments",
        size_of_val(&raw_arguments(no.0.clone(), no.1.clone())),
        size_of_val(&their_arguments(no.0.clone(), no.1.clone())),
        size_of_val(&our_arguments(no.0, no.1)),
    );
}

thread_local! {
    static EVALUATED: Cell<u32> = const { Cell::new(0) };
}

fn count() -> &'static str {
    EVALUATED.set(EVALUATED.get() + 1);
    "text"
}

struct Counted;

impl std::fmt::Debug for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        count();
        f.write_str("Counted")
    }
}

#[llm_trace(
    name = count(), provider = count(), model = count(), session = count(), user = count(), tags = count(),
    fields(k = count()), usage = |_ret| { count(); None }
)]
fn read_in_full(_argument: Counted) -> Counted {
    Counted
}

#[llm_trace(input = count(), output = count(), follows_from = { count(); tracing::Span::none() })]
fn replaced() -> Counted {
    Counted
}

#[test]
fn nothing_is_evaluated_while_nobody_listens() {
    read_in_full(Counted);
    replaced();
    assert_eq!(EVALUATED.get(), 0);
    llmtrace::testing::Recording::start().run(|| {
        read_in_full(Counted);
        replaced();
    });
    assert_eq!(EVALUATED.get(), 13);
}
