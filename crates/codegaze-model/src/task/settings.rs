//! What `config.json` says about a task head: labels, the kind of problem, the architecture.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The keys that concern a task head; names as in Hugging Face's `PretrainedConfig`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TaskSettings {
    /// `architectures`, such as `RobertaForMaskedLM`.
    pub(super) architectures: Vec<String>,
    /// `id2label`, by id. A file may leave labels out.
    pub(super) labels: BTreeMap<usize, String>,
    /// The number of labels, if the file gives it: `num_labels`, or that of `id2label`.
    pub(super) n_labels: Option<usize>,
    /// `problem_type`.
    pub(super) problem: Option<String>,
    /// Whether the decoder of a masked language model is the matrix of word embeddings.
    pub(super) tied: bool,
}

impl TaskSettings {
    pub(super) fn new(json: &Map<String, Value>) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let labels: BTreeMap<usize, String> = json
            .get("id2label")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter_map(|(id, label)| Some((id.parse().ok()?, text(label)?)))
            .collect();
        let n_labels = json
            .get("num_labels")
            .and_then(Value::as_u64)
            .and_then(|n| usize::try_from(n).ok());
        Self {
            architectures: json
                .get("architectures")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(text)
                .collect(),
            n_labels: n_labels.or((!labels.is_empty()).then_some(labels.len())),
            labels,
            problem: json.get("problem_type").and_then(text),
            tied: json.get("tie_word_embeddings") != Some(&Value::Bool(false)),
        }
    }

    /// Whether an architecture of the file ends in `suffix`.
    pub(super) fn is_for(&self, suffix: &str) -> bool {
        self.architectures.iter().any(|name| name.ends_with(suffix))
    }
}
