//! A table of the file: which keys it may have, and reading them one by one.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::entry::Entry;
use super::nearest::nearest;
use super::settings::Place;
use super::source::Source;

/// A table whose keys are known.
pub(super) struct Section<'a> {
    source: &'a Source<'a>,
    table: &'a DeTable<'a>,
    /// The table's own name with a dot, or nothing for the file as a whole.
    prefix: String,
    line: usize,
}

impl<'a> Section<'a> {
    /// The file as a whole.
    pub(super) fn file(source: &'a Source<'a>, table: &'a DeTable<'a>, keys: &[&str]) -> Self {
        let section = Self { source, table, prefix: String::new(), line: 1 };
        section.refuse_others(keys, |_| None);
        section
    }

    /// The table that an entry holds. `elsewhere` may explain a key that is unknown here.
    pub(super) fn of(
        entry: &Entry<'a>,
        keys: &[&str],
        elsewhere: impl Fn(&str) -> Option<String>,
    ) -> Option<Self> {
        if !entry.value.is_table() {
            return entry.report(Err(entry.expected(&format!("a table of {}", keys.join(", ")))));
        }
        let section = Self::unchecked(entry)?;
        section.refuse_others(keys, elsewhere);
        Some(section)
    }

    /// The table that an entry holds, before it is known which keys it may have.
    pub(super) fn unchecked(entry: &Entry<'a>) -> Option<Self> {
        let table = entry.report(entry.table())?;
        Some(Self { source: entry.source, table, prefix: format!("{}.", entry.key), line: entry.line })
    }

    /// Reports each key that is not one of these.
    pub(super) fn refuse_others(&self, keys: &[&str], elsewhere: impl Fn(&str) -> Option<String>) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if keys.contains(&name) {
                continue;
            }
            let hint = match (elsewhere(name), nearest(name, keys.iter().copied())) {
                (Some(hint), _) => hint,
                (None, Some(meant)) => format!("did you mean {meant}?"),
                (None, None) => format!("the keys here are {}", keys.join(", ")),
            };
            let full = format!("{}{name}", self.prefix);
            self.source.report(&full, self.source.line(&key.span()), format!("unknown key; {hint}"));
        }
    }

    /// What stands at a key.
    pub(super) fn entry(&self, key: &str) -> Option<Entry<'a>> {
        let (found, value) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        Some(self.entry_of(found, value))
    }

    /// Every key with its value.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, Entry<'a>)> + '_ {
        self.table.iter().map(|(name, value)| (name.get_ref().as_ref(), self.entry_of(name, value)))
    }

    fn entry_of(
        &self,
        name: &'a Spanned<std::borrow::Cow<'a, str>>,
        value: &'a Spanned<DeValue<'a>>,
    ) -> Entry<'a> {
        let key = format!("{}{}", self.prefix, name.get_ref());
        let line = self.source.line(&name.span());
        Entry { source: self.source, key, line, value: value.get_ref() }
    }

    /// Reads a key if it is there; what is wrong with it is reported.
    pub(super) fn read<T>(&self, key: &str, read: impl FnOnce(&Entry<'a>) -> Result<T, String>) -> Option<T> {
        let entry = self.entry(key)?;
        entry.report(read(&entry))
    }

    /// Reads a key that has to be there; `example` is a line that would be right.
    pub(super) fn require<T>(
        &self,
        key: &str,
        example: &str,
        read: impl FnOnce(&Entry<'a>) -> Result<T, String>,
    ) -> Option<T> {
        if self.entry(key).is_none() {
            let full = format!("{}{key}", self.prefix);
            self.source.report(&full, self.line, format!("missing; write for example {example}"));
        }
        self.read(key, read)
    }

    /// Where the table is.
    pub(super) fn place(&self) -> Place {
        self.source.place(self.prefix.trim_end_matches('.'), self.line)
    }
}
