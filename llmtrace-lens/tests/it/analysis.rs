//! Logit lens and direct logit attribution, against TransformerLens and against the models' own logits.

use std::path::PathBuf;

use candle_core::Tensor;
use llmtrace_lens::analysis::{Attribution, ReadError, Reading, Target};
use llmtrace_lens::{Filter, Hooks, Model};

use crate::support::{fixtures, ids, model, tensors, values};

const TOLERANCE: f32 = 1e-4;
const TEXT: &str = "the capital of the state containing Dallas is";

/// Every model that there is; each has two sequences to read.
fn models() -> Vec<(String, Model, [Vec<u32>; 2])> {
    let entries = fixtures().join("models").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> =
        entries.filter(|path| path.join("expected.safetensors").exists()).collect();
    folders.sort();
    assert!(folders.len() >= 4, "{folders:?}");
    let load = |folder: PathBuf| {
        let values = tensors(folder.join("expected.safetensors"));
        let tokens = ["prompt", "long"].map(|name| ids(&values[&format!("{name}.input_ids")]));
        (folder.file_name().unwrap().to_string_lossy().into_owned(), Model::load(&folder).unwrap(), tokens)
    };
    folders.into_iter().map(load).collect()
}

/// Logits of every position, before the softcap.
fn logits(model: &Model, tokens: &[u32]) -> Vec<Vec<f32>> {
    let (_, cache) = model.run_with_cache(tokens, "hook_unembed").unwrap();
    cache.get("hook_unembed").unwrap().squeeze(0).unwrap().to_vec2().unwrap()
}

#[track_caller]
fn close(what: &str, found: f32, expected: f32) {
    assert!((found - expected).abs() <= TOLERANCE, "{what} is {found}, expected {expected}");
}

#[test]
fn the_lens_says_what_transformer_lens_says_at_every_layer() {
    let model = model("gpt2");
    let golden = tensors(fixtures().join("analysis/gpt2.safetensors"));
    let tokens = ids(&golden["patch.clean_ids"]);
    let reading = Reading::new(&model, &tokens).unwrap();
    let points = "blocks.*.hook_resid_pre, blocks.*.hook_resid_mid, blocks.2.hook_resid_post";
    let lens = reading.logit_lens().points(points).top(usize::MAX).read().unwrap();
    let expected = &golden["logit_lens.logits"];
    let labels: Vec<&str> = lens.rows.iter().map(|row| row.label.as_str()).collect();
    assert_eq!(labels, ["0_pre", "0_mid", "1_pre", "1_mid", "2_pre", "2_mid", "2_post"]);
    for (row, expected) in lens.rows.iter().zip(expected.squeeze(1).unwrap().to_vec3::<f32>().unwrap()) {
        for (cell, expected) in row.cells.iter().zip(expected) {
            assert_eq!(cell.top.len(), expected.len());
            for guess in &cell.top {
                close(&row.point, guess.logit, expected[guess.token.id as usize]);
            }
        }
    }
}

#[test]
fn the_last_row_of_the_lens_is_what_the_model_says() {
    for (name, model, sequences) in models() {
        for tokens in sequences {
            let logits: Vec<Vec<f32>> = model.run(&tokens).unwrap().squeeze(0).unwrap().to_vec2().unwrap();
            let reading = Reading::new(&model, &tokens).unwrap();
            let lens = reading.logit_lens().top(3).track([5, 7]).read().unwrap();
            assert_eq!(lens.rows.len(), model.config().layers + 1);
            assert_eq!(lens.positions, (0..tokens.len()).collect::<Vec<_>>());
            let end = lens.rows.last().unwrap();
            for (cell, logits) in end.cells.iter().zip(&logits) {
                let best = cell.best().unwrap();
                let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                close(&name, best.logit, greatest);
                let sum: f32 = logits.iter().map(|logit| (logit - greatest).exp()).sum();
                close(&name, best.probability, 1.0 / sum);
                let terms = logits.iter().map(|logit| (logit - greatest).exp() / sum);
                close(&name, cell.entropy, terms.map(|p| -p * p.ln()).sum());
                close(&name, cell.kl_to_final, 0.0);
                for (tracked, id) in cell.tracked.iter().zip([5, 7]) {
                    assert_eq!(tracked.guess.token.id, id);
                    close(&name, tracked.guess.logit, logits[id as usize]);
                    let above = logits.iter().filter(|logit| **logit > logits[id as usize]).count();
                    assert_eq!(tracked.rank, above + 1, "{name}");
                }
            }
            assert!(lens.rows[0].cells.iter().any(|cell| cell.kl_to_final > 0.01), "{name}");
            let best = end.cells.last().unwrap().best().unwrap().token.id;
            assert!(lens.settled(best, tokens.len() - 1).is_some());
        }
    }
}

