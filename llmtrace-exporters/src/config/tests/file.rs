//! From the text of a file to settings, or to what is wrong with it.

use std::path::PathBuf;
use std::time::Duration;

use llmtrace::{Capture, ContentPolicy, Overflow, Value};

use super::super::settings::{ExporterSettings, FileMode, Settings, StdoutFormat, Target};
use super::read_file;
use crate::{ColorChoice, Profile, Protocol, Sync};

/// Reads a file that ends with an exporter, so that a case need say nothing of it.
fn read(text: &str) -> Settings {
    read_file(&format!("{text}\n[[exporter]]\ntype = \"stdout\"")).unwrap()
}

/// Reads a file with one exporter.
fn exporter(text: &str) -> ExporterSettings {
    read_file(&format!("[[exporter]]\n{text}")).unwrap().exporters.remove(0).exporter
}

#[test]
fn keys_of_the_whole() {
    let text = r#"
        service_name = "support-bot"
        environment = { env = "NAME" }
        content = "omit"
        capture = "all"
        queue_bytes = "64 MiB"
        overflow = { block = "1.5 s" }
        max_text_bytes = 4096
        quiet = true
        batch = { spans = 100, delay = "50 ms" }
        [resource]
        "service.version" = "1.2"
        replicas = 3
        ratio = 0.5
        canary = true
        region = { env = "NAME" }
        [redact]
        secrets = false
        pii = true
        rules = [{ name = "order", pattern = 'ORD-\d{8}' }]
        allow = ['ORD-0+']
        [sampling]
        ratio = 0.25
        keep_errors = true
        keep_slower_than = "2 s"
        keep_costlier_than = 1
        hold_for = "1 min"
    "#;
    let settings = read(text);
    assert_eq!(settings.service_name.as_deref(), Some("support-bot"));
    assert_eq!(settings.environment.as_deref(), Some("from the environment"));
    assert_eq!(settings.content, Some(ContentPolicy::Omit));
    assert_eq!(settings.capture, Some(Capture::All));
    assert_eq!(settings.queue_bytes, Some(64 << 20));
    assert_eq!(settings.overflow, Some(Overflow::Block(Duration::from_millis(1500))));
    assert_eq!(settings.max_text_bytes, Some(4096));
    assert_eq!((settings.batch.spans, settings.batch.delay), (Some(100), Some(Duration::from_millis(50))));
    let mut resource: Vec<_> =
        settings.resource.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    // As they stand in the file, or by name: a program that has both decides it by toml's feature preserve_order.
    resource.sort_by_key(|(key, _)| *key);
    let expected = [
        ("canary", Value::from(true)),
        ("ratio", Value::from(0.5)),
        ("region", Value::from("from the environment")),
        ("replicas", Value::from(3)),
        ("service.version", Value::from("1.2")),
    ];
    assert_eq!(resource, expected);
    let redactor = settings.redactor.unwrap();
    let text = "PASSWORD=hunter2-xyz from ann@example.org about ORD-12345678 and ORD-00000000";
    let expected = "PASSWORD=hunter2-xyz from [redacted:email] about [redacted:order] and ORD-00000000";
    assert_eq!(redactor.redact(text), expected);
    let sampling = settings.sampling;
    assert_eq!((sampling.ratio, sampling.keep_errors), (Some(0.25), true));
    assert_eq!(sampling.keep_slower_than, Some(Duration::from_secs(2)));
    assert_eq!((sampling.keep_costlier_than, sampling.hold_for), (Some(1.0), Some(Duration::from_secs(60))));
}

#[test]
fn what_is_not_said_has_the_default() {
    let settings = read("");
    assert_eq!((settings.queue_bytes, settings.content, settings.overflow), (None, None, None));
    assert_eq!(read("overflow = \"drop_newest\"").overflow, Some(Overflow::DropNewest));
    assert_eq!(read_file("exporter = []").unwrap().exporters.len(), 0);
    let ExporterSettings::Stdout(stdout) = exporter("type = \"stdout\"") else { panic!("another exporter") };
    assert_eq!((stdout.format, stdout.color, stdout.columns), (StdoutFormat::Tree, ColorChoice::Auto, None));
}

