//! `model.safetensors`: a header length (u64), a JSON header, the tensors' bytes.
//! See <https://github.com/huggingface/safetensors#format>.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::view::{Dtype, Float, Place, Storage, TensorView};
use super::{MAX_NAME, MAX_TENSORS};
use crate::LoadError;
use crate::file::{Kind, ModelFile};
use crate::quote::quote;

const EXPECTED: &str = "a safetensors file";

/// The reference implementation's own limit.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// More than any tensor has; keeps a hostile shape small.
const MAX_AXES: usize = 32;

/// The header without its `__metadata__`. Limits are checked while it is read, before anything large is built.
struct Header(BTreeMap<String, TensorInfo>);

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HeaderVisitor;

        impl<'de> Visitor<'de> for HeaderVisitor {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from tensor names to descriptions")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut tensors = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    if name.len() > MAX_NAME {
                        return Err(de::Error::custom(format!(
                            "a tensor's name has {} bytes, and the limit is {MAX_NAME}",
                            name.len()
                        )));
                    }
                    if tensors.len() == MAX_TENSORS {
                        return Err(de::Error::custom(format!(
                            "it has more than {MAX_TENSORS} tensors"
                        )));
                    }
                    let info = map.next_value()?;
                    let shown = quote(&name);
                    if tensors.insert(name, info).is_some() {
                        return Err(de::Error::custom(format!("it has two tensors {shown}")));
                    }
                }
                Ok(Header(tensors))
            }
        }

        deserializer.deserialize_map(HeaderVisitor)
    }
}

#[derive(Deserialize)]
struct TensorInfo {
    dtype: String,
    shape: Shape,
    /// Bytes, from the end of the header.
    data_offsets: [u64; 2],
}

struct Shape(Vec<usize>);

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Axes;

        impl<'de> DeserializeSeed<'de> for Axes {
            type Value = Vec<usize>;

            fn deserialize<D: de::Deserializer<'de>>(self, d: D) -> Result<Vec<usize>, D::Error> {
                d.deserialize_seq(self)
            }
        }

        impl<'de> Visitor<'de> for Axes {
            type Value = Vec<usize>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a shape of at most {MAX_AXES} axes")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<usize>, A::Error> {
                let mut shape = Vec::new();
                while let Some(size) = seq.next_element()? {
                    if shape.len() == MAX_AXES {
                        return Err(de::Error::custom(format!(
                            "a shape has more than {MAX_AXES} axes"
                        )));
                    }
                    shape.push(size);
                }
                Ok(shape)
            }
        }

        Axes.deserialize(deserializer).map(Shape)
    }
}

pub(super) fn read(file: &ModelFile) -> Result<BTreeMap<String, TensorView>, LoadError> {
    let malformed = |cause: String| LoadError::Malformed {
        file: file.name.clone(),
        format: "safetensors",
        cause,
    };
    let head = file.head(8)?;
    let Some(length) = head.first_chunk::<8>() else {
        return Err(file.wrong_content(EXPECTED));
    };
    let header_len = u64::from_le_bytes(*length);
    if header_len > MAX_HEADER_BYTES || header_len > file.len - 8 {
        // The first bytes of another kind of file are not a length.
        return Err(match file.recognize()? {
            Some(kind) if kind != Kind::Safetensors => file.wrong_content(EXPECTED),
            _ => LoadError::HeaderTooLong {
                file: file.name.clone(),
                claimed: header_len,
                len: file.len,
            },
        });
    }
    let Header(infos) = serde_json::from_slice(&file.read_vec(8, header_len)?)
        .map_err(|error| malformed(format!("its header is not valid: {error}")))?;
    let data_start = 8 + header_len;
    let covered = check_offsets(&infos, file, data_start);
    if let Err(error @ LoadError::Truncated { .. }) = covered {
        return Err(error);
    }

    let mut tensors = BTreeMap::new();
    for (name, info) in infos {
        let [start, end] = info.data_offsets;
        if start > end || data_start.checked_add(end).is_none() {
            continue;
        }
        let Shape(shape) = info.shape;
        let n_elements = shape
            .iter()
            .try_fold(1_u64, |n, size| n.checked_mul(*size as u64));
        let dtype = match info.dtype.as_str() {
            "F64" => Dtype::Float(Float::F64),
            "F32" => Dtype::Float(Float::F32),
            "F16" => Dtype::Float(Float::F16),
            "BF16" => Dtype::Float(Float::Bf16),
            other => Dtype::Other {
                name: quote(other).into(),
                size: 1,
            },
        };
        let n_bytes = n_elements.and_then(|n| n.checked_mul(dtype.size() as u64));
        if matches!(dtype, Dtype::Float(_)) && n_bytes != Some(end - start) {
            return Err(malformed(format!(
                "tensor {} of shape {shape:?} cannot fill {} bytes",
                quote(&name),
                end - start
            )));
        }
        let storage = Storage {
            dtype,
            place: Place::At(data_start + start),
            len: n_elements.unwrap_or(0),
        };
        tensors.insert(name, TensorView::contiguous(storage, shape));
    }
    // After the shapes: their messages say more about what is wrong.
    covered?;
    Ok(tensors)
}

/// Every byte behind the header belongs to exactly one tensor, as `Metadata::validate` of the reference implementation demands:
/// tensors that overlap would make a small file fill a large memory, and a hole may hide anything.
fn check_offsets(
    infos: &BTreeMap<String, TensorInfo>,
    file: &ModelFile,
    data_start: u64,
) -> Result<(), LoadError> {
    let malformed = |cause: String| LoadError::Malformed {
        file: file.name.clone(),
        format: "safetensors",
        cause,
    };
    let mut ranges: Vec<([u64; 2], &str)> = infos
        .iter()
        .map(|(name, info)| (info.data_offsets, name.as_str()))
        .collect();
    ranges.sort_unstable();
    // Before holes and overlaps: a file that was cut off should hear that.
    for ([start, end], name) in &ranges {
        let end_in_file = data_start
            .checked_add(*end)
            .filter(|_| start <= end)
            .ok_or_else(|| {
                malformed(format!(
                    "tensor {} has the offsets {start}..{end}",
                    quote(name)
                ))
            })?;
        if end_in_file > file.len {
            return Err(LoadError::Truncated {
                file: file.name.clone(),
                needed: end_in_file,
                len: file.len,
            });
        }
    }
    let mut covered = 0;
    for ([start, end], name) in ranges {
        if start != covered {
            return Err(malformed(format!(
                "tensor {} begins at byte {start} of the data, but the tensors before it end at byte {covered}; each byte must belong to one tensor",
                quote(name)
            )));
        }
        covered = end;
    }
    let n_bytes = file.len - data_start;
    if covered != n_bytes {
        return Err(malformed(format!(
            "its tensors end at byte {covered} of the data, which has {n_bytes} bytes"
        )));
    }
    Ok(())
}
