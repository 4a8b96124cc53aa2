//! What stands beside a vocabulary: `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json`, combined as
//! transformers 5 combines them (`PreTrainedTokenizerBase._from_pretrained`).

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use sha2::Sha256;
use tokenizers::AddedToken;

use super::files::{malformed, parse, read};
use super::limits::{MAX_ADDED, MAX_ADDED_BYTES};
use crate::LoadError;
use crate::quote::quote;
use crate::source::files::TokenizerSettings;

/// With a chat template and a thousand added tokens, such a file has a megabyte.
const MAX_BYTES: u64 = 8 << 20;

/// How transformers builds the tokenizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// `RobertaTokenizer`, also if no class is named: it takes the vocabulary, the merges and the added tokens, and decides itself on
    /// the prefix space and on the subwords around a text.
    Roberta,
    /// `PreTrainedTokenizerFast` and its new name: `tokenizer.json` decides everything.
    AsIs,
}

/// The combined settings.
pub(super) struct Settings {
    pub(super) class: Class,
    pub(super) add_prefix_space: bool,
    pub(super) cls: String,
    pub(super) sep: String,
    pub(super) pad: String,
    pub(super) mask: String,
    /// Whether `cls` and `sep` are the defaults, which no file names.
    pub(super) are_defaults: bool,
    /// Added tokens in the order of their ids. `None`: those of `tokenizer.json`.
    pub(super) added: Vec<AddedToken>,
    /// Whether `added` replaces the added tokens of `tokenizer.json`.
    pub(super) replaces_added: bool,
}

#[derive(Default, Deserialize)]
struct ConfigJson {
    tokenizer_class: Option<String>,
    add_prefix_space: Option<bool>,
    added_tokens_decoder: Option<BTreeMap<u32, TokenJson>>,
    #[serde(flatten)]
    specials: SpecialsJson,
}

#[derive(Default, Deserialize)]
struct SpecialsJson {
    bos_token: Option<SpecialName>,
    eos_token: Option<SpecialName>,
    unk_token: Option<SpecialName>,
    cls_token: Option<SpecialName>,
    sep_token: Option<SpecialName>,
    pad_token: Option<SpecialName>,
    mask_token: Option<SpecialName>,
    extra_special_tokens: Option<serde_json::Value>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum SpecialName {
    Plain(String),
    Object { content: String },
}

impl SpecialName {
    fn into_text(self) -> String {
        match self {
            Self::Plain(name) | Self::Object { content: name } => name,
        }
    }
}

/// An added token, with the defaults of the `tokenizers` crate.
#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "as in the file")]
pub(super) struct TokenJson {
    /// In `tokenizer.json`; in `tokenizer_config.json`, the id is the key.
    #[serde(default)]
    pub(super) id: u32,
    content: String,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    normalized: Option<bool>,
    #[serde(default)]
    special: bool,
}

impl TokenJson {
    pub(super) fn into_token(self) -> AddedToken {
        AddedToken::from(self.content, self.special)
            .single_word(self.single_word)
            .lstrip(self.lstrip)
            .rstrip(self.rstrip)
            .normalized(self.normalized.unwrap_or(!self.special))
    }
}

impl SpecialsJson {
    /// As transformers merges `special_tokens_map.json`: its entries replace those of `tokenizer_config.json`.
    fn replaced_by(self, map: Self) -> Self {
        Self {
            bos_token: map.bos_token.or(self.bos_token),
            eos_token: map.eos_token.or(self.eos_token),
            unk_token: map.unk_token.or(self.unk_token),
            cls_token: map.cls_token.or(self.cls_token),
            sep_token: map.sep_token.or(self.sep_token),
            pad_token: map.pad_token.or(self.pad_token),
            mask_token: map.mask_token.or(self.mask_token),
            extra_special_tokens: map.extra_special_tokens.or(self.extra_special_tokens),
        }
    }

