//! What a folder lacks to be a model, and what to do about it.

use std::fmt;
use std::path::Path;

use super::folder::Folder;
use super::layout::{is_shard, other_weights};
use crate::quote::{quote, quote_list};

/// The part that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `config.json`
    Config,
    /// All of the tokenizer's files.
    Tokenizer,
    /// `vocab.json`, beside `merges.txt`.
    Vocab,
    /// `merges.txt`, beside `vocab.json`.
    Merges,
    /// Weights in a supported format.
    Weights,
}

/// What a folder lacks to be a model, and why. Reads on after "it has".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The first part that is missing.
    pub part: Part,
    /// The cause and the next step, as far as the other files show them.
    hint: Option<String>,
}

impl Missing {
    pub(super) fn new(part: Part, folder: &Folder) -> Self {
        Self {
            part,
            hint: hint(part, folder),
        }
    }
}

/// Weights of other frameworks: the end of the file's name, and what it is.
const FOREIGN_WEIGHTS: [(&str, &str); 9] = [
    (".h5", "TensorFlow"),
    (".ckpt.index", "TensorFlow"),
    (".ckpt.meta", "TensorFlow"),
    (".msgpack", "Flax"),
    (".ot", "rust-bert"),
    (".onnx", "ONNX"),
    (".tflite", "TensorFlow Lite"),
    (".mlmodel", "Core ML"),
    (".xml", "OpenVINO"),
];

fn hint(part: Part, folder: &Folder) -> Option<String> {
    if part == Part::Config || part == Part::Weights {
        if folder.has("adapter_config.json") {
            return Some(
                "it is a PEFT adapter, which changes another model: merge it into its base model with merge_and_unload() and save the result with save_pretrained"
                    .to_owned(),
            );
        }
        if let Some(below) = folder.model_below() {
            return Some(format!(
                "its folder {} has a model, so give that directory",
                quote(below)
            ));
        }
    }
    let others = other_weights(folder);
    match part {
        Part::Weights => weights_hint(folder, &others),
        Part::Config | Part::Tokenizer if !others.is_empty() || folder.has("model.safetensors") => {
            tokenizer_hint(part, folder).or_else(|| {
                Some(
                    "to take the missing files from another model, add --base, such as --base microsoft/codebert-base"
                        .to_owned(),
                )
            })
        }
        _ => tokenizer_hint(part, folder),
    }
}

fn has_extension(name: &str, extension: &str) -> bool {
    let found = Path::new(name).extension();
    found.is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

fn tokenizer_hint(part: Part, folder: &Folder) -> Option<String> {
    if part != Part::Tokenizer {
        let gguf = folder.top().find(|name| has_extension(name, "gguf"))?;
        return Some(gguf_hint(gguf));
    }
    if folder.has("vocab.txt") {
        return Some(
            "vocab.txt is the vocabulary of a WordPiece tokenizer, as BERT has it, and codegaze supports byte-level BPE, so choose a RoBERTa-family model"
                .to_owned(),
        );
    }
    let pieces = [
        "sentencepiece.bpe.model",
        "spiece.model",
        "tokenizer.model",
        "spm.model",
    ];
    let found = pieces.into_iter().find(|name| folder.has(name))?;
    Some(format!(
        "{found} is the vocabulary of a SentencePiece tokenizer, and codegaze supports byte-level BPE, so choose a RoBERTa-family model"
    ))
}

fn weights_hint(folder: &Folder, others: &[&str]) -> Option<String> {
    let shards: Vec<&str> = others
        .iter()
        .copied()
        .filter(|name| is_shard(name))
        .collect();
    if let Some(shard) = shards.first() {
        let index = if shard.ends_with(".safetensors") {
            "model.safetensors.index.json"
        } else {
            "pytorch_model.bin.index.json"
        };
        return Some(format!(
            "it has shards such as {}, but not their index, so download {index} too",
            quote(shard)
        ));
    }
    if others.len() > 1 {
        return Some(format!(
            "it has several files that may hold weights ({}), so give the path of one of them",
            quote_list(others)
        ));
    }
    if let Some(gguf) = folder.top().find(|name| has_extension(name, "gguf")) {
        return Some(gguf_hint(gguf));
    }
    let foreign: Vec<String> = folder
        .top()
        .chain(folder.has("onnx/model.onnx").then_some("onnx/model.onnx"))
        .filter_map(|name| {
            let (_, framework) = FOREIGN_WEIGHTS
                .iter()
                .find(|(end, _)| name.ends_with(end))?;
            Some(format!("{name} ({framework})"))
        })
        .collect();
    (!foreign.is_empty()).then(|| {
        format!(
            "codegaze does not support {}, so save the model from transformers with save_pretrained",
            quote_list(&foreign)
        )
    })
}

fn gguf_hint(name: &str) -> String {
    format!(
        "{} is a GGUF file, which llama.cpp reads and codegaze does not, so get the model's original weights",
        quote(name)
    )
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.part {
            Part::Config => "no config.json, which describes the model",
            Part::Tokenizer => "neither tokenizer.json nor vocab.json and merges.txt",
            Part::Vocab => "merges.txt but neither vocab.json nor tokenizer.json",
            Part::Merges => "vocab.json but neither merges.txt nor tokenizer.json",
            Part::Weights => {
                "no supported weights: model.safetensors or pytorch_model.bin, whole or sharded with an index, or one other .safetensors, .bin, .pt, .pth or .ckpt file"
            }
        })?;
        match (&self.hint, self.part) {
            (Some(hint), _) => write!(f, "; {hint}"),
            (None, Part::Config) => f.write_str("; give the directory that contains it"),
            (None, _) => f.write_str("; get the missing file from the model's author"),
        }
    }
}
