//! What is read of a run as tables, as JSON and as pictures.

use llmtrace_lens::analysis::{Reading, Target};
use llmtrace_lens::report::Picture;

use crate::support::model;

const TEXT: &str = "the capital of the state containing Dallas is";

#[test]
fn answers_print_as_tables_and_serialize() {
    let model = model("gpt2");
    let tokens = model.tokenize(TEXT).unwrap();
    let reading = Reading::new(&model, &tokens).unwrap();
    let lens = reading.logit_lens().last().top(1).track([3]).read().unwrap();
    let table = lens.to_string();
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(table.lines().next().unwrap().contains(r#"8 " is""#), "{table}");
    let json = serde_json::to_value(&lens).unwrap();
    assert_eq!(json["rows"][0]["label"], "0_pre");
    assert_eq!(json["rows"][0]["cells"][0]["tracked"][0]["id"], 3);
    let attribution = reading.attribute(Target::Logit(3)).unwrap().heads().unwrap();
    let table = attribution.to_string();
    assert!(table.starts_with("logit of "), "{table}");
    assert_eq!(table.lines().count(), 1 + 12 + 2 + 1, "{table}");
    let json = serde_json::to_value(&attribution).unwrap();
    assert_eq!(json["parts"][5]["label"], "L1H1");
    assert_eq!([&json["parts"][5]["layer"], &json["parts"][5]["index"]], [1, 1]);
}

#[test]
fn answers_are_pictures_too() {
    let model = model("gemma2");
    let tokens = model.tokenize(TEXT).unwrap();
    let reading = Reading::new(&model, &tokens).unwrap();
    let check = |picture: &dyn Picture, title: &str, words: &[&str]| {
        assert_eq!(picture.title(), title);
        let svg = format!("{}{}", picture.to_svg(), picture.to_html("picture"));
        for word in words {
            assert!(svg.contains(word), "{title}: no {word} in {svg}");
        }
    };
    let lens = reading.logit_lens().read().unwrap();
    let best = &lens.last(4).unwrap().best().unwrap().token.text;
    check(
        &lens.picture("Lens").unwrap(),
        "Lens",
        &["before layer 0", "after layer 3", "␣containing", best.trim()],
    );
    let answer = reading.attribute(Target::Logit(300)).unwrap();
    check(&answer.head_map("Heads").unwrap(), "Heads", &["L3", "H3", "before the softcap of"]);
    check(&answer.layer_map("Layers").unwrap(), "Layers", &["attention", "MLP", "L3"]);
    check(&answer.source_prompt(0, 1, "Sources").unwrap(), "Sources", &["L0H1"]);
    let norms = reading.residual_norms().unwrap();
    check(&norms.picture("Norms").unwrap(), "Norms", &["before layer 0", "after layer 3"]);
    let summary = reading.attention_summary().unwrap();
    check(&summary.head_map("Scores", |head| head.induction).unwrap(), "Scores", &["L0", "H3"]);
    let model = self::model("gpt2");
    let reading = Reading::new(&model, &model.tokenize(TEXT).unwrap()).unwrap();
    check(&reading.attention_grid("Attention").unwrap(), "Attention", &["L0H2", "first token 0.51"]);
}
