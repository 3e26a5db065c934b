//! Attention between positions, cut.

use candle_core::{D, Tensor};

use super::moment::Moment;
use super::point::Site;
use super::slice::Slice;
use crate::error::RunError;

/// Edges of attention: which positions do not see which others, in all heads or some.
///
/// ```
/// use llmtrace_lens::Edges;
///
/// let last_does_not_see_the_city = Edges::one(6, 9).in_heads([0, 2]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edges {
    from: Vec<usize>,
    to: Vec<usize>,
    heads: Slice,
}

impl Edges {
    /// What position `to` sees of position `from`.
    pub fn one(from: usize, to: usize) -> Self {
        Self::between([from], [to])
    }

    /// What each position of `to` sees of each of `from`.
    pub fn between(from: impl IntoIterator<Item = usize>, to: impl IntoIterator<Item = usize>) -> Self {
        Self { from: from.into_iter().collect(), to: to.into_iter().collect(), heads: Slice::all() }
    }

    /// Of these heads alone.
    pub fn in_heads(mut self, heads: impl IntoIterator<Item = usize>) -> Self {
        self.heads = self.heads.and(Slice::heads(heads));
        self
    }

    /// Scores `[b, H, t, s]` with minus infinity at these edges.
    pub(super) fn cut(&self, moment: Moment, scores: &Tensor) -> Result<Option<Tensor>, RunError> {
        if moment.point.site() != Site::AttnScores {
            return Err(moment.refuse("attention is cut at attn.hook_attn_scores alone".to_owned()));
        }
        if let (Some(from), Some(to)) = (self.from.iter().min(), self.to.iter().max())
            && from > to
        {
            return Err(moment.refuse(format!(
                "position {to} does not see position {from}: attention goes back from a position, not forward"
            )));
        }
        let part = Slice::positions(self.to.iter().copied())
            .and(Slice::keys(self.from.iter().copied()))
            .and(self.heads.clone());
        let blind = Tensor::new(f32::NEG_INFINITY, scores.device())?;
        let Some(cut) = part.put(moment, scores, &blind)? else { return Ok(None) };
        let rows: Vec<Vec<Vec<f32>>> = strongest(&cut)?;
        for (head, row) in rows.iter().flat_map(|heads| heads.iter().enumerate()) {
            if let Some(at) = row.iter().position(|score| *score == f32::NEG_INFINITY) {
                return Err(moment.refuse(format!(
                    "position {} would see nothing in head {head}: leave it at least one position",
                    moment.start + at
                )));
            }
        }
        Ok(Some(cut))
    }
}

/// The largest score of each row `[b, H, t]`.
fn strongest(scores: &Tensor) -> candle_core::Result<Vec<Vec<Vec<f32>>>> {
    scores.max(D::Minus1)?.to_dtype(candle_core::DType::F32)?.to_vec3()
}
