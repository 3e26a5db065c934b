//! The `#[llm_trace]` attribute of llmtrace.
//!
//! `args` reads what stands between the parentheses, `model` refuses what makes no sense, `expand` writes the
//! code, and `fallback` sorts out what is not a function.

mod args;
mod expand;
mod fallback;
mod fields;
mod model;
mod returns;

use proc_macro::TokenStream;

/// Traces a function: its arguments, its return value and how it ended become one span.
///
/// It goes on functions and methods, `async` or not, on `async_trait` bodies, and on functions that return a
/// future (`impl Future`, `Pin<Box<dyn Future>>`) or a stream (`impl Stream`, `Pin<Box<dyn Stream>>`, or a
/// `Result` or `Option` of one). The span of a stream goes on until the stream ends or is dropped. A named type
/// that implements `Stream` cannot be wrapped: there the span ends with the return; use
/// `llmtrace::traced_stream`.
///
/// ```ignore
/// #[llm_trace(provider = "openai", model = "gpt-4o-mini")]
/// async fn ask(question: &str) -> Result<serde_json::Value, Error> { /* the call */ }
///
/// #[llm_trace(kind = "agent", session = session_id, skip(history))]
/// async fn answer(session_id: &str, question: &str, history: &History) -> Result<String, Error> { /* .. */ }
/// ```
///
/// # Arguments
///
/// All are optional. Expressions see the function's arguments and are evaluated only when the span is enabled.
///
/// | argument | meaning |
/// |---|---|
/// | `name = expr` | the span's name; the function's, if left out |
/// | `kind = "generation"` | `generation` (default), `embedding`, `agent`, `tool`, `workflow`, `retriever`, `reranker`, `evaluator`, `guardrail`, `span` |
/// | `provider = expr`, `model = expr` | who is asked, and for which model: a text, anything with `Display`, or an `Option` of those |
/// | `session = expr`, `user = expr` | the conversation and the end user, likewise |
/// | `tags = expr` | one text or many |
/// | `skip(a, b)`, `skip_all` | arguments that are not captured |
/// | `input = expr` | captured in place of the arguments |
/// | `output = expr`, `output = \|ret\| expr` | recorded in place of the return value; on a stream, the closure is called with each item; only a closure is called, the name of a function is a value like any other |
/// | `usage = \|ret\| expr` | token counts (`Usage` or `Option<Usage>`); on a stream, of each item |
/// | `fields(k = expr, k = %x, k = ?x, k)` | more fields, as in `tracing::span!`; a name alone declares an empty one |
/// | `err(Debug)`, `err(Display)`, `err` | how an error is written; errors are always recorded |
/// | `level = "debug"`, `target = "..."` | of the `tracing` span; `info` and the module's path, if left out |
/// | `parent = expr`, `follows_from = expr` | as in `tracing::instrument` |
/// | `crate = path` | where `llmtrace` is, if it was renamed |
///
/// Arguments are captured by reference before the body runs: as text, by `Serialize`, by `Debug`, or, if their
/// type has none of these, not at all. `self`, and names that mean a secret (`api_key`, `token`, `password`,
/// ...), are never captured. A closure that uses an argument which the body takes by value does not compile:
/// clone it, or take what is needed from `ret`.
#[proc_macro_attribute]
pub fn llm_trace(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = item.into();
    let expanded = match fallback::function(&item) {
        Ok(function) => match model::Model::new(arguments.into(), &function) {
            Ok(model) => expand::expand(&model, &function),
            Err(error) => fallback::refuse(&error, &item),
        },
        Err(instead) => instead,
    };
    expanded.into()
}