    /// Names that are special wherever they are added.
    fn names(&self) -> HashSet<String> {
        let defaults = ["<s>", "</s>", "<unk>", "<pad>", "<mask>"];
        let named = [
            &self.bos_token,
            &self.eos_token,
            &self.unk_token,
            &self.cls_token,
            &self.sep_token,
            &self.pad_token,
            &self.mask_token,
        ];
        let mut names: HashSet<String> = defaults.map(str::to_owned).into();
        names.extend(
            named
                .into_iter()
                .flatten()
                .cloned()
                .map(SpecialName::into_text),
        );
        if let Some(serde_json::Value::Array(extra)) = &self.extra_special_tokens {
            names.extend(extra.iter().filter_map(|token| {
                let text = token.as_str().or_else(|| token.get("content")?.as_str())?;
                Some(text.to_owned())
            }));
        }
        names
    }
}

/// Reads the files that there are.
pub(super) fn read_settings(
    files: &TokenizerSettings,
    digest: &mut Sha256,
) -> Result<Settings, LoadError> {
    let mut config = ConfigJson::default();
    let mut class = Class::Roberta;
    if let Some(blob) = &files.config {
        let (file, bytes) = read(blob, MAX_BYTES, digest)?;
        config = parse(&file, "a tokenizer configuration", &bytes)?;
        class = class_of(config.tokenizer_class.as_deref(), &file.name)?;
    }
    let mut specials = config.specials;
    let mut added: BTreeMap<u32, AddedToken> = BTreeMap::new();
    let replaces_added = config.added_tokens_decoder.is_some();
    if let Some(decoder) = config.added_tokens_decoder {
        added = decoder
            .into_iter()
            .map(|(id, token)| (id, token.into_token()))
            .collect();
    } else {
        if let Some(blob) = &files.special_tokens_map {
            let (file, bytes) = read(blob, MAX_BYTES, digest)?;
            let map = parse(&file, "a map of special tokens", &bytes)?;
            specials = specials.replaced_by(map);
        }
        if let Some(blob) = &files.added_tokens {
            let (file, bytes) = read(blob, MAX_BYTES, digest)?;
            let tokens: BTreeMap<String, u32> = parse(&file, "a list of added tokens", &bytes)?;
            let names = specials.names();
            for (token, id) in tokens {
                let is_special = names.contains(&token);
                let token = AddedToken::from(token, is_special).normalized(!is_special);
                if added.insert(id, token).is_some() {
                    return Err(malformed(
                        &file.name,
                        format!("two added tokens have the id {id}"),
                    ));
                }
            }
        }
    }
    let name = |special: Option<SpecialName>, default: &str| {
        special.map_or_else(|| default.to_owned(), SpecialName::into_text)
    };
    Ok(Settings {
        class,
        add_prefix_space: config.add_prefix_space.unwrap_or(false),
        are_defaults: specials.cls_token.is_none() && specials.sep_token.is_none(),
        cls: name(specials.cls_token, "<s>"),
        sep: name(specials.sep_token, "</s>"),
        pad: name(specials.pad_token, "<pad>"),
        mask: name(specials.mask_token, "<mask>"),
        added: added.into_values().collect(),
        replaces_added,
    })
}

/// Bart's and Longformer's tokenizers are RoBERTa's under other names. Others put other subwords around a text.
fn class_of(name: Option<&str>, file: &str) -> Result<Class, LoadError> {
    let Some(name) = name else {
        return Ok(Class::Roberta);
    };
    match name.strip_suffix("Fast").unwrap_or(name) {
        "RobertaTokenizer" | "BartTokenizer" | "LongformerTokenizer" => Ok(Class::Roberta),
        "PreTrainedTokenizer" | "TokenizersBackend" => Ok(Class::AsIs),
        _ => Err(LoadError::UnsupportedTokenizer {
            file: file.to_owned(),
            found: format!("a tokenizer of class {}", quote(name)),
        }),
    }
}

/// Refuses lists whose automaton would take much memory and time.
pub(super) fn check_added(tokens: &[AddedToken], file: &str) -> Result<(), LoadError> {
    let n_bytes = tokens
        .iter()
        .map(|token| token.content.len())
        .sum::<usize>();
    if tokens.len() > MAX_ADDED || n_bytes > MAX_ADDED_BYTES {
        return Err(malformed(
            file,
            format!(
                "it adds {} tokens with {n_bytes} bytes, and the limits are {MAX_ADDED} tokens and {MAX_ADDED_BYTES} bytes",
                tokens.len()
            ),
        ));
    }
    Ok(())
}
