//! What tells the candidates' texts apart.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::calibration::{calibration_error, likeliest, log_loss, temperature, tempered};
use super::candidates::{Candidate, Candidates};
use super::error::OriginError;
use super::evidence::{Evidence, moments};
use super::logistic::Logistic;
use super::training::{Training, TrainingReport};
use super::typicality::{Classes, typicality};
use super::verdict::{Verdict, Why};

/// A classifier of texts by who wrote them, as [`Candidates`] read them.
///
/// It is plain data: save it as JSON with [`to_json`](Self::to_json), read it with [`from_json`](Self::from_json).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OriginClassifier {
    version: u32,
    candidates: Vec<Candidate>,
    classes: Vec<String>,
    fit: Fit,
    /// Of each text, how far it lies from its own class where it was not learned from.
    known_distances: Vec<f64>,
    training: Training,
    report: TrainingReport,
}

const VERSION: u32 = 1;

/// What is learned from some texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Fit {
    means: Vec<f64>,
    /// 0 for a feature that does not vary, which is left out.
    scales: Vec<f64>,
    logistic: Logistic,
    places: Classes,
}

impl OriginClassifier {
    /// Learns from texts of known origin.
    ///
    /// Origins are mostly candidates' names, but may be others, such as `human`. The texts should be about as long as those to be judged.
    ///
    /// # Errors
    /// Fewer than two origins, fewer than ten texts of one, fewer texts than `least_typicality` can tell anything from, evidence
    /// of other candidates, or settings that make no sense.
    pub fn train(
        candidates: &Candidates<'_>,
        corpus: &[(impl AsRef<str>, Evidence)],
        training: Training,
    ) -> Result<Self, OriginError> {
        let candidates: Vec<Candidate> = candidates.names().cloned().collect();
        let width = Evidence::width(candidates.len());
        if corpus.iter().any(|(_, evidence)| evidence.features.len() != width) {
            return Err(OriginError::Input("the corpus was read by other candidates".to_owned()));
        }
        let long: Vec<&(_, Evidence)> =
            corpus.iter().filter(|(_, evidence)| evidence.words >= training.least_words.max(1)).collect();
        let names: BTreeSet<&str> = long.iter().map(|(origin, _)| origin.as_ref()).collect();
        let classes: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let of: Vec<usize> = long
            .iter()
            .map(|(origin, _)| classes.partition_point(|class| class.as_str() < origin.as_ref()))
            .collect();
        training.check(long.iter().map(|(origin, _)| origin.as_ref()))?;
        let rows: Vec<Vec<f64>> = long.iter().map(|(_, evidence)| evidence.features.clone()).collect();

        let unseen = Unseen::of(&rows, &of, classes.len(), &training);
        let temperature = temperature(&unseen.logits, &of);
        let report = unseen.report(&of, classes.len(), temperature, &training, corpus.len() - long.len());
        let fit = Fit::of(&rows, &of, classes.len(), training.ridge);
        let mut known_distances = unseen.own_distances(&of);
        known_distances.sort_by(f64::total_cmp);
        Ok(Self { version: VERSION, candidates, classes, fit, known_distances, training, report })
    }

    /// Judges a text that its candidates have read.
    ///
    /// # Errors
    /// Evidence of other candidates.
    pub fn judge(&self, evidence: &Evidence) -> Result<Verdict, OriginError> {
        if evidence.features.len() != self.fit.means.len() {
            return Err(OriginError::Classifier(format!(
                "knows {} candidates: the text was read by others",
                self.candidates.len()
            )));
        }
        let row = self.fit.standardized(&evidence.features);
        let logits = self.fit.logistic.logits(&row);
        let shares = tempered(&[logits], self.report.temperature).pop().unwrap_or_default();
        let (class, confidence) = likeliest(&shares);
        let distance = self.fit.places.distances(&row).get(class).copied().unwrap_or(f64::INFINITY);
        let typicality = typicality(distance, self.known_distances.iter().copied());
        let why = said(&self.training, evidence.words, confidence, typicality);
        let mut probabilities: Vec<(String, f64)> = self.classes.iter().cloned().zip(shares).collect();
        probabilities.sort_by(|a, b| b.1.total_cmp(&a.1));
        let origin = probabilities.first().filter(|_| why == Why::Known).map(|(name, _)| name.clone());
        Ok(Verdict { origin, why, confidence, probabilities, typicality, words: evidence.words })
    }

