//! Compares the methods with Captum's (`tests/fixtures/effects.py`), and checks what must hold for every text.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use codegaze_model::source::{HubOptions, ModelSource};
use codegaze_model::{Device, Model, Precision};
use serde_json::Value;

use super::methods::{
    AttentionGradient, Baseline, Exactness, GradientInput, IntegratedGradients, Occlusion, Query,
    Shapley,
};
use super::target::Similarity;
use super::*;

fn fixtures() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

fn load(device: Device) -> Model {
    let source = ModelSource::Directory(fixtures().join("safetensors"));
    let files = source.resolve(&HubOptions::from_env(), &()).unwrap();
    Model::load(&files, device, Precision::default()).unwrap()
}

fn json(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(fixtures().join(name)).unwrap()).unwrap()
}

/// `Σ_j tanh(⟨w, h_j⟩ / 10)` with `w_i = sin(i + 1)`.
struct Probe;

impl Probe {
    #[expect(clippy::cast_precision_loss, reason = "a small width")]
    fn weights(hidden: &[f32], n: usize) -> Vec<f64> {
        (1..=hidden.len() / n).map(|i| (i as f64).sin()).collect()
    }

    /// `⟨w, h_j⟩ / 10`
    fn products(hidden: &[f32], n: usize) -> Vec<f64> {
        let weights = Self::weights(hidden, n);
        let product = |row: &[f32]| -> f64 {
            row.iter()
                .zip(&weights)
                .map(|(h, w)| f64::from(*h) * w / 10.0)
                .sum()
        };
        hidden.chunks_exact(weights.len()).map(product).collect()
    }
}

const N_TOKENS: usize = 27;

impl Target for Probe {
    fn value(&self, hidden: &[f32]) -> f64 {
        let products = Self::products(hidden, N_TOKENS);
        products.into_iter().map(f64::tanh).sum()
    }

    fn gradient(&self, hidden: &[f32]) -> Vec<f32> {
        let weights = Self::weights(hidden, N_TOKENS);
        #[expect(clippy::cast_possible_truncation, reason = "gradients are f32")]
        Self::products(hidden, N_TOKENS)
            .into_iter()
            .flat_map(|product| {
                let slope = (1.0 - product.tanh().powi(2)) / 10.0;
                weights.iter().map(move |w| (slope * w) as f32)
            })
            .collect()
    }
}

/// The text of the fixture, with its units.
struct Case {
    model: Model,
    ids: Vec<u32>,
    special: Vec<bool>,
    units: Vec<Vec<usize>>,
    expected: Value,
}

impl Case {
    fn new(device: Device) -> Self {
        let model = load(device);
        let text = &json("reference.json")["code"]["text"];
        let encoding = model.tokenizer().encode(text.as_str().unwrap());
        assert_eq!(encoding.ids.len(), N_TOKENS);
        let expected = json("effects.json");
        Self {
            model,
            special: encoding.spans.iter().map(Option::is_none).collect(),
            ids: encoding.ids,
            units: serde_json::from_value(expected["units"].clone()).unwrap(),
            expected,
        }
    }

    fn similarity(&self) -> Similarity {
        let hidden = last_hidden(&self.model, &self.ids);
        Similarity::new(&self.special, &hidden)
    }

    fn expected(&self, target: &str, what: &str) -> Vec<f64> {
        let value = &self.expected["targets"][target][what];
        serde_json::from_value(value.clone()).unwrap()
    }

    fn explain(&self, method: &dyn EffectMethod, target: &dyn Target) -> Effects {
        let cancel = AtomicBool::new(false);
        let explanation = Explanation {
            model: &self.model,
            ids: &self.ids,
            special: &self.special,
            units: &self.units,
            target,
            cancel: &cancel,
        };
        let mut last = Progress { done: 0, total: 0 };
        let effects = method
            .explain(&explanation, &mut |progress| {
                assert_eq!(progress.done, last.done + 1);
                last = progress;
            })
            .unwrap();
        assert_eq!(last.done, last.total, "progress reaches its end");
        effects
    }
}

fn last_hidden(model: &Model, ids: &[u32]) -> Vec<f32> {
    use codegaze_model::roberta::{HiddenStates, Start};
    let (last, start) = (HiddenStates::Last, Start::Embeddings);
    let states = model.hidden_states(ids, start, last, &AtomicBool::new(false));
    states.unwrap().pop().unwrap()
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    for (found, expected) in found.iter().zip(expected) {
        let difference = (found - expected).abs();
        assert!(
            difference <= 1e-4 * scale + 1e-6,
            "{what}: {found}, the reference has {expected}"
        );
    }
}

