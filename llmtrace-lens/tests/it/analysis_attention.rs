//! What heads attend to, the test of repeated tokens, norms of the stream and activations, against known values.

use candle_core::{Device, Tensor};
use llmtrace_lens::Hooks;
use llmtrace_lens::analysis::{InductionTest, OutlierRule, Reading};

use crate::support::model;

#[track_caller]
fn close(what: &str, found: f32, expected: f32) {
    assert!((found - expected).abs() <= 1e-5, "{what} is {found}, expected {expected}");
}

/// Attention `[1, 4, t, t]` of four heads; `share` says how much of it a head has from one position to another.
fn pattern(steps: usize, share: impl Fn(usize, usize, usize) -> f32) -> Tensor {
    let mut values = Vec::new();
    for head in 0..4 {
        for to in 0..steps {
            values.extend((0..steps).map(|from| share(head, to, from)));
        }
    }
    Tensor::from_vec(values, (1, 4, steps, steps), &Device::Cpu).unwrap()
}

#[test]
fn heads_of_known_attention_have_their_known_scores() {
    // Twice three tokens, then one that is new; token 0 is special in this vocabulary of a byte-level tokenizer.
    let tokens = [10, 11, 12, 10, 11, 12, 0];
    let model = model("gpt2");
    assert!(model.token_text(0).starts_with("<|"), "{}", model.token_text(0));
    let on = |hit: bool| if hit { 1.0 } else { 0.0 };
    let all = pattern(7, |head, to, from| match head {
        0 => on(from + 1 == to || to == 0 && from == 0),
        1 => on(from == 0),
        2 => on(from <= to) / (to + 1) as f32,
        // The token after the earlier occurrence, or itself where there is none.
        _ => on(if (3..6).contains(&to) { from + 2 == to } else { from == to }),
    });
    let mut hooks = Hooks::new()
        .on("blocks.*.attn.hook_pattern", |_, _| Ok(Some(all.clone())))
        .keep(Reading::filter(model.config()));
    let (_, cache) = model.run_with_hooks(&tokens, &mut hooks).unwrap();
    let summary = Reading::of(&model, &tokens, cache).unwrap().attention_summary().unwrap();
    assert_eq!((summary.positions, summary.heads.len()), (7, 12));

    let uniform = |shares: &[f32]| shares.iter().sum::<f32>() / shares.len() as f32;
    let entropy = (2..=7).map(|n| (n as f32).ln()).sum::<f32>() / 6.0;
    let parts = [1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0, 1.0 / 5.0, 1.0 / 6.0, 1.0 / 7.0];
    // Head, entropy, previous, first, duplicate, induction, special.
    let expected = [
        (0, 0.0, 1.0, 1.0 / 6.0, 0.0, 0.0, 0.0),
        (1, 0.0, 1.0 / 6.0, 1.0, 1.0 / 3.0, 0.0, 0.0),
        (
            2,
            entropy,
            uniform(&parts),
            uniform(&parts),
            uniform(&parts[2..5]),
            uniform(&parts[2..5]),
            1.0 / 42.0,
        ),
        (3, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0 / 6.0),
    ];
    for layer in 0..3 {
        for (head, entropy, previous, first, duplicate, induction, special) in expected {
            let found = summary.head(layer, head).unwrap();
            close(&format!("{head} entropy"), found.entropy, entropy);
            close(&format!("{head} previous"), found.previous_token, previous);
            close(&format!("{head} first"), found.first_token, first);
            close(&format!("{head} duplicate"), found.duplicate_token.unwrap(), duplicate);
            close(&format!("{head} induction"), found.induction.unwrap(), induction);
            close(&format!("{head} special"), found.special_tokens.unwrap(), special);
        }
    }
    let labels = |heads: Vec<&llmtrace_lens::analysis::HeadSummary>| -> Vec<String> {
        heads.iter().map(|head| head.label()).collect()
    };
    assert_eq!(labels(summary.induction_heads(0.9)), ["L0H3", "L1H3", "L2H3"]);
    assert_eq!(labels(summary.previous_token_heads(0.9)), ["L0H0", "L1H0", "L2H0"]);
    assert_eq!(labels(summary.duplicate_token_heads(0.3)), ["L0H1", "L1H1", "L2H1"]);
    let table = summary.to_string();
    assert_eq!(table.lines().count(), 13, "{table}");
    assert!(table.contains("L1H3  0.000    0.000     0.000  0.000      1.000      0.167"), "{table}");
}

#[test]
fn scores_that_a_text_does_not_have_are_absent() {
    let model = model("gpt2");
    let summary = Reading::new(&model, &[10, 11, 12]).unwrap().attention_summary().unwrap();
    for head in &summary.heads {
        assert_eq!((head.duplicate_token, head.induction, head.special_tokens), (None, None, None));
    }
    let json = serde_json::to_value(&summary).unwrap();
    assert!(json["heads"][0]["induction"].is_null());
    let error = Reading::new(&model, &[10]).unwrap().attention_summary().unwrap_err();
    assert!(error.to_string().contains("at least two"), "{error}");
}

