//! How well scores find a truth.

/// How well scores find a truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    /// The mean precision at each true part, from the highest score down: the area under the curve of precision by recall.
    pub(super) average_precision: f64,
    /// The share of true parts among as many highest scores as there are true parts: precision and recall there.
    pub(super) precision_at_truth: f64,
    /// The precision once all true parts are found.
    pub(super) precision_at_full_recall: f64,
}

/// Of scores by their size, whatever their sign. Parts that share a score stand as badly as they may: what is not true first.
pub(super) fn found(scores: &[f64], truth: &[bool]) -> Option<Found> {
    let mut order: Vec<(f64, bool)> =
        scores.iter().map(|score| score.abs()).zip(truth.iter().copied()).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let count = truth.iter().filter(|is_true| **is_true).count();
    if count == 0 {
        return None;
    }
    let mut precisions = Vec::with_capacity(count);
    for (at, (_, is_true)) in order.iter().enumerate() {
        if *is_true {
            precisions.push((precisions.len() + 1) as f64 / (at + 1) as f64);
        }
    }
    let hits = order.iter().take(count).filter(|(_, is_true)| *is_true).count();
    Some(Found {
        average_precision: precisions.iter().sum::<f64>() / count as f64,
        precision_at_truth: hits as f64 / count as f64,
        precision_at_full_recall: precisions.last().copied().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_is_found_as_far_as_it_stands_above_the_rest() {
        let check = |scores: &[f64], truth: &[u8], expected: [f64; 3]| {
            let truth: Vec<bool> = truth.iter().map(|is_true| *is_true == 1).collect();
            let found = found(scores, &truth).unwrap();
            let numbers = [found.average_precision, found.precision_at_truth, found.precision_at_full_recall];
            for (found, expected) in numbers.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-12, "{scores:?} {truth:?}: {numbers:?}");
            }
        };
        check(&[3.0, 2.0, 1.0], &[1, 1, 0], [1.0, 1.0, 1.0]);
        check(&[-3.0, 2.0, 1.0], &[1, 1, 0], [1.0, 1.0, 1.0]);
        check(&[3.0, 2.0, 1.0], &[0, 0, 1], [1.0 / 3.0, 0.0, 1.0 / 3.0]);
        check(&[3.0, 2.0, 1.0], &[1, 0, 1], [f64::midpoint(1.0, 2.0 / 3.0), 0.5, 2.0 / 3.0]);
        // Scores that say nothing find nothing.
        check(&[0.0, 0.0, 0.0, 0.0], &[1, 0, 0, 0], [0.25, 0.0, 0.25]);
        assert_eq!(found(&[1.0], &[false]), None);
    }
}
