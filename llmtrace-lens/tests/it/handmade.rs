//! Methods of analysis on models whose every weight is known: they must find the circuit that is there, and nothing else.

use candle_core::Tensor;
use llmtrace_lens::handmade::{Brackets, Induction, KnownNode, TwoStep};
use llmtrace_lens::patching::{Along, CausalTrace, Metric, Patching, Receiver, Sweep};
use llmtrace_lens::{Edges, Filter, Hooks, Model, ModelBuilder, Readout, Site, Slice};

use crate::support::values;

/// The logits after the last token.
fn last(model: &Model, tokens: &[u32], hooks: &mut Hooks<'_>) -> Vec<f32> {
    values(&model.run_batch_with_hooks(&[tokens], Readout::Last, hooks).unwrap().0)
}

fn plain(model: &Model, text: &str) -> Vec<f32> {
    last(model, &model.tokenize(text).unwrap(), &mut Hooks::new())
}

fn id(model: &Model, word: &str) -> u32 {
    model.tokenize(word).unwrap()[1]
}

fn close(found: &[f32], expected: &[f32]) -> bool {
    found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4)
}

/// The cells that recover something: all of them must recover everything, and be these.
#[track_caller]
fn found(sweep: &Sweep, expected: &[&[usize]]) {
    let mut cells = sweep.strongest(sweep.recovered.len());
    cells.retain(|(_, share)| share.abs() > 1e-4);
    cells.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(cells.iter().all(|(_, share)| (share - 1.0).abs() < 1e-4), "{}: {cells:?}", sweep.what);
    let indices: Vec<&[usize]> = cells.iter().map(|(index, _)| index.as_slice()).collect();
    assert_eq!(indices, expected, "{}", sweep.what);
}

/// Every head of the model.
fn heads(model: &Model) -> impl Iterator<Item = (usize, usize)> {
    let (layers, heads) = (model.config().layers, model.config().heads);
    (0..layers).flat_map(move |layer| (0..heads).map(move |head| (layer, head)))
}

#[test]
fn the_induction_circuit_says_what_followed_before() {
    let model = Induction::model().unwrap();
    let check = |text: &str, expected: &[(&str, f32)]| {
        let mut logits = vec![0.0; 12];
        for (word, share) in expected {
            logits[id(&model, word) as usize] = share * Induction::STRENGTH;
        }
        let found = plain(&model, text);
        assert!(close(&found, &logits), "{text}: {found:?}, expected {logits:?}");
    };
    check("a b c d e a", &[("b", 1.0)]);
    check("g h i j g h", &[("i", 1.0)]);
    check("k k", &[("k", 1.0)]);
    check("a", &[]);
    check("a b c", &[]);
    check("a b a c a", &[("b", 0.5), ("c", 0.5)]);
    check("a b a b a c a", &[("b", 2.0 / 3.0), ("c", 1.0 / 3.0)]);
    check("f a b c d e g h i j k b a f", &[("a", 1.0)]);
}

