//! The sections of a page.

use super::error::InspectError;
use super::inspected::{Beside, Inspected};
use crate::explain::{Faithfulness, Masking};
use crate::gradient::IntegratedGradients;
use crate::report::{FactLine, LayerBars, Measure, PictureError, Section, TokenStrip, visible};

/// The least share of attention that is noted beside a head.
const NOTED: f32 = 0.5;

/// The answer and what led to it, in figures.
pub(super) fn facts(seen: &Inspected<'_>) -> Section {
    let answer = name(&seen.answer.token.text);
    let mut facts = FactLine::new("In short")
        .fact(answer.clone(), "the answer")
        .fact(percent(seen.answer.probability), "the probability that the model gives it");
    if let Some((label, first)) = before_answer(seen) {
        facts = facts.fact(name(&first), format!("what it would have said {label}"));
    }
    if let Some(part) = seen.attribution.top(1).first() {
        facts = facts.fact(name(&part.text), "the word of the prompt that speaks most for the answer");
    }
    let time = seen.generation.tokens.first().map(|token| token.forward).unwrap_or_default();
    let facts = facts.fact(format!("{:.1} ms", time.as_secs_f64() * 1e3), "to read the prompt");
    Section::new("In short", "").picture(facts)
}

/// The last layer before the answer settled, and what it said.
fn before_answer(seen: &Inspected<'_>) -> Option<(String, String)> {
    let position = *seen.lens.positions.last()?;
    let settled = seen.lens.settled(seen.answer.token.id, position)?;
    let row = seen.lens.rows.get(settled.checked_sub(1)?)?;
    Some((row.place(), row.cells.last()?.best()?.token.text.clone()))
}

pub(super) fn lens(seen: &Inspected<'_>) -> Result<Section, PictureError> {
    let reading = "Each column is a token of the prompt, each row a place between two layers; read the last column \
        downwards to see the answer form. A cell shows the token that the model would say next if it stopped there; the \
        stronger its colour, the surer it is.";
    Ok(Section::new("What the model would say after each layer", reading)
        .picture(seen.lens.picture("The best guess by layer and position")?))
}

pub(super) fn patching(seen: &Inspected<'_>) -> Result<Section, InspectError> {
    let Some(beside) = &seen.beside else { return Ok(Section::new("Where the answer lives", "")) };
    let (answer, other) = (name(&seen.answer.token.text), name(&beside.answer.token.text));
    let reading = format!(
        "One piece of the model's inner state at a time was replaced by that of a run of “{}”, which it answers with \
         “{other}”. A cell of +1 moves the answer all the way from “{answer}” to “{other}”: what tells the two apart \
         passes there. An empty cell does not matter.",
        other_prompt(seen, beside),
    );
    let mut stream = beside.stream.picture("The stream that enters each layer, by position")?;
    if let Some((layer, position, _)) = seen.strongest_patch() {
        stream = stream.mark(layer, position);
    }
    let heads = beside.heads.picture("The output of each attention head")?;
    Ok(Section::new("Where the answer lives", reading).picture(stream).picture(heads))
}

fn other_prompt(seen: &Inspected<'_>, beside: &Beside) -> String {
    let decoded = seen.model.tokenizer().and_then(|known| known.decode(&beside.tokens, true).ok());
    decoded.unwrap_or_else(|| format!("{:?}", beside.tokens))
}

pub(super) fn attribution(seen: &Inspected<'_>) -> Section {
    let answer = name(&seen.answer.token.text);
    let masks = seen.attribution.method != IntegratedGradients::NAME;
    let found = if masks {
        "found by putting a neutral token in its place, alone and together with others"
    } else {
        "found by going from a prompt of neutral tokens to this one in small steps, and adding up what each token's steps \
         do (integrated gradients)"
    };
    let reading = format!(
        "What each token of the prompt did to the log-probability of “{answer}”, {found}. Blue with a plus made the \
         answer more likely, red with a minus less likely."
    );
    let measure = format!("log-probability of “{answer}” (nats)");
    let (method, runs) = (seen.attribution.method.replace('_', " "), seen.attribution.spent.calls);
    let masking = match &seen.attribution.masking {
        Masking::TokenId { id } if masks => {
            format!("masked tokens are replaced by {:?}", seen.model.token_text(*id))
        }
        Masking::TokenId { id } => format!("the neutral token is {:?}", seen.model.token_text(*id)),
        other => other.to_string(),
    };
    let method = format!("Found by {method}, {runs} runs of the model; {masking}");
    let first = seen.positions.first().copied().unwrap_or_default();
    let picture = seen.attribution.picture("What each token did", measure).method(method).count_from(first);
    let section = Section::new("Which words moved the answer", reading).picture(picture);
    match &seen.faithfulness {
        Some(faithfulness) => section.picture(judged(faithfulness)),
        None => section,
    }
}

