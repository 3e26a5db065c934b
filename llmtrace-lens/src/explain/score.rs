//! What a prompt scored, and what asking took.

use std::fmt::Display;

use llmtrace::{Usage, provider};

/// What a prompt scored, and what the call took where that is known.
///
/// A score function may simply return a number, a `bool` (0 or 1), or a `Result` of these; it returns this to have its
/// tokens counted and priced.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scored {
    pub(crate) value: f64,
    pub(super) usage: Option<Usage>,
}

impl Scored {
    /// A score of which nothing else is known.
    pub fn new(value: f64) -> Self {
        Self { value, usage: None }
    }

    /// The tokens that went in and came out.
    pub fn tokens(self, input: u64, output: u64) -> Self {
        self.usage(Usage::new(input, output))
    }

    /// The token counts of the call.
    pub fn usage(mut self, usage: Usage) -> Self {
        self.usage = Some(usage);
        self
    }

    /// The token counts that the response of any API that llmtrace knows states.
    pub fn response(mut self, response: &serde_json::Value) -> Self {
        self.usage = provider::read_response(response).map(|exchange| exchange.usage);
        self
    }
}

impl From<f64> for Scored {
    fn from(value: f64) -> Self {
        Self::new(value)
    }
}

impl From<f32> for Scored {
    fn from(value: f32) -> Self {
        Self::new(f64::from(value))
    }
}

impl From<bool> for Scored {
    fn from(is_so: bool) -> Self {
        Self::new(f64::from(u8::from(is_so)))
    }
}

/// What a score function may return: a number, a `bool`, [`Scored`], or a `Result` of these with any error that can be
/// displayed.
pub trait IntoScore {
    /// The score, or why there is none.
    ///
    /// # Errors
    ///
    /// The text of the function's own error.
    fn into_score(self) -> Result<Scored, String>;
}

macro_rules! scores {
    ($($score:ty)*) => {$(
        impl IntoScore for $score {
            fn into_score(self) -> Result<Scored, String> {
                Ok(self.into())
            }
        }
    )*};
}
scores!(f64 f32 bool Scored);

impl<T: Into<Scored>, E: Display> IntoScore for Result<T, E> {
    fn into_score(self) -> Result<Scored, String> {
        self.map(Into::into).map_err(|error| format!("{error:#}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_return_what_they_have() {
        let check = |score: Result<Scored, String>, expected: Result<f64, &str>| {
            assert_eq!(score.map(|score| score.value), expected.map_err(str::to_owned));
        };
        check(0.5_f64.into_score(), Ok(0.5));
        check(0.5_f32.into_score(), Ok(0.5));
        check(true.into_score(), Ok(1.0));
        check(Ok::<_, std::io::Error>(2.0_f64).into_score(), Ok(2.0));
        check(Ok::<_, String>(Scored::new(2.0).tokens(3, 4)).into_score(), Ok(2.0));
        check(Err::<f64, Box<dyn std::error::Error>>("no network".into()).into_score(), Err("no network"));
    }

    #[test]
    fn usage_is_read_from_a_response() {
        let body = serde_json::json!({"object": "chat.completion", "model": "m", "choices": [],
            "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}});
        let usage = Scored::new(1.0).response(&body).usage.unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(12), Some(3)));
        assert_eq!(Scored::new(1.0).response(&serde_json::json!({"odd": 1})).usage, None);
    }
}
