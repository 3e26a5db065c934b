//! Whether the file is whole, and its sums are what its spans say.

use std::collections::BTreeMap;

use llmtrace::SpanRecord;
use rusqlite::{Connection, Row};

use super::error::StoreError;
use super::facets::Facet;
use super::fact::{Fact, Labels};
use super::read_row::number;
use super::sums::Sums;
use super::totals::{ERROR, OK, Totals};
use super::trace::each_as_it_came;
use super::write::facets::{FacetSet, from_bytes};
use super::write::prepare::PreparedSpan;
use super::write::rollups::{LEVELS, USER_LEVELS, bucket};
use super::write::row::{FACTS, NUMBERS, numbers};
use super::write::search::TRACE_BITS;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) traces: u64,
    pub(crate) spans: u64,
    /// What is wrong, in words: the first [`MAX_PROBLEMS`].
    pub(crate) problems: Vec<String>,
    /// How many things are wrong.
    pub(crate) count: u64,
}

/// Problems that are told one by one.
const MAX_PROBLEMS: usize = 20;

/// What the spans of the whole file add up to.
#[derive(Debug, Default)]
struct Expected {
    rollups: BTreeMap<Vec<i64>, Sums>,
    users: BTreeMap<Vec<i64>, Sums>,
    sessions: BTreeMap<Vec<i64>, Sums>,
    facets: BTreeMap<(u8, i64), i64>,
}

/// Checks the file; nothing is changed. `integrity_check` looks into the index of words too, as it does into any virtual
/// table that offers it (SQLite 3.44).
pub(crate) fn check(conn: &Connection) -> Result<Findings, StoreError> {
    let mut found = Findings::default();
    let mut integrity = conn.prepare("PRAGMA integrity_check(20)")?;
    let mut lines = integrity.query([])?;
    while let Some(line) = lines.next()? {
        let line: String = line.get(0)?;
        if line != "ok" {
            found.wrong(format!("the file: {line}"));
        }
    }
    let mut expected = Expected::default();
    let mut ids = conn.prepare("SELECT id, facets FROM traces ORDER BY id")?;
    let mut ids = ids.query([])?;
    while let Some(row) = ids.next()? {
        let facets = from_bytes(&row.get::<_, Vec<u8>>(1)?);
        trace(conn, row.get(0)?, &facets, &mut expected, &mut found)?;
    }
    let sums = [
        ("rollups", "level, bucket, service, provider, model", &expected.rollups),
        ("user_rollups", "level, bucket, user", &expected.users),
        ("sessions", "session", &expected.sessions),
    ];
    for (table, key, expected) in sums {
        compare_sums(conn, table, key, expected, &mut found)?;
    }
    let mut counts = conn.prepare("SELECT facet, value, traces FROM facet_counts WHERE traces <> 0")?;
    let counts = counts.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
    if counts.collect::<rusqlite::Result<BTreeMap<_, _>>>()? != expected.facets {
        found.wrong("the counts of facets are not those of the traces".to_owned());
    }
    let rows: i64 = conn.query_row("SELECT count(*) FROM facets", [], |row| row.get(0))?;
    if rows != expected.facets.values().sum::<i64>() {
        found.wrong(format!("{rows} facets are indexed, {} expected", expected.facets.values().sum::<i64>()));
    }
    words(conn, &mut found)?;
    let alone = "SELECT count(*) FROM spans WHERE trace NOT IN (SELECT id FROM traces)";
    let alone: i64 = conn.query_row(alone, [], |row| row.get(0))?;
    if alone > 0 {
        found.wrong(format!("{alone} spans are of no trace"));
    }
    Ok(found)
}

impl Findings {
    fn wrong(&mut self, problem: String) {
        self.count += 1;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }
}

