//! codegaze-mini, the small code model that codegaze embeds, as the files of a Hugging Face model directory.
//!
//! This crate contains only the files, so that another model can replace it without other changes. `model/MODEL_CARD.md` describes the
//! training, the data and the quality of the model.

#![warn(missing_docs)]

/// The model's name, and its version in the card.
pub const NAME: &str = "codegaze-mini";

/// `config.json`.
pub const CONFIG: &[u8] = include_bytes!("../model/config.json");

/// `tokenizer.json`: byte-level BPE.
pub const TOKENIZER: &[u8] = include_bytes!("../model/tokenizer.json");

/// `tokenizer_config.json`.
pub const TOKENIZER_CONFIG: &[u8] = include_bytes!("../model/tokenizer_config.json");

/// `model.safetensors`: f16 weights of the encoder and of the masked-language-model head.
pub const WEIGHTS: &[u8] = include_bytes!("../model/model.safetensors");
