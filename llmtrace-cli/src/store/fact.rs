//! What a span counts with: the columns of `spans`.

use llmtrace::{ObservationKind, SpanId, Timestamp, Usd};
use rusqlite::{CachedStatement, Connection, Row, params};

use super::row::{SpanStatus, Tokens};

/// What a span counts with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fact {
    pub(super) span_id: SpanId,
    pub(super) parent: Option<SpanId>,
    pub(super) parent_is_remote: bool,
    /// Nanoseconds since 1970, as all times here.
    pub(super) start: i64,
    /// 0 while the span runs.
    pub(super) end: i64,
    pub(super) kind: ObservationKind,
    pub(super) status: SpanStatus,
    /// Numbers of names; 0 is none.
    pub(super) labels: Labels<i64>,
    pub(super) tokens: Tokens,
    pub(super) counted: TokensKnown,
    /// In millionths of a millionth of a US dollar.
    pub(super) cost: Option<i64>,
    pub(super) is_cost_incomplete: bool,
    /// Nanoseconds.
    pub(super) first_chunk: Option<i64>,
    pub(super) error: Option<String>,
    /// The chunk that its line is in.
    pub(super) chunk: i64,
    /// Bytes before its line in the chunk.
    pub(super) position: i64,
}

/// The names of a span that repeat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Labels<T> {
    pub(super) name: T,
    pub(super) service: T,
    pub(super) environment: T,
    pub(super) model: T,
    pub(super) provider: T,
    pub(super) session: T,
    pub(super) user: T,
}

/// How far the tokens of a call are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokensKnown {
    /// In full; of a call that failed, also if it states none.
    InFull,
    /// In full, by an estimate.
    Estimated,
    /// In part, or not at all.
    InPart,
}

/// All kinds, in the order of their numbers in the file.
pub(super) const KINDS: [ObservationKind; 10] = [
    ObservationKind::Generation,
    ObservationKind::Embedding,
    ObservationKind::Agent,
    ObservationKind::Tool,
    ObservationKind::Workflow,
    ObservationKind::Retriever,
    ObservationKind::Reranker,
    ObservationKind::Evaluator,
    ObservationKind::Guardrail,
    ObservationKind::Span,
];

const STATUSES: [SpanStatus; 5] =
    [SpanStatus::Unset, SpanStatus::Ok, SpanStatus::Error, SpanStatus::Cancelled, SpanStatus::Running];

const REMOTE: i64 = 1;
const INCOMPLETE: i64 = 2;
const ESTIMATED: i64 = 4;
const IN_PART: i64 = 8;

const SELECT: &str = "SELECT span_id, parent, start, \"end\", kind, status, flags, name, service, environment, model,
    provider, session, user, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens,
    cost, first_chunk, error, chunk, position FROM spans WHERE trace = ?1";

const WRITE: &str = "INSERT OR REPLACE INTO spans (trace, span_id, parent, start, \"end\", kind, status, flags, name,
    service, environment, model, provider, session, user, input_tokens, output_tokens, cache_read_tokens,
    cache_write_tokens, reasoning_tokens, cost, first_chunk, error, chunk, position)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
    ?24, ?25)";

impl Fact {
    /// The facts of a trace, in the order of the spans' ids.
    pub(super) fn of_trace(conn: &Connection, trace: i64) -> rusqlite::Result<Vec<Self>> {
        let mut statement = conn.prepare_cached(SELECT)?;
        let facts = statement.query_map([trace], Self::read)?;
        facts.collect()
    }

