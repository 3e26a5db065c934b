//! What a process says of a flood or a pace.

use std::collections::HashMap;

/// `KEY=VALUE` words.
#[derive(Clone, Debug)]
pub struct Report(HashMap<String, String>);

impl Report {
    /// Reads the words.
    pub fn read(words: &str) -> Self {
        let pair = |word: &str| word.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        Self(words.split_whitespace().filter_map(pair).collect())
    }

    /// The value of a key; `?` where there is none.
    pub fn text(&self, key: &str) -> &str {
        self.0.get(key).map_or("?", String::as_str)
    }

    /// The number of a key; not a number where there is none.
    pub fn number(&self, key: &str) -> f64 {
        self.text(key).parse().unwrap_or(f64::NAN)
    }
}
