//! A model: tokenizer, encoder and what is known about it. The only crate with candle, tokenizers, hf-hub and compute kernels.

#![warn(missing_docs)]

pub mod kernels;
pub mod roberta;
pub mod source;
pub mod task;
pub mod tokenizer;
pub mod weights;

mod device;
mod error;
mod file;
mod options;
mod precision;
mod quote;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sha2::{Digest, Sha256};

pub use device::Device;
pub use error::LoadError;
pub use options::{MIN_WINDOW, Mode, ModelOptions};
pub use precision::Precision;
pub use quote::{quote, quote_text};

use file::ModelFile;
use roberta::{
    AttentionSink, BackwardPass, Encoder, ForwardError, ForwardPlan, GradientSink, HiddenStates,
    LayerAttention, RobertaConfig, Start,
};
use source::files::ModelFiles;
use task::{TaskHead, TaskLayout, TaskSlot};
use tokenizer::{Encoding, Tokenizer};
use weights::Weights;

/// What is known about a loaded model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    /// `codegaze-mini`, a directory's path as given, or a hub id without its revision.
    pub id: String,
    /// The commit of a hub model.
    pub revision: Option<String>,
    /// Layers of the encoder.
    pub n_layers: usize,
    /// Attention heads of every layer.
    pub n_heads: usize,
    /// Width of a hidden state.
    pub hidden_size: usize,
    /// Subwords that fit one pass, special ones included: 512 for CodeBERT.
    pub max_tokens: usize,
    /// Special subwords around a text: 2 for CodeBERT.
    pub n_special: usize,
    /// Where the model runs.
    pub device: Device,
    /// The arithmetic of its linear layers.
    pub precision: Precision,
    /// Tells models apart, whatever they are called: a hash of configuration, tokenizer and a sample of every tensor.
    pub fingerprint: u64,
    /// What stands before the names of the encoder's tensors in the file: empty, or ending in a dot.
    pub encoder_prefix: String,
    /// What a user should know about how the model was read: parts of the file that are not used, a shortened window.
    pub notes: Vec<String>,
}

impl ModelInfo {
    /// Subwords of a text that fit one pass, without the special ones around them.
    #[must_use]
    pub fn max_code_subwords(&self) -> usize {
        self.max_tokens.saturating_sub(self.n_special)
    }
}

/// A tokenizer and an encoder that belong together.
pub struct Model {
    info: Arc<ModelInfo>,
    tokenizer: Tokenizer,
    encoder: Box<dyn Encoder>,
    task: TaskSlot,
}

/// A classifier with a hundred thousand labels has 10 MB.
pub(crate) const MAX_CONFIG_BYTES: u64 = 12 << 20;

/// Values of a tensor that go into the fingerprint.
const FINGERPRINT_SAMPLES: usize = 64;

impl Model {
    /// Reads a model into memory.
    ///
    /// # Errors
    /// One [`LoadError`] for each way in which the files can be bad.
    pub fn load(
        files: &ModelFiles,
        device: Device,
        precision: Precision,
    ) -> Result<Self, LoadError> {
        Self::load_with(files, device, precision, &ModelOptions::default())
    }

    /// Like [`Self::load`], with what a user says about the model.
    ///
    /// # Errors
    /// As [`Self::load`], and when the file does not have what is named.
    #[tracing::instrument(skip_all, fields(model = %files.id))]
    pub fn load_with(
        files: &ModelFiles,
        device: Device,
        precision: Precision,
        options: &ModelOptions,
    ) -> Result<Self, LoadError> {
        let config_file = ModelFile::open(&files.config)?;
        let config_bytes = config_file.read_all("config.json", MAX_CONFIG_BYTES)?;
        let mut config = RobertaConfig::parse(&config_bytes, &config_file.name)?;
        if let Some(window) = options.window {
            config.limit_window(window)?;
        }
        let tokenizer = Tokenizer::load(&files.tokenizer, &files.tokenizer_settings)?
            .with_mode(options.mode)?;
        // Ids that no text can get, such as that of an unused special token, need no row.
        if tokenizer.max_id() as usize >= config.vocab_size {
            return Err(LoadError::Config {
                file: config_file.name,
                cause: format!(
                    "vocab_size is {}, but the tokenizer gives texts ids up to {}; use the tokenizer and the config.json of the same model",
                    config.vocab_size,
                    tokenizer.max_id()
                ),
            });
        }
        let weights = Weights::open(&files.weights)?;
        let encoder_prefix = match &options.encoder_prefix {
            Some(prefix) => weights.encoder_at(prefix)?.prefix().to_owned(),
            None => weights.encoder()?.prefix().to_owned(),
        };
        let json = roberta::read_json(&config_bytes).unwrap_or_default();
        let task = TaskSlot::new(weights, &encoder_prefix, &config, &json, options.task);
        if options.task.is_some() {
            task.layout()?;
        }
        let tensors = task.encoder();
        let mut notes = task.notes(&tensors);
        notes.extend(config.window_note());
        notes.extend(tokenizer.mode_note());
        let mut hash = Sha256::new();
        hash.update(&config_bytes);
        hash.update(tokenizer.fingerprint().to_le_bytes());
        if let Some(window) = options.window {
            hash.update(window.to_le_bytes());
        }
        let mut read = |name: &str, shape: &[usize]| {
            let values = tensors.read_f32(name, shape)?;
            let step = (values.len() / FINGERPRINT_SAMPLES).max(1);
            for value in values.iter().step_by(step) {
                hash.update(value.to_le_bytes());
            }
            Ok(values)
        };
        let encoder = device.encoder(precision, config, &mut read)?;
        let digest = hash.finalize();
        let config = encoder.config();
        let info = ModelInfo {
            id: files.id.clone(),
            revision: files.revision.clone(),
            n_layers: config.num_hidden_layers,
            n_heads: config.num_attention_heads,
            hidden_size: config.hidden_size,
            max_tokens: config.max_tokens(),
            n_special: tokenizer.n_special(),
            device,
            precision,
            fingerprint: digest
                .iter()
                .take(8)
                .fold(0, |hash, &byte| hash << 8 | u64::from(byte)),
            encoder_prefix,
            notes,
        };
        Ok(Self {
            info: Arc::new(info),
            tokenizer,
            encoder,
            task,
        })
    }

