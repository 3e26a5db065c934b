//! Running a statement that can only read, within bounds.

use std::time::{Duration, Instant};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode};

use super::output::Output;
use crate::failure::Failure;

/// How far a statement may go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) rows: u64,
    /// Of all values that are handed over.
    pub(super) bytes: u64,
    pub(super) time: Duration,
}

/// What became of a statement.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) rows: u64,
    /// Why it ended early, in words.
    pub(super) cut: Option<String>,
}

/// Bytes of one value, and of a statement.
const MAX_VALUE: i32 = 64 << 20;
const MAX_SQL: i32 = 100_000;

/// Steps of SQLite's machine between two looks at the clock.
const STEPS: i32 = 10_000;

impl Default for Limits {
    fn default() -> Self {
        Self { rows: 10_000, bytes: 256 << 20, time: Duration::from_secs(30) }
    }
}

/// Runs a statement, and hands its rows over as they come.
pub(super) fn select(
    mut conn: Connection,
    sql: &str,
    limits: &Limits,
    output: &mut dyn Output,
) -> Result<Outcome, Failure> {
    let deadline = Instant::now() + limits.time;
    guard(&mut conn, deadline).map_err(|error| Failure::Wrong(error.to_string()))?;
    let wrong = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::AuthorizationForStatementDenied) => {
            Failure::Wrong("the statement may only read; see llmtrace query --help".to_owned())
        }
        _ => Failure::Wrong(format!("the statement is wrong: {error}")),
    };
    let mut outcome = Outcome::default();
    let mut bytes = 0_u64;
    let mut statement = conn.prepare(sql).map_err(wrong)?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    if names.is_empty() {
        return Err(Failure::Wrong("the statement gives no rows: expected SELECT".to_owned()));
    }
    output.header(&names)?;
    let mut rows = statement.query([]).map_err(wrong)?;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
                outcome.cut =
                    Some(format!("ended after {} s; --timeout gives it more", limits.time.as_secs()));
                break;
            }
            Err(error) => return Err(wrong(error)),
        };
        let cells =
            (0..names.len()).map(|place| row.get_ref(place)).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
        bytes += cells.iter().map(length).sum::<u64>();
        if outcome.rows >= limits.rows {
            outcome.cut = Some(format!("there are more than {} rows; --limit takes more", limits.rows));
        } else if bytes > limits.bytes {
            outcome.cut = Some(format!("the rows take more than {} MiB", limits.bytes >> 20));
        }
        if outcome.cut.is_some() {
            break;
        }
        output.row(&cells)?;
        outcome.rows += 1;
    }
    Ok(outcome)
}

/// Lets a connection only read, and not for ever.
fn guard(conn: &mut Connection, deadline: Instant) -> rusqlite::Result<()> {
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE)?;
    conn.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, MAX_SQL)?;
    conn.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    conn.authorizer(Some(|context: AuthContext<'_>| match context.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Function { function_name } if function_name != "load_extension" => Authorization::Allow,
        // The full-text index asks it of its own tables.
        AuthAction::Pragma { pragma_name: "data_version", pragma_value: None } => Authorization::Allow,
        _ => Authorization::Deny,
    }))?;
    conn.progress_handler(STEPS, Some(move || Instant::now() > deadline))
}

