//! What the benchmarks run on: the embedded model, and the project's examples as one source text.
#![allow(
    clippy::missing_panics_doc,
    reason = "a benchmark fails where it stands"
)]

use codegaze::model::source::{HubOptions, ModelSource};
use codegaze::model::tokenizer::Encoding;
use codegaze::model::{Device, Model, Precision};

/// The examples in ten languages, about 500 lines.
pub const SOURCE: &str = concat!(
    include_str!("../../examples/fibonacci.py"),
    include_str!("../../examples/ring_buffer.c"),
    include_str!("../../examples/matrix.cpp"),
    include_str!("../../examples/workers.go"),
    include_str!("../../examples/LruCache.java"),
    include_str!("../../examples/debounce.js"),
    include_str!("../../examples/Router.php"),
    include_str!("../../examples/word_count.rb"),
    include_str!("../../examples/tokenizer.rs"),
    include_str!("../../examples/event_emitter.ts"),
);

pub fn model() -> Model {
    let files = ModelSource::Embedded
        .resolve(&HubOptions::from_env(), &())
        .expect("the embedded model is there by default");
    Model::load(&files, Device::Cpu, Precision::F32).expect("the embedded model is whole")
}

/// The first `n_tokens` subwords of the source, the last of them replaced by `</s>`.
pub fn encoding(model: &Model, n_tokens: usize) -> Encoding {
    let mut encoding = model.tokenizer().encode(SOURCE);
    let eos = *encoding.ids.last().expect("special subwords are there");
    assert!(encoding.ids.len() > n_tokens, "the source is too short");
    encoding.ids.truncate(n_tokens);
    encoding.spans.truncate(n_tokens);
    encoding.ids[n_tokens - 1] = eos;
    encoding.spans[n_tokens - 1] = None;
    encoding
}
