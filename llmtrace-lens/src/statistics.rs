//! Figures of samples.

/// The mean; 0 of nothing.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The variance of what a sample is drawn from: squares about the mean over one less than the sample's size, so none of one value.
pub(crate) fn variance(values: &[f64]) -> f64 {
    let centre = mean(values);
    values.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)
}

/// The standard error of the mean; 0 of fewer than two values.
pub(crate) fn standard_error(values: &[f64]) -> f64 {
    if values.len() < 2 { 0.0 } else { (variance(values) / values.len() as f64).sqrt() }
}

/// Pearson's correlation; none where one side does not vary.
#[cfg(feature = "model")]
pub(crate) fn correlation(one: &[f64], other: &[f64]) -> Option<f64> {
    let (centre, other_centre) = (mean(one), mean(other));
    let (mut both, mut first, mut second) = (0.0, 0.0, 0.0);
    for (a, b) in one.iter().zip(other) {
        let (a, b) = (a - centre, b - other_centre);
        both += a * b;
        first += a * a;
        second += b * b;
    }
    (first > 0.0 && second > 0.0).then(|| both / (first * second).sqrt())
}

/// The probabilities of logits.
#[cfg(feature = "model")]
pub(crate) fn softmax(logits: &[f64]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// The middle value, or the mean of the two in the middle; 0 of nothing.
#[cfg(feature = "model")]
pub(crate) fn median(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(0.0);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { at(half) } else { f32::midpoint(at(half.saturating_sub(1)), at(half)) }
}
