use super::token;

/// The names along one side of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    name: String,
    labels: Vec<String>,
    is_numbered: bool,
}

impl Axis {
    /// Names as they are: components, layers, parts of a prompt.
    pub fn named<L: AsRef<str>>(name: impl Into<String>, labels: impl IntoIterator<Item = L>) -> Self {
        let labels = labels.into_iter().map(|label| token::visible(label.as_ref())).collect();
        Self { name: name.into(), labels, is_numbered: false }
    }

    /// Tokens with their positions; what cannot be seen of them is made visible.
    pub fn tokens<T: AsRef<str>>(name: impl Into<String>, tokens: impl IntoIterator<Item = T>) -> Self {
        Self { is_numbered: true, ..Self::named(name, tokens) }
    }

    /// `prefix` with numbers from 0, as in L0, L1, L2.
    pub fn counted(name: impl Into<String>, prefix: &str, count: usize) -> Self {
        Self {
            name: name.into(),
            labels: (0..count).map(|number| format!("{prefix}{number}")).collect(),
            is_numbered: false,
        }
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// What the names are of.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names, in order.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Whether places have numbers beside their names, as names may repeat.
    pub(super) fn is_numbered(&self) -> bool {
        self.is_numbered
    }

    /// The name of a place; past the end its number.
    pub(super) fn label(&self, place: usize) -> String {
        self.labels.get(place).cloned().unwrap_or_else(|| place.to_string())
    }

    /// The name of a place, with its number where names may repeat.
    pub(super) fn place(&self, place: usize) -> String {
        let label = self.label(place);
        if self.is_numbered { format!("{label} ({place})") } else { label }
    }
}
