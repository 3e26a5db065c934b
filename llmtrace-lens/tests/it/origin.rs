//! Who wrote a text: authors that are known, one that is not, and candidates that cannot be told apart.

use llmtrace_lens::Model;
use llmtrace_lens::handmade::Author;
use llmtrace_lens::origin::{Candidates, Evidence, OriginClassifier, OriginError, Training, Verdict, Why};

const NAMES: [&str; 4] = ["ada", "ben", "cai", "dee"];
const WORDS: usize = 60;
/// Texts of each author that are learned from.
const KNOWN: u64 = 40;

fn author(nth: usize) -> Author {
    Author::new(nth as u64)
}

fn models(habits: [usize; 4]) -> Vec<Model> {
    habits.map(|habits| author(habits).model().unwrap()).into()
}

fn candidates(models: &[Model]) -> Candidates<'_> {
    Candidates::new(NAMES.into_iter().zip(models)).unwrap()
}

/// What the candidates make of texts of each author: from their numbers, so that no two are the same.
fn corpus(candidates: &Candidates<'_>, texts: std::ops::Range<u64>) -> Vec<(&'static str, Evidence)> {
    let each =
        NAMES.iter().enumerate().flat_map(|(nth, name)| texts.clone().map(move |text| (nth, *name, text)));
    each.map(|(nth, name, text)| {
        (name, candidates.read(&author(nth).text(text * 4 + nth as u64, WORDS)).unwrap())
    })
    .collect()
}

fn share<T>(of: &[T], is: impl Fn(&T) -> bool) -> f64 {
    of.iter().filter(|one| is(one)).count() as f64 / of.len() as f64
}

#[test]
fn four_authors_are_known_and_a_fifth_is_not() {
    let models = models([0, 1, 2, 3]);
    let candidates = candidates(&models);
    let classifier =
        OriginClassifier::train(&candidates, &corpus(&candidates, 0..KNOWN), Training::default()).unwrap();
    let report = classifier.report();
    assert_eq!(classifier.classes(), NAMES);
    assert!(report.accuracy > 0.95 && report.calibration_error < 0.05, "{report:?}");

    // Texts that were not there in training.
    let unseen = corpus(&candidates, KNOWN..KNOWN + 50);
    let verdicts: Vec<(&str, Verdict)> =
        unseen.iter().map(|(name, evidence)| (*name, classifier.judge(evidence).unwrap())).collect();
    let right = share(&verdicts, |(name, verdict)| verdict.probabilities[0].0 == *name);
    let said = share(&verdicts, |(_, verdict)| verdict.origin.is_some());
    let wrong =
        share(&verdicts, |(name, verdict)| verdict.origin.as_deref().is_some_and(|said| said != *name));
    println!("known authors: likeliest right {right}, said {said}, said wrongly {wrong}; {report:?}");
    assert!(right > 0.95 && said > 0.9 && wrong < 0.01, "{right} {said} {wrong}");

    // Authors whom nobody introduced.
    let strangers: Vec<Verdict> = (0..100)
        .map(|text| author(4 + text % 5).text(text as u64, WORDS))
        .map(|text| classifier.judge(&candidates.read(&text).unwrap()).unwrap())
        .collect();
    let unknown = share(&strangers, |verdict| verdict.origin.is_none());
    println!("strangers: unknown {unknown}");
    assert!(unknown > 0.9, "{unknown}");
    assert!(strangers.iter().any(|verdict| verdict.why == Why::Unlike));
}

#[test]
fn a_short_text_is_judged_with_less_confidence() {
    let models = models([0, 1, 2, 3]);
    let candidates = candidates(&models);
    let training = Training::default();
    let least = training.least_words;
    let classifier = OriginClassifier::train(&candidates, &corpus(&candidates, 0..KNOWN), training).unwrap();
    let text = author(2).text(9_999, WORDS);
    let judged = |words: usize| {
        let text: Vec<&str> = text.split(' ').take(words).collect();
        classifier.judge(&candidates.read(&text.join(" ")).unwrap()).unwrap()
    };
    assert_eq!(judged(WORDS).origin.as_deref(), Some("cai"));
    for words in [0, 1, least - 1] {
        assert_eq!((judged(words).origin, judged(words).why), (None, Why::TooShort), "{words} words");
    }
    assert_eq!(judged(least).words, least);
    assert_ne!(judged(least).why, Why::TooShort);
}

#[test]
fn an_authors_model_writes_as_they_do() {
    let model = author(3).model().unwrap();
    let tokens = model.tokenize("the old road").unwrap();
    let logits = model.run(&tokens).unwrap().squeeze(0).unwrap().to_vec2::<f32>().unwrap();
    for (row, last) in logits.iter().zip(&tokens) {
        for (next, logit) in row.iter().enumerate().skip(1) {
            let expected = author(3).logit(*last as usize, next);
            assert!((f64::from(*logit) - expected).abs() < 1e-5, "{next} after {last}: {logit}, {expected}");
        }
    }
}

#[test]
fn candidates_that_are_one_model_are_not_told_apart() {
    let models = models([7, 7, 7, 7]);
    let candidates = candidates(&models);
    // All texts are by one author; who is said to have written them is arbitrary.
    let mut corpus = Vec::new();
    for text in 0..4 * KNOWN {
        let name = NAMES[usize::try_from(text % 4).unwrap()];
        corpus.push((name, candidates.read(&author(7).text(text, WORDS)).unwrap()));
    }
    for seed in 0..5 {
        let classifier =
            OriginClassifier::train(&candidates, &corpus, Training::default().seed(seed)).unwrap();
        let report = classifier.report();
        println!("control: {report:?}");
        assert!((0.1..0.4).contains(&report.accuracy), "{report:?}");
        assert!(report.answered == 0.0 && report.calibration_error < 0.15, "{report:?}");
        let verdict = classifier.judge(&candidates.read(&author(7).text(9_999, WORDS)).unwrap()).unwrap();
        assert_eq!((verdict.origin, verdict.why), (None, Why::Unsure));
    }
}

