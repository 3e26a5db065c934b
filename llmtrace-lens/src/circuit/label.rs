//! What features mean, in a file that a person edits.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::LoadError;
use crate::model::json_file;

/// The most bytes of a file of labels.
const FILE_BYTES: u64 = 16 << 20;

/// The most characters of a label.
const LABEL_CHARS: usize = 200;

/// What features mean: a label for each of some.
///
/// In a file each is a line: the layer, the feature, the label. Empty lines and those that begin with `#` are for people.
///
/// ```
/// use llmtrace_lens::circuit::Labels;
///
/// let labels: Labels = "# of toy-relu\nL1 F181 Texas\nL2 F325 say Austin\n".parse()?;
/// assert_eq!(labels.of(2, 325), Some("say Austin"));
/// # Ok::<(), llmtrace_lens::circuit::LabelError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(BTreeMap<(usize, usize), String>);

/// Why a text is no labels.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabelError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] LoadError),
    /// A line is none.
    #[error(
        "{}line {line}: {problem}; expected a layer, a feature and what it means: L1 F181 Texas",
        shown(path)
    )]
    Line {
        /// The file; empty where the text is of none.
        path: PathBuf,
        /// The line's number, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A feature has two labels.
    #[error(
        "{}line {line}: L{layer} F{feature} has a label in line {first} already; one is enough",
        shown(path)
    )]
    Twice {
        /// The file; empty where the text is of none.
        path: PathBuf,
        /// The line of the second, from 1.
        line: usize,
        /// That of the first.
        first: usize,
        /// The feature's layer.
        layer: usize,
        /// Which of the layer's.
        feature: usize,
    },
}

impl Labels {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, a line is no label, or a feature has two.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, LabelError> {
        let path = path.as_ref();
        let bytes = json_file::bytes(path, FILE_BYTES)?;
        let text = String::from_utf8(bytes).map_err(|_| LoadError::Format {
            path: path.to_owned(),
            problem: "is no UTF-8, which a file of labels is".to_owned(),
        })?;
        parsed(path, &text)
    }

    /// What a feature means, where somebody said so.
    pub fn of(&self, layer: usize, feature: usize) -> Option<&str> {
        self.0.get(&(layer, feature)).map(String::as_str)
    }

    /// Says what a feature means.
    #[must_use]
    pub fn with(mut self, layer: usize, feature: usize, label: impl Into<String>) -> Self {
        self.0.insert((layer, feature), label.into());
        self
    }

    /// How many features have one.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Layers, features and labels, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize, &str)> {
        self.0.iter().map(|((layer, feature), label)| (*layer, *feature, label.as_str()))
    }
}

impl FromStr for Labels {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        parsed(Path::new(""), text)
    }
}

/// The file's lines.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|(layer, feature, label)| writeln!(f, "L{layer} F{feature} {label}"))
    }
}

/// An object of labels by feature: `{"L1 F181": "Texas"}`.
impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_map(self.iter().map(|(layer, feature, label)| (format!("L{layer} F{feature}"), label)))
    }
}

fn parsed(path: &Path, text: &str) -> Result<Labels, LabelError> {
    let mut labels = Labels::default();
    let mut lines: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let (line, number) = (line.trim(), at + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let ((layer, feature), label) = label(line).map_err(|problem| LabelError::Line {
            path: path.to_owned(),
            line: number,
            problem,
        })?;
        if let Some(first) = lines.insert((layer, feature), number) {
            return Err(LabelError::Twice { path: path.to_owned(), line: number, first, layer, feature });
        }
        labels.0.insert((layer, feature), label.to_owned());
    }
    Ok(labels)
}

/// A line's feature and label.
fn label(line: &str) -> Result<((usize, usize), &str), String> {
    let number = |word: &str, letter: char| {
        let digits = word.strip_prefix([letter, letter.to_ascii_lowercase()]);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        digits.and_then(|digits| digits.parse().ok())
    };
    let cut = |text: &str| text.chars().take(40).collect::<String>();
    let mut words = line.splitn(2, char::is_whitespace);
    let layer = words.next().unwrap_or_default();
    let rest = words.next().unwrap_or_default().trim_start();
    let (feature, label) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let at = number(layer, 'L').ok_or_else(|| format!("{:?} is no layer", cut(layer)))?;
    let feature = number(feature, 'F').ok_or_else(|| format!("{:?} is no feature", cut(feature)))?;
    let label = label.trim();
    if label.is_empty() {
        return Err("there is no label".to_owned());
    }
    if label.chars().any(char::is_control) {
        return Err("a label has no control characters".to_owned());
    }
    if label.chars().nth(LABEL_CHARS).is_some() {
        return Err(format!("a label has at most {LABEL_CHARS} characters"));
    }
    Ok(((at, feature), label))
}

fn shown(path: &Path) -> String {
    if path.as_os_str().is_empty() { String::new() } else { format!("{}: ", path.display()) }
}
