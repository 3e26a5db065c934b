//! Messages, in the JSON shape of the `OpenTelemetry` GenAI conventions.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::json_bytes;

/// One message of a conversation.
///
/// Serialised, it is an element of `gen_ai.input.messages` or `gen_ai.output.messages`.
///
/// ```
/// use llmtrace::Message;
///
/// let json = serde_json::to_string(&Message::user("Why is the sky blue?"))?;
/// assert_eq!(json, r#"{"role":"user","parts":[{"type":"text","content":"Why is the sky blue?"}]}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// The participant's name, where one is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why generation stopped: `stop`, `length`, `content_filter`, `tool_call`, `error` or the provider's own
    /// word. Only on messages that a model wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
}

/// Who speaks in a [`Message`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Instructions.
    System,
    /// The person, or the program in the person's place.
    User,
    /// The model.
    Assistant,
    /// A tool's answer.
    Tool,
    /// Any other word.
    Other(String),
}

/// One piece of a [`Message`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// Text.
    Text {
        /// The text.
        content: String,
    },
    /// The model's reasoning, as far as the provider shows it.
    Reasoning {
        /// The text.
        content: String,
    },
    /// The model asks for a tool.
    ToolCall {
        /// The id that the answer refers to.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The tool's name.
        name: String,
        /// The arguments: an object where they could be parsed, else the text as it came.
        arguments: serde_json::Value,
    },
    /// A tool's answer.
    ToolCallResponse {
        /// The id of the call that is answered.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// What the tool returned.
        response: serde_json::Value,
    },
    /// Media inside the message.
    Blob {
        /// For example `image/png`.
        #[serde(skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        /// `image`, `video`, `audio`, `document`.
        modality: String,
        /// Base64.
        content: String,
    },
    /// Media that the provider stores.
    File {
        /// For example `application/pdf`.
        #[serde(skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        /// `image`, `video`, `audio`, `document`.
        modality: String,
        /// The provider's id of the file.
        file_id: String,
    },
    /// Media at an address.
    Uri {
        /// For example `image/png`.
        #[serde(skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        /// `image`, `video`, `audio`, `document`.
        modality: String,
        /// The address.
        uri: String,
    },
    /// Any other part: an object with a `type`.
    #[serde(untagged)]
    Other(serde_json::Value),
}

/// Member of a `blob` that is left out: how many bytes it had.
pub(crate) const OMITTED_BYTES: &str = "llmtrace_omitted_bytes";

impl Message {
    /// A message of one speaker.
    pub fn new(role: Role, parts: Vec<Part>) -> Self {
        Self { role, parts, name: None, finish_reason: None }
    }

    /// Instructions, as text.
    pub fn system(text: impl Into<String>) -> Self {
        Self::new(Role::System, vec![Part::text(text)])
    }

    /// The person's text.
    pub fn user(text: impl Into<String>) -> Self {
        Self::new(Role::User, vec![Part::text(text)])
    }

    /// The model's text.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::new(Role::Assistant, vec![Part::text(text)])
    }

    /// A tool's answer to the call `id`.
    pub fn tool(id: impl Into<String>, response: impl Into<serde_json::Value>) -> Self {
        Self::new(Role::Tool, vec![Part::ToolCallResponse { id: Some(id.into()), response: response.into() }])
    }

    /// The same message with the reason for which generation stopped.
    pub fn with_finish_reason(mut self, reason: impl Into<String>) -> Self {
        self.finish_reason = Some(reason.into());
        self
    }

    /// Roughly how much memory the message takes, in bytes.
    pub(crate) fn estimated_bytes(&self) -> usize {
        size_of::<Self>() + self.parts.iter().map(Part::estimated_bytes).sum::<usize>()
    }

    /// The texts of the message, joined; reasoning and tool calls left out.
    pub fn text(&self) -> String {
        let texts = self.parts.iter().filter_map(|part| match part {
            Part::Text { content } => Some(content.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("")
    }
}

impl Part {
    /// A text part.
    pub fn text(content: impl Into<String>) -> Self {
        Self::Text { content: content.into() }
    }

    /// A reasoning part.
    pub fn reasoning(content: impl Into<String>) -> Self {
        Self::Reasoning { content: content.into() }
    }

    /// Media inside the message that is too long to be kept: a `blob` without content that says how many bytes it had.
    ///
    /// Half of a picture is none, so media is kept whole or left out, never cut.
    ///
    /// ```
    /// use llmtrace::Part;
    ///
    /// let part = Part::omitted_blob(Some("image/png"), "image", 5_000_000);
    /// let json = serde_json::to_value(&part)?;
    /// assert_eq!(json["type"], "blob");
    /// assert_eq!(json["llmtrace_omitted_bytes"], 5_000_000);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn omitted_blob(mime_type: Option<&str>, modality: &str, bytes: u64) -> Self {
        let mut blob = serde_json::json!({
            "type": "blob", "modality": modality, "content": "", OMITTED_BYTES: bytes,
        });
        if let (Some(blob), Some(mime_type)) = (blob.as_object_mut(), mime_type) {
            blob.insert("mime_type".to_owned(), mime_type.into());
        }
        Self::Other(blob)
    }

    fn estimated_bytes(&self) -> usize {
        let more = match self {
            Self::Text { content } | Self::Reasoning { content } | Self::Blob { content, .. } => {
                content.len()
            }
            Self::ToolCall { arguments, .. } => json_bytes(arguments),
            Self::ToolCallResponse { response, .. } => json_bytes(response),
            Self::File { file_id, .. } => file_id.len(),
            Self::Uri { uri, .. } => uri.len(),
            Self::Other(json) => json_bytes(json),
        };
        size_of::<Self>() + more
    }

    /// A tool call whose arguments came as text: an object where they parse, else the text itself.
    pub fn tool_call(id: Option<String>, name: impl Into<String>, arguments: &str) -> Self {
        let arguments = match serde_json::from_str::<serde_json::Value>(arguments) {
            Ok(parsed) if parsed.is_object() => parsed,
            _ if arguments.trim().is_empty() => serde_json::Value::Object(serde_json::Map::new()),
            _ => serde_json::Value::String(arguments.to_owned()),
        };
        Self::ToolCall { id, name: name.into(), arguments }
    }
}

impl Role {
    /// The word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
            Self::Other(word) => word,
        }
    }
}

