//! Products with weights, and sums.

use candle_core::{Result, Tensor};

use super::rows::{by_rows, change, changeable, filled};

/// `x W + b` with `x` `[.., in]` and `W` `[in, out]`.
pub(crate) fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let mut shape = x.dims().to_vec();
    let (input, output) = weight.dims2()?;
    let rows: usize = x.elem_count() / input.max(1);
    let product = x.reshape((rows, input))?.matmul(weight)?;
    if let Some(last) = shape.last_mut() {
        *last = output;
    }
    let Some(bias) = bias else { return product.reshape(shape) };
    if changeable(&product) && changeable(bias) && bias.dims() == [output] {
        // The bias is short: a copy costs nothing beside the product.
        let bias = bias.to_vec1::<f32>()?;
        change(&product, |product| {
            by_rows(
                output,
                product,
                #[inline(always)]
                |_, product| {
                    for row in product.chunks_mut(output) {
                        for (value, bias) in row.iter_mut().zip(&bias) {
                            *value += bias;
                        }
                    }
                },
            );
        })?;
        return product.reshape(shape);
    }
    product.broadcast_add(bias)?.reshape(shape)
}

/// Lets products put the weights in order before they read them, however few rows there are.
///
/// `gemm` does so from 49 rows on (97 with several threads): below, it reads weights `[in, out]` a row apart, which for
/// GPT-2 on a short prompt takes twice the time. Where the program has chosen a bound of its own, that stays.
pub(crate) fn order_weights() {
    const ALWAYS: usize = 0;
    if gemm::get_lhs_packing_threshold_single_thread() == gemm::DEFAULT_LHS_PACKING_THRESHOLD_SINGLE_THREAD {
        gemm::set_lhs_packing_threshold_single_thread(ALWAYS);
    }
    if gemm::get_lhs_packing_threshold_multi_thread() == gemm::DEFAULT_LHS_PACKING_THRESHOLD_MULTI_THREAD {
        gemm::set_lhs_packing_threshold_multi_thread(ALWAYS);
    }
}

/// The sum of two tensors of one shape.
pub(crate) fn add(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let same = a.dims() == b.dims();
    let sums = same.then(|| {
        filled([a, b], a.shape(), |[a, b], out| {
            by_rows(
                1,
                out,
                #[inline(always)]
                |first, out| {
                    for ((out, a), b) in out.iter_mut().zip(&a[first..]).zip(&b[first..]) {
                        *out = a + b;
                    }
                },
            );
        })
    });
    sums.transpose()?.flatten().map_or_else(|| a + b, Ok)
}
