//! Predictions of tiny checkpoints (`tests/fixtures/task_heads.py`) and of the embedded model.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]
#![allow(clippy::float_cmp, reason = "equal inputs give equal values")]

use std::path::Path;
use std::sync::atomic::AtomicBool;

use codegaze_model::roberta::ForwardError;
use codegaze_model::source::{HubOptions, ModelSource};
use codegaze_model::{Device, LoadError, Model, Precision};
use codegaze_text::document::Document;
use codegaze_text::language::Language;

use super::*;

fn load(source: &ModelSource) -> Model {
    let files = source.resolve(&HubOptions::from_env(), &()).unwrap();
    Model::load(&files, Device::Cpu, Precision::default()).unwrap()
}

fn fixture(name: &str) -> Model {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    load(&ModelSource::Directory(fixtures.join(name)))
}

fn python(text: &str) -> Document {
    Document::new(text, 0).with_language(Language::from_id("python"))
}

fn ask(
    model: &Model,
    text: &str,
    options: &PredictionOptions,
) -> Result<Prediction, PredictionError> {
    predict(
        model,
        &python(text),
        options,
        &AtomicBool::new(false),
        &mut |_, _| {},
    )
}

fn units(prediction: Prediction) -> Vec<UnitPrediction> {
    match prediction.answers {
        Answers::Units(units) => units,
        other => panic!("{other:?}"),
    }
}

fn masked(prediction: Prediction) -> Vec<MaskedLexeme> {
    match prediction.answers {
        Answers::Masked(lexemes) => lexemes,
        other => panic!("{other:?}"),
    }
}

const TWO: &str = "def add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n    return a - b\n";

#[test]
fn a_classifier_is_asked_by_definition_or_by_file() {
    let model = fixture("task_heads/sequence");
    let definitions = units(ask(&model, TWO, &PredictionOptions::default()).unwrap());
    let names: Vec<&str> = definitions
        .iter()
        .map(|unit| unit.name.unwrap().of(TWO))
        .collect();
    assert_eq!(names, ["add", "sub"]);
    for unit in &definitions {
        let sum: f64 = unit
            .labels()
            .iter()
            .map(|label| label.probability.unwrap())
            .sum();
        assert!((sum - 1.0).abs() < 1e-9);
        assert_eq!(
            unit.labels().iter().filter(|label| label.predicted).count(),
            1
        );
    }
    let by_file = PredictionOptions {
        by: UnitKind::File,
        ..PredictionOptions::default()
    };
    let files = units(ask(&model, TWO, &by_file).unwrap());
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].span.of(TWO), TWO);
    let at = PredictionOptions {
        at: TWO.find("sub"),
        ..PredictionOptions::default()
    };
    assert_eq!(units(ask(&model, TWO, &at).unwrap()), definitions[1..]);
}

#[test]
fn a_unit_that_does_not_fit_is_asked_window_by_window_and_the_maximum_decides() {
    let model = fixture("task_heads/linevul");
    let body: Vec<String> = (0..40)
        .map(|i| format!("    x{i} = f{i}(x + {i})\n"))
        .collect();
    let text = format!("def long(x):\n{}", body.concat());
    let found = units(ask(&model, &text, &PredictionOptions::default()).unwrap());
    let [unit] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert!(unit.windows.len() > 1);
    let vulnerable = |window: &WindowPrediction| window.labels[1].probability.unwrap();
    let most = unit.windows.iter().map(vulnerable).fold(0.0, f64::max);
    assert_eq!(unit.labels()[1].probability, Some(most));
    // The windows partition the unit.
    assert_eq!(unit.windows[0].span.start, unit.span.start);
    for pair in unit.windows.windows(2) {
        assert_eq!(pair[0].span.end, pair[1].span.start);
    }
}

