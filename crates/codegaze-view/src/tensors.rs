//! Raw tensors as a file that NumPy, PyTorch or a browser can read.

use std::io::{self, Write};

use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;
use zip::write::SimpleFileOptions;

use codegaze_core::analysis::raw::{RawAttention, RawHeads};

/// A file format for tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TensorFormat {
    /// `safetensors`, with metadata.
    Safetensors,
    /// NumPy's `npz`: a zip of arrays.
    Npz,
    /// JSON with nested lists.
    Json,
}

impl TensorFormat {
    /// The format of a file with this extension.
    #[must_use]
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "safetensors" => Some(Self::Safetensors),
            "npz" => Some(Self::Npz),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// Why tensors could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// The file cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The tensors do not fit the format.
    #[error("the tensors do not fit the format: {0}")]
    Safetensors(#[from] safetensors::SafeTensorError),
    /// The zip cannot be written.
    #[error("the archive cannot be written: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// The JSON cannot be written.
    #[error("the tensors cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// One array in the little-endian layout that both binary formats share.
struct Array {
    name: &'static str,
    shape: Vec<usize>,
    is_float: bool,
    bytes: Vec<u8>,
}

impl Array {
    fn floats(name: &'static str, shape: Vec<usize>, values: &[f32]) -> Self {
        Self {
            name,
            shape,
            is_float: true,
            bytes: values.iter().flat_map(|x| x.to_le_bytes()).collect(),
        }
    }

    fn integers(name: &'static str, shape: Vec<usize>, values: impl Iterator<Item = i64>) -> Self {
        Self {
            name,
            shape,
            is_float: false,
            bytes: values.flat_map(i64::to_le_bytes).collect(),
        }
    }
}

/// Writes `attentions` [layer, head, query, key] f32, `input_ids` \[token\] i64, `offsets` [token, 2] i64 (UTF-8 bytes in the
/// document; (0, 0) for special subwords), and `hidden_states` [layer + 1, token, hidden] f32 if `raw` has them. Formats other than npz
/// also contain `metadata`; an npz has `layers` and `heads` as arrays instead.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_tensors(
    raw: &RawAttention,
    metadata: &[(&str, String)],
    format: TensorFormat,
    out: &mut dyn Write,
) -> Result<(), TensorError> {
    match format {
        TensorFormat::Safetensors => {
            let arrays = arrays(raw);
            let views = arrays
                .iter()
                .map(|array| {
                    let dtype = if array.is_float {
                        Dtype::F32
                    } else {
                        Dtype::I64
                    };
                    let view = TensorView::new(dtype, array.shape.clone(), &array.bytes)?;
                    Ok((array.name, view))
                })
                .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
            let metadata = metadata
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.clone()))
                .collect();
            out.write_all(&safetensors::serialize(views, Some(metadata))?)?;
        }
        TensorFormat::Npz => {
            let mut arrays = arrays(raw);
            arrays.extend(axes(raw));
            write_npz(&arrays, out)?;
        }
        TensorFormat::Json => write_json(raw, metadata, out)?,
    }
    Ok(())
}

fn offset(x: usize) -> i64 {
    i64::try_from(x).unwrap_or(i64::MAX)
}

fn arrays(raw: &RawAttention) -> Vec<Array> {
    let n = raw.n_tokens;
    let offsets = raw.spans.iter().flat_map(|span| {
        let span = span.unwrap_or_default();
        [offset(span.start), offset(span.end)]
    });
    let mut arrays = vec![
        Array::floats(
            "attentions",
            raw.attentions_shape().to_vec(),
            &raw.attentions,
        ),
        Array::integers(
            "input_ids",
            vec![n],
            raw.input_ids.iter().map(|&id| id.into()),
        ),
        Array::integers("offsets", vec![n, 2], offsets),
    ];
    if let Some(states) = &raw.hidden_states {
        let n_states = states.len() / (n * raw.hidden_size);
        let shape = vec![n_states, n, raw.hidden_size];
        arrays.push(Array::floats("hidden_states", shape, states));
    }
    arrays
}

/// Which layers and heads the first two axes of `attentions` are, as the other formats say it in their metadata: `layers` \[layer\]
/// and, unless all heads were fused into one, `heads` \[head\], both i64.
fn axes(raw: &RawAttention) -> Vec<Array> {
    let integers = |name, values: &[usize]| {
        let values = values.iter().map(|&value| offset(value));
        Array::integers(name, vec![values.len()], values)
    };
    let mut axes = vec![integers("layers", &raw.layers)];
    if let RawHeads::Each(heads) = &raw.heads {
        axes.push(integers("heads", heads));
    }
    axes
}

/// A zip of `.npy` files, format version 1.0 (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).
fn write_npz(arrays: &[Array], out: &mut dyn Write) -> Result<(), TensorError> {
    let mut archive = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .large_file(true);
    for array in arrays {
        archive.start_file(format!("{}.npy", array.name), options)?;
        archive.write_all(&npy_header(array))?;
        archive.write_all(&array.bytes)?;
    }
    out.write_all(archive.finish()?.get_ref())?;
    Ok(())
}

fn npy_header(array: &Array) -> Vec<u8> {
    let shape: String = array
        .shape
        .iter()
        .flat_map(|n| [n.to_string(), ", ".to_owned()])
        .collect();
    let dtype = if array.is_float { "<f4" } else { "<i8" };
    let mut dictionary =
        format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({shape}), }}");
    // Magic, version and length are 10 bytes; the data starts at a multiple of 64.
    let padded = (10 + dictionary.len() + 1).next_multiple_of(64) - 10;
    dictionary.extend(std::iter::repeat_n(' ', padded - 1 - dictionary.len()));
    dictionary.push('\n');
    let length = u16::try_from(dictionary.len()).expect("a few dozen bytes");
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend(length.to_le_bytes());
    header.extend(dictionary.as_bytes());
    header
}

fn write_json(
    raw: &RawAttention,
    metadata: &[(&str, String)],
    out: &mut dyn Write,
) -> Result<(), TensorError> {
    let [_, n_heads, n, _] = raw.attentions_shape();
    let matrix = |values: &[f32], width: usize| -> Vec<Vec<f32>> {
        values.chunks_exact(width).map(<[f32]>::to_vec).collect()
    };
    let attentions: Vec<Vec<_>> = raw
        .attentions
        .chunks_exact(n_heads * n * n)
        .map(|layer| {
            layer
                .chunks_exact(n * n)
                .map(|head| matrix(head, n))
                .collect()
        })
        .collect();
    let offsets: Vec<[usize; 2]> = raw
        .spans
        .iter()
        .map(|span| span.unwrap_or_default())
        .map(|span| [span.start, span.end])
        .collect();
    let mut document = json!({
        "attentions": attentions,
        "input_ids": raw.input_ids,
        "offsets": offsets,
    });
    if let Some(states) = &raw.hidden_states {
        let states: Vec<_> = states
            .chunks_exact(n * raw.hidden_size)
            .map(|state| matrix(state, raw.hidden_size))
            .collect();
        document["hidden_states"] = json!(states);
    }
    for (key, value) in metadata {
        document[*key] = json!(value);
    }
    serde_json::to_writer(out, &document)?;
    Ok(())
}
