//! Task heads against transformers and the scripts' own classes (`tests/fixtures/task_heads.py`), and against finite differences.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use codegaze_model::roberta::{AttentionSink, ForwardPlan, HiddenStates, LayerAttention, Start};
use codegaze_model::source::{HubOptions, ModelSource};
use codegaze_model::task::{Activation, Answer, HeadLayout, Quantity, TaskError, TaskKind};
use codegaze_model::{Device, LoadError, Model, ModelOptions, Precision};

const TOLERANCE: f32 = 1e-4;

/// Every checkpoint with the layout and the activation that it has.
const CHECKPOINTS: [(&str, HeadLayout, Activation, &str); 9] = [
    ("masked", HeadLayout::Tied, Activation::Softmax, ""),
    ("masked_untied", HeadLayout::Untied, Activation::Softmax, ""),
    (
        "sequence",
        HeadLayout::Sequence,
        Activation::Softmax,
        "kind 0, kind 1, kind 2",
    ),
    (
        "multi_label",
        HeadLayout::Sequence,
        Activation::Sigmoid,
        "kind 0, kind 1, kind 2",
    ),
    (
        "regression",
        HeadLayout::Sequence,
        Activation::Identity,
        "LABEL_0",
    ),
    (
        "token",
        HeadLayout::Token,
        Activation::Softmax,
        "kind 0, kind 1, kind 2, kind 3",
    ),
    (
        "defect",
        HeadLayout::DefectDetection,
        Activation::Sigmoid,
        "defective",
    ),
    (
        "linevul",
        HeadLayout::LineVul,
        Activation::Softmax,
        "not vulnerable, vulnerable",
    ),
    (
        "clone",
        HeadLayout::CloneDetection,
        Activation::Softmax,
        "not a clone, clone",
    ),
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

fn try_load(directory: &Path, options: &ModelOptions) -> Result<Model, LoadError> {
    let source = ModelSource::Directory(directory.to_owned());
    let files = source.resolve(&HubOptions::from_env(), &()).unwrap();
    Model::load_with(&files, Device::Cpu, Precision::default(), options)
}

fn load(name: &str) -> Model {
    try_load(
        &fixtures().join("task_heads").join(name),
        &ModelOptions::default(),
    )
    .unwrap()
}

fn reference(name: &str) -> (Vec<String>, Vec<f32>) {
    let text = std::fs::read_to_string(fixtures().join("task_heads/heads.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let texts = serde_json::from_value(json[name]["texts"].clone()).unwrap();
    let logits: Vec<Vec<f32>> = serde_json::from_value(json[name]["logits"].clone()).unwrap();
    (texts, logits.concat())
}

struct Last(Vec<f32>);

impl AttentionSink for Last {
    fn attention(&mut self, _: LayerAttention<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn hidden_state(&mut self, _: usize, values: &[f32]) {
        self.0 = values.to_vec();
    }
}

fn last_hidden_state(model: &Model, text: &str) -> Vec<f32> {
    let plan = ForwardPlan {
        hidden_states: HiddenStates::Last,
        ..ForwardPlan::default()
    };
    let ids = model.tokenizer().encode(text).ids;
    let mut sink = Last(Vec::new());
    model
        .forward_ids(
            &ids,
            Start::Embeddings,
            &plan,
            &mut sink,
            &AtomicBool::new(false),
        )
        .unwrap();
    sink.0
}

/// What a head reads of its reference's texts, and the positions that it answers.
fn input(model: &Model, name: &str) -> (Vec<f32>, Vec<usize>) {
    let (texts, logits) = reference(name);
    let states: Vec<Vec<f32>> = texts
        .iter()
        .map(|text| last_hidden_state(model, text))
        .collect();
    let kind = model.task().unwrap().kind;
    let positions = match kind {
        TaskKind::Masked => vec![1, 4],
        TaskKind::Token => (0..logits.len() / 4).collect(),
        TaskKind::Sequence | TaskKind::Pair => vec![0],
    };
    let rows = match kind {
        TaskKind::Pair => {
            let width = model.info().hidden_size;
            [&states[0][..width], &states[1][..width]].concat()
        }
        _ => states[0].clone(),
    };
    (rows, positions)
}

#[test]
fn logits_of_every_layout_equal_those_of_its_class() {
    for (name, ..) in CHECKPOINTS {
        let model = load(name);
        let (rows, positions) = input(&model, name);
        let found = model
            .task_head()
            .unwrap()
            .logits(&model, &rows, &positions)
            .unwrap();
        let expected = reference(name).1;
        assert_eq!(found.values.len(), expected.len(), "{name}");
        for (found, expected) in found.values.iter().zip(&expected) {
            assert!(
                (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0),
                "{name}: {found}, reference {expected}"
            );
        }
    }
}

#[test]
fn layouts_are_found_by_names_and_shapes() {
    for (name, layout, activation, labels) in CHECKPOINTS {
        let found = load(name).task().unwrap();
        assert_eq!(
            (found.layout, found.activation),
            (layout, activation),
            "{name}"
        );
        assert_eq!(found.labels.join(", "), labels, "{name}");
    }
    for name in ["defect", "linevul", "clone"] {
        let model = load(name);
        assert_eq!(model.info().encoder_prefix, "encoder.roberta.", "{name}");
        let module = if name == "defect" {
            "encoder.classifier"
        } else {
            "classifier"
        };
        assert_eq!(model.task().unwrap().module, module, "{name}");
    }
}

#[test]
fn a_head_that_is_used_is_not_noted_as_unused() {
    assert_eq!(load("sequence").info().notes, Vec::<String>::new());
    let notes = load("linevul").info().notes.join("; ");
    assert!(notes.contains("encoder.classifier"), "{notes}");
    assert!(!notes.contains("used: classifier"), "{notes}");
}

#[test]
fn probabilities_follow_the_activation() {
    for (name, _, activation, _) in CHECKPOINTS {
        let model = load(name);
        let (rows, positions) = input(&model, name);
        let logits = model
            .task_head()
            .unwrap()
            .logits(&model, &rows, &positions)
            .unwrap();
        let found = logits.log_probabilities(0);
        let sum: f64 = found.iter().map(|log| log.exp()).sum();
        match activation {
            Activation::Softmax => assert!((sum - 1.0).abs() < 1e-9, "{name}: {sum}"),
            Activation::Sigmoid => {
                for (log, logit) in found.iter().zip(&logits.values) {
                    let expected = 1.0 / (1.0 + (-f64::from(*logit)).exp());
                    assert!((log.exp() - expected).abs() < 1e-9, "{name}");
                }
            }
            Activation::Identity => {
                let expected: Vec<f64> = logits.values.iter().map(|x| f64::from(*x)).collect();
                assert_eq!(found, expected, "{name}");
            }
        }
    }
}

#[test]
fn gradients_of_answers_equal_finite_differences() {
    for (name, ..) in CHECKPOINTS {
        let model = load(name);
        let head = model.task_head().unwrap();
        let (rows, positions) = input(&model, name);
        let position = *positions.last().unwrap();
        for quantity in [Quantity::Logit, Quantity::LogProbability] {
            let class = head.logits(&model, &rows, &[position]).unwrap().n_classes - 1;
            let answer = Answer {
                position,
                class,
                quantity,
            };
            let (_, gradient) = head.gradient(&model, &rows, answer).unwrap();
            assert_eq!(gradient.len(), rows.len());
            let direction: Vec<f32> = (0u8..=255)
                .cycle()
                .take(rows.len())
                .map(|i| f32::from(i).sin())
                .collect();
            let value = |factor: f32| {
                let moved: Vec<f32> = rows
                    .iter()
                    .zip(&direction)
                    .map(|(x, d)| x + factor * d)
                    .collect();
                head.gradient(&model, &moved, answer).unwrap().0
            };
            let slope = (value(1e-2) - value(-1e-2)) / 2e-2;
            let product: f64 = gradient
                .iter()
                .zip(&direction)
                .map(|(g, d)| f64::from(*g) * f64::from(*d))
                .sum();
            let size: f64 = gradient.iter().map(|g| f64::from(g.abs())).sum();
            assert!(size > 1e-3, "{name}: the gradient is not zero");
            assert!(
                (slope - product).abs() <= 5e-3 * size,
                "{name}, {quantity:?}: {slope}, {product} of {size}"
            );
        }
    }
}

#[test]
fn the_embedded_model_has_its_masked_head() {
    let files = ModelSource::Embedded
        .resolve(&HubOptions::from_env(), &())
        .unwrap();
    let model = Model::load(&files, Device::Cpu, Precision::default()).unwrap();
    assert_eq!(model.task().unwrap().layout, HeadLayout::Tied);
    // The decoder is the encoder's: of the head, only a matrix of hidden × hidden and some vectors are kept.
    let (hidden, vocab) = (model.info().hidden_size, model.config().vocab_size);
    let n_values = hidden * hidden + 3 * hidden + vocab;
    assert_eq!(model.task_head().unwrap().n_bytes(), 4 * n_values);
}

#[test]
fn an_encoder_without_a_head_is_an_error_with_the_next_step() {
    let model = try_load(&fixtures().join("sharded"), &ModelOptions::default()).unwrap();
    let error = model.task_head().err().unwrap();
    assert!(matches!(error, LoadError::NoTaskHead { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("use a checkpoint with lm_head or classifier"),
        "{error}"
    );
}

#[test]
fn a_task_and_a_prefix_that_the_file_does_not_have_are_errors_that_list_what_is_there() {
    let directory = fixtures().join("task_heads/linevul");
    let wanted = ModelOptions {
        task: Some(TaskKind::Token),
        ..ModelOptions::default()
    };
    let error = try_load(&directory, &wanted).err().unwrap().to_string();
    assert!(error.contains("classifier (sequence)"), "{error}");
    let wanted = ModelOptions {
        encoder_prefix: Some("bert".to_owned()),
        ..ModelOptions::default()
    };
    let error = try_load(&directory, &wanted).err().unwrap().to_string();
    assert!(
        error.contains("encoder.roberta.") && error.contains("bert."),
        "{error}"
    );
    let wanted = ModelOptions {
        encoder_prefix: Some("roberta".to_owned()),
        ..ModelOptions::default()
    };
    let model = try_load(&directory, &wanted).unwrap();
    assert_eq!(model.info().encoder_prefix, "roberta.");
}

/// A copy of a checkpoint's directory with other settings in its `config.json`.
fn changed(name: &str, change: impl FnOnce(&mut serde_json::Value)) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(fixtures().join("task_heads").join(name)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let path = copy.path().join("config.json");
    let mut json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut json);
    std::fs::write(path, json.to_string()).unwrap();
    copy
}

#[test]
fn labels_that_contradict_the_head_are_an_error() {
    let labels: serde_json::Map<_, _> = (0..200)
        .map(|i| (i.to_string(), format!("kind {i}").into()))
        .collect();
    let directory = changed("sequence", |json| json["id2label"] = labels.into());
    let model = try_load(directory.path(), &ModelOptions::default()).unwrap();
    let error = model.task().unwrap_err();
    assert!(
        matches!(
            error,
            LoadError::TaskLabels {
                n_outputs: 3,
                n_labels: 200,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn positions_and_classes_that_a_head_does_not_have_are_errors() {
    let model = load("sequence");
    let head = model.task_head().unwrap();
    let (rows, _) = input(&model, "sequence");
    let class = Answer {
        position: 0,
        class: 3,
        quantity: Quantity::Logit,
    };
    let errors = [
        head.logits(&model, &rows, &[1000]).unwrap_err(),
        head.logits(&model, &rows[1..], &[0]).unwrap_err(),
        head.gradient(&model, &rows, class).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, TaskError::Shape { .. }), "{error}");
    }
    let error = head
        .logits(&model, &vec![f32::NAN; rows.len()], &[0])
        .unwrap_err();
    assert!(matches!(error, TaskError::NotFinite), "{error}");
}