#[test]
fn positions_that_are_asked_for_read_as_they_do_among_all() {
    let model = model("gemma2");
    let tokens = model.tokenize(TEXT).unwrap();
    let reading = Reading::new(&model, &tokens).unwrap();
    let all = reading.logit_lens().read().unwrap();
    let some = reading.logit_lens().positions([12, 3]).read().unwrap();
    let last = reading.logit_lens().last().read().unwrap();
    assert_eq!(some.positions, [12, 3]);
    assert_eq!(some.tokens[0].text, " is");
    for (row, all) in all.rows.iter().enumerate() {
        for (cell, position) in some.rows[row].cells.iter().zip([12, 3]) {
            assert_eq!(cell.top[0].token, all.cells[position].top[0].token);
            close("entropy", cell.entropy, all.cells[position].entropy);
        }
        assert_eq!(last.rows[row].cells.len(), 1);
        close("last", last.last(row).unwrap().entropy, all.cells[12].entropy);
    }
}

#[test]
fn attributions_are_those_of_transformer_lens() {
    let model = model("gpt2");
    let golden = tensors(fixtures().join("analysis/gpt2.safetensors"));
    let text = std::fs::read_to_string(fixtures().join("analysis/labels.json")).unwrap();
    let meta: serde_json::Value = serde_json::from_str(&text).unwrap();
    let [token, against] =
        ["top", "second"].map(|name| u32::try_from(meta["gpt2"][name].as_u64().unwrap()).unwrap());
    let tokens = ids(&golden["patch.clean_ids"]);
    let reading = Reading::new(&model, &tokens).unwrap();
    let parts = reading.attribute(Target::Difference { token, against }).unwrap();
    let [components, heads] = [parts.components().unwrap(), parts.heads().unwrap()];
    let labels = |name: &str| -> Vec<String> {
        serde_json::from_value(meta["gpt2"]["dla_labels"][name].clone()).unwrap()
    };
    for (label, expected) in labels("component").iter().zip(values(&golden["dla.component"])) {
        close(label, components.part(label).unwrap().value, expected);
    }
    assert_eq!(components.parts.len(), labels("component").len());
    for (label, expected) in labels("head").iter().zip(values(&golden["dla.head"])) {
        let bias = if label == "remainder" { heads.part("attn_bias").unwrap().value } else { 0.0 };
        close(label, heads.part(label).unwrap().value + bias, expected);
    }
    let whole = values(&golden["dla.folded_logit_diff"])[0];
    close("difference", components.logit, whole);
    close(
        "constant",
        components.constant,
        whole - components.parts.iter().map(|part| part.value).sum::<f32>(),
    );
}

#[test]
fn every_attribution_sums_to_the_logit_of_the_model() {
    for (name, model, sequences) in models() {
        for tokens in sequences {
            let logits = logits(&model, &tokens);
            let reading = Reading::new(&model, &tokens).unwrap();
            for position in [0, tokens.len() / 2, tokens.len() - 1] {
                let logits = &logits[position];
                let difference = Target::Difference { token: 17, against: 200 };
                for (target, logit) in
                    [(Target::Logit(17), logits[17]), (difference, logits[17] - logits[200])]
                {
                    let parts = reading.attribute_at(target, position).unwrap();
                    let last = model.config().layers - 1;
                    let readings = [
                        parts.components(),
                        parts.heads(),
                        parts.neurons(0),
                        parts.neurons(9),
                        parts.neurons(usize::MAX),
                        parts.sources(0, 1),
                        parts.sources(last, model.config().heads - 1),
                    ];
                    for attribution in readings.map(Result::unwrap) {
                        let what = format!("{name} at {position}: {attribution}");
                        close(&what, attribution.sum(), logit);
                        close(&what, attribution.logit, logit);
                        close(&what, attribution.gap, 0.0);
                        assert_eq!(attribution.softcap, model.config().logit_softcap);
                        assert_eq!(attribution.to_string().contains("softcap"), name.starts_with("gemma2"));
                    }
                }
            }
        }
    }
}