#[test]
fn heads_of_codexglue_read_texts_with_collapsed_whitespace() {
    let model = fixture("task_heads/defect");
    let spaced = "def  add(a,\n         b):\n\treturn a\n";
    let collapsed = "def add(a, b): return a";
    let by_file = PredictionOptions {
        by: UnitKind::File,
        ..PredictionOptions::default()
    };
    let found = ask(&model, spaced, &by_file).unwrap();
    assert_eq!(found.normalize, Normalize::Whitespace);
    let logit = |prediction| units(prediction)[0].labels()[0].logit;
    let of_spaced = logit(found);
    assert_eq!(of_spaced, logit(ask(&model, collapsed, &by_file).unwrap()));
    let as_it_is = PredictionOptions {
        normalize: Some(Normalize::None),
        ..by_file
    };
    assert_ne!(of_spaced, logit(ask(&model, spaced, &as_it_is).unwrap()));
}

#[test]
fn two_texts_are_compared_by_a_classifier_of_pairs() {
    let model = fixture("task_heads/clone");
    let (one, other) = (
        python("def add(a, b):\n    return a + b\n"),
        python("for i in range(3):\n    print(i)\n"),
    );
    let compare = |a, b| {
        predict_pair(
            &model,
            [a, b],
            &PredictionOptions::default(),
            &AtomicBool::new(false),
            &mut |_, _| {},
        )
    };
    let there = units(compare(&one, &other).unwrap());
    let back = units(compare(&other, &one).unwrap());
    assert_eq!(there[0].labels().len(), 2);
    assert_ne!(there[0].labels(), back[0].labels());
    let error = ask(&model, TWO, &PredictionOptions::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("name two files"), "{error}");
}

#[test]
fn a_classifier_of_subwords_labels_each_lexeme() {
    let model = fixture("task_heads/token");
    let Answers::Labels(lexemes) = ask(&model, "x = add(1)\n", &PredictionOptions::default())
        .unwrap()
        .answers
    else {
        panic!("labels of lexemes")
    };
    assert_eq!(lexemes.len(), 6);
    assert!(lexemes.iter().all(|lexeme| lexeme.labels.len() == 4));
}

#[test]
fn surprise_is_the_sum_over_the_subwords_that_are_masked_at_once() {
    let model = load(&ModelSource::Embedded);
    let text = "def fibonacci(n):\n    return fibonacci(n - 1)\n";
    let options = PredictionOptions {
        at: text.rfind("fibonacci"),
        ..PredictionOptions::default()
    };
    let found = masked(ask(&model, text, &options).unwrap());
    let [lexeme] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(lexeme.span.of(text), "fibonacci");
    // The same from the parts: ids masked by hand, and the log-probabilities of what stands there.
    let encoding = model.tokenizer().encode(text);
    let on: Vec<usize> = (0..encoding.ids.len())
        .filter(|&i| encoding.spans[i].is_some_and(|span| span.overlap(lexeme.span) > 0))
        .collect();
    assert!(on.len() > 1, "the word has several subwords");
    assert_eq!(lexeme.n_subwords, on.len());
    let mut ids = encoding.ids.clone();
    for &i in &on {
        ids[i] = model.tokenizer().mask_id().unwrap();
    }
    let cancel = AtomicBool::new(false);
    let asker = Asker::new(&model, &options, &cancel).unwrap();
    let hidden = asker.last_hidden_state(&ids).unwrap();
    let logits = asker.head.logits(&model, &hidden, &on).unwrap();
    let bits: f64 = (0..on.len())
        .map(|i| {
            -logits.log_probabilities(i)[encoding.ids[on[i]] as usize] / std::f64::consts::LN_2
        })
        .sum();
    assert!((lexeme.surprise - bits).abs() < 1e-9);
    assert!((lexeme.probability.log2() + bits).abs() < 1e-9);
    assert!(
        lexeme
            .candidates
            .is_sorted_by(|a, b| a.probability >= b.probability)
    );
}

