//! The optimiser.

/// Moments of the gradient of some parameters (Kingma and Ba 2015, "Adam"), which forgets squares within a hundred
/// steps: features that are seldom active then take full steps when they are.
#[derive(Clone, Debug)]
pub(super) struct Adam {
    mean: Vec<f32>,
    square: Vec<f32>,
}

/// How large the `number`-th step is, counted from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stride {
    rate: f32,
    square_correction: f32,
}

const MEAN_DECAY: f32 = 0.9;
const SQUARE_DECAY: f32 = 0.99;
const EPSILON: f32 = 1e-8;

impl Stride {
    pub(super) fn new(rate: f32, number: usize) -> Self {
        let power = i32::try_from(number).unwrap_or(i32::MAX);
        let correction = |decay: f32| 1.0 - decay.powi(power);
        Self { rate: rate / correction(MEAN_DECAY), square_correction: correction(SQUARE_DECAY) }
    }
}

impl Adam {
    pub(super) fn new(parameters: usize) -> Self {
        Self { mean: vec![0.0; parameters], square: vec![0.0; parameters] }
    }

    /// Moves the parameters one step down their gradient.
    pub(super) fn step(&mut self, parameters: &mut [f32], gradient: &[f32], stride: Stride) {
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((parameter, gradient), (mean, square)) in parameters.iter_mut().zip(gradient).zip(moments) {
            *mean = MEAN_DECAY * *mean + (1.0 - MEAN_DECAY) * gradient;
            *square = SQUARE_DECAY * *square + (1.0 - SQUARE_DECAY) * gradient * gradient;
            *parameter -= stride.rate * *mean / ((*square / stride.square_correction).sqrt() + EPSILON);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_is_the_rate_and_a_bowl_is_descended() {
        let (mut adam, mut at) = (Adam::new(2), [1.0_f32, -3.0]);
        adam.step(&mut at, &[0.5, -20.0], Stride::new(0.1, 1));
        assert!((at[0] - 0.9).abs() < 1e-6 && (at[1] + 2.9).abs() < 1e-6, "{at:?}");
        for number in 2..2000 {
            let gradient = [2.0 * at[0], 8.0 * at[1]];
            adam.step(&mut at, &gradient, Stride::new(0.01, number));
        }
        assert!(at.iter().all(|at| at.abs() < 1e-2), "{at:?}");
    }
}
