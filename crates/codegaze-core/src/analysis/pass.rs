//! One window, tokenized, and the model that reads it. Every kind of pass starts from this.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::record::PassRecord;
use codegaze_model::Model;
use codegaze_model::roberta::{AttentionSink, ForwardError, ForwardPlan, HiddenStates, Start};
use codegaze_model::tokenizer::Encoding;

/// A window of a document, tokenized for a model.
pub struct Pass<'a> {
    pub(super) model: &'a Model,
    pub(super) text: &'a str,
    pub(super) encoding: Encoding,
    /// How long tokenizing took.
    pub(super) tokenize: Duration,
    record: Option<&'a mut PassRecord>,
    cancel: &'a AtomicBool,
}

impl<'a> Pass<'a> {
    /// Tokenizes `text`. The pass stops before the next layer when `cancel` is set.
    #[must_use]
    pub fn new(model: &'a Model, text: &'a str, cancel: &'a AtomicBool) -> Self {
        let start = Instant::now();
        let encoding = model.tokenizer().encode(text);
        Self {
            model,
            text,
            encoding,
            tokenize: start.elapsed(),
            record: None,
            cancel,
        }
    }

    /// Continues from what earlier passes over the same text recorded, and records what this pass computes, even if it is cancelled.
    #[must_use]
    pub fn recorded(self, record: &'a mut PassRecord) -> Self {
        Self {
            record: Some(record),
            ..self
        }
    }

    /// Sends the attention of the plan's layers, ascending, and the hidden states that the plan names to `sink`.
    ///
    /// # Errors
    /// If the pass is cancelled, or if the device fails.
    pub fn forward(
        &mut self,
        plan: &ForwardPlan,
        sink: &mut dyn AttentionSink,
    ) -> Result<(), ForwardError> {
        let (model, encoding, cancel) = (self.model, &self.encoding, self.cancel);
        let mut run = |start: Start<'_>, plan: &ForwardPlan, sink: &mut dyn AttentionSink| {
            model.forward_from(encoding, start, plan, sink, cancel)
        };
        match &mut self.record {
            // A record has the inputs of layers, but not the output of the last one.
            Some(record) if plan.hidden_states == HiddenStates::None => {
                record.forward(plan, sink, &mut run)
            }
            _ => run(Start::Embeddings, plan, sink),
        }
    }
}
