//! Each operation in one go over memory, held to the same operation as candle's plain ones take it, in f64.

use candle_core::{DType, Device, Result, Tensor, Var};

use super::{
    Scoring, activate, activate_gated, add, affine, linear, norm, normalize, pattern, rotate, rotation,
    scores, softcap, softmax, weigh,
};
use crate::model::{Activation, NormKind};

const ACTIVATIONS: [Activation; 4] =
    [Activation::GeluTanh, Activation::Gelu, Activation::Silu, Activation::Relu];

/// Numbers between -3 and 3, the same each time.
fn numbers(shape: &[usize], seed: u64) -> Tensor {
    let mut random = fastrand::Rng::with_seed(seed);
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| 6.0 * random.f32() - 3.0).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn check(what: &str, shapes: &[&[usize]], of: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let inputs: Vec<Tensor> = (0..).zip(shapes).map(|(seed, shape)| numbers(shape, seed)).collect();
    let wide: Vec<Tensor> = inputs.iter().map(|input| input.to_dtype(DType::F64).unwrap()).collect();
    let [found, expected] = [of(&inputs).unwrap(), of(&wide).unwrap()];
    assert_eq!((found.dtype(), found.dims()), (DType::F32, expected.dims()), "{what}");
    let [found, expected]: [Vec<f64>; 2] = [found, expected]
        .map(|values| values.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap());
    for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let near = (found - expected).abs() <= 2e-6 * expected.abs().max(1.0);
        assert!(near, "{what} {shapes:?}[{at}] is {found}, expected {expected}");
    }
    // A gradient arrives at each, or is plainly refused: never is it left out.
    let followed: Vec<Var> = inputs.iter().map(|input| Var::from_tensor(input).unwrap()).collect();
    let tensors: Vec<Tensor> = followed.iter().map(|var| var.as_tensor().clone()).collect();
    let gradients = of(&tensors).unwrap().sum_all().unwrap().backward().unwrap();
    assert!(followed.iter().all(|var| gradients.get(var).is_some()), "{what}");
}

#[test]
fn norms_are_those_of_plain_operations() {
    for (kind, shape) in
        [(NormKind::Layer, [2, 3, 37]), (NormKind::Rms, [1, 5, 16]), (NormKind::Layer, [2, 90, 768])]
    {
        let width = shape[2];
        check("normalized", &[&shape], |x| Ok(normalize(&x[0], kind, 1e-5)?.0));
        check("scale", &[&shape], |x| Ok(normalize(&x[0], kind, 1e-5)?.1));
        check("norm", &[&shape, &[width], &[width]], |x| norm(&x[0], kind, 1e-5, &x[1], Some(&x[2])));
        check("norm without bias", &[&shape, &[width]], |x| norm(&x[0], kind, 1e-5, &x[1], None));
        check("affine", &[&shape, &[width], &[width]], |x| affine(&x[0], &x[1], Some(&x[2])));
    }
}

#[test]
fn neurons_are_those_of_plain_operations() {
    for activation in ACTIVATIONS {
        for shape in [[1, 3, 37], [2, 90, 1024]] {
            check("activate", &[&shape], |x| activate(&x[0], activation));
            check("gated", &[&shape, &shape], |x| activate_gated(&x[0], &x[1], activation));
        }
    }
}

#[test]
fn products_and_sums_are_those_of_plain_operations() {
    check("linear", &[&[2, 3, 5], &[5, 7], &[7]], |x| linear(&x[0], &x[1], Some(&x[2])));
    check("linear without bias", &[&[2, 3, 5], &[5, 7]], |x| linear(&x[0], &x[1], None));
    check("linear of a view", &[&[2, 3, 5], &[7, 5], &[7]], |x| linear(&x[0], &x[1].t()?, Some(&x[2])));
    check("add", &[&[2, 3, 37], &[2, 3, 37]], |x| add(&x[0], &x[1]));
}

#[test]
fn attention_is_that_of_plain_operations() {
    let plain = Scoring { scale: 0.25, cap: None, before: 0, window: None };
    let cases = [
        plain,
        Scoring { cap: Some(2.0), ..plain },
        Scoring { window: Some(3), ..plain },
        Scoring { before: 4, window: Some(6), cap: Some(5.0), ..plain },
    ];
    for scoring in cases {
        for (batch, heads, shared) in [(1, 4, 4), (1, 4, 2), (2, 4, 1)] {
            let (q, k) = ([batch, 9, heads, 8], [batch, 9 + scoring.before, shared, 8]);
            check("pattern", &[&q, &k], |x| pattern(&x[0], &x[1], scoring));
            check("attention", &[&q, &k, &k], |x| weigh(&pattern(&x[0], &x[1], scoring)?, &x[2]));
            let seen = |x: &[Tensor]| softmax(&scores(&x[0], &x[1], scoring)?);
            check("softmax of scores", &[&q, &k], seen);
        }
    }
    check("softcap", &[&[2, 3, 37]], |x| softcap(&x[0], 1.5));
    check("softmax", &[&[2, 3, 37]], |x| softmax(&x[0]));
}

#[test]
fn hidden_scores_get_no_share_wherever_they_are() {
    let hidden = f32::NEG_INFINITY;
    let row = |seen: &[usize]| (0..100).map(|at| if seen.contains(&at) { 1.0 } else { hidden }).collect();
    let rows: [Vec<f32>; 5] = [&[0][..], &[99], &[3, 50, 97], &[40, 41], &[]].map(row);
    let x = Tensor::from_vec(rows.concat(), (5, 100), &Device::Cpu).unwrap();
    let shares: Vec<Vec<f32>> = softmax(&x).unwrap().to_vec2().unwrap();
    for (row, shares) in rows.iter().zip(shares).take(4) {
        let seen = row.iter().filter(|score| **score > hidden).count();
        for (score, share) in row.iter().zip(shares) {
            let expected = if *score > hidden { 1.0 / seen as f32 } else { 0.0 };
            assert!((share - expected).abs() <= 1e-6, "{share}, expected {expected}");
        }
    }
    let nothing = softmax(&x.narrow(0, 4, 1).unwrap()).unwrap().sum_all().unwrap();
    assert!(nothing.to_scalar::<f32>().unwrap().is_nan());
}

#[test]
fn rotation_is_that_of_plain_operations() {
    for (size, pairs) in [(8, 4), (10, 3)] {
        let frequencies: Vec<f64> = (0..pairs).map(|pair| 0.5_f64.powi(pair)).collect();
        check("rotate", &[&[2, 5, 3, size]], |x| {
            let (cos, sin) = rotation(&frequencies, 1.0, 2, 5, &x[0])?;
            rotate(&x[0], &cos.to_dtype(x[0].dtype())?, &sin.to_dtype(x[0].dtype())?)
        });
    }
}
