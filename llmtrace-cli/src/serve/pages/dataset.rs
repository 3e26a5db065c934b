//! The page on which spans are chosen for a dataset.

use std::sync::Arc;

use axum::extract::State;
use llmtrace::Timestamp;
use rusqlite::Connection;

use crate::pages::dataset::{self as page_of, DatasetView, MAX_SPANS, Offer};
use crate::serve::app::App;
use crate::serve::filter::{FILTER, PAGE, Wanted};
use crate::serve::html::Html;
use crate::serve::params::Params;
use crate::serve::problem::Problem;
use crate::store::error::StoreError;
use crate::store::filter::Cursor;
use crate::store::{list, trace};

/// Traces of a page.
const TRACES: usize = 20;

/// `GET /dataset`
pub(super) async fn page(State(app): State<Arc<App>>, params: Params) -> Result<Html, Problem> {
    let params = params.only(&[FILTER, PAGE])?;
    let wanted = Wanted::read(&params)?;
    let (offers, after) = app.read(move |connection| offers(connection, &wanted)).await?;
    let after = after.map(|after| after.to_string());
    let view =
        DatasetView { query: &params.0, offers: &offers, after: after.as_deref(), now: Timestamp::now() };
    Ok(Html(page_of::page(&view)))
}

/// The spans of the traces that the filters let through; of a large trace the first.
fn offers(connection: &Connection, wanted: &Wanted) -> Result<(Vec<Offer>, Option<Cursor>), StoreError> {
    let limit = wanted.limit.min(TRACES);
    let page = list::list(connection, &wanted.filter, wanted.sort, wanted.after, limit)?;
    let mut offers = Vec::new();
    let each = MAX_SPANS / page.traces.len().max(1);
    for row in page.traces {
        let spans = trace::load(connection, row.trace_id)?.map_or_else(Vec::new, |stored| stored.spans);
        let mut offered: Vec<_> =
            spans.into_iter().filter(|span| page_of::is_offered(span, wanted.filter.kind)).collect();
        let left_out = offered.len().saturating_sub(each);
        offered.truncate(each);
        offers.push(Offer { trace: row, spans: offered, left_out });
    }
    Ok((offers, page.after))
}
