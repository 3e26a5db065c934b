/// Why a picture cannot be drawn of the data given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The number of values is not the one that the labels ask for.
    #[error("{picture}: {expected} values are needed ({shape}), found {found}")]
    Shape {
        /// The picture's title.
        picture: String,
        /// What the values are counted by, as in `3 x 9`.
        shape: String,
        /// The number of values that this makes.
        expected: usize,
        /// The number of values given.
        found: usize,
    },
    /// There is more than a picture can show.
    #[error("{picture}: {found} {what}, and at most {limit} can be drawn")]
    TooLarge {
        /// The picture's title.
        picture: String,
        /// What there is too much of.
        what: &'static str,
        /// How much of it was given.
        found: usize,
        /// The most that is drawn.
        limit: usize,
    },
}

impl PictureError {
    /// Nothing, or the error that says which numbers do not agree.
    pub(super) fn check_shape(picture: &str, sides: &[usize], found: usize) -> Result<(), Self> {
        let expected =
            sides.iter().try_fold(1_usize, |all, side| all.checked_mul(*side)).unwrap_or(usize::MAX);
        if expected == found {
            return Ok(());
        }
        let shape = sides.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x ");
        Err(Self::Shape { picture: picture.to_owned(), shape, expected, found })
    }

    /// Nothing, or the error that says what there is too much of.
    pub(super) fn check_size(
        picture: &str,
        what: &'static str,
        found: usize,
        limit: usize,
    ) -> Result<(), Self> {
        if found <= limit {
            return Ok(());
        }
        Err(Self::TooLarge { picture: picture.to_owned(), what, found, limit })
    }
}
