//! Names of models and revisions, as they may stand in addresses and paths.

use super::error::HubError;

/// The longest part of a name that the hub gives.
const LONGEST: usize = 96;

/// `owner/name` of a model, or the `name` alone that the oldest have.
pub(super) fn model(text: &str) -> Result<String, HubError> {
    let mut parts = text.split('/');
    let (first, second, more) = (parts.next(), parts.next(), parts.next());
    let right = first.is_some_and(part) && second.is_none_or(part) && more.is_none();
    if right { Ok(text.to_owned()) } else { Err(HubError::Name { found: shown(text) }) }
}

/// A branch, a tag, a commit, or a reference such as `refs/pr/1`.
pub(super) fn revision(text: &str) -> Result<String, HubError> {
    let right = text.len() <= 2 * LONGEST && text.split('/').all(part);
    if right { Ok(text.to_owned()) } else { Err(HubError::Revision { found: shown(text) }) }
}

/// Whether a revision is the whole hash of a commit, which never means anything else later.
pub(super) fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && is_hash(revision)
}

/// Whether a text is a hash in lowercase hexadecimal digits.
pub(super) fn is_hash(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Letters, digits, `.`, `_` and `-`, beginning and ending with none of the signs that lead out of a folder.
fn part(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let led = text.starts_with(['.', '-']) || text.ends_with('.') || text.contains("..");
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(known) && !led
}

fn shown(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for right in ["gpt2", "openai-community/gpt2", "Qwen/Qwen2.5-0.5B", "a_b/c.d"] {
            assert_eq!(model(right).unwrap(), right);
        }
        let long = "a".repeat(97);
        for wrong in [
            "", "/", "a/", "/a", "a/b/c", "../a", "a/..", ".a/b", "a b", "a/b?c", "a/b#c", "a\\b", "é", &long,
        ] {
            let error = model(wrong).unwrap_err().to_string();
            assert!(error.ends_with("expected owner/name, such as openai-community/gpt2"), "{error}");
        }
        for right in ["main", "v1.0", "refs/pr/1", "607a30d783dfa663caf39e06633721c8d4cfcd7e"] {
            assert_eq!(revision(right).unwrap(), right);
        }
        for wrong in ["", "/main", "main/", "a/../b", "a b", "-x", "a%2Fb"] {
            assert!(revision(wrong).is_err(), "{wrong}");
        }
        assert!(is_commit("607a30d783dfa663caf39e06633721c8d4cfcd7e"));
        assert!(!is_commit("607a30d") && !is_commit(&"G".repeat(40)));
    }
}
