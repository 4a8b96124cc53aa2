//! The RoBERTa encoder. Names as in Hugging Face's `modeling_roberta`
//! (<https://github.com/huggingface/transformers/blob/v4.56.0/src/transformers/models/roberta/modeling_roberta.py>).

mod backward;
mod config;

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

pub use backward::{BackwardPass, GradientSink, LayerGradient};
pub use config::RobertaConfig;
pub(crate) use config::read_json;

use super::LoadError;
use super::kernels::{Backend, EmbeddingTables, Epilogue, Fetch, LinearNames, Parameter, Words};

/// One layer's attention, alive only while a sink looks at it.
#[derive(Clone, Copy, Debug)]
pub struct LayerAttention<'a> {
    /// The layer, from 0.
    pub layer_idx: usize,
    /// Length of the axis `head`.
    pub n_heads: usize,
    /// Length of the axes `query` and `key`: subwords of the pass, special ones included.
    pub n_tokens: usize,
    /// Post-softmax weights, [head, query, key]; rows sum to 1.
    pub weights: &'a [f32],
    /// `f^h(x_j)` of Kobayashi et al. 2020, [head, key, hidden], when the plan asked for it.
    pub transformed_values: Option<&'a [f32]>,
    /// What the layer computes around its attention, when the plan asked for it.
    pub block: Option<LayerBlock<'a>>,
}

/// What a layer computes around its attention. With it and the transformed values, the layer's output is a sum over keys, up to biases and
/// the feed-forward network.
#[derive(Clone, Copy, Debug)]
pub struct LayerBlock<'a> {
    /// What the layer reads, x [token, hidden].
    pub input: &'a [f32],
    /// The output of the first layer norm, y [token, hidden].
    pub attended: &'a [f32],
    /// The first layer norm, `LN₁` in y = LN₁(attention output + x).
    pub attention_norm: NormScale<'a>,
    /// The second one, `LN₂` in LN₂(feed-forward(y) + y).
    pub output_norm: NormScale<'a>,
}

/// What a layer norm multiplies by, after it subtracted the mean.
#[derive(Clone, Copy, Debug)]
pub struct NormScale<'a> {
    /// γ, \[hidden\].
    pub weight: &'a [f32],
    /// 1 / √(var + ε) of what was normalized, \[token\].
    pub inverse_deviation: &'a [f32],
}

impl LayerAttention<'_> {
    /// The weights of one head, [query, key].
    #[must_use]
    pub fn head(&self, head: usize) -> &[f32] {
        let n = self.n_tokens * self.n_tokens;
        &self.weights[head * n..(head + 1) * n]
    }
}

/// Takes attention as it is computed: reduces it and lets it go.
pub trait AttentionSink {
    /// Called once for every layer of the plan, ascending. `Break` ends the pass.
    fn attention(&mut self, attention: LayerAttention<'_>) -> ControlFlow<()>;

    /// Called with hidden state `index` [token, hidden] when the plan asks for it: 0 is the embeddings' output, `l + 1` the
    /// output of layer `l`.
    fn hidden_state(&mut self, index: usize, values: &[f32]) {
        let _ = (index, values);
    }
}

/// Which hidden states a pass hands out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HiddenStates {
    /// No hidden state.
    #[default]
    None,
    /// The last layer's output.
    Last,
    /// The embeddings' and every layer's output.
    All,
    /// What the layers of the pass read: the embeddings' output and that of every layer that another one follows. Runs no
    /// layer for this alone.
    Inputs,
}

/// Where a pass begins.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// With the ids' embeddings.
    Embeddings,
    /// With these word embeddings [token, hidden] in place of the ids'. Positions are added as the ids say.
    WordEmbeddings(&'a [f32]),
    /// With layer `layer_idx`, which reads `hidden` [token, hidden]: hidden state `layer_idx` of an earlier pass over the same
    /// ids. The sink does not get it again.
    Layer {
        /// The first layer that is run.
        layer_idx: usize,
        /// What it reads, [token, hidden].
        hidden: &'a [f32],
    },
}