    /// The origins it knows, in order.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The candidates that must read a text for it, in their order.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// How well it does on texts that it was not trained on.
    pub fn report(&self) -> &TrainingReport {
        &self.report
    }

    /// Refuses other candidates than those it was trained with.
    ///
    /// # Errors
    /// One is missing, of another shape, in another place, or another model of the same shape.
    pub fn check(&self, candidates: &Candidates<'_>) -> Result<(), OriginError> {
        let found: Vec<&Candidate> = candidates.names().collect();
        let pairs = || found.iter().zip(&self.candidates);
        if found.len() == self.candidates.len() && pairs().all(|(found, known)| found.looks_like(known)) {
            let Some((other, _)) = pairs().find(|(found, known)| !found.speaks_like(known)) else {
                return Ok(());
            };
            return Err(OriginError::Classifier(format!(
                "was trained with another model for {}: this one has its shape, but finds other words likely",
                other.name
            )));
        }
        let list = |all: &mut dyn Iterator<Item = &Candidate>| {
            let each = |one: &Candidate| {
                format!("{} ({}, {} layers of {})", one.name, one.family, one.layers, one.d_model)
            };
            all.map(each).collect::<Vec<_>>().join(", ")
        };
        Err(OriginError::Classifier(format!(
            "was trained with {}, in this order; found {}",
            list(&mut self.candidates.iter()),
            list(&mut found.into_iter())
        )))
    }

    /// The classifier as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A classifier from its JSON.
    ///
    /// # Errors
    /// No JSON of a classifier, one of a later version, or one whose parts do not fit together.
    pub fn from_json(json: &str) -> Result<Self, OriginError> {
        let read: Self = serde_json::from_str(json)
            .map_err(|error| OriginError::Classifier(format!("cannot be read: {error}")))?;
        if read.version != VERSION {
            return Err(OriginError::Classifier(format!(
                "is of version {}, expected {VERSION}",
                read.version
            )));
        }
        if let Some(problem) = read.training.problem() {
            return Err(OriginError::Classifier(problem));
        }
        if read.is_whole() {
            Ok(read)
        } else {
            Err(OriginError::Classifier("has parts that do not fit together".to_owned()))
        }
    }

    fn is_whole(&self) -> bool {
        let (classes, features) = (self.classes.len(), Evidence::width(self.candidates.len()));
        let fit = &self.fit;
        let rows = fit.logistic.weights.iter().chain(&fit.places.centres).chain(&fit.places.covariance);
        let mut rows = rows.chain([&fit.means, &fit.scales]);
        let counts = [fit.logistic.weights.len(), fit.places.centres.len(), fit.logistic.biases.len()];
        rows.all(|row| row.len() == features)
            && counts == [classes; 3]
            && fit.places.covariance.len() == features
            && classes > 1
            && self.report.temperature > 0.0
    }
}

impl Fit {
    fn of(rows: &[Vec<f64>], classes: &[usize], count: usize, ridge: f64) -> Self {
        let features = rows.first().map_or(0, Vec::len);
        let columns = (0..features)
            .map(|feature| rows.iter().filter_map(|row| row.get(feature).copied()).collect::<Vec<f64>>());
        let (means, scales): (Vec<f64>, Vec<f64>) = columns
            .map(|column| {
                let (mean, scale) = moments(&column);
                // What rounding alone makes vary says nothing.
                (mean, if scale > 1e-9 * mean.abs() { scale } else { 0.0 })
            })
            .unzip();
        let mut fit = Self {
            means,
            scales,
            logistic: Logistic { biases: Vec::new(), weights: Vec::new() },
            places: Classes::of(&[], &[], 0),
        };
        let rows: Vec<Vec<f64>> = rows.iter().map(|row| fit.standardized(row)).collect();
        fit.logistic = Logistic::fit(&rows, classes, count, ridge);
        fit.places = Classes::of(&rows, classes, count);
        fit
    }

