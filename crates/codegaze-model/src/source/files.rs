//! The files of a model.

use std::path::{Path, PathBuf};

use crate::file::Blob;

/// The tokenizer's files.
#[derive(Clone, Debug)]
pub enum TokenizerFiles {
    /// `tokenizer.json`
    Json(Blob),
    /// `vocab.json` and `merges.txt`, as CodeBERT has them.
    VocabMerges {
        /// `vocab.json`
        vocab: Blob,
        /// `merges.txt`
        merges: Blob,
    },
}

/// Files beside a vocabulary, each of which may be absent.
#[derive(Clone, Debug, Default)]
pub struct TokenizerSettings {
    /// `tokenizer_config.json`: the class, the prefix space, the names of special subwords, added tokens.
    pub config: Option<Blob>,
    /// `special_tokens_map.json`: the names of special subwords, in older checkpoints.
    pub special_tokens_map: Option<Blob>,
    /// `added_tokens.json`: added tokens, in older checkpoints.
    pub added_tokens: Option<Blob>,
}

/// The weights' files, by layout.
#[derive(Clone, Debug)]
pub enum WeightFiles {
    /// `model.safetensors`
    Safetensors(Blob),
    /// `model.safetensors.index.json` and the shards that it names, beside it.
    SafetensorsSharded {
        /// The index.
        index: PathBuf,
    },
    /// `pytorch_model.bin`: a zip file, or the format of torch before 1.6. The content shows which.
    Torch(Blob),
    /// One file of another name, such as `model.bin` or `best.pt`. The content shows which format it has.
    Single(Blob),
    /// `pytorch_model.bin.index.json` and the shards that it names, beside it.
    TorchSharded {
        /// The index.
        index: PathBuf,
    },
}

/// A model's files, found but not yet read.
#[derive(Clone, Debug)]
pub struct ModelFiles {
    /// `codegaze-mini`, a directory's path as given, or a hub id without its revision.
    pub id: String,
    /// The commit of a hub model, otherwise `None`.
    pub revision: Option<String>,
    /// `config.json`
    pub config: Blob,
    /// The tokenizer's vocabulary.
    pub tokenizer: TokenizerFiles,
    /// What stands beside the tokenizer's vocabulary.
    pub tokenizer_settings: TokenizerSettings,
    /// The encoder's weights.
    pub weights: WeightFiles,
}

impl ModelFiles {
    /// The directory that holds the files; `None` for the embedded model.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        match &self.config {
            Blob::Path(path) => path.parent(),
            Blob::Embedded { .. } => None,
        }
    }
}
