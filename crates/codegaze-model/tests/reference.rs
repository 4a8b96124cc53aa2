//! The encoder against Hugging Face transformers in PyTorch (`tests/fixtures/generate.py`), in every layout of weights.
//! `tests/references` has a second opinion: candle-transformers.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use codegaze_model::roberta::{
    AttentionSink, ForwardError, ForwardPlan, HiddenStates, LayerAttention,
};
use codegaze_model::source::{HubOptions, ModelSource};
use codegaze_model::{Device, LoadError, Model, Precision};
use codegaze_text::ByteSpan;
use safetensors::SafeTensors;
use serde::Deserialize;

/// What the encoder promises, absolute.
const ATTENTION_TOLERANCE: f32 = 1e-4;
const HIDDEN_TOLERANCE: f32 = 1e-3;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn fixtures() -> PathBuf {
    root().join("tests/fixtures")
}

fn load(directory: &Path, device: Device) -> Result<Model, LoadError> {
    let source = ModelSource::Directory(directory.to_owned());
    Model::load(
        &source.resolve(&HubOptions::from_env(), &())?,
        device,
        Precision::default(),
    )
}

/// One text with what transformers makes of it.
#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names in the file")]
struct Text {
    text: String,
    input_ids: Vec<u32>,
    offsets: Vec<(usize, usize)>,
}

impl Text {
    /// (0, 0) stands for a special subword at both ends.
    fn spans(&self) -> Vec<Option<ByteSpan>> {
        let last = self.offsets.len() - 1;
        let span = |(i, &(start, end)): (usize, &(usize, usize))| {
            (i != 0 && i != last).then(|| ByteSpan::new(start, end))
        };
        self.offsets.iter().enumerate().map(span).collect()
    }
}

struct Reference {
    texts: BTreeMap<String, Text>,
    tensors: Vec<u8>,
}

impl Reference {
    fn read(name: &str) -> Self {
        let json = std::fs::read(fixtures().join(format!("{name}.json"))).unwrap();
        Self {
            texts: serde_json::from_slice(&json).unwrap(),
            tensors: std::fs::read(fixtures().join(format!("{name}.safetensors"))).unwrap(),
        }
    }

    fn tensor(&self, name: &str) -> Vec<f32> {
        let tensors = SafeTensors::deserialize(&self.tensors).unwrap();
        let bytes = tensors.tensor(name).unwrap().data();
        bytes
            .as_chunks()
            .0
            .iter()
            .map(|x| f32::from_le_bytes(*x))
            .collect()
    }
}

/// Keeps everything that a pass hands out.
#[derive(Default)]
struct Everything {
    attentions: Vec<f32>,
    hidden_states: Vec<f32>,
    layers: Vec<usize>,
}

impl AttentionSink for Everything {
    fn attention(&mut self, attention: LayerAttention<'_>) -> ControlFlow<()> {
        self.layers.push(attention.layer_idx);
        self.attentions.extend_from_slice(attention.weights);
        ControlFlow::Continue(())
    }

    fn hidden_state(&mut self, _index: usize, values: &[f32]) {
        self.hidden_states.extend_from_slice(values);
    }
}

fn run(model: &Model, text: &str, plan: &ForwardPlan) -> Everything {
    let mut sink = Everything::default();
    let encoding = model.tokenizer().encode(text);
    model
        .forward(&encoding, plan, &mut sink, &AtomicBool::new(false))
        .unwrap();
    sink
}

fn everything(model: &Model) -> ForwardPlan {
    ForwardPlan {
        layers: (0..model.info().n_layers).collect(),
        transformed_values: false,
        blocks: false,
        hidden_states: HiddenStates::All,
    }
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: number of values");
    let worst =
        found
            .iter()
            .zip(expected)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, |worst: f32, x| {
                if x.is_nan() {
                    f32::INFINITY
                } else {
                    worst.max(x)
                }
            });
    assert!(
        worst <= tolerance,
        "{what}: differs by {worst}, allowed is {tolerance}"
    );
}

fn compare(model: &Model, reference: &Reference, loosen: f32, what: &str) {
    for (name, text) in &reference.texts {
        let encoding = model.tokenizer().encode(&text.text);
        assert_eq!(encoding.ids, text.input_ids, "{what}, {name}: ids");
        assert_eq!(encoding.spans, text.spans(), "{what}, {name}: spans");
        let found = run(model, &text.text, &everything(model));
        let what = format!("{what}, {name}");
        let attentions = reference.tensor(&format!("{name}.attentions"));
        assert_close(
            &found.attentions,
            &attentions,
            loosen * ATTENTION_TOLERANCE,
            &what,
        );
        let hidden = reference.tensor(&format!("{name}.hidden_states"));
        assert_close(
            &found.hidden_states,
            &hidden,
            loosen * HIDDEN_TOLERANCE,
            &what,
        );
        for row in found.attentions.chunks_exact(encoding.ids.len()) {
            assert!(
                (row.iter().sum::<f32>() - 1.0).abs() < 1e-5,
                "{what}: a row's sum"
            );
        }
    }
}

