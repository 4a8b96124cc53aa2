//! Cutting a document into windows that fit the model.

use std::hint::black_box;

use codegaze::analysis::chunk::ChunkConfig;
use codegaze::analysis::plan_chunks;
use codegaze::text::document::Document;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use codegaze_benches::{SOURCE, model};

fn chunk(criterion: &mut Criterion) {
    let model = model();
    let config = ChunkConfig::new(model.info().max_code_subwords());
    let mut group = criterion.benchmark_group("chunk");
    for n_copies in [1, 10] {
        let text = SOURCE.repeat(n_copies);
        group.throughput(Throughput::Bytes(text.len() as u64));
        let document = Document::new(text, 0);
        let n_lines = document.text().lines().count();
        group.bench_function(BenchmarkId::new("lines", n_lines), |b| {
            b.iter(|| plan_chunks(&model, black_box(&document), &config));
        });
    }
    let line = Document::new("a = b; ".repeat(SOURCE.len() / 7), 0);
    group.throughput(Throughput::Bytes(line.text().len() as u64));
    group.bench_function("one line", |b| {
        b.iter(|| plan_chunks(&model, black_box(&line), &config));
    });
    group.finish();
}

criterion_group!(benches, chunk);
criterion_main!(benches);
