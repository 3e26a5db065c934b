//! Reading variables of the environment, and what was found wrong with them.

use std::cell::RefCell;
use std::time::Duration;

use super::entry::one_of;
use super::error::ConfigProblem;
use super::nearest::nearest;
use crate::env::{Environment, NotText};

/// The variables that are being read. Problems are gathered, so that all of them are told at once.
pub(super) struct Variables<'a> {
    environment: &'a Environment,
    problems: RefCell<Vec<ConfigProblem>>,
}

impl<'a> Variables<'a> {
    pub(super) fn new(environment: &'a Environment) -> Self {
        Self { environment, problems: RefCell::default() }
    }

    pub(super) fn into_problems(self) -> Vec<ConfigProblem> {
        self.problems.into_inner()
    }

    /// Takes note of something wrong.
    pub(super) fn report(&self, name: &str, message: impl Into<String>) {
        self.problems.borrow_mut().push(ConfigProblem::variable(name, message));
    }

    /// The value of a variable; `None` if it is not set or empty.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.environment.variable(name).unwrap_or_else(|NotText| {
            self.report(name, "is not valid UTF-8");
            None
        })
    }

    /// The first of these variables that is set, and its name.
    pub(super) fn first(&self, names: &[&'static str]) -> Option<(&'static str, &'a str)> {
        names.iter().find_map(|name| Some((*name, self.text(name)?)))
    }

    /// Reads the first of these variables that is set; what is wrong with it is reported.
    pub(super) fn read<T>(
        &self,
        names: &[&'static str],
        read: impl FnOnce(&'a str) -> Result<T, String>,
    ) -> Option<T> {
        let (name, text) = self.first(names)?;
        read(text).map_err(|message| self.report(name, message)).ok()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.environment.names()
    }
}

/// One of some words, in any case.
pub(super) fn choice<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    let meant = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
    meant.map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let hint = nearest(text, names.iter().copied());
        let hint = hint.map_or_else(String::new, |word| format!("; did you mean \"{word}\"?"));
        format!("expected {}{hint}", one_of(&names))
    })
}

/// `true` or `false`, in any case.
pub(super) fn truth(text: &str) -> Result<bool, String> {
    choice(text, &[("true", true), ("false", false)])
}

/// A whole number of milliseconds.
pub(super) fn milliseconds(text: &str) -> Result<Duration, String> {
    let number = text.parse::<u32>();
    let number =
        number.map_err(|_| format!("expected milliseconds: a whole number from 0 to {}", u32::MAX))?;
    Ok(Duration::from_millis(u64::from(number)))
}

/// A whole number of milliseconds that something may take; 0 means that it has no limit
/// (<https://opentelemetry.io/docs/specs/otel/configuration/common/>, section "Timeout").
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    let limit = milliseconds(text)?;
    Ok(if limit.is_zero() { Duration::from_millis(u64::from(u32::MAX)) } else { limit })
}

/// A share, from 0 to 1.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a number from 0 to 1, such as 0.25".to_owned())
}

/// `key=value,key=value` with percent-encoded values: W3C Baggage (<https://www.w3.org/TR/baggage/>) without its
/// properties. Errors name keys, and show no value.
pub(super) fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let members = text.split(',').map(str::trim).filter(|member| !member.is_empty());
    members.enumerate().map(|(index, member)| pair(index + 1, member)).collect()
}

fn pair(number: usize, member: &str) -> Result<(String, String), String> {
    let split = member.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
    let Some((key, value)) = split.filter(|(key, _)| !key.is_empty()) else {
        return Err(format!(
            "part {number} is no key=value; expected key1=value1,key2=value2, with commas in values written as %2C"
        ));
    };
    let decoded = percent_decoded(value)
        .ok_or_else(|| format!("the value of {key} is not percent-encoded UTF-8; write % as %25"))?;
    let key = percent_decoded(key).ok_or_else(|| format!("the key {key} is not percent-encoded UTF-8"))?;
    Ok((key, decoded))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let value = digit()? * 16 + digit()?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_pairs() {
        let check = |text: &str, expected: &[(&str, &str)]| {
            let expected = expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            assert_eq!(pairs(text), Ok(expected.collect()), "{text}");
        };
        check("", &[]);
        check("a=1", &[("a", "1")]);
        check(" a = 1 , b=2,", &[("a", "1"), ("b", "2")]);
        check("authorization=Basic%20cGs6c2s%3D", &[("authorization", "Basic cGs6c2s=")]);
        check("authorization=Basic cGs6c2s=", &[("authorization", "Basic cGs6c2s=")]);
        check("a=1+1", &[("a", "1+1")]);
        check("a=%2C%3b%C3%A9", &[("a", ",;é")]);
        check("a=", &[("a", "")]);
    }

    #[test]
    fn a_wrong_list_is_refused_without_showing_its_values() {
        for wrong in [
            "hunter2",
            "a=1,hunter2",
            "=hunter2",
            "a=hunter2%",
            "a=hunter2%4",
            "a=hunter2%zz",
            "a=hunter2%FF",
        ] {
            let message = pairs(wrong).unwrap_err();
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
