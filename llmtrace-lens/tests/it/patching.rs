//! Patching sweeps against those that TransformerLens made of the same model.

use std::collections::HashMap;

use candle_core::Tensor;
use llmtrace_lens::patching::{Along, CausalTrace, Metric, Patching, Receiver, Sweep};
use llmtrace_lens::{Hooks, Model, Readout, Site, Slice};

use crate::support::{fixtures, ids, model, tensors, values_f64};

const RIGHT: u32 = 216;
const WRONG: u32 = 28;

fn goldens() -> HashMap<String, Tensor> {
    let path = fixtures().join("analysis/gpt2.safetensors");
    tensors(path)
}

#[track_caller]
fn close(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() < 1e-4, "{what}[{at}] is {found}, expected {expected}");
    }
}

/// The clean and the corrupted prompt of the goldens.
fn prompts() -> [Vec<u32>; 2] {
    let goldens = goldens();
    [ids(&goldens["patch.clean_ids"]), ids(&goldens["patch.corrupt_ids"])]
}

#[test]
fn sweeps_are_those_of_transformer_lens() {
    let (model, goldens, [clean, corrupted]) = (model("gpt2"), goldens(), prompts());
    for batch in [1, 4, 64] {
        let metric = Metric::logit_difference(RIGHT, WRONG);
        let mut patching = Patching::new(&model, &clean, &corrupted, metric).unwrap().batch(batch);
        close("clean", &[patching.clean_metric()], &values_f64(&goldens["patch.clean_metric"]));
        close("corrupted", &[patching.corrupted_metric()], &values_f64(&goldens["patch.corrupt_metric"]));
        for (site, along, golden) in [
            (Site::ResidPre, Along::Positions, "patch.resid_pre_by_pos"),
            (Site::AttnOut, Along::Positions, "patch.attn_out_by_pos"),
            (Site::MlpOut, Along::Positions, "patch.mlp_out_by_pos"),
            (Site::Z, Along::Heads, "patch.head_z_all_pos"),
        ] {
            let sweep = patching.sweep(site, along).unwrap();
            assert_eq!(sweep.shape(), goldens[golden].dims(), "{golden}");
            close(golden, &sweep.values, &values_f64(&goldens[golden]));
        }
    }
}

#[test]
fn ablated_heads_are_those_of_transformer_lens() {
    let (model, [clean, _]) = (model("gpt2"), prompts());
    let mut found = Vec::new();
    for (layer, head) in (0..3).flat_map(|layer| (0..4).map(move |head| (layer, head))) {
        let mut hooks = Hooks::new().zero(format!("z{layer}").as_str(), Slice::head(head));
        let (logits, _) = model.run_batch_with_hooks(&[&clean], Readout::Last, &mut hooks).unwrap();
        let logits: Vec<f32> = logits.flatten_all().unwrap().to_vec1().unwrap();
        found.push(Metric::logit_difference(RIGHT, WRONG).of(&logits));
    }
    close("ablation", &found, &values_f64(&goldens()["ablate.head_zero_metric"]));
}

/// The metric of a run with one patch, made as an intervention on the whole corrupted prompt.
fn patched(model: &Model, metric: &Metric, point: &str, slice: Slice) -> f64 {
    let [clean, corrupted] = prompts();
    let (_, cache) = model.run_with_cache(&clean, point).unwrap();
    let mut hooks = Hooks::new().patch(point, &cache, slice);
    let (logits, _) = model.run_batch_with_hooks(&[&corrupted], Readout::Last, &mut hooks).unwrap();
    metric.of(&logits.flatten_all().unwrap().to_vec1::<f32>().unwrap())
}