#[test]
fn exporters_that_write_here() {
    let text = "type = 'stdout'\nformat = 'json'\ncolor = 'never'\ncolumns = 120";
    let ExporterSettings::Stdout(stdout) = exporter(text) else { panic!("another exporter") };
    assert_eq!(
        (stdout.format, stdout.color, stdout.columns),
        (StdoutFormat::Json, ColorChoice::Never, Some(120))
    );

    let text = "type = 'jsonl'\npath = 'traces/app.jsonl'\nmode = 'create'\nrotate_bytes = '64 MiB'\n\
                keep_files = 0\nsync = 'each'";
    let ExporterSettings::JsonLines(file) = exporter(text) else { panic!("another exporter") };
    assert_eq!(file.path, PathBuf::from("conf/traces/app.jsonl"), "relative to the file's folder");
    assert_eq!((file.mode, file.rotate_bytes), (FileMode::Create, Some(64 << 20)));
    assert_eq!((file.keep_files, file.sync), (Some(0), Some(Sync::Each)));

    let ExporterSettings::JsonLines(file) = exporter("type = 'jsonl'\npath = '/var/log/app.jsonl'") else {
        panic!("another exporter")
    };
    assert_eq!((file.path, file.mode), (PathBuf::from("/var/log/app.jsonl"), FileMode::Append));
}

#[test]
fn exporters_that_send() {
    let text = r#"
        type = "otlp"
        endpoint = "http://localhost:4318"
        protocol = "json"
        profile = "phoenix"
        headers = { authorization = { env = "KEY" }, x-team = "search" }
        gzip = true
        timeout = "3 s"
        retry_for = "1 min"
        spool = { dir = "spool", max_bytes = "1 GiB" }
    "#;
    let ExporterSettings::Otlp(otlp) = exporter(text) else { panic!("another exporter") };
    assert_eq!(otlp.endpoint, Target::Server("http://localhost:4318".to_owned()));
    assert_eq!((otlp.protocol, otlp.profile), (Protocol::Json, Profile::Phoenix));
    let headers: Vec<_> =
        otlp.delivery.headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    assert_eq!(headers, [("authorization", "sk-hunter2"), ("x-team", "search")]);
    assert_eq!(otlp.delivery.gzip, Some(true));
    assert_eq!(otlp.delivery.timeout, Some(Duration::from_secs(3)));
    assert_eq!(otlp.delivery.retry_for, Some(Duration::from_secs(60)));
    let spool = otlp.delivery.spool.as_ref().unwrap();
    assert_eq!((spool.dir.clone(), spool.max_bytes), (PathBuf::from("conf/spool"), 1 << 30));
    assert!(!format!("{otlp:?}").contains("hunter2"), "{otlp:?}");

    let ExporterSettings::Otlp(otlp) = exporter("type = 'otlp'\nendpoint = 'https://h/api/v1/traces'") else {
        panic!("another exporter")
    };
    assert_eq!(otlp.endpoint, Target::Traces("https://h/api/v1/traces".to_owned()));

    let text =
        "type = 'langfuse'\nhost = 'https://lf.example'\npublic_key = 'pk'\nsecret_key = { env = 'KEY' }";
    let ExporterSettings::Langfuse(langfuse) = exporter(text) else { panic!("another exporter") };
    assert_eq!((langfuse.host.as_str(), langfuse.public_key.as_str()), ("https://lf.example", "pk"));
    assert_eq!(langfuse.secret_key.expose(), "sk-hunter2");

    let text = "type = 'webhook'\nurl = 'https://example.com/hook'\nsecret = { env = 'KEY' }";
    let ExporterSettings::Webhook(webhook) = exporter(text) else { panic!("another exporter") };
    assert_eq!(webhook.url, "https://example.com/hook");
    assert_eq!(webhook.secret.unwrap().expose(), "sk-hunter2");
}

/// Holds the problems of a file, without the file's name, against the expected ones.
fn check(text: &str, expected: &[&str]) {
    let problems = read_file(text).err().unwrap_or_default();
    let problems: Vec<_> =
        problems.iter().map(|problem| problem.strip_prefix("conf/llmtrace.toml:").unwrap_or("?")).collect();
    assert_eq!(problems, expected, "{text}");
}

