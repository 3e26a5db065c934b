//! The page of the list of traces.

use std::sync::Arc;

use axum::extract::State;
use llmtrace::Timestamp;

use super::{PART, rendered};
use crate::pages::traces::{self, ListView};
use crate::serve::app::App;
use crate::serve::filter::{FILTER, PAGE, Wanted};
use crate::serve::html::Html;
use crate::serve::params::Params;
use crate::serve::problem::Problem;
use crate::store::error::StoreError;
use crate::store::facets::{self, Facet};
use crate::store::list;
use crate::store::over_time::{OverTime, over_time};

/// What the menus offer, and how many values of each.
const FACETS: [Facet; 11] = [
    Facet::Model,
    Facet::Provider,
    Facet::Service,
    Facet::Session,
    Facet::User,
    Facet::Tag,
    Facet::Environment,
    Facet::Kind,
    Facet::Status,
    Facet::Name,
    Facet::Score,
];
const MAX_VALUES: usize = 40;

/// `GET /traces`
pub(super) async fn page(State(app): State<Arc<App>>, params: Params) -> Result<Html, Problem> {
    let params = params.only(&[FILTER, PAGE, PART])?;
    let (wanted, is_whole) = (Wanted::read(&params)?, params.0.get("part").is_none());
    let sort = wanted.sort;
    let has_histogram = is_whole || params.0.get("part") == Some("histogram");
    let found = app.read(move |connection| {
        let page = list::list(connection, &wanted.filter, wanted.sort, wanted.after, wanted.limit);
        let (page, is_search) = match page {
            // What holds no word is in no trace.
            Err(StoreError::Search(_)) => (list::Page::default(), false),
            page => (page?, true),
        };
        let menus = FACETS.into_iter().filter(|_| is_whole);
        let facets = menus.map(|facet| Ok((facet, facets::values(connection, facet, MAX_VALUES)?)));
        let histogram = if has_histogram && is_search {
            over_time(connection, &wanted.filter)?
        } else {
            OverTime::default()
        };
        Ok((page, facets.collect::<Result<Vec<_>, StoreError>>()?, histogram))
    });
    let (page, facets, histogram) = found.await?;
    let query = params.0.without(PART);
    let view = ListView {
        page: &page,
        sort,
        facets: &facets,
        histogram: &histogram,
        query: &query,
        endpoint: &app.url,
        now: Timestamp::now(),
    };
    rendered(&params, || traces::page(&view), |name| traces::part(&view, name))
}
