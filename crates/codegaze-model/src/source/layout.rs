//! Which files make a model. The same rule holds for a directory, the hub and the hub's cache.

use std::path::Path;

#[cfg(feature = "hub")]
use crate::file::ModelFile;

use super::files::{ModelFiles, TokenizerFiles, TokenizerSettings, WeightFiles};
use super::folder::Folder;
use super::missing::{Missing, Part};
use crate::file::Blob;

pub(super) const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const SPECIAL_TOKENS_MAP: &str = "special_tokens_map.json";
const ADDED_TOKENS: &str = "added_tokens.json";
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

/// What training scripts save beside the weights, in files that look like weights.
const NOT_WEIGHTS: [&str; 7] = [
    "training_args",
    "optimizer",
    "scheduler",
    "scaler",
    "rng_state",
    "random_states",
    "adapter_model",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WeightLayout {
    Safetensors,
    SafetensorsSharded,
    Torch,
    TorchSharded,
    /// A file of another name, alone of its kind.
    Single,
}

/// The choice among the files of one folder.
#[derive(Debug)]
pub(super) struct Layout {
    tokenizer: TokenizerLayout,
    weights: WeightsLayout,
}

/// The tokenizer's files.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "one for each optional file")]
pub(super) struct TokenizerLayout {
    has_json: bool,
    has_config: bool,
    has_special_tokens_map: bool,
    has_added_tokens: bool,
}

/// The weights' file, or the index of their shards.
#[derive(Debug)]
pub(super) struct WeightsLayout {
    name: String,
    layout: WeightLayout,
}

impl Layout {
    /// Chooses one tokenizer and one set of weights.
    pub(super) fn choose(folder: &Folder) -> Result<Self, Missing> {
        if !folder.has(CONFIG) {
            return Err(Missing::new(Part::Config, folder));
        }
        Ok(Self {
            tokenizer: TokenizerLayout::choose(folder)?,
            weights: WeightsLayout::choose(folder)?,
        })
    }

    /// The weights' file, or the index of their shards.
    #[cfg(feature = "hub")]
    pub(super) fn weights(&self) -> &str {
        &self.weights.name
    }

    /// The names of the tokenizer's files.
    #[cfg(feature = "hub")]
    pub(super) fn tokenizer(&self) -> Vec<&'static str> {
        let tokenizer = &self.tokenizer;
        let mut names = if tokenizer.has_json {
            vec![TOKENIZER]
        } else {
            vec![VOCAB, MERGES]
        };
        let beside = [
            (tokenizer.has_config, TOKENIZER_CONFIG),
            (tokenizer.has_special_tokens_map, SPECIAL_TOKENS_MAP),
            (tokenizer.has_added_tokens, ADDED_TOKENS),
        ];
        names.extend(
            beside
                .into_iter()
                .filter(|(has, _)| *has)
                .map(|(_, name)| name),
        );
        names
    }

    /// The index that names the shards, if the weights are sharded.
    #[cfg(feature = "hub")]
    pub(super) fn index(&self) -> Option<&str> {
        match self.weights.layout {
            WeightLayout::SafetensorsSharded | WeightLayout::TorchSharded => {
                Some(&self.weights.name)
            }
            _ => None,
        }
    }

    pub(super) fn files(&self, id: String, revision: Option<String>, dir: &Path) -> ModelFiles {
        let (tokenizer, tokenizer_settings) = self.tokenizer.files(dir);
        ModelFiles {
            id,
            revision,
            config: Blob::Path(dir.join(CONFIG)),
            tokenizer,
            tokenizer_settings,
            weights: self.weights.files(dir),
        }
    }
}

impl TokenizerLayout {
    pub(super) fn choose(folder: &Folder) -> Result<Self, Missing> {
        let has_json = folder.has(TOKENIZER);
        if !has_json {
            let part = match (folder.has(VOCAB), folder.has(MERGES)) {
                (true, true) => None,
                (true, false) => Some(Part::Merges),
                (false, true) => Some(Part::Vocab),
                (false, false) => Some(Part::Tokenizer),
            };
            if let Some(part) = part {
                return Err(Missing::new(part, folder));
            }
        }
        Ok(Self {
            has_json,
            has_config: folder.has(TOKENIZER_CONFIG),
            has_special_tokens_map: folder.has(SPECIAL_TOKENS_MAP),
            has_added_tokens: folder.has(ADDED_TOKENS),
        })
    }

    pub(super) fn files(&self, dir: &Path) -> (TokenizerFiles, TokenizerSettings) {
        let blob = |name: &str| Blob::Path(dir.join(name));
        let vocabulary = if self.has_json {
            TokenizerFiles::Json(blob(TOKENIZER))
        } else {
            TokenizerFiles::VocabMerges {
                vocab: blob(VOCAB),
                merges: blob(MERGES),
            }
        };
        let settings = TokenizerSettings {
            config: self.has_config.then(|| blob(TOKENIZER_CONFIG)),
            special_tokens_map: self
                .has_special_tokens_map
                .then(|| blob(SPECIAL_TOKENS_MAP)),
            added_tokens: self.has_added_tokens.then(|| blob(ADDED_TOKENS)),
        };
        (vocabulary, settings)
    }
}

impl WeightsLayout {
    pub(super) fn choose(folder: &Folder) -> Result<Self, Missing> {
        if let Some((name, layout)) = WEIGHTS.into_iter().find(|(name, _)| folder.has(name)) {
            return Ok(Self {
                name: name.to_owned(),
                layout,
            });
        }
        match other_weights(folder).as_slice() {
            [name] if !is_shard(name) => Ok(Self {
                name: (*name).to_owned(),
                layout: WeightLayout::Single,
            }),
            _ => Err(Missing::new(Part::Weights, folder)),
        }
    }

    pub(super) fn files(&self, dir: &Path) -> WeightFiles {
        let path = dir.join(&self.name);
        match self.layout {
            WeightLayout::Safetensors => WeightFiles::Safetensors(Blob::Path(path)),
            WeightLayout::SafetensorsSharded => WeightFiles::SafetensorsSharded { index: path },
            WeightLayout::Torch => WeightFiles::Torch(Blob::Path(path)),
            WeightLayout::TorchSharded => WeightFiles::TorchSharded { index: path },
            WeightLayout::Single => WeightFiles::Single(Blob::Path(path)),
        }
    }
}

/// Files at the top that may hold weights under an unusual name, such as `model.bin` or `best.pt`.
pub(super) fn other_weights(folder: &Folder) -> Vec<&str> {
    folder
        .top()
        .filter(|name| {
            let Some((stem, extension)) = name.rsplit_once('.') else {
                return false;
            };
            ["safetensors", "bin", "pt", "pth", "ckpt"].contains(&extension)
                && !NOT_WEIGHTS.iter().any(|other| stem.starts_with(other))
        })
        .collect()
}

/// `model-00001-of-00002.safetensors`
pub(super) fn is_shard(name: &str) -> bool {
    let Some((stem, _)) = name.rsplit_once('.') else {
        return false;
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    stem.rsplit_once("-of-").is_some_and(|(before, total)| {
        is_number(total) && before.rsplit_once('-').is_some_and(|(_, n)| is_number(n))
    })
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
