//! Masking secrets before any exporter sees them.
//!
//! One look at a text finds what may hold a secret: long words (`words`), what stands behind `=` and `:` (`assigned`),
//! addresses (`address`), flags and keys in armour (`dashes`). Only there are names, shapes and randomness looked at, so
//! that a clean text costs little. Every step is linear in the text.

mod address;
mod assigned;
mod base64;
mod clean;
mod custom;
mod dashes;
mod finding;
mod names;
mod personal;
mod record;
mod shapes;
#[cfg(test)]
mod tests;
mod tilde;
mod value;
mod words;

use std::borrow::Cow;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};

pub(crate) use clean::Clean;
pub use custom::RuleError;
use custom::{Mask, Pattern};
use finding::{Finding, Findings, marker};

/// Masks secrets, and whatever else its rules find, in every text of a span before any exporter sees it.
///
/// `[redacted:<rule>]` takes the place of what was found; the text around it stays, and the span says in
/// `llmtrace.redacted` how many there were. It works on llmtrace's own thread. Without a word from you,
/// [`Redactor::secrets`] is at work.
///
/// ```
/// use llmtrace::Redactor;
///
/// let redactor = Redactor::secrets().pii().rule("ticket", r"\bTICKET-\d{6}\b")?;
/// assert_eq!(redactor.redact("about TICKET-123456"), "about [redacted:ticket]");
/// assert_eq!(redactor.redact("from ann@example.org"), "from [redacted:email]");
/// assert_eq!(redactor.redact("postgres://app:hunter2@db/x"), "postgres://app:[redacted:url-credentials]@db/x");
///
/// let (layer, guard) = llmtrace::builder().redactor(redactor).build();
/// # use tracing_subscriber::prelude::*;
/// # drop((tracing_subscriber::registry().with(layer), guard));
/// # Ok::<(), llmtrace::RuleError>(())
/// ```
///
/// # Secrets
///
/// | rule | what it masks |
/// |---|---|
/// | a name such as `openai-api-key`, `aws-access-token`, `github-pat`, `jwt` | a key that its own form betrays: about 110 kinds, named as gitleaks names them |
/// | `private-key` | PEM and PGP private keys, whole |
/// | `auth-header` | what follows `Authorization:` and `Bearer` |
/// | `url-credentials` | the password in `https://user:password@host` |
/// | `url-parameter` | `?key=`, `token=`, `sig=`, `X-Amz-Signature=` and the like |
/// | `webhook-url` | the path of a Slack, Discord or Teams webhook |
/// | `curl-auth-user` | the password in `curl -u user:password` |
/// | `generic-api-key` | the value of a name that means a secret (`api_key`, `DB_PASSWORD`, `x-api-key`, `clientSecret`, `--token`), as a member of JSON, in an environment file, code, YAML or XML; of names that often mean none (`token`, `key`) only a value that looks random |
///
/// A word of base64 that holds one of these is masked whole, under the rule that found it.
///
/// # Personal data
///
/// Asked for with [`pii`](Self::pii): `email`, `credit-card` (with its check digit) and `iban` (with its checksum).
#[derive(Clone)]
#[must_use = "a redactor does nothing until the builder is given it"]
pub struct Redactor {
    masks_secrets: bool,
    masks_personal: bool,
    patterns: Vec<Pattern>,
    masks: Vec<Mask>,
    allowed: Vec<regex::Regex>,
}

/// Most times that a text is looked at: a masked secret may bare the form of another.
const MAX_ROUNDS: usize = 4;

impl Redactor {
    /// Known secrets are masked. This is the default.
    pub fn secrets() -> Self {
        Self { masks_secrets: true, ..Self::none() }
    }

    /// Nothing is masked.
    pub fn none() -> Self {
        Self {
            masks_secrets: false,
            masks_personal: false,
            patterns: Vec::new(),
            masks: Vec::new(),
            allowed: Vec::new(),
        }
    }

    /// E-mail addresses, card numbers and IBANs are masked too.
    ///
    /// Some will be missed, and some numbers will pass the checks by chance.
    pub fn pii(mut self) -> Self {
        self.masks_personal = true;
        self
    }

    /// Masks what a regular expression (syntax of crate `regex`) matches; where it has groups, only the first group that
    /// took part.
    ///
    /// ```
    /// use llmtrace::Redactor;
    ///
    /// let redactor = Redactor::none().rule("customer", r"customer=(\d+)")?;
    /// assert_eq!(redactor.redact("customer=4711;"), "customer=[redacted:customer];");
    /// assert!(Redactor::none().rule("customer", r"customer=(\d+").is_err());
    /// # Ok::<(), llmtrace::RuleError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the expression cannot be read, is too large or matches the empty text, or if the name has other characters than
    /// letters, digits, `-`, `_` and `.`.
    pub fn rule(mut self, name: &str, pattern: &str) -> Result<Self, RuleError> {
        self.patterns.push(Pattern::new(name, pattern)?);
        Ok(self)
    }

