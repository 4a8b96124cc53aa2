//! The tokenizer's files. All that they claim is checked before the vocabulary is built.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tokenizers::models::bpe::BPE;
use tokenizers::{AddedToken, AddedVocabulary, Model as _, NormalizerWrapper};

use crate::LoadError;
use crate::file::Blob;
use crate::file::{Kind, ModelFile};

/// The largest known (250,000 subwords) have 20 MB.
const MAX_BYTES: u64 = 256 << 20;

/// What `tokenizer_config.json` decides.
pub(super) struct Config {
    pub(super) add_prefix_space: Option<bool>,
    pub(super) bos: String,
    pub(super) eos: String,
    pub(super) pad: String,
    pub(super) mask: String,
}

impl Default for Config {
    fn default() -> Self {
        Self::from(ConfigJson::default())
    }
}

/// What the vocabulary's files hold.
pub(super) struct Parts {
    /// The file that has the vocabulary, for messages.
    pub(super) file: String,
    pub(super) bpe: BPE,
    pub(super) added: AddedVocabulary,
    /// Whether some added token is not special, and so to be found in texts.
    pub(super) has_plain_added: bool,
    pub(super) add_prefix_space: bool,
    /// What the post-processor puts around a sequence, if it says so by name.
    pub(super) bos: Option<String>,
    pub(super) eos: Option<String>,
    pub(super) vocab_size: usize,
}

