//! How the server starts and ends.

use std::net::TcpListener;

use crate::serve::server::Server;
use crate::support::{Folder, run, run_in};

#[test]
fn it_says_where_it_is_and_ends_when_it_is_asked_to() {
    let server = Server::start(&[]);
    assert!(server.banner.contains("traces.db"), "{}", server.banner);
    assert!(server.banner.contains(&format!("OTEL_EXPORTER_OTLP_ENDPOINT=http://{}\n", server.address)));
    assert_eq!(server.get("/healthz").text(), "{\"status\":\"ok\"}");
    let (code, folder) = server.stop();
    assert_eq!(code, 0);
    assert!(folder.path("traces.db").exists());
}

#[test]
fn what_cannot_start_says_why_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let folder = Folder::new();
    let store = folder.path("traces.db").to_str().unwrap().to_owned();
    let missing = folder.path("missing.jsonl").to_str().unwrap().to_owned();
    let foreign = folder.file("foreign.db", "this is no database, whatever its name says");
    let check = |arguments: &[&str], expected: &str| {
        let arguments = [&["serve", "--store", &store, "--listen", "127.0.0.1:0"], arguments].concat();
        let mut arguments: Vec<_> = arguments;
        // The last one counts.
        for option in ["--listen", "--store"] {
            if arguments.iter().filter(|argument| **argument == option).count() > 1 {
                let at = arguments.iter().position(|argument| *argument == option).unwrap();
                arguments.drain(at..at + 2);
            }
        }
        let run = run(&arguments, "");
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}: {}", run.err);
        assert_eq!(run.err.lines().count(), 1, "{}", run.err);
        assert!(run.err.contains(expected), "{}", run.err);
    };
    check(&["--listen", &taken], "the port is in use");
    check(&["--listen", "192.0.2.1:0", "--token", "0123456789abcdef"], "no such address");
    check(&["--listen", "0.0.0.0:0"], "set LLMTRACE_TOKEN");
    check(&["--listen", "[::]:0"], "set LLMTRACE_TOKEN");
    check(&["--listen", "nowhere"], "expected ADDRESS:PORT");
    check(&["--token", "short"], "too short");
    check(&["--token", "with a space in between"], "without spaces");
    check(&["--keep", "30"], "30d");
    check(&["--max-bytes", "lots"], "5GiB");
    check(&[&missing], "missing.jsonl");
    check(&["--follow"], "FILE");
    check(&["--store", &foreign], "foreign.db");
    check(&["--store", &foreign, &foreign], "the store itself");
}

#[test]
fn a_secret_is_never_repeated() {
    let secret = "sesame \u{7}";
    let run = run_in(&[("LLMTRACE_TOKEN", secret)], &["serve", "--listen", "127.0.0.1:0"], "");
    assert_eq!(run.code, 2);
    assert!(!run.err.contains("sesame"), "{}", run.err);
}
