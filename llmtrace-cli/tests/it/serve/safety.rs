//! Who may ask for what, and how much of it.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::serve::server::Server;
use crate::support::Folder;

const TOKEN: &str = "a-token-that-nobody-guesses";

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[test]
fn only_names_of_this_computer_are_answered() {
    let server = Server::start(&["--host", "traces.example.com"]);
    let port = server.address.rsplit(':').next().unwrap();
    let check = |host: &str, status: u16| {
        for path in ["/healthz", "/login", "/api/traces", "/assets/base.css"] {
            let answer = server.send("GET", path, &[("Host", host)], b"");
            assert_eq!(answer.status == 421, status == 421, "{host} {path}");
            assert_eq!(answer.header("Access-Control-Allow-Origin"), "");
        }
        let answer = server.send("POST", "/v1/traces", &[("Host", host), JSON], b"{}");
        assert_eq!(answer.status, status, "{host}");
    };
    check(&server.address, 200);
    check(&format!("localhost:{port}"), 200);
    check("[::1]", 200);
    check("traces.example.com", 200);
    check("evil.example", 421);
    check(&format!("evil.example:{port}"), 421);
    check("192.0.2.9", 421);
    check("localhost.evil.example", 421);
    let twice = server.send("GET", "/healthz", &[("Host", "localhost"), ("Host", "localhost")], b"");
    assert_eq!(twice.status, 400);
    let another = server.send("GET", "http://evil.example/healthz", &[("Host", "localhost")], b"");
    assert_eq!(another.status, 400);
}

#[test]
fn pages_of_other_sites_cannot_write() {
    let server = Server::start(&[]);
    let own = format!("http://{}", server.address);
    let check = |headers: &[(&str, &str)], is_right: bool| {
        for (path, kind) in [
            ("/v1/traces", "application/json"),
            ("/v1/traces", "text/plain"),
            ("/api/spans/0af7651916cd43dd8448eb211c80319c/b7ad6b7169203331/scores", "application/json"),
            ("/login", "application/x-www-form-urlencoded"),
        ] {
            let headers = [headers, &[("Content-Type", kind)]].concat();
            let answer = server.send("POST", path, &headers, b"{}");
            assert_eq!(answer.status != 403, is_right, "{path} {headers:?}: {}", answer.text());
            assert_eq!(answer.header("Access-Control-Allow-Origin"), "");
        }
    };
    check(&[], true);
    check(&[("Origin", &own), ("Sec-Fetch-Site", "same-origin")], true);
    check(&[("Origin", "http://evil.example")], false);
    check(&[("Origin", "null")], false);
    check(&[("Origin", "http://localhost:1")], false);
    check(&[("Sec-Fetch-Site", "cross-site")], false);
    check(&[("Sec-Fetch-Site", "same-site"), ("Origin", &own)], false);
    let asked = [("Origin", "http://evil.example"), ("Access-Control-Request-Method", "POST")];
    let preflight = server.send("OPTIONS", "/v1/traces", &asked, b"");
    assert!(preflight.status >= 400, "{preflight:?}");
    assert_eq!(preflight.header("Access-Control-Allow-Methods"), "");
}