#[test]
fn wrong_values_of_the_whole() {
    let check = |text: &str, expected: &str| check(&format!("exporter = []\n{text}"), &[expected]);
    check("service_nam = 'x'", "2: service_nam: unknown key; did you mean service_name?");
    check("service_name = ''", "2: service_name: is empty");
    check("service_name = 3", "2: service_name: expected text, or { env = \"NAME\" }, found a whole number");
    check(
        "service_name = { env = 'ABSENT' }",
        "2: service_name: the environment variable ABSENT is not set; set it, or write the value here",
    );
    check(
        "service_name = { env = 'EMPTY' }",
        "2: service_name: the environment variable EMPTY is not set; set it, or write the value here",
    );
    for table in ["{ enw = 'NAME' }", "{}", "{ env = 'NAME', or = 'x' }", "{ env = 3 }", "{ env = '' }"] {
        check(
            &format!("service_name = {table}"),
            "2: service_name: expected text, or { env = \"NAME\" } with the name of an environment variable",
        );
    }
    check("content = 'omitt'", "2: content: expected \"keep\" or \"omit\"; did you mean \"omit\"?");
    check("content = false", "2: content: expected text, or { env = \"NAME\" }, found false");
    check("content = 'Keep'", "2: content: expected \"keep\" or \"omit\"; did you mean \"keep\"?");
    check("capture = 'everything'", "2: capture: expected \"llm\" or \"all\"");
    check("queue_bytes = '1 kB'", "2: queue_bytes: expected at least 65536 bytes");
    check(
        "queue_bytes = '32 M'",
        "2: queue_bytes: expected a size such as \"64 MiB\", or a number of bytes; the units are B, kB, MB, GB, TB, \
         KiB, MiB, GiB, TiB",
    );
    check("queue_bytes = -1", "2: queue_bytes: expected a whole number of at least 0");
    check("queue_bytes = 1.5", "2: queue_bytes: expected a size such as \"64 MiB\", found a number");
    check("overflow = 'block'", "2: overflow: expected \"drop_newest\" or { block = \"1 s\" }");
    check("overflow = {}", "2: overflow.block: missing; write for example overflow = { block = \"1 s\" }");
    check("overflow = { block = '0 s' }", "2: overflow.block: expected at least 1ms");
    check("overflow = { blok = '1 s', block = '1 s' }", "2: overflow.blok: unknown key; did you mean block?");
    check(
        "overflow = 3",
        "2: overflow: expected \"drop_newest\" or { block = \"1 s\" }, found a whole number",
    );
    check("max_text_bytes = 0", "2: max_text_bytes: expected at least 1 bytes");
    check("batch = 512", "2: batch: expected a table of spans, delay, found a whole number");
    check("batch.spans = 0", "2: batch.spans: expected a whole number from 1 to 65536");
    check(
        "batch.delay = 200",
        "2: batch.delay: expected a time with its unit, such as \"200 ms\" or \"10 s\", found a whole number",
    );
    check(
        "batch = { spans = 5, delay = '2 sec' }",
        "2: batch.delay: expected a time such as \"200 ms\" or \"10 s\"; the units are us, ms, s, min, h, d",
    );
    check("resource = 'a=b'", "2: resource: expected a table, found text");
    check(
        "resource.zones = ['a']",
        "2: resource.zones: expected text, a number, true or false, found a list",
    );
    check("resource.big = 99999999999999999999", "2: resource.big: expected a whole number of 64 bits");
    check("resource.odd = nan", "2: resource.odd: expected a finite number");
    check("sampling.ratio = 1.5", "2: sampling.ratio: expected a number from 0 to 1");
    check("sampling.ratio = '50 %'", "2: sampling.ratio: expected a number from 0 to 1, found text");
    check("sampling.ratio = nan", "2: sampling.ratio: expected a number from 0 to 1");
    check("sampling.keep_errors = 'yes'", "2: sampling.keep_errors: expected true or false, found text");
    check(
        "sampling.keep_costlier_than = -1",
        "2: sampling.keep_costlier_than: expected a number of at least 0",
    );
    check(
        "[sampling]\nkeep_slower = '2 s'",
        "3: sampling.keep_slower: unknown key; the keys here are ratio, keep_errors, keep_slower_than, keep_costlier_than, hold_for",
    );
    check("redact.pii = 1", "2: redact.pii: expected true or false, found a whole number");
    check(
        "[redact]\nrules = [\n  { name = 'x' },\n]",
        "4: redact.rules.pattern: missing; write for example pattern = 'ORD-\\d{8}'",
    );
    let rule = |name: &str, pattern: &str, expected: &str| {
        check(&format!("redact.rules = [{{ name = '{name}', pattern = '{pattern}' }}]"), expected);
    };
    rule("a b", "x", "2: redact.rules.name: expected letters, digits, -, _ and . only");
    rule("x", "x*", "2: redact.rules.pattern: matches the empty text; ask for at least one character");
    rule("x", "(x", "2: redact.rules.pattern: expected a regular expression: unclosed group");
    check("redact.allow = ['(x']", "2: redact.allow: expected a regular expression: unclosed group");
    check("redact.rules = ['x']", "2: redact.rules: expected a table of name, pattern, found text");
}

