//! A model's tensors, in every layout found in the wild, read one at a time and widened to f32.
//!
//! Opening reads headers and pickles only. Nothing is mapped and no file is held whole,
//! so that loading holds the weights once, plus the tensor under way.

mod pickle;
mod safetensors;
mod state_dict;
mod torch_legacy;
mod torch_zip;
mod view;
mod zip_file;

use std::collections::BTreeMap;
use std::path::{Component, Path};

use serde::Deserialize;

use super::LoadError;
use super::file::ModelFile;
use super::source::files::WeightFiles;
use view::{TensorView, ViewError};

/// The tensors of a model: what there is and where, and how to read one.
#[derive(Debug)]
pub struct Weights {
    /// The file that messages name: the only one, or the index of the shards.
    label: String,
    files: Vec<ModelFile>,
    /// Where each tensor is: (index in `files`, view).
    tensors: BTreeMap<String, (usize, TensorView)>,
}

impl Weights {
    /// Reads the headers, not the tensors.
    ///
    /// # Errors
    /// When a file is absent, of another format, damaged, or names in its pickle what a state dict does not need.
    pub fn open(files: &WeightFiles) -> Result<Self, LoadError> {
        match files {
            WeightFiles::Safetensors(blob) => {
                Self::single(ModelFile::open(blob)?, safetensors::read)
            }
            WeightFiles::Torch(blob) => Self::single(ModelFile::open(blob)?, read_torch),
            WeightFiles::SafetensorsSharded { index } => Self::sharded(index, safetensors::read),
            WeightFiles::TorchSharded { index } => Self::sharded(index, read_torch),
        }
    }

    fn single(file: ModelFile, read: ReadLayout) -> Result<Self, LoadError> {
        let tensors = read(&file)?
            .into_iter()
            .map(|(name, view)| (name, (0, view)))
            .collect();
        Ok(Self {
            label: file.name.clone(),
            files: vec![file],
            tensors,
        })
    }

    /// The index says which shard has which tensor; the shards lie beside it.
    fn sharded(index: &Path, read: ReadLayout) -> Result<Self, LoadError> {
        #[derive(Deserialize)]
        struct Index {
            weight_map: BTreeMap<String, String>,
        }
        let file = ModelFile::open_path(index)?;
        let json = file.read_all("index of shards", MAX_INDEX_BYTES)?;
        let Index { weight_map } = serde_json::from_slice(&json).map_err(|error| {
            if json.trim_ascii_start().first() == Some(&b'{') {
                LoadError::Malformed {
                    file: file.name.clone(),
                    format: "an index of shards",
                    cause: error.to_string(),
                }
            } else {
                file.wrong_content("an index of shards")
            }
        })?;
        let label = file.name;
        let directory = index.parent().unwrap_or(Path::new(""));

        let mut files = Vec::new();
        let mut tensors = BTreeMap::new();
        let mut by_shard: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, shard) in &weight_map {
            by_shard.entry(shard).or_default().push(name);
        }
        for (shard, names) in by_shard {
            let mut components = Path::new(shard).components();
            if !matches!(
                (components.next(), components.next()),
                (Some(Component::Normal(_)), None)
            ) {
                return Err(LoadError::ShardPath {
                    index: label,
                    shard: shard.to_owned(),
                });
            }
            let path = directory.join(shard);
            if !path.exists() {
                return Err(LoadError::MissingShard {
                    index: label,
                    shard: shard.to_owned(),
                });
            }
            let file = ModelFile::open_path(&path)?;
            let mut found = read(&file)?;
            for name in names {
                let Some(view) = found.remove(name) else {
                    return Err(missing(name, &file.name, found.keys()));
                };
                tensors.insert(name.to_owned(), (files.len(), view));
            }
            files.push(file);
        }
        Ok(Self {
            label,
            files,
            tensors,
        })
    }

    /// The names of all tensors, integer ones included, in ascending order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    #[must_use]
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors
            .get(name)
            .map(|(_, view)| view.shape.as_slice())
    }

    /// One tensor in row-major order, widened to f32 from f16, bf16 or f64.
    /// Holds the tensor and a block of the file, and for a transposed or strided view the run of storage that it spans.
    ///
    /// # Errors
    /// When the tensor is missing, has another shape or an unsupported dtype, the file is shorter than its header says,
    /// or a value is NaN or infinite.
    pub fn read_f32(&self, name: &str, expected_shape: &[usize]) -> Result<Vec<f32>, LoadError> {
        let Some((file, view)) = self.tensors.get(name) else {
            return Err(missing(name, &self.label, self.tensors.keys()));
        };
        let file = &self.files[*file];
        if view.shape != expected_shape {
            return Err(LoadError::Shape {
                name: name.to_owned(),
                file: file.name.clone(),
                found: view.shape.clone(),
                expected: expected_shape.to_vec(),
            });
        }
        let values = view.read_f32(file).map_err(|error| match error {
            ViewError::Load(error) => error,
            ViewError::Bounds(cause) => LoadError::TensorBounds {
                name: name.to_owned(),
                file: file.name.clone(),
                cause,
            },
            ViewError::Dtype(dtype) => LoadError::Dtype {
                name: name.to_owned(),
                file: file.name.clone(),
                dtype,
            },
        })?;
        if values.iter().all(|value| value.is_finite()) {
            Ok(values)
        } else {
            Err(LoadError::NotFinite {
                name: name.to_owned(),
                file: file.name.clone(),
            })
        }
    }

    /// The encoder among the tensors: what stands before `embeddings.word_embeddings.weight` is its prefix.
    /// With several, no prefix is preferred, then `roberta.`, then `encoder.`
    ///
    /// # Errors
    /// When there is no encoder, or several with none of these prefixes.
    pub fn encoder(&self) -> Result<EncoderWeights<'_>, LoadError> {
        let prefixes: Vec<&str> = self
            .names()
            .filter_map(|name| name.strip_suffix(WORD_EMBEDDINGS))
            .filter(|prefix| prefix.is_empty() || prefix.ends_with('.'))
            .collect();
        let prefix = match prefixes.as_slice() {
            [] => return Err(missing(WORD_EMBEDDINGS, &self.label, self.tensors.keys())),
            [only] => only,
            several => ["", "roberta.", "encoder."]
                .iter()
                .find(|preferred| several.contains(preferred))
                .ok_or_else(|| LoadError::AmbiguousPrefix {
                    file: self.label.clone(),
                    prefixes: several.iter().map(ToString::to_string).collect(),
                })?,
        };
        Ok(EncoderWeights {
            weights: self,
            prefix: (*prefix).to_owned(),
        })
    }
}

