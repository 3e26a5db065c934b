//! Full-text search.

use rusqlite::{Connection, params};

use super::error::StoreError;
use super::write::search::TRACE_BITS;

/// The traces that hold the words, the newest first, and whether there are more than `limit`.
pub(super) fn matches(conn: &Connection, text: &str, limit: usize) -> Result<(Vec<i64>, bool), StoreError> {
    let query = query(text)?;
    let find = "SELECT rowid >> ?2 FROM search WHERE search MATCH ?1 ORDER BY rowid DESC LIMIT ?3";
    let mut find = conn.prepare_cached(find)?;
    let wanted = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let found = find.query_map(params![query, TRACE_BITS, wanted], |row| row.get::<_, i64>(0))?;
    let mut ids = found.collect::<rusqlite::Result<Vec<_>>>()?;
    let is_cut = ids.len() > limit;
    ids.truncate(limit);
    ids.dedup();
    Ok((ids, is_cut))
}

/// What FTS5 is asked: each word, each phrase in quotes, and the starts of words before a `*`, all of them.
fn query(text: &str) -> Result<String, StoreError> {
    let mut terms = Vec::new();
    for (number, part) in text.split('"').enumerate() {
        if number % 2 == 1 {
            terms.extend(term(part, ""));
        } else {
            for word in part.split_whitespace() {
                terms.extend(word.strip_suffix('*').map_or_else(|| term(word, ""), |start| term(start, "*")));
            }
        }
    }
    if terms.is_empty() {
        return Err(StoreError::Search("it holds no word".to_owned()));
    }
    Ok(terms.join(" "))
}

/// A phrase as FTS5 takes it; nothing where it holds no letter and no digit.
fn term(text: &str, end: &str) -> Option<String> {
    let text: String = text.chars().filter(|letter| *letter != '\0').collect();
    text.chars().any(char::is_alphanumeric).then(|| format!("\"{}\"{end}", text.replace('"', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_phrases_and_starts_are_told_apart() {
        let check =
            |text: &str, expected: Option<&str>| assert_eq!(query(text).ok().as_deref(), expected, "{text}");
        check("rate limit", Some("\"rate\" \"limit\""));
        check("\"rate limit\" 429", Some("\"rate limit\" \"429\""));
        check("embed* - it's", Some("\"embed\"* \"it's\""));
        check("NEAR(a, b) OR col:x", Some("\"NEAR(a,\" \"b)\" \"OR\" \"col:x\""));
        for nothing in ["", " ", "\"\"", "* - ()"] {
            check(nothing, None);
        }
    }
}
