//! How probable a model finds each word of a text.

use std::ops::Range;

use crate::error::RunError;
use crate::model::Model;
use crate::ops::Distribution;

/// Nats below which a token's log-probability is not followed: one that a model rules out must not decide.
pub(super) const LEAST: f64 = -30.0;

/// Logits that are held at a time: 256 MiB of them.
const LOGITS: usize = 1 << 26;

/// Where the words of a text stand, in bytes: what stands between white space, `most` at most.
pub(super) fn words(text: &str, most: usize) -> Vec<Range<usize>> {
    let start = text.as_ptr() as usize;
    let place = |word: &str| {
        let at = word.as_ptr() as usize - start;
        at..at + word.len()
    };
    text.split_whitespace().take(most).map(place).collect()
}

/// The natural logarithm of each word's probability after all before it: the sum over its tokens.
///
/// None for a word that begins where nothing was read before it, as the first one is without a special token.
pub(super) fn log_probabilities(
    model: &Model,
    text: &str,
    words: &[Range<usize>],
) -> Result<Vec<Option<f64>>, RunError> {
    let end = words.last().map_or(0, |word| word.end);
    let text = text.get(..end).unwrap_or_default();
    let tokenizer = model.tokenizer().ok_or_else(|| {
        RunError::Input(format!("model {:?} has no tokenizer.json: it cannot read texts", model.name()))
    })?;
    let encoding = tokenizer
        .encode(text, true)
        .map_err(|error| RunError::Input(format!("the tokenizer cannot read the text: {error}")))?;
    let tokens = encoding.get_ids();
    let scores = token_log_probabilities(model, tokens)?;
    // None too where no token is seen to make the word, as where the tokenizer's normalizer takes all of it away.
    let mut of_words: Vec<Option<f64>> = vec![None; words.len()];
    let mut is_seen = vec![false; words.len()];
    let special = encoding.get_special_tokens_mask();
    for ((score, offsets), special) in scores.iter().zip(encoding.get_offsets()).zip(special) {
        let (from, to) = *offsets;
        // What has no text, or no word after it, is nobody's.
        if *special == 1 || from == to {
            continue;
        }
        let word = words.partition_point(|word| word.end < to);
        if let (Some(slot), Some(is_seen)) = (of_words.get_mut(word), is_seen.get_mut(word)) {
            let before = if *is_seen { *slot } else { Some(0.0) };
            *slot = before.zip(*score).map(|(sum, score)| sum + score.max(LEAST));
            *is_seen = true;
        }
    }
    Ok(of_words)
}

/// The log-probability of each token after those before it, none for the first; a text longer than the model's positions is
/// read in windows that overlap by half.
pub(super) fn token_log_probabilities(model: &Model, tokens: &[u32]) -> Result<Vec<Option<f64>>, RunError> {
    let mut scores = vec![None; tokens.len()];
    let window = model.config().context.min(LOGITS / model.config().vocab.max(1)).max(2);
    let mut from = 0;
    loop {
        let to = tokens.len().min(from + window);
        let Some(part) = tokens.get(from..to).filter(|part| part.len() > 1) else { break };
        let logits = model.run(part)?.squeeze(0)?.to_dtype(candle_core::DType::F32)?.to_vec2::<f32>()?;
        for ((row, token), score) in logits.iter().zip(&part[1..]).zip(&mut scores[from + 1..to]) {
            // What stood in the window before has seen more of the text there.
            if score.is_none() {
                let logit = row.get(*token as usize).copied().unwrap_or(f32::NEG_INFINITY);
                let value = Distribution::of(row).log_probability(logit);
                if value.is_nan() {
                    return Err(RunError::Input(format!("the logits of {:?} are not numbers", model.name())));
                }
                *score = Some(value);
            }
        }
        if to == tokens.len() {
            break;
        }
        from += window / 2;
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokenizers::Tokenizer;

    use super::*;
    use crate::handmade::Author;

    /// The author, with a tokenizer that takes hyphens away.
    fn reader() -> Model {
        let builder = Author::new(0).builder().unwrap();
        let tokenizer = Author::new(0).model().unwrap().tokenizer().unwrap().to_string(false).unwrap();
        let mut tokenizer: serde_json::Value = serde_json::from_str(&tokenizer).unwrap();
        tokenizer["normalizer"] = json!({"type": "Replace", "pattern": {"String": "-"}, "content": ""});
        builder.tokenizer(Tokenizer::from_bytes(tokenizer.to_string()).unwrap()).build().unwrap()
    }

    #[test]
    fn a_word_that_the_tokenizer_takes_away_has_no_probability_and_changes_no_other() {
        let reader = reader();
        let text = Author::new(0).text(7, 6);
        let plain = log_probabilities(&reader, &text, &words(&text, 100)).unwrap();
        assert!(plain.len() == 6 && plain.iter().all(Option::is_some), "{plain:?}");
        let check = |at: usize, more: &str| {
            let mut parts: Vec<&str> = text.split(' ').collect();
            parts.insert(at, more);
            let text = parts.join(" ");
            let mut found = log_probabilities(&reader, &text, &words(&text, 100)).unwrap();
            assert_eq!(found.remove(at), None, "{text:?}");
            assert_eq!(found, plain, "{text:?}");
        };
        check(0, "-");
        check(3, "---");
        check(6, "-");
    }

    #[test]
    fn what_the_tokenizer_takes_out_of_a_word_changes_nothing() {
        let reader = reader();
        let text = Author::new(0).text(7, 4);
        let parted: Vec<String> =
            text.split(' ').map(|word| format!("{}-{}-", &word[..1], &word[1..])).collect();
        let parted = parted.join(" ");
        let found = |text: &str| log_probabilities(&reader, text, &words(text, 100)).unwrap();
        assert_eq!(found(&parted), found(&text), "{parted:?}");
    }
}
