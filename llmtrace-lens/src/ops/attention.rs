//! Attention: whom each position attends to, and what it takes from there.

#![expect(clippy::inline_always, reason = "each takes on the vector width of its caller")]

use std::ops::Range;

use candle_core::{D, Result, Tensor};

use super::math::{exp, tanh};
use super::rows::{by_rows, change, changeable, filled, largest, sum};

/// How scores are made of the products of queries and keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scoring {
    /// Products are multiplied by it.
    pub(crate) scale: f64,
    /// Then bent to stay within it.
    pub(crate) cap: Option<f64>,
    /// Positions before the first query.
    pub(crate) before: usize,
    /// How many positions back a query sees, itself included.
    pub(crate) window: Option<usize>,
}

impl Scoring {
    /// What the query at this place of the pass may attend to.
    fn seen(&self, query: usize) -> Range<usize> {
        let end = self.before + query + 1;
        self.window.map_or(0, |window| end.saturating_sub(window))..end
    }
}

/// Scores `[b, H, t, s]` of queries `[b, t, H, dh]` and keys `[b, s, K, dh]`, where `H / K` query heads share a key head: minus
/// infinity where a query does not see.
pub(crate) fn scores(q: &Tensor, k: &Tensor, scoring: Scoring) -> Result<Tensor> {
    let product = products(q, k)?;
    if !changeable(&product) {
        return plain_scores(&product, scoring);
    }
    by_query(
        &product,
        scoring,
        #[inline(always)]
        |row, seen| {
            bend(&mut row[seen.clone()], scoring);
            row[..seen.start].fill(f32::NEG_INFINITY);
            row[seen.end..].fill(f32::NEG_INFINITY);
        },
    )?;
    Ok(product)
}

/// The softmax of [`scores`], which nobody looks at.
pub(crate) fn pattern(q: &Tensor, k: &Tensor, scoring: Scoring) -> Result<Tensor> {
    let product = products(q, k)?;
    if !changeable(&product) {
        return softmax(&plain_scores(&product, scoring)?);
    }
    by_query(
        &product,
        scoring,
        #[inline(always)]
        |row, seen| {
            let part = &mut row[seen.clone()];
            bend(part, scoring);
            let most = largest(part);
            for value in part.iter_mut() {
                *value = exp(*value - most);
            }
            let share = 1.0 / sum(part, |value| value);
            for value in part {
                *value *= share;
            }
            row[..seen.start].fill(0.0);
            row[seen.end..].fill(0.0);
        },
    )?;
    Ok(product)
}

/// Softmax over the last dimension.
pub(crate) fn softmax(x: &Tensor) -> Result<Tensor> {
    let width = x.dim(D::Minus1)?;
    let shares = filled([x], x.shape(), |[x], out| {
        by_rows(
            width,
            out,
            #[inline(always)]
            |first, out| {
                for (out, x) in out.chunks_mut(width).zip(x.chunks(width).skip(first)) {
                    // What is hidden before and after keeps the zeros that are there.
                    let seen = seen(x);
                    let (out, x) = (&mut out[seen.clone()], &x[seen]);
                    let most = largest(x);
                    for (out, x) in out.iter_mut().zip(x) {
                        *out = exp(x - most);
                    }
                    let share = 1.0 / sum(out, |value| value);
                    for out in out {
                        *out *= share;
                    }
                }
            },
        );
    })?;
    if let Some(shares) = shares {
        return Ok(shares);
    }
    let shifted = x.broadcast_sub(&x.max_keepdim(D::Minus1)?)?.exp()?;
    shifted.broadcast_div(&shifted.sum_keepdim(D::Minus1)?)
}

/// `cap * tanh(x / cap)`.
pub(crate) fn softcap(x: &Tensor, cap: f64) -> Result<Tensor> {
    #[expect(clippy::cast_possible_truncation, reason = "a bound of f32 numbers")]
    let near = cap as f32;
    let bent = filled([x], x.shape(), |[x], out| {
        by_rows(
            1,
            out,
            #[inline(always)]
            |first, out| {
                for (out, x) in out.iter_mut().zip(&x[first..]) {
                    *out = near * tanh(x / near);
                }
            },
        );
    })?;
    bent.map_or_else(|| (x / cap)?.tanh()? * cap, Ok)
}

