//! The vocabulary's files. What they claim is checked before the vocabulary is built.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tokenizers::models::bpe::BPE;
use tokenizers::{AddedToken, AddedVocabulary, Model as _, NormalizerWrapper};

use super::limits::{Limited, MAX_ADDED, MAX_SUBWORDS, Merge, Merges, Vocabulary};
use super::settings::{Class, Settings, TokenJson, check_added};
use super::template::{PostProcessorJson, Template};
use crate::LoadError;
use crate::file::{Blob, Kind, ModelFile};
use crate::quote::quote;

/// The largest known vocabularies (260,000 subwords) have 20 MB.
const MAX_BYTES: u64 = 256 << 20;

/// What the tokenizer's files hold.
pub(super) struct Parts {
    /// The file that has the vocabulary, for messages.
    pub(super) file: String,
    pub(super) bpe: BPE,
    pub(super) added: AddedVocabulary,
    /// Whether some added token is not special, and so to be found in texts.
    pub(super) has_plain_added: bool,
    pub(super) add_prefix_space: bool,
    /// What stands around a text.
    pub(super) template: Template,
    /// Rows that an embedding of the whole vocabulary needs.
    pub(super) vocab_size: usize,
    /// The greatest id that a text can get.
    pub(super) max_id: u32,
    pub(super) settings: Settings,
    class: Class,
}

/// What `tokenizer.json` says about itself, read before its vocabulary.
#[derive(Deserialize)]
struct KindsJson {
    normalizer: Option<NormalizerJson>,
    pre_tokenizer: Option<PreTokenizerJson>,
    model: ModelKindJson,
}

#[derive(Deserialize)]
struct NormalizerJson {
    r#type: String,
    #[serde(default)]
    normalizers: Limited<NormalizerJson, MAX_NESTED>,
}

#[derive(Deserialize)]
struct PreTokenizerJson {
    r#type: String,
    #[serde(default = "default_true")]
    add_prefix_space: bool,
    #[serde(default = "default_true")]
    use_regex: bool,
    #[serde(default)]
    pretokenizers: Limited<PreTokenizerJson, MAX_NESTED>,
}

fn default_true() -> bool {
    true
}

/// Parts of a `Sequence`.
const MAX_NESTED: usize = 16;

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

/// The rest, read once the file is known to describe byte-level BPE.
#[derive(Deserialize)]
struct TokenizerJson {
    #[serde(default)]
    added_tokens: Limited<TokenJson, { MAX_ADDED + 1 }>,
    post_processor: Option<PostProcessorJson>,
    model: BpeJson,
}

#[derive(Deserialize)]
struct BpeJson {
    unk_token: Option<String>,
    #[serde(default)]
    fuse_unk: bool,
    vocab: Vocabulary,
    merges: Merges,
}

/// Reads `tokenizer.json`.
pub(super) fn read_json(
    blob: &Blob,
    settings: Settings,
    digest: &mut Sha256,
) -> Result<Parts, LoadError> {
    const FORMAT: &str = "a tokenizer.json";
    let (file, bytes) = read(blob, MAX_BYTES, digest)?;
    let kinds: KindsJson = parse(&file, FORMAT, &bytes)?;
    let unsupported_tokenizer = |found| LoadError::UnsupportedTokenizer {
        file: file.name.clone(),
        found,
    };
    let json_prefix_space = prefix_space(&kinds).map_err(unsupported_tokenizer)?;
    let json: TokenizerJson = parse(&file, FORMAT, &bytes)?;
    drop(bytes);
    let merges = split_merges(&file.name, json.model.merges)?;
    let mut bpe = build_bpe(&file.name, json.model.vocab.0, merges)?;
    if let Some(unk) = &json.model.unk_token
        && bpe.bpe.token_to_id(unk).is_none()
    {
        return Err(malformed(
            &file.name,
            format!(
                "its unknown token \"{}\" is not in its vocabulary",
                quote(unk)
            ),
        ));
    }
    bpe.bpe.unk_token = json.model.unk_token;
    bpe.bpe.fuse_unk = json.model.fuse_unk;

    // In the order of their ids, as transformers adds them: one that the vocabulary lacks gets the next free id.
    let mut json_tokens = json.added_tokens.0;
    json_tokens.sort_by_key(|added| added.id);
    let json_tokens = json_tokens.into_iter().map(TokenJson::into_token);
    let tokens: Vec<AddedToken> = match settings.class {
        Class::Roberta if settings.replaces_added => settings.added.clone(),
        _ => settings.added.iter().cloned().chain(json_tokens).collect(),
    };
    let template = json
        .post_processor
        .map(|processor| processor.template())
        .transpose()
        .map_err(unsupported_tokenizer)?;
    let parts = Parts::new(file.name, bpe, tokens, settings)?;
    match (parts.class, template) {
        (Class::Roberta, template) => parts.with_roberta_template(template),
        (Class::AsIs, template) => {
            parts.with_template(template.unwrap_or_default(), json_prefix_space)
        }
    }
}

