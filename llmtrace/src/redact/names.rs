//! Names that mean a secret.

/// How much a name says of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It is a secret.
    Secret,
    /// It may be one: only a value that looks random is.
    Perhaps,
    /// What `Authorization` holds: a scheme and a secret.
    Authorization,
    /// A signature: a secret in an address, and a mere proof anywhere else.
    Signature,
}

/// Endings of a name's last word that mean a secret.
const SECRET_ENDINGS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "secrets",
    "credential",
    "credentials",
    "apikey",
    "secretkey",
    "accesskey",
    "privatekey",
    "authtoken",
    "accesstoken",
    "apitoken",
    "bearer",
];

/// Words before `key` with which it means a secret.
const OF_KEYS: &[&str] = &[
    "api",
    "access",
    "secret",
    "private",
    "account",
    "auth",
    "encryption",
    "signing",
    "master",
    "subscription",
    "shared",
    "app",
    "application",
    "service",
    "storage",
    "consumer",
    "deploy",
    "license",
    "admin",
];

/// Words before `token` with which it means a secret.
const OF_TOKENS: &[&str] = &[
    "access",
    "auth",
    "refresh",
    "api",
    "bearer",
    "session",
    "security",
    "bot",
    "personal",
    "oauth",
    "id",
    "secret",
    "service",
    "github",
    "gitlab",
    "slack",
    "hf",
    "npm",
    "deploy",
    "webhook",
    "csrf",
    "xsrf",
    "verification",
    "app",
];

/// Words before `token` with which it means a piece of text, or a place in a list.
const OF_NO_TOKENS: &[&str] = &[
    "page",
    "next",
    "pad",
    "eos",
    "bos",
    "unk",
    "sep",
    "cls",
    "mask",
    "stop",
    "special",
    "continuation",
    "prev",
    "previous",
    "start",
    "end",
    "per",
    "first",
    "last",
    "sync",
    "max",
    "min",
    "input",
    "output",
    "eot",
    "eom",
    "top",
    "every",
    "each",
];

/// Words that may mean a secret.
const PERHAPS: &[&str] = &["token", "auth", "key", "jwt", "pat", "pass"];

/// Longest word of a name that is looked at, in bytes.
const MAX_WORD_BYTES: usize = 32;

/// Whether a name, at the end of `bytes`, may mean a secret: few names end as one that does.
pub(super) fn may_mean(bytes: &[u8]) -> bool {
    let Some((_, last)) = trim(bytes).split_last_chunk::<3>() else { return false };
    // The last letters of SECRET_ENDINGS, PERHAPS and the other words that mean something.
    matches!(
        &last.map(|byte| byte.to_ascii_lowercase()),
        b"key"
            | b"ken"
            | b"ord"
            | b"swd"
            | b"ase"
            | b"ode"
            | b"pwd"
            | b"ret"
            | b"ets"
            | b"ial"
            | b"als"
            | b"rer"
            | b"ion"
            | b"uth"
            | b"jwt"
            | b"pat"
            | b"ass"
            | b"sig"
            | b"ure"
    )
}

/// What a name means: `DB_PASSWORD`, `x-api-key`, `clientSecret`, `spring.datasource.password`, ...
pub(super) fn meaning(name: &[u8]) -> Option<Meaning> {
    let name = trim(name);
    if !may_mean(name) {
        return None;
    }
    let (rest, last) = last_word(name);
    let mut buffer = [0; MAX_WORD_BYTES];
    let last = lower(last, &mut buffer)?;
    if SECRET_ENDINGS.iter().any(|ending| last.ends_with(ending.as_bytes())) {
        return Some(Meaning::Secret);
    }
    let is = |words: &[&str], word: &[u8]| words.iter().any(|other| other.as_bytes() == word);
    let mut buffer = [0; MAX_WORD_BYTES];
    let before = lower(last_word(rest).1, &mut buffer).unwrap_or_default();
    match last {
        b"authorization" => Some(Meaning::Authorization),
        b"sig" | b"signature" => Some(Meaning::Signature),
        b"key" if is(OF_KEYS, before) => Some(Meaning::Secret),
        b"token" if is(OF_TOKENS, before) => Some(Meaning::Secret),
        b"token" if is(OF_NO_TOKENS, before) => None,
        last if is(PERHAPS, last) => Some(Meaning::Perhaps),
        _ => None,
    }
}

