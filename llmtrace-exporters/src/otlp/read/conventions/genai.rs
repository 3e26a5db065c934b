//! The `OpenTelemetry` GenAI conventions, as they are and as they were (<https://opentelemetry.io/docs/specs/semconv/gen-ai/>).

use llmtrace::{Message, ObservationKind, Role, Score, Status, Value, semconv};

use super::draft::{As, Draft, number};
use super::traceloop::finish_word;
use super::{messages, provider};

/// Attributes that are JSON, which came as text.
const JSON: [&str; 8] = [
    semconv::SYSTEM_INSTRUCTIONS,
    semconv::TOOL_DEFINITIONS,
    semconv::TOOL_CALL_ARGUMENTS,
    semconv::TOOL_CALL_RESULT,
    semconv::RETRIEVAL_DOCUMENTS,
    semconv::ARGUMENTS,
    semconv::USAGE_ESTIMATED,
    semconv::USAGE_OTHER_MODELS,
];

/// Lists of texts.
const TEXTS: [&str; 4] = [
    semconv::RESPONSE_FINISH_REASONS,
    semconv::REQUEST_STOP_SEQUENCES,
    semconv::REQUEST_ENCODING_FORMATS,
    semconv::TAGS,
];

/// Reads the convention.
pub(super) fn read(draft: &mut Draft<'_>) {
    for (theirs, ours) in semconv::ALIASES {
        draft.rename(&[(theirs, ours, As::Any)]);
    }
    kind(draft);
    if draft.known_text(semconv::STATUS) == Some(Status::Cancelled.as_str())
        && draft.record.status == Status::Unset
    {
        draft.received.take(semconv::STATUS);
        draft.record.status = Status::Cancelled;
    }
    for key in JSON {
        reform(draft, key, As::Json);
    }
    for key in TEXTS {
        reform(draft, key, As::Texts);
    }
    let counts: Vec<String> = draft
        .received
        .below("gen_ai.usage.")
        .filter(|(rest, value)| rest.ends_with("_tokens") && !matches!(value, Value::Int(_)))
        .map(|(rest, _)| format!("gen_ai.usage.{rest}"))
        .collect();
    for key in counts {
        reform(draft, &key, As::Count);
    }
    said(draft, semconv::INPUT_MESSAGES, Role::User);
    said(draft, semconv::OUTPUT_MESSAGES, Role::Assistant);
    judgements(draft);
}

fn kind(draft: &mut Draft<'_>) {
    if let Some(kind) = draft.received.text(semconv::KIND).and_then(|kind| kind.parse().ok()) {
        draft.received.take(semconv::KIND);
        draft.offer_kind(kind);
    }
    let operation = draft.known_text(semconv::OPERATION_NAME);
    if let Some(kind) = operation.and_then(ObservationKind::from_operation_name) {
        draft.offer_kind(kind);
    }
}

/// Gives messages that came out the reasons to stop that stand beside them.
pub(super) fn reasons(draft: &mut Draft<'_>) {
    let Some(Value::Array(reasons)) = draft.known(semconv::RESPONSE_FINISH_REASONS) else { return };
    let reasons: Vec<Option<String>> =
        reasons.iter().map(|reason| reason.as_str().map(|reason| finish_word(reason).to_owned())).collect();
    if reasons.len() == draft.record.output.len() {
        for (message, reason) in draft.record.output.iter_mut().zip(reasons) {
            message.finish_reason = message.finish_reason.take().or(reason);
        }
    }
}

/// Gives a provider the conventions' name.
pub(super) fn name_provider(draft: &mut Draft<'_>) {
    let stated = draft.known_text(semconv::PROVIDER_NAME).unwrap_or_default();
    let name = provider::named(stated);
    if name != stated {
        draft.correct(semconv::PROVIDER_NAME, name);
    }
}

/// Gives an attribute that came under our name its form.
fn reform(draft: &mut Draft<'_>, key: &str, form: As) {
    let Some(value) = draft.received.take(key) else { return };
    let read = draft.read_as(&value, form).unwrap_or(value);
    draft.received.put(key, read);
}

/// Reads messages that stand in one attribute.
fn said(draft: &mut Draft<'_>, key: &'static str, role: Role) {
    let (value, was_added) = match draft.received.take(key) {
        Some(value) => (value, false),
        None => match draft.added.remove(key) {
            Some(value) => (value, true),
            None => return,
        },
    };
    let is_input = role == Role::User;
    let is_said = messages::of_value(&value, role, draft.room).is_some_and(|messages: Vec<Message>| {
        if is_input { draft.offer_input(messages) } else { draft.offer_output(messages) }
    });
    match (is_said, was_added) {
        (true, _) => {}
        (false, true) => draft.added.set(key, value),
        (false, false) => draft.received.put(key, value),
    }
}

/// Judgements stand in events.
fn judgements(draft: &mut Draft<'_>) {
    let scores = &mut draft.record.scores;
    draft.record.events.retain(|event| {
        let score = (event.name == semconv::EVALUATION_RESULT_EVENT).then(|| score(event)).flatten();
        let is_kept = score.is_none();
        scores.extend(score);
        is_kept
    });
}

/// The judgement of an event that says nothing more.
fn score(event: &llmtrace::Event) -> Option<Score> {
    const SAID: [&str; 4] = [
        semconv::EVALUATION_NAME,
        semconv::EVALUATION_SCORE_VALUE,
        semconv::EVALUATION_EXPLANATION,
        semconv::RESPONSE_ID,
    ];
    let value = match event.attributes.get(semconv::EVALUATION_SCORE_VALUE)? {
        // A float that is not finite is written as a text.
        Value::Str(text) => text.parse().ok()?,
        value => number(value)?,
    };
    let text = |key| event.attributes.get_str(key).map(str::to_owned);
    let mut score = Score::new(text(semconv::EVALUATION_NAME)?, value);
    score.comment = text(semconv::EVALUATION_EXPLANATION);
    event.attributes.iter().all(|(key, _)| SAID.contains(&key)).then_some(score)
}
