//! The stack machine: opcodes, stack, marks and memo, all bounded.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use super::{Id, MAX_BYTES, Value};
use crate::LoadError;

const MAX_VALUES: usize = 1 << 20;
const MAX_NAME: usize = 256;

/// What the values may take in memory. The largest honest pickle ([`MAX_BYTES`] of tensors with short names) needs half of it.
const MAX_MEMORY: usize = 128 << 20;

pub(super) struct Parser<'i> {
    file: &'i str,
    input: &'i mut dyn Read,
    n_bytes: u64,
    pub(super) values: Vec<Value>,
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
    /// Bytes that the values take.
    memory: usize,
}

impl<'i> Parser<'i> {
    pub(super) fn new(file: &'i str, input: &'i mut dyn Read) -> Self {
        Self {
            file,
            input,
            n_bytes: 0,
            values: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            memory: 0,
        }
    }

    pub(super) fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    pub(super) fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// The opcode loop. Names in the comments are those of `pickletools`.
    #[expect(clippy::too_many_lines, reason = "one arm for each opcode")]
    pub(super) fn run(&mut self) -> Result<Id, LoadError> {
        loop {
            let offset = self.n_bytes;
            let opcode = self.u8()?;
            match opcode {
                0x80 => self.protocol()?,
                0x95 => {
                    self.array::<8>()?; // FRAME
                }
                b'.' => return self.pop(), // STOP

                b'N' => self.push(Value::None)?,
                0x88 => self.push(Value::Bool(true))?, // NEWTRUE
                0x89 => self.push(Value::Bool(false))?, // NEWFALSE
                b'K' => {
                    let value = self.u8()?; // BININT1
                    self.push_int(value.into())?;
                }
                b'M' => {
                    let value = u16::from_le_bytes(self.array()?); // BININT2
                    self.push_int(value.into())?;
                }
                b'J' => {
                    let value = i32::from_le_bytes(self.array()?); // BININT
                    self.push_int(value.into())?;
                }
                0x8a => self.long()?, // LONG1
                b'G' => {
                    self.array::<8>()?; // BINFLOAT
                    self.push(Value::Float)?;
                }
                b'X' => {
                    let len = u32::from_le_bytes(self.array()?); // BINUNICODE
                    self.text(len.into())?;
                }
                0x8c => {
                    let len = self.u8()?; // SHORT_BINUNICODE
                    self.text(len.into())?;
                }
                0x8d => {
                    let len = u64::from_le_bytes(self.array()?); // BINUNICODE8
                    self.text(len)?;
                }
                b'U' | b'C' => {
                    let len = self.u8()?; // SHORT_BINSTRING, SHORT_BINBYTES
                    self.bytes(len.into(), opcode)?;
                }
                b'T' | b'B' => {
                    let len = u32::from_le_bytes(self.array()?); // BINSTRING, BINBYTES
                    self.bytes(len.into(), opcode)?;
                }
                0x8e => {
                    let len = u64::from_le_bytes(self.array()?); // BINBYTES8
                    self.bytes(len, opcode)?;
                }

                b'(' => self.marks.push(self.stack.len()),
                b'0' => {
                    self.pop()?; // POP
                }
                b'1' => {
                    self.pop_to_mark()?; // POP_MARK
                }
                0x8f => self.push(Value::Opaque)?, // EMPTY_SET
                0x90 => {
                    self.pop_to_mark()?; // ADDITEMS
                }
                b')' => self.push(Value::Tuple(Vec::new()))?,
                0x85 => self.tuple(1)?,
                0x86 => self.tuple(2)?,
                0x87 => self.tuple(3)?,
                b't' => {
                    let items = self.pop_to_mark()?;
                    self.push(Value::Tuple(items))?;
                }
                b']' => self.push(Value::List(Vec::new()))?,
                b'a' => {
                    let item = self.pop()?; // APPEND
                    self.extend_list(vec![item])?;
                }
                b'e' => {
                    let items = self.pop_to_mark()?; // APPENDS
                    self.extend_list(items)?;
                }
                b'}' => self.push(Value::Dict(Vec::new()))?,
                b's' => {
                    let value = self.pop()?; // SETITEM
                    let key = self.pop()?;
                    self.extend_dict(&[key, value])?;
                }
                b'u' => {
                    let items = self.pop_to_mark()?; // SETITEMS
                    self.extend_dict(&items)?;
                }

                b'q' => {
                    let slot = self.u8()?; // BINPUT
                    self.memoize(slot.into())?;
                }
                b'r' => {
                    let slot = u32::from_le_bytes(self.array()?); // LONG_BINPUT
                    self.memoize(slot)?;
                }
                0x94 => {
                    let slot = u32::try_from(self.memo.len()).unwrap_or(u32::MAX); // MEMOIZE
                    self.memoize(slot)?;
                }
                b'h' => {
                    let slot = self.u8()?; // BINGET
                    self.recall(slot.into())?;
                }
                b'j' => {
                    let slot = u32::from_le_bytes(self.array()?); // LONG_BINGET
                    self.recall(slot)?;
                }

                b'c' => {
                    let (module, name) = (self.line()?, self.line()?); // GLOBAL
                    self.global(&module, &name)?;
                }
                b'i' => {
                    let (module, name) = (self.line()?, self.line()?); // INST: a call in one opcode
                    return Err(self.forbidden(&module, &name));
                }
                0x93 => self.stack_global()?,
                b'Q' => self.persistent_id()?,
                b'R' | 0x81 => self.reduce()?, // REDUCE, NEWOBJ
                b'b' => self.build()?,
                _ => {
                    return Err(LoadError::PickleOpcode {
                        file: self.file.to_owned(),
                        opcode,
                        offset,
                    });
                }
            }
        }
    }

