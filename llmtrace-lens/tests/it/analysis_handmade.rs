//! Readings of models whose every weight is known: they must find the circuit that is there, and nothing else.

use llmtrace_lens::analysis::{Attribution, HeadSummary, InductionTest, Reading, Target};
use llmtrace_lens::handmade::{Brackets, Induction, TwoStep};

/// The parts that add something: all others must add nothing.
#[track_caller]
fn found(attribution: &Attribution, expected: &[(&str, f32)]) {
    let parts: Vec<(&str, f32)> = attribution
        .parts
        .iter()
        .filter(|part| part.value.abs() > 1e-4)
        .map(|part| (part.label.as_str(), part.value))
        .collect();
    let same = parts.len() == expected.len()
        && parts.iter().zip(expected).all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < 1e-3);
    assert!(same, "{parts:?}, expected {expected:?}");
    assert!(attribution.gap.abs() < 1e-4, "{attribution}");
}

fn places(heads: &[&HeadSummary]) -> Vec<(usize, usize)> {
    heads.iter().map(|head| (head.layer, head.head)).collect()
}

#[test]
fn the_two_heads_of_the_induction_circuit_are_found_and_no_other() {
    let model = Induction::model().unwrap();
    for (length, seed) in [(3, 0), (5, 1), (7, 2)] {
        let report = InductionTest::new(&model).after(&[0]).length(length).seed(seed).run().unwrap();
        assert_eq!(places(&report.attention.induction_heads(0.99)), [Induction::INDUCTION_HEAD], "{report}");
        assert_eq!(places(&report.attention.previous_token_heads(0.99)), [Induction::PREVIOUS_TOKEN_HEAD]);
        for head in &report.attention.heads {
            let known = (head.layer, head.head) == Induction::INDUCTION_HEAD;
            assert!(known || head.induction.unwrap() < 0.5, "{report}");
        }
        assert!((report.accuracy - 1.0).abs() < 1e-6, "{report}");
        // The first copy is a uniform guess among 12, the second certain: a logit of 20 against 11 of 0.
        assert!((report.first_loss - 12f32.ln()).abs() < 1e-4, "{report}");
        assert!(report.repeated_loss < 1e-6, "{report}");
    }
    // As many as fit twice behind the beginning.
    assert_eq!(InductionTest::new(&model).after(&[0]).run().unwrap().length, 7);
}

#[test]
fn the_answer_of_the_induction_circuit_is_its_heads_and_comes_from_where_it_read() {
    let model = Induction::model().unwrap();
    let tokens = model.tokenize("a b c d a").unwrap();
    let reading = Reading::new(&model, &tokens).unwrap();
    let letter = |word: &str| model.token_id(word).unwrap();
    let answer = reading.attribute(Target::Logit(letter("b"))).unwrap();
    found(&answer.components().unwrap(), &[("1_attn_out", 20.0)]);
    found(&answer.heads().unwrap(), &[("L1H1", 20.0)]);
    found(&answer.sources(1, 1).unwrap(), &[("2 \"b\"", 20.0)]);
    found(&answer.sources(0, 2).unwrap(), &[("remainder", 20.0)]);
    found(&answer.neurons(2).unwrap(), &[("remainder", 20.0)]);
    let against = Target::Difference { token: letter("d"), against: letter("b") };
    found(&reading.attribute(against).unwrap().heads().unwrap(), &[("L1H1", -20.0)]);
    // Before the last token nothing came twice.
    found(&reading.attribute_at(Target::Logit(letter("b")), 4).unwrap().heads().unwrap(), &[]);

    let lens = reading.logit_lens().last().track([letter("b")]).read().unwrap();
    let uniform = 12f32.ln();
    for (row, entropy, kl) in [(0, uniform, uniform), (1, uniform, uniform), (2, 0.0, 0.0)] {
        let cell = lens.last(row).unwrap();
        assert!((cell.entropy - entropy).abs() < 1e-4, "{row} {cell:?}");
        assert!((cell.kl_to_final - kl).abs() < 1e-4, "{row} {cell:?}");
        assert_eq!(cell.tracked[0].rank, 1);
    }
    assert_eq!(lens.settled(letter("b"), 5), Some(2));
    assert_eq!(lens.settled(letter("c"), 5), None);
}

#[test]
fn the_answer_of_the_two_steps_is_written_by_its_neuron() {
    let model = TwoStep::model().unwrap();
    for city in 1..=6 {
        let (state, capital) = (TwoStep::state(city).unwrap(), TwoStep::capital(city).unwrap());
        let reading = Reading::new(&model, &[0, city, TwoStep::CAPITAL]).unwrap();
        let answer = reading.attribute(Target::Logit(capital)).unwrap();
        let neuron = format!("L1N{state}");
        found(&answer.neurons(1).unwrap(), &[(neuron.as_str(), 12.0)]);
        found(&answer.components().unwrap(), &[("1_mlp_out", 12.0)]);
        let statistics = reading.activation_statistics().unwrap();
        // The city's neuron, the state's, and one without effect in each block.
        for layer in &statistics.layers {
            assert_eq!(layer.neurons - layer.silent, 2, "{statistics}");
        }
    }
}

#[test]
fn the_counting_heads_look_at_all_positions_alike() {
    let model = Brackets::model().unwrap();
    let reading = Reading::new(&model, &model.tokenize("( ( ) )").unwrap()).unwrap();
    let summary = reading.attention_summary().unwrap();
    let uniform = (2..=5).map(|positions| (positions as f32).ln()).sum::<f32>() / 4.0;
    for (layer, head) in [Brackets::COUNTING_HEAD, Brackets::DIP_HEAD] {
        let head = summary.head(layer, head).unwrap();
        assert!((head.entropy - uniform).abs() < 1e-4, "{summary}");
        let share = (1.0 / 2.0 + 1.0 / 3.0 + 1.0 / 4.0 + 1.0 / 5.0) / 4.0;
        assert!((head.first_token - share).abs() < 1e-4, "{summary}");
    }
    let verdict = reading.logit_lens().last().read().unwrap();
    let best = verdict.last(2).unwrap().best().unwrap();
    assert_eq!(best.token.text, "balanced");
    assert!((best.logit - Brackets::STRENGTH).abs() < 1e-3, "{best:?}");
}
