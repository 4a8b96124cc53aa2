//! Gradients against PyTorch's autograd (`tests/fixtures/generate.py`), and against finite differences.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use codegaze_model::roberta::{
    BackwardPass, ForwardError, GradientSink, HiddenStates, LayerGradient, Start,
};
use codegaze_model::source::{HubOptions, ModelSource};
use codegaze_model::tokenizer::Encoding;
use codegaze_model::{Device, Model, Precision};
use proptest::prelude::*;
use safetensors::SafeTensors;

/// Relative to the greatest value of a tensor.
const TOLERANCE: f32 = 1e-4;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn fixtures() -> PathBuf {
    root().join("tests/fixtures")
}

fn load(directory: &Path, device: Device) -> Model {
    let source = ModelSource::Directory(directory.to_owned());
    let files = source.resolve(&HubOptions::from_env(), &()).unwrap();
    Model::load(&files, device, Precision::default()).unwrap()
}

fn hidden_states(model: &Model, encoding: &Encoding, start: Start<'_>) -> Vec<Vec<f32>> {
    let (all, cancel) = (HiddenStates::All, AtomicBool::new(false));
    model
        .hidden_states(&encoding.ids, start, all, &cancel)
        .unwrap()
}

#[derive(Default)]
struct Gradients {
    layers: Vec<usize>,
    /// By layer, descending.
    attentions: Vec<Vec<f32>>,
    word_embeddings: Vec<f32>,
}

impl GradientSink for Gradients {
    fn attention(&mut self, gradient: LayerGradient<'_>) -> ControlFlow<()> {
        assert_eq!(gradient.weights.len(), gradient.gradient.len());
        self.layers.push(gradient.layer_idx);
        self.attentions.push(gradient.gradient.to_vec());
        ControlFlow::Continue(())
    }

    fn word_embeddings(&mut self, gradient: &[f32]) {
        self.word_embeddings = gradient.to_vec();
    }
}

fn gradients(model: &Model, encoding: &Encoding, seed: &[f32]) -> Gradients {
    let states = hidden_states(model, encoding, Start::Embeddings);
    let pass = BackwardPass {
        ids: &encoding.ids,
        word_embeddings: None,
        inputs: &states[..model.info().n_layers],
        gradient: seed,
    };
    let mut sink = Gradients::default();
    model
        .backward(&pass, &mut sink, &AtomicBool::new(false))
        .unwrap();
    sink
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: number of values");
    let scale = expected.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    assert!(scale > 1e-3, "{what}: the reference is not zero");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= TOLERANCE * scale,
            "{what}, value {i}: {found}, PyTorch has {expected}"
        );
    }
}

fn compare_with_autograd(model: &Model, prefix: &str, texts: &[&str]) {
    let read = |name: &str| std::fs::read(fixtures().join(name)).unwrap();
    let json: serde_json::Value =
        serde_json::from_slice(&read(&format!("{prefix}reference.json"))).unwrap();
    let bytes = read(&format!("{prefix}gradients.safetensors"));
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    for text in texts {
        let tensor = |name: &str| -> Vec<f32> {
            let tensor = tensors.tensor(&format!("{text}.{name}")).unwrap();
            let values = tensor.data().as_chunks().0;
            values.iter().map(|x| f32::from_le_bytes(*x)).collect()
        };
        let encoding = model
            .tokenizer()
            .encode(json[text]["text"].as_str().unwrap());
        let found = gradients(model, &encoding, &tensor("seed"));
        let what = format!("{prefix}{text} on {}", model.info().device.as_str());
        assert_close(&found.word_embeddings, &tensor("word_embeddings"), &what);
        let mut layers: Vec<usize> = (0..model.info().n_layers).collect();
        layers.reverse();
        assert_eq!(found.layers, layers);
        let expected = tensor("attentions");
        let size = expected.len() / layers.len();
        for (layer, found) in layers.iter().zip(&found.attentions) {
            let expected = &expected[layer * size..(layer + 1) * size];
            assert_close(
                found,
                expected,
                &format!("{what}, attention of layer {layer}"),
            );
        }
    }
}

#[test]
fn gradients_equal_those_of_autograd() {
    for device in [Device::Cpu, Device::CandleCpu] {
        let model = load(&fixtures().join("safetensors"), device);
        compare_with_autograd(&model, "", &["code", "unicode", "special"]);
        let model = load(&root().join("crates/codegaze-mini/model"), device);
        compare_with_autograd(&model, "mini-", &["mini"]);
    }
}

