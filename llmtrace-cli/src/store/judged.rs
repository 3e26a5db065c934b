//! What the judgements of each name come to.

use llmtrace::{SpanId, Timestamp, TraceId};
use rusqlite::Connection;

use super::error::StoreError;
use super::fact::timestamp;

/// The judgements of one name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Judged {
    pub(crate) name: String,
    /// How many there are.
    pub(crate) count: u64,
    /// How many traces have one.
    pub(crate) traces: u64,
    pub(crate) mean: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) last: Timestamp,
    /// How many lie in each of [`BINS`] stretches of equal width from the lowest to the highest.
    pub(crate) bins: [u64; BINS],
}

/// One judgement, with the trace that it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Judgement {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) value: f64,
    pub(crate) comment: Option<String>,
    pub(crate) time: Timestamp,
    /// The name of the span.
    pub(crate) span: String,
    /// The begin of what the trace was asked.
    pub(crate) input: Option<String>,
}

/// Stretches into which the values of a name are put.
pub(crate) const BINS: usize = 10;

/// Names of judgements, at most.
const MAX_NAMES: i64 = 200;

/// What the judgements of each name come to, the most frequent name first.
pub(crate) fn by_name(conn: &Connection) -> Result<Vec<Judged>, StoreError> {
    let find = "SELECT n.text, count(*), count(DISTINCT s.trace), avg(s.value), min(s.value), max(s.value), max(s.time), s.name
        FROM scores AS s JOIN names AS n ON n.id = s.name GROUP BY s.name ORDER BY count(*) DESC, n.text LIMIT ?1";
    let mut find = conn.prepare_cached(find)?;
    let rows = find.query_map([MAX_NAMES], |row| {
        let judged = Judged {
            name: row.get(0)?,
            count: row.get::<_, i64>(1)?.unsigned_abs(),
            traces: row.get::<_, i64>(2)?.unsigned_abs(),
            mean: row.get(3)?,
            min: row.get(4)?,
            max: row.get(5)?,
            last: timestamp(row.get(6)?),
            bins: [0; BINS],
        };
        Ok((row.get::<_, i64>(7)?, judged))
    })?;
    let mut found: Vec<(i64, Judged)> = rows.collect::<rusqlite::Result<_>>()?;
    for (name, judged) in &mut found {
        fill(conn, *name, judged)?;
    }
    Ok(found.into_iter().map(|(_, judged)| judged).collect())
}

/// Puts the values of a name into bins.
fn fill(conn: &Connection, name: i64, judged: &mut Judged) -> Result<(), StoreError> {
    let find = "SELECT min(max(CAST((value - ?2) / ?3 AS INTEGER), 0), ?4) AS bin, count(*) FROM scores
        WHERE name = ?1 GROUP BY bin";
    let width = (judged.max - judged.min) / BINS as f64;
    let width = if width > 0.0 { width } else { 1.0 };
    let mut find = conn.prepare_cached(find)?;
    let last = i64::try_from(BINS).unwrap_or(i64::MAX) - 1;
    let rows = find.query_map((name, judged.min, width, last), |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
    })?;
    for row in rows {
        let (bin, count) = row?;
        if let Some(own) = usize::try_from(bin).ok().and_then(|bin| judged.bins.get_mut(bin)) {
            *own = count.unsigned_abs();
        }
    }
    Ok(())
}

/// The newest judgements of a name, at most `limit`.
pub(crate) fn newest(conn: &Connection, name: &str, limit: usize) -> Result<Vec<Judgement>, StoreError> {
    let find =
        "SELECT t.trace_id, s.span_id, s.value, s.comment, s.time, span_names.text, t.input FROM scores AS s
        JOIN names AS n ON n.id = s.name JOIN traces AS t ON t.id = s.trace
        LEFT JOIN spans ON spans.trace = s.trace AND spans.span_id = s.span_id
        LEFT JOIN names AS span_names ON span_names.id = spans.name
        WHERE n.text = ?1 ORDER BY s.time DESC, s.id DESC LIMIT ?2";
    let mut find = conn.prepare_cached(find)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = find.query_map((name, limit), |row| {
        Ok(Judgement {
            trace_id: TraceId::from_bytes(row.get(0)?).ok_or(rusqlite::Error::InvalidQuery)?,
            span_id: SpanId::from_bytes(row.get(1)?).ok_or(rusqlite::Error::InvalidQuery)?,
            value: row.get(2)?,
            comment: row.get(3)?,
            time: timestamp(row.get(4)?),
            span: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
            input: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use llmtrace::{ObservationKind, Score, SpanRecord};

    use super::*;
    use crate::store::Store;
    use crate::store::options::StoreOptions;
    use crate::store::scores::NewScore;

    fn span(number: u64, values: &[f64]) -> SpanRecord {
        let at = Timestamp::from_unix_nanos(1_795_334_400_000_000_000 + number);
        let trace = TraceId::from_bytes([u8::try_from(number).unwrap(); 16]).unwrap();
        let id = SpanId::from_bytes([7; 8]).unwrap();
        let mut span = SpanRecord::new(trace, id, "chat", ObservationKind::Generation, at, at);
        span.scores = values.iter().map(|value| Score::new("helpful", *value)).collect();
        span
    }

    #[test]
    fn judgements_are_added_up_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.db"), StoreOptions::default()).unwrap();
        assert_eq!(store.read(by_name).unwrap(), []);
        store.write(vec![span(1, &[0.0]), span(2, &[1.0]), span(3, &[0.95]), span(4, &[])]).unwrap();
        let trace = span(4, &[]).trace_id;
        let added = NewScore { name: "rude".to_owned(), value: -3.0, comment: Some("very".to_owned()) };
        store.add_score(trace, SpanId::from_bytes([7; 8]).unwrap(), added).unwrap();

        let found = store.read(by_name).unwrap();
        let names: Vec<_> =
            found.iter().map(|judged| (judged.name.as_str(), judged.count, judged.traces)).collect();
        assert_eq!(names, [("helpful", 3, 3), ("rude", 1, 1)]);
        let (helpful, rude) = (&found[0], &found[1]);
        assert!((helpful.mean - 0.65).abs() < 1e-9);
        assert_eq!((helpful.min, helpful.max, helpful.bins), (0.0, 1.0, [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]));
        assert_eq!((rude.min, rude.max, rude.bins[0]), (-3.0, -3.0, 1));

        let newest = store.read(|conn| newest(conn, "rude", 10)).unwrap();
        let newest: Vec<_> =
            newest.iter().map(|one| (one.trace_id, &*one.span, one.value, one.comment.as_deref())).collect();
        assert_eq!(newest, [(trace, "chat", -3.0, Some("very"))]);
        assert_eq!(store.read(|conn| super::newest(conn, "helpful", 2)).unwrap().len(), 2);
        assert_eq!(store.read(|conn| super::newest(conn, "unknown", 2)).unwrap(), []);
    }
}