    /// Which task head the file has; looks at names and shapes only.
    ///
    /// # Errors
    /// When it has none, has several of which none is preferred, or has one that contradicts the configuration.
    pub fn task(&self) -> Result<TaskLayout, LoadError> {
        self.task.layout()
    }

    /// The task head. The first call reads it.
    ///
    /// # Errors
    /// As [`Self::task`], and when a tensor of the head cannot be read.
    pub fn task_head(&self) -> Result<&TaskHead, LoadError> {
        self.task.head()
    }

    /// What is known about the model.
    #[must_use]
    pub fn info(&self) -> &Arc<ModelInfo> {
        &self.info
    }

    /// The encoder's configuration.
    #[must_use]
    pub fn config(&self) -> &RobertaConfig {
        self.encoder.config()
    }

    /// The tokenizer that belongs to the encoder.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Runs a plan over an encoded text; see [`Encoder::forward`].
    ///
    /// # Errors
    /// When cancelled, when the text is too long, or when the device fails.
    pub fn forward(
        &self,
        encoding: &Encoding,
        plan: &ForwardPlan,
        sink: &mut dyn AttentionSink,
        cancel: &AtomicBool,
    ) -> Result<(), ForwardError> {
        self.forward_from(encoding, Start::Embeddings, plan, sink, cancel)
    }

    /// Like [`Self::forward`], from a place further on.
    ///
    /// # Errors
    /// As [`Self::forward`], and when `start` does not suit the model and the text.
    pub fn forward_from(
        &self,
        encoding: &Encoding,
        start: Start<'_>,
        plan: &ForwardPlan,
        sink: &mut dyn AttentionSink,
        cancel: &AtomicBool,
    ) -> Result<(), ForwardError> {
        self.forward_ids(&encoding.ids, start, plan, sink, cancel)
    }

    /// Like [`Self::forward_from`], over ids \[token\] that no text needs to have, such as a text's with some masked.
    ///
    /// # Errors
    /// As [`Self::forward_from`], and when an id is unknown.
    pub fn forward_ids(
        &self,
        ids: &[u32],
        start: Start<'_>,
        plan: &ForwardPlan,
        sink: &mut dyn AttentionSink,
        cancel: &AtomicBool,
    ) -> Result<(), ForwardError> {
        self.encoder.forward(ids, start, plan, sink, cancel)
    }

    /// Runs a pass over `ids` \[token\] for its hidden states alone: those that `which` names, ascending, each [token, hidden].
    ///
    /// # Errors
    /// As [`Self::forward_ids`].
    pub fn hidden_states(
        &self,
        ids: &[u32],
        start: Start<'_>,
        which: HiddenStates,
        cancel: &AtomicBool,
    ) -> Result<Vec<Vec<f32>>, ForwardError> {
        struct Keep(Vec<Vec<f32>>);
        impl AttentionSink for Keep {
            fn attention(&mut self, _: LayerAttention<'_>) -> ControlFlow<()> {
                ControlFlow::Continue(())
            }

            fn hidden_state(&mut self, _index: usize, values: &[f32]) {
                self.0.push(values.to_vec());
            }
        }
        let plan = ForwardPlan {
            hidden_states: which,
            ..ForwardPlan::default()
        };
        let mut kept = Keep(Vec::new());
        self.forward_ids(ids, start, &plan, &mut kept, cancel)?;
        Ok(kept.0)
    }

    /// Computes gradients; see [`Encoder::backward`].
    ///
    /// # Errors
    /// When cancelled, when a part of `pass` does not suit the model, or when the device fails.
    pub fn backward(
        &self,
        pass: &BackwardPass<'_>,
        sink: &mut dyn GradientSink,
        cancel: &AtomicBool,
    ) -> Result<(), ForwardError> {
        self.encoder.backward(pass, sink, cancel)
    }

    /// The rows of the word embeddings for `ids`, [token, hidden].
    ///
    /// # Errors
    /// When an id is unknown, or when the device fails.
    pub fn word_embeddings(&self, ids: &[u32]) -> Result<Vec<f32>, ForwardError> {
        self.encoder.word_embeddings(ids)
    }
}
