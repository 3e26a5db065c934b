//! Reading config.json with errors that name the field.

use std::path::Path;

use serde_json::{Map, Value};

use crate::error::LoadError;

/// The fields of config.json, or of an object in it.
///
/// Fields are asked for by every name that transformers has had for them; null is as good as absent unless a method says so.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    path: &'a Path,
    values: &'a Map<String, Value>,
}

/// The largest count that a field may state: what is larger is no model but a broken file.
const LARGEST: usize = 1 << 31;

/// How much of a wrong value an error repeats, in characters.
const SHOWN: usize = 60;

impl<'a> Fields<'a> {
    pub(crate) fn new(path: &'a Path, values: &'a Map<String, Value>) -> Self {
        Self { path, values }
    }

    pub(crate) fn path(&self) -> &'a Path {
        self.path
    }

    /// The value of the first of these names that is there and not null.
    pub(crate) fn value(&self, names: &[&str]) -> Option<&'a Value> {
        names.iter().filter_map(|name| self.values.get(*name)).find(|value| !value.is_null())
    }

    /// An object that has fields.
    pub(crate) fn object(&self, names: &[&str]) -> Result<Option<Fields<'a>>, LoadError> {
        let object = self.read(names, "an object", Value::as_object)?;
        Ok(object.filter(|values| !values.is_empty()).map(|values| Fields { path: self.path, values }))
    }

    pub(crate) fn text(&self, names: &[&str]) -> Result<Option<&'a str>, LoadError> {
        self.read(names, "a text", Value::as_str)
    }

    pub(crate) fn list(&self, names: &[&str]) -> Result<Option<&'a Vec<Value>>, LoadError> {
        self.read(names, "a list", Value::as_array)
    }

    pub(crate) fn flag(&self, names: &[&str], default: bool) -> Result<bool, LoadError> {
        Ok(self.read(names, "true or false", Value::as_bool)?.unwrap_or(default))
    }

    /// A positive whole number.
    pub(crate) fn count(&self, names: &[&str]) -> Result<usize, LoadError> {
        self.count_or_none(names)?.ok_or_else(|| self.wrong(names, "is missing"))
    }

    pub(crate) fn count_or_none(&self, names: &[&str]) -> Result<Option<usize>, LoadError> {
        self.whole(names, 1, LARGEST)
    }

    /// A whole number from `least` to `most`.
    pub(crate) fn whole(
        &self,
        names: &[&str],
        least: usize,
        most: usize,
    ) -> Result<Option<usize>, LoadError> {
        let whole = |value: &Value| {
            let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
            count.filter(|count| (least..=most).contains(count))
        };
        self.read(names, &format!("a whole number from {least} to {most}"), whole)
    }

    /// A positive whole number that is `default` where it is not stated, and none where it is null.
    pub(crate) fn count_unless_null(&self, name: &str, default: usize) -> Result<Option<usize>, LoadError> {
        Ok(self.count_or_none(&[name])?.or_else(|| self.absent(name).then_some(default)))
    }

    /// A number above 0.
    pub(crate) fn positive(&self, names: &[&str]) -> Result<Option<f64>, LoadError> {
        self.read(names, "a number above 0", |value| value.as_f64().filter(|number| *number > 0.0))
    }

    /// A number above 0 that is `default` where it is not stated, and none where it is null.
    pub(crate) fn positive_unless_null(
        &self,
        name: &str,
        default: Option<f64>,
    ) -> Result<Option<f64>, LoadError> {
        Ok(self.positive(&[name])?.or_else(|| default.filter(|_| self.absent(name))))
    }

    /// What a norm adds to what it divides by.
    pub(crate) fn epsilon(&self, name: &str, default: f64) -> Result<f64, LoadError> {
        let epsilon =
            |value: &Value| value.as_f64().filter(|number| (0.0..=f64::from(f32::MAX)).contains(number));
        Ok(self.read(&[name], "a number from 0 on, in the range of f32", epsilon)?.unwrap_or(default))
    }

    /// A number from 0 to 1.
    pub(crate) fn share(&self, names: &[&str]) -> Result<Option<f64>, LoadError> {
        let share = |value: &Value| value.as_f64().filter(|number| (0.0..=1.0).contains(number));
        self.read(names, "a number from 0 to 1", share)
    }

    /// The error that a field is wrong.
    pub(crate) fn wrong(&self, names: &[&str], problem: &str) -> LoadError {
        let stated: Vec<&str> =
            names.iter().copied().filter(|name| self.value(&[name]).is_some()).take(1).collect();
        let names = if stated.is_empty() { names } else { &stated };
        let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
        let problem = format!("{} {problem}", names.join(" or "));
        LoadError::Format { path: self.path.to_owned(), problem }
    }

    /// The error that a field has not the value that is expected.
    pub(crate) fn unexpected(&self, names: &[&str], value: &Value, expected: &str) -> LoadError {
        self.wrong(names, &format!("is {}, expected {expected}", shown(value)))
    }

    fn absent(&self, name: &str) -> bool {
        !self.values.contains_key(name)
    }

    fn read<T>(
        &self,
        names: &[&str],
        expected: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, LoadError> {
        let Some(value) = self.value(names) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| self.unexpected(names, value, expected))
    }
}

/// The beginning of a value.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
