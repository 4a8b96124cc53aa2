//! `config.json` of a RoBERTa-family encoder.

use serde::Deserialize;

use crate::LoadError;

/// The keys that the encoder needs; names and defaults as in Hugging Face's `RobertaConfig`.
#[derive(Clone, Debug, Deserialize)]
pub struct RobertaConfig {
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub intermediate_size: usize,
    pub max_position_embeddings: usize,
    #[serde(default = "default_type_vocab_size")]
    pub type_vocab_size: usize,
    #[serde(default = "default_layer_norm_eps")]
    pub layer_norm_eps: f64,
    #[serde(default = "default_pad_token_id")]
    pub pad_token_id: usize,
    #[serde(default = "default_hidden_act")]
    hidden_act: String,
    #[serde(default = "default_position_embedding_type")]
    position_embedding_type: Option<String>,
    #[serde(default)]
    is_decoder: bool,
}

fn default_type_vocab_size() -> usize {
    2
}
fn default_layer_norm_eps() -> f64 {
    1e-12
}
fn default_pad_token_id() -> usize {
    1
}
fn default_hidden_act() -> String {
    "gelu".to_owned()
}
#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's type")]
fn default_position_embedding_type() -> Option<String> {
    Some("absolute".to_owned())
}

/// Beyond this, a size in a configuration is taken for damage: no encoder of the family comes near it.
const MAX_SIZE: usize = 1 << 24;

impl RobertaConfig {
    /// Parses and checks `config.json`; `file` names it in errors.
    ///
    /// # Errors
    /// When it is not JSON, is of another architecture, or contradicts itself.
    pub fn parse(bytes: &[u8], file: &str) -> Result<Self, LoadError> {
        #[derive(Deserialize)]
        struct Kind {
            model_type: Option<String>,
        }
        let invalid = |source| LoadError::ConfigJson {
            file: file.to_owned(),
            source,
        };
        let kind: Kind = serde_json::from_slice(bytes).map_err(invalid)?;
        if kind.model_type.as_deref() != Some("roberta") {
            return Err(LoadError::ModelType {
                file: file.to_owned(),
                found: kind.model_type.unwrap_or_else(|| "none".to_owned()),
            });
        }
        let config: Self = serde_json::from_slice(bytes).map_err(invalid)?;
        match config.contradiction() {
            Some(cause) => Err(LoadError::Config {
                file: file.to_owned(),
                cause,
            }),
            None => Ok(config),
        }
    }

    fn contradiction(&self) -> Option<String> {
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("type_vocab_size", self.type_vocab_size),
        ];
        if let Some((name, size)) = sizes.iter().find(|(_, n)| !(1..=MAX_SIZE).contains(n)) {
            return Some(format!("{name} is {size}, outside of 1 … {MAX_SIZE}"));
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return Some(format!(
                "hidden_size {} is not a multiple of num_attention_heads {}",
                self.hidden_size, self.num_attention_heads
            ));
        }
        if self.max_position_embeddings < self.pad_token_id.saturating_add(4) {
            return Some(format!(
                "max_position_embeddings {} leaves no place for text behind pad_token_id {}",
                self.max_position_embeddings, self.pad_token_id
            ));
        }
        if !(self.layer_norm_eps > 0.0 && self.layer_norm_eps < 1.0) {
            return Some(format!("layer_norm_eps is {}", self.layer_norm_eps));
        }
        if self.hidden_act != "gelu" {
            return Some(format!(
                "hidden_act is {:?}; codegaze supports \"gelu\"",
                self.hidden_act
            ));
        }
        match self.position_embedding_type.as_deref() {
            None | Some("absolute") => {}
            Some(other) => {
                return Some(format!(
                    "position_embedding_type is {other:?}; codegaze supports \"absolute\""
                ));
            }
        }
        self.is_decoder
            .then(|| "is_decoder is true; codegaze supports encoders".to_owned())
    }

    /// Subwords that fit one pass, special ones included: positions start at `pad_token_id + 1`.
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        self.max_position_embeddings - self.pad_token_id - 1
    }

    /// Parameters of the encoder: embeddings and layers, without pooler and head.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        let (h, wide) = (self.hidden_size, self.intermediate_size);
        let rows = self.vocab_size + self.max_position_embeddings + self.type_vocab_size;
        let layer = 4 * (h * h + h) + (h * wide + wide) + (wide * h + h) + 4 * h;
        rows * h + 2 * h + self.num_hidden_layers * layer
    }

    /// Position of every subword, as `create_position_ids_from_input_ids` counts them in Hugging Face's
    /// `modeling_roberta`: `pad_token_id + 1` onwards, paddings stay at `pad_token_id`.
    pub(super) fn position_ids(&self, ids: &[u32]) -> Vec<u32> {
        let pad = u32::try_from(self.pad_token_id).unwrap_or(u32::MAX);
        let mut position = pad;
        ids.iter()
            .map(|&id| {
                if id == pad {
                    pad
                } else {
                    position += 1;
                    position
                }
            })
            .collect()
    }
}