/// What a logit loses when a part is taken out of the stream that the final norm reads, its divisor held.
fn without(model: &Model, tokens: &[u32], token: usize, part: &Tensor) -> f32 {
    let last = format!("blocks.{}.hook_resid_post", model.config().layers - 1);
    let (_, cache) = model.run_with_cache(tokens, "ln_final.hook_scale, hook_unembed").unwrap();
    let scale = cache.get("ln_final.hook_scale").unwrap().clone();
    let mut hooks = Hooks::new()
        .on(last.as_str(), |_, value| Ok(Some((value - part)?)))
        .on("ln_final.hook_scale", move |_, _| Ok(Some(scale.copy()?)))
        .keep("hook_unembed");
    let (_, changed) = model.run_with_hooks(tokens, &mut hooks).unwrap();
    let at = |tensor: &Tensor| tensor.to_vec3::<f32>().unwrap()[0][tokens.len() - 1][token];
    at(cache.get("hook_unembed").unwrap()) - at(changed.get("hook_unembed").unwrap())
}

#[test]
fn a_part_is_worth_what_the_logit_loses_without_it() {
    for (name, model, [tokens, _]) in models() {
        let reading = Reading::new(&model, &tokens).unwrap();
        let attribution = reading.attribute(Target::Logit(17)).unwrap().components().unwrap();
        for (label, point) in [("embed", "hook_embed"), ("1_attn_out", "blocks.1.hook_attn_out")] {
            let lost = without(&model, &tokens, 17, reading.cache().get(point).unwrap());
            close(&format!("{name} {label}"), attribution.part(label).unwrap().value, lost);
        }
    }
}

#[test]
fn heads_and_sources_split_what_attention_writes() {
    for (name, model, [tokens, _]) in models() {
        let reading = Reading::new(&model, &tokens).unwrap();
        let parts = reading.attribute(Target::Logit(3)).unwrap();
        let (heads, components) = (parts.heads().unwrap(), parts.components().unwrap());
        let attention = |attribution: &Attribution, of: &dyn Fn(&str) -> bool| -> f32 {
            attribution.parts.iter().filter(|part| of(&part.label)).map(|part| part.value).sum()
        };
        let written = attention(&components, &|label| label.ends_with("attn_out"));
        close(&name, attention(&heads, &|label| label.starts_with('L') || label == "attn_bias"), written);
        for layer in 0..model.config().layers {
            for head in 0..model.config().heads {
                let sources = parts.sources(layer, head).unwrap();
                assert_eq!(sources.parts.len(), tokens.len() + 1);
                let sum: f32 =
                    sources.parts.iter().filter(|part| part.index.is_some()).map(|part| part.value).sum();
                close(&name, sum, heads.part(&format!("L{layer}H{head}")).unwrap().value);
            }
        }
    }
}

#[test]
fn stacks_sum_to_the_stream_and_read_as_attributions_do() {
    for (name, model, [tokens, _]) in models() {
        let reading = Reading::new(&model, &tokens).unwrap();
        let layers = model.config().layers;
        let accumulated = reading.accumulated_resid(layers).unwrap();
        assert_eq!(accumulated.labels().last().unwrap(), "final_post");
        assert_eq!(accumulated.labels().len(), layers + 1);
        for layer in 0..=layers {
            let stream = accumulated.values().narrow(0, layer, 1).unwrap();
            for stack in [reading.decompose_resid(layer).unwrap(), reading.stack_head_results(layer).unwrap()]
            {
                let sum = stack.values().sum_keepdim(0).unwrap();
                let difference = (sum - &stream).unwrap().abs().unwrap().flatten_all().unwrap();
                close(&name, difference.max(0).unwrap().to_scalar().unwrap(), 0.0);
            }
        }
        let rows = reading.logit_attrs(&reading.decompose_resid(layers).unwrap(), Target::Logit(8)).unwrap();
        for position in [0, tokens.len() - 1] {
            let attribution = reading.attribute_at(Target::Logit(8), position).unwrap().components().unwrap();
            for (row, part) in rows.iter().zip(&attribution.parts) {
                close(&format!("{name} {}", part.label), row[position], part.value);
            }
        }
        let heads = reading.stack_head_results(layers).unwrap();
        assert_eq!(heads.labels().len(), layers * model.config().heads + 1);
    }
}

#[test]
fn a_hook_that_writes_to_the_stream_shows_as_a_gap() {
    let model = model("llama");
    let tokens = model.tokenize(TEXT).unwrap();
    let mut hooks = Hooks::new()
        .on("blocks.1.hook_resid_post", |_, value| Ok(Some((value * 1.5)?)))
        .keep(Reading::filter(model.config()));
    let (_, cache) = model.run_with_hooks(&tokens, &mut hooks).unwrap();
    let reading = Reading::of(&model, &tokens, cache).unwrap();
    let attribution = reading.attribute(Target::Logit(3)).unwrap().components().unwrap();
    assert!(attribution.gap.abs() > 0.01, "{attribution}");
    close("logit", attribution.sum() + attribution.gap, attribution.logit);
    assert!(attribution.to_string().contains("\ngap "), "{attribution}");
}