    /// Lets a closure see each text, after the other rules: it returns the text that is to stand in its place, or `None`
    /// where the text may stay. If it panics, the whole text is masked.
    ///
    /// ```
    /// use llmtrace::Redactor;
    ///
    /// let redactor =
    ///     Redactor::none().mask("project", |text| text.contains("Bluebird").then(|| text.replace("Bluebird", "***")));
    /// assert_eq!(redactor.redact("Bluebird is late"), "*** is late");
    /// ```
    pub fn mask<F>(mut self, name: &str, mask: F) -> Self
    where
        F: Fn(&str) -> Option<String> + Send + Sync + 'static,
    {
        self.masks.push(Mask::new(name, mask));
        self
    }

    /// Leaves alone what a rule finds if the whole of it matches a regular expression, such as a key for tests.
    ///
    /// ```
    /// use llmtrace::Redactor;
    ///
    /// let redactor = Redactor::secrets().allow("hunter2")?;
    /// assert_eq!(redactor.redact("PASSWORD=hunter2"), "PASSWORD=hunter2");
    /// # Ok::<(), llmtrace::RuleError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the expression cannot be read or is too large.
    pub fn allow(mut self, pattern: &str) -> Result<Self, RuleError> {
        self.allowed.push(custom::whole(pattern)?);
        Ok(self)
    }

    /// The text with everything masked that the rules find; the text itself where they find nothing.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.redact_counting(text).map_or(Cow::Borrowed(text), |(text, _)| Cow::Owned(text))
    }

    /// Whether there is nothing to look for.
    fn is_idle(&self) -> bool {
        !self.masks_secrets && !self.masks_personal && self.patterns.is_empty() && self.masks.is_empty()
    }

    /// The masked text and how many were found in it; `None` where the text may stay.
    fn redact_counting(&self, text: &str) -> Option<(String, u64)> {
        match panic::catch_unwind(AssertUnwindSafe(|| self.try_redact(text))) {
            Ok(redacted) => redacted,
            Err(_) => Some((marker("panicked"), 1)),
        }
    }

    fn try_redact(&self, text: &str) -> Option<(String, u64)> {
        let mut redacted: Option<(String, u64)> = None;
        for _ in 0..MAX_ROUNDS {
            let seen = redacted.as_ref().map_or(text, |(text, _)| text);
            let findings = self.find(seen);
            if findings.is_empty() {
                break;
            }
            let count = redacted.as_ref().map_or(0, |(_, count)| *count) + findings.len() as u64;
            redacted = Some((finding::replace(seen, &findings), count));
        }
        for mask in &self.masks {
            let seen = redacted.as_ref().map_or(text, |(text, _)| text);
            if let Some(masked) = mask.apply(seen) {
                let count = redacted.map_or(0, |(_, count)| count) + 1;
                redacted = Some((masked, count));
            }
        }
        redacted
    }

    fn find<'r>(&'r self, text: &str) -> Vec<Finding<'r>> {
        let mut findings = Findings::default();
        if self.masks_secrets {
            find_secrets(text, 0, &mut findings);
        }
        if self.masks_personal {
            personal::find(text, &mut findings);
        }
        for pattern in &self.patterns {
            pattern.find(text, &mut findings);
        }
        findings.settle(text, &self.allowed)
    }
}

/// Deepest base64 in base64 that is looked into.
const MAX_DEPTH: usize = 2;

/// Finds secrets of the built-in rules.
fn find_secrets(text: &str, depth: usize, findings: &mut Findings<'_>) {
    if text.len() <= SHORT_BYTES && !may_hold_secret(text.as_bytes()) {
        return;
    }
    words::find(text, depth, findings);
    assigned::find(text, findings);
    dashes::find(text, findings);
    tilde::find(text, findings);
}

/// Texts up to this length, in bytes, are first looked through for any sign of a secret: most are names and numbers.
const SHORT_BYTES: usize = 64;

/// Whether a text has what each rule begins with: a long word, an assignment, a flag or a tag.
fn may_hold_secret(bytes: &[u8]) -> bool {
    let (mut word, mut last) = (0, 0);
    for &byte in bytes {
        word = if words::is_word(byte) { word + 1 } else { 0 };
        if word >= words::MIN_BYTES
            || matches!(byte, b'=' | b':')
            || matches!((last, byte), (b'-', b'-') | (b'<', b'/'))
        {
            return true;
        }
        last = byte;
    }
    false
}

impl Default for Redactor {
    /// [`Redactor::secrets`].
    fn default() -> Self {
        Self::secrets()
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.patterns.iter().map(Pattern::name).chain(self.masks.iter().map(Mask::name));
        f.debug_struct("Redactor")
            .field("secrets", &self.masks_secrets)
            .field("pii", &self.masks_personal)
            .field("rules", &rules.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
