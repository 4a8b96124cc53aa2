//! `pytorch_model.bin` before torch 1.6, which is not a zip file: five pickles (magic number, protocol, the machine, the state dict,
//! the storages' keys), then each storage in the order of the keys: its number of elements (i64) and its bytes.
//! See `_legacy_save` in `torch/serialization.py`.

use std::collections::{BTreeMap, HashMap};
use std::io::BufReader;

use super::pickle::{Pickle, StorageRef, Value};
use super::state_dict;
use super::view::{Place, Storage, TensorView};
use crate::LoadError;
use crate::file::ModelFile;

const MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;
const PROTOCOL: i128 = 1001;

pub(super) fn read(file: &ModelFile) -> Result<BTreeMap<String, TensorView>, LoadError> {
    let mut input = BufReader::new(file.reader(0));
    let mut position = 0;
    let mut next_pickle = || -> Result<(Pickle, u64), LoadError> {
        let pickle = Pickle::parse(&file.name, &mut input)?;
        position += pickle.n_bytes;
        Ok((pickle, position))
    };
    let malformed = |cause: String| LoadError::Malformed {
        file: file.name.clone(),
        format: "a file of torch before 1.6",
        cause,
    };

    let (magic, _) = next_pickle()?;
    if !matches!(magic.root(), Value::Int(MAGIC)) {
        return Err(malformed(
            "it is a pickle, but does not begin with torch's magic number".into(),
        ));
    }
    let (protocol, _) = next_pickle()?;
    if !matches!(protocol.root(), Value::Int(PROTOCOL)) {
        return Err(malformed(format!("its protocol is not {PROTOCOL}")));
    }
    let (machine, _) = next_pickle()?;
    if let Some(Value::Bool(false)) = machine.item(machine.root(), "little_endian") {
        return Err(LoadError::BigEndian {
            file: file.name.clone(),
        });
    }
    let (state_dict, _) = next_pickle()?;
    let (keys, position) = next_pickle()?;

    let mut roots: HashMap<&str, &StorageRef> = HashMap::new();
    let tensors = state_dict::tensors(&file.name, &state_dict)?;
    for storage in state_dict.storages() {
        let root = roots.entry(storage.key.as_ref()).or_insert(storage);
        if root.dtype != storage.dtype || root.len != storage.len {
            return Err(malformed(format!(
                "it describes the storage {} in two ways",
                storage.key
            )));
        }
    }
    let starts = storage_starts(file, &keys, position, &roots).map_err(|error| match error {
        StorageError::Load(error) => error,
        StorageError::Malformed(cause) => malformed(cause),
    })?;

    let mut views = BTreeMap::new();
    for (name, tensor) in tensors {
        let storage = &tensor.storage;
        let start = starts
            .get(storage.key.as_ref())
            .ok_or_else(|| malformed(format!("the storage {} is not in it", storage.key)))?;
        // A storage may itself be a view of another one.
        let (view_offset, view_len) = storage.view.unwrap_or((0, storage.len));
        let outside = || {
            malformed(format!(
                "the storage of tensor {name} is a view outside of another"
            ))
        };
        let view_end = view_offset.checked_add(view_len).ok_or_else(outside)?;
        if view_end > storage.len {
            return Err(outside());
        }
        views.insert(
            name.to_owned(),
            TensorView {
                storage: Storage {
                    place: Place::At(start + view_offset * storage.dtype.size() as u64),
                    dtype: storage.dtype.clone(),
                    len: view_len,
                },
                offset: tensor.offset,
                shape: tensor.shape.clone(),
                strides: tensor.strides.clone(),
            },
        );
    }
    Ok(views)
}

enum StorageError {
    Load(LoadError),
    Malformed(String),
}

/// The byte of the file at which each storage's content begins.
fn storage_starts<'k>(
    file: &ModelFile,
    keys: &'k Pickle,
    mut position: u64,
    roots: &HashMap<&str, &StorageRef>,
) -> Result<HashMap<&'k str, u64>, StorageError> {
    let malformed = |cause: String| Err(StorageError::Malformed(cause));
    let Value::List(ids) = keys.root() else {
        return malformed("its list of storages is not a list".into());
    };
    let mut starts = HashMap::new();
    for id in ids {
        let Value::Str(key) = keys.get(*id) else {
            return malformed("the key of a storage is not a text".into());
        };
        let Some(root) = roots.get(key.as_ref()) else {
            return malformed(format!("no tensor describes the storage {key}"));
        };
        let length = file.read_vec(position, 8).map_err(StorageError::Load)?;
        let n_elements = length
            .first_chunk()
            .map_or(0, |length| u64::from_le_bytes(*length));
        if n_elements != root.len {
            return malformed(format!(
                "the storage {key} should have {} elements, but has {n_elements}",
                root.len
            ));
        }
        position += 8;
        starts.insert(key.as_ref(), position);
        position = n_elements
            .checked_mul(root.dtype.size() as u64)
            .and_then(|n_bytes| position.checked_add(n_bytes))
            .unwrap_or(u64::MAX);
        if position > file.len {
            return Err(StorageError::Load(LoadError::Truncated {
                file: file.name.clone(),
                needed: position,
                len: file.len,
            }));
        }
    }
    Ok(starts)
}
