//! From a parsed pickle to the tensors of a model.

use std::collections::{HashMap, HashSet};

use super::pickle::{Id, Pickle, TensorRef, Value};
use super::{MAX_NAME, MAX_TENSORS, WORD_EMBEDDINGS};
use crate::LoadError;

/// Keys under which training scripts put the state dict, beside an optimizer's and the like. The first ones are preferred.
const USUAL_KEYS: [&str; 7] = [
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "module",
    "net",
    "encoder",
];

/// A checkpoint nests its state dict one level deep, rarely two.
const MAX_DEPTH: usize = 3;

/// Names and tensors of a state dict, which is the whole checkpoint or is nested in one.
///
/// The dict that holds an encoder is preferred, so that a `loss` beside `model_state_dict` does not hide the model. Of several such
/// dicts, the one nearest to the root is taken, and then the one with the most usual key.
pub(super) fn tensors<'p>(
    file: &str,
    pickle: &'p Pickle,
) -> Result<Vec<(&'p str, &'p TensorRef)>, LoadError> {
    let mut first_with_tensors = None;
    for dict in dicts(pickle) {
        let found = direct(pickle, dict).map_err(|cause| malformed(file, cause))?;
        if found
            .iter()
            .any(|(name, _)| name.ends_with(WORD_EMBEDDINGS))
        {
            return Ok(found);
        }
        if !found.is_empty() {
            first_with_tensors.get_or_insert(found);
        }
    }
    first_with_tensors.ok_or_else(|| malformed(file, no_tensors(pickle)))
}

/// The root and the dicts below it, level by level.
fn dicts(pickle: &Pickle) -> Vec<&Value> {
    let mut found = Vec::new();
    let mut seen = HashSet::from([pickle.root_id()]);
    let mut level = vec![pickle.root_id()];
    for _ in 0..MAX_DEPTH {
        let mut next: Vec<(usize, Id)> = Vec::new();
        for id in level {
            let value = pickle.get(id);
            let Value::Dict(items) = value else { continue };
            found.push(value);
            for (key, item) in items {
                if matches!(pickle.get(*item), Value::Dict(_)) && seen.insert(*item) {
                    next.push((usual_rank(pickle.get(*key)), *item));
                }
            }
        }
        // Stable: dicts with unusual keys stay in their order.
        next.sort_by_key(|(rank, _)| *rank);
        level = next.into_iter().map(|(_, id)| id).collect();
    }
    found
}

fn usual_rank(key: &Value) -> usize {
    let Value::Str(key) = key else {
        return USUAL_KEYS.len();
    };
    USUAL_KEYS
        .iter()
        .position(|usual| *usual == key.as_ref())
        .unwrap_or(USUAL_KEYS.len())
}

/// The tensors of a dict by name. A later item replaces an earlier one with the same key, as in Python.
fn direct<'p>(
    pickle: &'p Pickle,
    dict: &'p Value,
) -> Result<Vec<(&'p str, &'p TensorRef)>, String> {
    let Value::Dict(items) = dict else {
        return Ok(Vec::new());
    };
    // By id first: a hostile pickle may use one long key for a million items.
    let mut by_key: HashMap<Id, Id> = items.iter().copied().collect();
    let mut found = Vec::new();
    for (key, _) in items {
        let Some(value) = by_key.remove(key) else {
            continue;
        };
        if let (Value::Str(name), Value::Tensor(tensor)) = (pickle.get(*key), pickle.get(value)) {
            if name.len() > MAX_NAME {
                return Err(format!(
                    "a tensor's name has {} bytes, and the limit is {MAX_NAME}",
                    name.len()
                ));
            }
            found.push((name.as_ref(), tensor.as_ref()));
        }
        if found.len() > MAX_TENSORS {
            return Err(format!("it has more than {MAX_TENSORS} tensors"));
        }
    }
    Ok(found)
}

fn no_tensors(pickle: &Pickle) -> String {
    match pickle.root() {
        Value::Dict(items) => {
            let keys: Vec<String> = items
                .iter()
                .filter_map(|(key, _)| match pickle.get(*key) {
                    Value::Str(key) => Some(crate::quote::quote(key)),
                    _ => None,
                })
                .take(8)
                .collect();
            format!(
                "it has no tensors by name, but the keys {}",
                keys.join(", ")
            )
        }
        _ => "it is not a dict from names to tensors".to_owned(),
    }
}

fn malformed(file: &str, cause: String) -> LoadError {
    LoadError::Malformed {
        file: file.to_owned(),
        format: "a state dict",
        cause,
    }
}
