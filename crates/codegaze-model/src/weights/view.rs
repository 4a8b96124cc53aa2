//! A tensor as a view of a storage in a file, and the one routine that reads it.

use std::io::{self, Read};
use std::sync::Arc;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::zip_file;
use crate::LoadError;
use crate::file::ModelFile;

/// The element types that can be widened to f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Float {
    F64,
    F32,
    F16,
    Bf16,
}

impl Float {
    fn size(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }
}

/// An element type. Integers and others may be present (`position_ids`), but cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Dtype {
    Float(Float),
    Other { name: Arc<str>, size: usize },
}

impl Dtype {
    /// Bytes of an element.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Float(float) => float.size(),
            Self::Other { size, .. } => *size,
        }
    }
}

/// Where a storage's bytes are.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// As they are, from this byte of the file.
    At(u64),
    /// Compressed, in the zip entry with this index.
    Deflated { entry: usize },
}

/// A run of elements in a file; several tensors may view the same.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    pub(super) dtype: Dtype,
    pub(super) place: Place,
    /// Elements. The layout's reader has checked that the file can hold that many.
    pub(super) len: u64,
}

/// A tensor: element `[i, j, …]` stands at `offset + i × strides[0] + j × strides[1] + …` in the storage.
#[derive(Clone, Debug)]
pub(super) struct TensorView {
    pub(super) storage: Storage,
    pub(super) offset: u64,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

pub(super) enum ViewError {
    Load(LoadError),
    Bounds(String),
    Dtype(String),
}

impl From<LoadError> for ViewError {
    fn from(error: LoadError) -> Self {
        Self::Load(error)
    }
}

impl TensorView {
    /// The whole storage in row-major order.
    pub(super) fn contiguous(storage: Storage, shape: Vec<usize>) -> Self {
        let strides = row_major(&shape);
        Self {
            storage,
            offset: 0,
            shape,
            strides,
        }
    }

    /// The elements in row-major order, widened to f32.
    pub(super) fn read_f32(&self, file: &ModelFile) -> Result<Vec<f32>, ViewError> {
        let float = match &self.storage.dtype {
            Dtype::Float(float) => *float,
            Dtype::Other { name, .. } => return Err(ViewError::Dtype(name.to_string())),
        };
        let (n_elements, span) = self.extent()?;
        if n_elements == 0 {
            return Ok(Vec::new());
        }
        let run = self.read_run(file, float, span)?;
        if self.strides_matter() {
            Ok(self.gather(&run, n_elements))
        } else {
            Ok(run)
        }
    }

    /// The storage's byte behind the last one that this view needs; saturating.
    pub(super) fn end_byte(&self) -> u64 {
        let end = match self.extent() {
            Ok((_, span)) => self.offset.saturating_add(span as u64),
            // Reading it will be an error.
            Err(_) => 0,
        };
        end.saturating_mul(self.storage.dtype.size() as u64)
    }

    /// Bytes of the elements as they are in the file, each counted as often as the view repeats it; saturating.
    pub(super) fn n_bytes(&self) -> u64 {
        self.shape
            .iter()
            .fold(self.storage.dtype.size() as u64, |n, size| {
                n.saturating_mul(*size as u64)
            })
    }

    /// The number of elements, and of storage elements from the first to the last one viewed.
    fn extent(&self) -> Result<(usize, usize), ViewError> {
        let outside = || {
            ViewError::Bounds(format!(
                "shape {:?}, strides {:?} and offset {} in {} elements",
                self.shape, self.strides, self.offset, self.storage.len
            ))
        };
        if self.strides.len() != self.shape.len() {
            return Err(outside());
        }
        let n_elements = self
            .shape
            .iter()
            .try_fold(1_usize, |n, size| n.checked_mul(*size))
            .ok_or_else(outside)?;
        if n_elements == 0 {
            return Ok((0, 0));
        }
        let span = self
            .shape
            .iter()
            .zip(&self.strides)
            .try_fold(1_usize, |span, (size, stride)| {
                span.checked_add((size - 1).checked_mul(*stride)?)
            })
            .ok_or_else(outside)?;
        let end = self.offset.checked_add(span as u64).ok_or_else(outside)?;
        // Views may repeat elements (stride 0), but never into more than the storage has:
        // what is allocated stays bounded by the file.
        if end > self.storage.len || n_elements as u64 > self.storage.len {
            return Err(outside());
        }
        Ok((n_elements, span))
    }

    fn strides_matter(&self) -> bool {
        self.shape
            .iter()
            .zip(self.strides.iter().zip(row_major(&self.shape)))
            .any(|(size, (stride, expected))| *size > 1 && *stride != expected)
    }

    fn read_run(&self, file: &ModelFile, float: Float, span: usize) -> Result<Vec<f32>, ViewError> {
        // Both products are below the storage's bytes, which were checked to fit the file.
        let skip = self.offset * float.size() as u64;
        let read = match self.storage.place {
            Place::At(start) => widen(&mut file.reader(start + skip), float, span),
            Place::Deflated { entry } => zip_file::with_entry(file, entry, |content| {
                io::copy(&mut content.take(skip), &mut io::sink())?;
                widen(content, float, span)
            })?,
        };
        read.map_err(|error| ViewError::Load(file.read_error(error)))
    }

