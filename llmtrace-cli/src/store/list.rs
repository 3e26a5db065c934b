//! The list of traces.

use llmtrace::{SpanRecord, Timestamp};
use rusqlite::Connection;
use rusqlite::types::Value;

use super::error::StoreError;
use super::facets::Facet;
use super::fact::{column, nanos, pico};
use super::filter::{Cursor, Sort, TraceFilter};
use super::read_row::{RUNNING, number};
use super::row::{TraceRow, TraceStatus};
use super::search;
use super::trace::records_of;

/// A page of the list.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Page {
    pub(crate) traces: Vec<TraceRow>,
    /// Where the next page starts; `None` on the last one.
    pub(crate) after: Option<Cursor>,
    /// Whether the search matched more than was looked at.
    pub(crate) is_cut: bool,
}

/// Traces on a page, at most.
pub(crate) const MAX_LIMIT: usize = 500;

/// Matches of a search that are looked at: the newest.
pub(crate) const MAX_MATCHES: usize = 10_000;

/// Traces of a facet that are all looked at to sort them; where there are more, the order is walked instead.
const MAX_SORTED: i64 = 5_000;

/// The traces that a filter lets through, in an order, from a cursor on.
pub(crate) fn list(
    conn: &Connection,
    filter: &TraceFilter,
    sort: Sort,
    after: Option<Cursor>,
    limit: usize,
) -> Result<Page, StoreError> {
    let limit = limit.clamp(1, MAX_LIMIT);
    let Some((mut found, is_cut)) = cursors(conn, filter, sort, after, limit + 1)? else {
        return Ok(Page::default());
    };
    let is_more = found.len() > limit;
    found.truncate(limit);
    let after = found.last().copied().filter(|_| is_more);
    let rows = found.iter().map(|cursor| TraceRow::load(conn, cursor.id));
    let traces = rows.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?;
    Ok(Page { traces, after, is_cut })
}

/// Hands over each span of the traces that a filter lets through in full, and whether it is the first of its trace;
/// the trace that started first comes first.
pub(crate) fn each_record(
    conn: &Connection,
    filter: &TraceFilter,
    each: &mut dyn FnMut(bool, SpanRecord) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut after = None;
    while let Some((found, _)) = cursors(conn, filter, Sort::Oldest, after, MAX_LIMIT)? {
        for cursor in &found {
            let mut is_first = true;
            records_of(conn, cursor.id, &mut |span| each(std::mem::take(&mut is_first), span))?;
        }
        after = found.last().copied();
        if after.is_none() {
            break;
        }
    }
    Ok(())
}

/// What a list is sorted by and the numbers of its traces, and whether the search was cut; `None` where a condition
/// names what no trace has.
pub(super) fn cursors(
    conn: &Connection,
    filter: &TraceFilter,
    sort: Sort,
    after: Option<Cursor>,
    limit: usize,
) -> Result<Option<(Vec<Cursor>, bool)>, StoreError> {
    let Some(mut facets) = Facets::of(conn, filter)? else { return Ok(None) };
    let (matches, is_cut) = match &filter.text {
        Some(text) => {
            let (matches, is_cut) = search::matches(conn, text, MAX_MATCHES)?;
            (Some(matches), is_cut)
        }
        None => (None, false),
    };
    let is_by_time = matches!(sort, Sort::Newest | Sort::Oldest);
    let driver = match (&matches, facets.rarest(conn)?) {
        (None, Some((place, traces))) if is_by_time || traces <= MAX_SORTED => {
            Some(facets.all.swap_remove(place))
        }
        _ => None,
    };
    let mut query = Query::default();
    query.source(driver, matches.as_deref(), sort);
    query.conditions(conn, filter)?;
    for (facet, value) in facets.all {
        let (start, id) = query.start_and_id();
        let exists = format!(
            "EXISTS (SELECT 1 FROM facets WHERE facet = ? AND value = ? AND start = {start} AND trace = {id})"
        );
        query.and(&exists, [Value::Integer(facet), Value::Integer(value)]);
    }
    query.order(sort, after, limit);
    let mut statement = conn.prepare_cached(&query.sql)?;
    let rows = statement.query_map(rusqlite::params_from_iter(query.values), |row| {
        Ok(Cursor { key: row.get(0)?, id: row.get(1)? })
    })?;
    Ok(Some((rows.collect::<rusqlite::Result<_>>()?, is_cut)))
}