    /// The facts of one span.
    pub(super) fn of_span(conn: &Connection, trace: i64, span: SpanId) -> rusqlite::Result<Option<Self>> {
        let mut statement = conn.prepare_cached(&format!("{SELECT} AND span_id = ?2"))?;
        let mut rows = statement.query(params![trace, span.to_bytes()])?;
        rows.next()?.map(Self::read).transpose()
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let id = |index| -> rusqlite::Result<Option<SpanId>> {
            Ok(row.get::<_, Option<[u8; 8]>>(index)?.and_then(SpanId::from_bytes))
        };
        let count = |index| -> rusqlite::Result<Option<u64>> {
            Ok(row.get::<_, Option<i64>>(index)?.and_then(|count| u64::try_from(count).ok()))
        };
        let place = |index| -> rusqlite::Result<usize> {
            Ok(usize::try_from(row.get::<_, i64>(index)?).unwrap_or(usize::MAX))
        };
        let flags: i64 = row.get(6)?;
        Ok(Self {
            span_id: id(0)?.ok_or(rusqlite::Error::InvalidQuery)?,
            parent: id(1)?,
            parent_is_remote: flags & REMOTE != 0,
            start: row.get(2)?,
            end: row.get(3)?,
            kind: KINDS.get(place(4)?).copied().unwrap_or_default(),
            status: STATUSES.get(place(5)?).copied().unwrap_or(SpanStatus::Unset),
            labels: Labels {
                name: row.get(7)?,
                service: row.get(8)?,
                environment: row.get(9)?,
                model: row.get(10)?,
                provider: row.get(11)?,
                session: row.get(12)?,
                user: row.get(13)?,
            },
            tokens: Tokens {
                input: count(14)?,
                output: count(15)?,
                cache_read: count(16)?,
                cache_write: count(17)?,
                reasoning: count(18)?,
            },
            counted: match flags {
                flags if flags & ESTIMATED != 0 => TokensKnown::Estimated,
                flags if flags & IN_PART != 0 => TokensKnown::InPart,
                _ => TokensKnown::InFull,
            },
            cost: row.get(19)?,
            is_cost_incomplete: flags & INCOMPLETE != 0,
            first_chunk: row.get(20)?,
            error: row.get(21)?,
            chunk: row.get(22)?,
            position: row.get(23)?,
        })
    }

    /// The statement that [`write`](Self::write) takes.
    pub(super) fn writer(conn: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
        conn.prepare_cached(WRITE)
    }

    /// Writes the row of the span.
    pub(super) fn write(&self, trace: i64, statement: &mut CachedStatement<'_>) -> rusqlite::Result<()> {
        let bit = |set, bit| if set { bit } else { 0 };
        let flags = bit(self.parent_is_remote, REMOTE)
            | bit(self.is_cost_incomplete, INCOMPLETE)
            | bit(self.counted == TokensKnown::Estimated, ESTIMATED)
            | bit(self.counted == TokensKnown::InPart, IN_PART);
        let labels = &self.labels;
        statement.execute(params![
            trace,
            self.span_id.to_bytes(),
            self.parent.map(SpanId::to_bytes),
            self.start,
            self.end,
            kind_number(self.kind),
            number(STATUSES.iter().position(|status| *status == self.status)),
            flags,
            labels.name,
            labels.service,
            labels.environment,
            labels.model,
            labels.provider,
            labels.session,
            labels.user,
            column(self.tokens.input),
            column(self.tokens.output),
            column(self.tokens.cache_read),
            column(self.tokens.cache_write),
            column(self.tokens.reasoning),
            self.cost,
            self.first_chunk,
            self.error,
            self.chunk,
            self.position,
        ])?;
        Ok(())
    }

    /// From start to end in nanoseconds; 0 while it runs.
    pub(super) fn duration(&self) -> i64 {
        self.end.saturating_sub(self.start).max(0)
    }

    pub(super) fn is_failed(&self) -> bool {
        self.status == SpanStatus::Error
    }
}

/// The number of a kind in the file.
pub(super) fn kind_number(kind: ObservationKind) -> i64 {
    number(KINDS.iter().position(|other| *other == kind))
}

/// A count as a column holds it.
pub(super) fn column(count: Option<u64>) -> Option<i64> {
    count.map(|count| i64::try_from(count).unwrap_or(i64::MAX))
}

/// A time as a column holds it.
pub(super) fn nanos(time: Timestamp) -> i64 {
    i64::try_from(time.unix_nanos()).unwrap_or(i64::MAX)
}

/// A time from its column.
pub(super) fn timestamp(nanos: i64) -> Timestamp {
    Timestamp::from_unix_nanos(u64::try_from(nanos).unwrap_or(0))
}

/// Money as a column holds it.
pub(super) fn pico(cost: Usd) -> i64 {
    i64::try_from(cost.pico()).unwrap_or(if cost.pico() < 0 { i64::MIN } else { i64::MAX })
}

fn number(position: Option<usize>) -> i64 {
    position.and_then(|position| i64::try_from(position).ok()).unwrap_or(0)
}
