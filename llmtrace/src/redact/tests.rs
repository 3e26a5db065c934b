use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::{ObservationKind, SpanId, SpanRecord, Timestamp, TraceId};

/// A stand-in for a secret that no scanner takes for one: the pieces are joined when the test runs.
fn fake(start: &str, alphabet: &str, len: usize) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    start.chars().chain((0..len).map(|n| letters[(n * n * 7 + n * 3 + 5) % letters.len()])).collect()
}

const ALNUM: &str = "aB3dE5gH7jK9mN2pQ4rS6tU8vW1xYz0cFiLoRuZbXyT";
const HEX: &str = "0a1b2c3d4e5f6978";

fn anthropic() -> String {
    fake(&["sk", "ant", "api03", ""].join("-"), ALNUM, 95)
}

fn check(redactor: &Redactor, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let redacted = redactor.redact(text);
        assert_eq!(redacted, *expected, "{text}");
        assert_eq!(redactor.redact(&redacted), *expected, "a second time: {text}");
    }
}

#[test]
fn keys_are_told_by_their_form() {
    let secrets = Redactor::secrets();
    let check = |rule: &str, key: String| {
        for (before, after) in [
            ("", ""),
            ("see ", " there"),
            ("(", ")"),
            ("`", "`"),
            ("line\\n", "\\n"),
            ("\\u0022", "\\u0022"),
            ("%3D", "&"),
            ("\u{1b}[32m", "\u{1b}[0m"),
            ("a/", "/b"),
            ("x_", " "),
            ("my-", "."),
            ("é", "é"),
            ("=", ";"),
            ("\\\"", "\\\""),
        ] {
            let text = format!("{before}{key}{after}");
            assert_eq!(secrets.redact(&text), format!("{before}[redacted:{rule}]{after}"), "{text}");
        }
    };
    check("anthropic-api-key", anthropic());
    check("openrouter-api-key", fake("sk-or-v1-", HEX, 64));
    check("aws-access-token", fake(&["AK", "IA"].concat(), "A2B3C4D5E6F7", 16));
    check("github-pat", fake("ghp_", ALNUM, 36));
    check("gcp-api-key", fake("AIza", ALNUM, 35));
    check("sendgrid-api-token", format!("{}.{}", fake("SG.", ALNUM, 22), fake("", ALNUM, 43)));
    check("jwt", format!("{}.{}.{}", fake("eyJ", ALNUM, 30), fake("eyJ", ALNUM, 40), fake("", ALNUM, 43)));
}

