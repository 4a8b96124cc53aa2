//! A parser of the pickles that `torch.save` writes. Nothing is ever executed: a handful of names is known,
//! and builds tensors' descriptions and the containers around them; any other name is an error.
//!
//! Opcodes: CPython's `pickletools`. Names: `torch/serialization.py` and `torch/_utils.py`.

mod calls;
mod parser;

use std::io::Read;

use super::view::Dtype;
use crate::LoadError;

/// A state dict's pickle has some two hundred bytes a tensor.
pub(super) const MAX_BYTES: u64 = 16 << 20;

/// An index into [`Pickle::values`]. Values live in one arena, so that shared, deep or cyclic ones
/// cost neither copies nor recursion.
pub(super) type Id = usize;

#[derive(Debug)]
pub(super) enum Value {
    None,
    Bool(bool),
    /// Wider numbers than 128 bits are not kept.
    Int(Option<i128>),
    Float,
    Str(String),
    Bytes,
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Storage(StorageRef),
    Tensor(TensorRef),
}

/// The names that a pickle may use.
#[derive(Clone, Debug)]
pub(super) enum Global {
    OrderedDict,
    /// `_rebuild_tensor` and `_rebuild_tensor_v2`: the first four arguments are the same.
    RebuildTensor,
    /// `_rebuild_parameter` and `Parameter`: a tensor with a flag.
    Parameter,
    Storage(Dtype),
}

/// `('storage', type, key, location, number of elements[, (view key, offset, number of elements)])`
#[derive(Clone, Debug)]
pub(super) struct StorageRef {
    pub(super) dtype: Dtype,
    pub(super) key: String,
    pub(super) len: u64,
    /// Elements of the root storage that this one begins with and has; only in the older format.
    pub(super) view: Option<(u64, u64)>,
}

#[derive(Clone, Debug)]
pub(super) struct TensorRef {
    pub(super) storage: StorageRef,
    pub(super) offset: u64,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

/// A parsed pickle.
#[derive(Debug)]
pub(super) struct Pickle {
    values: Vec<Value>,
    root: Id,
    /// Length in the input.
    pub(super) n_bytes: u64,
}

impl Pickle {
    /// Reads one pickle from a buffered `input`, and no byte more.
    pub(super) fn parse(file: &str, input: &mut dyn Read) -> Result<Self, LoadError> {
        let mut parser = parser::Parser::new(file, input);
        let root = parser.run()?;
        Ok(Self {
            n_bytes: parser.n_bytes(),
            values: parser.into_values(),
            root,
        })
    }

    pub(super) fn root(&self) -> &Value {
        self.get(self.root)
    }

    pub(super) fn get(&self, id: Id) -> &Value {
        &self.values[id]
    }

    /// Every storage that is referred to, those of tensors outside the state dict included.
    pub(super) fn storages(&self) -> impl Iterator<Item = &StorageRef> {
        self.values.iter().filter_map(|value| match value {
            Value::Storage(storage) => Some(storage),
            _ => None,
        })
    }

    /// The value under a text key.
    pub(super) fn item(&self, dict: &Value, key: &str) -> Option<&Value> {
        let Value::Dict(items) = dict else {
            return None;
        };
        items
            .iter()
            .find(|(k, _)| matches!(self.get(*k), Value::Str(text) if text == key))
            .map(|(_, value)| self.get(*value))
    }
}
