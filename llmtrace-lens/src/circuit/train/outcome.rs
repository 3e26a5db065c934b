//! What features make of a batch.

use super::sparsity::Jump;

/// What a batch came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    pub(super) width: usize,
    pub(super) positions: usize,
    /// Sum of the squared errors.
    pub(super) squared_error: f64,
    /// Sum of the squared outputs, whose mean is 0.
    pub(super) squared_output: f64,
    /// Sum of what activations cost.
    pub(super) cost: f64,
    /// Number of activations.
    pub(super) active: usize,
    /// What thresholds are to come to, and the share of its price that is asked.
    pub(super) jump: Option<(Jump, f64)>,
}

impl Outcome {
    /// That of both together.
    pub(super) fn and(self, more: Self) -> Self {
        Self {
            width: more.width,
            positions: self.positions + more.positions,
            squared_error: self.squared_error + more.squared_error,
            squared_output: self.squared_output + more.squared_output,
            cost: self.cost + more.cost,
            active: self.active + more.active,
            jump: more.jump,
        }
    }

    /// What is made smaller.
    pub(super) fn loss(&self) -> f64 {
        let positions = self.positions.max(1) as f64;
        let jump = self.jump.map_or(0.0, |(jump, pressure)| pressure * jump.penalty(self.l0()));
        self.squared_error / (positions * self.width.max(1) as f64) + self.cost / positions + jump
    }

    /// The fraction of the variance that is unexplained; 0 where the outputs are all the same.
    pub(super) fn fvu(&self) -> f64 {
        if self.squared_output > 0.0 { self.squared_error / self.squared_output } else { 0.0 }
    }

    /// How many features are active at a position.
    pub(super) fn l0(&self) -> f64 {
        self.active as f64 / self.positions.max(1) as f64
    }
}
