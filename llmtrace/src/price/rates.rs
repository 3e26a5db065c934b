//! Prices per token and per use, and the exact arithmetic on them.

use crate::{Unpriced, Usage, Usd};

/// What a model's calls cost, in US dollars per million tokens (and per thousand searches, pages, ...).
///
/// A cost is computed in whole numbers: each share (input, output, fees) is the exact sum over its parts, rounded
/// once, half up, to a pico-dollar (1e-12 USD). Parts without a rate of their own cost what the whole costs that
/// they are part of.
///
/// ```
/// use llmtrace::Rates;
///
/// let rates = Rates::per_mtok("0.15".parse()?, "0.60".parse()?)
///     .cache_read("0.075".parse()?)
///     .input_audio("10".parse()?)
///     .web_search("25".parse()?);
/// # Ok::<(), llmtrace::ParseUsdError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    input: Usd,
    output: Usd,
    cache_read: Option<Usd>,
    cache_write: Option<Usd>,
    cache_write_1h: Option<Usd>,
    cache_read_audio: Option<Usd>,
    input_audio: Option<Usd>,
    input_image: Option<Usd>,
    input_video: Option<Usd>,
    output_audio: Option<Usd>,
    output_image: Option<Usd>,
    reasoning: Option<Usd>,
    web_search: Option<Usd>,
    file_search: Option<Usd>,
    rerank_search: Option<Usd>,
    document_page: Option<Usd>,
    audio_hour: Option<Usd>,
    per_call: Usd,
}

/// What rates make of a usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Amounts {
    pub(super) total: Usd,
    pub(super) input: Usd,
    pub(super) output: Usd,
    /// Something was used that has no rate.
    pub(super) incomplete: bool,
}

/// Tokens that a rate per million is for.
const MTOK: i128 = 1_000_000;
/// Searches and pages that a rate is for.
const THOUSAND: i128 = 1_000;
/// Seconds that a rate per hour is for.
const HOUR: i128 = 3_600;