#[test]
fn every_layout_equals_transformers() {
    let reference = Reference::read("reference");
    for layout in ["safetensors", "sharded", "torch_zip", "torch_legacy"] {
        for device in [Device::Cpu, Device::CandleCpu] {
            let model = load(&fixtures().join(layout), device).unwrap();
            compare(&model, &reference, 1.0, &format!("{layout} on {device:?}"));
        }
    }
}

#[test]
fn half_precision_weights_come_close() {
    // The weights themselves are rounded: three significant digits in f16, two to three in bf16.
    let reference = Reference::read("reference");
    for (layout, loosen) in [("f16", 100.0), ("bf16", 1000.0)] {
        let model = load(&fixtures().join(layout), Device::Cpu).unwrap();
        compare(&model, &reference, loosen, layout);
    }
}

#[test]
fn the_embedded_model_equals_transformers() {
    let reference = Reference::read("mini-reference");
    for device in [Device::Cpu, Device::CandleCpu] {
        let model = load(&root().join("crates/codegaze-mini/model"), device).unwrap();
        compare(
            &model,
            &reference,
            1.0,
            &format!("codegaze-mini on {device:?}"),
        );
    }
}

#[test]
fn a_pass_stops_after_the_last_layer_that_is_needed() {
    let model = load(&fixtures().join("safetensors"), Device::Cpu).unwrap();
    let reference = Reference::read("reference");
    let text = &reference.texts["code"];
    let full = run(&model, &text.text, &everything(&model));
    let n = text.input_ids.len();
    let layer_size = model.info().n_heads * n * n;
    for layers in [vec![0], vec![1], vec![0, 2], vec![2]] {
        let plan = ForwardPlan {
            layers: layers.clone(),
            ..ForwardPlan::default()
        };
        let found = run(&model, &text.text, &plan);
        assert_eq!(found.layers, layers);
        assert!(found.hidden_states.is_empty());
        let expected: Vec<f32> = layers
            .iter()
            .flat_map(|layer| &full.attentions[layer * layer_size..(layer + 1) * layer_size])
            .copied()
            .collect();
        assert_close(&found.attentions, &expected, 1e-6, "a part of the layers");
    }
}

/// Raises the cancel flag, or breaks off, at the first layer.
struct Stop<'a> {
    cancel: Option<&'a AtomicBool>,
    n_seen: usize,
}

impl AttentionSink for Stop<'_> {
    fn attention(&mut self, _: LayerAttention<'_>) -> ControlFlow<()> {
        self.n_seen += 1;
        match self.cancel {
            Some(cancel) => {
                cancel.store(true, std::sync::atomic::Ordering::Relaxed);
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        }
    }
}

#[test]
fn a_pass_can_be_cancelled_and_broken_off() {
    let model = load(&fixtures().join("safetensors"), Device::Cpu).unwrap();
    let encoding = model.tokenizer().encode("def f(x): return x");
    let cancel = AtomicBool::new(false);
    let plan = everything(&model);
    let mut sink = Stop {
        cancel: None,
        n_seen: 0,
    };
    model.forward(&encoding, &plan, &mut sink, &cancel).unwrap();
    assert_eq!(sink.n_seen, 1);
    let mut sink = Stop {
        cancel: Some(&cancel),
        n_seen: 0,
    };
    let error = model
        .forward(&encoding, &plan, &mut sink, &cancel)
        .unwrap_err();
    assert!(matches!(error, ForwardError::Cancelled), "{error}");
    assert_eq!(sink.n_seen, 1);
}

#[test]
fn too_many_subwords_are_an_error() {
    let model = load(&fixtures().join("safetensors"), Device::Cpu).unwrap();
    let encoding = model.tokenizer().encode(&"x = 1\n".repeat(100));
    let mut sink = Everything::default();
    let plan = everything(&model);
    let error = model
        .forward(&encoding, &plan, &mut sink, &AtomicBool::new(false))
        .unwrap_err();
    let (n, max) = (encoding.ids.len(), model.info().max_tokens);
    let expected = format!("{n} subwords do not fit the model's {max} positions");
    assert!(error.to_string().starts_with(&expected), "{error}");
}

/// Sums of the transformed values over heads, weighted by attention, are the attention block's output before its bias: the
/// identity on which norm-based attribution rests. Checked through both backends.
#[test]
fn transformed_values_agree_between_backends() {
    struct Values(Vec<f32>);
    impl AttentionSink for Values {
        fn attention(&mut self, attention: LayerAttention<'_>) -> ControlFlow<()> {
            self.0
                .extend(attention.transformed_values.expect("asked for"));
            ControlFlow::Continue(())
        }
    }
    let of = |device| {
        let model = load(&fixtures().join("torch_zip"), device).unwrap();
        let plan = ForwardPlan {
            layers: vec![0, 1, 2],
            transformed_values: true,
            blocks: false,
            hidden_states: HiddenStates::None,
        };
        let encoding = model.tokenizer().encode("if x is not None:\n\treturn x\n");
        let mut sink = Values(Vec::new());
        model
            .forward(&encoding, &plan, &mut sink, &AtomicBool::new(false))
            .unwrap();
        sink.0
    };
    let (cpu, candle) = (of(Device::Cpu), of(Device::CandleCpu));
    assert!(cpu.iter().any(|x| x.abs() > 0.1));
    assert_close(&cpu, &candle, 1e-4, "transformed values");
}
