//! What features are: counted by hand over a text, and called by their labels.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use llmtrace_lens::circuit::feature::{Chosen, FeatureCard, FeatureStudy};
use llmtrace_lens::circuit::{Labels, Thresholds, Tracer, Transcoders};
use llmtrace_lens::{Model, Toy};

use crate::seeded::Seeded;
use crate::support::{folder, toy_prompt, values};

/// Sentences that the toy was trained on.
fn sentences() -> String {
    let facts = [
        ("Texas", "Austin", ["Dallas", "Houston", "Lubbock", "Waco"]),
        ("California", "Sacramento", ["Oakland", "Fresno", "Bakersfield", "Stockton"]),
        ("Georgia", "Atlanta", ["Savannah", "Macon", "Marietta", "Athens"]),
    ];
    let mut text = String::new();
    for (state, capital, cities) in facts {
        for city in cities {
            writeln!(text, "{city} is in {state} .").unwrap();
            writeln!(text, "\n  the capital of the state containing {city} is {capital} .").unwrap();
        }
        writeln!(text, "the capital of {state} is {capital} .").unwrap();
    }
    text
}

struct Text(tempfile::TempDir);

impl Text {
    fn new(text: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("text.txt"), text).unwrap();
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("text.txt")
    }
}

/// A line's number, its tokens, and what its neurons are by layer and position.
type Line = (u64, Vec<u32>, Vec<Vec<Vec<f32>>>);

/// Activations of all neurons of the toy at every token of every line, by another way: the hook after the nonlinearity.
fn by_hand(model: &Model, text: &str) -> Vec<Line> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let run = |(at, line): (usize, &str)| {
        let tokens = model.tokenize(line.trim()).unwrap();
        let (_, cache) = model.run_with_cache(&tokens, "blocks.*.mlp.hook_post").unwrap();
        let layers = (0..3).map(|layer| {
            let value = cache.get(&format!("blocks.{layer}.mlp.hook_post")).unwrap();
            values(value).chunks(512).map(<[f32]>::to_vec).collect()
        });
        (at as u64 + 1, tokens.clone(), layers.collect())
    };
    lines.map(run).collect()
}

#[test]
fn cards_hold_what_is_counted_by_hand() {
    let model = Toy::Relu.load().unwrap();
    let neurons = Transcoders::neurons(&model).unwrap();
    let text = sentences();
    let file = Text::new(&text);
    let lines = by_hand(&model, &text);
    let tokens: u64 = lines.iter().map(|(_, tokens, _)| tokens.len() as u64).sum();
    let features: Vec<(usize, usize)> = vec![(0, 112), (1, 181), (1, 261), (2, 325), (2, 331), (0, 0)];
    let cards = FeatureStudy::new(&model, &neurons)
        .labels(Labels::default().with(1, 181, "Texas"))
        .contexts(3)
        .read(file.path(), &Chosen::These(features.clone()))
        .unwrap();
    assert_eq!(cards.len(), features.len());
    let mut shown = 0;
    for (card, (layer, feature)) in cards.iter().zip(features) {
        assert_eq!((card.layer, card.feature), (layer, feature));
        assert_eq!(card.label.as_deref(), (feature == 181).then_some("Texas"));
        let all: Vec<f32> =
            lines.iter().flat_map(|line| line.2[layer].iter().map(|row| row[feature])).collect();
        let active: Vec<f32> = all.iter().copied().filter(|value| *value > 0.0).collect();
        assert_eq!((card.active, card.tokens), (active.len() as u64, tokens), "L{layer} F{feature}");
        assert!((card.density - active.len() as f64 / tokens as f64).abs() < 1e-12);
        let Some(histogram) = &card.histogram else {
            assert_eq!((card.mean, card.largest, card.contexts.len()), (None, None, 0));
            continue;
        };
        let sum: f32 = active.iter().sum();
        assert!((card.mean.unwrap() - f64::from(sum) / active.len() as f64).abs() < 1e-5);
        let largest = active.iter().copied().fold(0.0, f32::max);
        assert!((card.largest.unwrap() - largest).abs() < 1e-5);
        for (bin, count) in histogram.counts.iter().enumerate() {
            let bin = bin as f32 * histogram.width..(bin + 1) as f32 * histogram.width;
            assert_eq!(*count, active.iter().filter(|value| bin.contains(value)).count() as u64);
        }
        assert!(
            (8.0 * histogram.width..16.0 * histogram.width).contains(&largest),
            "{histogram:?} {largest}"
        );
        // One place a line, the strongest first.
        let mut best: Vec<(f32, u64, usize)> = Vec::new();
        for (line, _, layers) in &lines {
            let of = layers[layer].iter().map(|row| row[feature]).enumerate();
            let (at, value) = of.fold((0, 0.0), |best, next| if next.1 > best.1 { next } else { best });
            if value > 0.0 {
                best.push((value, *line, at));
            }
        }
        best.sort_by(|a, b| b.0.total_cmp(&a.0));
        best.truncate(3);
        assert_eq!(card.contexts.len(), best.len());
        for (context, (value, line, at)) in card.contexts.iter().zip(best) {
            shown += 1;
            let (_, tokens, layers) = lines.iter().find(|(number, ..)| *number == context.line).unwrap();
            assert!((context.activations[context.at] - value).abs() < 1e-5, "{line} {at}");
            assert_eq!(context.tokens.len(), tokens.len());
            assert_eq!(
                context.tokens.concat(),
                text.lines().nth(usize::try_from(context.line).unwrap() - 1).unwrap().trim()
            );
            for (found, row) in context.activations.iter().zip(&layers[layer]) {
                assert!((found - row[feature]).abs() < 1e-5);
            }
        }
    }
    assert!(shown > 6, "{shown}");
}