    fn protocol(&mut self) -> Result<(), LoadError> {
        match self.u8()? {
            2..=5 => Ok(()),
            other => Err(self.malformed(format!(
                "it has protocol {other}, and codegaze supports 2 to 5"
            ))),
        }
    }

    /// LONG1: a little-endian two's complement number.
    fn long(&mut self) -> Result<(), LoadError> {
        let len = self.u8()?;
        let bytes = self.take(len.into())?;
        let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut wide = [if negative { 0xff } else { 0 }; 16];
        let fits = bytes.len() <= wide.len();
        if fits {
            wide[..bytes.len()].copy_from_slice(&bytes);
        }
        self.push(if fits {
            Value::Int(i128::from_le_bytes(wide))
        } else {
            Value::WideInt
        })
    }

    fn text(&mut self, len: u64) -> Result<(), LoadError> {
        let bytes = self.take(len)?;
        // Python writes lone surrogates as they are; such a text cannot be a tensor's name.
        let text = String::from_utf8_lossy(&bytes);
        self.push(Value::Str(text.into()))
    }

    fn bytes(&mut self, len: u64, opcode: u8) -> Result<(), LoadError> {
        let bytes = self.take(len)?;
        // `str` of Python 2, which wrote some of the oldest checkpoints.
        let is_text = matches!(opcode, b'U' | b'T');
        self.push(match String::from_utf8(bytes) {
            Ok(text) if is_text => Value::Str(text.into()),
            _ => Value::Bytes,
        })
    }

    fn tuple(&mut self, len: usize) -> Result<(), LoadError> {
        let start = self.stack.len().checked_sub(len);
        match start.filter(|start| *start >= self.floor()) {
            Some(start) => {
                let items = self.stack.split_off(start);
                self.push(Value::Tuple(items))
            }
            None => Err(self.underflow()),
        }
    }

    fn extend_list(&mut self, items: Vec<Id>) -> Result<(), LoadError> {
        self.charge(items.len() * size_of::<Id>())?;
        let list = self.top()?;
        match &mut self.values[list] {
            Value::List(list) => {
                list.extend(items);
                Ok(())
            }
            Value::Opaque => Ok(()),
            _ => Err(self.malformed("it appends to a value that is not a list".into())),
        }
    }

    fn extend_dict(&mut self, items: &[Id]) -> Result<(), LoadError> {
        self.charge(size_of_val(items))?;
        let dict = self.top()?;
        match (&mut self.values[dict], items.as_chunks()) {
            (Value::Dict(dict), (pairs, [])) => {
                dict.extend(pairs.iter().map(|[key, value]| (*key, *value)));
                Ok(())
            }
            (Value::Opaque, (_, [])) => Ok(()),
            _ => Err(self.malformed("it sets items on a value that is not a dict".into())),
        }
    }

    fn memoize(&mut self, slot: u32) -> Result<(), LoadError> {
        let top = self.top()?;
        self.memo.insert(slot, top);
        self.check_size(self.memo.len())
    }

    fn recall(&mut self, slot: u32) -> Result<(), LoadError> {
        match self.memo.get(&slot) {
            Some(id) => {
                self.stack.push(*id);
                self.check_size(self.stack.len())
            }
            None => Err(self.malformed(format!("it recalls value {slot}, which it did not store"))),
        }
    }

    fn stack_global(&mut self) -> Result<(), LoadError> {
        let name = self.pop()?;
        let module = self.pop()?;
        match (&self.values[module], &self.values[name]) {
            (Value::Str(module), Value::Str(name)) => {
                let (module, name) = (Arc::clone(module), Arc::clone(name));
                self.global(&module, &name)
            }
            _ => Err(self.malformed("a name in it is not a text".into())),
        }
    }