#[test]
fn wrong_exporters() {
    let check = |text: &str, expected: &str| check(&format!("[[exporter]]\n{text}"), &[expected]);
    let kinds = "expected \"stdout\", \"jsonl\", \"otlp\", \"langfuse\" or \"webhook\"";
    check("path = 'x'", "1: exporter.type: missing; write for example type = \"stdout\"");
    check("type = 'json'", &format!("2: exporter.type: {kinds}; did you mean \"jsonl\"?"));
    check("type = 'zipkin'", &format!("2: exporter.type: {kinds}"));
    check("type = 'stdout'\ncolour = 'never'", "3: exporter.colour: unknown key; did you mean color?");
    check("type = 'stdout'\ncolumns = 20", "3: exporter.columns: expected a whole number from 60 to 500");
    check(
        "type = 'stdout'\npath = 'x'",
        "3: exporter.path: unknown key; it belongs to type = \"jsonl\", this is \"stdout\"",
    );
    check("type = 'jsonl'", "1: exporter.path: missing; write for example path = \"traces/app.jsonl\"");
    check(
        "type = 'jsonl'\npath = 'x'\nrotate_byte = 1",
        "4: exporter.rotate_byte: unknown key; did you mean rotate_bytes?",
    );
    check(
        "type = 'jsonl'\npath = 'x'\nkeep_files = 3",
        "4: exporter.keep_files: has no meaning without rotate_bytes",
    );
    check(
        "type = 'jsonl'\npath = 'x'\nsync = 'always'",
        "4: exporter.sync: expected \"none\", \"interval\" or \"each\"",
    );
    check(
        "type = 'otlp'",
        "1: exporter.endpoint: missing; write for example endpoint = \"http://localhost:4318\"",
    );
    let check = |text: &str, expected: &str| {
        check(&format!("type = 'otlp'\nendpoint = 'http://[::1]:1/x'\n{text}"), expected);
    };
    check("protocol = 'grpc'", "4: exporter.protocol: expected \"protobuf\" or \"json\"");
    check(
        "profile = 'mlfow'",
        "4: exporter.profile: expected \"standard\", \"phoenix\", \"mlflow\", \"langsmith\", \"opentelemetry\" or \"all\"; did you mean \"mlflow\"?",
    );
    check("timeout = '0 s'", "4: exporter.timeout: expected at least 1ms");
    check("gzip = 'on'", "4: exporter.gzip: expected true or false, found text");
    check("headers = 'a=b'", "4: exporter.headers: expected a table, found text");
    check(
        "headers.'a b' = 'x'",
        "4: exporter.headers.a b: is no name of an HTTP header; expected letters, digits and -",
    );
    check(
        "headers.content-type = 'x'",
        "4: exporter.headers.content-type: is set by the exporter itself; leave it out",
    );
    check(
        "headers.a = \"hunter2\\n\"",
        "4: exporter.headers.a: expected a value of printable ASCII characters",
    );
    check("spool = 'dir'", "4: exporter.spool: expected a table of dir, max_bytes, found text");
    check("spool.dir = 'x'", "4: exporter.spool.max_bytes: missing; write for example max_bytes = \"1 GiB\"");
    check(
        "spool = { dir = 'x', max_bytes = 1 }",
        "4: exporter.spool.max_bytes: expected at least 1048576 bytes",
    );
    check(
        "spool = { dir = 'x', max_bytes = '1 GiB', max = 1 }",
        "4: exporter.spool.max: unknown key; the keys here are dir, max_bytes",
    );
}

