//! One value of the file, read as what it should be.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::nearest::nearest;
use super::secret::Secret;
use super::source::Source;
use super::units;

/// A value with its key and its line. Its readers say what would be right, and show no text that may be a secret.
pub(super) struct Entry<'a> {
    pub(super) source: &'a Source<'a>,
    /// The key with its tables, such as `exporter.spool.dir`.
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) value: &'a DeValue<'a>,
}

/// How many elements a list may have.
const MAX_ELEMENTS: usize = 1_000;

impl<'a> Entry<'a> {
    /// Takes note of what is wrong.
    pub(super) fn report<T>(&self, result: Result<T, String>) -> Option<T> {
        result.map_err(|message| self.source.report(&self.key, self.line, message)).ok()
    }

    pub(super) fn table(&self) -> Result<&'a DeTable<'a>, String> {
        self.value.as_table().ok_or_else(|| self.expected("a table"))
    }

    /// The elements of a list, each with its own line.
    pub(super) fn elements(&self) -> Result<Vec<Entry<'a>>, String> {
        let list = self.value.as_array().ok_or_else(|| self.expected("a list"))?;
        if list.len() > MAX_ELEMENTS {
            return Err(format!("expected at most {MAX_ELEMENTS} elements"));
        }
        let (source, key) = (self.source, &self.key);
        let entry = |value: &'a toml::Spanned<DeValue<'a>>| {
            let line = source.line(&value.span());
            Entry { source, key: key.clone(), line, value: value.get_ref() }
        };
        Ok(list.iter().map(entry).collect())
    }

    /// Text that is not empty: as it stands, or from the variable that `{ env = "NAME" }` names.
    pub(super) fn text(&self) -> Result<&'a str, String> {
        match self.value {
            DeValue::String(text) if text.trim().is_empty() => Err("is empty".to_owned()),
            DeValue::String(text) => Ok(text),
            DeValue::Table(table) => self.variable(table),
            _ => Err(self.expected("text, or { env = \"NAME\" }")),
        }
    }

    fn variable(&self, table: &'a DeTable<'a>) -> Result<&'a str, String> {
        let form = "expected text, or { env = \"NAME\" } with the name of an environment variable";
        let mut entries = table.iter();
        let name = match (entries.next(), entries.next()) {
            (Some((key, value)), None) if key.get_ref() == "env" => value.get_ref().as_str(),
            _ => None,
        };
        let name = name.filter(|name| !name.is_empty()).ok_or(form)?;
        match self.source.environment().variable(name) {
            Ok(Some(text)) => Ok(text),
            Ok(None) => {
                Err(format!("the environment variable {name} is not set; set it, or write the value here"))
            }
            Err(_) => Err(format!("the environment variable {name} is not valid UTF-8")),
        }
    }

    pub(super) fn string(&self) -> Result<String, String> {
        self.text().map(str::to_owned)
    }

    pub(super) fn secret(&self) -> Result<Secret, String> {
        self.text().map(Secret::new)
    }

    /// A path, relative to the folder of the file.
    pub(super) fn path(&self) -> Result<PathBuf, String> {
        self.text().map(|text| self.source.resolve(text))
    }

    pub(super) fn boolean(&self) -> Result<bool, String> {
        self.value.as_bool().ok_or_else(|| self.expected("true or false"))
    }

    /// A whole number within bounds.
    pub(super) fn integer(&self, bounds: RangeInclusive<u64>) -> Result<u64, String> {
        let (least, most) = (*bounds.start(), *bounds.end());
        let expected = if most == u64::MAX {
            format!("a whole number of at least {least}")
        } else {
            format!("a whole number from {least} to {most}")
        };
        let Some(number) = self.value.as_integer() else { return Err(self.expected(&expected)) };
        let number = u64::from_str_radix(number.as_str(), number.radix()).ok();
        number.filter(|number| bounds.contains(number)).ok_or_else(|| format!("expected {expected}"))
    }

    pub(super) fn count(&self, bounds: RangeInclusive<u64>) -> Result<usize, String> {
        usize::try_from(self.integer(bounds)?).map_err(|_| "is more than this machine can count".to_owned())
    }

    /// A finite number, whole or not, from `least` to `most`.
    pub(super) fn number(&self, bounds: RangeInclusive<f64>) -> Result<f64, String> {
        let (least, most) = (*bounds.start(), *bounds.end());
        let expected = match (least > f64::MIN, most < f64::MAX) {
            (true, true) => format!("a number from {least} to {most}"),
            (true, false) => format!("a number of at least {least}"),
            _ => "a finite number".to_owned(),
        };
        let number = match self.value {
            DeValue::Float(number) => number.as_str().parse::<f64>().ok(),
            DeValue::Integer(number) => {
                i64::from_str_radix(number.as_str(), number.radix()).ok().map(|whole| whole as f64)
            }
            _ => return Err(self.expected(&expected)),
        };
        number.filter(|number| bounds.contains(number)).ok_or_else(|| format!("expected {expected}"))
    }

    /// A size of at least `least` bytes: a number, or text with a unit.
    pub(super) fn bytes(&self, least: u64) -> Result<u64, String> {
        let bytes = match self.value {
            DeValue::Integer(_) => self.integer(0..=u64::MAX)?,
            DeValue::String(_) | DeValue::Table(_) => units::bytes(self.text()?)?,
            _ => return Err(self.expected("a size such as \"64 MiB\"")),
        };
        if bytes < least { Err(format!("expected at least {least} bytes")) } else { Ok(bytes) }
    }

    /// A time with its unit, of at least `least`.
    pub(super) fn duration(&self, least: Duration) -> Result<Duration, String> {
        let example = "a time with its unit, such as \"200 ms\" or \"10 s\"";
        let time = match self.value {
            DeValue::String(_) | DeValue::Table(_) => units::duration(self.text()?)?,
            _ => return Err(self.expected(example)),
        };
        if time < least { Err(format!("expected at least {least:?}")) } else { Ok(time) }
    }

    /// One of some words.
    pub(super) fn choice<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, String> {
        let text = self.text()?;
        let meant = words.iter().find(|(word, _)| *word == text);
        meant.map(|(_, choice)| *choice).ok_or_else(|| {
            let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let hint = nearest(text, names.iter().copied());
            let hint = hint.map_or_else(String::new, |word| format!("; did you mean \"{word}\"?"));
            format!("expected {}{hint}", one_of(&names))
        })
    }

    /// A mismatch of types.
    pub(super) fn expected(&self, what: &str) -> String {
        let found = match self.value {
            DeValue::String(_) => Cow::Borrowed("text"),
            DeValue::Integer(_) => "a whole number".into(),
            DeValue::Float(_) => "a number".into(),
            DeValue::Boolean(is) => is.to_string().into(),
            DeValue::Datetime(_) => "a date or time".into(),
            DeValue::Array(_) => "a list".into(),
            DeValue::Table(_) => "a table".into(),
        };
        format!("expected {what}, found {found}")
    }
}

/// `"a", "b" or "c"`.
pub(super) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} or {last}", first.join(", ")),
        None => String::new(),
    }
}
