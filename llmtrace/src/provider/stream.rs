use serde_json::Value;

use super::fold::{Fold, child};
use super::framing::{Found, Framing};
use super::{Api, ApiError, Exchange, SHAPES, api_of_response, read_response_as};
use crate::UsageStatus;

/// Puts the pieces of a streamed response together.
///
/// Give it the bytes of the body as they come, cut wherever the network cut them, or the items that a client
/// crate has parsed already. The bytes may be server-sent events, JSON lines, a JSON list, AWS event-stream frames
/// or a whole response. Later counts replace earlier ones and are never added to them. An item longer than 16 MiB
/// is skipped; of one part of a message at most 1 MiB is kept, of a list (choices, tool calls, blocks of content) at
/// most 1024 elements, of a response at most 16 MiB.
///
/// ```
/// use llmtrace::UsageStatus;
/// use llmtrace::provider::{Api, StreamAssembler};
///
/// let mut stream = StreamAssembler::new(Api::OpenAiChat);
/// stream.push(r#"data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}"#).push("\n\n");
/// stream.push("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}\n\n");
/// assert!(stream.has_content());
/// stream.push("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n");
/// let exchange = stream.finish();
/// assert_eq!(exchange.output[0].text(), "Hello");
/// assert_eq!(exchange.usage.status, UsageStatus::Complete);
/// ```
#[derive(Clone, Debug, Default)]
pub struct StreamAssembler {
    named: Option<Api>,
    framing: Framing,
    state: State,
}

/// What the items say, apart from how they are framed.
#[derive(Clone, Debug, Default)]
struct State {
    api: Option<Api>,
    fold: Fold,
    /// An error of a stream whose API is not known.
    error: Option<ApiError>,
    /// Whether a piece of the stream could not be read.
    is_torn: bool,
}

impl StreamAssembler {
    /// For a stream of `api`.
    pub fn new(api: Api) -> Self {
        Self { named: Some(api), framing: Framing::default(), state: State::default() }
    }

    /// For a stream whose API is told from its first item.
    pub fn detect() -> Self {
        Self::default()
    }

    /// The API: as named, or as told from the items so far.
    pub fn api(&self) -> Option<Api> {
        self.named.or(self.state.api)
    }

    /// Takes the next bytes of the body.
    pub fn push(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let Self { named, framing, state } = self;
        state.fold.framed = true;
        framing.push(bytes.as_ref(), &mut |found| state.take(*named, &found));
        self
    }

    /// Takes one item that is parsed already.
    pub fn push_event(&mut self, item: &Value) -> &mut Self {
        self.state.take_item(self.named, item);
        self
    }

    /// Whether content has arrived: text, reasoning, a refusal or a tool call. Roles, empty texts and keep-alives
    /// are none.
    pub fn has_content(&self) -> bool {
        self.state.fold.content
    }

    /// Ends the stream and says what it amounts to; the assembler is then as new.
    ///
    /// Where the stream was cut before its end, the usage is [`UsageStatus::Interrupted`], with the counts that
    /// are known by then as lower bounds.
    pub fn finish(&mut self) -> Exchange {
        let Self { named, framing, state } = self;
        framing.finish(&mut |found| state.take(*named, &found));
        let state = std::mem::take(state);
        let Some(api) = named.or(state.api) else {
            return Exchange { error: state.error, ..Exchange::default() };
        };
        let mut exchange = read_response_as(api, &state.fold.body);
        exchange.error = exchange.error.or(state.error);
        if (state.is_torn || !state.fold.ended) && exchange.usage.status != UsageStatus::Invalid {
            exchange.usage.status = UsageStatus::Interrupted;
        }
        exchange
    }
}

impl State {
    fn take(&mut self, named: Option<Api>, found: &Found) {
        match found {
            Found::Item(item) => self.take_item(named, item),
            Found::Done => self.fold.ended = true,
            Found::Torn => self.is_torn = true,
        }
    }

    fn take_item(&mut self, named: Option<Api>, item: &Value) {
        let Some(shape) = named.or(self.api).or_else(|| detect(item)).map(Api::shape) else {
            if item.get("error").is_some() || ApiError::is_body(item) {
                self.error = ApiError::read(item).or(self.error.take());
            }
            return;
        };
        self.api = Some(shape.api);
        let fold = &mut self.fold;
        if fold.body.is_null() && !(shape.is_item)(item) && (shape.is_response)(item) {
            // The server answered with a whole response where a stream was asked for.
            let body = fold.room.copy_fields(item);
            *fold = Fold { body, content: true, ended: true, ..std::mem::take(fold) };
            return;
        }
        if let Some(error) = item.get("error").filter(|error| !error.is_null())
            && ApiError::read(item).is_some()
            && let Some(error) = fold.room.copy(error)
        {
            // An error in place of an answer: nothing was cut off.
            fold.ended = fold.body.is_null();
            *child(&mut fold.body, "error") = error;
        }
        (shape.fold)(item, fold);
    }
}

fn detect(item: &Value) -> Option<Api> {
    let by_item = SHAPES.iter().find(|shape| (shape.is_item)(item)).map(|shape| shape.api);
    by_item.or_else(|| api_of_response(item))
}

#[cfg(test)]
mod tests;
