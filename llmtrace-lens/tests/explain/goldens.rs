//! Against what shap 0.51 and lime 0.2.0.1 computed of a tiny GPT-2; the scores are recorded.

use std::collections::HashMap;
use std::path::Path;

use llmtrace_lens::explain::{
    Coalition, Coverage, Game, KernelShap, LeaveOneOut, Lime, MergeTree, Method, Owen, Parts, Permutation,
    Shapley,
};
use serde_json::Value;

use super::{near, values_of};

const TOLERANCE: f64 = 1e-9;

fn golden(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/explain").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn masks(value: &Value) -> Vec<Coalition> {
    let mask = |row: &Value| {
        let row = numbers(row);
        Coalition::of(row.len(), (0..row.len()).filter(|part| row[*part] > 0.5))
    };
    value.as_array().unwrap().iter().map(mask).collect()
}

/// The recorded game: log-probabilities of a target for each of the 512 choices of 9 tokens.
fn recorded() -> Game<'static> {
    let golden = golden("shapley_exact.json");
    let scores: HashMap<_, _> = masks(&golden["masks"]).into_iter().zip(numbers(&golden["values"])).collect();
    let tokens = golden["tokens"].as_array().unwrap().iter();
    let texts = tokens.map(|token| token.as_str().unwrap().replace('Ġ', " "));
    let ids = golden["ids"].as_array().unwrap().iter().map(|id| u32::try_from(id.as_u64().unwrap()).unwrap());
    let parts = Parts::token_ids(ids.zip(texts), 0);
    Game::new(&parts, move |prompt| scores.get(prompt.kept()).copied().ok_or("a mask that was not recorded"))
}

#[test]
fn exact_shapley_values() {
    let golden = golden("shapley_exact.json");
    let attribution = recorded().explain(&Shapley).unwrap();
    near(&attribution.values(), &numbers(&golden["shapley"]), TOLERANCE);
    near(&[attribution.base_value.unwrap()], &[golden["v_empty"].as_f64().unwrap()], 0.0);
    near(&[attribution.full_value], &[golden["v_full"].as_f64().unwrap()], 0.0);
    assert_eq!(attribution.spent.calls, 512);
}

#[test]
fn kernel_shap_over_all_masks() {
    let golden = golden("kernelshap.json");
    let found = values_of(&recorded(), &KernelShap::samples(512)).unwrap();
    near(&found, &numbers(&golden["runs"]["full_no_l1"]["phi"]), TOLERANCE);
    let design = KernelShap::default().design(9, 0);
    assert_eq!(design.len(), 510);
    let run = &golden["runs"]["full_no_l1"];
    let (kept, weights): (Vec<_>, Vec<_>) = design.into_iter().unzip();
    assert_eq!(kept[..10], masks(&run["masks_first10"]));
    near(&weights[..10], &numbers(&run["kernelWeights_first10"]), 1e-15);
}

#[test]
fn kernel_shap_of_recorded_masks() {
    let golden = golden("kernelshap.json");
    let run = &golden["runs"]["sampled_120_no_l1"];
    let recorded: Vec<_> =
        masks(&run["maskMatrix"]).into_iter().zip(numbers(&run["kernelWeights"])).collect();
    let base = run["expected_value"].as_f64().unwrap();
    let full = base + numbers(&run["phi"]).iter().sum::<f64>();
    let found = KernelShap::fit(&recorded, &numbers(&run["ey"]), base, full).unwrap();
    near(&found, &numbers(&run["phi"]), TOLERANCE);
    // What is not drawn at random is the same: the whole sizes, and the weight of each mask in them.
    let ours = KernelShap::samples(120).design(9, 0);
    assert_eq!(ours.len(), recorded.len());
    for ((kept, weight), (recorded, expected)) in ours.iter().zip(&recorded).take(18) {
        assert_eq!(kept, recorded);
        near(&[*weight], &[*expected], 1e-15);
    }
}

#[test]
fn lime_of_recorded_masks() {
    let golden = golden("lime.json");
    for (name, run) in golden["runs"].as_object().unwrap() {
        let (masks, scores) = (masks(&run["data"]), numbers(&run["y"]));
        let features = usize::try_from(run["num_features"].as_u64().unwrap()).unwrap();
        let lime = Lime::default().features(features).width(run["kernel_width"].as_f64().unwrap());
        let weights: Vec<_> = masks.iter().map(|kept| lime.weight(kept)).collect();
        near(&weights, &numbers(&run["weights"]), TOLERANCE);
        let found = lime.fit(&masks, &scores).unwrap();
        let expected: HashMap<_, _> = run["local_exp"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (usize::try_from(pair[0].as_u64().unwrap()).unwrap(), pair[1].as_f64().unwrap()))
            .collect();
        assert_eq!(found.coefficients.len(), expected.len(), "{name}");
        for (part, coefficient) in &found.coefficients {
            near(&[*coefficient], &[expected[part]], TOLERANCE);
        }
        let sizes: Vec<_> = found.coefficients.iter().map(|(_, value)| value.abs()).collect();
        assert!(sizes.is_sorted_by(|a, b| a >= b), "{name}: {sizes:?}");
        near(&[found.fit.intercept], &[run["intercept"].as_f64().unwrap()], TOLERANCE);
        near(&[found.fit.local_prediction], &numbers(&run["local_pred"]), TOLERANCE);
        near(&[found.fit.r2], &[run["r2"].as_f64().unwrap()], TOLERANCE);
    }
}