#[test]
fn tokens_are_promoted_as_what_is_written_reads_in_the_unembedding() {
    let model = Toy::Relu.load().unwrap();
    let neurons = Transcoders::neurons(&model).unwrap();
    let file = Text::new(sentences());
    // By another way: a change of the stream before the final norm, so small that only the direction counts, its divisor held.
    for (layer, feature) in [(2, 325), (1, 181), (0, 112)] {
        let cards = FeatureStudy::new(&model, &neurons)
            .words(4)
            .read(file.path(), &Chosen::These(vec![(layer, feature)]))
            .unwrap();
        let [card]: [FeatureCard; 1] = cards.try_into().unwrap();
        let written = values(&neurons.decoders(layer, &[feature], layer).unwrap());
        let tensors = crate::support::tensors(
            crate::support::fixtures().join("../../models/toy-relu/model.safetensors"),
        );
        let named = |end: &str| {
            let found = tensors.iter().find(|(name, _)| name.ends_with(end)).unwrap();
            values(&found.1.to_dtype(candle_core::DType::F32).unwrap())
        };
        let (gain, embed) = (named("ln_f.weight"), named("wte.weight"));
        let mean = written.iter().sum::<f32>() / written.len() as f32;
        let normed: Vec<f32> = written.iter().zip(&gain).map(|(value, gain)| (value - mean) * gain).collect();
        let logits: Vec<f32> =
            embed.chunks(normed.len()).map(|row| row.iter().zip(&normed).map(|(a, b)| a * b).sum()).collect();
        let mean = logits.iter().sum::<f32>() / logits.len() as f32;
        let mut order: Vec<(u32, f32)> = (0..).zip(logits.iter().map(|logit| logit - mean)).collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        let ends = [order[..4].to_vec(), order.iter().rev().take(4).copied().collect()];
        for (effects, expected) in [&card.promoted, &card.suppressed].into_iter().zip(ends) {
            assert_eq!(effects.len(), 4);
            for (effect, (token, value)) in effects.iter().zip(expected) {
                assert_eq!(effect.token.id, token, "L{layer} F{feature}");
                assert!((effect.effect - value).abs() < 1e-4, "{effect:?}: {value}");
            }
        }
    }
    // The neuron with the most influence on Dallas says Austin.
    let cards =
        FeatureStudy::new(&model, &neurons).read(file.path(), &Chosen::These(vec![(2, 325)])).unwrap();
    assert!(cards[0].promoted.iter().take(3).any(|effect| effect.token.text.trim() == "Austin"), "{cards:?}");
}

#[test]
fn the_strongest_are_those_that_write_the_most() {
    let model = Toy::Relu.load().unwrap();
    let neurons = Transcoders::neurons(&model).unwrap();
    let text = sentences();
    let (file, lines) = (Text::new(&text), by_hand(&model, &text));
    let mut strength: BTreeMap<(usize, usize), f32> = BTreeMap::new();
    for layer in 0..3 {
        let lengths: Vec<f32> = (0..512)
            .map(|feature| {
                let written = values(&neurons.decoders(layer, &[feature], layer).unwrap());
                written.iter().map(|value| value * value).sum::<f32>().sqrt()
            })
            .collect();
        for row in lines.iter().flat_map(|(.., layers)| &layers[layer]) {
            for (feature, (value, length)) in row.iter().zip(&lengths).enumerate() {
                *strength.entry((layer, feature)).or_default() += value * length;
            }
        }
    }
    for layers in [0..3, 1..2] {
        let mut expected: Vec<_> = strength.iter().filter(|((layer, _), _)| layers.contains(layer)).collect();
        expected.sort_by(|a, b| b.1.total_cmp(a.1));
        let chosen = Chosen::Strongest { count: 7, layers };
        let cards = FeatureStudy::new(&model, &neurons).read(file.path(), &chosen).unwrap();
        let found: Vec<(usize, usize)> = cards.iter().map(|card| (card.layer, card.feature)).collect();
        let expected: Vec<(usize, usize)> = expected.iter().take(7).map(|(feature, _)| **feature).collect();
        assert_eq!(found, expected);
        assert!(cards.iter().all(|card| card.active > 0 && !card.contexts.is_empty()));
    }
}

