//! A model's tensors, in every layout that is in use, read one at a time and widened to f32.
//!
//! Opening reads headers and pickles only. Nothing is mapped and no file is held whole,
//! so that loading holds the weights once, and one tensor more.

mod encoder;
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
use super::file::{Kind, ModelFile};
use super::quote::quote;
use super::source::files::WeightFiles;
use view::{TensorView, ViewError};

pub use encoder::EncoderWeights;
pub(super) use encoder::notes;

/// The tensors of a model: which ones there are, where each is, and how to read one.
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
            WeightFiles::Single(blob) => Self::single(ModelFile::open(blob)?, read_by_content),
        }
    }

    fn single(file: ModelFile, read: ReadLayout) -> Result<Self, LoadError> {
        let views = read(&file)?;
        check_sharing(&file, &views)?;
        let tensors = views
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
            check_sharing(&file, &found)?;
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

    /// The file that messages name.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The names of all tensors, integer ones included, in ascending order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The shape of a tensor, if there is one of this name.
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
}

type ReadLayout = fn(&ModelFile) -> Result<BTreeMap<String, TensorView>, LoadError>;

const WORD_EMBEDDINGS: &str = "embeddings.word_embeddings.weight";

/// An index has about a hundred bytes for each tensor.
const MAX_INDEX_BYTES: u64 = 16 << 20;

/// Tensors of one file. The largest models have some ten thousand, encoders some hundred.
const MAX_TENSORS: usize = 1 << 17;

/// Bytes of a tensor's name.
const MAX_NAME: usize = 1024;

/// How often the tensors of a file may use its bytes, on average. Tied parameters use theirs twice.
const MAX_SHARING: u64 = 4;

/// Views of the same storage may repeat its elements. Together they may not need much more memory than the file has bytes.
fn check_sharing(file: &ModelFile, views: &BTreeMap<String, TensorView>) -> Result<(), LoadError> {
    const SMALL: u64 = 1 << 20;
    let needed = views
        .values()
        .fold(0_u64, |sum, view| sum.saturating_add(view.n_bytes()));
    if needed > file.len.saturating_mul(MAX_SHARING).max(SMALL) {
        return Err(LoadError::Malformed {
            file: file.name.clone(),
            format: "a file of weights",
            cause: format!(
                "its tensors repeat the same bytes so often that they need {needed} bytes, and the file has {}",
                file.len
            ),
        });
    }
    Ok(())
}

/// Weights under another name than the usual ones.
fn read_by_content(file: &ModelFile) -> Result<BTreeMap<String, TensorView>, LoadError> {
    match file.recognize()? {
        Some(Kind::Safetensors) => safetensors::read(file),
        _ => read_torch(file),
    }
}

/// `pytorch_model.bin` in either of its formats; the content shows which.
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
        Some(nearest) => format!(
            "{n_tensors} others, the nearest in name being {}",
            quote(nearest)
        ),
        None => "no tensors".to_owned(),
    };
    LoadError::MissingTensor {
        name: name.to_owned(),
        file: file.to_owned(),
        found,
    }
}
