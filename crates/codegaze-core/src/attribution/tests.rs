//! Compares every method with its naive implementation on random attention, and checks invariants for all weights.

use codegaze_model::roberta::{AttentionSink, LayerAttention, LayerBlock, NormScale};
use proptest::prelude::*;

use super::align::Alignment;
use super::naive::{HIDDEN, Pass};
use super::*;
use codegaze_text::ByteSpan;
use codegaze_text::lexeme::{Lexeme, LexemeKind};

impl Pass {
    fn block(&self, layer_idx: usize) -> LayerBlock<'_> {
        let block = &self.blocks[layer_idx];
        LayerBlock {
            input: &block.input,
            attended: &block.attended,
            attention_norm: NormScale {
                weight: &block.attention_weight,
                inverse_deviation: &block.attention_deviation,
            },
            output_norm: NormScale {
                weight: &block.output_weight,
                inverse_deviation: &block.output_deviation,
            },
        }
    }

    fn score(&self, config: &AttributionConfig) -> SubwordScores {
        let special = self.special();
        let mut attributor = Attributor::new(config, &special);
        for &layer_idx in &config.layers {
            let needs = config.method.definition().needs();
            let values = needs
                .transformed_values
                .then_some(&self.values[layer_idx][..]);
            let flow = attributor.attention(LayerAttention {
                layer_idx,
                n_heads: self.n_heads,
                n_tokens: self.n,
                weights: &self.weights[layer_idx],
                transformed_values: values,
                block: needs.blocks.then(|| self.block(layer_idx)),
            });
            assert!(flow.is_continue());
        }
        attributor.finish().expect("finite attention")
    }
}

/// Random rows that sum to 1, some of them sharp.
fn pass(n_layers: usize) -> impl Strategy<Value = Pass> {
    (1_usize..4, 3_usize..9).prop_flat_map(move |(n_heads, n)| {
        let weights = prop::collection::vec(
            prop::collection::vec(0.0_f32..1.0, n_heads * n * n),
            n_layers,
        );
        let values = prop::collection::vec(
            prop::collection::vec(-1.0_f32..1.0, n_heads * n * HIDDEN),
            n_layers,
        );
        let inputs =
            prop::collection::vec(prop::collection::vec(-2.0_f32..2.0, n * HIDDEN), n_layers);
        let scales = prop::collection::vec(0.5_f32..1.5, 2 * HIDDEN);
        (weights, values, inputs, scales).prop_map(move |(mut weights, values, inputs, scales)| {
            for row in weights
                .iter_mut()
                .flat_map(|layer| layer.chunks_exact_mut(n))
            {
                for weight in &mut *row {
                    *weight = weight.powi(4) + 1e-3;
                }
                normalize(row);
            }
            let pass = Pass {
                n_heads,
                n,
                weights,
                values,
                blocks: Vec::new(),
            };
            let (attention_weight, output_weight) = scales.split_at(HIDDEN);
            pass.with_blocks(inputs, attention_weight, output_weight)
        })
    })
}

fn config(method: Method, layers: &[usize], heads: HeadFusion, sinks: Sinks) -> AttributionConfig {
    AttributionConfig {
        method,
        layers: layers.to_vec(),
        heads,
        sinks,
        aggregate: Aggregate::Sum,
    }
}

/// Scores and sink share, straight from the definitions.
fn naive(pass: &Pass, config: &AttributionConfig) -> (Vec<f64>, f64) {
    let (mut scores, sink_share) = config.method.definition().naive(pass, config);
    if config.sinks == Sinks::Drop {
        for (score, special) in scores.iter_mut().zip(pass.special()) {
            if special {
                *score = 0.0;
            }
        }
        let sum: f64 = scores.iter().sum();
        if sum > 0.0 {
            for score in &mut scores {
                *score /= sum;
            }
        }
    }
    (scores, sink_share)
}

fn fusion() -> impl Strategy<Value = HeadFusion> {
    prop_oneof![
        Just(HeadFusion::All(Fusion::Mean)),
        Just(HeadFusion::All(Fusion::Max)),
        Just(HeadFusion::Heads(vec![0])),
    ]
}

