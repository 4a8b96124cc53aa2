//! The files of a model.

use std::path::{Path, PathBuf};

use crate::file::Blob;

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
    /// `pytorch_model.bin`: a zip file, or the format of torch before 1.6. The content shows which.
    Torch(Blob),
    /// One file of another name, such as `model.bin` or `best.pt`. The content shows which format it has.
    Single(Blob),
    /// `pytorch_model.bin.index.json` and the shards that it names, beside it.
    TorchSharded { index: PathBuf },
}

/// A model's files, found but not yet read.
#[derive(Clone, Debug)]
pub struct ModelFiles {
    /// `codegaze-mini`, a directory's path as given, or a hub id without its revision.
    pub id: String,
    /// The commit of a hub model, otherwise `None`.
    pub revision: Option<String>,
    pub config: Blob,
    pub tokenizer: TokenizerFiles,
    /// `tokenizer_config.json`
    pub tokenizer_config: Option<Blob>,
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