#[test]
fn each_cell_of_a_sweep_is_the_patch_it_names() {
    let [clean, corrupted] = prompts();
    let steps = clean.len();
    for name in ["gpt2", "llama", "gpt_neox"] {
        let model = model(name);
        let metric = Metric::probability(RIGHT);
        let mut patching = Patching::new(&model, &clean, &corrupted, metric.clone()).unwrap();
        for (site, leaf) in [(Site::Q, "q"), (Site::K, "k"), (Site::V, "v"), (Site::Pattern, "pattern")] {
            let by_head = patching.sweep(site, Along::Heads).unwrap();
            let by_both = patching.sweep(site, Along::PositionsAndHeads).unwrap();
            let heads = by_head.shape()[1];
            for (layer, head, position) in [(0, 1, 4), (1, 0, 6), (2, heads - 1, steps - 1)] {
                let point = format!("{leaf}{layer}");
                let head_alone = patched(&model, &metric, &point, Slice::head(head));
                let both = Slice::head(head).and(Slice::position(position));
                let what = format!("{name} {point} head {head}");
                close(&what, &[by_head.values[layer * heads + head]], &[head_alone]);
                let cell = (layer * steps + position) * heads + head;
                close(&what, &[by_both.values[cell]], &[patched(&model, &metric, &point, both)]);
            }
        }
        let edges = patching.sweep(Site::Pattern, Along::HeadsAndEdges).unwrap();
        assert_eq!(edges.shape(), [model.config().layers, model.config().heads, steps, steps]);
        for (layer, head, position, key) in [(1, 2, 8, 4), (0, 3, 5, 5), (2, 0, 3, 6)] {
            let slice = Slice::head(head).and(Slice::position(position)).and(Slice::keys([key]));
            let expected = patched(&model, &metric, &format!("pattern{layer}"), slice);
            let recovered = (expected - edges.corrupted) / (edges.clean - edges.corrupted);
            close("edge", &[edges.at(&[layer, head, position, key]).unwrap()], &[recovered]);
        }
    }
}

#[test]
fn sweeps_of_blocks_and_heads_tell_their_progress() {
    let (model, [clean, corrupted]) = (model("llama"), prompts());
    let mut told = Vec::new();
    let metric = Metric::new("the last logit", |logits| f64::from(logits[383]));
    let mut patching = Patching::new(&model, &clean, &corrupted, metric)
        .unwrap()
        .batch(5)
        .progress(|done, total| told.push((done, total)));
    let blocks = patching.block_every().unwrap();
    let heads = patching.heads_every(Along::Heads).unwrap();
    drop(patching);
    assert_eq!(
        blocks.iter().map(|sweep| sweep.what.as_str()).collect::<Vec<_>>(),
        ["hook_resid_pre", "hook_attn_out", "hook_mlp_out"]
    );
    assert_eq!(heads.iter().map(Sweep::shape).collect::<Vec<_>>(), [[3, 4], [3, 4], [3, 2], [3, 2], [3, 4]]);
    assert!(blocks.iter().chain(&heads).all(|sweep| sweep.metric == "the last logit"));
    let (blocks_total, heads_total) = (3 * 3 * clean.len(), 3 * (4 + 4 + 2 + 2 + 4));
    assert!(told.contains(&(blocks_total, blocks_total)) && told.contains(&(5, blocks_total)), "{told:?}");
    assert_eq!(told.last(), Some(&(heads_total, heads_total)));
    let text = serde_json::to_string(&heads[0]).unwrap();
    let read: Sweep = serde_json::from_str(&text).unwrap();
    assert_eq!((&read.what, &read.axes), (&heads[0].what, &heads[0].axes));
    close("as JSON", &read.recovered, &heads[0].recovered);
    let (index, most) = heads[0].strongest(1).remove(0);
    assert_eq!(heads[0].at(&index), Some(most));
    assert!(heads[0].recovered.iter().all(|share| *share <= most));
    assert_eq!(heads[0].at(&[3, 0]), None);
    let positions = &blocks[0].axes[1];
    assert_eq!((positions.name.as_str(), positions.labels.len()), ("position", clean.len()));
    let differing = |at: &usize| positions.labels[*at].contains('/');
    assert_eq!((0..clean.len()).filter(differing).collect::<Vec<_>>(), [4]);
}

#[test]
fn what_cannot_be_swept_is_one_clear_error() {
    let (model, [clean, corrupted]) = (model("gpt_neox"), prompts());
    let new = |clean: &[u32], metric: Metric| Patching::new(&model, clean, &corrupted, metric).map(drop);
    let check = |error: Result<(), llmtrace_lens::RunError>, expected: &str| {
        assert_eq!(error.unwrap_err().to_string(), expected);
    };
    let metric = || Metric::logit_difference(RIGHT, WRONG);
    check(
        new(&clean[1..], metric()),
        "the clean prompt and the corrupted one have 8 and 9 tokens: patching needs the same positions in both",
    );
    check(new(&clean, Metric::probability(384)), "token 384 is outside the vocabulary of 384 tokens");
    check(
        new(&clean, Metric::new("nothing", |_| 1.5)),
        "the metric is 1.5 of the clean run and 1.5 of the corrupted one: there is nothing to recover",
    );
    check(new(&clean, Metric::new("broken", |_| f64::NAN)), "the metric broken is NaN");
    let mut patching = Patching::new(&model, &clean, &corrupted, metric()).unwrap();
    check(
        patching.sweep(Site::MlpOut, Along::Heads).map(drop),
        "at blocks.0.hook_mlp_out: a value of shape [1, 9, 32] cannot be patched along Heads",
    );
    check(
        patching.sweep(Site::Embed, Along::Positions).map(drop),
        "hook_embed is in no block: sweeps go through blocks",
    );
    check(
        patching.sweep(Site::ResidMid, Along::Positions).map(drop),
        "no hook point \"blocks.*.hook_resid_mid\" in this model; did you mean \"blocks.0.hook_resid_pre\"?",
    );
    check(
        patching.paths_to(&[Receiver::Query(1, 4)]).map(drop),
        "the model has no Query(1, 4): it has 3 layers of 4 such heads",
    );
    check(patching.paths_to(&[]).map(drop), "there is no receiver that paths could lead to");
    let trace = |subject: &[usize], site| {
        CausalTrace::new(&model, &clean, subject.iter().copied(), metric()).restore(site).map(drop)
    };
    check(trace(&[9], Site::ResidPost), "the subject is at position 9, but the prompt has 9 tokens");
    check(trace(&[], Site::ResidPost), "the subject has no position that noise could be put on");
    check(
        trace(&[4], Site::Z),
        "attn.hook_z cannot be restored at a position: name a site of blocks of shape [b, t, D]",
    );
}