/// The encoder's tensors by their names in Hugging Face's `RobertaModel`, whatever stands before these in the file.
#[derive(Clone, Debug)]
pub struct EncoderWeights<'w> {
    weights: &'w Weights,
    prefix: String,
}

impl EncoderWeights<'_> {
    /// What stands before every name in the file: empty, or ending in a dot.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.shape(name).is_some()
    }

    #[must_use]
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.weights.shape(&self.resolve(name))
    }

    /// As [`Weights::read_f32`], with a name relative to the encoder.
    ///
    /// # Errors
    /// As [`Weights::read_f32`].
    pub fn read_f32(&self, name: &str, expected_shape: &[usize]) -> Result<Vec<f32>, LoadError> {
        self.weights.read_f32(&self.resolve(name), expected_shape)
    }

    /// The name in the file. Checkpoints converted from TensorFlow call a layer norm's weight gamma and its bias beta.
    fn resolve(&self, name: &str) -> String {
        let full = format!("{}{name}", self.prefix);
        if self.weights.tensors.contains_key(&full) {
            return full;
        }
        let old = [
            ("LayerNorm.weight", "LayerNorm.gamma"),
            ("LayerNorm.bias", "LayerNorm.beta"),
        ]
        .iter()
        .find_map(|(new, old)| Some(format!("{}{old}", full.strip_suffix(new)?)));
        match old {
            Some(old) if self.weights.tensors.contains_key(&old) => old,
            _ => full,
        }
    }
}

type ReadLayout = fn(&ModelFile) -> Result<BTreeMap<String, TensorView>, LoadError>;

const WORD_EMBEDDINGS: &str = "embeddings.word_embeddings.weight";

/// Indices found in the wild have some hundred bytes a tensor.
const MAX_INDEX_BYTES: u64 = 64 << 20;

/// `pytorch_model.bin`, told apart by content.
fn read_torch(file: &ModelFile) -> Result<BTreeMap<String, TensorView>, LoadError> {
    match file.head(4)?.as_slice() {
        [b'P', b'K', 3, 4] => torch_zip::read(file),
        // The pickle opcode PROTO.
        [0x80, ..] => torch_legacy::read(file),
        _ => {
            Err(file
                .wrong_content("a file written by torch.save (zip, or the older pickle format)"))
        }
    }
}

fn missing<'n>(name: &str, file: &str, found: impl Iterator<Item = &'n String>) -> LoadError {
    let common = |a: &str, b: &str| {
        let prefix = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
        let suffix = a
            .bytes()
            .rev()
            .zip(b.bytes().rev())
            .take_while(|(a, b)| a == b)
            .count();
        prefix + suffix
    };
    let mut n_tensors = 0;
    let nearest = found
        .inspect(|_| n_tensors += 1)
        .max_by_key(|found| common(found, name));
    let found = match nearest {
        Some(nearest) => format!("{n_tensors} others, the nearest in name being {nearest}"),
        None => "no tensors".to_owned(),
    };
    LoadError::MissingTensor {
        name: name.to_owned(),
        file: file.to_owned(),
        found,
    }
}
