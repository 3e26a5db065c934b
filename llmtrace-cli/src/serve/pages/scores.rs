//! The page of what judgements come to.

use std::sync::Arc;

use axum::extract::State;
use llmtrace::Timestamp;

use crate::pages::scores::summary::{self, ScoresView};
use crate::serve::app::App;
use crate::serve::html::Html;
use crate::serve::params::Params;
use crate::serve::problem::Problem;
use crate::store::judged;

/// Judgements of a name that are listed.
const NEWEST: usize = 100;

/// `GET /scores`
pub(super) async fn page(State(app): State<Arc<App>>, params: Params) -> Result<Html, Problem> {
    let name = params.only(&[&["name"]])?.text("name");
    let wanted = name.clone();
    let found = app.read(move |connection| {
        let newest = match &wanted {
            Some(name) => judged::newest(connection, name, NEWEST)?,
            None => Vec::new(),
        };
        Ok((judged::by_name(connection)?, newest))
    });
    let (names, newest) = found.await?;
    let chosen = match &name {
        Some(name) => {
            let judged = names.iter().find(|judged| judged.name == *name);
            Some(judged.ok_or_else(|| Problem::missing("there is no score of this name"))?)
        }
        None => None,
    };
    let chosen = chosen.map(|judged| (judged, newest.as_slice()));
    Ok(Html(summary::page(&ScoresView { names: &names, chosen, now: Timestamp::now() })))
}
