//! Tokens and their texts, in byte-level and `SentencePiece` vocabularies.

use crate::support::model;

const TEXT: &str = "the capital of the state containing Dallas is";

#[test]
fn tokens_have_the_text_that_they_stand_for() {
    let check = |name: &str, before: &str| {
        let model = model(name);
        let tokens = model.tokenize(TEXT).unwrap();
        let texts: Vec<String> = tokens.iter().map(|id| model.token_text(*id)).collect();
        assert_eq!(texts.concat(), format!("{before}{TEXT}"), "{name}");
        for (id, text) in tokens.iter().zip(&texts) {
            assert_eq!(model.token_id(text).unwrap(), *id, "{name} {text:?}");
            assert_eq!(model.token_label(*id).text, *text);
        }
        assert_eq!(model.token_text(1_000_000), "#1000000");
    };
    check("gpt2", "");
    check("gpt_neox", "");
    check("llama", "<s> ");
    check("gemma2", "<s> ");
}

#[test]
fn a_text_that_is_no_single_token_is_refused_and_says_what_it_is() {
    let check = |name: &str, text: &str, says: &str| {
        let error = model(name).token_id(text).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    };
    check("gpt2", " Dallas", r#"" Dallas" is 2 tokens, expected one: [" Da", "llas"]"#);
    check("gpt2", "", r#""" is 0 tokens"#);
    check(
        "../../../models/toy-relu",
        "Gotham",
        r#""Gotham" is no token of this vocabulary: it is read as "<unk>""#,
    );
}
