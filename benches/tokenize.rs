//! The tokenizer: complete encodings, and only the number of subwords, which chunking needs.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use codegaze_benches::{SOURCE, model};

fn tokenize(criterion: &mut Criterion) {
    let model = model();
    let tokenizer = model.tokenizer();
    let mut group = criterion.benchmark_group("tokenize");
    group.throughput(Throughput::Bytes(SOURCE.len() as u64));
    group.bench_function("encode", |b| b.iter(|| tokenizer.encode(black_box(SOURCE))));
    group.bench_function("count", |b| b.iter(|| tokenizer.count(black_box(SOURCE))));
    // No blank to cut at.
    let word = "x".repeat(SOURCE.len());
    group.bench_function("one word", |b| {
        b.iter(|| tokenizer.encode(black_box(&word)));
    });
    group.finish();
}

criterion_group!(benches, tokenize);
criterion_main!(benches);