impl From<&str> for Role {
    fn from(word: &str) -> Self {
        match word {
            "system" | "developer" => Self::System,
            "user" | "human" => Self::User,
            "assistant" | "model" | "ai" => Self::Assistant,
            "tool" | "function" => Self::Tool,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Word(|word| Self::from(word)))
    }
}

/// Reads a word without a copy of it.
struct Word<T>(fn(&str) -> T);

impl<T> Visitor<'_> for Word<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, word: &str) -> Result<T, E> {
        Ok(self.0(word))
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Part {
    /// Any object: one that does not have what its `type` asks for is [`Part::Other`], whole.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PartVisitor)
    }
}

/// Reads the two commonest parts without an intermediate value.
struct PartVisitor;

impl<'de> Visitor<'de> for PartVisitor {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a `type`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Part, A::Error> {
        let mut members = serde_json::Map::new();
        let (mut kind, mut content) = (None::<Name>, None::<String>);
        while let Some(key) = map.next_key::<Name>()? {
            match key {
                Name::Type => kind = Some(map.next_value()?),
                Name::Content => match map.next_value()? {
                    serde_json::Value::String(text) => content = Some(text),
                    other => drop(members.insert("content".to_owned(), other)),
                },
                key => drop(members.insert(key.as_str().to_owned(), map.next_value()?)),
            }
        }
        match (kind, content) {
            (Some(Name::Text), Some(content)) if members.is_empty() => Ok(Part::Text { content }),
            (Some(Name::Reasoning), Some(content)) if members.is_empty() => Ok(Part::Reasoning { content }),
            (kind, content) => {
                members.extend(content.map(|content| ("content".to_owned(), content.into())));
                Ok(Part::from_members(kind.map(|kind| kind.as_str().to_owned()), members))
            }
        }
    }
}

/// A key or a type of a part; the commonest ones are not copied.
enum Name {
    Type,
    Content,
    Text,
    Reasoning,
    Other(String),
}

impl Name {
    fn as_str(&self) -> &str {
        match self {
            Self::Type => "type",
            Self::Content => "content",
            Self::Text => "text",
            Self::Reasoning => "reasoning",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for Name {
    fn from(word: &str) -> Self {
        match word {
            "type" => Self::Type,
            "content" => Self::Content,
            "text" => Self::Text,
            "reasoning" => Self::Reasoning,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Word(|word| Self::from(word)))
    }
}

impl Part {
    fn from_members(kind: Option<String>, mut members: serde_json::Map<String, serde_json::Value>) -> Self {
        let text = |key: &str| members.get(key).and_then(|value| value.as_str()).map(str::to_owned);
        let (id, mime_type) = (text("id"), text("mime_type"));
        let (name, modality, content) = (text("name"), text("modality"), text("content"));
        let known = match kind.as_deref() {
            Some("text") => content.map(|content| Self::Text { content }),
            Some("reasoning") => content.map(|content| Self::Reasoning { content }),
            Some("tool_call") => {
                let arguments = members.get("arguments").cloned().unwrap_or_default();
                name.map(|name| Self::ToolCall { id, name, arguments })
            }
            Some("tool_call_response") => {
                members.get("response").cloned().map(|response| Self::ToolCallResponse { id, response })
            }
            Some("blob") if !members.contains_key(OMITTED_BYTES) => {
                modality.zip(content).map(|(modality, content)| Self::Blob { mime_type, modality, content })
            }
            Some("file") => modality.zip(text("file_id")).map(|(modality, file_id)| Self::File {
                mime_type,
                modality,
                file_id,
            }),
            Some("uri") => {
                modality.zip(text("uri")).map(|(modality, uri)| Self::Uri { mime_type, modality, uri })
            }
            _ => None,
        };
        known.unwrap_or_else(|| {
            members.extend(kind.map(|kind| ("type".to_owned(), kind.into())));
            Self::Other(serde_json::Value::Object(members))
        })
    }
}

#[cfg(test)]
mod tests;