/// A method of [`Rates`] that sets one rate.
macro_rules! rate_setters {
    ($($(#[$doc:meta])* $name:ident($price:ident);)*) => {
        $($(#[$doc])*
        pub fn $name(mut self, $price: Usd) -> Self {
            self.$name = Some($price);
            self
        })*
    };
}

impl Rates {
    /// USD per million input tokens and per million output tokens.
    ///
    /// Cache reads and writes cost what other input costs until a rate of their own is set.
    pub fn per_mtok(input: Usd, output: Usd) -> Self {
        Self {
            input,
            output,
            cache_read: None,
            cache_write: None,
            cache_write_1h: None,
            cache_read_audio: None,
            input_audio: None,
            input_image: None,
            input_video: None,
            output_audio: None,
            output_image: None,
            reasoning: None,
            web_search: None,
            file_search: None,
            rerank_search: None,
            document_page: None,
            audio_hour: None,
            per_call: Usd::ZERO,
        }
    }

    /// Nothing at all: a model whose calls are known to be free, searches and pages included.
    pub fn free() -> Self {
        let none = Usd::ZERO;
        Self::per_mtok(none, none)
            .web_search(none)
            .file_search(none)
            .rerank_search(none)
            .document_page(none)
            .audio_hour(none)
    }

    rate_setters! {
        /// USD per million tokens read from a cache; the input rate where unset.
        cache_read(per_mtok);
        /// USD per million tokens written to a cache; the input rate where unset.
        cache_write(per_mtok);
        /// USD per million tokens written to a cache for one hour; the rate of other cache writes where unset.
        cache_write_1h(per_mtok);
        /// USD per million audio tokens read from a cache; the rate of other cache reads where unset.
        cache_read_audio(per_mtok);
        /// USD per million audio tokens in the input; the input rate where unset.
        input_audio(per_mtok);
        /// USD per million image tokens in the input; the input rate where unset.
        input_image(per_mtok);
        /// USD per million video tokens in the input; the input rate where unset.
        input_video(per_mtok);
        /// USD per million audio tokens in the output; the output rate where unset.
        output_audio(per_mtok);
        /// USD per million image tokens in the output; the output rate where unset.
        output_image(per_mtok);
        /// USD per million reasoning tokens; the output rate where unset.
        reasoning(per_mtok);
        /// USD per thousand web searches; where unset, a search makes the cost [incomplete](crate::Cost::incomplete).
        web_search(per_thousand);
        /// USD per thousand file searches; where unset, a search makes the cost incomplete.
        file_search(per_thousand);
        /// USD per thousand searches of a reranker; where unset, a search makes the cost incomplete.
        rerank_search(per_thousand);
        /// USD per thousand pages of documents; where unset, a page makes the cost incomplete.
        document_page(per_thousand);
        /// USD per hour of audio that was transcribed or read; where unset, such audio makes the cost incomplete.
        audio_hour(per_hour);
    }

    /// USD for each call, whatever its tokens; in the total, in neither share.
    pub fn per_call(mut self, fee: Usd) -> Self {
        self.per_call = fee;
        self
    }

    /// The cost of a usage, or why there is none.
    pub(super) fn apply(&self, usage: &Usage) -> Result<Amounts, Unpriced> {
        let input = sum(&self.input_parts(usage)?, MTOK)?;
        let output = sum(&self.output_parts(usage)?, MTOK)?;
        let count = |count: Option<u64>| count.unwrap_or(0);
        let uses = [
            (count(usage.web_searches), self.web_search, THOUSAND),
            (count(usage.file_searches), self.file_search, THOUSAND),
            (count(usage.rerank_searches), self.rerank_search, THOUSAND),
            (count(usage.document_pages), self.document_page, THOUSAND),
            (count(usage.audio_seconds), self.audio_hour, HOUR),
        ];
        let mut fees = self.per_call;
        for (count, rate, unit) in uses {
            fees += sum(&[(count, rate.unwrap_or(Usd::ZERO))], unit)?;
        }
        let incomplete = uses.iter().any(|(count, rate, _)| *count > 0 && rate.is_none());
        Ok(Amounts { total: input + output + fees, input, output, incomplete })
    }

    /// The input in parts that do not overlap, each with its rate.
    fn input_parts(&self, usage: &Usage) -> Result<[(u64, Usd); 8], Unpriced> {
        let read = usage.cache_read_tokens.unwrap_or(0);
        let write_1h = usage.cache_write_1h_tokens.unwrap_or(0);
        let split = write_1h.saturating_add(usage.cache_write_5m_tokens.unwrap_or(0));
        let write = usage.cache_write_tokens.unwrap_or(split);
        let write_rate = self.cache_write.unwrap_or(self.input);
        let read_rate = self.cache_read.unwrap_or(self.input);
        let audio_is_apart = self.input_audio.is_some() || self.cache_read_audio.is_some();
        let audio = usage.input_audio_tokens.filter(|_| audio_is_apart);
        let image = usage.input_image_tokens.filter(|_| self.input_image.is_some());
        let video = usage.input_video_tokens.filter(|_| self.input_video.is_some());
        let stated_reads = [
            usage.cache_read_text_tokens,
            usage.cache_read_audio_tokens,
            usage.cache_read_image_tokens,
            usage.cache_read_video_tokens,
        ];
        let unknown = stated_reads.into_iter().flatten().fold(read, u64::saturating_sub);
        let read_audio = cached_part(audio, usage.cache_read_audio_tokens, unknown)?;
        let read_image = cached_part(image, usage.cache_read_image_tokens, unknown)?;
        let read_video = cached_part(video, usage.cache_read_video_tokens, unknown)?;
        let fresh_audio = less(audio.unwrap_or(0), &[read_audio])?;
        let fresh_image = less(image.unwrap_or(0), &[read_image])?;
        let fresh_video = less(video.unwrap_or(0), &[read_video])?;
        let plain =
            less(usage.input_tokens.unwrap_or(0), &[read, write, fresh_audio, fresh_image, fresh_video])?;
        Ok([
            (plain, self.input),
            (less(read, &[read_audio])?, read_rate),
            (read_audio, self.cache_read_audio.unwrap_or(read_rate)),
            (less(write, &[write_1h])?, write_rate),
            (write_1h, self.cache_write_1h.unwrap_or(write_rate)),
            (fresh_audio, self.input_audio.unwrap_or(self.input)),
            (fresh_image, self.input_image.unwrap_or(self.input)),
            (fresh_video, self.input_video.unwrap_or(self.input)),
        ])
    }

    /// The output in parts that do not overlap, each with its rate.
    fn output_parts(&self, usage: &Usage) -> Result<[(u64, Usd); 4], Unpriced> {
        let part = |rate: Option<Usd>, count: Option<u64>| (rate.and(count).unwrap_or(0), rate);
        let parts = [
            part(self.reasoning, usage.reasoning_tokens),
            part(self.output_audio, usage.output_audio_tokens),
            part(self.output_image, usage.output_image_tokens),
        ];
        let plain = less(usage.output_tokens.unwrap_or(0), &parts.map(|(count, _)| count))?;
        let [reasoning, audio, image] = parts.map(|(count, rate)| (count, rate.unwrap_or(self.output)));
        Ok([(plain, self.output), reasoning, audio, image])
    }
}

/// How much of a part of the input was read from a cache, where it is not stated of `unknown` cached tokens what they
/// are; an error where that decides the price.
fn cached_part(whole: Option<u64>, cached: Option<u64>, unknown: u64) -> Result<u64, Unpriced> {
    match (whole.unwrap_or(0), cached) {
        (0, _) => Ok(0),
        (_, Some(cached)) => Ok(cached),
        (_, None) if unknown == 0 => Ok(0),
        (_, None) => Err(Unpriced::NoUsage),
    }
}

fn less(whole: u64, parts: &[u64]) -> Result<u64, Unpriced> {
    let rest = parts.iter().try_fold(whole, |rest, part| rest.checked_sub(*part));
    rest.ok_or(Unpriced::InvalidUsage)
}

/// Counts times their rates per `unit`, rounded once to a pico-dollar.
fn sum(parts: &[(u64, Usd)], unit: i128) -> Result<Usd, Unpriced> {
    let add =
        |total: i128, part: &(u64, Usd)| total.checked_add(i128::from(part.0).checked_mul(part.1.pico())?);
    let total = parts.iter().try_fold(unit / 2, add).ok_or(Unpriced::InvalidUsage)?;
    Ok(Usd::from_pico(total.div_euclid(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    #[test]
    fn each_share_is_exact_and_rounded_once() {
        let check = |rates: Rates, usage: Usage, expected: [&str; 3]| {
            let Amounts { total, input, output, .. } = rates.apply(&usage).unwrap();
            assert_eq!([total, input, output].map(|amount| amount.to_string()), expected);
        };
        let rates = Rates::per_mtok(usd("3"), usd("15"));
        check(rates, Usage::new(1_000, 100), ["0.0045", "0.003", "0.0015"]);
        check(
            rates,
            Usage::new(1_000, 100).with_cache_read(900).with_cache_write(100),
            ["0.0045", "0.003", "0.0015"],
        );
        let cached = rates.cache_read(usd("0.3")).cache_write(usd("3.75")).cache_write_1h(usd("6"));
        let usage = Usage {
            cache_write_5m_tokens: Some(60),
            cache_write_1h_tokens: Some(40),
            ..Usage::new(1_000, 0).with_cache_read(500).with_cache_write(100)
        };
        check(cached, usage.clone(), ["0.001815", "0.001815", "0"]);
        check(cached, Usage { cache_write_tokens: None, ..usage.clone() }, ["0.001815", "0.001815", "0"]);
        check(rates.cache_write(usd("4")), usage, ["0.0031", "0.0031", "0"]);
        check(Rates::free().per_call(usd("0.01")), Usage::new(5, 5), ["0.01", "0", "0"]);
        // Half a pico-dollar and more rounds up, less rounds down.
        check(
            Rates::per_mtok(usd("0.0000005"), usd("0.000000499999")),
            Usage::new(1, 1),
            ["0.000000000001", "0.000000000001", "0"],
        );
    }

    #[test]
    fn a_part_with_a_rate_of_its_own_is_taken_out_of_its_whole() {
        let rates = Rates::per_mtok(usd("1"), usd("10"));
        let check = |rates: Rates, usage: &Usage, expected: Result<[&str; 2], Unpriced>| {
            let shares = rates
                .apply(usage)
                .map(|amounts| [amounts.input, amounts.output].map(|share| share.to_string()));
            assert_eq!(shares, expected.map(|shares| shares.map(str::to_owned)), "{usage:?}");
        };
        let usage = Usage {
            input_audio_tokens: Some(400_000),
            cache_read_audio_tokens: Some(100_000),
            input_image_tokens: Some(50_000),
            cache_read_image_tokens: Some(0),
            output_audio_tokens: Some(200_000),
            output_image_tokens: Some(100_000),
            ..Usage::new(1_000_000, 1_000_000).with_cache_read(300_000).with_reasoning(500_000)
        };
        check(rates, &usage, Ok(["1", "10"]));
        check(rates.cache_read(usd("0.1")), &usage, Ok(["0.73", "10"]));
        // 350,000 plain, 200,000 + 100,000 read, 300,000 audio, 50,000 image.
        let input = rates.cache_read(usd("0.1")).input_audio(usd("32")).input_image(usd("5"));
        check(input, &usage, Ok(["10.23", "10"]));
        check(input.cache_read_audio(usd("0.4")), &usage, Ok(["10.26", "10"]));
        let output = rates.reasoning(usd("2")).output_audio(usd("64")).output_image(usd("30"));
        check(output, &usage, Ok(["1", "18.8"]));
        // How much of the audio was cached decides the price, and nobody says.
        let unknown = Usage { cache_read_audio_tokens: None, ..usage.clone() };
        check(input, &unknown, Err(Unpriced::NoUsage));
        check(rates.cache_read(usd("0.1")), &unknown, Ok(["0.73", "10"]));
        check(input, &Usage { cache_read_tokens: None, ..unknown.clone() }, Ok(["13.6", "10"]));
        // All that was read is stated, and none of it is audio.
        check(input, &Usage { cache_read_text_tokens: Some(300_000), ..unknown }, Ok(["13.33", "10"]));
        let video = Usage { input_video_tokens: Some(250_000), ..Usage::new(1_000_000, 0) };
        check(rates.input_video(usd("3")), &video, Ok(["1.5", "0"]));
    }

    #[test]
    fn searches_pages_and_hours_are_in_the_total_and_need_a_rate() {
        let rates = Rates::per_mtok(usd("1"), usd("1"));
        let check = |rates: Rates, usage: Usage, total: &str, incomplete: bool| {
            let amounts = rates.apply(&usage).unwrap();
            assert_eq!(
                (amounts.total.to_string().as_str(), amounts.incomplete),
                (total, incomplete),
                "{usage:?}"
            );
            assert_eq!(amounts.input, usd("0"));
        };
        let used = |set: fn(&mut Usage)| {
            let mut usage = Usage { output_tokens: None, ..Usage::new(0, 0) };
            set(&mut usage);
            usage
        };
        let searches = used(|usage| usage.web_searches = Some(3));
        check(rates, searches.clone(), "0", true);
        check(rates.web_search(usd("10")), searches.clone(), "0.03", false);
        check(rates.web_search(usd("0")), searches.clone(), "0", false);
        check(Rates::free(), searches, "0", false);
        check(rates.file_search(usd("2.5")), used(|usage| usage.file_searches = Some(1)), "0.0025", false);
        check(rates.rerank_search(usd("2")), used(|usage| usage.rerank_searches = Some(1)), "0.002", false);
        check(rates.document_page(usd("4")), used(|usage| usage.document_pages = Some(7)), "0.028", false);
        check(rates.audio_hour(usd("0.36")), used(|usage| usage.audio_seconds = Some(10)), "0.001", false);
        check(rates, used(|usage| usage.audio_seconds = Some(10)), "0", true);
        check(rates, used(|usage| usage.audio_seconds = Some(0)), "0", false);
    }

    #[test]
    fn what_cannot_be_computed_has_no_cost() {
        let check = |rates: Rates, usage: Usage| assert_eq!(rates.apply(&usage), Err(Unpriced::InvalidUsage));
        check(Rates::per_mtok(usd("900000000000000"), Usd::ZERO), Usage::new(u64::MAX, 0));
        check(Rates::free(), Usage::new(1, 1).with_cache_read(2));
        check(Rates::free().reasoning(usd("1")), Usage::new(1, 1).with_reasoning(2));
        check(
            Rates::free().output_audio(usd("1")).reasoning(usd("1")),
            Usage { output_audio_tokens: Some(3), ..Usage::new(0, 4).with_reasoning(3) },
        );
    }
}
