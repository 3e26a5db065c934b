//! Telling LLM calls from other HTTP requests.

mod body;
mod hosts;

use std::borrow::Cow;

pub(super) use body::Peek;

use crate::ObservationKind;
use crate::provider::Api;

/// Where a request goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    pub(super) host: &'a str,
    pub(super) port: Option<u16>,
    /// Without the query, which may hold a key.
    pub(super) path: &'a str,
}

/// An LLM call.
#[derive(Debug)]
pub(super) struct LlmCall<'a> {
    /// `None` where no reader is named for it: the bodies tell.
    pub(super) api: Option<Api>,
    /// `gen_ai.operation.name`.
    pub(super) operation: &'static str,
    pub(super) kind: ObservationKind,
    /// `gen_ai.provider.name`, where host or path tell.
    pub(super) provider: Option<&'static str>,
    /// The model that is asked for.
    pub(super) model: Option<Cow<'a, str>>,
    /// Whether it has the form of an `OpenAI` chat completion.
    pub(super) is_openai_chat: bool,
}

/// What tells a call from another program's path of the same name. At hosts that serve nothing but models the path
/// is enough.
#[derive(Clone, Copy, PartialEq)]
enum Proof {
    /// The path has no other use.
    Path,
    /// The body names a model and holds what it is asked.
    Body,
    /// Only this provider has it there.
    Provider(&'static str),
}

/// One row of the table of calls.
struct Row {
    /// How the path ends; `*` is the model, up to what follows it in its segment.
    tail: &'static str,
    proof: Proof,
    /// Names of readers, the best first.
    apis: &'static [&'static str],
    operation: &'static str,
    kind: ObservationKind,
}

const fn row(
    tail: &'static str,
    proof: Proof,
    apis: &'static [&'static str],
    operation: &'static str,
    kind: ObservationKind,
) -> Row {
    Row { tail, proof, apis, operation, kind }
}

use ObservationKind::{Embedding, Generation, Reranker};
use Proof::{Body, Path, Provider};

const CHAT: &[&str] = &["openai_chat"];
const MISTRAL: &[&str] = &["mistral_chat", "openai_chat"];
const GEMINI: &[&str] = &["gemini_generate"];
const COHERE: &[&str] = &["cohere_chat"];
const INVOKE: &[&str] = &["bedrock_invoke"];
const CONVERSE: &[&str] = &["bedrock_converse"];

/// The calls that are known; the first row that fits wins. Sources: the providers' API references.
const ROWS: &[Row] = &[
    row("v1/chat/completions", Provider("mistral_ai"), MISTRAL, "chat", Generation),
    row("fim/completions", Provider("mistral_ai"), MISTRAL, "text_completion", Generation),
    row("agents/completions", Provider("mistral_ai"), MISTRAL, "chat", Generation),
    row("v1/ocr", Provider("mistral_ai"), &["mistral_ocr"], "ocr", Generation),
    row("chat/completions", Path, CHAT, "chat", Generation),
    row("responses", Body, &["openai_responses"], "chat", Generation),
    row("embeddings", Body, &["openai_embeddings"], "embeddings", Embedding),
    row("completions", Body, &["openai_completions"], "text_completion", Generation),
    row("images/generations", Path, &["openai_images"], "image_generation", Generation),
    row("images/edits", Path, &["openai_images"], "image_generation", Generation),
    row("images/variations", Path, &["openai_images"], "image_generation", Generation),
    row("audio/transcriptions", Path, &["openai_audio"], "transcription", Generation),
    row("audio/translations", Path, &["openai_audio"], "transcription", Generation),
    row("audio/speech", Path, &["openai_audio"], "speech", Generation),
    row("v1/messages", Body, &["anthropic_messages"], "chat", Generation),
    row("publishers/anthropic/models/*:rawPredict", Path, &["anthropic_messages"], "chat", Generation),
    row("publishers/anthropic/models/*:streamRawPredict", Path, &["anthropic_messages"], "chat", Generation),
    row("publishers/mistralai/models/*:rawPredict", Path, MISTRAL, "chat", Generation),
    row("publishers/mistralai/models/*:streamRawPredict", Path, MISTRAL, "chat", Generation),
    row("*:generateContent", Path, GEMINI, "generate_content", Generation),
    row("*:streamGenerateContent", Path, GEMINI, "generate_content", Generation),
    row("v1beta/interactions", Body, &["gemini_interactions"], "chat", Generation),
    row("*:embedContent", Path, &["gemini_embed"], "embeddings", Embedding),
    row("*:batchEmbedContents", Path, &["gemini_embed"], "embeddings", Embedding),
    row("model/*/converse", Path, CONVERSE, "chat", Generation),
    row("model/*/converse-stream", Path, CONVERSE, "chat", Generation),
    row("model/*/invoke", Path, INVOKE, "chat", Generation),
    row("model/*/invoke-with-response-stream", Path, INVOKE, "chat", Generation),
    row("v2/chat", Provider("cohere"), COHERE, "chat", Generation),
    row("v1/chat", Provider("cohere"), COHERE, "chat", Generation),
    row("embed", Provider("cohere"), &["cohere_embed"], "embeddings", Embedding),
    row("v2/rerank", Provider("cohere"), &["cohere_rerank"], "rerank", Reranker),
    row("v1/rerank", Provider("cohere"), &["cohere_rerank"], "rerank", Reranker),
    row("rerank", Body, &[], "rerank", Reranker),
    row("api/chat", Body, &["ollama_chat"], "chat", Generation),
    row("api/generate", Body, &["ollama_generate", "ollama_chat"], "text_completion", Generation),
    row("api/embed", Body, &["ollama_embed"], "embeddings", Embedding),
    row("api/embeddings", Body, &["ollama_embed"], "embeddings", Embedding),
];