/// What a pass computes. No layer above the last needed one is run, and of that one only what is needed.
#[derive(Clone, Debug, Default)]
pub struct ForwardPlan {
    /// Layers whose attention the sink gets, in range and ascending.
    pub layers: Vec<usize>,
    /// Whether it gets their transformed values too.
    pub transformed_values: bool,
    /// Whether it gets what they compute around their attention.
    pub blocks: bool,
    /// Which hidden states it gets.
    pub hidden_states: HiddenStates,
}

/// Why a pass did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "each variant's message says what it and its fields are"
)]
pub enum ForwardError {
    #[error("the pass was cancelled")]
    Cancelled,
    #[error(
        "{n_tokens} subwords do not fit the model's {max_tokens} positions; cut the text into chunks"
    )]
    TooLong { n_tokens: usize, max_tokens: usize },
    #[error(
        "subword id {id} is outside of the model's vocabulary of {vocab_size}; the tokenizer belongs to another model"
    )]
    UnknownId { id: u32, vocab_size: usize },
    #[error(
        "a pass cannot begin with layer {layer_idx} and {n_values} values: the model has {n_layers} layers, and the text {expected} values"
    )]
    Start {
        layer_idx: usize,
        n_layers: usize,
        n_values: usize,
        expected: usize,
    },
    #[error(
        "{n_values} values of {what} do not suit the text and the model: {expected} are expected"
    )]
    Shape {
        what: &'static str,
        n_values: usize,
        expected: usize,
    },
    #[error("the device failed: {source}; try --device cpu")]
    Device {
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// An encoder on some backend.
pub trait Encoder: Send + Sync {
    /// The sizes of the encoder.
    fn config(&self) -> &RobertaConfig;

    /// Runs the plan over `ids` \[token\], special subwords included. `cancel` is looked at before every layer. Layers of
    /// the plan below the start are left out.
    ///
    /// # Errors
    /// When cancelled, when `ids` or `start` do not suit the model, or when the device fails.
    fn forward(
        &self,
        ids: &[u32],
        start: Start<'_>,
        plan: &ForwardPlan,
        sink: &mut dyn AttentionSink,
        cancel: &AtomicBool,
    ) -> Result<(), ForwardError>;

    /// Computes gradients from the last layer of `pass` down to the word embeddings. `cancel` is looked at before every layer.
    ///
    /// # Errors
    /// When cancelled, when a part of `pass` does not suit the model, or when the device fails.
    fn backward(
        &self,
        pass: &BackwardPass<'_>,
        sink: &mut dyn GradientSink,
        cancel: &AtomicBool,
    ) -> Result<(), ForwardError>;

    /// The rows of the word embeddings for `ids`, [token, hidden].
    ///
    /// # Errors
    /// When an id is unknown, or when the device fails.
    fn word_embeddings(&self, ids: &[u32]) -> Result<Vec<f32>, ForwardError>;
}

/// `RobertaModel` without its pooler.
pub struct RobertaEncoder<B: Backend> {
    config: RobertaConfig,
    backend: B,
    embeddings: EmbeddingTables<B>,
    layers: Vec<RobertaLayer<B>>,
    /// Buffers of earlier passes, reused by later ones.
    scratch: Mutex<Vec<Scratch<B>>>,
}

struct RobertaLayer<B: Backend> {
    /// `attention.self.{query, key, value}`, stacked.
    qkv: B::Linear,
    /// `attention.output`
    attention_output: B::Linear,
    attention_norm: B::LayerNorm,
    intermediate: B::Linear,
    output: B::Linear,
    output_norm: B::LayerNorm,
}

struct Scratch<B: Backend> {
    hidden: B::Matrix,
    qkv: B::Matrix,
    weights: B::Matrix,
    context: B::Matrix,
    attended: B::Matrix,
    intermediate: B::Matrix,
}

impl<B: Backend> Default for Scratch<B> {
    fn default() -> Self {
        Self {
            hidden: B::Matrix::default(),
            qkv: B::Matrix::default(),
            weights: B::Matrix::default(),
            context: B::Matrix::default(),
            attended: B::Matrix::default(),
            intermediate: B::Matrix::default(),
        }
    }
}

/// Reads the tensor of a name and a shape, row-major.
pub type ReadTensor<'a> = dyn FnMut(&str, &[usize]) -> Result<Vec<f32>, LoadError> + 'a;

impl<B: Backend> RobertaEncoder<B> {
    /// Moves the weights into the backend, one tensor at a time. `read` gets a tensor's name below the encoder's prefix
    /// and the shape that it must have.
    ///
    /// # Errors
    /// What `read` returns, or when the device refuses the memory.
    pub fn load(
        config: RobertaConfig,
        backend: B,
        read: &mut ReadTensor<'_>,
    ) -> Result<Self, LoadError> {
        let mut fetch = |name: &str, shape: &[usize]| {
            Ok(Parameter {
                values: read(name, shape)?,
                shape: shape.to_vec(),
            })
        };
        let hidden = config.hidden_size;
        let mut table = |name: &str, rows: usize| {
            backend.table(fetch(
                &format!("embeddings.{name}.weight"),
                &[rows, hidden],
            )?)
        };
        let words = table("word_embeddings", config.vocab_size)?;
        let positions = table("position_embeddings", config.max_position_embeddings)?;
        let token_types = table("token_type_embeddings", config.type_vocab_size)?;
        let embeddings = EmbeddingTables {
            words,
            positions,
            token_types,
            norm: layer_norm(&backend, &config, &mut fetch, "embeddings.LayerNorm")?,
        };
        let layers = (0..config.num_hidden_layers)
            .map(|i| RobertaLayer::load(&backend, &config, &mut fetch, i))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            config,
            backend,
            embeddings,
            layers,
            scratch: Mutex::default(),
        })
    }

    fn check(&self, ids: &[u32], start: Start<'_>) -> Result<(), ForwardError> {
        let max_tokens = self.config.max_tokens();
        if ids.len() > max_tokens {
            return Err(ForwardError::TooLong {
                n_tokens: ids.len(),
                max_tokens,
            });
        }
        let expected = ids.len() * self.config.hidden_size;
        match start {
            Start::Layer { layer_idx, hidden } => {
                let (n_layers, n_values) = (self.layers.len(), hidden.len());
                if layer_idx >= n_layers || n_values != expected {
                    return Err(ForwardError::Start {
                        layer_idx,
                        n_layers,
                        n_values,
                        expected,
                    });
                }
            }
            Start::WordEmbeddings(rows) => {
                check_shape("the word embeddings", rows.len(), expected)?;
            }
            Start::Embeddings => {}
        }
        self.check_ids(ids)
    }

    fn check_ids(&self, ids: &[u32]) -> Result<(), ForwardError> {
        let vocab_size = self.config.vocab_size;
        match ids.iter().find(|&&id| id as usize >= vocab_size) {
            Some(&id) => Err(ForwardError::UnknownId { id, vocab_size }),
            None => Ok(()),
        }
    }

    fn run(
        &self,
        ids: &[u32],
        start: Start<'_>,
        plan: &ForwardPlan,
        sink: &mut dyn AttentionSink,
        cancel: &AtomicBool,
        scratch: &mut Scratch<B>,
    ) -> Result<(), ForwardError> {
        let wanted = plan.hidden_states;
        let inputs = matches!(wanted, HiddenStates::All | HiddenStates::Inputs);
        let first = match start {
            Start::Embeddings | Start::WordEmbeddings(_) => {
                let words = match start {
                    Start::WordEmbeddings(rows) => Words::Rows(rows),
                    _ => Words::Ids(ids),
                };
                let positions = self.config.position_ids(ids);
                self.backend
                    .embed(words, &positions, &self.embeddings, &mut scratch.hidden)
                    .and_then(|()| {
                        self.backend
                            .normalize(&mut scratch.hidden, &self.embeddings.norm)
                    })
                    .map_err(device)?;
                if inputs {
                    let state = self.backend.read(&scratch.hidden).map_err(device)?;
                    sink.hidden_state(0, &state);
                }
                0
            }
            Start::Layer { layer_idx, hidden } => {
                self.backend
                    .write(hidden, ids.len(), &mut scratch.hidden)
                    .map_err(device)?;
                layer_idx
            }
        };
        let outputs = matches!(wanted, HiddenStates::All | HiddenStates::Last);
        let n_needed = if outputs {
            self.layers.len()
        } else {
            plan.layers.last().map_or(0, |&last| last + 1)
        };
        for (layer_idx, layer) in self.layers.iter().enumerate().take(n_needed).skip(first) {
            if cancel.load(Ordering::Relaxed) {
                return Err(ForwardError::Cancelled);
            }
            let is_last = layer_idx + 1 == n_needed;
            let attention_only = is_last && !outputs && !plan.blocks;
            self.attend(layer_idx, attention_only, plan, scratch)?;
            if plan.blocks {
                let block = layer.finish_block(&self.backend, self.config.layer_norm_eps, scratch);
                let block = block.map_err(device)?;
                if self
                    .send(layer_idx, plan, Some(block.view()), sink, scratch)?
                    .is_break()
                {
                    return Ok(());
                }
            } else {
                if self.send(layer_idx, plan, None, sink, scratch)?.is_break() || attention_only {
                    return Ok(());
                }
                layer.finish(&self.backend, scratch).map_err(device)?;
            }
            if is_last && !outputs {
                return Ok(());
            }
            if inputs || is_last {
                let state = self.backend.read(&scratch.hidden).map_err(device)?;
                sink.hidden_state(layer_idx + 1, &state);
            }
        }
        Ok(())
    }

    /// Attention of one layer, into the scratch.
    fn attend(
        &self,
        layer_idx: usize,
        attention_only: bool,
        plan: &ForwardPlan,
        scratch: &mut Scratch<B>,
    ) -> Result<(), ForwardError> {
        let (backend, layer) = (&self.backend, &self.layers[layer_idx]);
        let n_heads = self.config.num_attention_heads;
        let n_columns =
            (attention_only && !plan.transformed_values).then_some(2 * self.config.hidden_size);
        backend
            .apply(
                &scratch.hidden,
                &layer.qkv,
                &Epilogue::Bias,
                n_columns,
                &mut scratch.qkv,
            )
            .map_err(device)?;
        let context = (!attention_only).then_some(&mut scratch.context);
        backend
            .attend(&scratch.qkv, n_heads, &mut scratch.weights, context)
            .map_err(device)
    }

    /// Sends the attention in the scratch to the sink, if the layer is in the plan.
    fn send(
        &self,
        layer_idx: usize,
        plan: &ForwardPlan,
        block: Option<LayerBlock<'_>>,
        sink: &mut dyn AttentionSink,
        scratch: &Scratch<B>,
    ) -> Result<ControlFlow<()>, ForwardError> {
        if plan.layers.binary_search(&layer_idx).is_err() {
            return Ok(ControlFlow::Continue(()));
        }
        let (backend, layer) = (&self.backend, &self.layers[layer_idx]);
        let n_heads = self.config.num_attention_heads;
        let transformed_values = plan
            .transformed_values
            .then(|| backend.transformed_values(&scratch.qkv, n_heads, &layer.attention_output))
            .transpose()
            .map_err(device)?;
        let weights = backend.read(&scratch.weights).map_err(device)?;
        let n_tokens = (weights.len() / n_heads).isqrt();
        Ok(sink.attention(LayerAttention {
            layer_idx,
            n_heads,
            n_tokens,
            weights: &weights,
            transformed_values: transformed_values.as_deref(),
            block,
        }))
    }
}

