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
use crate::quote::quote;

/// An entry, as the directory of the file describes it.
struct Entry {
    index: usize,
    place: Place,
    /// Bytes, uncompressed.
    len: u64,
}

/// `torch.save` does not compress. Weights that another program compressed shrink by a tenth, so that a file which expands to more
/// than this many times its size holds something else.
const MAX_EXPANSION: u64 = 4;

/// So much may be inflated from any file, however small it is.
const SMALL: u64 = 1 << 20;

pub(super) fn read(file: &ModelFile) -> Result<BTreeMap<String, TensorView>, LoadError> {
    let malformed = |cause: String| zip_error(file, cause);
    let entries = entries(file)?;
    let top = top_folder(&entries).map_err(malformed)?.to_owned();

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

    let data = format!("{top}/data/");
    let storages: HashMap<&str, &Entry> = entries
        .iter()
        .filter_map(|(name, entry)| Some((name.strip_prefix(&data)?, entry)))
        .collect();
    let mut tensors = BTreeMap::new();
    for (name, tensor) in state_dict::tensors(&file.name, &pickle)? {
        let storage = &tensor.storage;
        let entry = storages.get(storage.key.as_ref()).ok_or_else(|| {
            malformed(format!("the storage {} is not in it", quote(&storage.key)))
        })?;
        let n_bytes = storage.len.checked_mul(storage.dtype.size() as u64);
        if n_bytes.is_none_or(|n_bytes| n_bytes > entry.len) {
            return Err(malformed(format!(
                "the storage {} of tensor {} should have {} elements, but has {} bytes",
                quote(&storage.key),
                quote(name),
                storage.len,
                entry.len
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
    check_inflation(file, tensors.values())?;
    Ok(tensors)
}

/// The folder that holds everything. With two of them, which one counts would depend on chance.
fn top_folder(entries: &HashMap<String, Entry>) -> Result<&str, String> {
    let mut tops: Vec<&str> = entries
        .keys()
        .filter_map(|name| name.strip_suffix("/data.pkl"))
        .filter(|top| !top.contains('/'))
        .collect();
    tops.sort_unstable();
    match tops.as_slice() {
        [] => Err("it has no data.pkl, torch.save did not write it".to_owned()),
        [top] => Ok(top),
        [first, second, ..] => Err(format!(
            "it has two folders with a data.pkl, {} and {}, and torch.save writes one",
            quote(first),
            quote(second)
        )),
    }
}

/// Each tensor of a compressed storage inflates the storage up to its own end. Together they may not inflate much more than the
/// file has.
fn check_inflation<'v>(
    file: &ModelFile,
    views: impl Iterator<Item = &'v TensorView>,
) -> Result<(), LoadError> {
    let inflated = views
        .filter(|view| matches!(view.storage.place, Place::Deflated { .. }))
        .fold(0_u64, |sum, view| sum.saturating_add(view.end_byte()));
    if inflated > (file.len.saturating_mul(MAX_EXPANSION)).max(SMALL) {
        return Err(too_compressed(file, inflated));
    }
    Ok(())
}

fn too_compressed(file: &ModelFile, inflated: u64) -> LoadError {
    zip_error(
        file,
        format!(
            "to read it, {inflated} bytes would have to be decompressed from {}; torch.save does not compress, so save it again with torch.save",
            file.len
        ),
    )
}

/// All entries by name, each checked to lie within the file.
fn entries(file: &ModelFile) -> Result<HashMap<String, Entry>, LoadError> {
    let mut archive = open(file)?;
    let mut entries = HashMap::new();
    let mut inflated = 0_u64;
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
            .ok_or_else(|| zip_error(file, format!("{} has no place in it", quote(&name))))?;
        let end = start.saturating_add(entry.compressed_size());
        if end > file.len {
            return Err(LoadError::Truncated {
                file: file.name.clone(),
                needed: end,
                len: file.len,
            });
        }
        let place = match entry.compression() {
            CompressionMethod::Stored if !entry.encrypted() => {
                if entry.size() > entry.compressed_size() {
                    return Err(zip_error(
                        file,
                        format!(
                            "{} claims {} bytes, but has {}",
                            quote(&name),
                            entry.size(),
                            entry.compressed_size()
                        ),
                    ));
                }
                Place::At(start)
            }
            CompressionMethod::Deflated if !entry.encrypted() => {
                inflated = inflated.saturating_add(entry.size());
                Place::Deflated { entry: index }
            }
            method => {
                return Err(zip_error(
                    file,
                    format!("{} is encrypted, or compressed by {method}", quote(&name)),
                ));
            }
        };
        let entry = Entry {
            index,
            place,
            len: entry.size(),
        };
        if entries.insert(name.clone(), entry).is_some() {
            return Err(zip_error(
                file,
                format!("it has two entries {}", quote(&name)),
            ));
        }
    }
    if inflated > (file.len.saturating_mul(MAX_EXPANSION)).max(SMALL) {
        return Err(too_compressed(file, inflated));
    }
    Ok(entries)
}
