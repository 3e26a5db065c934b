//! What goes over the network, as a middleware sees it.

use super::Recorder;
use crate::AttributeValue;
use crate::bounded::with_buffer;
use crate::keys;
use crate::log::{Body, Entry, Key};
use crate::prune::{self, LinePruner};

impl Recorder<'_> {
    /// A request goes over the network; its body, where it can be read.
    pub(crate) fn sent(&mut self, body: Option<&[u8]>) {
        let Some(bytes) = body else { return self.push(Entry::Sent(None)) };
        if bytes.len() > self.settings.max_body_bytes() {
            self.push(Entry::Sent(None));
            self.push(Entry::Truncated);
        } else if self.keeps_content() {
            self.push(Entry::Sent(Some(Body::Json(bytes))));
        } else {
            with_buffer(|buffer| {
                let body = prune::prune_json(bytes, buffer).then_some(Body::Json(buffer));
                self.push(Entry::Sent(body));
            });
        }
    }

    /// Bytes of the answer as they came; `pruner` is where they stand in it.
    pub(crate) fn received(&mut self, bytes: &[u8], pruner: &mut LinePruner) {
        let now = self.now();
        if !self.keeps_content() {
            // Whatever its length, so that the next piece is read from where this one ends.
            self.push(Entry::Received(now, Body::Json(pruner.push(bytes))));
        } else if bytes.len() > self.settings.max_body_bytes() {
            self.push(Entry::Truncated);
        } else {
            self.push(Entry::Received(now, Body::Json(bytes)));
        }
    }

    /// The call over the network failed: type and message.
    pub(crate) fn failed(&mut self, kind: &str, message: &str) {
        let (now, message) = (self.now(), self.cut(message));
        self.push(Entry::Failed(now, kind, message));
    }

    /// An attribute that yields to whatever else is said under its key.
    pub(crate) fn known<'v>(&mut self, key: &str, value: impl Into<AttributeValue<'v>>) {
        if self.keeps_content() || !keys::is_content(key) {
            self.with_scalar(&value.into(), |log, scalar| {
                log.push(Entry::Default(Key::Name(key), scalar));
            });
        }
    }

    /// Names the span.
    pub(crate) fn name(&mut self, name: &str) {
        let name = self.cut(name);
        self.push(Entry::Name(name));
    }
}

#[cfg(test)]
mod tests {
    use crate::clock::Clock;
    use crate::identity::Identity;
    use crate::log::{Entry, Log};
    use crate::prune::LinePruner;
    use crate::settings::Settings;
    use crate::{ContentPolicy, Recorder};

    #[test]
    fn content_that_is_left_out_is_never_copied() {
        let check = |pieces: &[&str], mut pruner: LinePruner| {
            let settings = Settings {
                content: ContentPolicy::Omit,
                max_text_bytes: 1024,
                clock: Clock::system(),
                #[cfg(feature = "tokenizer")]
                estimates_tokens: false,
            };
            let (mut log, mut identity) = (Log::default(), Identity::default());
            let mut recorder = Recorder::new(&mut log, &mut identity, &settings);
            recorder.sent(Some(br#"{"model":"m","messages":[{"role":"user","content":"a secret"}]}"#));
            recorder.sent(Some(b"a secret that is no JSON"));
            for piece in pieces {
                recorder.received(piece.as_bytes(), &mut pruner);
            }
            let seen: String = log
                .entries()
                .map(|entry| match entry {
                    Entry::Sent(Some(body)) | Entry::Received(_, body) => {
                        String::from_utf8_lossy(body.bytes()).into_owned()
                    }
                    _ => String::new(),
                })
                .collect();
            assert!(seen.contains("\"model\":\"m\"") && !seen.contains("sec"), "{seen}");
            assert!(!seen.contains("4711"), "{seen}");
        };
        check(&["{\n \"text\": \"a sec", "ret\",\n \"n\": 3\n}"], LinePruner::whole());
        check(&["<html>a secret</html>"], LinePruner::whole());
        check(&["data: {\"text\":\"a sec", "ret\"}\n\n"], LinePruner::default());
        let long = format!("\"pad\":\"{}\",\"text\":\"", "x".repeat(20_000));
        check(&["data: {\"n\":1,", &long, "4711 a secret\"}\n\n"], LinePruner::default());
        check(&["{\"n\":1,", &long, "4711 a secret\"}"], LinePruner::whole());
    }
}
