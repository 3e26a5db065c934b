//! One price that the user gives.

use super::names::{same_provider, without_resource_path};
use super::places::bare;
use super::version::is_version_of;
use super::{PriceQuery, Rates, Schedule};
use crate::{PriceMatch, Timestamp};

/// One price that the user gives, and the calls that it applies to.
///
/// ```
/// use llmtrace::{PriceOverride, PriceOverrides, Rates};
///
/// let flex = PriceOverride::new("gpt-4o*", Rates::per_mtok("1.25".parse()?, "5".parse()?))
///     .provider("azure")
///     .service_tier("flex")
///     .from("2026-01-01T00:00:00Z".parse()?)
///     .as_of("2026-01-15");
/// // A deployment that is named otherwise than its model.
/// let deployment = PriceOverride::alias("support-bot-eu", "gpt-4o-mini").provider("azure");
/// let prices = PriceOverrides::new().entry(flex).entry(deployment);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PriceOverride {
    provider: Option<String>,
    pub(super) model: String,
    pub(super) price: Price,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    schedule: Option<Schedule>,
    service_tier: Option<String>,
    processing: Option<String>,
    speed: Option<String>,
    inference_geo: Option<String>,
    above_input_tokens: Option<u64>,
    pub(super) as_of: Option<String>,
}

/// What an entry says of the calls that it applies to.
#[derive(Clone, Debug)]
pub(super) enum Price {
    Rates(Box<Rates>),
    /// They cost what calls of another model cost.
    As {
        model: String,
        provider: Option<String>,
    },
}

/// A method of [`PriceOverride`] that sets one condition on a text.
macro_rules! text_conditions {
    ($($(#[$doc:meta])* $name:ident($value:ident);)*) => {
        $($(#[$doc])*
        pub fn $name(mut self, $value: impl Into<String>) -> Self {
            self.$name = Some($value.into());
            self
        })*
    };
}

impl PriceOverride {
    /// The price of a model, whoever serves it; a `*` at the name's end stands for any rest.
    ///
    /// Without a `*`, dated versions are meant too: an entry for `gpt-4o` applies to `gpt-4o-2024-08-06`, not to
    /// `gpt-4o-mini`.
    pub fn new(model: impl Into<String>, rates: Rates) -> Self {
        Self::of(model.into(), Price::Rates(Box::new(rates)))
    }

    /// Says that calls of `model` cost what calls of `priced_as` cost: for the names of deployments, fine-tuned
    /// models and gateways. What `priced_as` costs is looked up among all prices, the bundled ones included.
    pub fn alias(model: impl Into<String>, priced_as: impl Into<String>) -> Self {
        Self::of(model.into(), Price::As { model: priced_as.into(), provider: None })
    }

    fn of(model: String, price: Price) -> Self {
        Self {
            provider: None,
            model,
            price,
            from: None,
            to: None,
            schedule: None,
            service_tier: None,
            processing: None,
            speed: None,
            inference_geo: None,
            above_input_tokens: None,
            as_of: None,
        }
    }

    /// Whose price an [alias](Self::alias) has, where it is not that of the call's own provider.
    pub fn alias_provider(mut self, provider: impl Into<String>) -> Self {
        if let Price::As { provider: slot, .. } = &mut self.price {
            *slot = Some(provider.into());
        }
        self
    }

    text_conditions! {
        /// Only calls that this provider served, under any of its usual names.
        provider(provider);
        /// Only calls that this service tier served.
        service_tier(tier);
        /// Only calls that were submitted so: `batch`.
        processing(processing);
        /// Only calls that were served at this speed.
        speed(speed);
        /// Only calls whose inference ran there.
        inference_geo(geo);
        /// The date on which the price was looked up, for the trace.
        as_of(date);
    }

    /// Only calls that started at this time or later.
    pub fn from(mut self, at: Timestamp) -> Self {
        self.from = Some(at);
        self
    }

    /// Only calls that started before this time.
    pub fn to(mut self, at: Timestamp) -> Self {
        self.to = Some(at);
        self
    }

    /// Only calls that started on these days of the week and hours of the day.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = Some(schedule);
        self
    }

    /// Only calls whose whole input, cached tokens included, has more tokens than this: the price of long contexts,
    /// which holds for all tokens of such a call.
    pub fn above_input_tokens(mut self, tokens: u64) -> Self {
        self.above_input_tokens = Some(tokens);
        self
    }

    pub(super) fn matches(&self, query: &PriceQuery<'_>) -> Option<PriceMatch> {
        let is_of = |ours: &str| query.provider.is_some_and(|theirs| same_provider(ours, theirs));
        let is = |ours: &Option<String>, theirs: Option<&str>| {
            ours.as_deref().is_none_or(|ours| theirs.is_some_and(|theirs| ours.eq_ignore_ascii_case(theirs)))
        };
        let is_longer = |limit| query.usage.input_tokens.is_some_and(|tokens| tokens > limit);
        let processing = if query.is_batch() { Some("batch") } else { query.processing };
        let applies = self.provider.as_deref().is_none_or(is_of)
            && is(&self.service_tier, query.service_tier)
            && is(&self.processing, processing)
            && is(&self.speed, query.speed)
            && is(&self.inference_geo, query.inference_geo)
            && self.above_input_tokens.is_none_or(is_longer)
            && self.from.is_none_or(|from| query.at >= from)
            && self.to.is_none_or(|to| query.at < to)
            && self.schedule.as_ref().is_none_or(|schedule| schedule.holds_at(query.at));
        if !applies {
            return None;
        }
        // Azure's requests name a deployment, which the user may have given any name.
        let is_azure = query.provider.is_some_and(|provider| same_provider(provider, "azure"));
        let deployment = query.request_model.filter(|_| is_azure);
        deployment.into_iter().chain([query.model]).find_map(|name| self.covers(name))
    }

    fn covers(&self, name: &str) -> Option<PriceMatch> {
        let bare = bare(name);
        let names = [name, without_resource_path(name), &*bare];
        if let Some(prefix) = self.model.strip_suffix('*') {
            let starts = |name: &&str| {
                name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            };
            return names.iter().any(starts).then_some(PriceMatch::Family);
        }
        if names.iter().any(|name| self.model.eq_ignore_ascii_case(name)) {
            return Some(PriceMatch::Exact);
        }
        is_version_of(name, &self.model).then_some(PriceMatch::Dated)
    }
}
