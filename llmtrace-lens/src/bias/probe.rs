//! Counterfactual prompts, and how they are compared.

use serde::{Deserialize, Serialize};

use super::attribute::Attribute;
use super::correction::Correction;
use super::error::BiasError;
use super::interval::Interval;
use super::report::BiasReport;
use super::scores::Scores;
use crate::explain::IntoScore;

/// Where a term stands in a template.
pub(super) const SLOT: &str = "{}";

/// Prompts that differ in one attribute alone: each template with each term of each group in the place of `{}`.
///
/// A score of each prompt, of a local model or of any function, tells whether the groups are treated alike.
///
/// ```
/// use llmtrace_lens::bias::{Attribute, Probe};
///
/// # fn ask(prompt: &str) -> f64 { prompt.len() as f64 * 0.01 + f64::from(u8::from(prompt.contains("he "))) }
/// let attribute = Attribute::unpaired([
///     ("men", vec!["Adam", "Ben", "Carl", "Dan"]),
///     ("women", vec!["Ann", "Bea", "Clara", "Dora"]),
/// ]);
/// let probe = Probe::new(["{} works as a", "people say that {} is a"], attribute)?;
/// let report = probe.run(|prompt| ask(prompt))?;
/// println!("{report}");
/// assert!(!report.comparisons[0].is_established, "no names of men and women differ to this function");
/// # Ok::<(), llmtrace_lens::bias::BiasError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Probe {
    pub(super) templates: Vec<String>,
    pub(super) attribute: Attribute,
    pub(super) settings: Settings,
}

/// How scores are compared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Settings {
    /// What is counted as one observation.
    pub over: Over,
    /// How intervals are found.
    pub interval: Interval,
    /// How p-values are corrected for all comparisons of a report.
    pub correction: Correction,
    /// The level of intervals; a difference is established where its corrected p-value is at most 1 less this.
    pub confidence: f64,
    /// Smaller differences count as none: numbers of f32 are no more exact.
    pub least_difference: f64,
    /// Where random choices begin.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            over: Over::default(),
            interval: Interval::default(),
            correction: Correction::default(),
            confidence: 0.95,
            least_difference: 1e-4,
            seed: 0,
        }
    }
}

/// What is counted as one observation; what is not is averaged first, so that nothing is counted twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Over {
    /// Templates where there are more of them than of the smaller group's terms, else terms.
    #[default]
    Larger,
    /// Terms: the finding holds for other names of such groups, in these templates.
    Terms,
    /// Templates, in which groups are compared as pairs: the finding holds for other such templates, with these terms.
    Templates,
}

/// One prompt of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counterfactual {
    /// The number of its template.
    pub template: usize,
    /// The number of its group.
    pub group: usize,
    /// The number of its term in the group.
    pub term: usize,
    /// The prompt.
    pub prompt: String,
}

impl Probe {
    /// Templates with `{}` where a term goes, and the groups of terms.
    ///
    /// # Errors
    /// There is no template, one has no `{}`, or the groups cannot be compared.
    pub fn new<T: Into<String>>(
        templates: impl IntoIterator<Item = T>,
        attribute: Attribute,
    ) -> Result<Self, BiasError> {
        attribute.check()?;
        let templates: Vec<String> = templates.into_iter().map(Into::into).collect();
        if templates.is_empty() {
            return Err(BiasError::Input(
                "there is no template: give one such as \"the {} works as a\"".into(),
            ));
        }
        for (at, template) in templates.iter().enumerate() {
            if !template.contains(SLOT) {
                return Err(BiasError::Input(format!(
                    "the template {template:?} has no {SLOT}, where a term goes"
                )));
            }
            if templates.iter().take(at).any(|other| other == template) {
                return Err(BiasError::Input(format!("the template {template:?} is given twice")));
            }
        }
        Ok(Self { templates, attribute, settings: Settings::default() })
    }

    /// What is counted as one observation; the larger number of terms and templates unless told otherwise.
    pub fn over(mut self, over: Over) -> Self {
        self.settings.over = over;
        self
    }

    /// How intervals are found; Student's unless told otherwise.
    pub fn interval(mut self, interval: Interval) -> Self {
        self.settings.interval = interval;
        self
    }

    /// How p-values are corrected; as Holm does unless told otherwise.
    pub fn correction(mut self, correction: Correction) -> Self {
        self.settings.correction = correction;
        self
    }

    /// The level of intervals, between 0.5 and 0.9999; 0.95 unless told otherwise.
    pub fn confidence(mut self, confidence: f64) -> Self {
        self.settings.confidence = if confidence.is_nan() { 0.95 } else { confidence.clamp(0.5, 0.9999) };
        self
    }

    /// Differences below this count as none; 0.0001 unless told otherwise.
    pub fn least_difference(mut self, least: f64) -> Self {
        self.settings.least_difference = least.max(0.0);
        self
    }

    /// Where random choices begin; 0 unless told otherwise. The same seed gives the same report.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// The templates.
    pub fn templates(&self) -> &[String] {
        &self.templates
    }

    /// The groups of terms.
    pub fn attribute(&self) -> &Attribute {
        &self.attribute
    }

    /// How scores are compared.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Every prompt, by group, term and template.
    pub fn prompts(&self) -> impl Iterator<Item = Counterfactual> {
        let groups = self.attribute.groups().iter().enumerate();
        groups.flat_map(move |(group, terms)| {
            terms.terms.iter().enumerate().flat_map(move |(term, text)| {
                self.templates.iter().enumerate().map(move |(template, with)| Counterfactual {
                    template,
                    group,
                    term,
                    prompt: with.replace(SLOT, text),
                })
            })
        })
    }

    /// Scores every prompt once, and compares the groups two by two.
    ///
    /// The function returns a number, a `bool`, or a `Result` of these; a remote model is asked as often as there are prompts.
    ///
    /// # Errors
    /// The function failed, or gave a number that is not finite.
    pub fn run<S: IntoScore>(&self, mut score: impl FnMut(&str) -> S) -> Result<BiasReport, BiasError> {
        self.run_each(&["score"], |prompt, _| score(prompt))
    }

    /// The same for several targets: `score` is asked for each prompt and each of them, and p-values are corrected for all.
    ///
    /// # Errors
    /// As for [`run`](Self::run); or there is no target.
    pub fn run_each<T: AsRef<str>, S: IntoScore>(
        &self,
        targets: &[T],
        mut score: impl FnMut(&str, &str) -> S,
    ) -> Result<BiasReport, BiasError> {
        let mut all = Vec::with_capacity(targets.len());
        for target in targets {
            let mut scores = Vec::new();
            for one in self.prompts() {
                let scored = score(&one.prompt, target.as_ref()).into_score();
                scores.push(
                    scored
                        .map(|scored| scored.value)
                        .map_err(|message| BiasError::Score { prompt: one.prompt.clone(), message })?,
                );
            }
            all.push(Scores::new(self, target.as_ref(), scores)?);
        }
        BiasReport::of(self, all)
    }
}
