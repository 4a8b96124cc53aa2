//! What a user says about a model, where its files do not decide.

use codegaze_text::named_enum;

use crate::task::TaskKind;

named_enum! {
    /// What stands before a text, for models that were trained with several prefixes.
    #[derive(Default)]
    pub enum Mode as "mode" {
        /// What the tokenizer's files say: `<s>` for RoBERTa.
        #[default]
        Plain = "plain", "what the tokenizer's files say";
        /// `<s> <encoder-only> </s>`, as `UniXcoder.tokenize` in `unixcoder.py` of microsoft/CodeBERT does.
        EncoderOnly = "encoder-only", "<s> <encoder-only> </s>, as UniXcoder has it";
    }
}

/// How a model is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelOptions {
    /// The kind of task head to use.
    pub task: Option<TaskKind>,
    /// What stands before the names of the encoder's tensors.
    pub encoder_prefix: Option<String>,
    /// What stands before a text.
    pub mode: Mode,
    /// The most subwords of one pass, special ones included, if fewer than the model can read. At least [`MIN_WINDOW`].
    pub window: Option<usize>,
}

/// The shortest window that a user can choose. It holds a line of code.
pub const MIN_WINDOW: usize = 32;
