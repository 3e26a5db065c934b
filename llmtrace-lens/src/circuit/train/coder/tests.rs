//! Gradients held against differences of the loss.

use super::*;

/// A coder of features so wide, whose thresholds are at `threshold`, and so many positions.
fn untaught(
    (width, features): (usize, usize),
    sparsity: Sparsity,
    rows: usize,
    threshold: f32,
) -> (Coder, Samples) {
    let mut random = fastrand::Rng::with_seed(7);
    let mut numbers = || (0..rows * width).map(|_| 3.0 * (random.f32() - 0.5)).collect::<Vec<f32>>();
    let samples = Samples { read: numbers(), written: numbers() };
    let places: Vec<usize> = (0..rows).collect();
    let mut coder = Coder::new(&samples, &places, (width, features), sparsity, &mut random);
    for feature in &mut coder.features {
        *feature.parameters().last_mut().unwrap() = threshold;
    }
    coder.press(0.5);
    (coder, samples)
}

fn loss(coder: &Coder, batch: &Samples) -> f64 {
    coder.outcome(batch, &coder.rows(batch).unwrap()).loss()
}

fn gradients(coder: &Coder, batch: &Samples) -> (Vec<Gradient>, Vec<f32>) {
    let rows = coder.rows(batch).unwrap();
    let outcome = coder.outcome(batch, &rows);
    (coder.gradients(batch, &rows, &coder.uses(&rows), &outcome), coder.bias_gradient(&rows))
}

/// How the loss differs over `width` of a number that `at` finds, by that width.
fn difference(coder: &Coder, batch: &Samples, width: f32, at: impl Fn(&mut Coder) -> &mut f32) -> f64 {
    let moved = |by: f32| {
        let mut coder = coder.clone();
        *at(&mut coder) += by;
        loss(&coder, batch)
    };
    (moved(width / 2.0) - moved(-width / 2.0)) / f64::from(width)
}

fn close(found: f32, expected: f64, within: f64) {
    assert!((f64::from(found) - expected).abs() < within, "{found}, expected {expected}");
}

#[test]
fn gradients_are_the_differences_of_the_loss() {
    for sparsity in [Sparsity::TopK(3), Sparsity::L1(0.2), Sparsity::JumpRelu(3.0)] {
        let (coder, batch) = untaught((5, 8), sparsity, 6, 0.3);
        let (found, bias) = gradients(&coder, &batch);
        for (number, gradient) in found.iter().enumerate() {
            // The threshold is the last.
            for at in 0..11 {
                let expected =
                    difference(&coder, &batch, 1e-3, |coder| &mut coder.features[number].parameters()[at]);
                close(gradient.values()[at], expected, 4e-3);
            }
        }
        for (at, found) in bias.into_iter().enumerate() {
            close(found, difference(&coder, &batch, 1e-3, |coder| &mut coder.bias[at]), 4e-3);
        }
        assert!(found.iter().any(|gradient| gradient.values()[10].abs() > 0.02), "{sparsity:?}");
    }
}

#[test]
fn gradients_of_thresholds_are_the_differences_of_the_loss_smoothed_over_the_kernel() {
    let sparsity = Sparsity::JumpRelu(2.0);
    let (mut coder, batch) = untaught((4, 3), sparsity, 20_000, 0.8);
    let kernel = sparsity.jump(4).unwrap().kernel;
    for pressure in [0.0, 1.0] {
        coder.press(pressure);
        let (found, _) = gradients(&coder, &batch);
        for (number, gradient) in found.iter().enumerate() {
            // The mean of the loss over thresholds within half a kernel has this for its derivative.
            let expected = difference(&coder, &batch, kernel, |coder| {
                coder.features[number].parameters().last_mut().unwrap()
            });
            assert!(expected.abs() > 0.01, "{expected}");
            close(*gradient.values().last().unwrap(), expected, 0.006);
        }
    }
}
