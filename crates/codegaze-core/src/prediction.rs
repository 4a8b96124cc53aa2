//! Predictions: what a model's task head answers about a text.
//!
//! | module | contents |
//! | --- | --- |
//! | `classify` | classifiers: the labels of definitions, of files, of pairs of files, of lexemes |
//! | `masked` | masked language models: the texts that are probable at a masked lexeme, and the surprise of what stands there |
//! | [`source`] | the text that the model reads, and the way back to the document |
//!
//! A unit that does not fit the model's window is read window by window.

mod classify;
mod masked;
pub mod source;

#[cfg(test)]
mod tests;

use std::sync::atomic::AtomicBool;

use codegaze_model::roberta::{ForwardError, HiddenStates, Start};
use codegaze_model::task::{TaskError, TaskHead, TaskKind, TaskLayout};
use codegaze_model::{LoadError, Model};
use codegaze_text::document::Document;
use codegaze_text::lexeme::LexemeKind;
use codegaze_text::{ByteSpan, named_enum};

pub use masked::fill_masks;
use source::SourceText;

named_enum! {
    /// What a classifier of texts reads at once.
    #[derive(Default)]
    pub enum UnitKind as "unit" {
        /// Each top-level definition; the file, if it has none.
        #[default]
        Definition = "definition", "each top-level definition; the file, if it has none";
        /// The whole file.
        File = "file", "the whole file";
    }
}

named_enum! {
    /// What is done to a text before the model reads it.
    pub enum Normalize as "normalization" {
        /// Nothing.
        None = "none", "the text as it is";
        /// Every run of whitespace becomes one space, and none is left at the ends.
        Whitespace = "whitespace", "each run of whitespace becomes one space, as in CodeXGLUE's scripts";
    }
}

/// The most texts that are listed at a masked lexeme. Finding those of several subwords takes its square.
pub const MAX_TOP: usize = 100;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PredictionOptions {
    /// What a classifier of texts reads at once.
    pub by: UnitKind,
    /// How many texts are listed at a masked lexeme, at most [`MAX_TOP`].
    pub top: usize,
    /// `None` stands for what the head was trained on.
    pub normalize: Option<Normalize>,
    /// Only the unit or the lexeme at this byte offset.
    pub at: Option<usize>,
}

impl Default for PredictionOptions {
    fn default() -> Self {
        Self {
            by: UnitKind::default(),
            top: 5,
            normalize: None,
            at: None,
        }
    }
}

/// What a model answers about one document.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The head that answered.
    pub task: TaskLayout,
    /// What was done to the text before.
    pub normalize: Normalize,
    /// The answers.
    pub answers: Answers,
}

/// Answers, by the kind of the task head.
#[derive(Clone, Debug, PartialEq)]
pub enum Answers {
    /// Of a classifier of texts: each unit.
    Units(Vec<UnitPrediction>),
    /// Of a classifier of subwords: each lexeme, by its first subword.
    Labels(Vec<LabeledLexeme>),
    /// Of a masked language model: each lexeme.
    Masked(Vec<MaskedLexeme>),
}

/// The probability of one label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelScore {
    /// 0 … 1; `None` for a regression.
    pub probability: Option<f64>,
    /// What the head computed.
    pub logit: f64,
    /// Whether the model answers this label: the most probable one, or, if each label is asked alone, one with at least 0.5.
    pub predicted: bool,
}

/// What a classifier answers about a part of a unit that fits the model.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowPrediction {
    /// Where it is in the document.
    pub span: ByteSpan,
    /// \[label\]
    pub labels: Vec<LabelScore>,
}

/// What a classifier answers about one unit.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitPrediction {
    /// Where it is in the document.
    pub span: ByteSpan,
    /// The name of the definition; `None` for a file.
    pub name: Option<ByteSpan>,
    /// The windows, ascending; one, if the unit fits the model.
    pub windows: Vec<WindowPrediction>,
    /// The window whose answer is the unit's: the one with the greatest probability of the last label of two or of the only one; of more
    /// labels, with the greatest probability of any; of a regression, the greatest value.
    pub decisive: usize,
}

impl UnitPrediction {
    /// The unit's answer, \[label\].
    #[must_use]
    pub fn labels(&self) -> &[LabelScore] {
        &self.windows[self.decisive].labels
    }
}

/// What a classifier of subwords answers about one lexeme.
#[derive(Clone, Debug, PartialEq)]
pub struct LabeledLexeme {
    /// Where it is in the document.
    pub span: ByteSpan,
    /// What kind of lexeme it is.
    pub kind: LexemeKind,
    /// \[label\]
    pub labels: Vec<LabelScore>,
}

/// A text at a masked place.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The text with the whitespace that belongs to its subwords.
    pub text: String,
    /// The product of its subwords' probabilities, 0 … 1.
    pub probability: f64,
}

/// What a masked language model expects in the place of one lexeme, all of whose subwords are masked at once.
#[derive(Clone, Debug, PartialEq)]
pub struct MaskedLexeme {
    /// Where it is in the document.
    pub span: ByteSpan,
    /// What kind of lexeme it is.
    pub kind: LexemeKind,
    /// The number of subwords that were masked.
    pub n_subwords: usize,
    /// The probability of what stands there: the product of its subwords' probabilities.
    pub probability: f64,
    /// −log₂ of `probability`, in bits.
    pub surprise: f64,
    /// The most probable texts of as many subwords, descending.
    pub candidates: Vec<Candidate>,
}

