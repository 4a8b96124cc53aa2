//! The process that `benches/compare.py` measures: `worker MODEL_DIRECTORY DEVICE`.
//!
//! It responds to every line of stdin, `{"tokens": 512, "passes": 3, "hidden": true, "gradient": false}`, with one line of JSON: the milliseconds of each pass,
//! the peak memory of the process so far, and a few weights of every layer, with which the results of all programs are compared.

use std::error::Error;
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use codegaze::model::roberta::{
    AttentionSink, BackwardPass, ForwardPlan, GradientSink, HiddenStates, LayerAttention,
    LayerGradient,
};
use codegaze::model::source::{HubOptions, ModelSource};
use codegaze::model::tokenizer::Encoding;
use codegaze::model::{Model, Precision};
use serde::{Deserialize, Serialize};

/// How many weights of each layer are compared.
const SAMPLES: usize = 16;

#[derive(Deserialize)]
struct Request {
    tokens: usize,
    passes: usize,
    /// Whether the last hidden state is computed as well, as in the other programs.
    hidden: bool,
    /// Whether each pass goes back to the word embeddings.
    #[serde(default)]
    gradient: bool,
}

#[derive(Serialize)]
struct Answer {
    ms: Vec<f64>,
    peak_kib: u64,
    /// [layer][sample]
    samples: Vec<Vec<f32>>,
}

/// Reads the weights of every layer, and keeps only a few of them.
#[derive(Default)]
struct Sampler {
    samples: Vec<Vec<f32>>,
}

impl AttentionSink for Sampler {
    fn attention(&mut self, attention: LayerAttention<'_>) -> ControlFlow<()> {
        let weights = attention.weights;
        // One weight in every cache line.
        black_box(weights.iter().step_by(16).sum::<f32>());
        let step = weights.len() / SAMPLES;
        self.samples
            .push((0..SAMPLES).map(|i| weights[i * step]).collect());
        ControlFlow::Continue(())
    }

    fn hidden_state(&mut self, _index: usize, values: &[f32]) {
        black_box(values.iter().step_by(16).sum::<f32>());
    }
}

/// The ids that all programs read: `<s>`, a fixed scatter over the vocabulary without its special subwords, `</s>`.
fn input_ids(n_tokens: usize, vocab_size: usize) -> Vec<u32> {
    let scatter = |i: usize| 5 + i * 7919 % (vocab_size - 5);
    let mut ids: Vec<u32> = (0..n_tokens)
        .map(|i| u32::try_from(scatter(i)).expect("ids of a vocabulary fit u32"))
        .collect();
    ids[0] = 0;
    ids[n_tokens - 1] = 2;
    ids
}

struct Discard;

impl GradientSink for Discard {
    fn attention(&mut self, gradient: LayerGradient<'_>) -> ControlFlow<()> {
        black_box(gradient.gradient.iter().step_by(16).sum::<f32>());
        ControlFlow::Continue(())
    }

    fn word_embeddings(&mut self, gradient: &[f32]) {
        black_box(gradient.iter().step_by(16).sum::<f32>());
    }
}

/// One pass, and the gradients of half the squared length of its last hidden state.
fn gradient(model: &Model, encoding: &Encoding) -> Result<(), Box<dyn Error>> {
    let cancel = AtomicBool::new(false);
    let (all, start) = (HiddenStates::All, Start::Embeddings);
    let states = model.hidden_states(&encoding.ids, start, all, &cancel)?;
    let (last, inputs) = states.split_last().ok_or("no hidden states")?;
    let pass = BackwardPass {
        ids: &encoding.ids,
        word_embeddings: None,
        inputs,
        gradient: last,
    };
    Ok(model.backward(&pass, &mut Discard, &cancel)?)
}

fn answer(model: &Model, request: &Request) -> Result<Answer, Box<dyn Error>> {
    let ids = input_ids(request.tokens, model.config().vocab_size);
    let encoding = Encoding {
        spans: vec![None; ids.len()],
        ids,
    };
    let plan = ForwardPlan {
        layers: (0..model.info().n_layers).collect(),
        hidden_states: if request.hidden {
            HiddenStates::Last
        } else {
            HiddenStates::None
        },
        ..ForwardPlan::default()
    };
    let mut ms = Vec::with_capacity(request.passes);
    let mut sampler = Sampler::default();
    for _ in 0..request.passes {
        sampler = Sampler::default();
        let start = Instant::now();
        if request.gradient {
            gradient(model, &encoding)?;
        } else {
            model.forward(&encoding, &plan, &mut sampler, &AtomicBool::new(false))?;
        }
        ms.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(Answer {
        ms,
        peak_kib: peak_kib().unwrap_or(0),
        samples: sampler.samples,
    })
}

/// The peak of resident memory in KiB, on Linux.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(directory), Some(device)) = (arguments.next(), arguments.next()) else {
        return Err("usage: worker MODEL_DIRECTORY DEVICE".into());
    };
    let source = ModelSource::Directory(PathBuf::from(directory));
    let files = source.resolve(&HubOptions::from_env(), &())?;
    let model = Model::load(&files, device.parse()?, Precision::F32)?;
    let mut stdout = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let request = serde_json::from_str(&line?)?;
        serde_json::to_writer(&mut stdout, &answer(&model, &request)?)?;
        writeln!(stdout)?;
        stdout.flush()?;
    }
    Ok(())
}