/// Reads `vocab.json` and `merges.txt`.
pub(super) fn read_vocab_merges(
    vocab: &Blob,
    merges: &Blob,
    settings: Settings,
    digest: &mut Sha256,
) -> Result<Parts, LoadError> {
    const FORMAT: &str = "a list of merges (merges.txt)";
    let (vocab_file, bytes) = read(vocab, MAX_BYTES, digest)?;
    let vocab: Vocabulary = parse(&vocab_file, "a vocabulary (vocab.json)", &bytes)?;
    let (merges_file, bytes) = read(merges, MAX_BYTES, digest)?;
    // The first merge may begin with a brace.
    if !matches!(merges_file.recognize()?, None | Some(Kind::Json)) {
        return Err(merges_file.wrong_content(FORMAT));
    }
    let text = String::from_utf8(bytes).map_err(|_| merges_file.wrong_content(FORMAT))?;
    let merges: Vec<_> = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("#version"))
        .take(MAX_SUBWORDS + 1)
        .map(|line| split_merge(&merges_file.name, line))
        .collect::<Result<_, _>>()?;
    if merges.len() > MAX_SUBWORDS {
        return Err(malformed(
            &merges_file.name,
            format!("it has more than {MAX_SUBWORDS} merges"),
        ));
    }
    let bpe = build_bpe(&merges_file.name, vocab.0, merges)?;
    let tokens = settings.added.clone();
    Parts::new(vocab_file.name, bpe, tokens, settings)?.with_roberta_template(None)
}

impl Parts {
    /// Adds the tokens, and then the named special ones that are still unknown.
    fn new(
        file: String,
        built: BuiltBpe,
        tokens: Vec<AddedToken>,
        settings: Settings,
    ) -> Result<Self, LoadError> {
        let BuiltBpe {
            bpe,
            n_rows,
            max_id,
        } = built;
        check_added(&tokens, &file)?;
        let has_plain_added = tokens.iter().any(|token| !token.special);
        let plain: Vec<String> = tokens
            .iter()
            .filter(|token| !token.special)
            .map(|token| token.content.clone())
            .collect();
        let mut added = AddedVocabulary::new();
        let mut add = |tokens: Vec<AddedToken>| {
            added
                .add_tokens(tokens, &bpe, None::<&NormalizerWrapper>)
                .map_err(|error| malformed(&file, error.to_string()))
        };
        add(tokens)?;
        if settings.class == Class::Roberta && !settings.are_defaults {
            add([&settings.cls, &settings.sep]
                .map(|name| AddedToken::from(name.clone(), true))
                .to_vec())?;
        }
        added.set_encode_special_tokens(true);
        let max_added = added.get_added_tokens_decoder().keys().max();
        let max_plain = plain
            .iter()
            .filter_map(|token| added.token_to_id(token, &bpe))
            .max();
        Ok(Self {
            vocab_size: n_rows.max(max_added.map_or(0, |id| *id as usize + 1)),
            max_id: max_id.max(max_plain.unwrap_or(0)),
            class: settings.class,
            add_prefix_space: settings.add_prefix_space,
            has_plain_added,
            template: Template::default(),
            file,
            bpe,
            added,
            settings,
        })
    }

    /// The id of a subword or an added token.
    pub(super) fn id_of(&self, name: &str) -> Option<u32> {
        self.added.token_to_id(name, &self.bpe)
    }

    /// `RobertaTokenizer` puts cls and sep around a text. If `tokenizer.json` says otherwise, versions of transformers differ.
    fn with_roberta_template(self, found: Option<Template>) -> Result<Self, LoadError> {
        let id = |name: &str| {
            self.id_of(name).ok_or_else(|| LoadError::MissingSpecial {
                file: self.file.clone(),
                name: name.to_owned(),
            })
        };
        let template = Template {
            prefix: vec![id(&self.settings.cls)?],
            suffix: vec![id(&self.settings.sep)?],
        };
        if let Some(found) = found.filter(|found| *found != template) {
            return Err(LoadError::UnsupportedTokenizer {
                found: format!(
                    "the ids {:?} and {:?} around a text, where RobertaTokenizer puts {:?} and {:?} (\"tokenizer_class\": \"PreTrainedTokenizerFast\" in tokenizer_config.json would make the file decide)",
                    found.prefix, found.suffix, template.prefix, template.suffix
                ),
                file: self.file,
            });
        }
        let add_prefix_space = self.add_prefix_space;
        self.with_template(template, add_prefix_space)
    }

    fn with_template(
        mut self,
        template: Template,
        add_prefix_space: bool,
    ) -> Result<Self, LoadError> {
        if template.prefix.is_empty() {
            return Err(LoadError::UnsupportedTokenizer {
                file: self.file,
                found: "texts without a special subword before them".to_owned(),
            });
        }
        self.add_prefix_space = add_prefix_space;
        let around = template.prefix.iter().chain(&template.suffix);
        self.max_id = around.copied().fold(self.max_id, u32::max);
        self.template = template;
        Ok(self)
    }
}

