//! The attribute in which counterfactual prompts differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::error::BiasError;

/// Terms that stand for one value of the attribute: names of women, words for an origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What the group is called.
    pub name: String,
    /// Its terms, as they are put into a template.
    pub terms: Vec<String>,
}

/// Whether the terms of all groups stand one beside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pairing {
    /// The first term of one group is the counterpart of the first of another: `he` and `she`, `uncle` and `aunt`.
    Paired,
    /// Terms are samples of their groups: first names.
    Unpaired,
}

/// The attribute in which prompts differ: two or more groups of terms.
///
/// A file of one is an object of JSON, or of another format that serde reads:
///
/// ```
/// use llmtrace_lens::bias::{Attribute, Pairing};
///
/// let text = r#"{"paired": true, "groups": {"men": ["he", "uncle"], "women": ["she", "aunt"]}}"#;
/// let attribute: Attribute = serde_json::from_str(text)?;
/// assert_eq!(attribute.pairing(), Pairing::Paired);
/// assert_eq!(attribute.groups()[1].terms, ["she", "aunt"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    groups: Vec<Group>,
    pairing: Pairing,
}

impl Attribute {
    /// Groups whose terms are samples, in no order; they may be of different sizes.
    pub fn unpaired<T: Into<String>>(groups: impl IntoIterator<Item = (T, Vec<T>)>) -> Self {
        Self { groups: groups.into_iter().map(group).collect(), pairing: Pairing::Unpaired }
    }

    /// Groups whose terms stand one beside another; all of one size.
    pub fn paired<T: Into<String>>(groups: impl IntoIterator<Item = (T, Vec<T>)>) -> Self {
        Self { groups: groups.into_iter().map(group).collect(), pairing: Pairing::Paired }
    }

    /// The groups, in their order.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Whether their terms are counterparts.
    pub fn pairing(&self) -> Pairing {
        self.pairing
    }

    /// Refuses what cannot be compared: fewer than two groups, empty ones, a term twice, counterparts that are missing.
    pub(super) fn check(&self) -> Result<(), BiasError> {
        let refuse = |problem: String| Err(BiasError::Input(problem));
        if self.groups.len() < 2 {
            return refuse(format!("{} group of terms: at least two are compared", self.groups.len()));
        }
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        let mut names = BTreeSet::new();
        for group in &self.groups {
            if group.terms.is_empty() {
                return refuse(format!("group {:?} has no term", group.name));
            }
            if !names.insert(group.name.as_str()) {
                return refuse(format!("there are two groups {:?}", group.name));
            }
            for term in &group.terms {
                if let Some(other) = seen.insert(term, &group.name) {
                    return refuse(format!(
                        "the term {term:?} of group {:?} was in {other:?} before: each term stands for one group, once",
                        group.name
                    ));
                }
            }
        }
        let mut sizes = self.groups.iter().map(|group| (group.terms.len(), &group.name));
        let first = sizes.next();
        let other = sizes.find(|(size, _)| first.is_some_and(|(expected, _)| *size != expected));
        match (self.pairing, first, other) {
            (Pairing::Paired, Some((expected, one)), Some((size, name))) => refuse(format!(
                "paired groups have a term for each of the others': {one:?} has {expected} and {name:?} {size}"
            )),
            _ => Ok(()),
        }
    }
}

fn group<T: Into<String>>((name, terms): (T, Vec<T>)) -> Group {
    Group { name: name.into(), terms: terms.into_iter().map(Into::into).collect() }
}

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let File { paired, groups } = File::deserialize(deserializer)?;
        let pairing = if paired { Pairing::Paired } else { Pairing::Unpaired };
        Ok(Self { groups: groups.0, pairing })
    }
}

/// As it stands in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    paired: bool,
    groups: InOrder,
}

/// Groups in the order in which the format's reader gives them.
struct InOrder(Vec<Group>);

impl<'de> Deserialize<'de> for InOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(GroupsVisitor).map(Self)
    }
}

struct GroupsVisitor;

impl<'de> Visitor<'de> for GroupsVisitor {
    type Value = Vec<Group>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("groups of terms: a name and a list of texts each")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut groups = Vec::new();
        while let Some((name, terms)) = map.next_entry()? {
            groups.push(Group { name, terms });
        }
        Ok(groups)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_cannot_be_compared_are_refused() {
        let check = |text: &str, expected: Result<(), &str>| {
            let attribute: Attribute = serde_json::from_str(text).unwrap();
            let found = attribute.check().map_err(|error| error.to_string());
            match (found, expected) {
                (Ok(()), Ok(())) => {}
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, expected) => panic!("{found:?} is not {expected:?}"),
            }
        };
        check(r#"{"groups": {"a": ["x"], "b": ["y", "z"]}}"#, Ok(()));
        check(r#"{"groups": {"a": ["x"]}}"#, Err("at least two"));
        check(r#"{"groups": {"a": ["x"], "b": []}}"#, Err("\"b\" has no term"));
        check(r#"{"groups": {"a": ["x"], "b": ["x"]}}"#, Err("\"x\" of group \"b\" was in \"a\""));
        check(r#"{"groups": {"a": ["x"], "a": ["y"]}}"#, Err("two groups \"a\""));
        check(r#"{"paired": true, "groups": {"a": ["x"], "b": ["y", "z"]}}"#, Err("\"a\" has 1 and \"b\" 2"));
    }

    #[test]
    fn files_with_other_keys_are_refused() {
        let error = serde_json::from_str::<Attribute>(r#"{"group": {}}"#).unwrap_err().to_string();
        assert!(error.contains("unknown field `group`"), "{error}");
    }
}
