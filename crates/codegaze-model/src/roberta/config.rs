//! `config.json` of a RoBERTa-family encoder.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::quote::quote;
use crate::{LoadError, MIN_WINDOW};

/// The keys that the encoder needs; names and defaults as in Hugging Face's `RobertaConfig`.
#[derive(Clone, Debug, Deserialize)]
pub struct RobertaConfig {
    /// Rows of the word embeddings.
    pub vocab_size: usize,
    /// Width of a hidden state.
    pub hidden_size: usize,
    /// Layers of the encoder.
    pub num_hidden_layers: usize,
    /// Attention heads of each layer.
    pub num_attention_heads: usize,
    /// Width between the two linear layers behind the attention.
    pub intermediate_size: usize,
    /// Rows of the position embeddings; the first `pad_token_id + 1` are not positions of a text.
    pub max_position_embeddings: usize,
    /// Rows of the token type embeddings; the encoder uses row 0.
    #[serde(default = "default_type_vocab_size")]
    pub type_vocab_size: usize,
    /// Added to the variance in layer norms.
    #[serde(default = "default_layer_norm_eps")]
    pub layer_norm_eps: f64,
    /// The id of the padding subword.
    #[serde(default = "default_pad_token_id")]
    pub pad_token_id: usize,
    /// The window that a user chose.
    #[serde(skip)]
    window: Option<usize>,
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

/// A larger size in a configuration is damage: no encoder of the family comes near it.
const MAX_SIZE: usize = 1 << 24;

/// What one layer's attention over a full window may take. `CodeBERT`'s takes 12 MiB.
const MAX_ATTENTION_BYTES: usize = 256 << 20;

impl RobertaConfig {
    /// Parses and checks `config.json`; `file` names it in errors.
    ///
    /// As transformers does, it accepts `NaN` and `Infinity` as values. A configuration without `model_type` is taken for RoBERTa's if
    /// its `architectures` do not contradict. Of an `encoder-decoder` model, the encoder's configuration is read.
    ///
    /// # Errors
    /// When it is not JSON, is of another architecture, is quantized, or contradicts itself.
    pub fn parse(bytes: &[u8], file: &str) -> Result<Self, LoadError> {
        let unusable = |cause: String| LoadError::Config {
            file: file.to_owned(),
            cause,
        };
        let invalid = |error: serde_json::Error| LoadError::ConfigJson {
            file: file.to_owned(),
            cause: error.to_string(),
        };
        let mut json = read_json(bytes).map_err(invalid)?;
        if let Some(cause) = quantization(&json) {
            return Err(unusable(cause));
        }
        if json.get("model_type").and_then(Value::as_str) == Some("encoder-decoder") {
            match json.remove("encoder") {
                Some(Value::Object(encoder)) => json = encoder,
                _ => {
                    return Err(unusable(
                        "model_type is \"encoder-decoder\", but it has no encoder; use config.json from the model's repository"
                            .to_owned(),
                    ));
                }
            }
        }
        if let Some(found) = other_type(&json) {
            return Err(LoadError::ModelType {
                file: file.to_owned(),
                found,
            });
        }
        // A null stands for the default, as in transformers.
        json.retain(|_, value| !value.is_null());
        let config: Self = serde_json::from_value(Value::Object(json)).map_err(invalid)?;
        match config.contradiction() {
            Some(cause) => Err(unusable(cause)),
            None => Ok(config),
        }
    }

    fn contradiction(&self) -> Option<String> {
        const NEXT: &str = "use config.json from the model's repository";
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
            return Some(format!(
                "{name} is {size}, outside of 1 … {MAX_SIZE}; {NEXT}"
            ));
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return Some(format!(
                "hidden_size {} is not a multiple of num_attention_heads {}; {NEXT}",
                self.hidden_size, self.num_attention_heads
            ));
        }
        if self.max_position_embeddings < self.pad_token_id.saturating_add(4) {
            return Some(format!(
                "max_position_embeddings {} leaves no place for text behind pad_token_id {}; {NEXT}",
                self.max_position_embeddings, self.pad_token_id
            ));
        }
        if !(self.layer_norm_eps > 0.0 && self.layer_norm_eps < 1.0) {
            return Some(format!("layer_norm_eps is {}; {NEXT}", self.layer_norm_eps));
        }
        // Both are the exact form with erf (`ACT2FN` in transformers).
        if !matches!(self.hidden_act.as_str(), "gelu" | "gelu_python") {
            return Some(format!(
                "hidden_act is \"{}\", and codegaze supports \"gelu\"; choose a model with this activation",
                quote(&self.hidden_act)
            ));
        }
        match self.position_embedding_type.as_deref() {
            None | Some("absolute") => {}
            Some(other) => {
                return Some(format!(
                    "position_embedding_type is \"{}\", and codegaze supports \"absolute\"; choose a model with such positions",
                    quote(other)
                ));
            }
        }
        if self.is_decoder {
            return Some(
                "is_decoder is true, and codegaze supports encoders; choose an encoder".to_owned(),
            );
        }
        (self.memory_limit() < MIN_WINDOW.min(self.n_positions())).then(|| {
            format!(
                "the attention of {} heads over {MIN_WINDOW} subwords needs more than {} MiB; choose a smaller model",
                self.num_attention_heads,
                MAX_ATTENTION_BYTES >> 20
            )
        })
    }

