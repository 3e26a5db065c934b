//! Every form of function that can be traced: it compiles without a warning and returns what it did before.

use std::borrow::Cow;
use std::fmt::Debug;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use futures::FutureExt as _;
use futures::stream::{self, BoxStream, LocalBoxStream, Stream, StreamExt as _};
use llmtrace::testing::Recording;
use llmtrace::{Usage, llm_trace};
use serde::Serialize;
use tracing::Level;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Outcome<T> = Result<T, Failure>;
type Deltas<'a> = BoxStream<'a, Result<String, Failure>>;

#[derive(Debug, PartialEq)]
struct Opaque(u8);

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Document {
    text: String,
}

/// Neither `Serialize` nor `Debug`.
struct Mute;

#[llm_trace]
fn nothing() {}

#[llm_trace]
fn plain(a: u32, mut b: Vec<u8>) -> usize {
    b.push(0);
    a as usize + b.len()
}

#[llm_trace(kind = "tool", name = "a tool")]
fn early(text: &str) -> Result<u32, std::num::ParseIntError> {
    if text.is_empty() {
        return Ok(0);
    }
    let number: u32 = text.parse()?;
    Ok(number + 1)
}

#[llm_trace]
fn patterns((a, b): (u32, u32), Document { text }: Document, [c, ..]: [u8; 3], &d: &u8, _: Mute) -> String {
    format!("{a} {b} {text} {c} {d}")
}

#[llm_trace]
fn shortest<'a>(left: &'a str, right: &'a str) -> &'a str {
    if left.len() < right.len() { left } else { right }
}

#[llm_trace]
fn generic<T, U: Debug>(value: T, other: &U) -> T
where
    T: Clone,
{
    let _ = other;
    value.clone()
}

#[llm_trace]
fn unsized_values(bytes: &[u8], any: &dyn Debug, call: impl Fn(u8) -> u8, text: Cow<'_, str>) -> usize {
    let _ = any;
    usize::from(call(1)) + bytes.len() + text.len()
}

#[llm_trace(skip_all)]
fn items(count: u32) -> impl Iterator<Item = u32> {
    0..count
}

#[llm_trace(skip(left))]
fn either(left: bool) -> Result<impl Iterator<Item = u8> + Debug, Failure> {
    if !left {
        return Err("right".into());
    }
    Ok([1, 2].into_iter())
}

#[llm_trace]
fn never(message: &str) -> ! {
    panic!("{message}");
}

#[llm_trace]
async fn async_never(message: &str) -> ! {
    panic!("{message}");
}

/// Documented.
///
/// # Safety
///
/// None needed.
#[llm_trace]
#[must_use]
unsafe fn dangerous(value: &u8) -> u8 {
    *value
}

#[llm_trace]
extern "C" fn foreign(value: u8) -> u8 {
    value + 1
}

#[llm_trace(
    name = format!("ask {model}"), provider = "openai", model = model, session = session, user = Some(7),
    tags = ["a", "b"], fields(my.length = question.len(), shown = %question, debugged = ?session, later),
    level = "debug", target = "my::target", err(Debug), usage = |_ret| Usage::new(1, 2)
)]
async fn ask(model: &str, session: Option<String>, question: String) -> Outcome<String> {
    tokio::task::yield_now().await;
    if question.is_empty() {
        Err("empty")?;
    }
    Ok(format!("{model}: {question} ({})", session.is_some()))
}

#[llm_trace(input = text, output = |ret| ret.len(), tags = tags)]
async fn borrowed<'a>(text: &'a str, tags: Vec<String>) -> &'a str {
    let _ = &tags;
    text.trim()
}

#[llm_trace(output = api_key.len())]
async fn given(api_key: &str) -> Option<Opaque> {
    Some(Opaque(u8::try_from(api_key.len()).ok()?))
}

#[llm_trace]
fn future(value: u8) -> impl Future<Output = u8> + Send {
    async move { value }
}

#[llm_trace]
fn boxed_future<'a>(value: &'a str) -> Pin<Box<dyn Future<Output = &'a str> + Send + 'a>> {
    Box::pin(async move { value })
}

#[llm_trace]
fn numbers(count: u32) -> impl Stream<Item = u32> + Unpin {
    stream::iter(0..count)
}

