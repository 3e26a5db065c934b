//! A model's prices of one moment as plain rates, for calls that follow each other closely.

use std::sync::{Mutex, PoisonError};

use genai_prices::UsageKey;

use crate::{Timestamp, Usage, Usd};

/// What the table makes of some counts, in USD: input, output, and the total with its fees.
pub(super) type Dollars = (f64, f64, f64);

/// The rates of a model whose price is in proportion to its tokens, in pico-dollars per million tokens.
///
/// A part's rate is what it costs beside its whole, so that a cost is one sum over the counts as they are.
#[derive(Clone, Copy, Debug)]
struct Card {
    /// In the order of [`INPUT`].
    input: [i128; 5],
    /// In the order of [`OUTPUT`].
    output: [i128; 2],
    fee: i128,
    /// The longest input, in tokens, that these rates are known to hold for: longer ones may cost more a token.
    limit: u64,
}

/// The card of the second in which calls were priced last.
///
/// The table's prices change on days and at times of the day, thus never within a second. A card is made for
/// the second call of one second; the table itself prices the first.
#[derive(Debug, Default)]
pub(super) struct CardOfSecond(Mutex<Slot>);

#[derive(Debug, Default)]
struct Slot {
    second: Option<u64>,
    card: Option<Card>,
    /// The price depends on more than counts and limit: a card is not tried again.
    is_refused: bool,
}

const INPUT: [UsageKey; 5] = [
    UsageKey::INPUT_TOKENS,
    UsageKey::CACHE_READ_TOKENS,
    UsageKey::CACHE_WRITE_TOKENS,
    UsageKey::CACHE_WRITE_5M_TOKENS,
    UsageKey::CACHE_WRITE_1H_TOKENS,
];
const OUTPUT: [UsageKey; 2] = [UsageKey::OUTPUT_TOKENS, UsageKey::OUTPUT_REASONING_TOKENS];

/// How many tokens of a kind the table is asked for; few enough for the price of a short input.
const ASKED: i128 = 1_000;

/// Lengths of input, in tokens, up to which one rate may hold: where long inputs cost more, they begin there.
const LIMITS: [u64; 5] = [4_000_000_000_000, 200_000, 128_000, 100_000, 32_000];

impl CardOfSecond {
    /// Input, output and total by the card of the second `at`; `None` where only the table can tell.
    pub(super) fn price(
        &self,
        usage: &Usage,
        at: Timestamp,
        table: impl Fn(&[(UsageKey, f64)]) -> Option<Dollars>,
    ) -> Option<(Usd, Usd, Usd)> {
        let second = Some(at.unix_nanos() / 1_000_000_000);
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_refused {
            return None;
        }
        if slot.second != second {
            *slot = Slot { second, ..Slot::default() };
            return None;
        }
        if slot.card.is_none() {
            slot.card = Card::of(table);
            slot.is_refused = slot.card.is_none();
        }
        let card = slot.card?;
        drop(slot);
        card.apply(usage)
    }
}

impl Card {
    /// Asks the table for single counts, and makes sure that it adds them up for small and for large ones.
    fn of(table: impl Fn(&[(UsageKey, f64)]) -> Option<Dollars>) -> Option<Self> {
        let [whole_in, read, write, write_5m, write_1h] = INPUT;
        let [whole_out, reasoning] = OUTPUT;
        let million = |keys: &[&UsageKey]| {
            let counts: Vec<_> = keys.iter().map(|key| ((*key).clone(), ASKED as f64)).collect();
            let (input, output, _) = table(&counts)?;
            Some((pico(input)? * (1_000_000 / ASKED), pico(output)? * (1_000_000 / ASKED)))
        };
        let plain = million(&[&whole_in])?;
        let written = million(&[&whole_in, &write])?;
        let written_out = million(&[&whole_out])?;
        let (_, _, fee) = table(&[])?;
        let mut card = Self {
            input: [
                plain.0,
                million(&[&whole_in, &read])?.0 - plain.0,
                written.0 - plain.0,
                million(&[&whole_in, &write, &write_5m])?.0 - written.0,
                million(&[&whole_in, &write, &write_1h])?.0 - written.0,
            ],
            output: [written_out.1, million(&[&whole_out, &reasoning])?.1 - written_out.1],
            fee: pico(fee)?,
            limit: u64::MAX,
        };
        // Text and tool results must not have a price of their own, for they are not on the card.
        let input_texts = [&whole_in, &UsageKey::INPUT_TEXT_TOKENS, &UsageKey::INPUT_TOOL_TOKENS];
        let cached = million(&[&whole_in, &read])?;
        let is_plain = million(&input_texts)? == plain
            && million(&[&whole_in, &read, &UsageKey::CACHE_TEXT_READ_TOKENS])? == cached
            && million(&[&whole_out, &UsageKey::OUTPUT_TEXT_TOKENS])? == written_out;
        if !is_plain || !card.agrees(&table, 4)? {
            return None;
        }
        card.limit = LIMITS.into_iter().find(|limit| card.agrees(&table, *limit) == Some(true))?;
        Some(card)
    }

    /// Whether card and table have one price for an input of so many tokens, with some of every kind.
    fn agrees(&self, table: impl Fn(&[(UsageKey, f64)]) -> Option<Dollars>, input: u64) -> Option<bool> {
        let parts = [4, 1, 2, 1, 1, 2, 1].map(|share| share * (input / 4));
        let counts = INPUT.into_iter().chain(OUTPUT).zip(parts).map(|(key, count)| (key, count as f64));
        let theirs = table(&counts.collect::<Vec<_>>())?;
        let [whole_in, read, write, write_5m, write_1h, whole_out, reasoning] = parts;
        let usage = Usage {
            cache_write_5m_tokens: Some(write_5m),
            cache_write_1h_tokens: Some(write_1h),
            ..Usage::new(whole_in, whole_out)
                .with_cache_read(read)
                .with_cache_write(write)
                .with_reasoning(reasoning)
        };
        let ours = self.apply(&usage)?;
        let is_close = |ours: Usd, theirs: f64| (ours.to_f64() - theirs).abs() <= 1e-12 + theirs.abs() * 1e-9;
        Some(is_close(ours.0, theirs.0) && is_close(ours.1, theirs.1) && is_close(ours.2, theirs.2))
    }