    /// Subwords that fit one pass, special ones included: as many as there are positions, or fewer if the attention over them would
    /// need too much memory.
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        self.possible_tokens()
            .min(self.window.unwrap_or(usize::MAX))
    }

    /// As [`Self::max_tokens`], without the user's choice.
    fn possible_tokens(&self) -> usize {
        self.n_positions().min(self.memory_limit())
    }

    /// Shortens the window to `window` subwords, special ones included.
    ///
    /// # Errors
    /// When it is shorter than [`MIN_WINDOW`].
    pub(crate) fn limit_window(&mut self, window: usize) -> Result<(), LoadError> {
        if window < MIN_WINDOW {
            return Err(LoadError::Window {
                window,
                least: MIN_WINDOW,
            });
        }
        self.window = Some(window);
        Ok(())
    }

    /// Positions of a text: they start at `pad_token_id + 1`.
    #[must_use]
    pub fn n_positions(&self) -> usize {
        self.max_position_embeddings - self.pad_token_id - 1
    }

    /// The window n for which attention [head, query, key] stays within [`MAX_ATTENTION_BYTES`], and transformed values
    /// [head, key, hidden], which only one method needs, within twice as much.
    fn memory_limit(&self) -> usize {
        let numbers = MAX_ATTENTION_BYTES / size_of::<f32>();
        let by_attention = (numbers / self.num_attention_heads).isqrt();
        let by_values = 2 * numbers / (self.num_attention_heads * self.hidden_size);
        by_attention.min(by_values)
    }

    /// Why the window is shorter than the model's positions, if it is.
    pub(crate) fn window_note(&self) -> Option<String> {
        if self.max_tokens() < self.possible_tokens() {
            return Some(format!(
                "window limited to {} of {} positions, as chosen",
                self.max_tokens(),
                self.n_positions()
            ));
        }
        (self.max_tokens() < self.n_positions()).then(|| {
            format!(
                "window limited to {} of {} positions: more would need over {} MiB for the attention of one layer",
                self.max_tokens(),
                self.n_positions(),
                MAX_ATTENTION_BYTES >> 20
            )
        })
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

/// The type that is named, if it is not RoBERTa's.
fn other_type(json: &Map<String, Value>) -> Option<String> {
    if let Some(name) = json.get("model_type").and_then(Value::as_str) {
        return (name != "roberta").then(|| name.to_owned());
    }
    let architecture = json.get("architectures")?.get(0)?.as_str()?;
    let is_roberta = [
        "Roberta",
        "CodeBERT",
        "CodeBert",
        "UniXcoder",
        "GraphCodeBERT",
    ]
    .iter()
    .any(|family| architecture.starts_with(family));
    (!is_roberta).then(|| architecture.to_owned())
}

/// Why quantized weights cannot be read, if the configuration says that they are.
fn quantization(json: &Map<String, Value>) -> Option<String> {
    let quantization = json.get("quantization_config")?;
    if quantization.is_null() {
        return None;
    }
    let method = quantization
        .get("quant_method")
        .and_then(Value::as_str)
        .map_or_else(String::new, |method| format!(" ({})", quote(method)));
    Some(format!(
        "its weights are quantized{method}, and codegaze reads f32, f16, bf16 and f64; use the model from which it was quantized, or save it again dequantized"
    ))
}

/// The keys of `config.json`, in which transformers also accepts `NaN` and `Infinity`.
pub(crate) fn read_json(bytes: &[u8]) -> serde_json::Result<Map<String, Value>> {
    // The second error would speak of other columns.
    serde_json::from_slice(bytes)
        .or_else(|error| serde_json::from_slice(&without_non_finite(bytes)).map_err(|_| error))
}

/// Python's `json` writes `NaN`, `Infinity` and `-Infinity`, which JSON does not have: they become `null`.
fn without_non_finite(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut is_in_string = false;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let name = [b"NaN".as_slice(), b"-Infinity", b"Infinity"]
            .into_iter()
            .find(|name| !is_in_string && bytes[at..].starts_with(name));
        if let Some(name) = name {
            out.extend_from_slice(b"null");
            at += name.len();
            continue;
        }
        if is_in_string && byte == b'\\' {
            out.extend(bytes[at..].iter().take(2));
            at += 2;
            continue;
        }
        is_in_string ^= byte == b'"';
        out.push(byte);
        at += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small configuration with some keys replaced or added.
    fn parse(changes: &Value) -> Result<RobertaConfig, String> {
        let mut json = serde_json::json!({
            "model_type": "roberta", "vocab_size": 320, "hidden_size": 32, "num_hidden_layers": 3,
            "num_attention_heads": 4, "intermediate_size": 64, "max_position_embeddings": 50,
        });
        let object = json.as_object_mut().expect("it is an object");
        object.extend(changes.as_object().expect("changes are an object").clone());
        RobertaConfig::parse(json.to_string().as_bytes(), "config.json")
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_window_is_limited_by_memory_and_says_so() {
        let config = parse(&serde_json::json!({})).unwrap();
        assert_eq!((config.max_tokens(), config.window_note()), (48, None));

        // CodeBERT and UniXcoder keep all of their positions.
        for positions in [514, 1026] {
            let config = parse(&serde_json::json!({
                "hidden_size": 768, "num_attention_heads": 12, "max_position_embeddings": positions
            }));
            assert_eq!(config.unwrap().max_tokens(), positions - 2);
        }

        let long = parse(&serde_json::json!({"max_position_embeddings": 100_000})).unwrap();
        let n = long.max_tokens();
        assert!(4 * 4 * n * n <= MAX_ATTENTION_BYTES && n > 1024, "{n}");
        let note = long.window_note().unwrap();
        assert!(note.contains(&format!("{n} of 99998 positions")), "{note}");

        let heads = serde_json::json!({
            "hidden_size": 2048, "num_attention_heads": 2048, "max_position_embeddings": 514
        });
        assert_eq!(parse(&heads).unwrap().max_tokens(), MIN_WINDOW);
        let some = serde_json::json!({
            "hidden_size": 768, "num_attention_heads": 768, "max_position_embeddings": 514
        });
        assert!(parse(&some).unwrap().max_tokens() < 256);
    }

    #[test]
    fn configurations_that_transformers_accepts_are_read() {
        for changes in [
            serde_json::json!({"hidden_act": "gelu_python"}),
            serde_json::json!({"model_type": null}),
            serde_json::json!({"model_type": null, "architectures": ["RobertaForMaskedLM"]}),
            serde_json::json!({"quantization_config": null, "hidden_act": null}),
        ] {
            assert!(parse(&changes).is_ok(), "{changes}: {:?}", parse(&changes));
        }
        let text =
            br#"{"x": NaN, "y": [-Infinity, Infinity], "z": "a \" NaN", "model_type": "roberta",
            "vocab_size": 320, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4,
            "intermediate_size": 64, "max_position_embeddings": 50}"#;
        assert!(RobertaConfig::parse(text, "config.json").is_ok());

        let plain = parse(&serde_json::json!({})).unwrap();
        let nested = serde_json::json!({
            "model_type": "encoder-decoder",
            "decoder": {"model_type": "gpt2"},
            "encoder": {
                "model_type": "roberta", "vocab_size": 320, "hidden_size": 32, "num_hidden_layers": 3,
                "num_attention_heads": 4, "intermediate_size": 64, "max_position_embeddings": 50,
            },
        });
        let nested = RobertaConfig::parse(nested.to_string().as_bytes(), "config.json").unwrap();
        assert_eq!(nested.n_parameters(), plain.n_parameters());
    }

    #[test]
    fn other_configurations_are_refused_with_the_cause() {
        for (changes, expected) in [
            (serde_json::json!({"model_type": "qwen2"}), "type \"qwen2\""),
            (
                serde_json::json!({"model_type": null, "architectures": ["BertModel"]}),
                "type \"BertModel\"",
            ),
            (
                serde_json::json!({"model_type": "encoder-decoder", "encoder": {"model_type": "bert"}}),
                "type \"bert\"",
            ),
            (
                serde_json::json!({"quantization_config": {"quant_method": "bitsandbytes"}}),
                "quantized (bitsandbytes)",
            ),
            (serde_json::json!({"hidden_act": "gelu_new"}), "hidden_act"),
            (
                serde_json::json!({"model_type": format!("a\u{1b}[2J{}", "x".repeat(1 << 20))}),
                "a\\u{1b}[2J",
            ),
        ] {
            let error = parse(&changes).unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert!(error.len() < 2000 && !error.contains('\u{1b}'), "{error}");
        }
    }
}
