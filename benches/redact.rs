//! What it costs to look for secrets, a KiB, beside one pass of `memchr` over the same text.

#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use llmtrace::Redactor;

const PROSE: &str = "The sky is blue because shorter wavelengths of sunlight are scattered more by the air than longer \
    ones. At dusk the light crosses more of it, and what is left by then is red. Every token of this answer counts: the key \
    to it is the size of the molecules, which is small against the wavelength of light (Rayleigh, 1871).\n";

const CODE: &str = "    let response = client.post(url).header(\"content-type\", \"application/json\").body(body).send().await?;\n    \
    let token_count: usize = response.usage.iter().map(|usage| usage.total_tokens).sum();\n    if token_count >= \
    MAX_TOKENS_PER_REQUEST { return Err(Error::TooManyTokens { token_count, max: MAX_TOKENS_PER_REQUEST }); }\n";

const JSON: &str = "{\"id\":\"chatcmpl-BxyzAbCdEfGhIjKlMnOp\",\"object\":\"chat.completion.chunk\",\"created\":1763800000,\
    \"model\":\"gpt-4o-mini-2024-07-18\",\"system_fingerprint\":\"fp_34a54ae93c\",\"choices\":[{\"index\":0,\"delta\":\
    {\"content\":\" scattered\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":{\"prompt_tokens\":1200}}\n";

/// Bytes of each text.
const TEXT_BYTES: usize = 64 * 1024;

/// How long each is measured.
const TIME: Duration = Duration::from_millis(800);

fn main() {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let time = if is_quick { TIME / 40 } else { TIME };
    let base64 =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg";
    let hostile =
        ["sk-", "eyJ", "password=", "--token ", "-----BEGIN PRIVATE KEY-----", "https://a:", "sk-proj-"];
    let secrets = Redactor::secrets();
    let personal = Redactor::secrets().pii();
    println!("{:<28} {:>9} {:>9} {:>9}", "ns/KiB", "secrets", "with pii", "memchr");
    let texts = [("prose", PROSE), ("code", CODE), ("JSON", JSON), ("base64", base64)].into_iter();
    for (name, text) in texts.chain(hostile.map(|text| (text, text))) {
        let text = text.repeat(TEXT_BYTES.div_ceil(text.len()));
        let kib = text.len() as f64 / 1024.0;
        let measure = |work: &dyn Fn()| 1e9 * seconds(time, work) / kib;
        println!(
            "{name:<28} {:>9.0} {:>9.0} {:>9.0}",
            measure(&|| drop(black_box(secrets.redact(&text)))),
            measure(&|| drop(black_box(personal.redact(&text)))),
            measure(&|| {
                black_box(memchr::memchr2_iter(b'=', b':', text.as_bytes()).count());
            }),
        );
    }
}

/// The least time that one round takes.
fn seconds(time: Duration, work: &dyn Fn()) -> f64 {
    let (start, mut least) = (Instant::now(), f64::MAX);
    while start.elapsed() < time {
        let round = Instant::now();
        work();
        least = least.min(round.elapsed().as_secs_f64());
    }
    least
}