#[llm_trace]
async fn maybe_numbers(count: Option<u32>) -> Option<impl Stream<Item = Result<u32, Failure>> + Send> {
    Some(stream::iter(0..count?).map(Ok))
}

#[llm_trace]
async fn stream_or_not(count: u32) -> Outcome<impl Stream<Item = Opaque>> {
    if count == 0 {
        return Err("none".into());
    }
    Ok(stream::repeat_with(|| Opaque(1)).take(count as usize))
}

#[llm_trace(usage = |item| item.as_ref().ok().map(|text| Usage::new(0, text.len() as u64)))]
fn boxed(text: &str) -> Deltas<'_> {
    stream::iter(text.split(' ').map(|word| Ok(word.to_owned()))).boxed()
}

#[llm_trace]
async fn boxed_result(text: &str) -> Result<Deltas<'_>, Failure> {
    Ok(stream::iter(text.split(' ').map(|word| Ok(word.to_owned()))).boxed())
}

#[llm_trace]
fn local<'a>(words: &'a [&'a str]) -> LocalBoxStream<'a, &'a str> {
    stream::iter(words.iter().copied()).boxed_local()
}

#[llm_trace]
fn generic_stream<T: Send + 'static>(items: Vec<T>) -> BoxStream<'static, T> {
    stream::iter(items).boxed()
}

struct Client {
    name: String,
}

impl Client {
    #[llm_trace]
    fn name(&self) -> &str {
        &self.name
    }

    #[llm_trace]
    fn name_mut(&mut self, _unused: &str) -> &mut String {
        &mut self.name
    }

    #[llm_trace(session = self.name, kind = "agent")]
    fn into_name(self) -> String {
        self.name
    }

    #[llm_trace(skip(self))]
    async fn rename(&mut self, name: impl Into<String>) -> &str {
        self.name = name.into();
        &self.name
    }

    #[llm_trace]
    async fn boxed_self(self: Box<Self>) -> Self {
        *self
    }
}

#[async_trait::async_trait]
trait Answer {
    async fn answer(&self, question: &str) -> Outcome<String>;

    #[llm_trace]
    async fn twice(&self, question: String) -> Outcome<String>
    where
        Self: Sized,
    {
        Ok(self.answer(&question).await?.repeat(2))
    }
}

#[async_trait::async_trait]
impl Answer for Client {
    #[llm_trace(session = self.name, usage = |ret| ret.as_ref().ok().map(|_| Usage::new(1, 1)))]
    async fn answer(&self, question: &str) -> Outcome<String> {
        tokio::task::yield_now().await;
        if question.is_empty() {
            return Err("empty".into());
        }
        Ok(format!("{}: {question}", self.name))
    }
}

trait Native {
    #[llm_trace]
    fn sync(&self) -> u8 {
        1
    }

    async fn native(&self, value: u8) -> u8;
}

impl Native for Client {
    #[llm_trace(kind = "span")]
    async fn native(&self, value: u8) -> u8 {
        value + self.sync()
    }
}

#[llm_trace]
async fn recursive(depth: u8) -> u8 {
    if depth == 0 { 0 } else { Box::pin(recursive(depth - 1)).await + 1 }
}

mod renamed {
    pub(crate) mod deep {
        pub(crate) use llmtrace as tracer;
    }
}

#[renamed::deep::tracer::llm_trace("by position", crate = renamed::deep::tracer, fields(empty), level = Level::WARN)]
fn through_another_path(
    #[cfg(any())] left_out: Mute,
    #[cfg(not(any()))] recorder: u8,
    value: u8,
    kind: u8,
    error: u8,
) -> u8 {
    #![allow(clippy::let_and_return)]
    let sum = recorder + value + kind + error;
    sum
}

/// The names that the expansion uses mean the user's values in the user's expressions.
#[llm_trace(output = |output| output + kind + value, usage = |seen| Usage::new(*seen, error), session = recorder)]
fn own_names(recorder: u8, value: u64, kind: u64, error: u64, span: u64, returned: u64) -> u64 {
    u64::from(recorder) + value + kind + error + span + returned
}

/// Once without a subscriber and once with everything recorded.
fn both(check: impl Fn()) {
    check();
    Recording::start().run(check);
}

