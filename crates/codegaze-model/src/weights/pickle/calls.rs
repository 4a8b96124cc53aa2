//! The names that a pickle may use, and what calling them builds.
//!
//! They are those that `torch.load(weights_only=True)` accepts (`_get_allowed_globals` in `torch/_weights_only_unpickler.py`).

use std::sync::Arc;

use super::parser::Parser;
use super::{Global, Id, StorageRef, TensorRef, Value};
use crate::LoadError;
use crate::weights::view::{Dtype, Float};

/// More than any tensor has; keeps a hostile shape small.
const MAX_AXES: usize = 32;

/// torch calls its storages `0`, `1`, …, and before 1.6 by an address.
const MAX_STORAGE_KEY: usize = 64;

impl Parser<'_> {
    pub(super) fn global(&mut self, module: &str, name: &str) -> Result<(), LoadError> {
        match known_global(module, name) {
            Some(global) => self.push(Value::Global(global)),
            None => Err(self.forbidden(module, name)),
        }
    }

    /// BINPERSID: torch's pickles refer to storages this way, and to nothing else that a state dict has.
    pub(super) fn persistent_id(&mut self) -> Result<(), LoadError> {
        let id = self.pop()?;
        match self.storage(id) {
            Some(storage) => self.push(Value::Storage(Arc::new(storage))),
            None => Err(self.malformed("a persistent id in it does not name a storage".into())),
        }
    }

    fn storage(&self, id: Id) -> Option<StorageRef> {
        let Value::Tuple(fields) = &self.values[id] else {
            return None;
        };
        let (kind, dtype, key, len, view) = match fields.as_slice() {
            [kind, dtype, key, _location, len] => (kind, dtype, key, len, None),
            [kind, dtype, key, _location, len, view] => (kind, dtype, key, len, Some(view)),
            _ => return None,
        };
        let view = match view.map(|view| &self.values[*view]) {
            None | Some(Value::None) => None,
            Some(Value::Tuple(view)) => match view.as_slice() {
                [_key, offset, len] => Some((self.unsigned(*offset)?, self.unsigned(*len)?)),
                _ => return None,
            },
            Some(_) => return None,
        };
        match (
            &self.values[*kind],
            &self.values[*dtype],
            &self.values[*key],
        ) {
            (Value::Str(kind), Value::Global(Global::Storage(dtype)), Value::Str(key))
                if kind.as_ref() == "storage" && key.len() <= MAX_STORAGE_KEY =>
            {
                Some(StorageRef {
                    dtype: dtype.clone(),
                    key: Arc::clone(key),
                    len: self.unsigned(*len)?,
                    view,
                })
            }
            _ => None,
        }
    }

    /// REDUCE and NEWOBJ: a call, of which only a few are known.
    pub(super) fn reduce(&mut self) -> Result<(), LoadError> {
        let args = self.pop()?;
        let callable = self.pop()?;
        let built = match (&self.values[callable], &self.values[args]) {
            (Value::Global(global), Value::Tuple(args)) => self.call(global, args),
            _ => None,
        };
        match built {
            Some(value) => self.push(value),
            None => Err(self.malformed("a call in it has arguments of unknown form".into())),
        }
    }

    fn call(&self, global: &Global, args: &[Id]) -> Option<Value> {
        match global {
            Global::OrderedDict => self.ordered_dict(args),
            Global::RebuildTensor => self
                .tensor(args)
                .map(|tensor| Value::Tensor(Arc::new(tensor))),
            Global::Parameter => match &self.values[*args.first()?] {
                Value::Tensor(tensor) => Some(Value::Tensor(Arc::clone(tensor))),
                _ => None,
            },
            Global::RebuildFromType => match args {
                [function, _class, args, _attributes] => {
                    match (&self.values[*function], &self.values[*args]) {
                        // A function of this kind inside of itself would recurse without a bound.
                        (Value::Global(Global::RebuildFromType), _) => None,
                        (Value::Global(function), Value::Tuple(args)) => self.call(function, args),
                        _ => None,
                    }
                }
                _ => None,
            },
            Global::Storage(_) => None,
            Global::Opaque => Some(Value::Opaque),
        }
    }

    /// `OrderedDict()` or `OrderedDict([(key, value), …])`
    fn ordered_dict(&self, args: &[Id]) -> Option<Value> {
        let pairs = match args {
            [] => return Some(Value::Dict(Vec::new())),
            [pairs] => match &self.values[*pairs] {
                Value::List(pairs) => pairs,
                _ => return None,
            },
            _ => return None,
        };
        // Before the copy: the same list may be the argument of many calls.
        if !self.has_room_for_items(2 * pairs.len()) {
            return None;
        }
        let pair = |id: &Id| match &self.values[*id] {
            Value::Tuple(pair) | Value::List(pair) => match pair.as_slice() {
                [key, value] => Some((*key, *value)),
                _ => None,
            },
            _ => None,
        };
        pairs
            .iter()
            .map(pair)
            .collect::<Option<_>>()
            .map(Value::Dict)
    }

    /// `_rebuild_tensor_v2(storage, storage_offset, size, stride, …)`
    fn tensor(&self, args: &[Id]) -> Option<TensorRef> {
        let [storage, offset, shape, strides, ..] = args else {
            return None;
        };
        let Value::Storage(storage) = &self.values[*storage] else {
            return None;
        };
        let sizes = |id: &Id| match &self.values[*id] {
            Value::Tuple(sizes) | Value::List(sizes) if sizes.len() <= MAX_AXES => sizes
                .iter()
                .map(|size| usize::try_from(self.unsigned(*size)?).ok())
                .collect::<Option<Vec<_>>>(),
            _ => None,
        };
        Some(TensorRef {
            storage: Arc::clone(storage),
            offset: self.unsigned(*offset)?,
            shape: sizes(shape)?,
            strides: sizes(strides)?,
        })
    }

    /// BUILD: state dicts and parameters carry attributes, such as `_metadata`, which say nothing about the tensors.
    pub(super) fn build(&mut self) -> Result<(), LoadError> {
        self.pop()?;
        let object = self.top()?;
        match &self.values[object] {
            Value::Dict(_) | Value::Tensor(_) | Value::Opaque => Ok(()),
            _ => Err(self.malformed("it sets attributes on a value that is not a dict".into())),
        }
    }

    fn unsigned(&self, id: Id) -> Option<u64> {
        match &self.values[id] {
            Value::Int(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }
}

fn known_global(module: &str, name: &str) -> Option<Global> {
    Some(match (module, name) {
        ("collections", "OrderedDict") => Global::OrderedDict,
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_tensor_v3") => {
            Global::RebuildTensor
        }
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state")
        | ("torch.nn.parameter" | "torch.nn", "Parameter") => Global::Parameter,
        ("torch._tensor", "_rebuild_from_type_v2") => Global::RebuildFromType,
        ("torch._utils", name) if name.starts_with("_rebuild_") => Global::Opaque,
        ("torch" | "torch.storage", name) if name.ends_with("Storage") => {
            Global::Storage(storage_dtype(name)?)
        }
        ("torch", "Size" | "Tensor" | "device")
        | ("torch.serialization", "_get_layout")
        | ("collections", "Counter")
        | ("_codecs", "encode")
        | ("builtins" | "__builtin__", "bytearray" | "set" | "complex") => Global::Opaque,
        ("torch", name) if is_dtype(name) => Global::Opaque,
        _ => return None,
    })
}