impl<B: Backend> Encoder for RobertaEncoder<B> {
    fn config(&self) -> &RobertaConfig {
        &self.config
    }

    fn forward(
        &self,
        ids: &[u32],
        start: Start<'_>,
        plan: &ForwardPlan,
        sink: &mut dyn AttentionSink,
        cancel: &AtomicBool,
    ) -> Result<(), ForwardError> {
        self.check(ids, start)?;
        if ids.is_empty() {
            return Ok(());
        }
        // A poisoned lock only says that another pass panicked: buffers hold no state between passes.
        let lock = || {
            self.scratch
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        };
        let mut scratch = lock().pop().unwrap_or_default();
        let result = self.run(ids, start, plan, sink, cancel, &mut scratch);
        lock().push(scratch);
        result
    }

    fn backward(
        &self,
        pass: &BackwardPass<'_>,
        sink: &mut dyn GradientSink,
        cancel: &AtomicBool,
    ) -> Result<(), ForwardError> {
        self.run_backward(pass, sink, cancel)
    }

    fn word_embeddings(&self, ids: &[u32]) -> Result<Vec<f32>, ForwardError> {
        self.check_ids(ids)?;
        self.backend
            .rows(&self.embeddings.words, ids)
            .map_err(device)
    }
}

impl<B: Backend> RobertaLayer<B> {
    fn load(
        backend: &B,
        config: &RobertaConfig,
        fetch: &mut Fetch<'_>,
        layer_idx: usize,
    ) -> Result<Self, LoadError> {
        let (hidden, wide) = (config.hidden_size, config.intermediate_size);
        let prefix = format!("encoder.layer.{layer_idx}");
        let square = |name: &str| LinearNames::new(&format!("{prefix}.{name}"), hidden, hidden);
        let qkv = ["query", "key", "value"].map(|part| square(&format!("attention.self.{part}")));
        Ok(Self {
            qkv: backend.linear(fetch, &qkv)?,
            attention_output: backend.linear(fetch, &[square("attention.output.dense")])?,
            attention_norm: layer_norm(
                backend,
                config,
                fetch,
                &format!("{prefix}.attention.output.LayerNorm"),
            )?,
            intermediate: backend.linear(
                fetch,
                &[LinearNames::new(
                    &format!("{prefix}.intermediate.dense"),
                    hidden,
                    wide,
                )],
            )?,
            output: backend.linear(
                fetch,
                &[LinearNames::new(
                    &format!("{prefix}.output.dense"),
                    wide,
                    hidden,
                )],
            )?,
            output_norm: layer_norm(
                backend,
                config,
                fetch,
                &format!("{prefix}.output.LayerNorm"),
            )?,
        })
    }