/// The name without numbers and separators at its end.
fn trim(name: &[u8]) -> &[u8] {
    let is_filling = |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'.' | b' ');
    let len = name.len() - name.iter().rev().take(MAX_WORD_BYTES).take_while(is_filling).count();
    name.get(..len).unwrap_or_default()
}

/// What stands before the last word of a name, and that word: words end at separators and where a capital begins one.
fn last_word(name: &[u8]) -> (&[u8], &[u8]) {
    let name = trim(name);
    let is_capital = |at: usize| name.get(at).is_some_and(u8::is_ascii_uppercase);
    let mut start = name.len();
    while start > 0 && name.get(start - 1).is_some_and(u8::is_ascii_alphabetic) {
        start -= 1;
        let begins = is_capital(start) && name.get(start + 1).is_some_and(u8::is_ascii_lowercase);
        let begins_capitals = is_capital(start) && start > 0 && !is_capital(start - 1);
        if begins || begins_capitals {
            break;
        }
    }
    name.split_at_checked(start).unwrap_or_default()
}

fn lower<'b>(word: &[u8], buffer: &'b mut [u8; MAX_WORD_BYTES]) -> Option<&'b [u8]> {
    let buffer = buffer.get_mut(..word.len())?;
    buffer.copy_from_slice(word);
    buffer.make_ascii_lowercase();
    Some(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_what_they_say() {
        let check = |meaning: Option<Meaning>, names: &[&str]| {
            for name in names {
                assert_eq!(super::meaning(name.as_bytes()), meaning, "{name}");
            }
        };
        check(
            Some(Meaning::Secret),
            &[
                "password",
                "DB_PASSWORD",
                "dbPassword",
                "pgpassword",
                "x-api-key",
                "apiKey",
                "APIKey",
                "APIKEY",
                "api key",
                "OPENAI_API_KEY",
                "clientSecret",
                "client_secret",
                "AWS_SECRET_ACCESS_KEY",
                "secretAccessKey",
                "AccountKey",
                "spring.datasource.password",
                "access_token",
                "refreshToken",
                "X-Amz-Security-Token",
                "password1",
                "PGPASSWORD",
                "credentials",
                "ocp-apim-subscription-key",
                "GITHUB_TOKEN",
                "MYSQL_PWD",
                "api_key_2",
                "X-Amz-Credential",
            ],
        );
        check(Some(Meaning::Perhaps), &["token", "key", "auth", "_token", "my_token", "cacheKey"]);
        check(Some(Meaning::Authorization), &["Authorization", "proxy-authorization", "authorization"]);
        check(Some(Meaning::Signature), &["sig", "X-Amz-Signature", "signature"]);
        check(
            None,
            &[
                "tokens",
                "max_tokens",
                "tokenizer",
                "question",
                "keyword",
                "secretary",
                "author",
                "eos_token",
                "nextPageToken",
                "",
                "_",
                "42",
                "keys",
                "monkeys",
                "is_authorized",
                "password_hash",
                "turkey",
                "compass",
            ],
        );
    }

    #[test]
    fn no_word_is_passed_over_for_its_last_letters() {
        let words = SECRET_ENDINGS.iter().chain(PERHAPS).chain(&["authorization", "sig", "signature"]);
        for word in words {
            assert!(may_mean(word.as_bytes()) && meaning(word.as_bytes()).is_some(), "{word}");
        }
    }

    #[test]
    fn whatever_is_never_captured_as_an_argument_means_a_secret() {
        for name in crate::content::SECRET_NAMES {
            assert!(meaning(name.as_bytes()).is_some(), "{name}");
        }
    }
}
