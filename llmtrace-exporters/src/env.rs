//! The environment: the only place that reads it.

use std::collections::BTreeMap;
use std::env;

/// Whether the user wants no colour anywhere: `NO_COLOR` is set (<https://no-color.org>), or the terminal can
/// show none.
pub(crate) fn no_color() -> bool {
    let is = |name: &str, wanted: fn(&str) -> bool| {
        env::var_os(name).is_some_and(|value| wanted(&value.to_string_lossy()))
    };
    is("NO_COLOR", |value| !value.is_empty()) || is("TERM", |value| value == "dumb")
}

/// The width of the terminal, where `COLUMNS` states it.
pub(crate) fn columns() -> Option<usize> {
    env::var("COLUMNS").ok()?.parse().ok()
}

/// The variables as they were at one moment. A variable that is empty is as good as none, as OpenTelemetry has it.
pub(crate) struct Environment {
    variables: BTreeMap<String, Result<String, NotText>>,
}

/// The value of a variable is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotText;

impl Environment {
    /// The variables of this process.
    pub(crate) fn of_process() -> Self {
        let named = env::vars_os().filter_map(|(name, value)| {
            let value = value.into_string().map_err(|_| NotText);
            Some((name.into_string().ok()?, value))
        });
        Self { variables: named.collect() }
    }

    /// The value of a variable; `None` if it is not set or empty.
    pub(crate) fn variable(&self, name: &str) -> Result<Option<&str>, NotText> {
        match self.variables.get(name) {
            None => Ok(None),
            Some(Ok(value)) => Ok(Some(value.trim()).filter(|value| !value.is_empty())),
            Some(Err(not_text)) => Err(*not_text),
        }
    }

    /// The names of the variables that are set and not empty.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str).filter(|name| self.variable(name) != Ok(None))
    }
}

#[cfg(test)]
impl Environment {
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), Ok((*value).to_owned())));
        Self { variables: owned.collect() }
    }

    pub(crate) fn with_not_text(mut self, name: &str) -> Self {
        self.variables.insert(name.to_owned(), Err(NotText));
        self
    }
}