    /// `RobertaSelfOutput`, `RobertaIntermediate`, `RobertaOutput`: from the attention's context to the next hidden state.
    fn finish(&self, backend: &B, scratch: &mut Scratch<B>) -> Result<(), B::Error> {
        self.add_attention(backend, scratch)?;
        backend.normalize(&mut scratch.attended, &self.attention_norm)?;
        self.add_feed_forward(backend, scratch)?;
        backend.normalize(&mut scratch.hidden, &self.output_norm)
    }

    /// The same, with a copy of what is computed on the way.
    fn finish_block(
        &self,
        backend: &B,
        eps: f64,
        scratch: &mut Scratch<B>,
    ) -> Result<Block, B::Error> {
        let input = backend.read(&scratch.hidden)?.into_owned();
        let attention_weight = backend.norm_weight(&self.attention_norm)?;
        let output_weight = backend.norm_weight(&self.output_norm)?;
        let deviations = |sums: &[f32]| inverse_deviations(sums, attention_weight.len(), eps);
        self.add_attention(backend, scratch)?;
        let attention_deviation = deviations(&backend.read(&scratch.attended)?);
        backend.normalize(&mut scratch.attended, &self.attention_norm)?;
        let attended = backend.read(&scratch.attended)?.into_owned();
        self.add_feed_forward(backend, scratch)?;
        let output_deviation = deviations(&backend.read(&scratch.hidden)?);
        backend.normalize(&mut scratch.hidden, &self.output_norm)?;
        Ok(Block {
            input,
            attended,
            attention_weight,
            attention_deviation,
            output_weight,
            output_deviation,
        })
    }