#[test]
fn methods_equal_captum() {
    for device in [Device::Cpu, Device::CandleCpu] {
        let case = Case::new(device);
        let similarity = case.similarity();
        let steps = usize::try_from(case.expected["steps"].as_u64().unwrap()).unwrap();
        let integrated = |baseline| IntegratedGradients { steps, baseline };
        let attention = |query| AttentionGradient { query };
        let methods: [(&str, &dyn EffectMethod); 6] = [
            ("occlusion", &Occlusion),
            ("gradient", &GradientInput),
            ("integrated_mask", &integrated(Baseline::Mask)),
            ("integrated_padding", &integrated(Baseline::Padding)),
            ("attention_gradient_cls", &attention(Query::Cls)),
            ("attention_gradient_mean", &attention(Query::Mean)),
        ];
        let targets: [(&str, &dyn Target); 2] = [("similarity", &similarity), ("probe", &Probe)];
        for (name, method) in methods {
            for (target_name, target) in targets {
                let what = format!("{name} of {target_name} on {}", device.as_str());
                let found = case.explain(method, target);
                assert_close(&found.units, &case.expected(target_name, name), &what);
                let value = case.expected["targets"][target_name]["value"].as_f64();
                assert!((found.value - value.unwrap()).abs() < 1e-4, "{what}");
            }
        }
    }
}

#[test]
fn shapley_values_are_within_their_standard_errors() {
    let case = Case::new(Device::Cpu);
    let similarity = case.similarity();
    let targets: [(&str, &dyn Target); 2] = [("similarity", &similarity), ("probe", &Probe)];
    for (name, target) in targets {
        let found = case.explain(
            &Shapley {
                samples: 60,
                seed: 3,
            },
            target,
        );
        let Exactness::StandardErrors(errors) = &found.exactness else {
            panic!("{:?}", found.exactness);
        };
        let exact = case.expected(name, "shapley");
        let sampled = case.expected(name, "shapley_sampled");
        let sampled_errors = case.expected(name, "shapley_sampled_error");
        for (i, (&value, &error)) in found.units.iter().zip(errors).enumerate() {
            assert!(error > 0.0, "unit {i}");
            assert!(
                (value - exact[i]).abs() <= 3.0 * error + 1e-5,
                "{name}, unit {i}: {value} ± {error}, exact {}",
                exact[i]
            );
            let both = error.hypot(sampled_errors[i]);
            assert!(
                (value - sampled[i]).abs() <= 3.0 * both + 1e-5,
                "{name}, unit {i}: {value} ± {error}, Captum has {}",
                sampled[i]
            );
        }
        // Efficiency: the values add up to what the whole text gains over a text without words.
        let gain = found.value - case.expected["targets"][name]["baseline"].as_f64().unwrap();
        assert!((found.units.iter().sum::<f64>() - gain).abs() < 1e-4);
        // The same seed gives the same numbers.
        let again = Shapley {
            samples: 60,
            seed: 3,
        };
        assert_eq!(case.explain(&again, target), found);
    }
}

#[test]
fn integrated_gradients_become_complete_with_more_steps() {
    let case = Case::new(Device::Cpu);
    let gap = |steps| {
        let method = IntegratedGradients {
            steps,
            baseline: Baseline::Mask,
        };
        let found = case.explain(&method, &Probe);
        let Exactness::Completeness { baseline, gap } = found.exactness else {
            panic!("{:?}", found.exactness);
        };
        assert!((found.value - baseline).abs() > 1.0);
        gap / (found.value - baseline).abs()
    };
    let (few, many) = (gap(2), gap(100));
    assert!(many < few / 10.0 && many < 1e-2, "{few} → {many}");
}

#[test]
fn the_similarity_of_a_text_with_itself_is_one_and_has_no_gradient() {
    let case = Case::new(Device::Cpu);
    let similarity = case.similarity();
    let hidden = last_hidden(&case.model, &case.ids);
    assert!((similarity.value(&hidden) - 1.0).abs() < 1e-9);
    assert!(similarity.gradient(&hidden).iter().all(|g| g.abs() < 1e-6));
}

#[test]
fn bad_options_and_damaged_targets_are_errors() {
    struct NotANumber;
    impl Target for NotANumber {
        fn value(&self, _: &[f32]) -> f64 {
            f64::NAN
        }

        fn gradient(&self, hidden: &[f32]) -> Vec<f32> {
            vec![f32::NAN; hidden.len()]
        }
    }
    let case = Case::new(Device::Cpu);
    let cancel = AtomicBool::new(false);
    let explain = |method: &dyn EffectMethod, target: &dyn Target| {
        let explanation = Explanation {
            model: &case.model,
            ids: &case.ids,
            special: &case.special,
            units: &case.units,
            target,
            cancel: &cancel,
        };
        method
            .explain(&explanation, &mut |_| {})
            .unwrap_err()
            .to_string()
    };
    let no_steps = IntegratedGradients {
        steps: 0,
        baseline: Baseline::Mask,
    };
    assert_eq!(
        explain(&no_steps, &Probe),
        "steps is 0; at least 1 is needed"
    );
    let one = Shapley {
        samples: 1,
        seed: 0,
    };
    assert_eq!(explain(&one, &Probe), "samples is 1; at least 2 is needed");
    let methods: [&dyn EffectMethod; 3] = [&Occlusion, &GradientInput, &Shapley::default()];
    for method in methods {
        assert!(explain(method, &NotANumber).contains("not finite"));
    }
    cancel.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(explain(&Occlusion, &Probe), "the pass was cancelled");
}