#[test]
fn the_same_text_gives_the_same_cards_whatever_the_windows_and_transcoders() {
    let model = Model::load(folder("gpt2")).unwrap();
    let text: String = (0..40).fold(String::new(), |mut text, line| {
        writeln!(text, "{}", "the cat sat on the mat and ".repeat(line % 5 + 1)).unwrap();
        text
    });
    let file = Text::new(&text);
    for seeded in Seeded::all() {
        let written = seeded.write(&model);
        let transcoders = Transcoders::load(written.path(), &model).unwrap();
        let chosen = Chosen::Strongest { count: 5, layers: 0..transcoders.layers() };
        let read = |window: usize| {
            FeatureStudy::new(&model, &transcoders).window(window).read(file.path(), &chosen).unwrap()
        };
        let first = read(128);
        assert_eq!(first, read(128), "{seeded:?}");
        assert_eq!(first.len(), 5);
        let these = Chosen::These(first.iter().map(|card| (card.layer, card.feature)).collect());
        let again = FeatureStudy::new(&model, &transcoders).read(file.path(), &these).unwrap();
        for (all, alone) in first.iter().zip(&again) {
            assert_eq!((all.active, all.tokens), (alone.active, alone.tokens), "{seeded:?}");
            assert!((all.largest.unwrap() - alone.largest.unwrap()).abs() < 1e-4);
        }
        // Shorter windows see less before a token, and each token once.
        let short = read(4);
        assert_eq!(short[0].tokens, first[0].tokens);
        assert!(short.iter().flat_map(|card| &card.contexts).all(|context| context.tokens.len() <= 4));
    }
}

