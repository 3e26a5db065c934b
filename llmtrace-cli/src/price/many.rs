//! Many responses, one JSON object a line.

use std::io::{self, BufReader, Write as _};
use std::path::Path;

use llmtrace::provider::{Exchange, ParseApiError};
use llmtrace::{PriceSource, Timestamp};
use llmtrace_exporters::{Line, Lines, MAX_LINE_BYTES};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::answer::Answer;
use super::call::{Asked, Context};
use super::one;
use crate::arguments::time;
use crate::failure::{Failure, shown};
use crate::terminal;

/// One line, before its values are looked at: a wrong one does not hide the id.
#[derive(Deserialize)]
struct Asking<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    api: Option<&'a RawValue>,
    #[serde(borrow)]
    provider: Option<&'a RawValue>,
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(borrow)]
    at: Option<&'a RawValue>,
    #[serde(borrow)]
    context: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow)]
    stream: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct AskedContext {
    service_tier: Option<String>,
    speed: Option<String>,
    processing: Option<String>,
    inference_geo: Option<String>,
}

#[derive(Serialize)]
struct Answered<'a> {
    id: Option<&'a RawValue>,
    #[serde(flatten)]
    answer: Answer<'a>,
}

#[derive(Serialize)]
struct Refused<'a> {
    id: Option<&'a RawValue>,
    error: String,
}

/// Answers every line, in order.
pub(super) fn run(file: &Path, defaults: &Asked, prices: &impl PriceSource) -> Result<(), Failure> {
    let mut lines = Lines::new(BufReader::new(one::open(file)?));
    let mut out = io::stdout().lock();
    let (mut answered, mut refused, mut last_reason) = (0_u64, 0_u64, String::new());
    let mut take = |line: &Line<'_>| -> Result<(), Failure> {
        let (mut text, reason) = answer(line, defaults, prices);
        match reason {
            None => answered += 1,
            Some(reason) => {
                refused += 1;
                last_reason = reason;
            }
        }
        text.push('\n');
        Ok(out.write_all(text.as_bytes())?)
    };
    while let Some(line) = lines.next().map_err(|error| Failure::unreadable(file, &error))? {
        take(&line)?;
    }
    if let Some(line) = lines.rest() {
        take(&line)?;
    }
    out.flush()?;
    match (answered, refused) {
        (0, 0) => Err(Failure::Nothing(format!("{} holds no lines", shown(file)))),
        (0, _) => Err(Failure::Wrong(format!("no line of {} can be read: {last_reason}", shown(file)))),
        (_, 0) => Ok(()),
        (_, _) => {
            terminal::note(&format!(
                "{refused} of {} lines cannot be read (the last: {last_reason})",
                answered + refused
            ));
            Ok(())
        }
    }
}

/// What is printed for a line; and why, if it cannot be read.
fn answer(line: &Line<'_>, defaults: &Asked, prices: &impl PriceSource) -> (String, Option<String>) {
    let refuse = |id: Option<&RawValue>, reason: String| {
        let text = serde_json::to_string(&Refused { id, error: reason.clone() });
        (text.unwrap_or_default(), Some(reason))
    };
    let bytes = match line {
        Line::Whole { bytes, .. } => *bytes,
        Line::TooLong => return refuse(None, format!("longer than {} MiB", MAX_LINE_BYTES >> 20)),
    };
    // A list would be taken for the values of the keys.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        let found = String::from_utf8_lossy(bytes);
        return refuse(
            None,
            format!("not a JSON object: found {}", found.trim().chars().take(40).collect::<String>()),
        );
    }
    let asking: Asking<'_> = match serde_json::from_slice(bytes) {
        Ok(asking) => asking,
        Err(error) => return refuse(None, format!("not a JSON object: {error}")),
    };
    match read(&asking, defaults) {
        Ok((exchange, at)) => {
            let answer = Answer::new(&exchange, at, prices);
            match serde_json::to_string(&Answered { id: asking.id, answer }) {
                Ok(text) => (text, None),
                Err(error) => refuse(asking.id, error.to_string()),
            }
        }
        Err(reason) => refuse(asking.id, reason),
    }
}

/// What a line's response says, and when the call started.
fn read(asking: &Asking<'_>, defaults: &Asked) -> Result<(Exchange, Timestamp), String> {
    let asked = asked(asking)?.or(defaults);
    let read = match (asking.response, asking.stream) {
        (Some(response), None) => {
            let body: Value = value(response, "response", "a JSON body")?;
            if body.is_string() {
                return Err("\"response\": expected a JSON body, found text; raw text goes under \"stream\""
                    .to_owned());
            }
            asked.read(&body)
        }
        (None, Some(stream)) => {
            let text: String = value(stream, "stream", "the raw text of a stream")?;
            let mut stream = asked.assembler();
            stream.push(text);
            asked.finish(stream)
        }
        (None, None) => return Err("expected \"response\" or \"stream\", found neither".to_owned()),
        (Some(_), Some(_)) => return Err("expected \"response\" or \"stream\", found both".to_owned()),
    };
    let mut exchange = read.unwrap_or_default();
    asked.complete(&mut exchange);
    Ok((exchange, asked.at.unwrap_or_else(Timestamp::now)))
}

fn asked(asking: &Asking<'_>) -> Result<Asked, String> {
    let text = |raw: Option<&RawValue>, key: &str| -> Result<Option<String>, String> {
        let text = raw.map(|raw| value::<String>(raw, key, "text")).transpose()?;
        Ok(text.filter(|text| !text.trim().is_empty()))
    };
    let named = |key: &'static str| move |reason: String| format!("{key:?}: {reason}");
    let context = asking.context.map(|raw| {
        let expected = "an object with service_tier, speed, processing and inference_geo, each a text";
        value::<AskedContext>(raw, "context", expected)
    });
    let api = text(asking.api, "api")?.map(|api| api.parse());
    let context = context.transpose()?.map(|context| Context {
        service_tier: context.service_tier,
        speed: context.speed,
        processing: context.processing,
        inference_geo: context.inference_geo,
    });
    Ok(Asked {
        api: api.transpose().map_err(|error: ParseApiError| error.to_string())?,
        provider: text(asking.provider, "provider")?,
        model: text(asking.model, "model")?,
        at: text(asking.at, "at")?.map(|at| time(&at)).transpose().map_err(named("at"))?,
        context: context.unwrap_or_default(),
    })
}

/// Reads the value of a key.
fn value<T: for<'de> Deserialize<'de>>(raw: &RawValue, key: &str, expected: &str) -> Result<T, String> {
    serde_json::from_str(raw.get()).map_err(|_| {
        let found: String = raw.get().chars().take(40).collect();
        format!("{key:?}: expected {expected}, found {found}")
    })
}