    fn standardized(&self, features: &[f64]) -> Vec<f64> {
        let parts = features.iter().zip(&self.means).zip(&self.scales);
        parts.map(|((value, mean), scale)| if *scale > 0.0 { (value - mean) / scale } else { 0.0 }).collect()
    }
}

/// Judgements of texts by what was learned from others.
struct Unseen {
    logits: Vec<Vec<f64>>,
    /// From each class.
    distances: Vec<Vec<f64>>,
}

impl Unseen {
    fn of(rows: &[Vec<f64>], classes: &[usize], count: usize, training: &Training) -> Self {
        let folds = dealt(classes, count, training);
        let mut unseen =
            Self { logits: vec![Vec::new(); rows.len()], distances: vec![Vec::new(); rows.len()] };
        for fold in 0..training.folds {
            let rest = (0..rows.len()).filter(|at| folds[*at] != fold);
            let (rest_rows, rest_classes): (Vec<Vec<f64>>, Vec<usize>) =
                rest.map(|at| (rows[at].clone(), classes[at])).unzip();
            let fit = Fit::of(&rest_rows, &rest_classes, count, training.ridge);
            for at in (0..rows.len()).filter(|at| folds[*at] == fold) {
                let row = fit.standardized(&rows[at]);
                unseen.logits[at] = fit.logistic.logits(&row);
                unseen.distances[at] = fit.places.distances(&row);
            }
        }
        unseen
    }

    /// Of each text, from its own class.
    fn own_distances(&self, classes: &[usize]) -> Vec<f64> {
        self.distances.iter().zip(classes).map(|(distances, class)| distances[*class]).collect()
    }

    fn report(
        &self,
        classes: &[usize],
        count: usize,
        temperature: f64,
        training: &Training,
        too_short: usize,
    ) -> TrainingReport {
        let probabilities = tempered(&self.logits, temperature);
        let own_distances = self.own_distances(classes);
        let mut confusion = vec![vec![0; count + 1]; count];
        let (mut answers, mut answered, mut answered_right) = (Vec::new(), 0, 0);
        for (at, ((row, class), distances)) in
            probabilities.iter().zip(classes).zip(&self.distances).enumerate()
        {
            let (found, confidence) = likeliest(row);
            answers.push((confidence, found == *class));
            let others = own_distances.iter().enumerate().filter(|(other, _)| *other != at);
            let typicality = typicality(distances[found], others.map(|(_, own)| *own));
            let is_said = said(training, training.least_words, confidence, typicality) == Why::Known;
            answered += usize::from(is_said);
            answered_right += usize::from(is_said && found == *class);
            confusion[*class][if is_said { found } else { count }] += 1;
        }
        let texts = classes.len().max(1) as f64;
        TrainingReport {
            texts: classes.len(),
            too_short,
            accuracy: answers.iter().filter(|(_, is_right)| *is_right).count() as f64 / texts,
            answered: answered as f64 / texts,
            accuracy_of_answered: (answered > 0).then(|| answered_right as f64 / answered as f64),
            log_loss: log_loss(&probabilities, classes),
            calibration_error: calibration_error(&answers),
            temperature,
            confusion,
        }
    }
}

/// Which part each text is dealt into: of each class about as many into each.
fn dealt(classes: &[usize], count: usize, training: &Training) -> Vec<usize> {
    let mut random = fastrand::Rng::with_seed(training.seed);
    let mut folds = vec![0; classes.len()];
    for class in 0..count {
        let mut own: Vec<usize> = (0..classes.len()).filter(|at| classes[*at] == class).collect();
        random.shuffle(&mut own);
        for (nth, at) in own.into_iter().enumerate() {
            folds[at] = nth % training.folds;
        }
    }
    folds
}

fn said(training: &Training, words: usize, confidence: f64, typicality: f64) -> Why {
    if words < training.least_words {
        Why::TooShort
    } else if typicality < training.least_typicality {
        Why::Unlike
    } else if confidence < training.least_confidence {
        Why::Unsure
    } else {
        Why::Known
    }
}