    /// The attention's output and the residual, before the layer norm.
    fn add_attention(&self, backend: &B, scratch: &mut Scratch<B>) -> Result<(), B::Error> {
        backend.apply(
            &scratch.context,
            &self.attention_output,
            &Epilogue::BiasAdd(&scratch.hidden),
            None,
            &mut scratch.attended,
        )
    }

    /// The feed-forward network's output and the residual, before the layer norm.
    fn add_feed_forward(&self, backend: &B, scratch: &mut Scratch<B>) -> Result<(), B::Error> {
        backend.apply(
            &scratch.attended,
            &self.intermediate,
            &Epilogue::BiasGelu,
            None,
            &mut scratch.intermediate,
        )?;
        backend.apply(
            &scratch.intermediate,
            &self.output,
            &Epilogue::BiasAdd(&scratch.attended),
            None,
            &mut scratch.hidden,
        )
    }
}

/// The values of a [`LayerBlock`].
struct Block {
    input: Vec<f32>,
    attended: Vec<f32>,
    attention_weight: Vec<f32>,
    attention_deviation: Vec<f32>,
    output_weight: Vec<f32>,
    output_deviation: Vec<f32>,
}

impl Block {
    fn view(&self) -> LayerBlock<'_> {
        LayerBlock {
            input: &self.input,
            attended: &self.attended,
            attention_norm: NormScale {
                weight: &self.attention_weight,
                inverse_deviation: &self.attention_deviation,
            },
            output_norm: NormScale {
                weight: &self.output_weight,
                inverse_deviation: &self.output_deviation,
            },
        }
    }
}

