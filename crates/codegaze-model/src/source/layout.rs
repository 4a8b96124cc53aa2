//! Which files make a model, whoever lists them: a directory, the hub, or the hub's cache.

use std::fmt;
use std::path::Path;

#[cfg(feature = "hub")]
use crate::file::ModelFile;

use super::files::{ModelFiles, TokenizerFiles, WeightFiles};
use crate::file::Blob;

pub(super) const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const VOCAB: &str = "vocab.json";
const MERGES: &str = "merges.txt";

/// The weights' layouts, the preferred one first.
const WEIGHTS: [(&str, WeightLayout); 4] = [
    ("model.safetensors", WeightLayout::Safetensors),
    (
        "model.safetensors.index.json",
        WeightLayout::SafetensorsSharded,
    ),
    ("pytorch_model.bin", WeightLayout::Torch),
    ("pytorch_model.bin.index.json", WeightLayout::TorchSharded),
];

/// Weights that such folders often hold and that are not read.
const FOREIGN_WEIGHTS: [&str; 5] = [
    "tf_model.h5",
    "flax_model.msgpack",
    "rust_model.ot",
    "model.onnx",
    "onnx/model.onnx",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WeightLayout {
    Safetensors,
    SafetensorsSharded,
    Torch,
    TorchSharded,
}

/// The choice among the files of one folder.
#[derive(Debug)]
pub(super) struct Layout {
    has_tokenizer_json: bool,
    has_tokenizer_config: bool,
    weights: (&'static str, WeightLayout),
}

impl Layout {
    /// Chooses one tokenizer and one set of weights; `has` tells if a file is there.
    pub(super) fn choose(has: impl Fn(&str) -> bool) -> Result<Self, Missing> {
        if !has(CONFIG) {
            return Err(Missing::Config);
        }
        let has_tokenizer_json = has(TOKENIZER);
        if !has_tokenizer_json {
            match (has(VOCAB), has(MERGES)) {
                (true, true) => {}
                (true, false) => return Err(Missing::Merges),
                (false, true) => return Err(Missing::Vocab),
                (false, false) => return Err(Missing::Tokenizer),
            }
        }
        let Some(weights) = WEIGHTS.into_iter().find(|(name, _)| has(name)) else {
            let foreign = FOREIGN_WEIGHTS.into_iter().filter(|name| has(name));
            return Err(Missing::Weights {
                foreign: foreign.collect(),
            });
        };
        Ok(Self {
            has_tokenizer_json,
            has_tokenizer_config: has(TOKENIZER_CONFIG),
            weights,
        })
    }

    /// The files' names, shards aside, the weights or their index last.
    #[cfg(feature = "hub")]
    pub(super) fn names(&self) -> Vec<&'static str> {
        let mut names = vec![CONFIG];
        if self.has_tokenizer_config {
            names.push(TOKENIZER_CONFIG);
        }
        if self.has_tokenizer_json {
            names.push(TOKENIZER);
        } else {
            names.extend([VOCAB, MERGES]);
        }
        names.push(self.weights.0);
        names
    }

    /// The index that names the shards, if the weights are sharded.
    #[cfg(feature = "hub")]
    pub(super) fn index(&self) -> Option<&'static str> {
        match self.weights {
            (name, WeightLayout::SafetensorsSharded | WeightLayout::TorchSharded) => Some(name),
            _ => None,
        }
    }

    pub(super) fn files(&self, id: String, revision: Option<String>, dir: &Path) -> ModelFiles {
        let blob = |name: &str| Blob::Path(dir.join(name));
        let (weights, layout) = self.weights;
        ModelFiles {
            id,
            revision,
            config: blob(CONFIG),
            tokenizer: if self.has_tokenizer_json {
                TokenizerFiles::Json(blob(TOKENIZER))
            } else {
                TokenizerFiles::VocabMerges {
                    vocab: blob(VOCAB),
                    merges: blob(MERGES),
                }
            },
            tokenizer_config: self.has_tokenizer_config.then(|| blob(TOKENIZER_CONFIG)),
            weights: match layout {
                WeightLayout::Safetensors => WeightFiles::Safetensors(blob(weights)),
                WeightLayout::SafetensorsSharded => WeightFiles::SafetensorsSharded {
                    index: dir.join(weights),
                },
                WeightLayout::Torch => WeightFiles::Torch(blob(weights)),
                WeightLayout::TorchSharded => WeightFiles::TorchSharded {
                    index: dir.join(weights),
                },
            },
        }
    }
}

/// The shards that an index names, in order; `Err` says why they cannot be known.
#[cfg(feature = "hub")]
pub(super) fn shards(index: &Path) -> Result<Vec<String>, String> {
    const LIMIT: u64 = 64 << 20;

    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: std::collections::HashMap<String, String>,
    }

    let bytes = ModelFile::open_path(index)
        .and_then(|file| file.read_all("index of shards", LIMIT))
        .map_err(|error| error.to_string())?;
    let index: Index = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    let names: std::collections::BTreeSet<String> = index.weight_map.into_values().collect();
    // They become a part of a URL and of a path: a plain name only.
    let is_plain = |name: &str| {
        !name.starts_with(['.', '-'])
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    if let Some(name) = names.iter().find(|name| !is_plain(name)) {
        return Err(format!("the shard name {name:?} is not a plain file name"));
    }
    if names.is_empty() {
        return Err("it names no shards".to_owned());
    }
    Ok(names.into_iter().collect())
}

/// What a folder lacks to be a model. Reads on after "it has".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    Config,
    Tokenizer,
    Vocab,
    Merges,
    Weights { foreign: Vec<&'static str> },
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config => f.write_str("no config.json, which describes the model"),
            Self::Tokenizer => f.write_str("neither tokenizer.json nor vocab.json and merges.txt"),
            Self::Vocab => f.write_str("merges.txt but neither vocab.json nor tokenizer.json"),
            Self::Merges => f.write_str("vocab.json but neither merges.txt nor tokenizer.json"),
            Self::Weights { foreign } => {
                f.write_str(
                    "no supported weights: model.safetensors or pytorch_model.bin, whole or sharded with an index",
                )?;
                if !foreign.is_empty() {
                    write!(
                        f,
                        "; codegaze does not support {}, so save the model from transformers with save_pretrained",
                        foreign.join(", ")
                    )?;
                }
                Ok(())
            }
        }
    }
}
