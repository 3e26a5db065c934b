//! Every text of a record.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::assigned::{self, BY_NAME};
use super::finding::marker;
use super::names::{self, Meaning};
use super::{Redactor, value};
use crate::{Attributes, Message, Part, Resource, Role, SpanRecord, Status, Value, semconv};

impl Redactor {
    /// Masks what is found in any text of a record, and says on it how much that was. Texts that are known when the
    /// program is compiled are its own words, and stay.
    pub(crate) fn redact_record(&self, record: &mut SpanRecord) {
        if self.is_idle() {
            return;
        }
        let mut pass = Pass { redactor: self, count: 0 };
        pass.cow(&mut record.name);
        pass.cow(&mut record.scope);
        if let Status::Error { message } = &mut record.status {
            pass.text(message);
        }
        pass.attributes(&mut record.attributes);
        for message in record.input.iter_mut().chain(&mut record.output) {
            pass.message(message);
        }
        for event in &mut record.events {
            pass.cow(&mut event.name);
            pass.attributes(&mut event.attributes);
        }
        for link in &mut record.links {
            pass.attributes(&mut link.attributes);
        }
        for score in &mut record.scores {
            pass.text(&mut score.name);
            pass.optional(&mut score.comment);
        }
        if pass.count > 0 {
            record.attributes.set(semconv::REDACTED, pass.count);
        }
    }

    /// Masks what is found in what is said of the process.
    pub(crate) fn redact_resource(&self, resource: &mut Resource) {
        if !self.is_idle() {
            Pass { redactor: self, count: 0 }.attributes(&mut resource.attributes);
        }
    }
}

/// One way through a record.
struct Pass<'r> {
    redactor: &'r Redactor,
    /// How much was masked.
    count: u64,
}

impl Pass<'_> {
    fn text(&mut self, text: &mut String) {
        if let Some((redacted, count)) = self.redactor.redact_counting(text) {
            *text = redacted;
            self.count += count;
        }
    }

    fn optional(&mut self, text: &mut Option<String>) {
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn cow(&mut self, text: &mut Cow<'static, str>) {
        if let Cow::Owned(text) = text {
            self.text(text);
        }
    }

    fn attributes(&mut self, attributes: &mut Attributes) {
        for (key, value) in attributes.iter_mut() {
            let has_text = !matches!(
                value,
                Value::Str(Cow::Borrowed(_)) | Value::Bool(_) | Value::Int(_) | Value::Float(_)
            );
            let meaning = if has_text { self.meaning(key) } else { None };
            self.cow(key);
            self.value(key, meaning, value);
        }
    }

    /// What a name means, where names matter.
    fn meaning(&self, name: &str) -> Option<Meaning> {
        if self.redactor.masks_secrets { names::meaning(name.as_bytes()) } else { None }
    }

    fn value(&mut self, name: &str, meaning: Option<Meaning>, value: &mut Value) {
        match value {
            Value::Str(Cow::Owned(text)) => self.named(name, meaning, text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(name, meaning, item)),
            Value::Json(json) => self.json(name, meaning, json),
            Value::Str(Cow::Borrowed(_)) | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
        }
    }

    /// A text that has a name.
    fn named(&mut self, name: &str, meaning: Option<Meaning>, text: &mut String) {
        let Some(meaning) = meaning else { return self.text(text) };
        let bytes = text.as_bytes();
        let range = match meaning {
            Meaning::Authorization => assigned::in_authorization(bytes).map(|range| (range, "auth-header")),
            _ if value::is_stand_in(bytes) => None,
            Meaning::Secret => Some(((0, bytes.len()), BY_NAME)),
            Meaning::Perhaps if assigned::is_perhaps_secret(name.as_bytes(), bytes) => {
                Some(((0, bytes.len()), BY_NAME))
            }
            Meaning::Perhaps | Meaning::Signature => None,
        };
        // A key of a known kind is named as what it is.
        if let Some(((start, end), rule)) = range
            && let (Some(before), Some(secret), Some(after)) =
                (text.get(..start), text.get(start..end), text.get(end..))
        {
            if self.redactor.allowed.iter().any(|pattern| pattern.is_match(secret)) {
                return;
            }
            let redacted = self.redactor.redact(secret);
            let is_marker = redacted != secret && redacted.starts_with('[') && redacted.ends_with(']');
            let mark = if is_marker { redacted.into_owned() } else { marker(rule) };
            *text = [before, &mark, after].concat();
            self.count += 1;
            return;
        }
        self.text(text);
    }

    fn json(&mut self, name: &str, meaning: Option<Meaning>, json: &mut Json) {
        match json {
            Json::String(text) => self.named(name, meaning, text),
            Json::Array(items) => items.iter_mut().for_each(|item| self.json(name, meaning, item)),
            Json::Object(members) => self.members(members),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    fn members(&mut self, members: &mut serde_json::Map<String, Json>) {
        // A header as a pair: `{"name": "Authorization", "value": "Bearer ..."}`.
        let told = ["name", "key", "header"].iter().find_map(|name| members.get(*name)?.as_str());
        let told = told.filter(|_| members.contains_key("value")).map(str::to_owned);
        let mut renamed = Vec::new();
        for (name, json) in members.iter_mut() {
            let name = told.as_ref().filter(|_| name == "value").unwrap_or(name);
            let meaning = self.meaning(name);
            self.json(name, meaning, json);
        }
        for name in members.keys() {
            if let Some((masked, count)) = self.redactor.redact_counting(name) {
                self.count += count;
                renamed.push((name.clone(), masked));
            }
        }
        for (name, masked) in renamed {
            if let Some(json) = members.remove(&name) {
                members.insert(masked, json);
            }
        }
    }

    fn message(&mut self, message: &mut Message) {
        if let Role::Other(role) = &mut message.role {
            self.text(role);
        }
        self.optional(&mut message.name);
        self.optional(&mut message.finish_reason);
        for part in &mut message.parts {
            self.part(part);
        }
    }

    fn part(&mut self, part: &mut Part) {
        match part {
            Part::Text { content } | Part::Reasoning { content } => self.text(content),
            Part::ToolCall { id, name, arguments } => {
                self.optional(id);
                self.text(name);
                self.json("", None, arguments);
            }
            Part::ToolCallResponse { id, response } => {
                self.optional(id);
                self.json("", None, response);
            }
            Part::File { file_id: text, .. } | Part::Uri { uri: text, .. } => self.text(text),
            Part::Other(json) => self.json("", None, json),
            // Bytes of a picture or a recording.
            Part::Blob { .. } => {}
        }
    }
}