/// The numbers are those of `RobertaForMaskedLM` of transformers with the same ids.
#[test]
fn a_masked_lexeme_has_the_probabilities_of_transformers() {
    let model = load(&ModelSource::Embedded);
    let text = "def square(number):\n    return number * number\n";
    let options = PredictionOptions {
        top: 3,
        ..PredictionOptions::default()
    };
    let lexemes = masked(ask(&model, text, &options).unwrap());
    let last = lexemes.last().unwrap();
    assert_eq!(last.span.of(text), "number");
    assert!((last.probability - 4.9496e-5).abs() < 1e-8, "{last:?}");
    let expected = [
        ("\n\n", 0.243_491),
        ("\n", 0.167_244),
        ("\"\"\"", 0.030_986),
    ];
    assert_eq!(last.candidates.len(), 3);
    for (found, (text, probability)) in last.candidates.iter().zip(expected) {
        assert_eq!(found.text, text);
        assert!((found.probability - probability).abs() < 1e-5, "{found:?}");
    }
}

#[test]
fn candidates_of_several_subwords_are_the_most_probable_of_all_combinations() {
    let model = load(&ModelSource::Embedded);
    let logs = vec![vec![-0.2, -1.8, -3.0], vec![-1.0, -0.9, -1.5]];
    let found = masked::candidates(&model, &logs, 4);
    let mut expected: Vec<f64> = logs[0]
        .iter()
        .flat_map(|a| logs[1].iter().map(move |b| (a + b).exp()))
        .collect();
    expected.sort_by(|a, b| b.total_cmp(a));
    for (found, expected) in found.iter().zip(&expected[..4]) {
        assert!((found.probability - expected).abs() < 1e-12);
    }
}

#[test]
fn masks_in_a_text_are_filled() {
    let model = load(&ModelSource::Embedded);
    let fill = |text: &str| {
        fill_masks(
            &model,
            text,
            &PredictionOptions::default(),
            &AtomicBool::new(false),
        )
    };
    let found = fill("for i in <mask>(10):\n    print(<mask>)\n").unwrap();
    assert_eq!(found.len(), 2);
    // As the fill-mask pipeline of transformers.
    for (found, (text, probability)) in found.iter().zip([(" TODO", 0.028_038), ("10", 0.179_956)])
    {
        assert_eq!(found[0].text, text);
        assert!(
            (found[0].probability - probability).abs() < 1e-5,
            "{found:?}"
        );
    }
    assert!(matches!(
        fill("x = 1").unwrap_err(),
        PredictionError::NoMaskInText
    ));
    assert_eq!(fill("<mask>").unwrap().len(), 1);
}

#[test]
fn what_cannot_be_predicted_is_an_error_with_the_next_step() {
    let model = load(&ModelSource::Embedded);
    let text = "def f(x):\n    return x\n";
    let at = |offset| PredictionOptions {
        at: Some(offset),
        ..PredictionOptions::default()
    };
    let error = ask(&model, text, &at(text.find("  ").unwrap())).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("whitespace at this position; choose"),
        "{error}"
    );
    let error = ask(&model, " \n\t\n", &PredictionOptions::default()).unwrap_err();
    assert!(matches!(error, PredictionError::Blank), "{error}");
    let error = ask(&fixture("sharded"), text, &PredictionOptions::default()).unwrap_err();
    assert!(
        matches!(error, PredictionError::Load(LoadError::NoTaskHead { .. })),
        "{error}"
    );
    let cancelled = predict(
        &model,
        &python(text),
        &PredictionOptions::default(),
        &AtomicBool::new(true),
        &mut |_, _| {},
    );
    assert!(matches!(
        cancelled.unwrap_err(),
        PredictionError::Forward(ForwardError::Cancelled)
    ));
    let classifier = fixture("task_heads/sequence");
    let error = fill_masks(
        &classifier,
        "a <mask>",
        &PredictionOptions::default(),
        &AtomicBool::new(false),
    )
    .unwrap_err();
    assert!(
        error.to_string().contains("use a model with an lm_head"),
        "{error}"
    );
}
