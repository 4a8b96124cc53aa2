//! The encoder: attention of every layer, of the last layer only, and with the last hidden state.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

use codegaze::model::roberta::{AttentionSink, ForwardPlan, HiddenStates, LayerAttention};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use codegaze_benches::{encoding, model};

struct Discard;

impl AttentionSink for Discard {
    fn attention(&mut self, attention: LayerAttention<'_>) -> ControlFlow<()> {
        black_box(attention.weights);
        ControlFlow::Continue(())
    }
}

fn forward(criterion: &mut Criterion) {
    let model = model();
    let n_layers = model.info().n_layers;
    let last = ForwardPlan {
        layers: vec![n_layers - 1],
        ..ForwardPlan::default()
    };
    let all = ForwardPlan {
        layers: (0..n_layers).collect(),
        ..ForwardPlan::default()
    };
    let with_hidden = ForwardPlan {
        hidden_states: HiddenStates::Last,
        ..all.clone()
    };
    let mut group = criterion.benchmark_group("forward");
    for n_tokens in [32, 128, 512] {
        let encoding = encoding(&model, n_tokens);
        group.throughput(Throughput::Elements(n_tokens as u64));
        for (name, plan) in [("last", &last), ("all", &all), ("hidden", &with_hidden)] {
            group.bench_function(BenchmarkId::new(name, n_tokens), |b| {
                b.iter(|| {
                    model
                        .forward(&encoding, plan, &mut Discard, &AtomicBool::new(false))
                        .expect("nothing cancels");
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, forward);
criterion_main!(benches);
