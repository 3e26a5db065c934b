//! How large the residual stream is, and what stands out.

use std::fmt;

use serde::Serialize;

use super::columns;
use super::error::ReadError;
use super::reading::{Reading, single};
use crate::hooks::{HookPoint, Site};
use crate::model::TokenLabel;
use crate::ops::floats;
use crate::statistics::median;

/// How large the residual stream is at each layer and position, and what stands out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ResidualNorms {
    /// The tokens.
    pub tokens: Vec<TokenLabel>,
    /// The stream that enters the first block and that leaves each.
    pub rows: Vec<NormRow>,
    /// Single numbers of the stream that are far larger than the others, the largest of each row first.
    pub massive: Vec<MassiveActivation>,
    /// What counted as standing out.
    pub rule: OutlierRule,
}

/// The stream at one point.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NormRow {
    /// The hook point's name.
    pub point: String,
    /// Its short name: `0_pre`, `0_post`.
    pub label: String,
    /// The Euclidean norm at each position.
    pub norms: Vec<f32>,
    /// The positions whose norm stands out among those of this row.
    pub outliers: Vec<usize>,
}

/// One number of the stream that is far larger than the others.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MassiveActivation {
    /// The row's short name.
    pub label: String,
    /// The position.
    pub position: usize,
    /// The dimension of the stream.
    pub dimension: usize,
    /// The number.
    pub value: f32,
    /// The median of the magnitudes of the whole row.
    pub median: f32,
}

/// What stands out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OutlierRule {
    /// A norm stands out where `0.6745 |norm - median| / MAD`, over the positions of a row, is above this; MAD is the
    /// median of `|norm - median|` (Iglewicz and Hoaglin 1993: 3.5). None does where MAD is 0.
    pub norm_score: f32,
    /// A number is massive where its magnitude is above this (Sun et al. 2024, "Massive Activations in Large Language
    /// Models": 100),
    pub massive_above: f32,
    /// and at least this many times the median magnitude of the stream at that layer (Sun et al. 2024: 1000).
    pub massive_ratio: f32,
}

impl Default for OutlierRule {
    fn default() -> Self {
        Self { norm_score: 3.5, massive_above: 100.0, massive_ratio: 1000.0 }
    }
}

impl Reading<'_> {
    /// Norms of the residual stream, with the outliers of the usual rule.
    ///
    /// # Errors
    /// The run did not keep the stream.
    pub fn residual_norms(&self) -> Result<ResidualNorms, ReadError> {
        self.residual_norms_by(OutlierRule::default())
    }

    /// The same with a rule of one's own: small models have no number above 100.
    ///
    /// # Errors
    /// The run did not keep the stream.
    pub fn residual_norms_by(&self, rule: OutlierRule) -> Result<ResidualNorms, ReadError> {
        let first = HookPoint::block(0, Site::ResidPre);
        let blocks = (0..self.config().layers).map(|layer| HookPoint::block(layer, Site::ResidPost));
        let (mut rows, mut massive) = (Vec::new(), Vec::new());
        for point in std::iter::once(first).chain(blocks) {
            let values = floats(self.stream(point)?)?;
            let label = point.stream_label();
            massive.extend(rule.massive(&label, &values, self.config().d_model));
            let norm = |vector: &[f32]| {
                single(vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt())
            };
            let norms: Vec<f32> = values.chunks(self.config().d_model.max(1)).map(norm).collect();
            let outliers = rule.outliers(&norms);
            rows.push(NormRow { point: point.to_string(), label, norms, outliers });
        }
        Ok(ResidualNorms { tokens: self.labels(), rows, massive, rule })
    }
}

impl OutlierRule {
    fn outliers(self, norms: &[f32]) -> Vec<usize> {
        let middle = median(norms);
        let distances: Vec<f32> = norms.iter().map(|norm| (norm - middle).abs()).collect();
        let spread = median(&distances);
        let far = |distance: f32| spread > 0.0 && 0.6745 * distance / spread > self.norm_score;
        distances.iter().enumerate().filter(|(_, distance)| far(**distance)).map(|(at, _)| at).collect()
    }

    fn massive(self, label: &str, values: &[f32], width: usize) -> Vec<MassiveActivation> {
        let magnitudes: Vec<f32> = values.iter().map(|value| value.abs()).collect();
        let median = median(&magnitudes);
        let least = self.massive_ratio * median;
        let large = |value: &f32| value.abs() > self.massive_above && value.abs() >= least;
        let found = values.iter().enumerate().filter(|(_, value)| large(value));
        let mut found: Vec<MassiveActivation> = found
            .map(|(at, value)| MassiveActivation {
                label: label.to_owned(),
                position: at / width.max(1),
                dimension: at % width.max(1),
                value: *value,
                median,
            })
            .collect();
        found.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
        found
    }
}

impl fmt::Display for ResidualNorms {
    /// A row for each layer, a column for each position; `!` behind a norm that stands out. Massive activations follow.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![vec![String::new()]];
        lines[0].extend(self.tokens.iter().enumerate().map(|(at, token)| format!("{at} {:?}", token.text)));
        for row in &self.rows {
            let sign = |at: usize| if row.outliers.contains(&at) { "!" } else { "" };
            let mut line = vec![row.label.clone()];
            line.extend(row.norms.iter().enumerate().map(|(at, norm)| format!("{norm:.2}{}", sign(at))));
            lines.push(line);
        }
        columns::write(f, &lines)?;
        for MassiveActivation { label, position, dimension, value, median } in &self.massive {
            writeln!(
                f,
                "massive: {label} position {position} dimension {dimension}: {value:.1}, median {median:.3}"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_out_is_told_from_what_does_not() {
        let check = |norms: &[f32], expected: &[usize]| {
            assert_eq!(OutlierRule::default().outliers(norms), expected, "{norms:?}");
        };
        // The median is 10, the median distance 1: 15.18 has the score 3.494, 15.2 has 3.507.
        check(&[15.18, 10.0, 9.0, 11.0, 10.0, 9.0, 11.0], &[]);
        check(&[15.2, 10.0, 9.0, 11.0, 10.0, 9.0, 11.0], &[0]);
        check(&[4.8, 10.0, 9.0, 11.0, 10.0, 9.0, 300.0], &[0, 6]);
        check(&[1.0, 1.0, 1.0, 900.0], &[]);
        check(&[], &[]);
    }

    #[test]
    fn an_activation_is_massive_when_it_is_large_and_far_larger_than_the_median() {
        let check = |values: &[f32], expected: &[(usize, usize, f32)]| {
            let found = OutlierRule::default().massive("1_post", values, 3);
            let found: Vec<_> = found.iter().map(|one| (one.position, one.dimension, one.value)).collect();
            assert_eq!(found, expected, "{values:?}");
        };
        check(&[0.1, -0.1, 0.1, 0.1, -101.0, 0.1], &[(1, 1, -101.0)]);
        check(&[0.1, -0.1, 0.1, 0.1, -100.0, 0.1], &[]);
        check(&[0.2, -0.2, 0.2, 0.2, -199.0, 0.2], &[]);
        check(&[0.1, 150.0, 0.1, 0.1, -400.0, 0.1], &[(1, 1, -400.0), (0, 1, 150.0)]);
    }
}