#[test]
fn secrets_are_told_by_their_names() {
    check(
        &Redactor::secrets(),
        &[
            (r#"{"api_key": "abc", "n": 1}"#, r#"{"api_key": "[redacted:generic-api-key]", "n": 1}"#),
            (r#"{\"apiKey\":\"a b\",\"n\":1}"#, r#"{\"apiKey\":\"[redacted:generic-api-key]\",\"n\":1}"#),
            (
                r#"{\\\"password\\\": \\\"abc\\\"}"#,
                r#"{\\\"password\\\": \\\"[redacted:generic-api-key]\\\"}"#,
            ),
            ("{'password': 'it\\'s', 'x': 1}", "{'password': '[redacted:generic-api-key]', 'x': 1}"),
            (
                "Config { api_key: Some(\"abc\"), n: 1 }",
                "Config { api_key: Some(\"[redacted:generic-api-key]\"), n: 1 }",
            ),
            ("DB_PASSWORD=postgres\nX=1", "DB_PASSWORD=[redacted:generic-api-key]\nX=1"),
            ("export PGPASSWORD=postgres", "export PGPASSWORD=[redacted:generic-api-key]"),
            ("password: hunter2\nuser: x", "password: [redacted:generic-api-key]\nuser: x"),
            (
                "<k>AccountKey=8cQezjliPNvRGZBnBX7XindrZa0g==</k>",
                "<k>AccountKey=[redacted:generic-api-key]</k>",
            ),
            ("x-api-key: abcdef", "x-api-key: [redacted:generic-api-key]"),
            ("mysql --password hunter2 -u x", "mysql --password [redacted:generic-api-key] -u x"),
            ("run --api-key=abc", "run --api-key=[redacted:generic-api-key]"),
            ("<password>abc</password>", "<password>[redacted:generic-api-key]</password>"),
            ("Server=x;Password=abc12!;", "Server=x;Password=[redacted:generic-api-key];"),
            ("token: 8fK20sLq9ZxP", "token: [redacted:generic-api-key]"),
            ("client_secret := \"abc\"", "client_secret := \"[redacted:generic-api-key]\""),
            ("'secret' => 'abc'", "'secret' => '[redacted:generic-api-key]'"),
            (
                "&quot;password&quot;:&quot;abc&quot;",
                "&quot;password&quot;:&quot;[redacted:generic-api-key]&quot;",
            ),
            ("**Password:** hunter2!", "**Password:** [redacted:generic-api-key]"),
            // The marker is no name of a secret.
            (r#"password: "hunter2": "opaque""#, r#"password: "[redacted:generic-api-key]": "opaque""#),
        ],
    );
}

#[test]
fn headers_addresses_and_commands_are_read() {
    check(
        &Redactor::secrets(),
        &[
            ("Authorization: Bearer abc123\nX: y", "Authorization: Bearer [redacted:auth-header]\nX: y"),
            (r#"{"Authorization":"Bearer abc"}"#, r#"{"Authorization":"Bearer [redacted:auth-header]"}"#),
            ("authorization: Basic dTpw\r\n", "authorization: Basic dTpw\r\n"),
            ("authorization: Basic dTpwMQ==\r\n", "authorization: Basic [redacted:auth-header]\r\n"),
            (
                "curl -H 'Authorization: Bearer x1y2' u",
                "curl -H 'Authorization: Bearer [redacted:auth-header]' u",
            ),
            ("sent with Bearer abcdefgh12345678.x", "sent with Bearer [redacted:auth-header]"),
            ("curl -u admin:pw https://x", "curl -u admin:[redacted:curl-auth-user] https://x"),
            ("curl --user 'admin:p w' x", "curl --user 'admin:[redacted:curl-auth-user]' x"),
            ("https://u:p@h/x?a=b", "https://u:[redacted:url-credentials]@h/x?a=b"),
            ("postgres://u:p@ss@h:5432/x", "postgres://u:[redacted:url-credentials]@h:5432/x"),
            ("https://x.org/a?key=abcdefg1&b=2", "https://x.org/a?key=[redacted:url-parameter]&b=2"),
            (
                "https://x.org/a?b=2&X-Amz-Signature=0a1b2c3d4e",
                "https://x.org/a?b=2&X-Amz-Signature=[redacted:url-parameter]",
            ),
            (
                "https://hooks.slack.com/services/T0/B0/x1",
                "https://hooks.slack.com/services/[redacted:webhook-url]",
            ),
        ],
    );
}

#[test]
fn long_values_are_masked_at_the_ends_of_characters() {
    let secrets = Redactor::secrets();
    for len in 4090..4100 {
        let text = format!("{{\"password\": \"{}1{}\", \"n\": 1}}", "x".repeat(len - 4000), "é".repeat(3000));
        let redacted = secrets.redact(&text);
        assert!(redacted.starts_with("{\"password\": \"[redacted:generic-api-key]"), "{redacted}");
        assert!(redacted.ends_with("\", \"n\": 1}"), "{redacted}");
    }
}

#[test]
fn armour_is_masked_whole() {
    let (begin, end) = (
        ["-----BEGIN ", "RSA PRIV", "ATE KEY-----"].concat(),
        ["-----END ", "RSA PRIV", "ATE KEY-----"].concat(),
    );
    let body = format!("{}\n{}", fake("MII", ALNUM, 61), fake("", ALNUM, 64));
    let secrets = Redactor::secrets();
    let check = |text: &str, expected: &str| assert_eq!(secrets.redact(text), expected, "{text}");
    check(&format!("a\n{begin}\n{body}\n{end}\nb"), "a\n[redacted:private-key]\nb");
    check(&format!("a {begin}\\n{body}\\n{end}\\n b").replace('\n', "\\n"), "a [redacted:private-key]\\n b");
    check(&format!("a\n{begin}\n{body}"), "a\n[redacted:private-key]");
    check(
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    );
}

#[test]
fn what_base64_wraps_is_found() {
    use ::base64::Engine as _;
    let encode = |text: &str| ::base64::engine::general_purpose::STANDARD.encode(text);
    let secrets = Redactor::secrets();
    let once = encode(&format!("{{\"key\": \"{}\"}}", anthropic()));
    assert_eq!(secrets.redact(&format!("data: {once}.")), "data: [redacted:anthropic-api-key].");
    assert_eq!(secrets.redact(&encode(&once)), "[redacted:anthropic-api-key]");
    let clean = encode("the quick brown fox jumps over the lazy dog");
    assert_eq!(secrets.redact(&clean), clean);
}

#[test]
fn a_key_that_the_end_cuts_off_is_masked() {
    let secrets = Redactor::secrets();
    for key in [anthropic(), fake("ghp_", ALNUM, 36), fake("AIza", ALNUM, 35)] {
        for len in 20..key.len() {
            let text = format!("see {}", &key[..len]);
            assert!(secrets.redact(&text).starts_with("see [redacted:"), "{text}");
        }
    }
}

#[test]
fn clean_texts_stay() {
    let secrets = Redactor::secrets();
    for text in [
        "Enter your password: then press enter. The token: a piece of text.",
        "password = input('Password: ')",
        "api_key = os.environ[\"OPENAI_API_KEY\"]",
        "token = get_token(user)",
        r#"<a href="dir.html" accesskey="n" rel="next">"#,
        "let identity = &Credentials::for_tests().into();",
        "put(aws_runtime::auth::SigV4OperationSigningConfig { region })",
        "keep 8Q~short and sha256~short, and ~/.config",
        "fn login(password: &str, token: Option<String>, secret: [u8; 32])",
        "password: str, api_key: Optional[str] = None",
        r#"{"token": " the", "logprob": -0.1, "bytes": [32]}"#,
        r#"{"eos_token": "<|endoftext|>", "max_tokens": 4096}"#,
        r#"{"properties": {"token": {"type": "string"}, "password": {"type": "string"}}}"#,
        "if password == confirm_password:",
        "self.token = token",
        "Authorization: Bearer <token>",
        "API_KEY=${API_KEY}",
        "chatcmpl-BxyzAbCdEfGhIjKlMnOp0123",
        "msg_01AbCdEfGhIjKlMnOpQrStUv",
        "toolu_01A09q90qw90lq917835lq9",
        "fp_34a54ae93c",
        "call_Zx81jsQpLmN0aBcDeFgHiJkL",
        "resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b",
        "req_011CQxYzAbCdEfGhIjKlMnOp",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "550e8400-e29b-41d4-a716-446655440000",
        "claude-sonnet-4-5-20250929",
        "https://user@example.org/path?page_token=2&q=a#key",
        "git@github.com:org/repo.git",
        "PWD=/home/ann/src",
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
        "sk-learn-contrib-and-more-words",
        "key: value",
        "the secret: patience and time",
        "monkey=banana123456",
        "| a | b |\n|------------------|------------------|",
        "let key = \"user_profile_settings_2024_view\";",
        "hf_hub_download_file",
    ] {
        assert_eq!(secrets.redact(text), text);
    }
}

#[test]
fn personal_data_is_masked_where_it_is_asked_for() {
    check(
        &Redactor::none().pii(),
        &[
            ("mail ann.b+c@mail.example.co.uk.", "mail [redacted:email]."),
            ("<ann@example.org>, a@b, @ann, x@1.2", "<[redacted:email]>, a@b, @ann, x@1.2"),
            ("postgres://u:pass-word@db.example/x", "postgres://u:pass-word@db.example/x"),
            ("https://x.org/ann@example.org", "https://x.org/[redacted:email]"),
            ("pay 4111 1111 1111 1111 now", "pay [redacted:credit-card] now"),
            ("pay 4111111111111112 or 378282246310005", "pay 4111111111111112 or [redacted:credit-card]"),
            ("at 1763800000000 and 1.4111111111111111", "at 1763800000000 and 1.4111111111111111"),
            ("to DE89 3704 0044 0532 0130 00, please", "to [redacted:iban], please"),
            (
                "to GB82WEST12345698765432 or GB83WEST12345698765432",
                "to [redacted:iban] or GB83WEST12345698765432",
            ),
        ],
    );
    let text = "ann@example.org 4111111111111111";
    assert_eq!(Redactor::default().redact(text), text);
}

#[test]
fn rules_of_the_user_are_followed() {
    let redactor =
        Redactor::none().rule("ticket", r"TICKET-\d+").unwrap().rule("id", "id=(?:(a+)|(b+))").unwrap();
    check(
        &redactor,
        &[("TICKET-12 id=aa id=bb id=c", "[redacted:ticket] id=[redacted:id] id=[redacted:id] id=c")],
    );
    let error = |name: &str, pattern: &str| Redactor::none().rule(name, pattern).unwrap_err();
    assert!(matches!(error("a b", "x"), RuleError::Name { .. }));
    assert!(matches!(error("a", "x*"), RuleError::Empty { .. }));
    assert!(error("a", "x(").to_string().contains("unclosed group"));
    let allowed = Redactor::secrets().allow("hunter.").unwrap();
    check(
        &allowed,
        &[
            ("A_PASSWORD=hunter2", "A_PASSWORD=hunter2"),
            ("A_PASSWORD=hunter22", "A_PASSWORD=[redacted:generic-api-key]"),
        ],
    );
}

#[test]
fn a_mask_that_panics_fails_closed() {
    let redactor =
        Redactor::secrets().mask("mine", |text| if text.contains("boom") { panic!("boom") } else { None });
    check(
        &redactor,
        &[("a boom", "[redacted:mine]"), ("a PASSWORD=x1", "a PASSWORD=[redacted:generic-api-key]")],
    );
}

#[test]
fn what_was_clean_once_is_masked_where_its_name_or_a_closure_says_so() {
    let check = |redactor: &Redactor, names: [&'static str; 2], expected: [&str; 2]| {
        let mut clean = Clean::default();
        let found = names.map(|name| {
            let at = Timestamp::default();
            let kind = ObservationKind::Generation;
            let mut record =
                SpanRecord::new(TraceId::sequential(1), SpanId::sequential(1), "x", kind, at, at);
            record.attributes.set(name, "hunter2");
            redactor.redact_record(&mut record, &mut clean);
            record.attributes.get_str(name).unwrap().to_owned()
        });
        assert_eq!(found, expected);
    };
    let model = "gen_ai.request.model";
    let masked = "[redacted:generic-api-key]";
    check(&Redactor::secrets(), [model, model], ["hunter2", "hunter2"]);
    check(&Redactor::secrets(), [model, "password"], ["hunter2", masked]);
    check(&Redactor::secrets(), ["password", "password"], [masked, masked]);
    let calls = AtomicUsize::new(0);
    let second = move |_: &str| (calls.fetch_add(1, Ordering::Relaxed) == 1).then(|| "*".to_owned());
    check(&Redactor::none().mask("second", second), [model, model], ["hunter2", "*"]);
}
