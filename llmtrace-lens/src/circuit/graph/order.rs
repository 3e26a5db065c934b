//! Which features are worth a row, before all rows are known.

use super::backward::Row;

/// Rows so far, each of an active feature or a target.
#[derive(Default)]
pub(super) struct Found {
    /// The feature that a row is of; none of a target, with its weight.
    owners: Vec<Owner>,
    rows: Vec<Row>,
}

pub(super) enum Owner {
    Target(f64),
    Feature(usize),
}

impl Found {
    pub(super) fn add(&mut self, owner: Owner, row: Row) {
        self.owners.push(owner);
        self.rows.push(row);
    }

    pub(super) fn into_rows(self) -> impl Iterator<Item = (Owner, Row)> {
        self.owners.into_iter().zip(self.rows)
    }

    /// How much each of `features` active features matters to the targets through the rows so far: rows of sizes, each summing
    /// to 1, followed from the targets down (`compute_partial_influences` of circuit-tracer).
    pub(super) fn influence(&self, features: usize) -> Vec<f64> {
        let mut influence = vec![0.0; features];
        // A feature's row is added to before it is read: features are numbered by layer, and none writes to its own.
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        order.sort_by_key(|row| match self.owners.get(*row) {
            Some(Owner::Feature(feature)) => std::cmp::Reverse(*feature),
            _ => std::cmp::Reverse(usize::MAX),
        });
        for row in order {
            let (Some(owner), Some(row)) = (self.owners.get(row), self.rows.get(row)) else { continue };
            let weight = match owner {
                Owner::Target(weight) => *weight,
                Owner::Feature(feature) => influence.get(*feature).copied().unwrap_or(0.0),
            };
            let sum: f64 = row.sources.iter().map(|edge| f64::from(edge.abs())).sum();
            if weight == 0.0 || sum == 0.0 {
                continue;
            }
            for (share, edge) in influence.iter_mut().zip(&row.sources) {
                *share += weight * f64::from(edge.abs()) / sum.max(1e-8);
            }
        }
        influence
    }
}