#[test]
fn progress_goes_to_the_end_and_what_is_kept_is_bounded() {
    let model = Toy::Relu.load().unwrap();
    let neurons = Transcoders::neurons(&model).unwrap();
    // A line longer than a piece of the file, and windows that the model can take.
    let text = "Dallas is in Texas . ".repeat(9000);
    let file = Text::new(&text);
    let mut seen = Vec::new();
    let cards = FeatureStudy::new(&model, &neurons)
        .contexts(2)
        .progress(|done, all| seen.push((done, all)))
        .read(file.path(), &Chosen::These(vec![(1, 181)]))
        .unwrap();
    assert!(seen.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    assert_eq!(seen.last(), Some(&(2 * text.len(), 2 * text.len())));
    assert!(cards[0].contexts.len() <= 2);
    assert!((44_990..=45_010).contains(&cards[0].tokens), "{}", cards[0].tokens);
    assert!(cards[0].contexts.iter().all(|context| context.line == 1 && context.tokens.len() <= 48));
}

#[test]
fn texts_that_cannot_be_read_are_refused() {
    let model = Toy::Relu.load().unwrap();
    let neurons = Transcoders::neurons(&model).unwrap();
    let refusal = |text: &[u8], chosen: Chosen| {
        let file = Text::new(text);
        let error = FeatureStudy::new(&model, &neurons).read(file.path(), &chosen).unwrap_err().to_string();
        error.replace(&file.path().display().to_string(), "FILE")
    };
    let one = || Chosen::These(vec![(1, 181)]);
    for (text, chosen, expected) in [
        (&b""[..], one(), "FILE has no text"),
        (b" \n\n", one(), "FILE has no text"),
        (b"Dallas\nis \xff in\n", one(), "FILE: line 2 is no UTF-8: give a text file"),
        (b"Dallas \xe4", one(), "FILE: line 1 is no UTF-8: give a text file"),
        (b"Dallas", Chosen::These(vec![]), "no feature was asked for"),
        (b"Dallas", Chosen::These(vec![(1, 512)]), "layer 1 has 512 features, and no 512"),
        (b"Dallas", Chosen::These(vec![(3, 0)]), "there is no layer 3: there are 3, from 0"),
        (
            b"Dallas",
            Chosen::Strongest { count: 1, layers: 1..4 },
            "there are no features of layers 1..4: there are layers 0..3",
        ),
    ] {
        assert_eq!(refusal(text, chosen), expected, "{text:?}");
    }
    let missing = FeatureStudy::new(&model, &neurons).read("nowhere.txt", &one()).unwrap_err().to_string();
    assert!(missing.starts_with("cannot read nowhere.txt"), "{missing}");
}

#[test]
fn labels_are_read_as_they_are_written() {
    let labels: Labels =
        "\u{feff}# of the toy\n\nL1 F181  Texas\r\n  l2\tf325 say  Austin \nL0 F7 # sign\n".parse().unwrap();
    let found: Vec<(usize, usize, &str)> = labels.iter().collect();
    assert_eq!(found, [(0, 7, "# sign"), (1, 181, "Texas"), (2, 325, "say  Austin")]);
    assert_eq!(labels.to_string().parse::<Labels>().unwrap(), labels);
    assert_eq!(labels.of(1, 182), None);
    let json = serde_json::to_value(&labels).unwrap();
    assert_eq!(json["L1 F181"], "Texas");
    let long = format!("L1 F1 {}", "x".repeat(201));
    let example = "expected a layer, a feature and what it means: L1 F181 Texas";
    for (text, expected) in [
        ("Texas", format!("line 1: \"Texas\" is no layer; {example}")),
        ("L1", format!("line 1: \"\" is no feature; {example}")),
        ("\nL1 181 Texas", format!("line 2: \"181\" is no feature; {example}")),
        ("L+1 F1 Texas", format!("line 1: \"L+1\" is no layer; {example}")),
        (
            "L1 F99999999999999999999 Texas",
            format!("line 1: \"F99999999999999999999\" is no feature; {example}"),
        ),
        ("L1 F181 ", format!("line 1: there is no label; {example}")),
        ("L1 F181 a\u{1b}[31m", format!("line 1: a label has no control characters; {example}")),
        (long.as_str(), format!("line 1: a label has at most 200 characters; {example}")),
        ("L1 F1 a\n#\nL1 F1 b", "line 3: L1 F1 has a label in line 1 already; one is enough".to_owned()),
    ] {
        assert_eq!(text.parse::<Labels>().unwrap_err().to_string(), expected, "{text:?}");
    }
    let file = Text::new(b"L1 F1 a\nno\n");
    let error = Labels::read(file.path()).unwrap_err().to_string();
    assert_eq!(error, format!("{}: line 2: \"no\" is no layer; {example}", file.path().display()));
}

#[test]
fn a_graph_calls_features_by_their_labels() {
    let model = Toy::Relu.load().unwrap();
    let neurons = Transcoders::neurons(&model).unwrap();
    let graph = Tracer::new(&model, &neurons).trace(&toy_prompt(&model, "Dallas")).unwrap();
    let labels = Labels::default()
        .with(1, 181, "Texas")
        .with(1, 261, "Texas")
        .with(2, 325, "say Austin")
        .with(2, 511, "not in this graph");
    let plain = graph.prune(Thresholds::default());
    let unlabelled = graph.graph_file("dallas", &plain);
    assert!(
        unlabelled.nodes.iter().filter(|node| node.activation.is_some()).all(|node| node.clerp.is_empty())
    );
    let graph = graph.with_labels(labels);
    let pruned = graph.prune(Thresholds::default());
    assert_eq!(pruned, plain);
    let node = graph.feature(2, 7, 325).unwrap();
    assert_eq!(graph.node_label(node), "say Austin \"is\"");
    assert_eq!(graph.node_label(graph.feature(0, 7, 112).unwrap()), "L0 F112 \"is\"");
    let file = graph.graph_file("dallas", &pruned);
    let clerp = |id: String| file.nodes.iter().find(|node| node.node_id == id).unwrap().clerp.clone();
    assert_eq!(clerp(graph.node_id(node)), "say Austin");
    let groups = graph.labelled_supernodes(&pruned);
    let found: Vec<(&str, usize)> =
        groups.iter().map(|group| (group.label.as_str(), group.nodes.len())).collect();
    assert_eq!(found, [("Texas", 2), ("say Austin", 1)]);
    let proposed = graph.propose_supernodes(&neurons, &pruned, 0.5).unwrap();
    let labelled: Vec<usize> = groups.iter().flat_map(|group| &group.nodes).copied().collect();
    assert!(proposed.iter().flat_map(|group| &group.nodes).all(|node| !labelled.contains(node)));
    let paths = graph.named_paths(&graph.paths(&pruned, 64), &groups);
    assert!(
        paths.iter().any(|path| path.steps.ends_with(&[
            "Texas".to_owned(),
            "say Austin".to_owned(),
            "-> \"Austin\"".to_owned()
        ])),
        "{paths:?}"
    );
}
