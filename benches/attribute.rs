//! Each attribution method, without the pass that computes attention, and a whole document from text to importance.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

use codegaze::analysis::{AnalysisConfig, analyze};
use codegaze::attribution::{
    AttributionConfig, AttributionOptions, Attributor, LayerChoice, Method,
};
use codegaze::model::Model;
use codegaze::model::roberta::{AttentionSink, LayerAttention, LayerBlock, NormScale};
use codegaze::text::document::Document;
use criterion::{Criterion, criterion_group, criterion_main};

use codegaze_benches::{SOURCE, encoding, model};

const N_TOKENS: usize = 512;

/// A recorded pass.
#[derive(Default)]
struct Tape {
    layers: Vec<Recorded>,
}

struct Recorded {
    layer_idx: usize,
    n_heads: usize,
    n_tokens: usize,
    weights: Vec<f32>,
    transformed_values: Option<Vec<f32>>,
    block: Option<Block>,
}

/// An owned [`LayerBlock`].
struct Block {
    input: Vec<f32>,
    attended: Vec<f32>,
    /// Weight and inverse deviation of both layer norms.
    norms: [(Vec<f32>, Vec<f32>); 2],
}

impl Block {
    fn copy(block: LayerBlock<'_>) -> Self {
        let norm = |norm: NormScale<'_>| (norm.weight.to_vec(), norm.inverse_deviation.to_vec());
        Self {
            input: block.input.to_vec(),
            attended: block.attended.to_vec(),
            norms: [norm(block.attention_norm), norm(block.output_norm)],
        }
    }

    fn view(&self) -> LayerBlock<'_> {
        let [attention_norm, output_norm] =
            self.norms
                .each_ref()
                .map(|(weight, inverse_deviation)| NormScale {
                    weight,
                    inverse_deviation,
                });
        LayerBlock {
            input: &self.input,
            attended: &self.attended,
            attention_norm,
            output_norm,
        }
    }
}

impl AttentionSink for Tape {
    fn attention(&mut self, attention: LayerAttention<'_>) -> ControlFlow<()> {
        self.layers.push(Recorded {
            layer_idx: attention.layer_idx,
            n_heads: attention.n_heads,
            n_tokens: attention.n_tokens,
            weights: attention.weights.to_vec(),
            transformed_values: attention.transformed_values.map(<[f32]>::to_vec),
            block: attention.block.map(Block::copy),
        });
        ControlFlow::Continue(())
    }
}

impl Tape {
    fn play(&self, sink: &mut dyn AttentionSink) {
        for layer in &self.layers {
            let attention = LayerAttention {
                layer_idx: layer.layer_idx,
                n_heads: layer.n_heads,
                n_tokens: layer.n_tokens,
                weights: &layer.weights,
                transformed_values: layer.transformed_values.as_deref(),
                block: layer.block.as_ref().map(Block::view),
            };
            if sink.attention(attention).is_break() {
                break;
            }
        }
    }
}

fn config(model: &Model, method: Method) -> AttributionConfig {
    let info = model.info();
    AttributionOptions {
        method,
        layers: Some(LayerChoice::All),
        ..AttributionOptions::default()
    }
    .resolve(info)
    .expect("all layers and heads are in range")
}

fn attribute(criterion: &mut Criterion) {
    let model = model();
    let encoding = encoding(&model, N_TOKENS);
    let special: Vec<bool> = encoding.spans.iter().map(Option::is_none).collect();
    let mut group = criterion.benchmark_group("attribute");
    for method in Method::ALL {
        let config = config(&model, method);
        let mut tape = Tape::default();
        model
            .forward(
                &encoding,
                &config.plan(),
                &mut tape,
                &AtomicBool::new(false),
            )
            .expect("nothing cancels");
        group.bench_function(method.as_str(), |b| {
            b.iter(|| {
                let mut attributor = Attributor::new(&config, &special);
                black_box(&tape).play(&mut attributor);
                attributor.finish().expect("attention is finite")
            });
        });
    }
    group.finish();
}

fn whole(criterion: &mut Criterion) {
    let model = model();
    let document = Document::new(SOURCE, 0);
    let mut group = criterion.benchmark_group("analyze");
    group.sample_size(10);
    for method in Method::ALL {
        let config = AnalysisConfig::new(model.info(), config(&model, method));
        group.bench_function(method.as_str(), |b| {
            b.iter(|| {
                analyze(
                    &model,
                    black_box(&document),
                    &config,
                    &AtomicBool::new(false),
                    &mut |_, _| (),
                )
                .expect("nothing cancels")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, attribute, whole);
criterion_main!(benches);
