//! Where prices come from.

use std::path::Path;

use llmtrace::{BundledPrices, PriceChain, PriceOverrides};

use crate::failure::Failure;

/// The prices of the user's file, where there is one, and then those that come with llmtrace.
pub(crate) fn load(overrides: Option<&Path>) -> Result<PriceChain, Failure> {
    let own = overrides.map(PriceOverrides::from_file).transpose();
    let own = own.map_err(|error| Failure::Wrong(error.to_string()))?.unwrap_or_default();
    Ok(PriceChain::new(own).then(BundledPrices::new()))
}