/// Whether `tokenizer.json` puts a space before a text; `Err` says what it has that byte-level BPE as in RoBERTa has not.
fn prefix_space(kinds: &KindsJson) -> Result<bool, String> {
    let model = &kinds.model;
    if let Some(kind) = model.r#type.as_ref().filter(|kind| *kind != "BPE") {
        return Err(format!("a {} vocabulary", quote(kind)));
    }
    if let Some(normalizer) = &kinds.normalizer
        && !normalizer.is_empty()
    {
        return Err(format!("a {} normalizer", quote(&normalizer.r#type)));
    }
    let byte_level = match &kinds.pre_tokenizer {
        None => return Err("BPE without a byte-level pre-tokenizer".to_owned()),
        Some(pre_tokenizer) => pre_tokenizer
            .byte_level()
            .map_err(|other| format!("BPE with a {} pre-tokenizer", quote(other)))?,
    };
    if !byte_level.use_regex {
        return Err("byte-level BPE that does not split into words".to_owned());
    }
    let is_set = |affix: &Option<String>| affix.as_ref().is_some_and(|affix| !affix.is_empty());
    if is_set(&model.continuing_subword_prefix) || is_set(&model.end_of_word_suffix) {
        return Err("BPE that marks the parts of words".to_owned());
    }
    if model.byte_fallback || model.ignore_merges {
        return Err("BPE with byte_fallback or ignore_merges".to_owned());
    }
    Ok(byte_level.add_prefix_space)
}

impl NormalizerJson {
    /// A sequence of nothing, also nested.
    fn is_empty(&self) -> bool {
        self.r#type == "Sequence" && self.normalizers.0.iter().all(Self::is_empty)
    }
}

impl PreTokenizerJson {
    /// `ByteLevel`, also as the only part of a sequence; `Err` names another one.
    fn byte_level(&self) -> Result<&Self, &str> {
        match (self.r#type.as_str(), self.pretokenizers.0.as_slice()) {
            ("ByteLevel", _) => Ok(self),
            ("Sequence", [only]) => only.byte_level(),
            (other, _) => Err(other),
        }
    }
}

/// A model, the rows that an embedding of its vocabulary needs, and the greatest id that a text can get from it.
struct BuiltBpe {
    bpe: BPE,
    n_rows: usize,
    max_id: u32,
}

fn build_bpe(
    file: &str,
    vocab: HashMap<String, u32>,
    merges: Vec<(String, String)>,
) -> Result<BuiltBpe, LoadError> {
    // The constructor panics at merges that the vocabulary does not know.
    let mut whole = String::new();
    // Texts consist of single chars and of what merges make of them. Other entries, such as `<mask>`, are never reached.
    let mut max_id = 0;
    for (a, b) in &merges {
        whole.clear();
        whole.push_str(a);
        whole.push_str(b);
        if let Some(unknown) = [a, b, &whole].into_iter().find(|s| !vocab.contains_key(*s)) {
            return Err(malformed(
                file,
                format!(
                    "it merges \"{}\" and \"{}\", but \"{}\" is not in the vocabulary",
                    quote(a),
                    quote(b),
                    quote(unknown)
                ),
            ));
        }
        max_id = max_id.max(vocab[&whole]);
    }
    for (subword, id) in &vocab {
        let mut chars = subword.chars();
        if chars.next().is_some() && chars.next().is_none() {
            max_id = max_id.max(*id);
        }
    }
    let n_rows = vocab.values().max().map_or(0, |id| *id as usize + 1);
    Ok(BuiltBpe {
        bpe: BPE::new(vocab.into_iter().collect(), merges),
        n_rows,
        max_id,
    })
}

fn split_merges(file: &str, merges: Merges) -> Result<Vec<(String, String)>, LoadError> {
    merges
        .0
        .into_iter()
        .map(|merge| match merge {
            Merge::Pair(a, b) => Ok((a, b)),
            Merge::Line(line) => split_merge(file, &line),
        })
        .collect()
}

fn split_merge(file: &str, line: &str) -> Result<(String, String), LoadError> {
    match line.split_once(' ') {
        Some((a, b)) if !a.is_empty() && !b.is_empty() && !b.contains(' ') => {
            Ok((a.to_owned(), b.to_owned()))
        }
        _ => Err(malformed(
            file,
            format!("\"{}\" is not a merge of two subwords", quote(line)),
        )),
    }
}

/// A file's content, which goes into the fingerprint too.
pub(super) fn read(
    blob: &Blob,
    limit: u64,
    digest: &mut Sha256,
) -> Result<(ModelFile, Vec<u8>), LoadError> {
    let file = ModelFile::open(blob)?;
    let bytes = file.read_all("a file of a tokenizer", limit)?;
    digest.update(file.len.to_le_bytes());
    digest.update(&bytes);
    Ok((file, bytes))
}

pub(super) fn parse<T: DeserializeOwned>(
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

pub(super) fn malformed(file: &str, cause: String) -> LoadError {
    LoadError::Malformed {
        file: file.to_owned(),
        format: "a byte-level BPE vocabulary",
        cause,
    }
}
