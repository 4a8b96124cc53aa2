//! The names that a pickle may use, and what calling them builds.

use super::parser::Parser;
use super::{Global, Id, StorageRef, TensorRef, Value};
use crate::LoadError;
use crate::weights::view::{Dtype, Float};

/// More than any tensor has; keeps a hostile shape small.
const MAX_AXES: usize = 32;

impl Parser<'_> {
    pub(super) fn global(&mut self, module: &str, name: &str) -> Result<(), LoadError> {
        let global = match (module, name) {
            ("collections", "OrderedDict") => Global::OrderedDict,
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Global::RebuildTensor,
            ("torch._utils", "_rebuild_parameter")
            | ("torch.nn.parameter" | "torch.nn", "Parameter") => Global::Parameter,
            ("torch", _) => match storage_dtype(name) {
                Some(dtype) => Global::Storage(dtype),
                None => return Err(self.forbidden(module, name)),
            },
            _ => return Err(self.forbidden(module, name)),
        };
        self.push(Value::Global(global))
    }

    /// BINPERSID: torch's pickles refer to storages this way, and to nothing else that a state dict has.
    pub(super) fn persistent_id(&mut self) -> Result<(), LoadError> {
        let id = self.pop()?;
        match self.storage(id) {
            Some(storage) => self.push(Value::Storage(storage)),
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
                if kind == "storage" =>
            {
                Some(StorageRef {
                    dtype: dtype.clone(),
                    key: key.clone(),
                    len: self.unsigned(*len)?,
                    view,
                })
            }
            _ => None,
        }
    }

    /// REDUCE: a call, of which only a few are known.
    pub(super) fn reduce(&mut self) -> Result<(), LoadError> {
        let args = self.pop()?;
        let callable = self.pop()?;
        let built = match (&self.values[callable], &self.values[args]) {
            (Value::Global(Global::OrderedDict), Value::Tuple(args)) => self.ordered_dict(args),
            (Value::Global(Global::RebuildTensor), Value::Tuple(args)) => {
                self.tensor(args).map(Value::Tensor)
            }
            (Value::Global(Global::Parameter), Value::Tuple(args)) => {
                match args.first().map(|tensor| &self.values[*tensor]) {
                    Some(Value::Tensor(tensor)) => Some(Value::Tensor(tensor.clone())),
                    _ => None,
                }
            }
            _ => None,
        };
        match built {
            Some(value) => self.push(value),
            None => Err(self.malformed("a call in it has arguments of unknown form".into())),
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
            storage: storage.clone(),
            offset: self.unsigned(*offset)?,
            shape: sizes(shape)?,
            strides: sizes(strides)?,
        })
    }

    /// BUILD: state dicts carry an attribute `_metadata`, which says nothing about the tensors.
    pub(super) fn build(&mut self) -> Result<(), LoadError> {
        self.pop()?;
        let object = self.top()?;
        match &self.values[object] {
            Value::Dict(_) => Ok(()),
            _ => Err(self.malformed("it sets attributes on a value that is not a dict".into())),
        }
    }

    fn unsigned(&self, id: Id) -> Option<u64> {
        match &self.values[id] {
            Value::Int(Some(value)) => u64::try_from(*value).ok(),
            _ => None,
        }
    }
}

fn storage_dtype(name: &str) -> Option<Dtype> {
    let other = |name: &str, size| Dtype::Other {
        name: name.to_owned(),
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
        _ => return None,
    })
}
