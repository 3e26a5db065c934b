//! Keys that are known by a `~` in them. Names and forms are those of gitleaks' rules
//! (<https://github.com/gitleaks/gitleaks>, `config/gitleaks.toml`).

use std::ops::RangeInclusive;

use super::finding::Findings;

/// Characters of an Azure client secret before its `~`, and after it.
const AZURE_BEFORE: usize = 5;
const AZURE_AFTER: RangeInclusive<usize> = 31..=34;

/// What a token of an `OpenShift` user begins with, and its characters after the `~`.
const OPENSHIFT: &[u8] = b"sha256";
const OPENSHIFT_AFTER: RangeInclusive<usize> = 43..=43;

/// Finds keys by the `~` in them.
pub(super) fn find(text: &str, findings: &mut Findings<'_>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    for at in memchr::memchr_iter(b'~', bytes) {
        if at < from {
            continue;
        }
        let found = azure(bytes, at).map(|key| (key, "azure-ad-client-secret"));
        let found = found.or_else(|| openshift(bytes, at).map(|key| (key, "openshift-user-token")));
        if let Some(((start, end), rule)) = found {
            findings.add(start, end, rule);
            from = end;
        }
    }
}

/// A client secret of Azure's directory: three characters, a digit, `Q~`, and 31 to 34 more.
fn azure(bytes: &[u8], tilde: usize) -> Option<(usize, usize)> {
    let start = tilde.checked_sub(AZURE_BEFORE)?;
    let [a, b, c, digit, b'Q'] = *bytes.get(start..tilde)?.first_chunk()? else { return None };
    let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || b"_~.-".contains(byte);
    let begins = [a, b, c].iter().all(is_key) && digit.is_ascii_digit() && is_begin(bytes, start);
    let after = run(bytes, tilde + 1, *AZURE_AFTER.end(), is_key)?;
    (begins && AZURE_AFTER.contains(&after)).then_some((start, tilde + 1 + after))
}

fn openshift(bytes: &[u8], tilde: usize) -> Option<(usize, usize)> {
    let start = bytes.get(..tilde)?.strip_suffix(OPENSHIFT)?.len();
    let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    let after = run(bytes, tilde + 1, *OPENSHIFT_AFTER.end(), is_key)?;
    OPENSHIFT_AFTER.contains(&after).then_some((start, tilde + 1 + after))
}

/// Whether no word goes on there; the letter of an escape such as `\n` is none of a word.
fn is_begin(bytes: &[u8], start: usize) -> bool {
    let before = |n: usize| start.checked_sub(n).and_then(|at| bytes.get(at));
    !before(1).is_some_and(u8::is_ascii_alphanumeric) || before(2) == Some(&b'\\')
}

/// How many characters of a key stand there, without a full stop at their end; `None` where there are more than `most`.
fn run(bytes: &[u8], start: usize, most: usize, is_key: impl Fn(&u8) -> bool) -> Option<usize> {
    let rest = bytes.get(start..)?;
    let len = rest.iter().take(most + 2).take_while(|byte| is_key(byte)).count();
    let stops = usize::from(len > 0 && rest.get(len - 1) == Some(&b'.'));
    (len - stops <= most).then_some(len - stops)
}