/// The rest of the rules is `Endpoint`'s.
#[cfg(feature = "http")]
#[test]
fn wrong_urls() {
    let check = |text: &str, expected: &str| check(&format!("[[exporter]]\n{text}"), &[expected]);
    check(
        "type = 'otlp'\nendpoint = 'localhost:4318'",
        "3: exporter.endpoint: expected a URL that begins with http:// or https://",
    );
    check(
        "type = 'otlp'\nendpoint = 'http://u:hunter2@h'",
        "3: exporter.endpoint: spans would cross the network unencrypted; write https://, or allow it with allow_http = true",
    );
    check(
        "type = 'otlp'\nendpoint = 'https://:4318'",
        "3: exporter.endpoint: not a URL: empty host; expected something like https://otel.example.com:4318",
    );
}

#[test]
fn wrong_files() {
    check(
        "",
        &[
            "1: exporter: missing, so that spans would go nowhere; write [[exporter]] and below it type = \"stdout\", or exporter = [] if that is meant",
        ],
    );
    check(
        "[exporter]\ntype = 'stdout'",
        &["1: exporter: expected a list of tables; write [[exporter]] and below it type = \"stdout\""],
    );
    check(
        "exporter = []\nservice_name = hunter2\n",
        &["2: not valid TOML: string values must be quoted, expected literal string"],
    );
    check("exporter = []\n\n[redact\npii = true", &["3: not valid TOML: unclosed table, expected `]`"]);
    check("exporter = []\ncontent = 'keep'\ncontent = 'omit'", &["3: not valid TOML: duplicate key"]);
    check(
        "exporter = []\nprices = 'absent.json'",
        &[
            "2: prices: cannot read the price overrides in conf/absent.json: No such file or directory (os error 2)",
        ],
    );
}

#[test]
fn everything_wrong_is_told_at_once_in_order() {
    let text = "contnt = 'omit'\n[[exporter]]\ntype = 'jsonl'\nmode = 'x'\n[[exporter]]\ntype = 'langfuse'\nhost = 1\n\
                secret_key = ''\n[redact]\npi = true";
    check(
        text,
        &[
            "1: contnt: unknown key; did you mean content?",
            "2: exporter.path: missing; write for example path = \"traces/app.jsonl\"",
            "4: exporter.mode: expected \"append\" or \"create\"",
            "5: exporter.public_key: missing; write for example public_key = { env = \"LANGFUSE_PUBLIC_KEY\" }",
            "7: exporter.host: expected text, or { env = \"NAME\" }, found a whole number",
            "8: exporter.secret_key: is empty",
            "10: redact.pi: unknown key; did you mean pii?",
        ],
    );
}

#[test]
fn exporters_share_no_place() {
    let two = |first: &str, second: &str| format!("[[exporter]]\n{first}\n[[exporter]]\n{second}");
    let file = |path: &str| format!("type = 'jsonl'\npath = '{path}'");
    check(
        &two(&file("a.jsonl"), &file("./b/../a.jsonl")),
        &["4: exporter.path: the exporter of line 1 writes this file too; give each one of its own"],
    );
    check(&two(&file("a.jsonl"), &file("b.jsonl")), &[]);
    check(&two("type = 'stdout'", "type = 'stdout'\nformat = 'json'"), &[]);
    let spool = |host: &str| {
        format!("type = 'otlp'\nendpoint = 'https://{host}'\nspool = {{ dir = 's', max_bytes = '1 GiB' }}")
    };
    check(
        &two(&spool("a"), &spool("b")),
        &["5: exporter.spool.dir: the exporter of line 1 spools there too; give each one of its own"],
    );
}
