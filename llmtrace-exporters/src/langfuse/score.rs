//! Scores as Langfuse's REST API takes them: `POST /api/public/scores`, which replaces the score of the same id
//! (<https://api.reference.langfuse.com>, "Create a score"). It does not ask whether the trace is there yet.

use std::sync::Arc;

use aws_lc_rs::digest;
use llmtrace::{Score, SpanRecord};
use serde_json::json;

use crate::http::endpoint::Endpoint;
use crate::http::service::Companion;
use crate::otlp::profile::langfuse::environment;

/// One request for each score of the spans; of several with one name on a span, for the last.
pub(super) fn requests(spans: &[SpanRecord], endpoint: &Arc<Endpoint>) -> Vec<Companion> {
    let mut requests: Vec<Companion> = Vec::new();
    for span in spans {
        let first = requests.len();
        for score in &span.scores {
            let request = request(span, score, endpoint);
            let earlier = requests.iter().skip(first).position(|earlier| earlier.id == request.id);
            if let Some(earlier) = earlier {
                requests.remove(first + earlier);
            }
            requests.push(request);
        }
    }
    requests
}

fn request(span: &SpanRecord, score: &Score, endpoint: &Arc<Endpoint>) -> Companion {
    let id = id(span, score);
    let body = if score.value.is_finite() {
        Ok(body(span, score, id))
    } else {
        Err(format!("the score {:?} is {}, and Langfuse takes only finite numbers", score.name, score.value))
    };
    Companion { id, endpoint: Arc::clone(endpoint), body }
}

fn body(span: &SpanRecord, score: &Score, id: [u8; 16]) -> Vec<u8> {
    let mut request = json!({
        "id": format!("{:032x}", u128::from_be_bytes(id)),
        "traceId": span.trace_id.to_string(),
        "observationId": span.span_id.to_string(),
        "name": score.name,
        "value": score.value,
        "dataType": "NUMERIC",
    });
    if let Some(comment) = &score.comment {
        request["comment"] = comment.as_str().into();
    }
    if let Some(environment) = environment(&span.resource) {
        request["environment"] = environment.into();
    }
    request.to_string().into_bytes()
}

/// The start of the SHA-256 of trace, span and name.
fn id(span: &SpanRecord, score: &Score) -> [u8; 16] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&span.trace_id.to_bytes());
    context.update(&span.span_id.to_bytes());
    context.update(score.name.as_bytes());
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    id
}
