//! A parser of the pickles that `torch.save` writes. Nothing is ever executed. The parser knows a few names, which build
//! descriptions of tensors and the containers around them; any other name is an error.
//!
//! Opcodes: CPython's `pickletools`. Names: `torch/serialization.py` and `torch/_utils.py`.

mod calls;
mod parser;

use std::io::Read;
use std::sync::Arc;

use super::view::Dtype;
use crate::LoadError;

/// A state dict's pickle has about two hundred bytes for each tensor.
pub(super) const MAX_BYTES: u64 = 16 << 20;

/// An index into [`Pickle::values`]. All values are in one arena. Large parts are shared, so that a value which is used often,
/// deep or cyclic costs neither copies nor recursion.
pub(super) type Id = usize;

#[derive(Debug)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i128),
    /// A number of more than 128 bits, which is not kept.
    WideInt,
    Float,
    Str(Arc<str>),
    Bytes,
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Storage(Arc<StorageRef>),
    Tensor(Arc<TensorRef>),
    /// A value that says nothing about tensors, such as a dtype, a device, a size or a counter.
    Opaque,
}

/// The names that a pickle may use.
#[derive(Clone, Debug)]
pub(super) enum Global {
    OrderedDict,
    /// `_rebuild_tensor` and its later versions: the first four arguments are the same.
    RebuildTensor,
    /// `_rebuild_parameter` and `Parameter`: a tensor with a flag.
    Parameter,
    /// `_rebuild_from_type_v2`: a function, a class, the function's arguments, and attributes.
    RebuildFromType,
    Storage(Dtype),
    /// A name that `torch.load(weights_only=True)` accepts and that builds no tensor of the model.
    Opaque,
}

/// `('storage', type, key, location, number of elements[, (view key, offset, number of elements)])`
#[derive(Clone, Debug)]
pub(super) struct StorageRef {
    pub(super) dtype: Dtype,
    pub(super) key: Arc<str>,
    pub(super) len: u64,
    /// Elements of the root storage that this one begins with and has; only in the older format.
    pub(super) view: Option<(u64, u64)>,
}

#[derive(Clone, Debug)]
pub(super) struct TensorRef {
    pub(super) storage: Arc<StorageRef>,
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
            Value::Storage(storage) => Some(storage.as_ref()),
            _ => None,
        })
    }

    pub(super) fn root_id(&self) -> Id {
        self.root
    }

    /// The value under a text key; as in Python, the last of several.
    pub(super) fn item(&self, dict: &Value, key: &str) -> Option<&Value> {
        let Value::Dict(items) = dict else {
            return None;
        };
        items
            .iter()
            .rev()
            .find(|(k, _)| matches!(self.get(*k), Value::Str(text) if text.as_ref() == key))
            .map(|(_, value)| self.get(*value))
    }
}
