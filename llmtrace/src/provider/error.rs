use std::fmt;

use serde_json::Value;

use super::json::{has_any, list, text};

/// The error that an API answered with.
///
/// ```
/// use llmtrace::provider::read_response;
///
/// let body = serde_json::json!({"error": {"type": "rate_limit_error", "message": "slow down"}});
/// let error = read_response(&body).and_then(|exchange| exchange.error).ok_or("no error")?;
/// assert_eq!(error.to_string(), "rate_limit_error: slow down");
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// The kind of error, such as `invalid_request_error`.
    pub kind: Option<String>,
    /// The provider's code, such as `model_not_found` or `429`.
    pub code: Option<String>,
    /// What went wrong, in the provider's words.
    pub message: String,
}

/// The kind of error, or else the code, and what went wrong.
impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kind) = self.kind.as_ref().or(self.code.as_ref()) {
            write!(f, "{kind}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}

/// Fields of answers: a body that has one of them is none of the errors that have no `error` field.
const ANSWER_FIELDS: [&str; 15] = [
    "choices",
    "output",
    "outputs",
    "content",
    "data",
    "candidates",
    "embeddings",
    "results",
    "result",
    "response",
    "text",
    "usage",
    "usageMetadata",
    "generation",
    "done",
];

/// All fields that a body may have whose error is no more than a text.
const ERROR_FIELDS: [&str; 8] =
    ["error", "error_type", "code", "type", "status", "request_id", "estimated_time", "warnings"];

/// Where an error's kind stands; the first that is a text counts. `error_type`: text-generation-inference; `status`:
/// Google; `__type`: AWS.
const KINDS: [&str; 4] = ["type", "__type", "error_type", "status"];

/// Where an error's words stand; the first that says something counts. `Message`: AWS; `detail` and `msg`: `FastAPI`;
/// `error`: xAI, beside its `code`.
const MESSAGES: [&str; 5] = ["message", "Message", "detail", "msg", "error"];

/// Where an error's code stands.
const CODES: [&str; 5] = ["code", "statusCode", "status_code", "http_status_code", "ErrorCode"];

/// Deepest level at which an error's words are looked for.
const MAX_DEPTH: usize = 4;

impl ApiError {
    /// The error that a body is or holds, in whatever form; an error that says nothing is none, and neither is a body
    /// that answers.
    pub(super) fn read(body: &Value) -> Option<Self> {
        match body {
            // Google answers lists to calls that asked for a stream without server-sent events.
            Value::Array(items) => items.iter().find_map(|item| Self::of_field(item.get("error")?)),
            Value::Object(_) => {
                let of_error = || {
                    let error = body.get("error").filter(|error| !error.is_null())?;
                    let mut read = Self::of_field(error)?;
                    read.kind = read.kind.or_else(|| text(body, "error_type").map(str::to_owned));
                    read.code = read.code.or_else(|| text(body, "code").map(str::to_owned));
                    Some(read)
                };
                of_error().or_else(|| Self::of_answerless(body))
            }
            _ => None,
        }
    }

    /// Whether a body of unknown origin is an API's error beyond doubt.
    pub(super) fn is_body(body: &Value) -> bool {
        let error = match body {
            Value::Array(items) => return matches!(items.as_slice(), [item] if Self::is_body(item)),
            body => body.get("error").unwrap_or(&Value::Null),
        };
        let is_object = text(error, "message").is_some()
            && ["type", "code", "param", "status", "http_status_code"]
                .iter()
                .any(|key| error.get(key).is_some());
        // Text-generation-inference; Mistral and vLLM; AWS; FastAPI; Cloudflare.
        let is_typed_text = error.is_string() && text(body, "error_type").is_some();
        let is_named = text(body, "object") == Some("error") && has_any(body, &["message", "detail"]);
        let is_aws = text(body, "__type").is_some() && has_any(body, &["message", "Message"]);
        let is_list = |key, fields: [&str; 2]| {
            let entries = list(body, key);
            !entries.is_empty()
                && entries.iter().all(|entry| fields.iter().all(|field| entry.get(field).is_some()))
        };
        let is_refused = body.get("success").and_then(Value::as_bool) == Some(false)
            && is_list("errors", ["code", "message"]);
        is_object
            || !has_any(body, &ANSWER_FIELDS)
                && (is_typed_text || is_named || is_aws || is_list("detail", ["loc", "msg"]))
            || is_refused
    }

    /// Whether a body that should answer a call is nothing but an error's text, as Ollama and `HuggingFace` send it.
    pub(super) fn is_bare(body: &Value) -> bool {
        let is_known = |key: &String| ERROR_FIELDS.contains(&key.as_str());
        body.get("error").is_some_and(|error| !error.is_null())
            && body.as_object().is_some_and(|fields| fields.keys().all(is_known))
    }

    /// The error in an `error` field: a text, an object, or a list of either.
    fn of_field(error: &Value) -> Option<Self> {
        let read = Self {
            kind: kind(error),
            code: code(error),
            message: words(error, MAX_DEPTH).unwrap_or_default(),
        };
        (read != Self::default()).then_some(read)
    }

    /// The error that a body without an `error` field is, if it has nothing that an answer would have.
    fn of_answerless(body: &Value) -> Option<Self> {
        if let Some(first) = list(body, "errors").first()
            && !has_any(body, &["choices", "output", "candidates"])
        {
            return Self::of_field(first);
        }
        let message = MESSAGES.iter().find_map(|key| words(body.get(key)?, MAX_DEPTH));
        if has_any(body, &ANSWER_FIELDS) {
            return None;
        }
        Some(Self { kind: kind(body).filter(|kind| kind != "error"), code: code(body), message: message? })
    }
}

fn kind(error: &Value) -> Option<String> {
    let kind = KINDS.iter().find_map(|key| text(error, key)).filter(|kind| *kind != "error")?;
    // AWS names the service before its kind: `com.amazon.coral.service#ThrottlingException`.
    Some(kind.rsplit_once('#').map_or(kind, |(_, kind)| kind).to_owned())
}

fn code(error: &Value) -> Option<String> {
    CODES.iter().find_map(|key| match error.get(key)? {
        Value::String(code) if !code.is_empty() => Some(code.clone()),
        Value::Number(code) => Some(code.to_string()),
        _ => None,
    })
}

/// The words of an error: the text itself, that of the first field that has any, or those of a list.
fn words(error: &Value, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    match error {
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        Value::Array(items) => {
            let all: Vec<String> = items.iter().filter_map(|item| words(item, depth)).collect();
            (!all.is_empty()).then(|| all.join("; "))
        }
        Value::Object(_) => MESSAGES.iter().find_map(|key| words(error.get(key)?, depth)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_are_read_from_any_form() {
        let check = |body: Value, kind: Option<&str>, code: Option<&str>, message: &str| {
            let error = ApiError::read(&body).unwrap_or_else(|| panic!("no error: {body}"));
            let read = (error.kind.as_deref(), error.code.as_deref(), &*error.message);
            assert_eq!(read, (kind, code, message), "{body}");
        };
        // OpenAI, OpenRouter, Groq.
        check(
            json!({"error": {"message": "x", "type": "y", "param": null, "code": "z"}}),
            Some("y"),
            Some("z"),
            "x",
        );
        check(
            json!({"error": {"message": "x", "code": 402, "metadata": {}}, "user_id": "u"}),
            None,
            Some("402"),
            "x",
        );
        check(json!({"error": {"code": 500}}), None, Some("500"), "");
        // Anthropic.
        check(
            json!({"type": "error", "error": {"type": "overloaded_error", "message": "x"}, "request_id": "r"}),
            Some("overloaded_error"),
            None,
            "x",
        );
        // Google, alone and in a list.
        let google = json!({"error": {"code": 429, "message": "x", "status": "RESOURCE_EXHAUSTED"}});
        check(google.clone(), Some("RESOURCE_EXHAUSTED"), Some("429"), "x");
        check(json!([google]), Some("RESOURCE_EXHAUSTED"), Some("429"), "x");
        // Ollama, HuggingFace, text-generation-inference, xAI.
        check(json!({"error": "model not found"}), None, None, "model not found");
        check(json!({"error": ["a", "b"]}), None, None, "a; b");
        check(json!({"error": "x", "error_type": "validation"}), Some("validation"), None, "x");
        check(json!({"error": {"message": "x", "http_status_code": 503}}), None, Some("503"), "x");
        check(json!({"code": "invalid", "error": "x"}), None, Some("invalid"), "x");
        // OpenAI Responses: the status is the response's.
        check(json!({"status": "failed", "error": {"code": "c", "message": "x"}}), None, Some("c"), "x");
        // AWS, Cohere, Azure's gateway.
        check(
            json!({"message": "x", "__type": "com.amazon.coral.service#ThrottlingException"}),
            Some("ThrottlingException"),
            None,
            "x",
        );
        check(json!({"Message": "x"}), None, None, "x");
        check(json!({"id": "i", "message": "invalid api token"}), None, None, "invalid api token");
        check(json!({"statusCode": 401, "message": "x"}), None, Some("401"), "x");
        // Mistral, vLLM, FastAPI.
        check(
            json!({"object": "error", "message": "x", "type": "BadRequestError", "param": null, "code": 400}),
            Some("BadRequestError"),
            Some("400"),
            "x",
        );
        check(json!({"detail": "Unauthorized"}), None, None, "Unauthorized");
        let entry = json!({"loc": ["body", "n"], "msg": "too large", "type": "less_than"});
        check(json!({"detail": [entry, {"msg": "and wrong"}]}), None, None, "too large; and wrong");
        check(
            json!({"object": "error", "message": {"detail": [entry]}, "type": "invalid_request_error"}),
            Some("invalid_request_error"),
            None,
            "too large",
        );
        // Cloudflare, watsonx.
        check(
            json!({"result": null, "success": false, "errors": [{"code": 5007, "message": "x"}]}),
            None,
            Some("5007"),
            "x",
        );
        check(
            json!({"errors": [{"code": "c", "message": "x"}], "trace": "t", "status_code": 404}),
            None,
            Some("c"),
            "x",
        );
    }

    #[test]
    fn an_answer_is_no_error() {
        let check = |body: Value| {
            assert_eq!(ApiError::read(&body), None, "{body}");
            assert!(!ApiError::is_body(&body), "{body}");
        };
        check(json!({"error": {}}));
        check(json!({"error": null}));
        check(json!({"error": ""}));
        check(json!({"error": []}));
        check(json!({"id": "c", "choices": [], "message": "ok"}));
        check(
            json!({"id": "c", "message": {"role": "assistant", "content": [{"type": "text", "text": "a"}]}}),
        );
        check(json!({"model": "m", "message": {"role": "assistant", "content": "a"}, "done": true}));
        check(json!({"type": "message", "content": [{"type": "text", "text": "no error"}], "usage": {}}));
        check(json!({"errors": [], "result": {"response": "a"}, "success": true}));
        check(json!({"errors": [{"message": "one of many"}], "output": []}));
        check(json!({"text": "a", "detail": "b"}));
        check(json!({"status": "completed", "error": null}));
        check(json!([{"candidates": []}]));
        check(json!([]));
        check(json!("error"));
    }

    #[test]
    fn bodies_of_unknown_origin_must_prove_it() {
        let check = |body: Value, is_body: bool| assert_eq!(ApiError::is_body(&body), is_body, "{body}");
        check(json!({"error": {"message": "x", "type": null}}), true);
        check(json!({"error": {"message": "x"}}), false);
        check(json!({"error": "x"}), false);
        check(json!({"error": "x", "error_type": "overloaded"}), true);
        check(json!({"message": "x"}), false);
        check(json!({"message": "x", "__type": "ThrottlingException"}), true);
        check(json!({"object": "error", "message": "x"}), true);
        check(json!({"detail": "Not Found"}), false);
        check(json!({"detail": [{"loc": [], "msg": "x"}]}), true);
        check(json!([{"error": {"code": 400, "message": "x", "status": "INVALID_ARGUMENT"}}]), true);
        check(json!({"success": false, "errors": [{"code": 1, "message": "x"}]}), true);
        check(json!({"errors": [{"code": 1, "message": "x"}]}), false);
    }

    #[test]
    fn nesting_is_followed_so_far() {
        let mut body = json!("deep");
        for _ in 0..100 {
            body = json!({ "error": [body] });
        }
        assert_eq!(ApiError::read(&body), None);
    }
}