#[test]
fn lime_splits_words_as_recorded() {
    let golden = golden("lime.json");
    let text = golden["text"].as_str().unwrap();
    for (name, parts) in [("defaults_bow", Parts::unique_words(text)), ("no_bow_mask", Parts::words(text))] {
        let features: Vec<_> = golden["runs"][name]["features"].as_array().unwrap().iter().collect();
        assert_eq!(parts.iter().map(|part| parts.text_of(part)).collect::<Vec<_>>(), features);
    }
}

#[test]
fn owen_values_over_the_tree_of_the_text() {
    let golden = golden("partition_owen.json");
    let game = recorded();
    let group =
        |number: f64| (0_u8..17).find(|group| (number - f64::from(*group)).abs() < 0.5).map(usize::from);
    let clustering = golden["clustering"].as_array().unwrap().iter().map(numbers);
    let merges = clustering.map(|row| [group(row[0]).unwrap(), group(row[1]).unwrap()]);
    let tree = MergeTree::new(9, merges).unwrap();
    assert_eq!(MergeTree::of_text(game.parts()).unwrap(), tree);
    let attribution = game.explain(&Owen::default()).unwrap();
    near(&attribution.values(), &numbers(&golden["values"]), TOLERANCE);
    near(&[attribution.base_value.unwrap()], &numbers(&golden["base_value"]), 0.0);
    assert!(attribution.coverage == Coverage::Whole && attribution.sum_gap().unwrap().abs() < TOLERANCE);
}

/// The largest error of a part, on average over 20 seeds. docs/explain.md states these figures.
fn error_of<M: Method>(exact: &[f64], method: &M) -> f64 {
    let of_seed = |seed| {
        let found = values_of(&recorded().seed(seed), method).unwrap();
        found.iter().zip(exact).map(|(found, exact)| (found - exact).abs()).fold(0.0, f64::max)
    };
    (0..20).map(of_seed).sum::<f64>() / 20.0
}

#[test]
fn errors_of_sampling_are_as_documented() {
    let exact = values_of(&recorded(), &Shapley).unwrap();
    let check = |name: &str, found: f64, expected: f64| {
        assert!((found - expected).abs() < 0.001, "{name}: {found:.4} is not {expected}");
    };
    check("kernel 64", error_of(&exact, &KernelShap::samples(64)), 0.365);
    check("kernel 128", error_of(&exact, &KernelShap::samples(128)), 0.228);
    check("kernel 256", error_of(&exact, &KernelShap::samples(256)), 0.110);
    check("pairs 4", error_of(&exact, &Permutation::pairs(4)), 0.689);
    check("pairs 8", error_of(&exact, &Permutation::pairs(8)), 0.494);
    check("pairs 16", error_of(&exact, &Permutation::pairs(16)), 0.360);
    assert_eq!(recorded().plan(&Owen::default()).unwrap().calls, 60);
    check("owen", error_of(&exact, &Owen::default()), 0.947);
    check("one out", error_of(&exact, &LeaveOneOut), 5.690);
    check("lime", error_of(&exact, &Lime::samples(256)), 0.802);
}

#[test]
fn lime_leaves_out_what_a_first_fit_finds_weakest() {
    // Solved with numpy from the recorded masks: a ridge of 0.01 ranks part 2 last, one of 1 fits the others.
    let golden = golden("lime.json");
    let run = &golden["runs"]["no_bow_mask"];
    let found = Lime::default().features(7).fit(&masks(&run["data"]), &numbers(&run["y"])).unwrap();
    let expected = [
        (6, -0.077_729_106_778_238_45),
        (7, -0.070_153_292_414_479_43),
        (1, 0.052_657_785_866_609_304),
        (0, -0.047_672_401_833_068_985),
        (5, -0.036_172_867_706_567_4),
        (4, 0.031_621_884_239_137_39),
        (3, -0.022_755_069_126_204_886),
    ];
    assert_eq!(found.coefficients.len(), expected.len());
    for ((part, coefficient), (expected_part, expected)) in found.coefficients.iter().zip(expected) {
        assert_eq!(*part, expected_part);
        near(&[*coefficient], &[expected], TOLERANCE);
    }
    near(&[found.fit.intercept], &[1.053_059_824_966_896_5], TOLERANCE);
}
