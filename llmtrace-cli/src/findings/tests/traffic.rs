//! A day of normal traffic: nothing of it stands out.

use llmtrace::{Cost, CostSource, Message, ObservationKind as Kind, SpanRecord, Usage, Usd, semconv};

use super::{failed, findings, span};

/// Numbers that look random, the same each time (xorshift64*, Vigna 2016).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// From 0 to 1.
    fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Log-normal around a median (Box and Muller, 1958).
    fn around(&mut self, median: f64, deviation: f64) -> u64 {
        let (a, b) = (self.part().max(1e-300), self.part());
        let normal = (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos();
        let value = (median * (normal * deviation).exp()).min(1e12);
        format!("{value:.0}").parse().unwrap()
    }
}

/// A model: its name, its price for a million input tokens, its usual time.
const MODELS: [(&str, i128, f64); 3] = [
    ("gpt-4o", 2_500_000, 1_800.0),
    ("gpt-4o-mini", 150_000, 700.0),
    ("claude-sonnet-4-5", 3_000_000, 2_600.0),
];

/// A trace of an agent with a few calls and tools.
fn trace(number: u64, random: &mut Random) -> Vec<SpanRecord> {
    let begin = number * 4_320;
    let (model, price, time) = MODELS[usize::try_from(random.next() % 3).unwrap()];
    let mut spans = Vec::new();
    let (mut now, mut input) = (begin, random.around(900.0, 0.6));
    for step in 0..=random.next() % 4 {
        let ms = random.around(time, 0.7);
        let mut call = span(Kind::Generation, "chat", [number, step * 2 + 2, 1], [now, now + ms]);
        call.attributes.set(semconv::RESPONSE_MODEL, model);
        call.attributes.set(semconv::PROVIDER_NAME, if price == 3_000_000 { "anthropic" } else { "openai" });
        call.attributes.set(semconv::CONVERSATION_ID, format!("s-{}", number / 9));
        call.attributes.set(semconv::RESPONSE_TIME_TO_FIRST_CHUNK, random.around(350.0, 0.5) as f64 / 1e3);
        call.input = vec![Message::user(format!("question {number} {step}"))];
        call.output =
            vec![Message::assistant(format!("answer {}", random.next())).with_finish_reason("stop")];
        let output = random.around(200.0, 0.8);
        let cached = input * (random.next() % 60) / 100;
        call.set_usage(&Usage::new(input, output).with_cache_read(cached));
        let pico = price * i128::from(input + 4 * output);
        call.set_cost(&Cost::new(Usd::from_pico(pico), CostSource::Bundled));
        if random.part() < 0.01 {
            call = failed(call);
        }
        spans.push(call);
        now += ms;
        let ms = random.around(120.0, 0.9);
        let mut tool = span(Kind::Tool, "search", [number, step * 2 + 3, 1], [now, now + ms]);
        tool.attributes.set(semconv::TOOL_CALL_ARGUMENTS, format!("words {}", random.next() % 1_000));
        spans.push(if random.part() < 0.02 { failed(tool) } else { tool });
        now += ms;
        input += output + random.around(300.0, 0.5);
    }
    spans.push(span(Kind::Agent, "answer", [number, 1, 0], [begin, now]));
    spans
}

#[test]
fn a_day_of_normal_traffic_has_a_handful_at_most() {
    let mut random = Random(0x9e37_79b9);
    let traces: Vec<_> = (1..=20_000).map(|number| trace(number, &mut random)).collect();
    let found = findings(&traces);
    let told: Vec<_> = found.iter().map(|finding| (&finding.title, &finding.evidence.sentence)).collect();
    assert!(told.len() <= 5, "{}: {told:#?}", told.len());
}
