//! What each part of a prompt did to the score.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Coverage, ExplainError, Fit, Masking, Meaning, Part, Parts, Solution, Spent};

/// What each part of a prompt did to the score. `Display` draws it as a table with signed bars; it serialises to JSON,
/// with the gap of its sum where it has one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Attribution {
    /// The method, in `snake_case`.
    pub method: String,
    /// What stood in place of masked parts.
    pub masking: Masking,
    /// Where random choices began.
    pub seed: u64,
    /// The parts in the order of the prompt, each with its value.
    pub parts: Vec<PartValue>,
    /// What the values say.
    #[serde(default)]
    pub meaning: Meaning,
    /// The score with every part masked; `None` where the method compares with no such prompt.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub base_value: Option<f64>,
    /// The score of the whole prompt.
    pub full_value: f64,
    /// How well a local model fits, where the method fits one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fit: Option<Fit>,
    /// How much of what the method is defined over was asked.
    pub coverage: Coverage,
    /// Calls, tokens and dollars that it took.
    pub spent: Spent,
    /// How long it took.
    pub seconds: f64,
}

/// A part and what it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PartValue {
    /// The part.
    #[serde(flatten)]
    pub part: Part,
    /// What it says, at its first place.
    pub text: String,
    /// What it did, as [`Attribution::meaning`] says: in units of the score, above 0 where it raised the score.
    pub value: f64,
    /// The standard error of the value, where the method samples and can tell.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub standard_error: Option<f64>,
}

impl Attribution {
    /// An attribution by a method of your own: a value for each part of the prompt. It has no base value and its full
    /// value is 0 until they are set.
    ///
    /// # Errors
    ///
    /// [`ExplainError::Mismatch`] where there are not as many values as parts.
    pub fn new(method: impl Into<String>, parts: &Parts, values: &[f64]) -> Result<Self, ExplainError> {
        if values.len() != parts.len() {
            return Err(ExplainError::Mismatch {
                what: "the attribution",
                found: values.len(),
                expected: parts.len(),
            });
        }
        let part = |(part, &value): (&Part, &f64)| {
            let text = parts.text_of(part).to_owned();
            PartValue { part: part.clone(), text, value, standard_error: None }
        };
        Ok(Self {
            method: method.into(),
            masking: parts.masking().clone(),
            seed: 0,
            parts: parts.iter().zip(values).map(part).collect(),
            meaning: Meaning::default(),
            base_value: None,
            full_value: 0.0,
            fit: None,
            coverage: Coverage::Whole,
            spent: Spent::default(),
            seconds: 0.0,
        })
    }

    /// The values, in the order of the prompt.
    pub fn values(&self) -> Vec<f64> {
        self.parts.iter().map(|part| part.value).collect()
    }

    /// The value of the part with this label.
    pub fn value_of(&self, label: &str) -> Option<f64> {
        self.parts.iter().find(|part| part.part.label == label).map(|part| part.value)
    }

    /// What the values leave unexplained: full value - base value - their sum. Shapley and Owen values leave nothing;
    /// LIME and leave-one-out do not promise to. `None` where there is no base value, and so no change to share out.
    pub fn sum_gap(&self) -> Option<f64> {
        let change = self.full_value - self.base_value?;
        Some(change - self.parts.iter().map(|part| part.value).sum::<f64>())
    }

    /// The `count` parts that raised the score most, the strongest first.
    pub fn top(&self, count: usize) -> Vec<&PartValue> {
        let mut parts: Vec<_> = self.parts.iter().collect();
        parts.sort_by(|a, b| b.value.total_cmp(&a.value));
        parts.truncate(count);
        parts
    }

    /// The `count` parts that lowered the score most, the strongest first.
    pub fn bottom(&self, count: usize) -> Vec<&PartValue> {
        let mut parts: Vec<_> = self.parts.iter().collect();
        parts.sort_by(|a, b| a.value.total_cmp(&b.value));
        parts.truncate(count);
        parts
    }

    pub(super) fn take(&mut self, solution: Solution) {
        let errors = solution.standard_errors.into_iter().flatten();
        for (part, error) in self.parts.iter_mut().zip(errors) {
            part.standard_error = Some(error);
        }
        self.fit = solution.fit;
        self.coverage = solution.coverage;
    }
}

impl Serialize for Attribution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Whole<'a> {
            #[serde(flatten, serialize_with = "Attribution::serialize")]
            fields: &'a Attribution,
            #[serde(skip_serializing_if = "Option::is_none")]
            sum_gap: Option<f64>,
        }
        Whole { fields: self, sum_gap: self.sum_gap() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Attribution {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}