/// Conditions that are met by facets: their numbers and those of their values.
#[derive(Debug)]
struct Facets {
    all: Vec<(i64, i64)>,
}

impl Facets {
    /// Those of a filter; `None` where one names what no trace has.
    fn of(conn: &Connection, filter: &TraceFilter) -> rusqlite::Result<Option<Self>> {
        let status = filter.status.map(|status| match status {
            TraceStatus::Ok => "ok",
            TraceStatus::Error => "error",
            TraceStatus::Running | TraceStatus::Incomplete => "unfinished",
        });
        let wanted = [
            (Facet::Model, filter.model.as_deref()),
            (Facet::Provider, filter.provider.as_deref()),
            (Facet::Service, filter.service.as_deref()),
            (Facet::Session, filter.session.as_deref()),
            (Facet::User, filter.user.as_deref()),
            (Facet::Tag, filter.tag.as_deref()),
            (Facet::Environment, filter.environment.as_deref()),
            (Facet::Name, filter.name.as_deref()),
            (Facet::Kind, filter.kind.map(llmtrace::ObservationKind::as_str)),
            (Facet::Status, status),
            (Facet::Score, filter.score.as_ref().map(|score| score.name.as_str())),
        ];
        let mut all = Vec::new();
        for (facet, value) in wanted {
            let Some(value) = value else { continue };
            let Some(value) = number(conn, value)? else { return Ok(None) };
            all.push((facet as i64, value));
        }
        Ok(Some(Self { all }))
    }

    /// The place of the one that the fewest traces have, and how many have it.
    fn rarest(&self, conn: &Connection) -> rusqlite::Result<Option<(usize, i64)>> {
        let count = "SELECT ifnull((SELECT traces FROM facet_counts WHERE facet = ?1 AND value = ?2), 0)";
        let mut count = conn.prepare_cached(count)?;
        let mut rarest = None;
        for (place, facet) in self.all.iter().enumerate() {
            let traces: i64 = count.query_row([facet.0, facet.1], |row| row.get(0))?;
            if rarest.is_none_or(|(_, fewest)| traces < fewest) {
                rarest = Some((place, traces));
            }
        }
        Ok(rarest)
    }
}

/// A statement while it is put together.
#[derive(Debug, Default)]
struct Query {
    sql: String,
    values: Vec<Value>,
    is_by_facet: bool,
    has_trace: bool,
}

impl Query {
    /// Where traces come from: a facet, the matches of a search, or all in their order.
    fn source(&mut self, driver: Option<(i64, i64)>, matches: Option<&[i64]>, sort: Sort) {
        if let Some((facet, value)) = driver {
            self.is_by_facet = true;
            self.sql.push_str(" WHERE f.facet = ? AND f.value = ?");
            self.values.extend([Value::Integer(facet), Value::Integer(value)]);
            return;
        }
        self.has_trace = true;
        if let Some(matches) = matches {
            self.sql.push_str(" FROM traces AS t NOT INDEXED WHERE t.id IN (SELECT value FROM json_each(?))");
            let list = matches.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
            self.values.push(Value::Text(format!("[{list}]")));
        } else {
            self.sql = format!(" FROM traces AS t INDEXED BY {} WHERE 1", order_of(sort).1);
        }
    }

    fn start_and_id(&self) -> (&'static str, &'static str) {
        if self.is_by_facet { ("f.start", "f.trace") } else { ("t.start", "t.id") }
    }

    fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self.values.extend(values);
    }

    /// A condition on a column of `traces`.
    fn and_trace(&mut self, condition: &str, value: i64) {
        self.has_trace = true;
        self.and(condition, [Value::Integer(value)]);
    }

    /// The conditions that are not met by facets.
    fn conditions(&mut self, conn: &Connection, filter: &TraceFilter) -> rusqlite::Result<()> {
        let (start, _) = self.start_and_id();
        if let Some(since) = filter.since {
            self.and(&format!("{start} >= ?"), [Value::Integer(nanos(since))]);
        }
        if let Some(until) = filter.until {
            self.and(&format!("{start} < ?"), [Value::Integer(nanos(until))]);
        }
        let long = |duration: std::time::Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        if let Some(min) = filter.min_duration {
            self.and_trace("t.duration >= ?", long(min));
        }
        if let Some(max) = filter.max_duration {
            self.and_trace("t.duration <= ?", long(max));
        }
        if let Some(min) = filter.min_cost {
            self.and_trace("t.cost_rank >= ?", pico(min).max(0));
        }
        if let Some(max) = filter.max_cost {
            self.and_trace("t.cost_rank BETWEEN 0 AND ?", pico(max));
        }
        if let Some(min) = filter.min_tokens {
            self.and_trace("t.token_rank >= ?", column(Some(min)).unwrap_or(0));
        }
        let recent = nanos(Timestamp::now()).saturating_sub(RUNNING);
        match filter.status {
            Some(TraceStatus::Running) => self.and_trace("t.received > ?", recent),
            Some(TraceStatus::Incomplete) => self.and_trace("t.received <= ?", recent),
            Some(TraceStatus::Ok | TraceStatus::Error) | None => {}
        }
        if let Some(score) = filter.score.as_ref().filter(|score| score.min.is_some() || score.max.is_some())
        {
            let name = number(conn, &score.name)?.unwrap_or(0);
            let (min, max) = (score.min.unwrap_or(f64::MIN), score.max.unwrap_or(f64::MAX));
            let (_, id) = self.start_and_id();
            let exists = format!(
                "EXISTS (SELECT 1 FROM scores WHERE trace = {id} AND name = ? AND value BETWEEN ? AND ?)"
            );
            self.and(&exists, [Value::Integer(name), Value::Real(min), Value::Real(max)]);
        }
        Ok(())
    }

    /// The order, where it starts and how far it goes.
    fn order(&mut self, sort: Sort, after: Option<Cursor>, limit: usize) {
        let (key, _) = order_of(sort);
        let (start, id) = self.start_and_id();
        let key = if key == "start" {
            start.to_owned()
        } else {
            self.has_trace = true;
            format!("t.{key}")
        };
        let (direction, beyond) = if sort == Sort::Oldest { ("ASC", ">") } else { ("DESC", "<") };
        if let Some(Cursor { key: last, id: trace }) = after {
            self.and(
                &format!("({key}, {id}) {beyond} (?, ?)"),
                [Value::Integer(last), Value::Integer(trace)],
            );
        }
        let from = match (self.is_by_facet, self.has_trace) {
            (true, true) => " FROM facets AS f CROSS JOIN traces AS t ON t.id = f.trace",
            (true, false) => " FROM facets AS f",
            (false, _) => "",
        };
        self.sql = format!(
            "SELECT {key}, {id}{from}{} ORDER BY {key} {direction}, {id} {direction} LIMIT ?",
            self.sql
        );
        self.values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
    }
}

/// What an order is by, and the index for it.
fn order_of(sort: Sort) -> (&'static str, &'static str) {
    match sort {
        Sort::Newest | Sort::Oldest => ("start", "traces_by_start"),
        Sort::Slowest => ("duration", "traces_by_duration"),
        Sort::Costliest => ("cost_rank", "traces_by_cost"),
        Sort::MostTokens => ("token_rank", "traces_by_tokens"),
    }
}