#[test]
fn the_test_of_repeated_tokens_is_seeded_and_reads_what_it_says() {
    for name in ["gpt2", "llama", "gemma2", "gpt_neox"] {
        let model = model(name);
        let test = InductionTest::new(&model).length(7).sequences(3).seed(5);
        let report = test.run().unwrap();
        assert_eq!(report, test.run().unwrap(), "{name}");
        assert_ne!(report.attention, test.clone().seed(6).run().unwrap().attention, "{name}");
        assert_eq!(report.attention.positions, 14);
        assert_eq!(report.attention.heads.len(), model.config().layers * model.config().heads);
        assert!(report.attention.heads.iter().all(|head| head.induction.is_some()));
        let after = test.clone().after(&[1]).run().unwrap();
        assert_eq!(after.attention.positions, 15);
    }
}

#[test]
fn losses_are_those_of_the_copies() {
    for name in ["gpt2", "llama"] {
        let model = model(name);
        let report =
            InductionTest::new(&model).among([300, 301]).after(&[1]).length(2).sequences(1).run().unwrap();
        let loss = |tokens: &[u32], next: u32| -> f32 {
            let logits: Vec<f32> = model.run(tokens).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            let logits = &logits[logits.len() - model.config().vocab..];
            logits.iter().map(|logit| logit.exp()).sum::<f32>().ln() - logits[next as usize]
        };
        // Either token may come first.
        let found = [[300, 301], [301, 300]].into_iter().find(|[a, b]| {
            (loss(&[1, *a], *b) - report.first_loss).abs() < 1e-4
                && (loss(&[1, *a, *b, *a], *b) - report.repeated_loss).abs() < 1e-4
        });
        assert!(found.is_some(), "{name} {report}");
    }
}

#[test]
fn a_test_that_cannot_be_made_is_refused() {
    let model = model("gpt2");
    let check = |test: InductionTest<'_>, says: &str| {
        let error = test.run().unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    };
    check(InductionTest::new(&model).length(1), "at least one sequence of 2 is needed");
    check(InductionTest::new(&model).sequences(0), "0 sequences");
    check(InductionTest::new(&model).among([4, 5, 5]).length(3), "there are 2 tokens to draw from");
    check(InductionTest::new(&model).among([4, 5]).after(&[4]).length(2), "there are 1 tokens");
    check(InductionTest::new(&model).length(200), "positions are more than");
    check(InductionTest::new(&model).among([400, 401]).length(2), "outside the vocabulary");
}

#[test]
fn norms_are_those_of_the_stream_and_outliers_are_found() {
    for name in ["gpt2", "gpt_neox"] {
        let model = model(name);
        let tokens = [10, 11, 12, 13, 14, 15, 16, 17];
        let point = "blocks.1.hook_resid_post";
        let mut hooks = Hooks::new()
            .on(point, |_, value| {
                // One number of one position is made very large.
                let mut values: Vec<f32> = value.flatten_all()?.to_vec1()?;
                values[3 * 32 + 5] = -5_000.0;
                Ok(Some(Tensor::from_vec(values, value.dims(), value.device())?))
            })
            .keep(Reading::filter(model.config()));
        let (_, cache) = model.run_with_hooks(&tokens, &mut hooks).unwrap();
        let reading = Reading::of(&model, &tokens, cache).unwrap();
        let norms = reading.residual_norms().unwrap();
        let labels: Vec<&str> = norms.rows.iter().map(|row| row.label.as_str()).collect();
        assert_eq!(labels, ["0_pre", "0_post", "1_post", "2_post"]);
        for row in &norms.rows {
            let stream =
                reading.cache().get(&row.point).unwrap().sqr().unwrap().sum(2).unwrap().sqrt().unwrap();
            for (found, expected) in row.norms.iter().zip(stream.to_vec2::<f32>().unwrap().concat()) {
                assert!((found - expected).abs() < 1e-4 * expected, "{found} {expected}");
            }
        }
        assert!(norms.rows[2].outliers.contains(&3), "{norms}");
        let massive: Vec<_> =
            norms.massive.iter().map(|one| (one.label.as_str(), one.position, one.dimension)).collect();
        assert_eq!(massive, [("1_post", 3, 5), ("2_post", 3, 5)]);
        assert!(norms.to_string().contains("massive: 1_post position 3 dimension 5: -5000.0"), "{norms}");
        let strict = OutlierRule { massive_above: 1e6, ..OutlierRule::default() };
        assert_eq!(reading.residual_norms_by(strict).unwrap().massive, []);
        assert_eq!(Reading::new(&model, &tokens).unwrap().residual_norms().unwrap().massive, []);
    }
}

#[test]
fn activations_are_counted_layer_by_layer() {
    let model = model("llama");
    let reading = Reading::new(&model, &[10, 11, 12, 13]).unwrap();
    let statistics = reading.activation_statistics().unwrap();
    assert_eq!(statistics.layers.len(), 3);
    for layer in &statistics.layers {
        let values = reading.cache().get(&format!("blocks.{}.mlp.hook_post", layer.layer)).unwrap();
        let values: Vec<f32> = values.flatten_all().unwrap().to_vec1().unwrap();
        let count = values.len() as f32;
        assert_eq!(values.len(), 4 * layer.neurons);
        close("mean", layer.mean, values.iter().sum::<f32>() / count);
        close(
            "inactive",
            layer.inactive,
            values.iter().filter(|value| **value <= 0.0).count() as f32 / count,
        );
        let [neuron, position] = layer.largest_at;
        close("largest", values[position * layer.neurons + neuron], layer.largest);
        assert!(values.iter().all(|value| value.abs() <= layer.largest.abs()));
        assert!((0.0..1.0).contains(&layer.sparsity), "{}", layer.sparsity);
    }
    assert_eq!(statistics.to_string().lines().count(), 4);
}
