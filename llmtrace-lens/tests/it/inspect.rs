//! One prompt seen from every side, and the models that come with the crate.

use llmtrace_lens::inspect::{Inspection, Stage};
use llmtrace_lens::{Model, Toy};

const DALLAS: &str = "the capital of the state containing Dallas is";
const OAKLAND: &str = "the capital of the state containing Oakland is";

#[test]
fn the_models_in_the_crate_are_those_of_its_folder() {
    for toy in [Toy::Relu, Toy::Gelu] {
        let folder = format!("{}/models/{}", env!("CARGO_MANIFEST_DIR"), toy.name());
        let (here, there) = (toy.load().unwrap(), Model::load(folder).unwrap());
        assert_eq!((here.name(), here.end_tokens()), (there.name(), there.end_tokens()));
        let tokens = there.tokenize(DALLAS).unwrap();
        assert_eq!(here.tokenize(DALLAS).unwrap(), tokens);
        let logits =
            |model: &Model| model.run(&tokens).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(logits(&here), logits(&there), "{toy:?}");
        assert_eq!(Toy::named(toy.name()), Some(toy));
    }
    assert_eq!((Toy::named("toy"), Toy::named("gpt2")), (Some(Toy::Relu), None));
}

#[test]
fn a_prompt_is_seen_from_every_side() {
    let model = Toy::Relu.load().unwrap();
    let mut stages = Vec::new();
    let (told, heard) = std::sync::mpsc::channel();
    let seen = Inspection::new(&model, DALLAS)
        .beside(OAKLAND)
        .steps(2)
        .progress(move |stage| told.send(stage).unwrap())
        .run()
        .unwrap();
    stages.extend(heard.iter());
    assert_eq!((seen.answer.token.text.trim(), seen.generation.tokens.len()), ("Austin", 2));
    assert_eq!(
        seen.path().last().map(|(place, guess)| (place, guess.token.id)),
        Some(("after layer 2".to_owned(), seen.answer.token.id))
    );
    let (layer, position, share) = seen.strongest_patch().unwrap();
    assert_eq!((layer, position), (0, 6));
    assert!((share - 1.0).abs() < 1e-3, "{share}");
    assert!(seen.surprise[0].is_nan() && seen.surprise[1..].iter().all(|p| (0.0..=1.0).contains(p)));
    assert!(seen.attribution.sum_gap().unwrap().abs() < 1e-9 && seen.faithfulness.is_some());
    assert_eq!((stages.first(), stages.last()), (Some(&Stage::Reading), Some(&Stage::Explaining)));
    assert!(stages.contains(&Stage::Patching { done: 24, total: 24 }), "{stages:?}");

    let html = seen.page().unwrap().to_html();
    for said in ["Austin", "Sacramento", "What the model would say after each layer", "is → Dallas"] {
        assert!(html.contains(said), "{said}");
    }
    let json = serde_json::to_value(&seen).unwrap();
    assert_eq!(json["beside"]["answer"]["text"].as_str().map(str::trim), Some("Sacramento"));
    assert!(json["attribution"]["sum_gap"].as_f64().unwrap().abs() < 1e-9, "{}", json["attribution"]);
}

#[test]
fn the_page_says_how_the_words_were_found() {
    let model = Toy::Relu.load().unwrap();
    let check = |prompt: &str, method: &str, said: &[&str], unsaid: &str| {
        let seen = Inspection::new(&model, prompt).run().unwrap();
        assert_eq!(seen.attribution.method, method);
        let html = seen.page().unwrap().to_html();
        for said in said {
            assert!(html.contains(said), "{said}");
        }
        assert!(!html.contains(unsaid), "{unsaid}");
    };
    let (masks, steps) = ("putting a neutral token in its place", "adding up what each token's steps do");
    let gap = "which leaves a gap of ";
    check(DALLAS, "exact_shapley", &[masks, gap, "masked tokens are replaced by"], steps);
    let long = format!("Waco is in Texas . Fresno is in California . {DALLAS}");
    let steps = steps.replace('\'', "&#39;");
    check(&long, "integrated_gradients", &[&steps, gap, "the neutral token is"], masks);
}

#[test]
fn integrated_gradients_take_the_steps_that_bring_their_sum_near() {
    let model = Toy::Relu.load().unwrap();
    let long = format!("the state containing Oakland is California . {DALLAS}");
    let found = Inspection::new(&model, &long).run().unwrap().attribution;
    let change = found.full_value - found.base_value.unwrap();
    assert!(found.sum_gap().unwrap().abs() < 0.01 * change, "{found}");
    assert!(found.spent.calls > 52, "50 steps are not enough here: {found}");
}

#[test]
fn a_token_that_the_tokenizer_adds_is_no_word_that_speaks_for_the_answer() {
    let model = crate::support::model("llama");
    let seen = Inspection::new(&model, "the cat is").run().unwrap();
    let words: Vec<&str> = seen.attribution.parts.iter().map(|part| part.part.label.as_str()).collect();
    let tokens = model.tokenize("the cat is").unwrap();
    assert!(words.len() == tokens.len() - 1 && !words.contains(&"<s>"), "{words:?}");
    let html = seen.page().unwrap().to_html();
    let (first, last) = (r#"title="part 1: "#, format!(r#"title="part {}: "#, tokens.len() - 1));
    assert!(html.contains(first) && html.contains(&last) && !html.contains(r#"title="part 0: "#));
    let by_id = Inspection::of_tokens(&model, &tokens).run().unwrap();
    assert_eq!(by_id.attribution.parts.len(), tokens.len());
}

#[test]
fn another_answer_may_be_asked_about() {
    let model = Toy::Relu.load().unwrap();
    let texas = model.token_id("Texas").unwrap();
    let seen = Inspection::new(&model, DALLAS).answer(texas).run().unwrap();
    assert_eq!(seen.answer.token.id, texas);
    assert!(seen.answer.probability < 0.5 && seen.beside.is_none());
}

#[test]
fn what_cannot_be_seen_is_refused() {
    let model = Toy::Relu.load().unwrap();
    let check = |inspection: Inspection<'_>, said: &str| {
        let error = inspection.run().unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    };
    check(Inspection::new(&model, ""), "no token");
    check(Inspection::of_tokens(&model, &[999]), "999");
    check(Inspection::new(&model, DALLAS).beside(DALLAS), "answers both prompts with \"Austin\"");
    check(Inspection::new(&model, DALLAS).beside("Oakland is"), "8");
}