    fn apply(&self, usage: &Usage) -> Option<(Usd, Usd, Usd)> {
        let others = [
            usage.input_audio_tokens,
            usage.input_image_tokens,
            usage.input_video_tokens,
            usage.cache_read_audio_tokens,
            usage.cache_read_image_tokens,
            usage.cache_read_video_tokens,
            usage.output_audio_tokens,
            usage.output_image_tokens,
            usage.web_searches,
            usage.file_searches,
            usage.rerank_searches,
            usage.audio_seconds,
            usage.document_pages,
        ];
        let input_tokens = usage.input_tokens?;
        if input_tokens > self.limit || others.into_iter().flatten().any(|count| count > 0) {
            return None;
        }
        let (write_5m, write_1h) = (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens);
        let write =
            usage.cache_write_tokens.unwrap_or(write_5m.unwrap_or(0).checked_add(write_1h.unwrap_or(0))?);
        let input = dot(
            self.input,
            [
                usage.input_tokens?,
                usage.cache_read_tokens.unwrap_or(0),
                write,
                write_5m.unwrap_or(0),
                write_1h.unwrap_or(0),
            ],
        )?;
        let output =
            dot(self.output, [usage.output_tokens.unwrap_or(0), usage.reasoning_tokens.unwrap_or(0)])?;
        let total = per_mtok(input.checked_add(output)?)?.checked_add(self.fee)?;
        Some((Usd::from_pico(per_mtok(input)?), Usd::from_pico(per_mtok(output)?), Usd::from_pico(total)))
    }
}

fn pico(dollars: f64) -> Option<i128> {
    Usd::from_f64(dollars).map(Usd::pico)
}

fn dot<const N: usize>(rates: [i128; N], counts: [u64; N]) -> Option<i128> {
    let products = rates.into_iter().zip(counts).map(|(rate, count)| rate.checked_mul(i128::from(count)));
    products.into_iter().try_fold(0_i128, |sum, product| sum.checked_add(product?))
}

/// A sum of tokens times rates, rounded half up to a pico-dollar.
fn per_mtok(sum: i128) -> Option<i128> {
    Some(sum.checked_add(500_000)?.div_euclid(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// USD per million: input 3 (6 beyond 200,000 tokens of it), cache reads 0.3, output 15; a cent a call.
    #[expect(clippy::unnecessary_wraps, reason = "as the table answers")]
    fn table(counts: &[(UsageKey, f64)]) -> Option<Dollars> {
        let count =
            |wanted: &UsageKey| counts.iter().find(|(key, _)| key == wanted).map_or(0.0, |(_, count)| *count);
        let [whole, read, ..] = INPUT.map(|key| count(&key));
        let rate = if whole > 200_000.0 { 6.0 } else { 3.0 };
        let (input, output) = ((whole - read) * rate + read * 0.3, count(&UsageKey::OUTPUT_TOKENS) * 15.0);
        Some((input / 1e6, output / 1e6, (input + output) / 1e6 + 0.01))
    }

    #[test]
    fn a_card_prices_what_the_table_would_and_leaves_it_the_rest() {
        let card = Card::of(table).unwrap();
        let check = |usage: Usage, expected: Option<&str>| {
            let total = card.apply(&usage).map(|(_, _, total)| total.to_string());
            assert_eq!(total.as_deref(), expected, "{usage:?}");
        };
        check(Usage::new(1_000, 10).with_cache_read(900), Some("0.01072"));
        check(Usage::new(200_000, 0), Some("0.61"));
        check(Usage::new(200_001, 0), None);
        check(Usage { web_searches: Some(1), ..Usage::new(1, 1) }, None);
        check(Usage { input_audio_tokens: Some(1), ..Usage::new(1, 1) }, None);
        check(
            Usage { input_audio_tokens: Some(0), input_text_tokens: Some(1), ..Usage::new(1, 1) },
            Some("0.010018"),
        );
    }

    #[test]
    fn a_price_that_no_rates_express_has_no_card() {
        let check = |dollars: fn(f64) -> f64, expected: bool| {
            let table = |counts: &[(UsageKey, f64)]| {
                let input = counts.iter().find(|(key, _)| *key == UsageKey::INPUT_TOKENS);
                let price = dollars(input.map_or(0.0, |(_, count)| *count));
                Some((price, 0.0, price))
            };
            assert_eq!(Card::of(table).is_some(), expected);
        };
        check(|tokens| tokens * 1e-6, true);
        check(|tokens| (tokens / 1e3).ceil() * 1e-3, false);
        check(f64::sqrt, false);
    }

    #[test]
    fn a_card_holds_for_one_second_and_is_made_for_its_second_call() {
        let card = CardOfSecond::default();
        let check = |nanos: u64, expected: bool| {
            let priced = card.price(&Usage::new(1, 1), Timestamp::from_unix_nanos(nanos), table);
            assert_eq!(priced.is_some(), expected, "{nanos}");
        };
        check(1_000_000_000, false);
        check(1_000_000_001, true);
        check(1_999_999_999, true);
        check(2_000_000_000, false);
        check(2_500_000_000, true);
    }
}
