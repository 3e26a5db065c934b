//! Whether a value looks like a secret.

use super::finding::MARK;

/// Fewest characters of a value that looks random.
const MIN_RANDOM_CHARS: usize = 10;

/// Least entropy of a value that looks random, in bits a character.
const MIN_ENTROPY: f64 = 3.0;

/// The same for the value of a name as common as `key`, which must be longer and mixed, too.
const MIN_KEY_ENTROPY: f64 = 3.5;
const MIN_KEY_CHARS: usize = 20;

/// Longest value that is measured, in bytes.
const MAX_MEASURED_BYTES: usize = 256;

/// Words that stand where a secret is to be put in, or has been taken out.
const STAND_INS: &[&str] = &[
    "null",
    "none",
    "nil",
    "undefined",
    "true",
    "false",
    "string",
    "str",
    "text",
    "optional",
    "required",
    "redacted",
    "hidden",
    "masked",
    "secret",
    "password",
    "token",
    "key",
    "bearer",
    "basic",
    "empty",
    "default",
    "env",
    "n/a",
];

/// What such a value begins with.
const STAND_IN_STARTS: &[&str] =
    &["$", "<", "{", "%s", "%(", "***", "...", "os.environ", "process.env", "env:", "your"];

/// Whether a value only stands for a secret: `${TOKEN}`, `<your key>`, `null`, `***`, or a marker of ours.
pub(super) fn is_stand_in(value: &[u8]) -> bool {
    let starts =
        |with: &str| value.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()));
    let is_one_character = || match value {
        [first, _, _, ..] | [first @ b'*', ..] => value.iter().all(|byte| byte == first),
        _ => false,
    };
    value.is_empty()
        || is_one_character()
        || starts(MARK)
        || STAND_IN_STARTS.iter().any(|start| starts(start))
        || STAND_INS.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether a value looks made by chance: letters and digits, without blanks, no character too often.
pub(super) fn is_random(value: &[u8]) -> bool {
    value.len() >= MIN_RANDOM_CHARS
        && has_digit(value)
        && value.iter().any(u8::is_ascii_alphabetic)
        && value.iter().all(u8::is_ascii_graphic)
        && !value
            .iter()
            .any(|byte| matches!(byte, b'(' | b')' | b'<' | b'>' | b'{' | b'}' | b'[' | b']' | b'|'))
        && entropy(value) >= MIN_ENTROPY
}

/// The same for the value of a name as common as `key`.
pub(super) fn is_random_key(value: &[u8]) -> bool {
    value.len() >= MIN_KEY_CHARS
        && is_random(value)
        && value.iter().any(u8::is_ascii_uppercase)
        && value.iter().any(u8::is_ascii_lowercase)
        && !value.iter().any(|byte| matches!(byte, b'.' | b':' | b'/'))
        && entropy(value) >= MIN_KEY_ENTROPY
}

/// Whether a value has what words and expressions of code do not have.
pub(super) fn is_unlike_a_word(value: &[u8]) -> bool {
    value.iter().any(|byte| byte.is_ascii_digit() || b"!@#^*+=/~?%$".contains(byte)) || is_wildly_cased(value)
}

/// Whether capitals and small letters alternate more often than in `CamelCase`.
fn is_wildly_cased(value: &[u8]) -> bool {
    let changes = value.iter().zip(value.iter().skip(1)).filter(|(a, b)| {
        a.is_ascii_uppercase() && b.is_ascii_lowercase() || a.is_ascii_lowercase() && b.is_ascii_uppercase()
    });
    value.len() >= MIN_KEY_CHARS && changes.count() * 5 >= value.len() * 2
}

pub(super) fn has_digit(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_digit)
}

/// Shannon's entropy in bits a byte.
fn entropy(value: &[u8]) -> f64 {
    let value = value.get(..MAX_MEASURED_BYTES).unwrap_or(value);
    let mut counts = [0_u16; 256];
    for byte in value {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let len = value.len() as f64;
    let shares = counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / len);
    shares.map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_told_from_words() {
        for random in ["a8Fk20sLq9Zx", "6f1ed002ab5595859014ebf0951522d9", "hunter2-and-9more"] {
            assert!(is_random(random.as_bytes()), "{random}");
        }
        for word in ["the", "aaaaaaaaaaaa1", "4096", "session", "get_token()", "Hello1", "items[0].token"] {
            assert!(!is_random(word.as_bytes()), "{word}");
        }
        for stand_in in [
            "",
            "${TOKEN}",
            "<your key>",
            "NULL",
            "****",
            "xxxx",
            "[redacted:jwt]",
            "YOUR_API_KEY",
            "{{ key }}",
        ] {
            assert!(is_stand_in(stand_in.as_bytes()), "{stand_in}");
        }
        for secret in ["hunter2", "changeme", "correct horse"] {
            assert!(!is_stand_in(secret.as_bytes()), "{secret}");
        }
    }
}