/// How true an explanation is, beside chance.
fn judged(faithfulness: &Faithfulness) -> FactLine {
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
    let (lost, kept) = (faithfulness.comprehensiveness, faithfulness.sufficiency);
    let beside = |random: Option<f64>| format!("random guesses: {}", number(random));
    FactLine::new("Is that true to the model?")
        .fact(
            number(lost.value),
            format!(
                "nats lost where the strongest words are masked; more is better, {}",
                beside(lost.random_mean)
            ),
        )
        .fact(
            number(kept.value),
            format!("nats lost where they alone are kept; less is better, {}", beside(kept.random_mean)),
        )
}

pub(super) fn attention(seen: &Inspected<'_>) -> Result<Section, InspectError> {
    let reading = "Every small square is one attention head: rows are the tokens that look, columns the tokens looked \
        at. Choose a head to see it large; a cell of strong colour takes most of the attention.";
    let mut grid = seen.reading.attention_grid("Attention")?;
    let labels = seen.reading.labels();
    let last = labels.len().saturating_sub(1);
    let values = seen.attribution.values().into_iter().map(f64::abs);
    let before = seen.positions.iter().copied().zip(values).filter(|(position, _)| *position < last);
    let telling = before.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(position, _)| position);
    let mut strongest: Option<(usize, usize, f32)> = None;
    for (layer, head) in heads(seen) {
        let Some((to, share)) = looks_at(seen, layer, head)? else { continue };
        if share < NOTED || to == 0 || to == last {
            continue;
        }
        let text = |at: usize| labels.get(at).map(|label| name(&label.text)).unwrap_or_default();
        grid = grid.note(layer, head, format!("{} → {} {share:.2}", text(last), text(to)));
        // One that looks at the word that moved the answer most is worth more than any other.
        let worth = if Some(to) == telling { share + 1.0 } else { share };
        if strongest.is_none_or(|(.., most)| worth > most) {
            strongest = Some((layer, head, worth));
        }
    }
    if let Some((layer, head, _)) = strongest {
        grid = grid.show_first(layer, head);
    }
    Ok(Section::new("Where each head looks", reading).picture(grid))
}

fn heads(seen: &Inspected<'_>) -> impl Iterator<Item = (usize, usize)> {
    let config = seen.model.config();
    (0..config.layers).flat_map(|layer| (0..config.heads).map(move |head| (layer, head)))
}

/// What the last token looks at most.
fn looks_at(seen: &Inspected<'_>, layer: usize, head: usize) -> Result<Option<(usize, f32)>, InspectError> {
    let pattern = seen.reading.cache().get(&format!("blocks.{layer}.attn.hook_pattern"))?;
    let last = seen.reading.tokens().len().saturating_sub(1);
    let row =
        pattern.narrow(1, head, 1).and_then(|rows| rows.narrow(2, last, 1)?.flatten_all()?.to_vec1::<f32>());
    let row = row.map_err(crate::error::RunError::from)?;
    Ok(row.into_iter().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)))
}

pub(super) fn prompt(seen: &Inspected<'_>) -> Section {
    let reading = "Each token stands with the probability that the model gave it before it saw it. Faint ones \
        surprised the model; the first has none, as nothing stands before it.";
    let labels = seen.reading.labels();
    let strip = labels.iter().zip(&seen.surprise).fold(
        TokenStrip::new("The probability of each token", Measure::Probability),
        |strip, (label, probability)| strip.token(&label.text, *probability),
    );
    Section::new("How expected the prompt was", reading).picture(strip)
}

pub(super) fn generation(seen: &Inspected<'_>) -> Section {
    let reading = "One row for each token that the model wrote, always the likeliest. Rank 1 is its first choice; \
        entropy is 0 where it was certain, and 1 bit is the doubt of a coin.";
    Section::new("How the answer was written", reading)
        .picture(seen.generation.picture(seen.model, "Each step"))
}

pub(super) fn layers(seen: &Inspected<'_>) -> Result<Section, InspectError> {
    let reading = "Attention and the MLP are the two halves of a layer. The norm is the size of the state that goes \
        from layer to layer; one that stands out has a frame, a sign of a state that few numbers dominate.";
    let mut section = Section::new("Where the time went, and how large the state is", reading);
    if let Some(pass) = seen.generation.tokens.first().and_then(|token| token.pass.as_ref()) {
        let ms = |time: std::time::Duration| time.as_secs_f32() * 1e3;
        let mut bars = LayerBars::new("Time to read the prompt", "ms", ["attention", "MLP", "other"])
            .bar("embedding", [0.0, 0.0, ms(pass.embed)])?;
        for (layer, block) in pass.blocks.iter().enumerate() {
            let rest = block.time.saturating_sub(block.attention).saturating_sub(block.mlp);
            bars = bars.bar(format!("layer {layer}"), [ms(block.attention), ms(block.mlp), ms(rest)])?;
        }
        section = section.picture(bars.bar("unembedding", [0.0, 0.0, ms(pass.unembed)])?);
    }
    Ok(section.picture(seen.norms.picture("The norm of the stream, by place and position")?))
}

/// A token without the space before it.
fn name(text: &str) -> String {
    let trimmed = text.trim();
    visible(if trimmed.is_empty() { text } else { trimmed })
}

fn percent(probability: f32) -> String {
    format!("{:.1} %", probability * 100.0)
}