/// The scores without minus infinity at either end; all of them where there is nothing else.
#[inline(always)]
fn seen(scores: &[f32]) -> Range<usize> {
    const STEP: usize = 32;
    let hidden =
        |scores: &[f32]| scores.iter().filter(|score| **score == f32::NEG_INFINITY).count() == scores.len();
    let mut seen = 0..scores.len();
    while seen.len() >= STEP && hidden(&scores[seen.end - STEP..seen.end]) {
        seen.end -= STEP;
    }
    while seen.len() >= STEP && hidden(&scores[seen.start..seen.start + STEP]) {
        seen.start += STEP;
    }
    if seen.len() < STEP && hidden(&scores[seen.clone()]) { 0..scores.len() } else { seen }
}

/// Values `[b, s, K, dh]` weighted by `pattern` `[b, H, t, s]`: `[b, t, H, dh]`.
pub(crate) fn weigh(pattern: &Tensor, v: &Tensor) -> Result<Tensor> {
    let (batch, heads, steps, past) = pattern.dims4()?;
    let (_, _, shared, size) = v.dims4()?;
    let pattern = pattern.contiguous()?.reshape((batch, shared, heads / shared * steps, past))?;
    let z = pattern.matmul(&by_head(v)?)?;
    z.reshape((batch, heads, steps, size))?.transpose(1, 2)?.contiguous()
}

/// Products `[b, H, t, s]` of queries and keys.
fn products(q: &Tensor, k: &Tensor) -> Result<Tensor> {
    let (batch, steps, heads, size) = q.dims4()?;
    let (_, past, shared, _) = k.dims4()?;
    let q = by_head(q)?;
    let q = if heads == shared {
        q
    } else {
        q.contiguous()?.reshape((batch, shared, heads / shared * steps, size))?
    };
    q.matmul(&by_head(k)?.transpose(2, 3)?)?.reshape((batch, heads, steps, past))
}

/// `[b, t, H, dh]` as `[b, H, t, dh]`: a view where there is one text, for only then do products take one.
fn by_head(x: &Tensor) -> Result<Tensor> {
    let turned = x.transpose(1, 2)?;
    if x.dim(0)? == 1 { Ok(turned) } else { turned.contiguous() }
}

/// Changes each row of scores `[b, H, t, s]`, given what its query sees.
fn by_query(scores: &Tensor, scoring: Scoring, work: impl Fn(&mut [f32], Range<usize>) + Sync) -> Result<()> {
    let (_, _, steps, past) = scores.dims4()?;
    change(scores, |scores| {
        by_rows(
            past,
            scores,
            #[inline(always)]
            |first, scores| {
                for (row, scores) in (first..).zip(scores.chunks_mut(past)) {
                    let seen = scoring.seen(row % steps);
                    work(scores, seen.start.min(past)..seen.end.min(past));
                }
            },
        );
    })
}

/// Scales and bends products.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "factors of f32 numbers")]
fn bend(products: &mut [f32], scoring: Scoring) {
    let scale = scoring.scale as f32;
    match scoring.cap.map(|cap| cap as f32) {
        Some(cap) => {
            for value in products {
                *value = cap * tanh(*value * scale / cap);
            }
        }
        None => {
            for value in products {
                *value *= scale;
            }
        }
    }
}

fn plain_scores(products: &Tensor, scoring: Scoring) -> Result<Tensor> {
    let (_, _, steps, past) = products.dims4()?;
    let mut scores = (products * scoring.scale)?;
    if let Some(cap) = scoring.cap {
        scores = ((scores / cap)?.tanh()? * cap)?;
    }
    let hidden = (0..steps).flat_map(|query| {
        let seen = scoring.seen(query);
        (0..past).map(move |at| if seen.contains(&at) { 0.0_f32 } else { f32::NEG_INFINITY })
    });
    let hidden = Tensor::from_vec(hidden.collect::<Vec<_>>(), (steps, past), scores.device())?;
    scores.broadcast_add(&hidden.to_dtype(scores.dtype())?)
}
