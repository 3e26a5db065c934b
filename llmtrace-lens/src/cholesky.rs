//! Cholesky's decomposition of products of features with each other.

/// `L` of `L L^T`, for features of which some may be combinations of those before them.
#[derive(Clone, Debug)]
pub(crate) struct Cholesky {
    size: usize,
    /// Row by row.
    lower: Vec<f64>,
    /// The features that are not combinations of those before them, in order.
    kept: Vec<usize>,
}

/// Share of a feature's own size below which what is new in it counts as rounding.
const ROUNDING: f64 = 1e-12;

impl Cholesky {
    /// Of the products of so many features.
    pub(crate) fn of(size: usize, product: impl Fn(usize, usize) -> f64) -> Self {
        let mut lower = vec![0.0; size * size];
        let mut kept: Vec<usize> = Vec::new();
        for j in 0..size {
            let own = product(j, j);
            let mut rest = own;
            for (at, &k) in kept.iter().enumerate() {
                let known: f64 = kept[..at].iter().map(|&m| lower[j * size + m] * lower[k * size + m]).sum();
                let entry = (product(j, k) - known) / lower[k * size + k];
                lower[j * size + k] = entry;
                rest -= entry * entry;
            }
            if rest > ROUNDING * own && rest > 0.0 {
                lower[j * size + j] = rest.sqrt();
                kept.push(j);
            }
        }
        Self { size, lower, kept }
    }

    /// How many features are combinations of those before them, within rounding.
    pub(crate) fn dependent(&self) -> usize {
        self.size - self.kept.len()
    }

    /// The solution of `L L^T x = right`; 0 for features that are combinations of others.
    pub(crate) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut solution = self.halfway(right);
        for (at, &j) in self.kept.iter().enumerate().rev() {
            let known: f64 =
                self.kept[at + 1..].iter().map(|&m| self.lower[m * self.size + j] * solution[m]).sum();
            solution[j] = (solution[j] - known) / self.lower[j * self.size + j];
        }
        solution
    }

    /// The solution of `L x = right`, whose squared length is `right^T (L L^T)^-1 right`.
    pub(crate) fn halfway(&self, right: &[f64]) -> Vec<f64> {
        let mut solution = vec![0.0; self.size];
        for (at, &j) in self.kept.iter().enumerate() {
            let known: f64 =
                self.kept[..at].iter().map(|&m| self.lower[j * self.size + m] * solution[m]).sum();
            solution[j] = (right[j] - known) / self.lower[j * self.size + j];
        }
        solution
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_solved_is_solved_and_what_depends_is_left_out() {
        let check = |products: &[&[f64]], right: &[f64], expected: &[f64], dependent: usize| {
            let factor = Cholesky::of(products.len(), |i, j| products[i][j]);
            for (found, expected) in factor.solve(right).iter().zip(expected) {
                assert!((found - expected).abs() < 1e-12, "{products:?}");
            }
            assert_eq!(factor.dependent(), dependent);
        };
        check(&[&[4.0, 2.0], &[2.0, 3.0]], &[8.0, 7.0], &[1.25, 1.5], 0);
        check(&[&[4.0, 4.0], &[4.0, 4.0]], &[8.0, 8.0], &[2.0, 0.0], 1);
        check(&[&[0.0, 0.0], &[0.0, 2.0]], &[0.0, 4.0], &[0.0, 2.0], 1);
        check(&[], &[], &[], 0);
        let halfway = Cholesky::of(2, |i, j| [[4.0, 2.0], [2.0, 3.0]][i][j]).halfway(&[8.0, 7.0]);
        // 8 x 1.25 + 7 x 1.5.
        assert!((halfway.iter().map(|x| x * x).sum::<f64>() - 20.5).abs() < 1e-12);
    }
}
