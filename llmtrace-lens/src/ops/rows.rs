//! f32 numbers on the CPU, worked on in one go over memory with the widest vectors that the processor has.

#![expect(clippy::inline_always, reason = "each takes on the vector width of its caller")]

use candle_core::{CpuStorage, DType, Device, Error, InplaceOp1, Layout, Result, Shape, Storage, Tensor};
use pulp::Arch;
use rayon::prelude::*;

/// Numbers that one task works on at least: fewer are not worth waking another thread.
const TASK: usize = 1 << 17;
/// Sums that are made side by side, so that they fit vector registers.
const LANES: usize = 16;

/// A tensor's numbers in their order, on this machine.
pub(crate) fn floats(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
}

/// A new tensor, filled by `fill`, which sees the numbers of the others: where all are f32 on the CPU, each in one piece, and
/// none is followed for a gradient. Elsewhere there is no answer, and the caller takes the step by several operations.
pub(crate) fn filled<const N: usize>(
    tensors: [&Tensor; N],
    shape: impl Into<Shape>,
    fill: impl FnOnce([&[f32]; N], &mut [f32]),
) -> Result<Option<Tensor>> {
    if tensors.iter().any(|tensor| tensor.track_op()) {
        return Ok(None);
    }
    let stored = tensors.map(Tensor::storage_and_layout);
    let mut numbers: [&[f32]; N] = [&[]; N];
    for (numbers, (storage, layout)) in numbers.iter_mut().zip(&stored) {
        let (Storage::Cpu(CpuStorage::F32(all)), Some((from, to))) =
            (&**storage, layout.contiguous_offsets())
        else {
            return Ok(None);
        };
        let Some(part) = all.get(from..to) else { return Ok(None) };
        *numbers = part;
    }
    let shape = shape.into();
    let mut out = vec![0.0; shape.elem_count()];
    fill(numbers, &mut out);
    Tensor::from_vec(out, shape, &candle_core::Device::Cpu).map(Some)
}

/// Whether numbers of this tensor may be changed where they lie by [`change`]: it must be nobody else's.
pub(super) fn changeable(tensor: &Tensor) -> bool {
    tensor.device().is_cpu()
        && tensor.dtype() == candle_core::DType::F32
        && tensor.is_contiguous()
        && !tensor.track_op()
}

/// Changes the numbers of a [`changeable`] tensor where they lie.
pub(super) fn change(tensor: &Tensor, change: impl Fn(&mut [f32])) -> Result<()> {
    tensor.inplace_op1(&Change(change))
}

struct Change<F>(F);

impl<F: Fn(&mut [f32])> InplaceOp1 for Change<F> {
    fn name(&self) -> &'static str {
        "change"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let wrong = || Error::RequiresContiguous { op: "change" };
        let CpuStorage::F32(numbers) = storage else { return Err(wrong()) };
        let (from, to) = layout.contiguous_offsets().ok_or_else(wrong)?;
        (self.0)(numbers.get_mut(from..to).ok_or_else(wrong)?);
        Ok(())
    }
}

/// Calls `work` with whole rows of `out` and the number of the first of them, on several threads where there is much.
pub(crate) fn by_rows(width: usize, out: &mut [f32], work: impl Fn(usize, &mut [f32]) + Sync) {
    let width = width.max(1);
    let rows = TASK.div_ceil(width);
    let task = |(nth, out): (usize, &mut [f32])| {
        // What is not inlined here is compiled for the least of processors.
        wide(
            #[inline(always)]
            || work(nth * rows, out),
        );
    };
    if out.len() <= rows * width {
        task((0, out));
    } else {
        out.par_chunks_mut(rows * width).enumerate().for_each(task);
    }
}

/// Sum over `f` of each value, in [`LANES`] sums side by side.
#[inline(always)]
pub(crate) fn sum(values: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let (values, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for values in values {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += f(*value);
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|value| f(*value)).sum::<f32>()
}

/// The sum of products.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// Adds `factor` times `more` to `sum`.
#[inline(always)]
pub(crate) fn add_times(sum: &mut [f32], factor: f32, more: &[f32]) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += factor * more;
    }
}

/// Runs loops over the functions of this file with the widest vectors; the closure must be inlined.
pub(crate) fn wide<R>(work: impl FnOnce() -> R) -> R {
    Arch::new().dispatch(work)
}

/// The largest value; minus infinity of none.
#[inline(always)]
pub(super) fn largest(values: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let (values, rest) = values.as_chunks::<LANES>();
    let mut most = [f32::NEG_INFINITY; LANES];
    for values in values {
        for (most, value) in most.iter_mut().zip(values) {
            *most = larger(*most, *value);
        }
    }
    most.into_iter().chain(rest.iter().copied()).fold(f32::NEG_INFINITY, larger)
}
