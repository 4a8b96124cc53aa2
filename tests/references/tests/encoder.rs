//! Compares the encoder with candle-transformers, besides the values of PyTorch in `crates/codegaze-model/tests/reference.rs`.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use candle_core::{DType, Device as CandleDevice, Tensor};
use candle_transformers::models::xlm_roberta;
use codegaze::model::roberta::{AttentionSink, ForwardPlan, HiddenStates, LayerAttention};
use codegaze::model::source::{HubOptions, ModelSource};
use codegaze::model::{Device, Model, Precision};
use serde::Deserialize;

/// The greatest absolute difference that is accepted.
const HIDDEN_TOLERANCE: f32 = 1e-3;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

/// One text, with its ids from transformers.
#[derive(Deserialize)]
struct Text {
    text: String,
    input_ids: Vec<u32>,
}

/// [token, hidden]
#[derive(Default)]
struct LastHiddenState(Vec<f32>);

impl AttentionSink for LastHiddenState {
    fn attention(&mut self, _: LayerAttention<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn hidden_state(&mut self, _index: usize, values: &[f32]) {
        self.0.extend_from_slice(values);
    }
}

#[test]
fn candle_transformers_agrees_on_hidden_states() {
    let directory = fixtures().join("safetensors");
    let source = ModelSource::Directory(directory.clone());
    let files = source.resolve(&HubOptions::from_env(), &()).unwrap();
    let model = Model::load(&files, Device::Cpu, Precision::F32).unwrap();
    let config = std::fs::read(directory.join("config.json")).unwrap();
    let mut config: serde_json::Value = serde_json::from_slice(&config).unwrap();
    // transformers omits these keys at their defaults, and candle-transformers needs them.
    let defaults = serde_json::json!({
        "attention_probs_dropout_prob": 0.0, "hidden_dropout_prob": 0.0, "hidden_act": "gelu",
        "type_vocab_size": 1, "position_embedding_type": "absolute", "use_cache": false,
        "classifier_dropout": null, "layer_norm_eps": 1e-5,
    });
    for (key, value) in defaults.as_object().unwrap() {
        let config = config.as_object_mut().unwrap();
        config.entry(key.clone()).or_insert_with(|| value.clone());
    }
    let config: xlm_roberta::Config = serde_json::from_value(config).unwrap();
    let device = CandleDevice::Cpu;
    let weights = std::fs::read(directory.join("model.safetensors")).unwrap();
    let vars =
        candle_nn::VarBuilder::from_buffered_safetensors(weights, DType::F32, &device).unwrap();
    let peer = xlm_roberta::XLMRobertaModel::new(&config, vars.pp("roberta")).unwrap();
    let texts = std::fs::read(fixtures().join("reference.json")).unwrap();
    let texts: BTreeMap<String, Text> = serde_json::from_slice(&texts).unwrap();
    for (name, text) in texts {
        let ids = Tensor::new(&text.input_ids[..], &device)
            .unwrap()
            .unsqueeze(0)
            .unwrap();
        let (mask, types) = (ids.ones_like().unwrap(), ids.zeros_like().unwrap());
        let expected = peer
            .forward(&ids, &mask, &types, None, None, None)
            .and_then(|states| states.flatten_all()?.to_vec1::<f32>())
            .unwrap();
        let plan = ForwardPlan {
            hidden_states: HiddenStates::Last,
            ..ForwardPlan::default()
        };
        let mut found = LastHiddenState::default();
        let encoding = model.tokenizer().encode(&text.text);
        model
            .forward(&encoding, &plan, &mut found, &AtomicBool::new(false))
            .unwrap();
        assert_eq!(found.0.len(), expected.len(), "{name}: number of values");
        for (found, expected) in found.0.iter().zip(&expected) {
            let difference = (found - expected).abs();
            assert!(
                difference <= HIDDEN_TOLERANCE,
                "{name}: differs by {difference}"
            );
        }
    }
}
