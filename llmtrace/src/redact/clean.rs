//! Short values that were found clean, so that the same model's name is not looked at in every call.

/// The last values in which nothing was found, each under the name of its attribute.
#[derive(Debug)]
pub(crate) struct Clean(Vec<(&'static str, String)>);

/// Values that are remembered; each has one place where it can be.
const PLACES: usize = 128;

/// Longest value that is remembered, in bytes: names of models, providers and places. Ids are mostly longer, and new.
const MAX_BYTES: usize = 32;

impl Default for Clean {
    fn default() -> Self {
        Self(vec![("", String::new()); PLACES])
    }
}

impl Clean {
    /// Whether `value` was the last in its place that was found clean under `name`.
    pub(super) fn holds(&self, name: &'static str, value: &str) -> bool {
        value.len() <= MAX_BYTES
            && self.0.get(place(name, value)).is_some_and(|known| known.0 == name && known.1 == value)
    }

    /// Remembers a value.
    pub(super) fn add(&mut self, name: &'static str, value: &str) {
        if value.len() <= MAX_BYTES
            && let Some(known) = self.0.get_mut(place(name, value))
        {
            known.0 = name;
            known.1.clear();
            known.1.push_str(value);
        }
    }
}

/// The place of a value, by the ends and the lengths of name and value.
fn place(name: &str, value: &str) -> usize {
    /// Odd, with bits all over (2^64 divided by the golden ratio).
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
    let end = |text: &str| match text.as_bytes().last_chunk::<8>() {
        Some(end) => u64::from_le_bytes(*end),
        None => text.bytes().fold(0, |end, byte| end << 8 | u64::from(byte)),
    };
    let lengths = (name.len() as u64) << 8 | value.len() as u64;
    let mixed = (end(name).wrapping_mul(SPREAD) ^ end(value) ^ lengths.rotate_right(16)).wrapping_mul(SPREAD);
    let [.., top] = mixed.to_le_bytes();
    usize::from(top) % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_under_its_name_until_another_takes_its_place() {
        let mut clean = Clean::default();
        clean.add("gen_ai.request.model", "gpt-4o");
        assert!(clean.holds("gen_ai.request.model", "gpt-4o"));
        assert!(!clean.holds("gen_ai.request.model", "gpt-4o-mini"));
        assert!(!clean.holds("gen_ai.response.model", "gpt-4o"));
        let long = "x".repeat(MAX_BYTES + 1);
        clean.add("id", &long);
        assert!(!clean.holds("id", &long));
        (0..1000).for_each(|n| clean.add("id", &n.to_string()));
        assert!(clean.holds("id", "999") && !clean.holds("id", "0"));
    }
}
