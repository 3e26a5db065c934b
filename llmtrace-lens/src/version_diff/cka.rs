//! How alike two sets of vectors are.

use candle_core::{DType, Tensor};

/// Linear CKA of two representations `[n, D]` and `[n, E]` of the same `n` things: 1 where one is a rotation and scaling of the other, 0
/// where nothing linear of one is in the other.
///
/// `|Y'X|² / (|X'X| |Y'Y|)` with the columns' means taken away and Frobenius norms, in f64 (Kornblith et al. 2019, "Similarity
/// of Neural Network Representations Revisited", section 3). With fewer things than dimensions it is too high; none where
/// one of the two is constant.
///
/// # Errors
/// The tensors are no matrices with equally many rows.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use llmtrace_lens::version_diff::linear_cka;
///
/// let points = Tensor::new(&[[1f32, 0.0], [0.0, 2.0], [3.0, 1.0]], &Device::Cpu)?;
/// let turned = points.matmul(&Tensor::new(&[[0f32, -5.0], [5.0, 0.0]], &Device::Cpu)?)?;
/// assert!((linear_cka(&points, &turned)?.unwrap() - 1.0).abs() < 1e-12);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn linear_cka(x: &Tensor, y: &Tensor) -> candle_core::Result<Option<f64>> {
    let (x, y) = (centred(x)?, centred(y)?);
    let ((things, width), (_, other_width)) = (x.dims2()?, y.dims2()?);
    // Products of rows and of columns have the same inner products: the smaller ones are made.
    let (xy, xx, yy) = if things < width.max(other_width) {
        let (rows_x, rows_y) = (x.matmul(&x.t()?)?, y.matmul(&y.t()?)?);
        (sum(&(&rows_x * &rows_y)?)?, squares(&rows_x)?, squares(&rows_y)?)
    } else {
        let (x_t, y_t) = (x.t()?.contiguous()?, y.t()?.contiguous()?);
        (squares(&y_t.matmul(&x)?)?, squares(&x_t.matmul(&x)?)?, squares(&y_t.matmul(&y)?)?)
    };
    let norms = xx.sqrt() * yy.sqrt();
    Ok((norms > 0.0).then(|| (xy / norms).clamp(0.0, 1.0)))
}

fn centred(x: &Tensor) -> candle_core::Result<Tensor> {
    let x = x.to_dtype(DType::F64)?;
    x.broadcast_sub(&x.mean_keepdim(0)?)?.contiguous()
}

fn squares(x: &Tensor) -> candle_core::Result<f64> {
    sum(&x.sqr()?)
}

fn sum(x: &Tensor) -> candle_core::Result<f64> {
    x.sum_all()?.to_scalar()
}