    fn gather(&self, run: &[f32], n_elements: usize) -> Vec<f32> {
        // Strides of axes with one element say nothing, and were not checked.
        let axes: Vec<(usize, usize)> = self
            .shape
            .iter()
            .zip(&self.strides)
            .filter(|(size, _)| **size > 1)
            .map(|(size, stride)| (*size, *stride))
            .collect();
        let mut values = Vec::with_capacity(n_elements);
        let mut index = vec![0; axes.len()];
        let mut position = 0;
        for _ in 0..n_elements {
            values.push(run[position]);
            // Counts up like an odometer, the last axis fastest.
            for (i, (size, stride)) in index.iter_mut().zip(&axes).rev() {
                *i += 1;
                position += stride;
                if *i < *size {
                    break;
                }
                position -= stride * size;
                *i = 0;
            }
        }
        values
    }
}

/// The strides of a tensor that lies in one piece; saturating, as they only serve to compare.
fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1_usize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis]);
    }
    strides
}

/// What is read at once; keeps the peak at one f32 tensor and this.
const BLOCK_BYTES: usize = 1 << 20;

fn widen(reader: &mut dyn Read, float: Float, n_elements: usize) -> io::Result<Vec<f32>> {
    let size = float.size();
    let mut values = Vec::with_capacity(n_elements);
    let mut block = vec![0; BLOCK_BYTES.min(n_elements * size)];
    while values.len() < n_elements {
        let n = (n_elements - values.len()).min(BLOCK_BYTES / size);
        let bytes = &mut block[..n * size];
        reader.read_exact(bytes)?;
        match float {
            Float::F64 => values.extend(bytes.as_chunks().0.iter().map(|b| {
                #[expect(clippy::cast_possible_truncation, reason = "narrowing is the purpose")]
                let narrow = f64::from_le_bytes(*b) as f32;
                narrow
            })),
            Float::F32 => values.extend(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b))),
            Float::F16 => widen_half(bytes, &mut values, f16::from_le_bytes),
            Float::Bf16 => widen_half(bytes, &mut values, bf16::from_le_bytes),
        }
    }
    Ok(values)
}

/// Through `half`'s slices: they use the processor's conversion where it has one.
fn widen_half<H: Copy + Default>(bytes: &[u8], values: &mut Vec<f32>, decode: fn([u8; 2]) -> H)
where
    [H]: HalfFloatSliceExt,
{
    let mut halves = [H::default(); 1024];
    let mut floats = [0.0; 1024];
    for part in bytes.chunks(2 * halves.len()) {
        let (pairs, _) = part.as_chunks();
        for (half, pair) in halves.iter_mut().zip(pairs) {
            *half = decode(*pair);
        }
        halves[..pairs.len()].convert_to_f32_slice(&mut floats[..pairs.len()]);
        values.extend_from_slice(&floats[..pairs.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::Blob;

    /// Reads a view of the bytes 0, 1, …, 15 as eight bf16.
    /// `None` if it would leave its storage.
    fn read(offset: u64, shape: &[usize], strides: &[usize]) -> Option<Vec<f32>> {
        const BYTES: [u8; 16] = [0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7];
        let file = ModelFile::open(&Blob::Embedded {
            name: "test",
            bytes: &BYTES,
        });
        let view = TensorView {
            storage: Storage {
                dtype: Dtype::Float(Float::Bf16),
                place: Place::At(0),
                len: 8,
            },
            offset,
            shape: shape.to_vec(),
            strides: strides.to_vec(),
        };
        match view.read_f32(&file.unwrap()) {
            Ok(values) => Some(values),
            Err(ViewError::Bounds(_)) => None,
            Err(ViewError::Load(error)) => panic!("{error}"),
            Err(ViewError::Dtype(dtype)) => panic!("{dtype}"),
        }
    }

    fn numbers<const N: usize>(high_bytes: [u8; N]) -> Option<Vec<f32>> {
        let widen = |high: u8| bf16::from_le_bytes([0, high]).to_f32();
        (N <= 8).then(|| high_bytes.map(widen).to_vec())
    }

    #[test]
    fn views_stay_within_their_storage() {
        assert_eq!(read(0, &[8], &[1]), numbers([0, 1, 2, 3, 4, 5, 6, 7]));
        assert_eq!(read(2, &[2, 2], &[1, 3]), numbers([2, 5, 3, 6]));
        assert_eq!(read(7, &[], &[]), numbers([7]));
        assert_eq!(read(9, &[0, 3], &[3, 1]), numbers([]));
        assert_eq!(read(3, &[4, 2], &[0, 0]), numbers([3; 8]));

        assert_eq!(read(0, &[9], &[1]), None);
        assert_eq!(read(1, &[8], &[1]), None);
        assert_eq!(read(0, &[2, 2], &[7, 1]), None);
        assert_eq!(read(0, &[9, 9], &[0, 0]), None, "more than the storage has");
        assert_eq!(read(0, &[2], &[]), None);
        assert_eq!(read(u64::MAX, &[1], &[1]), None);
        assert_eq!(read(0, &[usize::MAX, 2], &[1, 1]), None);
        assert_eq!(read(0, &[3], &[usize::MAX]), None);
    }

    #[test]
    fn strides_of_single_elements_do_not_matter() {
        let max = usize::MAX;
        assert_eq!(
            read(0, &[1, 2, 1, 2], &[max, 1, max, 2]),
            numbers([0, 2, 1, 3])
        );
    }
}
