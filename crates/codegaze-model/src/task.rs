//! Task heads: what turns hidden states into an answer, such as a label or the subword at a masked position.
//!
//! | module | contents |
//! | --- | --- |
//! | [`layout`] | which head a file of weights has, by names and shapes |
//! | [`head`] | a head's weights: logits, and the gradient of one answer |
//! | `settings` | what `config.json` says about the head |
//!
//! A head is small beside its encoder, so it runs in host memory on the last hidden state, [token, hidden], and only for the positions
//! that are asked for. It is read from the file when it is first used: loading a model for its attention costs nothing more. The decoder
//! of a tied masked language model is read from the encoder's word embeddings, block by block: there is no second copy of it.

pub mod head;
pub mod layout;
mod settings;

use std::sync::OnceLock;

pub use head::{Answer, Logits, Quantity, TaskError, TaskHead};
pub use layout::{Activation, HeadLayout, TaskKind, TaskLayout};

use crate::LoadError;
use crate::weights::Weights;
use settings::TaskSettings;

/// A model's task head, which is read when it is first used.
pub(crate) struct TaskSlot {
    weights: Weights,
    encoder_prefix: String,
    hidden_size: usize,
    vocab_size: usize,
    layer_norm_eps: f64,
    settings: TaskSettings,
    wanted: Option<TaskKind>,
    head: OnceLock<TaskHead>,
}

impl TaskSlot {
    /// `json` is the model's `config.json`.
    pub(crate) fn new(
        weights: Weights,
        encoder_prefix: &str,
        config: &crate::roberta::RobertaConfig,
        json: &serde_json::Map<String, serde_json::Value>,
        wanted: Option<TaskKind>,
    ) -> Self {
        Self {
            weights,
            encoder_prefix: encoder_prefix.to_owned(),
            hidden_size: config.hidden_size,
            vocab_size: config.vocab_size,
            layer_norm_eps: config.layer_norm_eps,
            settings: TaskSettings::new(json),
            wanted,
            head: OnceLock::new(),
        }
    }

    /// Which head there is; looks at names and shapes only.
    pub(crate) fn layout(&self) -> Result<TaskLayout, LoadError> {
        TaskLayout::find(
            &self.weights,
            &self.encoder_prefix,
            self.hidden_size,
            &self.settings,
            self.wanted,
        )
    }

    pub(crate) fn head(&self) -> Result<&TaskHead, LoadError> {
        if let Some(head) = self.head.get() {
            return Ok(head);
        }
        let head = TaskHead::read(
            &self.weights,
            self.layout()?,
            self.hidden_size,
            self.vocab_size,
            self.layer_norm_eps,
        )?;
        Ok(self.head.get_or_init(|| head))
    }

    /// What a user should know about the encoder and the head that were taken.
    pub(crate) fn notes(&self, encoder: &crate::weights::EncoderWeights<'_>) -> Vec<String> {
        let used = self.layout().ok().map(|layout| layout.module);
        crate::weights::notes(encoder, used.as_deref())
    }

    pub(crate) fn encoder(&self) -> crate::weights::EncoderWeights<'_> {
        self.weights.at(&self.encoder_prefix)
    }
}