#[test]
fn a_wrong_readout_is_refused_with_its_reason() {
    let gpt2 = model("gpt2");
    let neox = model("gpt_neox");
    let tokens = gpt2.tokenize(TEXT).unwrap();
    let reading = Reading::new(&gpt2, &tokens).unwrap();
    let check = |error: ReadError, says: &str| {
        assert!(error.to_string().contains(says), "{error}");
    };
    let lens = |points: &str| reading.logit_lens().points(points).read().unwrap_err();
    check(lens("blocks.0.attn.hook_z"), "blocks.0.attn.hook_z is no point of the residual stream");
    check(lens("blocks.*.hook_attn_out"), "blocks.0.hook_attn_out is no point of the residual stream");
    check(lens("hook_embed"), "hook_embed is no point of the residual stream");
    check(lens("blocks.3.hook_resid_pre"), "no hook point \"blocks.3.hook_resid_pre\"");
    check(reading.logit_lens().positions([9]).read().unwrap_err(), "there is no position 9: there are 9");
    check(reading.logit_lens().track([384]).read().unwrap_err(), "there is no token 384: there are 384");
    check(reading.attribute(Target::Logit(384)).unwrap_err(), "there is no token 384");
    check(reading.attribute_at(Target::Logit(1), 9).unwrap_err(), "there is no position 9");
    let parts = reading.attribute(Target::Logit(1)).unwrap();
    check(parts.sources(3, 0).unwrap_err(), "there is no block 3: there are 3");
    check(parts.sources(0, 4).unwrap_err(), "there is no head 4: there are 4");
    check(reading.decompose_resid(4).unwrap_err(), "there is no block 4");
    check(reading.accumulated_resid(4).unwrap_err(), "there is no block 4");

    // The middle of a parallel block is no place.
    let other = Reading::new(&neox, &tokens).unwrap();
    let mid = other.logit_lens().points("blocks.0.hook_resid_mid").read().unwrap_err();
    check(mid, "no hook point \"blocks.0.hook_resid_mid\"");
    check(other.accumulated_resid_with_mid(2).unwrap_err(), "no hook point \"blocks.0.hook_resid_mid\"");

    // A stream that a hook has spoilt.
    let mut hooks = Hooks::new()
        .on("blocks.1.hook_resid_post", |_, value| Ok(Some((value * f64::NAN)?)))
        .keep(Reading::filter(gpt2.config()));
    let (_, cache) = gpt2.run_with_hooks(&tokens, &mut hooks).unwrap();
    let spoilt = Reading::of(&gpt2, &tokens, cache).unwrap();
    check(
        spoilt.logit_lens().read().unwrap_err(),
        "blocks.2.hook_resid_post gives logits that are not finite",
    );

    // A cache of another model, of another load, of other tokens, of two sequences, or one that lacks values.
    let (_, cache) = neox.run_with_cache(&tokens, Filter::all()).unwrap();
    check(
        Reading::of(&gpt2, &tokens, cache).unwrap_err(),
        "the cache is that of another model than \"gpt2\"",
    );
    let (_, cache) = model("gpt2").run_with_cache(&tokens, Filter::all()).unwrap();
    check(Reading::of(&gpt2, &tokens, cache).unwrap_err(), "or of another load of it");
    let (_, cache) = gpt2.run_with_cache(&tokens, Filter::all()).unwrap();
    let shorter = Reading::of(&gpt2, &tokens[1..], cache).unwrap();
    check(shorter.logit_lens().read().unwrap_err(), "has shape [1, 9, 32], expected [1, 8, 32]");
    let (_, cache) = gpt2.run_with_cache(&tokens, "blocks.0.hook_resid_pre").unwrap();
    let partial = Reading::of(&gpt2, &tokens, cache).unwrap();
    check(partial.logit_lens().read().unwrap_err(), "was not kept");
    let mut hooks = Hooks::new().keep(Filter::all());
    let (_, cache) =
        gpt2.run_batch_with_hooks(&[&tokens, &tokens], llmtrace_lens::Readout::All, &mut hooks).unwrap();
    check(
        Reading::of(&gpt2, &tokens, cache).unwrap().logit_lens().read().unwrap_err(),
        "has shape [2, 9, 32]",
    );
}
