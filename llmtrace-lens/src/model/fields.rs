//! Reading config.json with errors that name the field.

use std::path::Path;

use serde_json::{Map, Value};

use crate::error::LoadError;

/// The fields of config.json, or of an object in it.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    path: &'a Path,
    values: &'a Map<String, Value>,
}

/// The largest count that a field may state: what is larger is no model but a broken file.
const LARGEST: u64 = 1 << 31;

impl<'a> Fields<'a> {
    pub(crate) fn new(path: &'a Path, values: &'a Map<String, Value>) -> Self {
        Self { path, values }
    }

    pub(crate) fn path(&self) -> &'a Path {
        self.path
    }

    /// The value of the first of these names that is there and not null: transformers has renamed some.
    pub(crate) fn value(&self, names: &[&str]) -> Option<&'a Value> {
        names.iter().filter_map(|name| self.values.get(*name)).find(|value| !value.is_null())
    }

    pub(crate) fn object(&self, names: &[&str]) -> Option<Fields<'a>> {
        self.value(names)?.as_object().map(|values| Fields { path: self.path, values })
    }

    pub(crate) fn text(&self, names: &[&str]) -> Option<&'a str> {
        self.value(names)?.as_str()
    }

    pub(crate) fn flag(&self, names: &[&str], default: bool) -> bool {
        self.value(names).and_then(Value::as_bool).unwrap_or(default)
    }

    /// A positive whole number.
    pub(crate) fn count(&self, names: &[&str]) -> Result<usize, LoadError> {
        self.count_or_none(names)?.ok_or_else(|| self.wrong(names, "is missing"))
    }

    pub(crate) fn count_or_none(&self, names: &[&str]) -> Result<Option<usize>, LoadError> {
        let Some(value) = self.value(names) else { return Ok(None) };
        let count = value.as_u64().filter(|count| (1..=LARGEST).contains(count));
        let count = count.and_then(|count| usize::try_from(count).ok());
        count.map(Some).ok_or_else(|| {
            self.wrong(names, &format!("is {value}, expected a whole number from 1 to {LARGEST}"))
        })
    }

    /// A finite number.
    pub(crate) fn number(&self, names: &[&str]) -> Result<Option<f64>, LoadError> {
        let Some(value) = self.value(names) else { return Ok(None) };
        value
            .as_f64()
            .filter(|number| number.is_finite())
            .map(Some)
            .ok_or_else(|| self.wrong(names, &format!("is {value}, expected a number")))
    }

    pub(crate) fn wrong(&self, names: &[&str], problem: &str) -> LoadError {
        self.invalid(format!("{:?} {problem}", names.join("\" or \"")))
    }

    pub(crate) fn invalid(&self, problem: String) -> LoadError {
        LoadError::Format { path: self.path.to_owned(), problem }
    }
}