/// What an HTTP `POST` is, if it is an LLM call. `peek` reads the body, if it comes to that.
pub(super) fn recognise<'b>(
    target: Target<'_>,
    peek: impl FnOnce() -> Option<Peek<'b>>,
) -> Option<(LlmCall<'b>, Option<Peek<'b>>)> {
    let path = target.path.trim_end_matches('/');
    if !ROWS.iter().any(|row| last_segment_fits(row.tail, path)) {
        return None;
    }
    let vendor = hosts::provider(target);
    let body = peek();
    let fits = |row: &&Row| match row.proof {
        Path => true,
        Body => vendor.is_some() || body.as_ref().is_some_and(|body| body.asks(row.operation)),
        Provider(only) => vendor == Some(only),
    };
    let (row, model) = ROWS.iter().filter(fits).find_map(|row| Some((row, tail(row.tail, path)?)))?;
    let model: Option<Cow<'b, str>> = (!model.is_empty()).then_some(Cow::Owned(model));
    let model = model.or_else(|| body.as_ref()?.model.clone()).or_else(|| deployment(path).map(Cow::Owned));
    let is_embedding = row.apis == INVOKE && model.as_ref().is_some_and(|model| model.contains("embed"));
    let (operation, kind) = if is_embedding { ("embeddings", Embedding) } else { (row.operation, row.kind) };
    let call = LlmCall {
        api: row.apis.iter().find_map(|name| name.parse().ok()),
        operation,
        kind,
        provider: vendor.or_else(|| served_by(row.tail, path)),
        model,
        is_openai_chat: row.tail.ends_with("chat/completions"),
    };
    Some((call, body))
}

/// Who serves the call, as the path tells.
fn served_by(tail: &str, path: &str) -> Option<&'static str> {
    if deployment(path).is_some() {
        Some("azure.ai.openai")
    } else if tail.starts_with("api/") {
        Some("ollama")
    } else if tail.starts_with("model/") {
        Some("aws.bedrock")
    } else {
        (tail.contains(':') && path.contains("/projects/")).then_some("gcp.vertex_ai")
    }
}

/// The deployment that an Azure path names: `/openai/deployments/{deployment}/...`.
fn deployment(path: &str) -> Option<String> {
    let (_, rest) = path.split_once("/openai/deployments/")?;
    rest.split('/').next().filter(|name| !name.is_empty()).map(decoded)
}

/// Whether the last segment is the row's: what is asked of every request, and so is cheap.
fn last_segment_fits(tail: &str, path: &str) -> bool {
    let last = |text: &'_ str| text.rfind('/').map_or(0, |at| at + 1);
    let (wanted, found) = (tail.get(last(tail)..), path.get(last(path)..));
    wanted.zip(found).is_some_and(|(wanted, found)| segment(wanted, found).is_some())
}

/// Whether the path ends so, and the model that it names: empty for none.
fn tail(tail: &str, path: &str) -> Option<String> {
    let mut found = path.rsplit('/');
    let mut model = "";
    for wanted in tail.rsplit('/') {
        let named = segment(wanted, found.next()?)?;
        model = if named.is_empty() { model } else { named };
    }
    Some(decoded(model))
}

/// Whether a segment is the wanted one, and what stands for the `*` in it: empty where there is none.
fn segment<'p>(wanted: &str, found: &'p str) -> Option<&'p str> {
    match wanted.strip_prefix('*') {
        Some(rest) => found.strip_suffix(rest).filter(|model| !model.is_empty()),
        None => (wanted == found).then_some(""),
    }
}

/// A path segment without percent-encoding: Bedrock's ids hold colons and slashes.
fn decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let is_hex = |digits: &&[u8]| first == b'%' && digits.iter().all(u8::is_ascii_hexdigit);
        let digits = after.get(..2).filter(is_hex).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