#[derive(Default, Deserialize)]
struct ConfigJson {
    add_prefix_space: Option<bool>,
    cls_token: Option<SpecialName>,
    sep_token: Option<SpecialName>,
    pad_token: Option<SpecialName>,
    mask_token: Option<SpecialName>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SpecialName {
    Plain(String),
    Object { content: String },
}

impl From<ConfigJson> for Config {
    fn from(json: ConfigJson) -> Self {
        let name = |special: Option<SpecialName>, default: &str| match special {
            Some(SpecialName::Plain(name) | SpecialName::Object { content: name }) => name,
            None => default.to_owned(),
        };
        Self {
            add_prefix_space: json.add_prefix_space,
            bos: name(json.cls_token, "<s>"),
            eos: name(json.sep_token, "</s>"),
            pad: name(json.pad_token, "<pad>"),
            mask: name(json.mask_token, "<mask>"),
        }
    }
}

pub(super) fn read_config(blob: &Blob, digest: &mut Sha256) -> Result<Config, LoadError> {
    let (file, bytes) = read(blob, digest)?;
    Ok(Config::from(parse::<ConfigJson>(
        &file,
        "a tokenizer configuration",
        &bytes,
    )?))
}

/// The first look at `tokenizer.json`: what kind it is.
#[derive(Deserialize)]
struct KindsJson {
    normalizer: Option<KindJson>,
    pre_tokenizer: Option<PreTokenizerJson>,
    model: ModelKindJson,
}

#[derive(Deserialize)]
struct KindJson {
    r#type: String,
}

#[derive(Deserialize)]
struct PreTokenizerJson {
    r#type: String,
    #[serde(default = "default_true")]
    add_prefix_space: bool,
    #[serde(default = "default_true")]
    use_regex: bool,
}

fn default_true() -> bool {
    true
}

#[derive(Deserialize)]
struct ModelKindJson {
    r#type: Option<String>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    #[serde(default)]
    byte_fallback: bool,
    #[serde(default)]
    ignore_merges: bool,
}

/// The second look, once it is known to be byte-level BPE.
#[derive(Deserialize)]
struct TokenizerJson {
    #[serde(default)]
    added_tokens: Vec<AddedTokenJson>,
    post_processor: Option<PostProcessorJson>,
    model: BpeJson,
}

#[derive(Deserialize)]
struct AddedTokenJson {
    id: u32,
    #[serde(flatten)]
    token: AddedToken,
}

#[derive(Deserialize)]
struct PostProcessorJson {
    /// `RobertaProcessing` names these; for others the usual names are taken.
    cls: Option<(String, u32)>,
    sep: Option<(String, u32)>,
}

#[derive(Deserialize)]
struct BpeJson {
    unk_token: Option<String>,
    #[serde(default)]
    fuse_unk: bool,
    vocab: HashMap<String, u32>,
    merges: Vec<MergeJson>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum MergeJson {
    Pair(String, String),
    Line(String),
}

pub(super) fn read_json(blob: &Blob, digest: &mut Sha256) -> Result<Parts, LoadError> {
    const FORMAT: &str = "a tokenizer.json";
    let (file, bytes) = read(blob, digest)?;
    let kinds: KindsJson = parse(&file, FORMAT, &bytes)?;
    if let Some(found) = unsupported(&kinds) {
        return Err(LoadError::UnsupportedTokenizer {
            file: file.name,
            found,
        });
    }
    let json: TokenizerJson = parse(&file, FORMAT, &bytes)?;
    let merges = json
        .model
        .merges
        .into_iter()
        .map(|merge| match merge {
            MergeJson::Pair(a, b) => Ok((a, b)),
            MergeJson::Line(line) => split_merge(&file.name, &line),
        })
        .collect::<Result<_, _>>()?;
    let (mut bpe, n_rows) = build_bpe(&file.name, json.model.vocab, merges)?;
    if let Some(unk) = &json.model.unk_token
        && bpe.token_to_id(unk).is_none()
    {
        return Err(malformed(
            &file.name,
            format!("its unknown token {unk:?} is not in its vocabulary"),
        ));
    }
    bpe.unk_token = json.model.unk_token;
    bpe.fuse_unk = json.model.fuse_unk;

    // In the order of their ids: one that the vocabulary lacks gets the next free id.
    let mut tokens = json.added_tokens;
    tokens.sort_by_key(|added| added.id);
    let has_plain_added = tokens.iter().any(|added| !added.token.special);
    let mut added = AddedVocabulary::new();
    added
        .add_tokens(
            tokens.into_iter().map(|added| added.token),
            &bpe,
            None::<&NormalizerWrapper>,
        )
        .map_err(|error| malformed(&file.name, error.to_string()))?;
    added.set_encode_special_tokens(true);

    let (cls, sep) = json
        .post_processor
        .map_or((None, None), |processor| (processor.cls, processor.sep));
    let max_added = added.get_added_tokens_decoder().keys().max();
    Ok(Parts {
        file: file.name,
        vocab_size: n_rows.max(max_added.map_or(0, |id| *id as usize + 1)),
        bpe,
        added,
        has_plain_added,
        add_prefix_space: kinds
            .pre_tokenizer
            .is_some_and(|pre_tokenizer| pre_tokenizer.add_prefix_space),
        bos: cls.map(|(name, _)| name),
        eos: sep.map(|(name, _)| name),
    })
}

pub(super) fn read_vocab_merges(
    vocab: &Blob,
    merges: &Blob,
    digest: &mut Sha256,
) -> Result<Parts, LoadError> {
    const FORMAT: &str = "a list of merges (merges.txt)";
    let (vocab_file, bytes) = read(vocab, digest)?;
    let vocab = parse(&vocab_file, "a vocabulary (vocab.json)", &bytes)?;
    let (merges_file, bytes) = read(merges, digest)?;
    // The first merge may well begin with a brace.
    if !matches!(merges_file.recognize()?, None | Some(Kind::Json)) {
        return Err(merges_file.wrong_content(FORMAT));
    }
    let text = String::from_utf8(bytes).map_err(|_| merges_file.wrong_content(FORMAT))?;
    let merges = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("#version"))
        .map(|line| split_merge(&merges_file.name, line))
        .collect::<Result<_, _>>()?;
    let (bpe, vocab_size) = build_bpe(&merges_file.name, vocab, merges)?;
    Ok(Parts {
        file: vocab_file.name,
        bpe,
        added: AddedVocabulary::new(),
        has_plain_added: false,
        add_prefix_space: false,
        bos: None,
        eos: None,
        vocab_size,
    })
}

/// What there is in a `tokenizer.json` that is no byte-level BPE as RoBERTa has it.
fn unsupported(kinds: &KindsJson) -> Option<String> {
    let model = &kinds.model;
    if let Some(kind) = model.r#type.as_ref().filter(|kind| *kind != "BPE") {
        return Some(format!("a {kind} vocabulary"));
    }
    if let Some(normalizer) = &kinds.normalizer {
        return Some(format!("a {} normalizer", normalizer.r#type));
    }
    match &kinds.pre_tokenizer {
        None => return Some("BPE without a byte-level pre-tokenizer".to_owned()),
        Some(other) if other.r#type != "ByteLevel" => {
            return Some(format!("BPE with a {} pre-tokenizer", other.r#type));
        }
        Some(byte_level) if !byte_level.use_regex => {
            return Some("byte-level BPE that does not split into words".to_owned());
        }
        Some(_) => {}
    }
    let is_set = |affix: &Option<String>| affix.as_ref().is_some_and(|affix| !affix.is_empty());
    if is_set(&model.continuing_subword_prefix) || is_set(&model.end_of_word_suffix) {
        return Some("BPE that marks the parts of words".to_owned());
    }
    if model.byte_fallback || model.ignore_merges {
        return Some("BPE with byte_fallback or ignore_merges".to_owned());
    }
    None
}

/// Builds the model and says how many rows its embedding needs.
fn build_bpe(
    file: &str,
    vocab: HashMap<String, u32>,
    merges: Vec<(String, String)>,
) -> Result<(BPE, usize), LoadError> {
    // The constructor panics at merges that the vocabulary does not know.
    let mut whole = String::new();
    for (a, b) in &merges {
        whole.clear();
        whole.push_str(a);
        whole.push_str(b);
        if let Some(unknown) = [a, b, &whole].into_iter().find(|s| !vocab.contains_key(*s)) {
            return Err(malformed(
                file,
                format!("it merges {a:?} and {b:?}, but {unknown:?} is not in the vocabulary"),
            ));
        }
    }
    let vocab_size = vocab.values().max().map_or(0, |id| *id as usize + 1);
    Ok((BPE::new(vocab.into_iter().collect(), merges), vocab_size))
}

fn split_merge(file: &str, line: &str) -> Result<(String, String), LoadError> {
    match line.split_once(' ') {
        Some((a, b)) if !a.is_empty() && !b.is_empty() && !b.contains(' ') => {
            Ok((a.to_owned(), b.to_owned()))
        }
        _ => Err(malformed(
            file,
            format!("{line:?} is not a merge of two subwords"),
        )),
    }
}

fn read(blob: &Blob, digest: &mut Sha256) -> Result<(ModelFile, Vec<u8>), LoadError> {
    let file = ModelFile::open(blob)?;
    let bytes = file.read_all("tokenizer file", MAX_BYTES)?;
    digest.update(file.len.to_le_bytes());
    digest.update(&bytes);
    Ok((file, bytes))
}

fn parse<T: DeserializeOwned>(
    file: &ModelFile,
    format: &'static str,
    bytes: &[u8],
) -> Result<T, LoadError> {
    serde_json::from_slice(bytes).map_err(|error| {
        if bytes.trim_ascii_start().first() == Some(&b'{') {
            LoadError::Malformed {
                file: file.name.clone(),
                format,
                cause: error.to_string(),
            }
        } else {
            file.wrong_content(format)
        }
    })
}

fn malformed(file: &str, cause: String) -> LoadError {
    LoadError::Malformed {
        file: file.to_owned(),
        format: "a byte-level BPE vocabulary",
        cause,
    }
}
