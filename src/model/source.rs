//! Where a model's files come from: the binary itself, a directory, or the Hugging Face hub.

use std::path::PathBuf;

/// The bytes of one file: on disk, or part of the binary.
#[derive(Clone, Debug)]
pub enum Blob {
    Path(PathBuf),
    Embedded {
        name: &'static str,
        bytes: &'static [u8],
    },
}

/// The tokenizer's files.
#[derive(Clone, Debug)]
pub enum TokenizerFiles {
    /// `tokenizer.json`
    Json(Blob),
    /// `vocab.json` and `merges.txt`, as CodeBERT has them.
    VocabMerges { vocab: Blob, merges: Blob },
}

/// The weights' files, by layout.
#[derive(Clone, Debug)]
pub enum WeightFiles {
    /// `model.safetensors`
    Safetensors(Blob),
    /// `model.safetensors.index.json` and the shards that it names, beside it.
    SafetensorsSharded { index: PathBuf },
    /// `pytorch_model.bin`: zip, or the non-zip format of torch before 1.6. Told apart by content.
    Torch(Blob),
    /// `pytorch_model.bin.index.json` and the shards that it names, beside it.
    TorchSharded { index: PathBuf },
}

/// A model's files, found but not yet read.
#[derive(Clone, Debug)]
pub struct ModelFiles {
    /// `codegaze-mini`, a directory's path as given, or a hub id without its revision.
    pub id: String,
    /// The commit of a hub model, else `None`.
    pub revision: Option<String>,
    pub config: Blob,
    pub tokenizer: TokenizerFiles,
    /// `tokenizer_config.json`
    pub tokenizer_config: Option<Blob>,
    pub weights: WeightFiles,
}
