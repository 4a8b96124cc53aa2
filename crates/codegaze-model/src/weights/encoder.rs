//! The encoder among the tensors of a file.

use super::{WORD_EMBEDDINGS, Weights, missing};
use crate::LoadError;
use crate::quote::quote_list;

/// What stands for a task head in the names of tensors.
const TASK_HEADS: [&str; 9] = [
    "lm_head",
    "classifier",
    "cls",
    "qa_outputs",
    "score",
    "out_proj",
    "head",
    "output_layer",
    "proj_head",
];

impl Weights {
    /// Finds the encoder: what stands before `embeddings.word_embeddings.weight` is its prefix.
    ///
    /// Of several encoders, a decoder's counts only if there is no other. Then the trained one is taken: a class that wraps an encoder
    /// but derives from a RoBERTa class (`LineVul` does) saves a second encoder that was only initialized and never used. Encoders
    /// with equal values are one.
    ///
    /// # Errors
    /// When there is no encoder, or when several are left.
    pub fn encoder(&self) -> Result<EncoderWeights<'_>, LoadError> {
        let all: Vec<&str> = self
            .names()
            .filter_map(|name| name.strip_suffix(WORD_EMBEDDINGS))
            .filter(|prefix| prefix.is_empty() || prefix.ends_with('.'))
            .collect();
        let is_decoder = |prefix: &str| prefix.split('.').any(|part| part.contains("decoder"));
        let encoders = prefer(&all, |prefix| !is_decoder(prefix));
        let encoders = if encoders.len() > 1 {
            prefer(&encoders, |prefix| !self.at(prefix).is_untrained())
        } else {
            encoders
        };
        let Some((first, others)) = encoders.split_first() else {
            return Err(missing(WORD_EMBEDDINGS, &self.label, self.tensors.keys()));
        };
        let encoder = self.at(first);
        if others.iter().all(|other| encoder.equals(&self.at(other))) {
            return Ok(encoder);
        }
        Err(LoadError::AmbiguousPrefix {
            file: self.label.clone(),
            prefixes: encoders.iter().map(ToString::to_string).collect(),
        })
    }

    /// The encoder with this prefix, which a user named. A dot at the end may be left out.
    ///
    /// # Errors
    /// When there is no encoder with this prefix.
    pub fn encoder_at(&self, prefix: &str) -> Result<EncoderWeights<'_>, LoadError> {
        let dotted = match prefix {
            "" => String::new(),
            _ => format!("{}.", prefix.trim_end_matches('.')),
        };
        let encoder = self.at(&dotted);
        if encoder.contains(WORD_EMBEDDINGS) {
            return Ok(encoder);
        }
        Err(LoadError::EncoderPrefix {
            file: self.label.clone(),
            wanted: dotted,
            found: self
                .names()
                .filter_map(|name| name.strip_suffix(WORD_EMBEDDINGS))
                .map(str::to_owned)
                .collect(),
        })
    }

    pub(crate) fn at(&self, prefix: &str) -> EncoderWeights<'_> {
        EncoderWeights {
            weights: self,
            prefix: prefix.to_owned(),
        }
    }
}

/// Those that meet the condition; all, if none does.
fn prefer<'p>(prefixes: &[&'p str], meets: impl Fn(&str) -> bool) -> Vec<&'p str> {
    let preferred: Vec<&str> = prefixes
        .iter()
        .copied()
        .filter(|prefix| meets(prefix))
        .collect();
    if preferred.is_empty() {
        prefixes.to_vec()
    } else {
        preferred
    }
}

/// The encoder's tensors by their names in Hugging Face's `RobertaModel`, whatever stands before these in the file.
#[derive(Clone, Debug)]
pub struct EncoderWeights<'w> {
    weights: &'w Weights,
    prefix: String,
}

