//! What text may be kept.

/// Whether prompts, completions, arguments and results are kept.
///
/// ```
/// # use llmtrace::ContentPolicy;
/// assert_eq!(ContentPolicy::default(), ContentPolicy::Keep);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentPolicy {
    /// Keep them.
    #[default]
    Keep,
    /// Never copy them: models, token counts, costs and finish reasons are still read.
    Omit,
}

/// What stands for a text that is left out.
pub(crate) const LEFT_OUT: &str = "*";

/// The text, cut to at most `max_bytes` at the end of a character.
#[inline]
pub(crate) fn cut(text: &str, max_bytes: usize) -> &str {
    let mut end = max_bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

/// How many bytes a text of base64 holds.
pub(crate) fn decoded_len(base64: &str) -> u64 {
    let base64 = base64.split_once(";base64,").map_or(base64, |(_, base64)| base64);
    (base64.trim_end_matches('=').len() as u64).saturating_mul(3) / 4
}

/// Argument names that mean a secret. A name counts if it is one of these, or ends in `_` and one of these.
pub(crate) const SECRET_NAMES: &[&str] = &[
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "bearer",
    "credential",
    "credentials",
    "password",
    "passwd",
    "private_key",
    "pwd",
    "secret",
    "secrets",
    "secret_key",
    "token",
    "access_key",
    "key_secret",
];

/// Whether an argument of this name is never captured. Asked at compile time, once an argument.
pub const fn is_secret_name(name: &str) -> bool {
    let mut secrets = SECRET_NAMES;
    while let [secret, rest @ ..] = secrets {
        if ends_as(name.as_bytes(), secret.as_bytes()) {
            return true;
        }
        secrets = rest;
    }
    false
}

/// Whether the name is the word, or ends in `_` and the word, in any case.
const fn ends_as(mut name: &[u8], mut word: &[u8]) -> bool {
    while let ([name_rest @ .., a], [word_rest @ .., b]) = (name, word) {
        if !a.eq_ignore_ascii_case(b) {
            return false;
        }
        (name, word) = (name_rest, word_rest);
    }
    word.is_empty() && matches!(name, [] | [.., b'_' | b'#'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_a_secret_are_known() {
        for secret in [
            "api_key",
            "openai_api_key",
            "token",
            "_token",
            "access_token",
            "PASSWORD",
            "db_password",
            "r#auth",
        ] {
            assert!(is_secret_name(secret), "{secret}");
        }
        for harmless in ["tokens", "max_tokens", "tokenizer", "question", "keyword", "secretary", "author"] {
            assert!(!is_secret_name(harmless), "{harmless}");
        }
    }
}
