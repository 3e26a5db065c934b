//! What the spool's files are called.

use std::fmt;

/// Who wrote a file: one spool of one process. As text, the name of the file that it keeps locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner {
    pub(super) pid: u32,
    /// When the spool was opened, in milliseconds since 1970, or the next number that was free.
    pub(super) opened: u64,
}

/// A segment; the oldest is the least. As text, the name of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    /// When it was begun, in milliseconds since 1970.
    pub(super) start: u64,
    /// How many segments its owner began before.
    pub(super) sequence: u64,
    pub(super) owner: Owner,
}

/// What a file of the directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Segment(Name),
    /// A segment that was set aside.
    Corrupt(Name),
    Lock(Owner),
}

const SEGMENT: &str = ".spool.jsonl";
const CORRUPT: &str = ".spool.jsonl.corrupt";
const LOCK: &str = ".spool.lock";

impl Name {
    /// The name of its file once it is set aside.
    pub(super) fn corrupt(self) -> String {
        format!("{self}{}", CORRUPT.trim_start_matches(SEGMENT))
    }
}

impl Entry {
    /// What the file of this name is, if it is the spool's.
    pub(super) fn of(file_name: &str) -> Option<Self> {
        let whole = |pattern: &str| file_name.strip_suffix(pattern).map(numbers);
        let entry = if let Some(numbers) = whole(SEGMENT) {
            Self::Segment(name(&numbers?)?)
        } else if let Some(numbers) = whole(CORRUPT) {
            Self::Corrupt(name(&numbers?)?)
        } else {
            Self::Lock(owner(&whole(LOCK)??)?)
        };
        // Only what would be written in the same way: each thing has one name.
        (entry.file_name() == file_name).then_some(entry)
    }

    fn file_name(self) -> String {
        match self {
            Self::Segment(name) => name.to_string(),
            Self::Corrupt(name) => name.corrupt(),
            Self::Lock(owner) => owner.to_string(),
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}{LOCK}", self.pid, self.opened)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, sequence, owner: Owner { pid, opened } } = self;
        write!(f, "{start:013}-{sequence:06}-{pid}-{opened}{SEGMENT}")
    }
}

fn numbers(text: &str) -> Option<Vec<u64>> {
    text.split('-').map(|number| number.parse().ok()).collect()
}

fn name(numbers: &[u64]) -> Option<Name> {
    let [start, sequence, rest @ ..] = numbers else { return None };
    Some(Name { start: *start, sequence: *sequence, owner: owner(rest)? })
}

fn owner(numbers: &[u64]) -> Option<Owner> {
    let [pid, opened] = *numbers else { return None };
    Some(Owner { pid: pid.try_into().ok()?, opened })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written_and_no_others() {
        let owner = Owner { pid: 4_711, opened: 1_790_000_000_123 };
        let name = Name { start: 1_790_000_000_456, sequence: 7, owner };
        let check = |file_name: &str, entry| assert_eq!(Entry::of(file_name), entry, "{file_name}");
        check("1790000000456-000007-4711-1790000000123.spool.jsonl", Some(Entry::Segment(name)));
        check("1790000000456-000007-4711-1790000000123.spool.jsonl.corrupt", Some(Entry::Corrupt(name)));
        check("4711-1790000000123.spool.lock", Some(Entry::Lock(owner)));
        check("1790000000456-7-4711-1790000000123.spool.jsonl", None);
        check("+1790000000456-000007-4711-1790000000123.spool.jsonl", None);
        check("1790000000456-000007-99999999999-1790000000123.spool.jsonl", None);
        check("1790000000456-000007-4711.spool.jsonl", None);
        check("4711.spool.lock", None);
        check(".spool.jsonl", None);
        check("notes.txt", None);
        check("", None);
    }

    #[test]
    fn the_oldest_comes_first_as_text_too() {
        let owner = Owner { pid: 1, opened: 9 };
        let name = |start, sequence| Name { start, sequence, owner };
        let names =
            [name(5, 9), name(999_999_999_999, 1), name(1_790_000_000_000, 2), name(1_790_000_000_000, 10)];
        assert!(names.is_sorted());
        assert!(names.map(|name| name.to_string()).is_sorted());
    }
}
