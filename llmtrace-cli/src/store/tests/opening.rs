//! What a file is that is opened.

use std::fs;

use fastrand::Rng;
use rusqlite::Connection;

use super::support::{Scratch, trace};
use crate::store::check::check;
use crate::store::error::StoreError;
use crate::store::options::StoreOptions;
use crate::store::schema::{VERSION, migrate_to};
use crate::store::{Store, open_read_only};

#[test]
fn a_second_writer_is_refused_and_readers_are_welcome() {
    let scratch = Scratch::new();
    scratch.store.write(trace(&mut Rng::with_seed(1), 1)).unwrap();
    let second = Store::open(&scratch.path(), StoreOptions::default());
    assert_eq!(second.unwrap_err(), StoreError::Locked(scratch.path()));
    let reader = open_read_only(&scratch.path()).unwrap();
    assert_eq!(check(&reader).unwrap().traces, 1);
    assert!(reader.execute_batch("DELETE FROM traces").is_err());
    scratch.store.close();
    assert_eq!(scratch.store.write(Vec::new()), Err(StoreError::Closed));
}

#[test]
fn files_of_others_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, make: &dyn Fn(&std::path::Path), expected: &str| {
        let path = folder.path().join(name);
        make(&path);
        let before = fs::read(&path).ok();
        for error in [
            Store::open(&path, StoreOptions::default()).map(|_| ()).unwrap_err().to_string(),
            open_read_only(&path).map(|_| ()).unwrap_err().to_string(),
        ] {
            assert!(error.contains(expected) && error.contains(name), "{error}");
        }
        assert_eq!(fs::read(&path).ok(), before, "{name} was changed");
    };
    check(
        "text.db",
        &|path| fs::write(path, "no database at all, but long enough ".repeat(40)).unwrap(),
        "no SQLite file",
    );
    let other = |path: &std::path::Path| {
        Connection::open(path).unwrap().execute_batch("CREATE TABLE mine (a)").unwrap();
    };
    check("other.db", &other, "another program");
    let newer = |path: &std::path::Path| {
        let mut conn = Connection::open(path).unwrap();
        migrate_to(&mut conn, path, VERSION).unwrap();
        conn.pragma_update(None, "user_version", VERSION + 1).unwrap();
    };
    check("newer.db", &newer, "newer llmtrace");
    let missing = open_read_only(&folder.path().join("missing.db")).unwrap_err();
    assert!(missing.to_string().contains("no store at"), "{missing}");
    let torn = folder.path().join("torn.db");
    drop(Store::open(&torn, StoreOptions::default()).unwrap());
    let whole = fs::read(&torn).unwrap();
    fs::write(&torn, [&whole[..100], vec![0xa5; 60_000].as_slice()].concat()).unwrap();
    let error = Store::open(&torn, StoreOptions::default()).unwrap_err().to_string();
    assert!(error.contains("damaged") && error.contains("llmtrace db check"), "{error}");
}

#[test]
fn a_file_of_the_first_version_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    migrate_to(&mut Connection::open(&path).unwrap(), &path, 1).unwrap();
    let error = open_read_only(&path).unwrap_err();
    assert_eq!(error, StoreError::Older(path.clone(), 1));
    let store = Store::open(&path, StoreOptions::default()).unwrap();
    store.write(trace(&mut Rng::with_seed(1), 1)).unwrap();
    let read =
        |conn: &Connection| Ok(conn.query_row("SELECT count(*) FROM trace", [], |row| row.get::<_, i64>(0))?);
    assert_eq!(store.read(read).unwrap(), 1);
}
