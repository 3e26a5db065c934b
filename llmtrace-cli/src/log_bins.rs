//! Bins that grow with their values.
//!
//! A bin spans at most 1/2^(`BITS` - 1) of its values, as in an `HdrHistogram` (<https://hdrhistogram.github.io/HdrHistogram/>):
//! values of up to `BITS` bits have one each; of larger ones the first bits and how many follow tell it.

/// The number of a value's bin.
pub(crate) fn bin<const BITS: u32>(value: u64) -> u16 {
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(BITS);
    // The first of the bits is always set from the second octave on.
    let number = (u64::from(shift) << (BITS - 1)) + (value >> shift);
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// The middle of a bin, which may be read from a file: of a number that no value has, the largest value.
pub(crate) fn middle<const BITS: u32>(number: u16) -> u64 {
    let (octave, number) = (u32::from(number) >> (BITS - 1), u64::from(number));
    let shift = octave.saturating_sub(1);
    if shift > u64::BITS - BITS {
        return u64::MAX;
    }
    let first = (number - (u64::from(shift) << (BITS - 1))) << shift;
    first.saturating_add((1 << shift) >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<const BITS: u32>() {
        let mut value = 1_u64;
        while value < u64::MAX / 32 {
            for near in [value - 1, value, value + value / 3] {
                let found = middle::<BITS>(bin::<BITS>(near));
                assert!(found.abs_diff(near) <= near >> BITS, "{near}: {found}");
            }
            value = value * 17 / 13 + 1;
        }
        assert!(middle::<BITS>(bin::<BITS>(u64::MAX)) > u64::MAX / 100 * 97);
        assert_eq!(middle::<BITS>(u16::MAX), u64::MAX);
        let numbers: Vec<_> = (0..100_000).map(bin::<BITS>).collect();
        assert!(numbers.is_sorted());
    }

    #[test]
    fn bins_are_off_by_little_and_in_order() {
        check::<6>();
        check::<7>();
        check::<8>();
    }
}
