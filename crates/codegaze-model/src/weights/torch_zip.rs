//! `pytorch_model.bin` since torch 1.6: a zip with `NAME/data.pkl`, and each storage as `NAME/data/KEY`.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufReader, Read};

use zip::CompressionMethod;

use super::pickle::{self, Pickle};
use super::state_dict;
use super::view::{Place, Storage, TensorView};
use super::zip_file::{open, with_entry, zip_error};
use crate::LoadError;
use crate::file::ModelFile;

/// An entry, as the directory of the file describes it.
struct Entry {
    index: usize,
    place: Place,
    /// Bytes, uncompressed.
    len: u64,
}

/// No deflate stream is shorter than this fraction of its content.
const MAX_DEFLATE_RATIO: u64 = 1032;

pub(super) fn read(file: &ModelFile) -> Result<BTreeMap<String, TensorView>, LoadError> {
    let malformed = |cause: String| zip_error(file, cause);
    let entries = entries(file)?;
    let top = entries
        .keys()
        .find_map(|name| {
            name.strip_suffix("/data.pkl")
                .filter(|top| !top.contains('/'))
        })
        .ok_or_else(|| malformed("it has no data.pkl, torch.save did not write it".into()))?;

    if let Some(entry) = entries.get(&format!("{top}/byteorder")) {
        let mut order = String::new();
        with_entry(file, entry.index, |content| {
            content.take(16).read_to_string(&mut order)
        })?
        .map_err(|error| malformed(error.to_string()))?;
        if order.trim() != "little" {
            return Err(LoadError::BigEndian {
                file: file.name.clone(),
            });
        }
    }

    let pickle = with_entry(file, entries[&format!("{top}/data.pkl")].index, |content| {
        Pickle::parse(
            &file.name,
            &mut BufReader::new(content.take(pickle::MAX_BYTES)),
        )
    })??;

    let mut tensors = BTreeMap::new();
    for (name, tensor) in state_dict::tensors(&file.name, &pickle)? {
        let storage = &tensor.storage;
        let entry = entries
            .get(&format!("{top}/data/{}", storage.key))
            .ok_or_else(|| malformed(format!("the storage {} is not in it", storage.key)))?;
        let n_bytes = storage.len.checked_mul(storage.dtype.size() as u64);
        if n_bytes.is_none_or(|n_bytes| n_bytes > entry.len) {
            return Err(malformed(format!(
                "the storage {} of tensor {name} should have {} elements, but has {} bytes",
                storage.key, storage.len, entry.len
            )));
        }
        tensors.insert(
            name.to_owned(),
            TensorView {
                storage: Storage {
                    dtype: storage.dtype.clone(),
                    place: entry.place.clone(),
                    len: storage.len,
                },
                offset: tensor.offset,
                shape: tensor.shape.clone(),
                strides: tensor.strides.clone(),
            },
        );
    }
    Ok(tensors)
}

/// All entries by name, each checked to lie within the file.
fn entries(file: &ModelFile) -> Result<HashMap<String, Entry>, LoadError> {
    let mut archive = open(file)?;
    let mut entries = HashMap::new();
    for index in 0..archive.len() {
        let entry = archive
            .by_index_raw(index)
            .map_err(|error| zip_error(file, error.to_string()))?;
        let name = entry
            .name()
            .map_err(|error| zip_error(file, error.to_string()))?
            .into_owned();
        let start = entry
            .data_start()
            .ok_or_else(|| zip_error(file, format!("{name} has no place in it")))?;
        let end = start.saturating_add(entry.compressed_size());
        if end > file.len {
            return Err(LoadError::Truncated {
                file: file.name.clone(),
                needed: end,
                len: file.len,
            });
        }
        let (place, max_len) = match entry.compression() {
            CompressionMethod::Stored if !entry.encrypted() => {
                (Place::At(start), entry.compressed_size())
            }
            CompressionMethod::Deflated if !entry.encrypted() => (
                Place::Deflated { entry: index },
                entry.compressed_size().saturating_mul(MAX_DEFLATE_RATIO),
            ),
            method => {
                return Err(zip_error(
                    file,
                    format!("{name} is encrypted, or compressed by {method}"),
                ));
            }
        };
        // Checked before it is allocated.
        if entry.size() > max_len {
            return Err(zip_error(
                file,
                format!(
                    "{name} claims {} bytes, but has {}",
                    entry.size(),
                    entry.compressed_size()
                ),
            ));
        }
        entries.insert(
            name,
            Entry {
                index,
                place,
                len: entry.size(),
            },
        );
    }
    Ok(entries)
}