#[test]
fn the_norms_of_a_model_built_by_hand_do_nothing_and_its_attention_is_sharp() {
    let model = Induction::model().unwrap();
    let tokens = model.tokenize("a b c d e a").unwrap();
    let (_, cache) = model.run_with_cache(&tokens, Filter::all()).unwrap();
    for (stream, normed) in [
        ("resid_pre0", "blocks.0.ln1.hook_out"),
        ("resid_mid0", "blocks.0.ln2.hook_out"),
        ("resid_pre1", "blocks.1.ln1.hook_out"),
        ("resid_post1", "ln_final.hook_out"),
    ] {
        let [stream, normed] = [stream, normed].map(|name| values(cache.get(name).unwrap()));
        assert!(stream.iter().zip(&normed).all(|(a, b)| (a - b).abs() < 1e-6), "{stream:?} {normed:?}");
    }
    let row = |point: &str, head: usize, position: usize| {
        let pattern = cache.get(point).unwrap().squeeze(0).unwrap();
        values(&pattern.get(head).unwrap().get(position).unwrap())
    };
    let (_, head) = Induction::PREVIOUS_TOKEN_HEAD;
    for position in 1..tokens.len() {
        let mut expected = vec![0.0; tokens.len()];
        expected[position - 1] = 1.0;
        assert_eq!(row("pattern0", head, position), expected);
    }
    assert_eq!(row("pattern1", Induction::INDUCTION_HEAD.1, 6), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn ablating_the_circuits_heads_destroys_exactly_its_behaviour() {
    let model = Induction::model().unwrap();
    for text in ["a b c d e a", "g h i j g h", "k k", "a b a c a"] {
        let tokens = model.tokenize(text).unwrap();
        let whole = plain(&model, text);
        for (layer, head) in heads(&model) {
            let mut hooks = Hooks::new().zero(format!("z{layer}").as_str(), Slice::head(head));
            let ablated = last(&model, &tokens, &mut hooks);
            let mine = [Induction::PREVIOUS_TOKEN_HEAD, Induction::INDUCTION_HEAD].contains(&(layer, head));
            let expected = if mine { vec![0.0; 12] } else { whole.clone() };
            assert!(close(&ablated, &expected), "{text} without L{layer}H{head}: {ablated:?}");
        }
    }
}

#[test]
fn cutting_one_edge_of_the_circuit_destroys_it_and_any_other_edge_does_not_matter() {
    let model = Induction::model().unwrap();
    let tokens = model.tokenize("e a b c a").unwrap();
    let whole = plain(&model, "e a b c a");
    let mut needed = Vec::new();
    for (layer, head) in heads(&model) {
        for (from, to) in (0..tokens.len()).flat_map(|to| (0..to).map(move |from| (from, to))) {
            let point = format!("attn_scores{layer}");
            let mut hooks = Hooks::new().knock_out(point.as_str(), Edges::one(from, to).in_heads([head]));
            let cut = last(&model, &tokens, &mut hooks);
            if close(&cut, &whole) {
                continue;
            }
            needed.push((layer, head, from, to));
            assert!(close(&cut, &[0.0; 12]), "{layer} {head} {from} to {to}: {cut:?}");
        }
    }
    assert_eq!(needed, [(0, 2, 2, 3), (1, 1, 3, 5)]);
    let all_heads = |point: &str, from, to| {
        last(&model, &tokens, &mut Hooks::new().knock_out(point, Edges::one(from, to)))
    };
    assert!(close(&all_heads("attn_scores0", 2, 3), &[0.0; 12]));
    assert!(close(&all_heads("attn_scores1", 3, 4), &whole));
}

#[test]
fn patching_finds_the_known_heads_and_positions_alone() {
    let model = Induction::model().unwrap();
    let tokens = |text: &str| model.tokenize(text).unwrap();
    // What is copied differs: the letter at position 2.
    let metric = Metric::logit_difference(id(&model, "b"), id(&model, "e"));
    let (clean, corrupted) = (tokens("a b c d a"), tokens("a e c d a"));
    let mut patching = Patching::new(&model, &clean, &corrupted, metric).unwrap();
    found(&patching.sweep(Site::ResidPre, Along::Positions).unwrap(), &[&[0, 2], &[1, 2]]);
    found(&patching.sweep(Site::AttnOut, Along::Positions).unwrap(), &[&[1, 5]]);
    found(&patching.sweep(Site::MlpOut, Along::Positions).unwrap(), &[]);
    found(&patching.sweep(Site::Z, Along::Heads).unwrap(), &[&[1, 1]]);
    found(&patching.sweep(Site::V, Along::PositionsAndHeads).unwrap(), &[&[1, 2, 1]]);
    found(&patching.sweep(Site::Pattern, Along::Heads).unwrap(), &[]);
    found(&patching.paths_to_logits().unwrap(), &[&[1, 1]]);
    // What it is found by differs: the letter at position 1.
    let metric = Metric::logit_difference(id(&model, "b"), 0);
    let (clean, corrupted) = (tokens("a b c d a"), tokens("f b c d a"));
    let mut patching = Patching::new(&model, &clean, &corrupted, metric).unwrap();
    found(&patching.sweep(Site::ResidPre, Along::Positions).unwrap(), &[&[0, 1], &[1, 2]]);
    found(&patching.sweep(Site::AttnOut, Along::Positions).unwrap(), &[&[0, 2], &[1, 5]]);
    found(&patching.sweep(Site::Z, Along::PositionsAndHeads).unwrap(), &[&[0, 2, 2], &[1, 5, 1]]);
    found(&patching.sweep(Site::K, Along::PositionsAndHeads).unwrap(), &[&[1, 2, 1]]);
    found(&patching.sweep(Site::V, Along::PositionsAndHeads).unwrap(), &[&[0, 1, 2]]);
    found(&patching.sweep(Site::Q, Along::Heads).unwrap(), &[]);
    found(&patching.sweep(Site::Pattern, Along::Heads).unwrap(), &[&[1, 1]]);
    found(&patching.paths_to_logits().unwrap(), &[&[1, 1]]);
    found(&patching.paths_to(&[Receiver::Key(1, 1)]).unwrap(), &[&[0, 2]]);
    found(&patching.paths_to(&[Receiver::Query(1, 1), Receiver::Value(1, 1)]).unwrap(), &[]);
    found(&patching.paths_to(&[Receiver::Key(1, 0), Receiver::Mlp(1)]).unwrap(), &[]);
}

/// Whether brackets are balanced.
fn balanced(brackets: &[u32]) -> bool {
    let mut depth = 0_i32;
    let never_below = brackets.iter().all(|bracket| {
        depth += if *bracket == 1 { 1 } else { -1 };
        depth >= 0
    });
    never_below && depth == 0
}

#[test]
fn the_bracket_counter_is_right_about_every_text() {
    let model = Brackets::model().unwrap();
    let texts: Vec<Vec<u32>> = (0..1_u32 << 9)
        .map(|bits| std::iter::once(0).chain((0..9).map(|at| 1 + (bits >> at & 1))).collect())
        .collect();
    let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
    let logits = model.run_batch(&texts, Readout::All).unwrap().to_vec3::<f32>().unwrap();
    let mut right = 0;
    for (text, logits) in texts.iter().zip(logits) {
        for end in 1..text.len() {
            let verdict = &logits[end][3..5];
            let expected = Brackets::STRENGTH;
            let is_balanced = balanced(&text[1..=end]);
            right += usize::from(is_balanced);
            let fits = if is_balanced {
                close(verdict, &[expected, -expected])
            } else {
                verdict[0] <= -expected + 1e-3 && verdict[1] >= expected - 1e-3
            };
            assert!(fits, "{:?}: {verdict:?}", &text[1..=end]);
        }
    }
    assert_eq!(right, 260);
    let long = [vec![0], vec![1; 31], vec![2; 31]].concat();
    assert!(plain_tokens(&model, &long)[3] > 9.0);
    assert!(plain_tokens(&model, &long[..62])[3] < -9.0);
}

fn plain_tokens(model: &Model, tokens: &[u32]) -> Vec<f32> {
    last(model, tokens, &mut Hooks::new())
}

#[test]
fn ablating_a_head_of_the_bracket_counter_blinds_it_to_what_the_head_saw() {
    let model = Brackets::model().unwrap();
    let says_balanced = |text: &str, hooks: Hooks<'_>| {
        let tokens = model.tokenize(text).unwrap();
        last(&model, &tokens, &mut { hooks })[3] > 0.0
    };
    // Text, and what is said of it whole, without the counting head, and without the dip head.
    for (text, expected) in [
        ("( ( ) )", [true, true, true]),
        (") (", [false, true, true]),
        ("( ) ) (", [false, true, true]),
        ("( ( )", [false, true, false]),
        (") ) (", [false, true, true]),
    ] {
        let without = |(layer, head): (usize, usize)| {
            Hooks::new().zero(format!("z{layer}").as_str(), Slice::head(head))
        };
        let found = [
            says_balanced(text, Hooks::new()),
            says_balanced(text, without(Brackets::COUNTING_HEAD)),
            says_balanced(text, without(Brackets::DIP_HEAD)),
        ];
        assert_eq!(found, expected, "{text}");
        let tokens = model.tokenize(text).unwrap();
        for other in [(0, 1), (1, 1)] {
            let ablated = last(&model, &tokens, &mut without(other));
            assert!(close(&ablated, &plain(&model, text)), "{text} without {other:?}");
        }
    }
}

#[test]
fn the_two_step_circuit_answers_through_its_known_neurons_alone() {
    let model = TwoStep::model().unwrap();
    for city in 1..=6 {
        let tokens = [0, city, TwoStep::CAPITAL];
        let whole = plain_tokens(&model, &tokens);
        let mut expected = vec![0.0; 11];
        expected[TwoStep::capital(city).unwrap() as usize] = 12.0;
        assert!(close(&whole, &expected), "{city}: {whole:?}");
        let mine: Vec<(usize, usize)> = TwoStep::edges(city)
            .iter()
            .filter_map(|edge| match edge.from {
                KnownNode::Neuron { layer, neuron, .. } => Some((layer, neuron)),
                _ => None,
            })
            .collect();
        assert_eq!(mine.len(), 2);
        for (layer, neuron) in (0..2).flat_map(|layer| (0..7).map(move |neuron| (layer, neuron))) {
            let mut hooks = Hooks::new().zero(format!("post{layer}").as_str(), Slice::neuron(neuron));
            let ablated = last(&model, &tokens, &mut hooks);
            let expected = if mine.contains(&(layer, neuron)) { &[0.0; 11] } else { &whole[..] };
            assert!(close(&ablated, expected), "{city} without neuron {neuron} of {layer}: {ablated:?}");
        }
    }
    assert!(close(&plain_tokens(&model, &[0, 7]), &[0.0; 11]));
    assert!(close(&plain_tokens(&model, &[0, 3]), &[0.0; 11]));
    assert_eq!((TwoStep::capital(0), TwoStep::state(7), TwoStep::edges(9).len()), (None, None, 0));
}

#[test]
fn the_known_edges_of_the_two_step_circuit_are_what_their_targets_lose_without_them() {
    let model = TwoStep::model().unwrap();
    for city in 1..=6 {
        let tokens = [0, city, TwoStep::CAPITAL];
        let targets = "post0, post1, pre0, pre1, hook_unembed, blocks.*.attn.hook_pattern";
        let (_, cache) = model.run_with_cache(&tokens, targets).unwrap();
        for edge in TwoStep::edges(city) {
            // Attention is held; a target is read before it acts, so the source alone moves it.
            let held = Hooks::new().patch("blocks.*.attn.hook_pattern", &cache, Slice::all()).keep(targets);
            let mut hooks = match edge.from {
                KnownNode::Token { position } => held.zero("hook_embed", Slice::position(position)),
                KnownNode::Neuron { layer, position, neuron } => {
                    let point = format!("post{layer}");
                    let activation = cache.get(&point).unwrap().squeeze(0).unwrap();
                    let activation = activation.get(position).unwrap().get(neuron).unwrap();
                    assert!((activation.to_scalar::<f32>().unwrap() - 1.0).abs() < 1e-6);
                    held.zero(point.as_str(), Slice::neuron(neuron).and(Slice::position(position)))
                }
                KnownNode::Logit { .. } => unreachable!("logits are targets"),
            };
            let (_, without) = model.run_with_hooks(&tokens, &mut hooks).unwrap();
            let read = |cache: &llmtrace_lens::ActivationCache| {
                let (point, position, at) = match edge.to {
                    KnownNode::Neuron { layer, position, neuron } => {
                        (format!("pre{layer}"), position, neuron)
                    }
                    KnownNode::Logit { token } => ("hook_unembed".to_owned(), 2, token as usize),
                    KnownNode::Token { .. } => unreachable!("tokens are sources"),
                };
                cache.get(&point).unwrap().to_vec3::<f32>().unwrap()[0][position][at]
            };
            let lost = f64::from(read(&cache) - read(&without));
            assert!((lost - edge.weight).abs() < 1e-4, "{edge:?}: {lost}");
        }
    }
}

#[test]
fn a_causal_trace_follows_the_fact_from_the_city_to_the_end() {
    let model = TwoStep::model().unwrap();
    let tokens = model.tokenize("Dallas capital").unwrap();
    let trace = |site| {
        let metric = Metric::probability(id(&model, "Austin"));
        let mut trace = CausalTrace::new(&model, &tokens, [1], metric).samples(4).seed(3).noise(40.0);
        trace.restore(site).unwrap()
    };
    let stream = trace(Site::ResidPost);
    assert!(stream.corrupted < 0.9 * stream.clean, "{stream:?}");
    for (index, expected) in [([0, 0], 0.0), ([0, 1], 1.0), ([1, 0], 0.0), ([1, 1], 0.0), ([1, 2], 1.0)] {
        let share = stream.at(&index).unwrap();
        assert!((share - expected).abs() < 1e-4, "{index:?}: {share}");
    }
}

#[test]
fn a_model_built_by_hand_is_saved_and_loaded_as_any_other() {
    for (builder, tokens) in [
        (Induction::builder(), vec![0, 1, 2, 3, 1]),
        (Brackets::builder(), vec![0, 1, 1, 2, 2]),
        (TwoStep::builder(), vec![0, 3, 7]),
    ] {
        let (builder, folder): (ModelBuilder, _) = (builder.unwrap(), tempfile::tempdir().unwrap());
        builder.save(folder.path()).unwrap();
        let (built, loaded) = (builder.build().unwrap(), Model::load(folder.path()).unwrap());
        assert_eq!(values(&built.run(&tokens).unwrap()), values(&loaded.run(&tokens).unwrap()));
        assert_eq!(built.config(), loaded.config());
        let text = loaded.tokenizer().unwrap().decode(&tokens, true).unwrap();
        assert_eq!(loaded.tokenize(&text).unwrap(), tokens);
    }
}

#[test]
fn a_builder_refuses_what_does_not_fit_its_configuration() {
    let wrong = Tensor::zeros((3, 2), candle_core::DType::F32, &candle_core::Device::Cpu).unwrap();
    let error = Induction::builder().unwrap().tensor("lm_head.weight", wrong).build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "induction-by-hand (in memory): tensor \"lm_head.weight\" has shape [3, 2], expected [12, 64]"
    );
    let config = serde_json::json!({"model_type": "gpt2", "n_embd": 8, "n_head": 2, "n_layer": 1, "vocab_size": 3, "n_positions": 4});
    let error = ModelBuilder::new("bare", config).build().unwrap_err();
    assert_eq!(error.to_string(), "bare (in memory): no tensor \"wte.weight\", expected one of shape [3, 8]");
    let error = ModelBuilder::new("none", serde_json::json!(["gpt2"])).build().unwrap_err();
    assert_eq!(error.to_string(), "none (in memory): is no JSON object");
}