#[test]
fn every_answer_carries_the_rules_for_browsers() {
    let server = Server::start(&[]);
    for path in ["/", "/healthz", "/nothing", "/api/traces", "/api/nothing", "/assets/base.css", "/login"] {
        let answer = server.get(path);
        let policy = answer.header("Content-Security-Policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("X-Content-Type-Options"), "nosniff", "{path}");
        assert_eq!(answer.header("Referrer-Policy"), "same-origin", "{path}");
        assert_eq!(answer.header("Cache-Control"), "no-store", "{path}");
    }
    let page = server.get("/nothing").text();
    let style = page.split('"').find(|text| text.starts_with("/assets/base.css?v=")).unwrap();
    let asset = server.get(style);
    assert_eq!(asset.status, 200);
    assert!(asset.header("Cache-Control").contains("immutable"));
    assert_eq!(server.get("/assets/base.css?v=1").header("Cache-Control"), "no-store");
    for away in ["/assets/..%2f..%2fsrc%2fmain.rs", "/assets/../Cargo.toml", "/assets/", "/assets/%00"] {
        assert_eq!(server.get(away).status, 404, "{away}");
    }
}

#[test]
fn with_a_token_nothing_is_told_without_it() {
    let server = Server::start_in(Folder::new(), &[("LLMTRACE_TOKEN", TOKEN)], &[]);
    assert!(!server.banner.contains(TOKEN) && server.banner.contains("Bearer%20$LLMTRACE_TOKEN"));
    let right = format!("Bearer {TOKEN}");
    let check = |headers: &[(&str, &str)], is_right: bool| {
        for path in ["/api/traces", "/traces", "/api/live?x=1", "/nothing", "/api/openapi.json"] {
            let answer = server.send("GET", path, headers, b"");
            assert_eq!(answer.status != 401, is_right, "{path} {headers:?}");
            assert!(!answer.text().contains(TOKEN));
        }
        let headers = [headers, &[JSON]].concat();
        let answer = server.send("POST", "/v1/traces", &headers, b"{}");
        assert_eq!(answer.status, if is_right { 200 } else { 401 });
    };
    check(&[], false);
    check(&[("Authorization", &right)], true);
    check(&[("Authorization", "Bearer wrong-wrong-wrong-wrong")], false);
    check(&[("Authorization", TOKEN)], false);
    check(&[("Cookie", TOKEN)], false);
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/assets/base.css").status, 200);
    assert_eq!(server.send("POST", "/v1/traces", &[], b"").header("WWW-Authenticate"), "Bearer");
}

#[test]
fn the_page_asks_for_the_token_and_gives_a_cookie() {
    let server = Server::start(&["--token", TOKEN]);
    let page = ("Accept", "text/html");
    let sent_on = server.send("GET", "/traces?q=a%20b", &[page], b"");
    assert_eq!((sent_on.status, sent_on.header("Location")), (303, "/login?next=%2Ftraces%3Fq%3Da%2520b"));
    let form = server.send("GET", sent_on.header("Location"), &[page], b"");
    assert_eq!(form.status, 200);
    assert!(form.text().contains("type=\"password\"") && form.text().contains("value=\"/traces?q=a%20b\""));
    let kind = ("Content-Type", "application/x-www-form-urlencoded");
    let wrong = server.send("POST", "/login", &[kind], b"token=wrong&next=%2F");
    assert_eq!((wrong.status, wrong.header("Set-Cookie")), (401, ""));
    let body = format!("token={TOKEN}&next=%2Ftraces%3Fq%3Da%2520b");
    let right = server.send("POST", "/login", &[kind], body.as_bytes());
    assert_eq!((right.status, right.header("Location")), (303, "/traces?q=a%20b"));
    let cookie = right.header("Set-Cookie");
    assert!(cookie.contains("; HttpOnly; SameSite=Strict") && !cookie.contains(TOKEN), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(server.send("GET", "/api/traces", &[("Cookie", cookie)], b"").status, 200);
    assert_eq!(
        server.send("GET", "/api/traces", &[("Cookie", &cookie[..cookie.len() - 1])], b"").status,
        401
    );
    let foreign = [("Cookie", cookie), ("Origin", "http://evil.example"), JSON];
    assert_eq!(server.send("POST", "/v1/traces", &foreign, b"{}").status, 403);
    let body = format!("token={TOKEN}&next=%2F%2Fevil.example");
    assert_eq!(server.send("POST", "/login", &[kind], body.as_bytes()).header("Location"), "/");
    let left = server.send("POST", "/logout", &[("Cookie", cookie), kind], b"");
    assert!(left.header("Set-Cookie").contains("Max-Age=0"));
}

#[test]
fn who_guesses_tokens_must_wait() {
    let server = Server::start(&["--token", TOKEN]);
    let guess = |token: &str| {
        let bearer = format!("Bearer {token}");
        server.send("GET", "/api/traces", &[("Authorization", &bearer)], b"")
    };
    let limited =
        (0..100).map(|number| guess(&format!("guess-{number}"))).find(|answer| answer.status == 429);
    assert!(!limited.unwrap().header("Retry-After").is_empty());
    assert_eq!(guess(TOKEN).status, 429);
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn bodies_are_bounded_and_of_known_kinds() {
    let server = Server::start(&[]);
    let gzip = ("Content-Encoding", "gzip");
    let bomb = packed(&vec![b' '; 256 << 20]);
    assert!(bomb.len() < 1 << 20);
    let check = |headers: &[(&str, &str)], body: &[u8], status: u16| {
        let answer = server.send("POST", "/v1/traces", headers, body);
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text());
        if status == 400 {
            assert_eq!(answer.json()["code"], 3, "{headers:?}");
        }
    };
    check(&[JSON], b"{}", 200);
    check(&[("Content-Type", "application/json; charset=utf-8")], b"{}", 200);
    check(&[JSON, gzip], &packed(b"{}"), 200);
    check(&[JSON, gzip], b"{}", 400);
    check(&[JSON, gzip], &packed(b"{}")[..10], 400);
    check(&[JSON], b"{", 400);
    check(&[JSON], b"no json", 400);
    check(&[JSON, gzip], &bomb, 413);
    check(&[JSON, ("Content-Encoding", "br")], b"{}", 415);
    check(&[JSON, ("Content-Encoding", "gzip, gzip")], &packed(&packed(b"{}")), 415);
    check(&[("Content-Type", "text/plain")], b"{}", 415);
    check(&[("Content-Type", "application/json; charset=utf-16")], b"{}", 415);
    check(&[], b"{}", 415);
    check(&[JSON], &vec![b' '; (64 << 20) + 1], 413);
    assert_eq!(server.get("/v1/traces").status, 405);
    let metrics = server.send("POST", "/v1/metrics", &[JSON], b"{}");
    assert!(metrics.status == 404 && metrics.text().contains("OTEL_METRICS_EXPORTER=none"));
    let torn = server.send("POST", "/v1/traces", &[("Content-Type", "application/x-protobuf")], b"\x0a\xff");
    assert_eq!((torn.status, torn.header("Content-Type")), (400, "application/x-protobuf"));
    assert_eq!(torn.body[..2], [8, 3]);
}

#[test]
fn heads_are_bounded() {
    let server = Server::start(&[]);
    let long = "x".repeat(300 << 10);
    assert_eq!(server.send("GET", "/healthz", &[("X-Long", &long)], b"").status, 431);
    let many: Vec<_> = (0..200).map(|_| ("X-Many", "x")).collect();
    assert_eq!(server.send("GET", "/healthz", &many, b"").status, 431);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn who_sends_slowly_is_left() {
    let server = Server::start(&[]);
    let begun = Instant::now();
    let mut heads: Vec<_> = (0..8).map(|_| server.connect()).collect();
    for stream in &mut heads {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").unwrap();
    }
    let mut body = server.connect();
    body.write_all(b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
        .unwrap();
    assert_eq!(server.get("/healthz").status, 200);
    for mut stream in heads {
        let mut rest = Vec::new();
        // Closed, or told so first.
        let _ = stream.read_to_end(&mut rest);
        assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    }
    body.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    let mut answer = [0; 12];
    body.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
}