/// Checks that each trace has the rows in the index of words that it is said to have.
fn words(conn: &Connection, found: &mut Findings) -> Result<(), StoreError> {
    let rows = "SELECT rowid >> ?1 AS trace, count(*) AS rows FROM search GROUP BY 1";
    let wrong = format!(
        "SELECT coalesce(t.trace, s.trace), ifnull(s.rows, 0), ifnull(t.rows, 0)
        FROM texts AS t FULL JOIN ({rows}) AS s ON s.trace = t.trace
        WHERE ifnull(s.rows, 0) <> ifnull(t.rows, 0) ORDER BY 1"
    );
    let mut wrong = conn.prepare(&wrong)?;
    let mut wrong = wrong.query([TRACE_BITS])?;
    while let Some(row) = wrong.next()? {
        let (trace, rows, expected): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        found.wrong(format!("trace {trace}: {rows} of its texts can be searched, {expected} expected"));
    }
    Ok(())
}

/// Checks one trace, and adds it to what is expected.
fn trace(
    conn: &Connection,
    id: i64,
    facets: &FacetSet,
    expected: &mut Expected,
    found: &mut Findings,
) -> Result<(), StoreError> {
    let facts = Fact::of_trace(conn, id)?;
    found.traces += 1;
    found.spans += facts.len() as u64;
    let mut tags = FacetSet::new();
    each_as_it_came(conn, &facts, &mut |fact, record| {
        match record {
            Err(error) => found.wrong(format!("trace {id}: {error}")),
            Ok(record) => {
                let mut told = told(conn, &record, fact, &mut tags)?;
                // Where only the type of an error is known, older versions left it out.
                told.error = told.error.filter(|_| fact.error.is_some());
                if told != *fact {
                    let span = fact.span_id;
                    found.wrong(format!("trace {id}: the row of span {span} is not what the span says"));
                }
            }
        }
        Ok(())
    })?;
    let totals = Totals::of(&facts);
    let columns = NUMBERS.get(..FACTS).unwrap_or_default().join(", ");
    let find = format!("SELECT {columns} FROM traces WHERE id = ?1");
    let read = |row: &Row<'_>| (0..FACTS).map(|place| row.get(place)).collect::<rusqlite::Result<Vec<_>>>();
    let stored: Vec<Option<i64>> = conn.prepare_cached(&find)?.query_row([id], read)?;
    for ((name, stored), expected) in NUMBERS.iter().zip(stored).zip(numbers(&totals)) {
        if stored != expected {
            found.wrong(format!("trace {id}: {name} is {stored:?}, its spans say {expected:?}"));
        }
    }
    let error: Option<String> =
        conn.prepare_cached("SELECT error FROM traces WHERE id = ?1")?.query_row([id], |row| row.get(0))?;
    if error != totals.error {
        found.wrong(format!("trace {id}: error is {error:?}, its spans say {:?}", totals.error));
    }
    if !same_facets(conn, &facts, &totals, &tags, facets)? {
        found.wrong(format!("trace {id}: its facets are not what its spans say"));
    }
    let indexed =
        "SELECT EXISTS (SELECT 1 FROM facets WHERE facet = ?1 AND value = ?2 AND start = ?3 AND trace = ?4)";
    let mut indexed = conn.prepare_cached(indexed)?;
    for (facet, value) in facets {
        if !indexed.query_row((facet, value, totals.start, id), |row| row.get(0))? {
            found.wrong(format!("trace {id}: facet {facet} is not indexed"));
        }
        *expected.facets.entry((*facet, *value)).or_default() += 1;
    }
    expected.add(&totals);
    Ok(())
}

impl Expected {
    fn add(&mut self, totals: &Totals) {
        let session = totals.labels.session;
        if session != 0 {
            self.sessions.entry(vec![session]).or_default();
        }
        for call in &totals.calls {
            let labels = &call.labels;
            for level in LEVELS {
                let key =
                    vec![level, bucket(level, call.start), labels.service, labels.provider, labels.model];
                call.add_to(self.rollups.entry(key).or_default());
            }
            for level in USER_LEVELS.into_iter().filter(|_| labels.user != 0) {
                let key = vec![level, bucket(level, call.start), labels.user];
                call.add_to(self.users.entry(key).or_default());
            }
            if session != 0 {
                call.add_to(self.sessions.entry(vec![session]).or_default());
            }
        }
    }
}

