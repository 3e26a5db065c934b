use std::borrow::Cow;

use serde_json::Value;

use super::{Api, ApiError};
use crate::{Attributes, Message, Part, Usage, Usd};

/// What is known of one call to an LLM API: its request, its response, or both laid over each other.
///
/// What a body does not state is `None` or empty.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Exchange {
    /// The API whose shape was read.
    pub api: Option<Api>,
    /// Who serves the API (`gen_ai.provider.name`), where the body itself proves it.
    pub provider: Option<Cow<'static, str>>,
    /// `chat` or `embeddings` (`gen_ai.operation.name`).
    pub operation: Option<&'static str>,
    /// The model that was asked for.
    pub request_model: Option<String>,
    /// What else was asked for, under the names of [`semconv`](crate::semconv).
    pub parameters: Attributes,
    /// Instructions given beside the messages.
    pub system: Vec<Part>,
    /// Messages sent.
    pub input: Vec<Message>,
    /// Tools offered to the model, in the shape of `gen_ai.tool.definitions`.
    pub tools: Option<Value>,
    /// The provider's id of the response.
    pub response_id: Option<String>,
    /// The model that answered.
    pub response_model: Option<String>,
    /// Messages received, one per choice.
    pub output: Vec<Message>,
    /// Why generation stopped, in the provider's own words, one per choice that says so.
    pub finish_reasons: Vec<String>,
    /// Token counts, in inclusive totals.
    pub usage: Usage,
    /// What the provider says that the call cost.
    pub stated_cost: Option<Usd>,
    /// The service tier that was served.
    pub service_tier: Option<String>,
    /// What else is known, under the names of [`semconv`](crate::semconv).
    pub attributes: Attributes,
    /// The error that the API answered with.
    pub error: Option<ApiError>,
}

impl Exchange {
    /// Lays `later` over this one: field by field the last that is known wins.
    ///
    /// ```
    /// use llmtrace::provider::{Api, read_request_as, read_response_as};
    /// use serde_json::json;
    ///
    /// let mut call = read_request_as(Api::OpenAiEmbeddings, &json!({"model": "m", "input": "hi"}));
    /// call.merge(read_response_as(Api::OpenAiEmbeddings, &json!({"model": "m-1", "data": []})));
    /// assert_eq!(call.request_model.as_deref(), Some("m"));
    /// assert_eq!(call.response_model.as_deref(), Some("m-1"));
    /// ```
    pub fn merge(&mut self, later: Self) {
        let Self { api, provider, operation, request_model, parameters, system, input, tools, .. } = later;
        replace(&mut self.api, api);
        replace(&mut self.provider, provider);
        replace(&mut self.operation, operation);
        replace(&mut self.request_model, request_model);
        overlay(&mut self.parameters, &parameters);
        replace_list(&mut self.system, system);
        replace_list(&mut self.input, input);
        replace(&mut self.tools, tools);
        replace(&mut self.response_id, later.response_id);
        replace(&mut self.response_model, later.response_model);
        replace_list(&mut self.output, later.output);
        replace_list(&mut self.finish_reasons, later.finish_reasons);
        if later.usage != Usage::default() {
            self.usage = later.usage;
        }
        replace(&mut self.stated_cost, later.stated_cost);
        replace(&mut self.service_tier, later.service_tier);
        overlay(&mut self.attributes, &later.attributes);
        replace(&mut self.error, later.error);
    }
}

fn replace<T>(slot: &mut Option<T>, later: Option<T>) {
    if later.is_some() {
        *slot = later;
    }
}

fn replace_list<T>(slot: &mut Vec<T>, later: Vec<T>) {
    if !later.is_empty() {
        *slot = later;
    }
}

fn overlay(attributes: &mut Attributes, later: &Attributes) {
    for (key, value) in later.iter() {
        attributes.set(key.to_owned(), value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UsageStatus;

    #[test]
    fn the_last_known_wins() {
        let mut call = Exchange {
            request_model: Some("a".into()),
            parameters: [("gen_ai.request.seed", 1)].into_iter().collect(),
            usage: Usage::new(3, 4),
            input: vec![Message::user("hi")],
            ..Exchange::default()
        };
        call.merge(Exchange::default());
        assert_eq!(call.usage, Usage::new(3, 4));
        assert_eq!(call.input.len(), 1);
        call.merge(Exchange {
            request_model: Some("b".into()),
            parameters: [("gen_ai.request.seed", 2)].into_iter().collect(),
            usage: Usage { status: UsageStatus::Interrupted, ..Usage::default() },
            ..Exchange::default()
        });
        assert_eq!(call.request_model.as_deref(), Some("b"));
        assert_eq!(call.parameters.get("gen_ai.request.seed").and_then(crate::Value::as_i64), Some(2));
        assert_eq!(call.usage.status, UsageStatus::Interrupted);
    }
}