#[test]
fn paths_add_up_where_only_they_differ() {
    // Of the last layer, all paths lead to the logits and to nothing else: the path of a sender is its patch.
    let (model, [clean, corrupted]) = (model("gpt2"), prompts());
    let metric = Metric::logit_difference(RIGHT, WRONG);
    let mut patching = Patching::new(&model, &clean, &corrupted, metric.clone()).unwrap();
    let paths = patching.paths_to_logits().unwrap();
    assert_eq!(paths.shape(), [3, 5]);
    let mlp = patched(&model, &metric, "mlp_out2", Slice::all());
    close("last mlp", &[paths.values[2 * 5 + 4]], &[mlp]);
    let heads = patching.sweep(Site::Z, Along::Heads).unwrap();
    let through_mlp = (0..4).any(|head| (paths.values[10 + head] - heads.values[8 + head]).abs() > 1e-3);
    assert!(through_mlp, "a head's path to the logits does not lead through the MLP after it");
    // A later receiver hears nothing of senders after it.
    let to_first = patching.paths_to(&[Receiver::Mlp(0)]).unwrap();
    assert!(to_first.recovered[5..].iter().all(|share| share.abs() < 1e-12));
    assert!((0..4).any(|head| (to_first.values[head] - to_first.corrupted).abs() > 1e-3));
    close("own mlp", &[to_first.values[4]], &[to_first.corrupted]);
}

#[test]
fn a_path_to_the_logits_is_what_the_sender_adds_to_the_last_stream() {
    let [clean, corrupted] = prompts();
    for name in ["gpt2", "llama", "gemma2", "gpt_neox"] {
        let model = model(name);
        let metric = Metric::logit_difference(RIGHT, WRONG);
        let mut patching = Patching::new(&model, &clean, &corrupted, metric.clone()).unwrap();
        let paths = patching.paths_to_logits().unwrap();
        let layers = model.config().layers;
        let (_, good) = model.run_with_cache(&clean, "*").unwrap();
        let (_, bad) = model.run_with_cache(&corrupted, "*").unwrap();
        let end = bad.get(&format!("resid_post{}", layers - 1)).unwrap();
        for (layer, head) in (0..layers).flat_map(|layer| (0..4).map(move |head| (layer, head))) {
            let [z, written] = ["z", "attn_out"].map(|site| format!("{site}{layer}"));
            let mut hooks = Hooks::new().patch(z.as_str(), &good, Slice::head(head)).keep(written.as_str());
            let (_, patched) = model.run_with_hooks(&corrupted, &mut hooks).unwrap();
            let more = (patched.get(&written).unwrap() - bad.get(&written).unwrap()).unwrap();
            let stream = (end + more).unwrap();
            let (logits, _) = model.run_residual(layers, &stream, Readout::Last, &mut Hooks::new()).unwrap();
            let expected = metric.of(&logits.flatten_all().unwrap().to_vec1::<f32>().unwrap());
            close(&format!("{name} L{layer}H{head}"), &[paths.values[layer * 5 + head]], &[expected]);
        }
    }
}