/// The row that a span would have.
fn told(
    conn: &Connection,
    record: &SpanRecord,
    fact: &Fact,
    tags: &mut FacetSet,
) -> Result<Fact, StoreError> {
    let span = PreparedSpan::new(record, 0, 0);
    let label = |label: &Option<Box<str>>| -> rusqlite::Result<i64> {
        // A name that is not there is the number of none.
        Ok(label.as_deref().map(|text| number(conn, text)).transpose()?.flatten().unwrap_or(0))
    };
    for tag in &span.tags {
        tags.insert((Facet::Tag as u8, number(conn, tag)?.unwrap_or(0)));
    }
    let labels = Labels {
        name: label(&span.labels.name)?,
        service: label(&span.labels.service)?,
        environment: label(&span.labels.environment)?,
        model: label(&span.labels.model)?,
        provider: label(&span.labels.provider)?,
        session: label(&span.labels.session)?,
        user: label(&span.labels.user)?,
    };
    Ok(Fact { labels, chunk: fact.chunk, position: fact.position, ..span.fact })
}

/// Whether the facets that stand in the row of a trace are those of its spans; names of spans may be left out.
fn same_facets(
    conn: &Connection,
    facts: &[Fact],
    totals: &Totals,
    tags: &FacetSet,
    facets: &FacetSet,
) -> Result<bool, StoreError> {
    let status = match totals.status {
        OK => "ok",
        ERROR => "error",
        _ => "unfinished",
    };
    let mut expected = tags.clone();
    expected.insert((Facet::Status as u8, number(conn, status)?.unwrap_or(0)));
    for fact in facts {
        let labels = &fact.labels;
        expected.insert((Facet::Kind as u8, number(conn, fact.kind.as_str())?.unwrap_or(0)));
        let all = [
            (Facet::Model, labels.model),
            (Facet::Provider, labels.provider),
            (Facet::Service, labels.service),
            (Facet::Session, labels.session),
            (Facet::User, labels.user),
            (Facet::Environment, labels.environment),
            (Facet::Name, labels.name),
        ];
        expected.extend(
            all.into_iter().filter(|(_, value)| *value != 0).map(|(facet, value)| (facet as u8, value)),
        );
    }
    let (score, name) = (Facet::Score as u8, Facet::Name as u8);
    let without =
        |set: &FacetSet| set.iter().copied().filter(|(facet, _)| *facet != score).collect::<FacetSet>();
    let is_cut = facets.len() >= super::write::facets::MAX_VALUES;
    let all_known = facets.iter().all(|facet| facet.0 == score || expected.contains(facet));
    let all_there = without(facets) == expected
        || (is_cut && expected.iter().all(|facet| facet.0 == name || facets.contains(facet)));
    Ok(all_known && all_there)
}

fn compare_sums(
    conn: &Connection,
    table: &str,
    key: &str,
    expected: &BTreeMap<Vec<i64>, Sums>,
    found: &mut Findings,
) -> Result<(), StoreError> {
    let columns = key.split(',').count();
    let mut rows = conn.prepare(&format!("SELECT {key}, sums FROM {table}"))?;
    let mut rows = rows.query([])?;
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        let key: Vec<i64> = (0..columns).map(|place| row.get(place)).collect::<rusqlite::Result<_>>()?;
        let mut sums = Sums::default();
        let is_read = row.get_ref(columns)?.as_blob().is_ok_and(|bytes| sums.merge_bytes(bytes).is_some());
        if !is_read || expected.get(&key) != Some(&sums) {
            found.wrong(format!("{table} {key:?}: the sums are not those of the spans"));
        }
        seen += 1;
    }
    if seen != expected.len() {
        found.wrong(format!("{table}: {seen} rows, {} expected", expected.len()));
    }
    Ok(())
}