fn length(value: &ValueRef<'_>) -> u64 {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len() as u64,
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;
    use crate::store::open_read_only;
    use crate::store::tests::support::{Scratch, trace};

    /// Rows as texts.
    #[derive(Default)]
    struct Rows(Vec<Vec<String>>);

    impl Output for Rows {
        fn header(&mut self, names: &[String]) -> Result<(), Failure> {
            self.0.push(names.to_vec());
            Ok(())
        }

        fn row(&mut self, cells: &[ValueRef<'_>]) -> Result<(), Failure> {
            self.0.push(cells.iter().map(|cell| format!("{cell:?}")).collect());
            Ok(())
        }

        fn finish(&mut self) -> Result<(), Failure> {
            Ok(())
        }
    }

    fn filled() -> Scratch {
        let scratch = Scratch::new();
        let spans = (0..30).flat_map(|number| trace(&mut Rng::with_seed(number), number)).collect();
        scratch.store.write(spans).unwrap();
        scratch
    }

    fn asked(scratch: &Scratch, sql: &str, limits: &Limits) -> Result<(Outcome, Vec<Vec<String>>), Failure> {
        let mut rows = Rows::default();
        let outcome = select(open_read_only(&scratch.path()).unwrap(), sql, limits, &mut rows)?;
        Ok((outcome, rows.0))
    }

    #[test]
    fn views_are_readable_and_whole() {
        let scratch = filled();
        let check = |sql: &str, expected: &str| {
            let (_, rows) = asked(&scratch, sql, &Limits::default()).unwrap();
            assert_eq!(rows[1].join(" "), expected, "{sql}");
        };
        check("SELECT count(*) = count(DISTINCT trace_id) FROM trace", "Integer(1)");
        check(
            "SELECT length(trace_id), start LIKE '2026-09-%T%:%:%.%Z' FROM trace",
            "Integer(32) Integer(1)",
        );
        check(
            "SELECT max(abs(t.cost_usd - (SELECT cost / 1e12 FROM traces ORDER BY cost DESC LIMIT 1))) < 10 FROM trace t",
            "Integer(1)",
        );
        check(
            "SELECT sum(errors) = (SELECT count(*) FROM span WHERE status = 'error') FROM trace",
            "Integer(1)",
        );
        check("SELECT count(*) = (SELECT sum(spans) FROM trace) FROM span", "Integer(1)");
        check("SELECT count(*) FROM span WHERE kind = 'agent' AND parent_span_id IS NULL", "Integer(30)");
        check("SELECT count(*) > 0 FROM score WHERE name = 'good' AND source = 'span'", "Integer(1)");
        check("SELECT count(*) > 0 FROM search WHERE search MATCH 'question'", "Integer(1)");
        for view in ["trace", "span", "score"] {
            let (_, rows) = asked(&scratch, &format!("SELECT * FROM {view}"), &Limits::default()).unwrap();
            let help = crate::query::ABOUT;
            for column in &rows[0] {
                assert!(help.contains(column.as_str()), "{column} of {view} is not in --help");
            }
        }
    }

    #[test]
    fn a_statement_can_only_read() {
        let scratch = filled();
        for sql in [
            "DELETE FROM traces",
            "INSERT INTO meta VALUES ('a', 1)",
            "UPDATE traces SET spans = 0",
            "CREATE TABLE a (b)",
            "CREATE TEMP TABLE a (b)",
            "ATTACH 'other.db' AS other",
            "PRAGMA user_version = 9",
            "PRAGMA journal_mode = DELETE",
            "VACUUM INTO 'copy.db'",
            "BEGIN",
            "SELECT load_extension('x')",
            "SELECT 1; DELETE FROM traces",
            "not sql",
            "",
        ] {
            let refused = asked(&scratch, sql, &Limits::default());
            assert!(matches!(refused, Err(Failure::Wrong(_))), "{sql}: {refused:?}");
        }
        scratch.is_sound();
    }

    #[test]
    fn a_statement_is_bounded() {
        let scratch = filled();
        let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT";
        let check = |sql: &str, limits: Limits, expected: &str| {
            let (outcome, _) = asked(&scratch, sql, &limits).unwrap();
            assert!(outcome.cut.as_ref().is_some_and(|cut| cut.contains(expected)), "{sql}: {outcome:?}");
        };
        let short = Limits { time: Duration::from_millis(50), ..Limits::default() };
        check(&format!("{endless} count(*) FROM n"), short, "--timeout");
        check(&format!("{endless} x FROM n"), Limits { rows: 10, ..Limits::default() }, "more than 10 rows");
        let few = Limits { bytes: 2 << 20, ..Limits::default() };
        check(&format!("{endless} hex(zeroblob(100000)) FROM n"), few, "2 MiB");
        let huge = asked(&scratch, "SELECT zeroblob(1000000000)", &Limits::default());
        assert!(matches!(huge, Err(Failure::Wrong(_))), "{huge:?}");
    }
}
