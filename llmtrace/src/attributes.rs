//! The ordered set of attributes of a span or an event.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::Value;

/// Attributes in the order of their first writing; the last value written to a key wins.
///
/// ```
/// use llmtrace::Attributes;
///
/// let mut attributes = Attributes::default();
/// attributes.set("retry", 1);
/// attributes.set("retry", 2);
/// assert_eq!(attributes.get("retry").and_then(|value| value.as_i64()), Some(2));
/// assert_eq!(attributes.len(), 1);
/// ```
#[derive(Clone, Default)]
pub struct Attributes {
    entries: Vec<(Cow<'static, str>, Value)>,
    /// Of every key there is, and perhaps of some that were taken out.
    keys: KeyFilter,
}

/// More than this many are collected by a table of their keys: looking through all for each takes too long.
const MANY: usize = 128;

impl Attributes {
    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.position(key).and_then(|at| self.entries.get(at)).map(|(_, value)| value)
    }

    /// The value of `key`, if it is a text.
    pub fn get_str(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str)
    }

    /// Sets `key`; what was there is replaced.
    pub fn set(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        let (key, value) = (key.into(), value.into());
        match self.position(&key).and_then(|at| self.entries.get_mut(at)) {
            Some((_, slot)) => *slot = value,
            None => self.push(key, value),
        }
    }

    /// Sets `key` where it has no value yet.
    pub fn set_default(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        let key = key.into();
        if self.position(&key).is_none() {
            self.push(key, value.into());
        }
    }

    /// Takes `key` out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.position(key)?;
        Some(self.entries.remove(at).1)
    }

    /// All attributes in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(key, value)| (&**key, value))
    }

    /// All attributes in order, their values to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&Cow<'static, str>, &mut Value)> {
        self.entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// Has the keys changed that the program made itself.
    pub(crate) fn rename(&mut self, mut rename: impl FnMut(&mut String)) {
        for (key, _) in &mut self.entries {
            if let Cow::Owned(key) = key {
                rename(key);
                self.keys.add(key);
            }
        }
    }

    /// Room for so many.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { entries: Vec::with_capacity(capacity), keys: KeyFilter::default() }
    }

    /// Takes all out and keeps the room.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.keys = KeyFilter::default();
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn position(&self, key: &str) -> Option<usize> {
        if !self.keys.may_hold(key) {
            return None;
        }
        self.entries.iter().position(|(name, _)| name == key)
    }

    fn push(&mut self, key: Cow<'static, str>, value: Value) {
        self.keys.add(&key);
        self.entries.push((key, value));
    }
}

impl PartialEq for Attributes {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Into<Cow<'static, str>>, V: Into<Value>> FromIterator<(K, V)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut attributes = Self::default();
        let mut places = HashMap::new();
        for (key, value) in entries {
            let (key, value) = (key.into(), value.into());
            if attributes.len() < MANY {
                attributes.set(key, value);
                continue;
            }
            if places.is_empty() {
                places.extend(attributes.entries.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)));
            }
            match places.entry(key) {
                Entry::Occupied(place) => {
                    if let Some((_, slot)) = attributes.entries.get_mut(*place.get()) {
                        *slot = value;
                    }
                }
                Entry::Vacant(place) => {
                    attributes.push(place.key().clone(), value);
                    place.insert(attributes.len() - 1);
                }
            }
        }
        attributes
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in &self.entries {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// Remembers of each key one bit of 128: enough to say of most keys that they are new.
#[derive(Clone, Copy, Default)]
struct KeyFilter(u128);

impl KeyFilter {
    /// Whether the key may have been added. `false` is certain.
    #[inline]
    fn may_hold(self, key: &str) -> bool {
        self.0 & bit(key) != 0
    }

    /// Adds a key.
    #[inline]
    fn add(&mut self, key: &str) {
        self.0 |= bit(key);
    }
}

/// The bit of a key, by its length and its end: keys of one namespace begin alike.
#[inline]
fn bit(key: &str) -> u128 {
    /// Odd, with bits all over (2^64 divided by the golden ratio).
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
    let bytes = key.as_bytes();
    let end = match bytes.last_chunk::<8>() {
        Some(end) => u64::from_le_bytes(*end),
        None => bytes.iter().fold(0, |end, byte| end << 8 | u64::from(*byte)),
    };
    let mixed = (end ^ (bytes.len() as u64).wrapping_mul(SPREAD)).wrapping_mul(SPREAD);
    1 << (mixed >> 57)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_may_be_there_and_most_else_is_not() {
        let known: Vec<_> = (0..16).map(|n| format!("gen_ai.usage.known_{n}")).collect();
        let mut filter = KeyFilter::default();
        known.iter().map(String::as_str).chain(["", "id"]).for_each(|key| filter.add(key));
        assert!(known.iter().all(|key| filter.may_hold(key)) && filter.may_hold("") && filter.may_hold("id"));
        let new = (0..1000).filter(|n| !filter.may_hold(&format!("gen_ai.request.other{n}"))).count();
        assert!(new > 700, "{new} of 1000 keys are known to be new");
        assert!(!KeyFilter::default().may_hold("id"));
    }

    #[test]
    fn many_that_are_collected_are_as_if_set_one_by_one() {
        let check = |keys: usize, pairs: usize| {
            let pairs = || (0..pairs).map(|n| (format!("key{}", n * 7 % keys), i64::try_from(n).unwrap()));
            let mut set = Attributes::default();
            pairs().for_each(|(key, value)| set.set(key, value));
            assert_eq!(pairs().collect::<Attributes>(), set, "{keys} keys");
        };
        for (keys, pairs) in [(1, 300), (MANY - 1, 300), (MANY, 300), (MANY + 1, 300), (299, 900)] {
            check(keys, pairs);
        }
    }
}
