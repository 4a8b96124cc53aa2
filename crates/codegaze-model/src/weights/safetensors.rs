//! `model.safetensors`: a header length (u64), a JSON header, the tensors' bytes.
//! See <https://github.com/huggingface/safetensors#format>.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::view::{Dtype, Float, Place, Storage, TensorView};
use crate::LoadError;
use crate::file::{Kind, ModelFile};

const EXPECTED: &str = "a safetensors file";

/// The reference implementation's own limit.
const MAX_HEADER_BYTES: u64 = 100_000_000;

#[derive(Deserialize)]
struct Header {
    #[serde(rename = "__metadata__")]
    _metadata: Option<BTreeMap<String, String>>,
    #[serde(flatten)]
    tensors: BTreeMap<String, TensorInfo>,
}

#[derive(Deserialize)]
struct TensorInfo {
    dtype: String,
    shape: Vec<usize>,
    /// Bytes, from the end of the header.
    data_offsets: [u64; 2],
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
        // The first bytes of another kind of file are no length.
        return Err(match file.recognize()? {
            Some(kind) if kind != Kind::Safetensors => file.wrong_content(EXPECTED),
            _ => LoadError::HeaderTooLong {
                file: file.name.clone(),
                claimed: header_len,
                len: file.len,
            },
        });
    }
    let header: Header = serde_json::from_slice(&file.read_vec(8, header_len)?)
        .map_err(|error| malformed(format!("its header is not valid JSON: {error}")))?;

    let data_start = 8 + header_len;
    let mut tensors = BTreeMap::new();
    for (name, info) in header.tensors {
        let [start, end] = info.data_offsets;
        let end_in_file = data_start
            .checked_add(end)
            .filter(|_| start <= end)
            .ok_or_else(|| malformed(format!("tensor {name} has the offsets {start}..{end}")))?;
        if end_in_file > file.len {
            return Err(LoadError::Truncated {
                file: file.name.clone(),
                needed: end_in_file,
                len: file.len,
            });
        }
        let n_elements = info
            .shape
            .iter()
            .try_fold(1_u64, |n, size| n.checked_mul(*size as u64));
        let dtype = match info.dtype.as_str() {
            "F64" => Dtype::Float(Float::F64),
            "F32" => Dtype::Float(Float::F32),
            "F16" => Dtype::Float(Float::F16),
            "BF16" => Dtype::Float(Float::Bf16),
            _ => Dtype::Other {
                name: info.dtype,
                size: 1,
            },
        };
        let n_bytes = n_elements.and_then(|n| n.checked_mul(dtype.size() as u64));
        if matches!(dtype, Dtype::Float(_)) && n_bytes != Some(end - start) {
            return Err(malformed(format!(
                "tensor {name} of shape {:?} cannot fill {} bytes",
                info.shape,
                end - start
            )));
        }
        let storage = Storage {
            dtype,
            place: Place::At(data_start + start),
            len: n_elements.unwrap_or(0),
        };
        tensors.insert(name, TensorView::contiguous(storage, info.shape));
    }
    Ok(tensors)
}