proptest! {
    #[test]
    fn every_method_equals_its_naive_form(
        pass in pass(3),
        method in prop::sample::select(&Method::ALL[..]),
        layers in prop::sample::select(vec![vec![2], vec![0, 1, 2], vec![0, 2]]),
        heads in fusion(),
        sinks in prop_oneof![Just(Sinks::Drop), Just(Sinks::Keep)],
    ) {
        let config = config(method, &layers, heads, sinks);
        let found = pass.score(&config);
        let (scores, sink_share) = naive(&pass, &config);
        for (a, b) in found.scores.iter().zip(&scores) {
            prop_assert!((f64::from(*a) - b).abs() < 1e-5, "{found:?} is not {scores:?}");
        }
        prop_assert!((f64::from(found.sink_share) - sink_share).abs() < 1e-5);
        let is_one = |sum: f32| (sum - 1.0).abs() < 1e-4;
        if method == Method::Alti {
            // A query that every key is far from has a row of zeros.
            let rows = found.matrix.chunks_exact(pass.n).map(|row| row.iter().sum::<f32>());
            prop_assert!(rows.into_iter().all(|sum| sum < 1.0 + 1e-4));
        } else {
            for row in found.matrix.chunks_exact(pass.n) {
                prop_assert!(is_one(row.iter().sum()));
            }
        }
        let sum: f32 = found.scores.iter().sum();
        prop_assert!(is_one(sum) || (method == Method::Alti && sum == 0.0));
    }

    #[test]
    fn a_mean_over_heads_does_not_depend_on_their_order(pass in pass(1)) {
        let config = config(Method::Received, &[0], HeadFusion::default(), Sinks::Drop);
        let mut permuted = pass.clone();
        permuted.weights[0].rotate_left(pass.n * pass.n);
        for (a, b) in pass.score(&config).scores.iter().zip(&permuted.score(&config).scores) {
            prop_assert!((a - b).abs() < 1e-6);
        }
    }

    #[test]
    fn equal_values_make_norms_equal_to_attention(pass in pass(1)) {
        // If f(x) is the same for all keys, the norm is proportional to the sum of the weights.
        let mut pass = pass;
        pass.values[0].fill(0.7);
        let norm = pass.score(&config(Method::Norm, &[0], HeadFusion::default(), Sinks::Drop));
        let received = pass.score(&config(Method::Received, &[0], HeadFusion::default(), Sinks::Drop));
        for (a, b) in norm.scores.iter().zip(&received.scores) {
            prop_assert!((a - b).abs() < 1e-5);
        }
    }

    #[test]
    fn merged_rows_sum_to_one_and_no_mass_is_lost(pass in pass(1), cut in 1_usize..3) {
        // Subwords of two bytes; lexemes of `cut` or three bytes: some subwords lie on two of them.
        let n_code = pass.n - 2;
        let mut spans = vec![None];
        spans.extend((0..n_code).map(|i| Some(ByteSpan::new(2 * i, 2 * i + 2))));
        spans.push(None);
        let mut lexemes = Vec::new();
        let mut start = 0;
        while start < 2 * n_code {
            let end = (start + if lexemes.len() % 2 == 0 { cut } else { 3 }).min(2 * n_code);
            let span = ByteSpan::new(start, end);
            lexemes.push(Lexeme { span, kind: LexemeKind::Other });
            start = end;
        }
        let alignment = Alignment::new(&spans, &lexemes);
        let config = config(Method::Received, &[0], HeadFusion::default(), Sinks::Drop);
        let scores = pass.score(&config);
        let (mass, whitespace) = alignment.sum(&scores.scores);
        prop_assert!(whitespace.abs() < 1e-6);
        prop_assert!((mass.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        let merged = alignment.merge_matrix(&scores.matrix);
        for row in merged.chunks_exact(lexemes.len()) {
            prop_assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        }
    }
}

#[test]
fn uniform_attention_gives_every_subword_the_same() {
    let n = 7;
    let pass = Pass {
        n_heads: 2,
        n,
        weights: vec![vec![1.0 / n as f32; 2 * n * n]; 2],
        values: vec![vec![0.5; 2 * n * HIDDEN]; 2],
        blocks: Vec::new(),
    };
    // The same for every subword, and no constant, which a layer norm would turn into zeros.
    let input: Vec<f32> = (0..n * HIDDEN).map(|i| (i % HIDDEN) as f32).collect();
    let pass = pass.with_blocks(vec![input; 2], &[1.0; HIDDEN], &[1.5; HIDDEN]);
    for method in Method::ALL {
        let scores = pass.score(&config(method, &[0, 1], HeadFusion::default(), Sinks::Drop));
        for score in &scores.scores[1..n - 1] {
            assert!(
                (score - 1.0 / (n - 2) as f32).abs() < 1e-6,
                "{method}: {scores:?}"
            );
        }
    }
}

#[test]
fn attention_that_is_not_finite_is_an_error() {
    let mut weights = vec![0.25; 16];
    weights[5] = f32::NAN;
    let pass = Pass {
        n_heads: 1,
        n: 4,
        weights: vec![weights],
        values: vec![],
        blocks: vec![],
    };
    let config = config(Method::Received, &[0], HeadFusion::default(), Sinks::Drop);
    let special = pass.special();
    let mut attributor = Attributor::new(&config, &special);
    let _ = attributor.attention(LayerAttention {
        layer_idx: 0,
        n_heads: 1,
        n_tokens: 4,
        weights: &pass.weights[0],
        transformed_values: None,
        block: None,
    });
    assert!(matches!(
        attributor.finish(),
        Err(AttributionError::NotFinite)
    ));
}

#[test]
fn methods_are_named_and_described_once() {
    let mut names: Vec<&str> = Method::ALL.map(Method::as_str).into();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Method::ALL.len(), "two methods have one name");
    for method in Method::ALL {
        let definition = method.definition();
        let name = method.as_str();
        assert!(name.chars().all(|c| c.is_ascii_lowercase()), "{name}");
        let about = method.about();
        assert!(
            about.starts_with(char::is_lowercase) && !about.ends_with('.'),
            "{name}: {about}"
        );
        assert!(definition.title().starts_with(char::is_uppercase), "{name}");
        assert!(definition.default_layers().resolve(1).is_ok(), "{name}");
        if let Some(paper) = definition.paper() {
            assert!(paper.url.starts_with("https://"), "{name}: {paper:?}");
        }
    }
}

#[test]
fn choices_of_layers_and_heads() {
    let cases: [(&str, Result<Vec<usize>, &str>); 9] = [
        ("last", Ok(vec![5])),
        ("all", Ok(vec![0, 1, 2, 3, 4, 5])),
        ("0", Ok(vec![0])),
        ("2-4", Ok(vec![2, 3, 4])),
        ("4,0,2-4", Ok(vec![0, 2, 3, 4])),
        (
            "6",
            Err("layer 6 is out of range: the model has 6, counted 0 to 5"),
        ),
        (
            "0-99999999999",
            Err("layer 99999999999 is out of range: the model has 6, counted 0 to 5"),
        ),
        (
            "4-2",
            Err(
                "unknown layers \"4-2\"; use last, all, a number, a range such as 0-5, or a list such as 0,2,4-6",
            ),
        ),
        (
            "",
            Err(
                "unknown layers \"\"; use last, all, a number, a range such as 0-5, or a list such as 0,2,4-6",
            ),
        ),
    ];
    for (text, expected) in cases {
        let found = text
            .parse::<LayerChoice>()
            .and_then(|choice| choice.resolve(6))
            .map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{text:?}");
    }
    assert_eq!(
        "max".parse::<HeadChoice>().unwrap().resolve(2),
        Ok(HeadFusion::All(Fusion::Max))
    );
    assert!("1-2".parse::<HeadChoice>().unwrap().resolve(2).is_err());
}

#[test]
fn subwords_are_divided_by_the_bytes_that_they_cover() {
    // text: "ab): \n c", subwords: "ab", "):", " \n", " c", and an empty one at "c"
    let lexeme = |start, end| Lexeme {
        span: ByteSpan::new(start, end),
        kind: LexemeKind::Other,
    };
    let lexemes = [lexeme(0, 2), lexeme(2, 3), lexeme(3, 4), lexeme(7, 8)];
    let spans = [
        None,
        Some(ByteSpan::new(0, 2)),
        Some(ByteSpan::new(2, 4)),
        Some(ByteSpan::new(4, 6)),
        Some(ByteSpan::new(6, 8)),
        Some(ByteSpan::new(7, 7)),
        None,
    ];
    let alignment = Alignment::new(&spans, &lexemes);
    let (mass, whitespace) = alignment.sum(&[9.0, 0.1, 0.2, 0.3, 0.15, 0.25, 9.0]);
    let expected = [0.1, 0.1, 0.1, 0.4];
    for (a, b) in mass.iter().zip(expected) {
        assert!((a - b).abs() < 1e-6, "{mass:?}");
    }
    assert!((whitespace - 0.3).abs() < 1e-6);
}

#[test]
fn without_length_uniform_attention_gives_every_lexeme_the_same() {
    // A name of three subwords, a bracket, two marks in one subword, a space.
    let lexeme = |start, end| Lexeme {
        span: ByteSpan::new(start, end),
        kind: LexemeKind::Other,
    };
    let lexemes = [lexeme(0, 6), lexeme(6, 7), lexeme(7, 8), lexeme(8, 9)];
    let spans: Vec<_> = [(0, 2), (2, 4), (4, 6), (6, 7), (7, 9), (9, 10)]
        .map(|(start, end)| Some(ByteSpan::new(start, end)))
        .into();
    let alignment = Alignment::new(&spans, &lexemes);
    let uniform = [0.2; 6];
    let mut peaked = uniform;
    peaked[1] = 0.9;
    let cases = [
        (Aggregate::Mean, uniform, [0.2, 0.2, 0.2, 0.2]),
        (Aggregate::Sum, uniform, [0.6, 0.2, 0.1, 0.1]),
        (Aggregate::Max, peaked, [0.9, 0.2, 0.1, 0.1]),
        (Aggregate::First, peaked, [0.2, 0.2, 0.1, 0.1]),
        (Aggregate::Corrected, uniform, [0.2, 0.2, 0.2, 0.2]),
    ];
    for (how, scores, expected) in cases {
        let found = alignment.aggregate(&scores, how);
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{how:?}: {found}");
        }
    }
}

