//! From a parsed pickle to the tensors of a model.

use super::pickle::{Pickle, TensorRef, Value};
use crate::LoadError;

/// Keys under which training scripts put the state dict, beside an optimizer's and the like.
const USUAL_KEYS: [&str; 6] = [
    "state_dict",
    "model_state_dict",
    "model",
    "module",
    "net",
    "encoder",
];

/// Names and tensors of a state dict, be it the whole checkpoint or nested in one.
pub(super) fn tensors<'p>(
    file: &str,
    pickle: &'p Pickle,
) -> Result<Vec<(&'p str, &'p TensorRef)>, LoadError> {
    let mut dict = pickle.root();
    // A checkpoint nests one level, rarely two.
    for _ in 0..3 {
        let found = direct(pickle, dict);
        if !found.is_empty() {
            return Ok(found);
        }
        match USUAL_KEYS.iter().find_map(|key| pickle.item(dict, key)) {
            Some(inner) => dict = inner,
            None => break,
        }
    }
    Err(LoadError::Malformed {
        file: file.to_owned(),
        format: "a state dict",
        cause: match pickle.root() {
            Value::Dict(items) => {
                let keys: Vec<&str> = items
                    .iter()
                    .filter_map(|(key, _)| match pickle.get(*key) {
                        Value::Str(key) => Some(key.as_str()),
                        _ => None,
                    })
                    .take(8)
                    .collect();
                format!("it has no tensors by name, but the keys {keys:?}")
            }
            _ => "it is not a dict from names to tensors".to_owned(),
        },
    })
}

fn direct<'p>(pickle: &'p Pickle, dict: &'p Value) -> Vec<(&'p str, &'p TensorRef)> {
    let Value::Dict(items) = dict else {
        return Vec::new();
    };
    items
        .iter()
        .filter_map(
            |(key, value)| match (pickle.get(*key), pickle.get(*value)) {
                (Value::Str(name), Value::Tensor(tensor)) => Some((name.as_str(), tensor)),
                _ => None,
            },
        )
        .collect()
}