/// `torch.float32` and the other values of `torch.dtype` and `torch.qscheme`.
fn is_dtype(name: &str) -> bool {
    let digits = |prefix: &str| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    matches!(
        name,
        "bool" | "half" | "float" | "double" | "short" | "int" | "long" | "cfloat" | "cdouble"
    ) || [
        "float", "bfloat", "int", "uint", "complex", "qint", "quint", "bits",
    ]
    .into_iter()
    .any(digits)
        || name.starts_with("per_tensor_")
        || name.starts_with("per_channel_")
}

fn storage_dtype(name: &str) -> Option<Dtype> {
    let other = |name: &str, size| Dtype::Other {
        name: name.into(),
        size,
    };
    Some(match name {
        "DoubleStorage" => Dtype::Float(Float::F64),
        "FloatStorage" => Dtype::Float(Float::F32),
        "HalfStorage" => Dtype::Float(Float::F16),
        "BFloat16Storage" => Dtype::Float(Float::Bf16),
        "LongStorage" => other("i64", 8),
        "IntStorage" => other("i32", 4),
        "ShortStorage" => other("i16", 2),
        "CharStorage" => other("i8", 1),
        "ByteStorage" => other("u8", 1),
        "BoolStorage" => other("bool", 1),
        "ComplexFloatStorage" => other("complex64", 8),
        "ComplexDoubleStorage" => other("complex128", 16),
        "QInt8Storage" | "QUInt8Storage" | "QUInt4x2Storage" | "QUInt2x4Storage" => {
            other("quantized 8-bit or less", 1)
        }
        "QInt32Storage" => other("quantized i32", 4),
        // What has no storage class of its own, such as float8.
        "UntypedStorage" | "TypedStorage" => other("untyped", 1),
        _ => return None,
    })
}