#[test]
fn a_classifier_is_saved_and_read() {
    let models = models([0, 1, 2, 3]);
    let candidates = candidates(&models);
    let classifier =
        OriginClassifier::train(&candidates, &corpus(&candidates, 0..20), Training::default()).unwrap();
    let json = classifier.to_json();
    let read = OriginClassifier::from_json(&json).unwrap();
    let evidence = candidates.read(&author(0).text(77, WORDS)).unwrap();
    let [before, after] = [&classifier, &read].map(|classifier| classifier.judge(&evidence).unwrap());
    assert_eq!((&before.origin, before.why), (&after.origin, after.why));
    assert!((before.confidence - after.confidence).abs() < 1e-9, "{before:?} {after:?}");
    read.check(&candidates).unwrap();

    let check = |json: &str, expected: &str| {
        let error = OriginClassifier::from_json(json).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check("", "the classifier cannot be read: EOF");
    check("{}", "missing field `version`");
    check(&json.replace(r#""version":1"#, r#""version":2"#), "is of version 2, expected 1");
    check(&json.replacen(r#""means":["#, r#""means":[0.0,"#, 1), "has parts that do not fit together");
    check(&json.replace(r#""folds":5"#, r#""folds":1"#), "folds is 1, expected at least 2");

    let other = Candidates::new([("ada", &models[0]), ("eve", &models[1])]).unwrap();
    let error = read.check(&other).unwrap_err().to_string();
    assert!(
        error.contains("dee (gpt2, 2 layers of 32), in this order; found ada (gpt2") && error.contains("eve"),
        "{error}"
    );
    // Of the same names and shapes, but one is another model.
    let fifth = author(9).model().unwrap();
    let same_names = NAMES.into_iter().zip([&models[0], &models[1], &fifth, &models[3]]);
    let error = read.check(&Candidates::new(same_names).unwrap()).unwrap_err().to_string();
    assert!(error.contains("another model for cai: this one has its shape"), "{error}");
    let error = read.judge(&other.read("the old road").unwrap()).unwrap_err().to_string();
    assert_eq!(error, "the classifier knows 4 candidates: the text was read by others");
}

#[test]
fn what_cannot_be_learned_from_is_refused() {
    let models = models([0, 1, 2, 3]);
    let candidates = candidates(&models);
    let all = corpus(&candidates, 0..12);
    let check = |found: Result<OriginClassifier, OriginError>, expected: &str| {
        let error = found.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let train = |corpus: &[(&'static str, Evidence)], training| {
        OriginClassifier::train(&candidates, corpus, training)
    };
    check(train(&[], Training::default()), "has texts of 0 origins, expected at least 2");
    check(train(&all[..12], Training::default()), "has texts of 1 origins");
    check(
        train(&all[..21], Training::default()),
        "has 9 texts of \"ben\" of at least 10 words, expected at least 10",
    );
    check(train(&all, Training::default().least_words(1000)), "has texts of 0 origins");
    check(train(&all[..24], Training::default()), "too few to call 0.02 of them untypical");
    check(
        train(&all, Training::default().least_confidence(1.5)),
        "least_confidence is 1.5, expected a share",
    );
    let two = Candidates::new([("ada", &models[0]), ("ben", &models[1])]).unwrap();
    check(OriginClassifier::train(&two, &all, Training::default()), "read by other candidates");

    let refused = |names: &[&str]| {
        Candidates::new(names.iter().map(|name| (*name, &models[0]))).unwrap_err().to_string()
    };
    assert_eq!(refused(&["ada"]), "candidates: expected at least two models");
    assert_eq!(refused(&["ada", "ben", "ada"]), "candidates: two are named \"ada\"");
}

#[test]
fn candidates_may_read_in_pieces_of_their_own() {
    // One parts text at bytes, the others at words.
    let bytes = crate::support::model("gpt2");
    let llama = crate::support::model("llama");
    let candidates = Candidates::new([("bytes", &bytes), ("llama", &llama)]).unwrap();
    let text = "the capital of the state\n containing Dallas  is Austin";
    let evidence = candidates.read(text).unwrap();
    // The first word has no probability where nothing stands before it.
    assert_eq!(evidence.words, 8);
    // What each model says of the whole text is the sum over its words.
    for (model, bits) in [(&bytes, evidence.bits[0]), (&llama, evidence.bits[1])] {
        let encoding = model.tokenizer().unwrap().encode(text, true).unwrap();
        let logits = model.run(encoding.get_ids()).unwrap().squeeze(0).unwrap().to_vec2::<f32>().unwrap();
        let mut sum = 0.0;
        for (at, (token, offsets)) in encoding.get_ids().iter().zip(encoding.get_offsets()).enumerate() {
            if offsets.1 > 3 {
                let row: Vec<f64> = logits[at - 1].iter().map(|logit| f64::from(*logit)).collect();
                let partition = row.iter().map(|logit| logit.exp()).sum::<f64>().ln();
                sum += row[*token as usize] - partition;
            }
        }
        assert!((bits + sum / 8.0 / std::f64::consts::LN_2).abs() < 1e-4, "{bits} {sum}");
    }
}