impl EncoderWeights<'_> {
    /// What stands before every name in the file: empty, or ending in a dot.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether the encoder has a tensor of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.shape(name).is_some()
    }

    /// The shape of a tensor of the encoder.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.weights.shape(&self.resolve(name))
    }

    /// As [`Weights::read_f32`], with a name relative to the encoder.
    ///
    /// # Errors
    /// As [`Weights::read_f32`].
    pub fn read_f32(&self, name: &str, expected_shape: &[usize]) -> Result<Vec<f32>, LoadError> {
        self.weights.read_f32(&self.resolve(name), expected_shape)
    }

    /// What the file holds beside the encoder and its pooler, as the names of modules: (task heads, other modules).
    #[must_use]
    pub fn unused_modules(&self) -> (Vec<String>, Vec<String>) {
        let mut modules: Vec<String> = self
            .weights
            .names()
            .filter(|name| self.part(name).is_none())
            .map(|name| self.module(name))
            .collect();
        // Names ascend, but a module's tensors may lie apart.
        modules.sort_unstable();
        modules.dedup();
        modules.into_iter().partition(|module| {
            let last = module.rsplit('.').next().unwrap_or_default();
            TASK_HEADS.contains(&last) || last.ends_with("_head") || last.contains("classif")
        })
    }

    /// The part of a name behind the prefix, if it belongs to the encoder.
    fn part<'n>(&self, name: &'n str) -> Option<&'n str> {
        name.strip_prefix(self.prefix.as_str()).filter(|part| {
            ["embeddings.", "encoder.layer.", "pooler."]
                .iter()
                .any(|module| part.starts_with(module))
        })
    }

    /// The module of a tensor outside of the encoder: its name up to the first part that differs from the encoder's prefix.
    fn module(&self, name: &str) -> String {
        let shared = self
            .prefix
            .split('.')
            .zip(name.split('.'))
            .take_while(|(a, b)| a == b)
            .count();
        let parts: Vec<&str> = name.split('.').take(shared + 1).collect();
        parts.join(".")
    }

    /// Whether the encoder is as `RobertaPreTrainedModel._init_weights` leaves it: all biases 0, and all scales of layer norms 1.
    /// Training changes them at once.
    fn is_untrained(&self) -> bool {
        let mut n_checked = 0;
        for name in self.weights.names() {
            let Some(part) = self.part(name).filter(|part| !part.starts_with("pooler.")) else {
                continue;
            };
            let initial = if part.ends_with("LayerNorm.weight") || part.ends_with("LayerNorm.gamma")
            {
                1.0
            } else if part.rsplit('.').next() == Some("bias") || part.ends_with("LayerNorm.beta") {
                0.0
            } else {
                continue;
            };
            let Some(Ok(values)) = self
                .weights
                .shape(name)
                .map(|shape| self.weights.read_f32(name, shape))
            else {
                return false;
            };
            #[expect(clippy::float_cmp, reason = "the initial values are exact")]
            if values.iter().any(|value| *value != initial) {
                return false;
            }
            n_checked += 1;
        }
        n_checked > 0
    }

    /// Whether another encoder has the same values.
    fn equals(&self, other: &Self) -> bool {
        let parts = |encoder: &Self| -> Vec<String> {
            let names = encoder.weights.names();
            names
                .filter_map(|name| encoder.part(name))
                .filter(|part| !part.starts_with("pooler."))
                .map(str::to_owned)
                .collect()
        };
        let names = parts(self);
        names == parts(other)
            && names.iter().all(|name| {
                let Some(shape) = self.shape(name) else {
                    return false;
                };
                // Integers, such as position_ids, have no values here.
                match (self.read_f32(name, shape), other.read_f32(name, shape)) {
                    (Ok(a), Ok(b)) => a == b,
                    (Err(LoadError::Dtype { .. }), Err(LoadError::Dtype { .. })) => true,
                    _ => false,
                }
            })
    }

    /// The name in the file. Checkpoints converted from TensorFlow call a layer norm's weight gamma and its bias beta.
    fn resolve(&self, name: &str) -> String {
        let full = format!("{}{name}", self.prefix);
        if self.weights.tensors.contains_key(&full) {
            return full;
        }
        let old = [
            ("LayerNorm.weight", "LayerNorm.gamma"),
            ("LayerNorm.bias", "LayerNorm.beta"),
        ]
        .iter()
        .find_map(|(new, old)| Some(format!("{}{old}", full.strip_suffix(new)?)));
        match old {
            Some(old) if self.weights.tensors.contains_key(&old) => old,
            _ => full,
        }
    }
}

/// What [`EncoderWeights::unused_modules`] found but for the task head that is used, in words.
pub(crate) fn notes(encoder: &EncoderWeights<'_>, used: Option<&str>) -> Vec<String> {
    let (mut heads, others) = encoder.unused_modules();
    heads.retain(|head| Some(head.as_str()) != used);
    let mut notes = Vec::new();
    if !heads.is_empty() {
        notes.push(format!("task head not used: {}", quote_list(&heads)));
    }
    if !others.is_empty() {
        notes.push(format!("other parts not used: {}", quote_list(&others)));
    }
    notes
}