#[test]
fn word_embeddings_in_the_place_of_ids_give_the_same_pass() {
    for device in [Device::Cpu, Device::CandleCpu] {
        let model = load(&fixtures().join("torch_zip"), device);
        let encoding = model.tokenizer().encode("def f(x):\n    return x\n");
        let words = model.word_embeddings(&encoding.ids).unwrap();
        let by_ids = hidden_states(&model, &encoding, Start::Embeddings);
        let by_words = hidden_states(&model, &encoding, Start::WordEmbeddings(&words));
        assert_eq!(by_ids, by_words);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// (t(e + εδ) − t(e − εδ)) / 2ε = ⟨∂t/∂e, δ⟩ for any direction δ.
    #[test]
    fn gradients_equal_finite_differences(
        text in "[a-z]{1,6}( = [a-z0-9]{1,4}[-+*]?){1,3}",
        numbers in proptest::collection::vec(-1.0f32..1.0, 64),
        embedded in any::<bool>(),
    ) {
        let directory = if embedded { "crates/codegaze-mini/model" } else { "tests/fixtures/safetensors" };
        let model = load(&root().join(directory), Device::Cpu);
        let encoding = model.tokenizer().encode(&text);
        let words = model.word_embeddings(&encoding.ids).unwrap();
        let at = |i: usize| numbers[(i * 31 + i / 64) % 64];
        let seed: Vec<f32> = (0..words.len()).map(|i| at(i + 7)).collect();
        let direction: Vec<f32> = (0..words.len()).map(at).collect();
        let scale = words.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        let epsilon = 1e-3 * scale;
        let target = |factor: f32| -> f64 {
            let moved: Vec<f32> = words.iter().zip(&direction).map(|(e, d)| e + factor * d).collect();
            let states = hidden_states(&model, &encoding, Start::WordEmbeddings(&moved));
            let last = states.last().unwrap();
            last.iter().zip(&seed).map(|(h, s)| f64::from(*h) * f64::from(*s)).sum()
        };
        let slope = (target(epsilon) - target(-epsilon)) / (2.0 * f64::from(epsilon));
        let found = gradients(&model, &encoding, &seed);
        let product: f64 = found.word_embeddings.iter().zip(&direction).map(|(g, d)| f64::from(*g) * f64::from(*d)).sum();
        let size: f64 = found.word_embeddings.iter().map(|g| f64::from(g.abs())).sum();
        prop_assert!((slope - product).abs() <= 5e-3 * size, "{slope}, {product} of {size}");
    }
}

#[test]
fn a_backward_pass_can_be_cancelled_and_broken_off() {
    struct First(usize);
    impl GradientSink for First {
        fn attention(&mut self, _: LayerGradient<'_>) -> ControlFlow<()> {
            self.0 += 1;
            ControlFlow::Break(())
        }

        fn word_embeddings(&mut self, _: &[f32]) {
            self.0 += 100;
        }
    }
    let model = load(&fixtures().join("safetensors"), Device::Cpu);
    let encoding = model.tokenizer().encode("x = y");
    let states = hidden_states(&model, &encoding, Start::Embeddings);
    let pass = BackwardPass {
        ids: &encoding.ids,
        word_embeddings: None,
        inputs: &states[..3],
        gradient: &states[3],
    };
    let mut sink = First(0);
    model
        .backward(&pass, &mut sink, &AtomicBool::new(false))
        .unwrap();
    assert_eq!(sink.0, 1);
    let error = model
        .backward(&pass, &mut sink, &AtomicBool::new(true))
        .unwrap_err();
    assert!(matches!(error, ForwardError::Cancelled), "{error}");
}

#[test]
fn values_of_another_length_are_an_error() {
    let model = load(&fixtures().join("safetensors"), Device::Cpu);
    let encoding = model.tokenizer().encode("x = y");
    let states = hidden_states(&model, &encoding, Start::Embeddings);
    let whole = BackwardPass {
        ids: &encoding.ids,
        word_embeddings: None,
        inputs: &states[..3],
        gradient: &states[3],
    };
    let short = vec![vec![0.0; 3]];
    for (pass, what) in [
        (
            BackwardPass {
                gradient: &states[3][1..],
                ..whole
            },
            "the gradient",
        ),
        (
            BackwardPass {
                word_embeddings: Some(&states[0][1..]),
                ..whole
            },
            "the word embeddings",
        ),
        (
            BackwardPass {
                inputs: &short,
                ..whole
            },
            "a layer's input",
        ),
        (
            BackwardPass {
                inputs: &states,
                ..whole
            },
            "layers with inputs",
        ),
    ] {
        let error = model
            .backward(&pass, &mut Gradients::default(), &AtomicBool::new(false))
            .unwrap_err()
            .to_string();
        assert!(error.contains(what), "{error}");
    }
}