/// ALTI and `GlobEnc` against `tests/fixtures/decomposition.py`, which computes them from the states of transformers.
#[test]
fn decompositions_equal_those_from_transformers() {
    use std::path::Path;
    use std::sync::atomic::AtomicBool;

    use codegaze_model::source::{HubOptions, ModelSource};
    use codegaze_model::{Device, Model, Precision};
    use safetensors::SafeTensors;

    struct Reduce {
        method: Method,
        layers: Vec<f32>,
    }
    impl AttentionSink for Reduce {
        fn attention(&mut self, attention: LayerAttention<'_>) -> std::ops::ControlFlow<()> {
            let mut layer = vec![0.0; attention.n_tokens * attention.n_tokens];
            let method = self.method.definition();
            method.reduce(&attention, &HeadFusion::default(), &mut layer);
            self.layers.extend(layer);
            std::ops::ControlFlow::Continue(())
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |name: String| std::fs::read(root.join("tests/fixtures").join(name)).unwrap();
    for (directory, prefix, names) in [
        (
            "tests/fixtures/safetensors",
            "",
            &["code", "unicode", "special"][..],
        ),
        ("crates/codegaze-mini/model", "mini-", &["mini"]),
    ] {
        let texts: serde_json::Value =
            serde_json::from_slice(&read(format!("{prefix}reference.json"))).unwrap();
        let bytes = read(format!("{prefix}decomposition.safetensors"));
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let source = ModelSource::Directory(root.join(directory));
        let files = source.resolve(&HubOptions::from_env(), &()).unwrap();
        for (device, name) in [Device::Cpu, Device::CandleCpu]
            .into_iter()
            .flat_map(|device| names.iter().map(move |name| (device, name)))
        {
            let model = Model::load(&files, device, Precision::default()).unwrap();
            let encoding = model
                .tokenizer()
                .encode(texts[name]["text"].as_str().unwrap());
            for method in [Method::Alti, Method::GlobEnc] {
                let layers: Vec<usize> = (0..model.info().n_layers).collect();
                let plan = config(method, &layers, HeadFusion::default(), Sinks::Drop).plan();
                let mut found = Reduce {
                    method,
                    layers: Vec::new(),
                };
                model
                    .forward(&encoding, &plan, &mut found, &AtomicBool::new(false))
                    .unwrap();
                let tensor = tensors.tensor(&format!("{name}.{method}")).unwrap();
                let expected = tensor.data().as_chunks().0.iter();
                let expected: Vec<f32> = expected.map(|x| f32::from_le_bytes(*x)).collect();
                assert_eq!(found.layers.len(), expected.len());
                let scale = expected.iter().fold(0.0_f32, |most, x| most.max(*x));
                for (found, expected) in found.layers.iter().zip(&expected) {
                    assert!(
                        (found - expected).abs() < 1e-4 * scale,
                        "{method} of {name} on {device}: {found}, the reference has {expected}"
                    );
                }
            }
        }
    }
}
