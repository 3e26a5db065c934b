//! The attributes of a span as they came, found by name and by what their names begin with.

use llmtrace::Value;

use super::raw::Pair;

/// Attributes in their order, of which some are taken out as they are understood.
pub(super) struct Received {
    entries: Vec<(String, Option<Value>)>,
    /// The places of the entries, by name.
    by_name: Vec<u32>,
}

impl Received {
    /// Of attributes with the same name the last stands; those without a name are left out.
    pub(super) fn new(pairs: Vec<Pair>) -> Self {
        let entries: Vec<_> = pairs.into_iter().map(|(key, value)| (key, Some(value))).collect();
        let places = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        let mut received = Self { by_name: (0..places).collect(), entries };
        let Self { entries, by_name } = &mut received;
        let name = |place: u32| entries.get(place as usize).map_or("", |(name, _)| name.as_str());
        // The last of a name comes first.
        by_name.sort_by(|a, b| name(*a).cmp(name(*b)).then(b.cmp(a)));
        let mut dead = Vec::new();
        by_name.dedup_by(|later, kept| {
            let is_same = name(*later) == name(*kept);
            dead.extend(is_same.then_some(*later));
            is_same
        });
        for place in dead {
            if let Some((_, value)) = entries.get_mut(place as usize) {
                *value = None;
            }
        }
        received.take("");
        received
    }

    fn name(&self, place: u32) -> &str {
        self.entries.get(place as usize).map_or("", |(name, _)| name)
    }

    fn slot(&self, name: &str) -> Option<usize> {
        let found = self.by_name.binary_search_by(|place| self.name(*place).cmp(name)).ok()?;
        self.by_name.get(found).map(|place| *place as usize)
    }

    /// The value of an attribute.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.entries.get(self.slot(name)?)?.1.as_ref()
    }

    /// The value of an attribute, if it is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Takes an attribute out.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let slot = self.slot(name)?;
        self.entries.get_mut(slot)?.1.take()
    }

    /// Gives an attribute that came a value, in its place.
    pub(super) fn put(&mut self, name: &str, value: Value) {
        let entry = self.slot(name).and_then(|slot| self.entries.get_mut(slot));
        if let Some((_, slot)) = entry {
            *slot = Some(value);
        }
    }

    fn range(&self, prefix: &str) -> &[u32] {
        let start = self.by_name.partition_point(|place| self.name(*place) < prefix);
        let rest = self.by_name.get(start..).unwrap_or_default();
        let length = rest.partition_point(|place| self.name(*place).starts_with(prefix));
        rest.get(..length).unwrap_or_default()
    }

    /// The attributes whose names begin with `prefix`, by name: what follows it, and the value.
    pub(super) fn below<'s>(&'s self, prefix: &'s str) -> impl Iterator<Item = (&'s str, &'s Value)> {
        self.range(prefix).iter().filter_map(move |place| {
            let (name, value) = self.entries.get(*place as usize)?;
            Some((name.strip_prefix(prefix)?, value.as_ref()?))
        })
    }

    /// Whether an attribute's name begins so.
    pub(super) fn has_below(&self, prefix: &str) -> bool {
        self.below(prefix).next().is_some()
    }

    /// Takes out the attributes whose names begin with `prefix`, by name: what follows it, and the value.
    pub(super) fn take_below(&mut self, prefix: &str) -> Vec<Pair> {
        let places = self.range(prefix).to_vec();
        let mut taken = Vec::new();
        for place in places {
            if let Some((name, value)) = self.entries.get_mut(place as usize)
                && let Some(value) = value.take()
                && let Some(rest) = name.strip_prefix(prefix)
            {
                taken.push((rest.to_owned(), value));
            }
        }
        taken
    }

    /// What was not taken out, in the order in which it came.
    pub(super) fn left(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_ref()?)))
    }

    /// As [`left`](Self::left), for good.
    pub(super) fn into_left(self) -> impl Iterator<Item = Pair> {
        self.entries.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(pairs: &[(&str, i64)]) -> Received {
        Received::new(pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect())
    }

    #[test]
    fn attributes_are_found_by_name_and_by_prefix() {
        let mut all = received(&[("b.1", 1), ("a", 2), ("", 9), ("b.0", 3), ("a", 4), ("b", 5), ("c", 6)]);
        assert_eq!(all.get("a"), Some(&Value::from(4)));
        assert_eq!(all.get("x"), None);
        assert_eq!(all.get(""), None);
        let below: Vec<_> = all.below("b.").map(|(rest, value)| (rest, value.as_i64())).collect();
        assert_eq!(below, [("0", Some(3)), ("1", Some(1))]);
        assert_eq!(all.take("b.1"), Some(Value::from(1)));
        assert_eq!(all.take("b.1"), None);
        all.put("c", Value::from(7));
        assert_eq!(all.take_below("b."), [("0".to_owned(), Value::from(3))]);
        assert!(!all.has_below("b."));
        let left: Vec<_> = all.into_left().map(|(name, value)| (name, value.as_i64())).collect();
        assert_eq!(left, [("a".to_owned(), Some(4)), ("b".to_owned(), Some(5)), ("c".to_owned(), Some(7))]);
    }
}
