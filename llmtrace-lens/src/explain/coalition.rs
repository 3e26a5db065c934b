//! Which parts of a prompt are kept.

use std::fmt;

/// Which parts of a prompt are kept; the others are masked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coalition {
    parts: usize,
    words: Vec<u64>,
}

const BITS: usize = 64;

impl Coalition {
    /// None of `parts` parts.
    pub fn empty(parts: usize) -> Self {
        Self { parts, words: vec![0; parts.div_ceil(BITS)] }
    }

    /// All of `parts` parts.
    pub fn full(parts: usize) -> Self {
        Self::of(parts, 0..parts)
    }

    /// The parts with these indices, out of `parts`; indices beyond them are passed over.
    pub fn of(parts: usize, kept: impl IntoIterator<Item = usize>) -> Self {
        let mut coalition = Self::empty(parts);
        kept.into_iter().for_each(|part| coalition.insert(part));
        coalition
    }

    /// How many parts there are, kept or not.
    pub fn parts(&self) -> usize {
        self.parts
    }

    /// How many parts are kept.
    pub fn kept(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether the part is kept.
    pub fn contains(&self, part: usize) -> bool {
        self.words.get(part / BITS).is_some_and(|word| word >> (part % BITS) & 1 == 1)
    }

    /// The indices of the kept parts, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.parts).filter(|&part| self.contains(part))
    }

    /// These parts and this one.
    pub fn with(&self, part: usize) -> Self {
        let mut more = self.clone();
        more.insert(part);
        more
    }

    /// These parts but for this one.
    pub fn without(&self, part: usize) -> Self {
        let mut fewer = self.clone();
        if let Some(word) = fewer.words.get_mut(part / BITS) {
            *word &= !(1 << (part % BITS));
        }
        fewer
    }

    /// The parts of both.
    pub fn union(&self, other: &Self) -> Self {
        let mut union = self.clone();
        union.words.iter_mut().zip(&other.words).for_each(|(word, more)| *word |= more);
        union
    }

    /// The parts that are not kept.
    pub fn complement(&self) -> Self {
        Self::of(self.parts, (0..self.parts).filter(|&part| !self.contains(part)))
    }

    fn insert(&mut self, part: usize) {
        if part < self.parts
            && let Some(word) = self.words.get_mut(part / BITS)
        {
            *word |= 1 << (part % BITS);
        }
    }
}

impl fmt::Debug for Coalition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_parts_beyond_a_word_are_sets() {
        for parts in [0, 1, 9, 64, 65, 200] {
            let odd = Coalition::of(parts, (0..parts + 7).filter(|part| part % 2 == 1));
            assert_eq!(odd.kept(), parts / 2, "{parts}");
            assert_eq!(
                odd.iter().collect::<Vec<_>>(),
                (0..parts).filter(|part| part % 2 == 1).collect::<Vec<_>>()
            );
            assert_eq!(odd.complement().complement(), odd);
            assert_eq!(odd.union(&odd.complement()), Coalition::full(parts));
            for part in 0..parts {
                assert!(odd.with(part).contains(part) && !odd.without(part).contains(part));
            }
            assert!(!odd.contains(parts + 1) && odd.with(parts + 1) == odd);
        }
    }
}