/// 1 / √(var + ε) of every row of `sums` [token, hidden].
fn inverse_deviations(sums: &[f32], hidden: usize, eps: f64) -> Vec<f32> {
    #[expect(clippy::cast_precision_loss, reason = "a width is far below 2^24")]
    let n = hidden as f64;
    let deviation = |row: &[f32]| {
        let mean = row.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
        let squares = row.iter().map(|x| (f64::from(*x) - mean).powi(2));
        #[expect(clippy::cast_possible_truncation, reason = "activations are f32")]
        {
            (1.0 / (squares.sum::<f64>() / n + eps).sqrt()) as f32
        }
    };
    sums.chunks_exact(hidden).map(deviation).collect()
}

fn layer_norm<B: Backend>(
    backend: &B,
    config: &RobertaConfig,
    fetch: &mut Fetch<'_>,
    prefix: &str,
) -> Result<B::LayerNorm, LoadError> {
    let shape = [config.hidden_size];
    let weight = fetch(&format!("{prefix}.weight"), &shape)?;
    let bias = fetch(&format!("{prefix}.bias"), &shape)?;
    backend.layer_norm(weight, bias, config.layer_norm_eps)
}

fn check_shape(what: &'static str, n_values: usize, expected: usize) -> Result<(), ForwardError> {
    if n_values == expected {
        Ok(())
    } else {
        Err(ForwardError::Shape {
            what,
            n_values,
            expected,
        })
    }
}

fn device(error: impl std::error::Error + Send + Sync + 'static) -> ForwardError {
    ForwardError::Device {
        source: Box::new(error),
    }
}