    pub(super) fn push(&mut self, value: Value) -> Result<(), LoadError> {
        // The value, its place on the stack, and what it owns. Shared parts count once, where they are made.
        let owned = match &value {
            Value::Str(text) if Arc::strong_count(text) == 1 => text.len(),
            Value::Tuple(items) | Value::List(items) => size_of_val(items.as_slice()),
            Value::Dict(items) => size_of_val(items.as_slice()),
            Value::Storage(storage) => size_of_val(storage.as_ref()),
            Value::Tensor(tensor) if Arc::strong_count(tensor) == 1 => {
                size_of_val(tensor.as_ref())
                    + size_of_val(tensor.shape.as_slice())
                    + size_of_val(tensor.strides.as_slice())
            }
            _ => 0,
        };
        self.charge(size_of::<Value>() + size_of::<Id>() + owned)?;
        self.stack.push(self.values.len());
        self.values.push(value);
        self.check_size(self.values.len().max(self.stack.len()))
    }

    fn push_int(&mut self, value: i128) -> Result<(), LoadError> {
        self.push(Value::Int(value))
    }

    /// The stack's height below which only `POP_MARK` and the like may reach.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    pub(super) fn top(&self) -> Result<Id, LoadError> {
        match self.stack.last() {
            Some(id) if self.stack.len() > self.floor() => Ok(*id),
            _ => Err(self.underflow()),
        }
    }

    pub(super) fn pop(&mut self) -> Result<Id, LoadError> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, LoadError> {
        match self.marks.pop() {
            // `pop` never goes below a mark, so that the stack is at least that high.
            Some(mark) => Ok(self.stack.split_off(mark)),
            None => Err(self.underflow()),
        }
    }

    fn u8(&mut self) -> Result<u8, LoadError> {
        self.array().map(|[byte]: [u8; 1]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], LoadError> {
        let mut bytes = [0; N];
        self.input
            .read_exact(&mut bytes)
            .map_err(|error| self.malformed(format!("after {} bytes: {error}", self.n_bytes)))?;
        self.consumed(N as u64)?;
        Ok(bytes)
    }

    /// Grows with what is really there, not with what the length claims.
    fn take(&mut self, len: u64) -> Result<Vec<u8>, LoadError> {
        self.consumed(len)?;
        let mut bytes = Vec::new();
        let read = self.input.take(len).read_to_end(&mut bytes);
        match read {
            Ok(read) if read as u64 == len => Ok(bytes),
            Ok(_) => Err(self.malformed("it ends within a text".into())),
            Err(error) => Err(self.malformed(error.to_string())),
        }
    }

    /// The two names of GLOBAL end in newlines.
    fn line(&mut self) -> Result<String, LoadError> {
        let mut line = Vec::new();
        loop {
            match self.u8()? {
                b'\n' => return Ok(String::from_utf8_lossy(&line).into_owned()),
                _ if line.len() == MAX_NAME => {
                    return Err(self.malformed("a name in it does not end".into()));
                }
                byte => line.push(byte),
            }
        }
    }

    fn consumed(&mut self, n: u64) -> Result<(), LoadError> {
        self.n_bytes = self.n_bytes.saturating_add(n);
        if self.n_bytes > MAX_BYTES {
            return Err(self.malformed(format!("it is longer than {MAX_BYTES} bytes")));
        }
        Ok(())
    }

    fn charge(&mut self, bytes: usize) -> Result<(), LoadError> {
        self.memory = self.memory.saturating_add(bytes);
        if self.memory > MAX_MEMORY {
            return Err(self.malformed(format!("its values need more than {MAX_MEMORY} bytes")));
        }
        Ok(())
    }

    /// Whether a container of so many items may be made.
    pub(super) fn has_room_for_items(&self, n_items: usize) -> bool {
        self.memory + n_items * size_of::<Id>() <= MAX_MEMORY
    }

    fn check_size(&self, size: usize) -> Result<(), LoadError> {
        if size > MAX_VALUES {
            return Err(self.malformed(format!("it has more than {MAX_VALUES} values")));
        }
        Ok(())
    }

    pub(super) fn forbidden(&self, module: &str, name: &str) -> LoadError {
        LoadError::ForbiddenGlobal {
            file: self.file.to_owned(),
            name: format!("{module}.{name}"),
        }
    }

    fn underflow(&self) -> LoadError {
        self.malformed(format!(
            "at byte {} it takes a value that is not there",
            self.n_bytes
        ))
    }

    pub(super) fn malformed(&self, cause: String) -> LoadError {
        LoadError::Malformed {
            file: self.file.to_owned(),
            format: "a pickle of tensors",
            cause,
        }
    }
}