#[test]
fn a_path_to_a_receiver_is_the_receiver_reading_the_sender_too() {
    let [clean, corrupted] = prompts();
    let metric = Metric::logit_difference(RIGHT, WRONG);
    for (name, receivers) in [
        (
            "gpt2",
            [
                (Receiver::Query(2, 3), "q2", 3),
                (Receiver::Key(2, 1), "k2", 1),
                (Receiver::Value(1, 2), "v1", 2),
            ],
        ),
        (
            "llama",
            [
                (Receiver::Query(1, 2), "q1", 2),
                (Receiver::Key(2, 1), "k2", 1),
                (Receiver::Value(2, 1), "v2", 1),
            ],
        ),
    ] {
        let model = model(name);
        let (_, good) = model.run_with_cache(&clean, "*").unwrap();
        let (_, bad) = model.run_with_cache(&corrupted, "*").unwrap();
        let mut patching = Patching::new(&model, &clean, &corrupted, metric.clone()).unwrap();
        for (receiver, point, head) in receivers {
            let paths = patching.paths_to(&[receiver]).unwrap();
            let layer: usize = point[1..].parse().unwrap();
            for (from, sender) in (0..layer).flat_map(|from| (0..5).map(move |sender| (from, sender))) {
                let (site, slice) =
                    if sender < 4 { ("z", Slice::head(sender)) } else { ("mlp_out", Slice::all()) };
                let written = if sender < 4 { format!("attn_out{from}") } else { format!("mlp_out{from}") };
                let mut hooks =
                    Hooks::new().patch(format!("{site}{from}").as_str(), &good, slice).keep(written.as_str());
                let (_, patched) = model.run_with_hooks(&corrupted, &mut hooks).unwrap();
                let more = (patched.get(&written).unwrap() - bad.get(&written).unwrap()).unwrap();
                let stream = (bad.get(&format!("resid_pre{layer}")).unwrap() + more).unwrap();
                let (_, told) =
                    model.run_residual(layer, &stream, Readout::Last, &mut Hooks::new().keep(point)).unwrap();
                let mut hooks = Hooks::new().patch(point, &told, Slice::head(head));
                let (logits, _) =
                    model.run_batch_with_hooks(&[&corrupted], Readout::Last, &mut hooks).unwrap();
                let expected = metric.of(&logits.flatten_all().unwrap().to_vec1::<f32>().unwrap());
                let what = format!("{name} {receiver:?} from {from}.{sender}");
                close(&what, &[paths.values[from * 5 + sender]], &[expected]);
            }
        }
    }
}

#[test]
fn a_causal_trace_restores_everything_before_the_noise_spreads() {
    let (model, [clean, _]) = (model("gpt2"), prompts());
    let trace = |seed, samples, window| {
        CausalTrace::new(&model, &clean, [4], Metric::probability(RIGHT))
            .seed(seed)
            .samples(samples)
            .window(window)
            .restore(Site::ResidPre)
            .unwrap()
    };
    let sweep = trace(1, 6, 1);
    assert_eq!(sweep.shape(), [3, clean.len()]);
    // Noise lies on position 4 alone before the first block, so its clean stream brings back all of it, and others none.
    for position in 0..clean.len() {
        let expected = if position == 4 { 1.0 } else { 0.0 };
        close("before the first block", &[sweep.at(&[0, position]).unwrap()], &[expected]);
        let earlier = sweep.at(&[2, position]).unwrap();
        assert!(position >= 4 || earlier.abs() < 1e-4, "noise does not go back to {position}");
    }
    let errors = sweep.standard_errors.clone().unwrap();
    assert!(errors[0] < 1e-6 && errors[2 * clean.len() + 8] > 1e-4, "{errors:?}");
    assert_eq!(trace(1, 6, 1), sweep);
    assert_ne!(trace(2, 6, 1).recovered, sweep.recovered);
    assert_eq!(trace(1, 1, 1).standard_errors, None);
    // A window of 2 around layer 1, and of 3 around layer 0, are both layers 0 and 1.
    let window = |layers, layer| {
        let metric = Metric::probability(RIGHT);
        let mut trace = CausalTrace::new(&model, &clean, [4], metric).samples(3).window(layers);
        let sweep = trace.restore(Site::AttnOut).unwrap();
        let row = layer * clean.len()..(layer + 1) * clean.len();
        sweep.values[row].to_vec()
    };
    close("two layers", &window(3, 0), &window(2, 1));
    close("one layer", &window(2, 0), &window(1, 0));
    let wider = window(2, 1).iter().zip(&window(1, 1)).any(|(two, one)| (two - one).abs() > 1e-5);
    assert!(wider, "two layers restore no other share than one");
    // All layers at once bring back position 4 whatever the layer.
    let all = trace(1, 6, 6);
    assert!((0..3).all(|layer| (all.at(&[layer, 4]).unwrap() - 1.0).abs() < 1e-4));
}
