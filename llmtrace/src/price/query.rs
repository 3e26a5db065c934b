//! One call to be priced.

use crate::{Timestamp, Usage};

/// One call to be priced.
///
/// ```
/// use llmtrace::{PriceQuery, Timestamp, Usage};
///
/// let usage = Usage::new(1_200, 80);
/// let query = PriceQuery::new("gpt-4o-mini", &usage, Timestamp::now()).provider("openai").service_tier("flex");
/// assert_eq!(query.service_tier, Some("flex"));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PriceQuery<'a> {
    /// Who answered: an `OTel` provider name (`aws.bedrock`) or a usual short one (`bedrock`).
    pub provider: Option<&'a str>,
    /// The model, as the response names it where it does, else as the request named it.
    pub model: &'a str,
    /// What the request named, where the response names another: a deployment, an alias, a gateway's own name.
    pub request_model: Option<&'a str>,
    /// The tokens.
    pub usage: &'a Usage,
    /// When the call started: prices change.
    pub at: Timestamp,
    /// The service tier that was served: `default`, `flex`, `priority`, ...
    pub service_tier: Option<&'a str>,
    /// The inference speed that was served (Anthropic `usage.speed`).
    pub speed: Option<&'a str>,
    /// `batch` for a call made through a batch API.
    pub processing: Option<&'a str>,
    /// Where inference ran (Anthropic `usage.inference_geo`).
    pub inference_geo: Option<&'a str>,
}

impl<'a> PriceQuery<'a> {
    /// A call of `model` that started at `at`.
    pub fn new(model: &'a str, usage: &'a Usage, at: Timestamp) -> Self {
        Self {
            provider: None,
            model,
            request_model: None,
            usage,
            at,
            service_tier: None,
            speed: None,
            processing: None,
            inference_geo: None,
        }
    }

    /// Says who answered.
    pub fn provider(mut self, provider: impl Into<Option<&'a str>>) -> Self {
        self.provider = provider.into();
        self
    }

    /// Says what the request named, where the response names another model.
    pub fn request_model(mut self, model: impl Into<Option<&'a str>>) -> Self {
        self.request_model = model.into();
        self
    }

    /// Says which service tier was served.
    pub fn service_tier(mut self, tier: impl Into<Option<&'a str>>) -> Self {
        self.service_tier = tier.into();
        self
    }

    /// Says at which speed the call was served.
    pub fn speed(mut self, speed: impl Into<Option<&'a str>>) -> Self {
        self.speed = speed.into();
        self
    }

    /// Says how the call was submitted: `batch`, or nothing.
    pub fn processing(mut self, processing: impl Into<Option<&'a str>>) -> Self {
        self.processing = processing.into();
        self
    }

    /// Says where inference ran.
    pub fn inference_geo(mut self, geo: impl Into<Option<&'a str>>) -> Self {
        self.inference_geo = geo.into();
        self
    }

    /// The same call of another model, and of another provider if one is named.
    pub(super) fn renamed<'b>(&self, model: &'b str, provider: Option<&'b str>) -> PriceQuery<'b>
    where
        'a: 'b,
    {
        PriceQuery { model, request_model: None, provider: provider.or(self.provider), ..*self }
    }

    /// Whether the call was made through a batch API; Anthropic says so in the served tier.
    pub(super) fn is_batch(&self) -> bool {
        let is = |value: Option<&str>| value.is_some_and(|value| value.eq_ignore_ascii_case("batch"));
        is(self.processing) || is(self.service_tier)
    }
}