fn both_async<F: Future>(check: impl Fn() -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    both(|| {
        runtime.block_on(check());
    });
}

#[test]
fn functions_return_what_they_did() {
    both(functions);
}

fn functions() {
    nothing();
    assert_eq!(through_another_path(1, 2, 3, 4), 10);
    assert_eq!(own_names(1, 2, 3, 4, 5, 6), 21);
    drop(renamed::deep::tracer::generation!("chat"));
    assert_eq!(plain(1, vec![1]), 3);
    assert_eq!(early("").unwrap(), 0);
    assert_eq!(early("1").unwrap(), 2);
    assert!(early("x").is_err());
    let document = Document { text: "t".to_owned() };
    assert_eq!(patterns((1, 2), document.clone(), [3; 3], &4, Mute), "1 2 t 3 4");
    assert_eq!(shortest("ab", "a"), "a");
    assert_eq!(generic(document.clone(), &1), document);
    assert_eq!(unsized_values(&[1], &"x", |x| x + 1, "abc".into()), 6);
    assert_eq!(items(3).sum::<u32>(), 3);
    assert_eq!(either(true).unwrap().count(), 2);
    assert!(either(false).is_err());
    assert_eq!(foreign(1), 2);
    let mut client = Client { name: "n".to_owned() };
    assert_eq!(client.name(), "n");
    client.name_mut("").push('m');
    assert_eq!(client.into_name(), "nm");
}

#[test]
fn panics_go_on_unchanged() {
    both(panics);
}

fn panics() {
    let payload = std::panic::catch_unwind(|| never("a message")).unwrap_err();
    assert_eq!(payload.downcast_ref::<String>().unwrap(), "a message");
}

#[test]
fn futures_return_what_they_did() {
    both_async(futures);
}

async fn futures() {
    assert_eq!(ask("m", None, "q".to_owned()).await.unwrap(), "m: q (false)");
    assert_eq!(ask("m", None, String::new()).await.unwrap_err().to_string(), "empty");
    assert_eq!(borrowed(" a ", Vec::new()).await, "a");
    assert_eq!(given("abc").await, Some(Opaque(3)));
    assert_eq!(future(1).await, 1);
    assert_eq!(boxed_future("a").await, "a");
    assert_eq!(recursive(3).await, 3);
    let mut client = Client { name: "n".to_owned() };
    assert_eq!(client.rename("m").await, "m");
    assert_eq!(client.answer("q").await.unwrap(), "m: q");
    assert!(client.answer("").await.is_err());
    assert_eq!(client.twice("q".to_owned()).await.unwrap(), "m: qm: q");
    assert_eq!(client.native(1).await, 2);
    assert_eq!(Box::new(client).boxed_self().await.name, "m");
    let caught = AssertUnwindSafe(async_never("a message")).catch_unwind().await;
    let Err(payload) = caught;
    assert_eq!(payload.downcast_ref::<String>().unwrap(), "a message");
}

#[test]
fn streams_yield_what_they_did() {
    both_async(streams);
}

async fn streams() {
    assert_eq!(numbers(3).collect::<Vec<_>>().await, [0, 1, 2]);
    assert_eq!(numbers(3).size_hint(), (3, Some(3)));
    assert_eq!(maybe_numbers(Some(2)).await.unwrap().count().await, 2);
    assert!(maybe_numbers(None).await.is_none());
    assert_eq!(stream_or_not(2).await.unwrap().count().await, 2);
    assert!(stream_or_not(0).await.is_err());
    let words =
        |deltas: Vec<Result<String, Failure>>| deltas.into_iter().map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(words(boxed("a b").collect().await), ["a", "b"]);
    assert_eq!(words(boxed_result("a b").await.unwrap().collect().await), ["a", "b"]);
    assert_eq!(local(&["a"]).collect::<Vec<_>>().await, ["a"]);
    assert_eq!(generic_stream(vec![1]).collect::<Vec<_>>().await, [1]);
}

#[test]
fn futures_and_streams_can_be_sent() {
    fn is_send<T: Send>(_: T) {}
    is_send(ask("", None, String::new()));
    is_send(recursive(1));
    is_send(future(1));
    is_send(numbers(1));
    is_send(maybe_numbers(None));
}