/// Why there is no prediction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PredictionError {
    /// The model has no task head that can be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The head gives no answer.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// The pass was cancelled, or the device failed.
    #[error(transparent)]
    Forward(#[from] ForwardError),
    /// The text has nothing but whitespace.
    #[error("the text has nothing but whitespace; add some code")]
    Blank,
    /// There is no lexeme or unit at the position.
    #[error("there is {what} at this position; choose a position on a word or a sign{where_}")]
    NothingThere {
        /// What is there instead.
        what: &'static str,
        /// Where the model reads, if not everywhere.
        where_: &'static str,
    },
    /// The tokenizer has no mask subword.
    #[error(
        "the model's tokenizer has no mask subword, so nothing can be masked; use the tokenizer that belongs to the model"
    )]
    NoMask,
    /// A text to fill has no `<mask>`.
    #[error("the text has no <mask>; write <mask> in the place that the model should fill")]
    NoMaskInText,
    /// The model's head answers another question.
    #[error("{needs}, and this model's task head {} is {}; {next}", codegaze_model::quote(&.task.module), .task.kind.about())]
    OtherTask {
        /// What was asked, and the head that it needs.
        needs: &'static str,
        /// The head that there is.
        task: Box<TaskLayout>,
        /// What to do.
        next: &'static str,
    },
}

/// Asks the model's task head about a document. `on_step` gets the passes that are done and their number.
///
/// # Errors
/// When the model has no task head, when the text is blank, when nothing is at the position that is asked for, or when it is cancelled.
pub fn predict(
    model: &Model,
    document: &Document,
    options: &PredictionOptions,
    cancel: &AtomicBool,
    on_step: &mut dyn FnMut(usize, usize),
) -> Result<Prediction, PredictionError> {
    let layout = model.task()?;
    if layout.kind == TaskKind::Pair {
        return Err(PredictionError::OtherTask {
            needs: "predictions about one text need a classifier of texts",
            task: Box::new(layout),
            next: "name two files",
        });
    }
    if document.text().trim().is_empty() {
        return Err(PredictionError::Blank);
    }
    let asker = Asker::new(model, options, cancel)?;
    let answers = match layout.kind {
        TaskKind::Masked => Answers::Masked(masked::lexemes(&asker, document, on_step)?),
        TaskKind::Token => Answers::Labels(classify::lexemes(&asker, document, on_step)?),
        TaskKind::Sequence | TaskKind::Pair => {
            Answers::Units(classify::units(&asker, document, on_step)?)
        }
    };
    Ok(Prediction {
        task: layout,
        normalize: asker.normalize,
        answers,
    })
}

/// Asks a classifier of pairs about two documents. Texts that do not fit are read window by window, and each window of the first is
/// compared with each of the second; the spans of the windows are those of the first.
///
/// # Errors
/// As [`predict`], and when the model's head does not read pairs.
pub fn predict_pair(
    model: &Model,
    documents: [&Document; 2],
    options: &PredictionOptions,
    cancel: &AtomicBool,
    on_step: &mut dyn FnMut(usize, usize),
) -> Result<Prediction, PredictionError> {
    let layout = model.task()?;
    if layout.kind != TaskKind::Pair {
        return Err(PredictionError::OtherTask {
            needs: "a comparison of two texts needs a classifier of pairs",
            task: Box::new(layout),
            next: "predict each file alone",
        });
    }
    if documents
        .iter()
        .any(|document| document.text().trim().is_empty())
    {
        return Err(PredictionError::Blank);
    }
    let asker = Asker::new(model, options, cancel)?;
    let unit = classify::pair(&asker, documents, on_step)?;
    Ok(Prediction {
        task: layout,
        normalize: asker.normalize,
        answers: Answers::Units(vec![unit]),
    })
}

/// A model that is asked, and how.
struct Asker<'a> {
    model: &'a Model,
    head: &'a TaskHead,
    normalize: Normalize,
    options: &'a PredictionOptions,
    cancel: &'a AtomicBool,
}

impl<'a> Asker<'a> {
    fn new(
        model: &'a Model,
        options: &'a PredictionOptions,
        cancel: &'a AtomicBool,
    ) -> Result<Self, PredictionError> {
        let head = model.task_head()?;
        let default = if head.layout().collapses_whitespace() {
            Normalize::Whitespace
        } else {
            Normalize::None
        };
        Ok(Self {
            model,
            head,
            normalize: options.normalize.unwrap_or(default),
            options,
            cancel,
        })
    }

    /// A part of a document as the model reads it.
    fn read(&self, document: &Document, span: ByteSpan) -> SourceText {
        SourceText::new(document.text(), span, self.normalize)
    }

    /// The last hidden state of a pass over ids, [token, hidden].
    fn last_hidden_state(&self, ids: &[u32]) -> Result<Vec<f32>, ForwardError> {
        let last = HiddenStates::Last;
        let mut states = self
            .model
            .hidden_states(ids, Start::Embeddings, last, self.cancel)?;
        Ok(states.pop().unwrap_or_default())
    }
}
