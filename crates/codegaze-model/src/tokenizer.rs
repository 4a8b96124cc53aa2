//! Byte-level BPE: text to ids with byte spans.
//!
//! The merging is the `tokenizers` crate's. Splitting a text into the pieces within which merges happen is done here,
//! by the same rule as its `ByteLevel` (GPT-2's), because that one copies the text with a table of alignments per byte,
//! looks for special tokens in it, and gives spans that leave out the space before a word.

use std::borrow::Cow;

use sha2::{Digest, Sha256};
use tokenizers::Model as _;
use tokenizers::models::bpe::BPE;
use tokenizers::{AddedVocabulary, NormalizerWrapper, OffsetReferential, OffsetType};

use super::source::files::{TokenizerFiles, TokenizerSettings};
use super::{LoadError, Mode};
use codegaze_text::ByteSpan;

mod byte_level;
mod files;
mod limits;
mod settings;
mod template;

use byte_level::ByteLevel;
use template::Template;

/// The subwords of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// Vocabulary ids, `[token]`, special subwords included.
    pub ids: Vec<u32>,
    /// UTF-8 byte spans in the encoded text, `[token]`; `None` for special subwords.
    ///
    /// In ascending order. The spans cover the text, and each lies on char boundaries: where several subwords share a char
    /// (an emoji is up to four), each has the whole char. Whitespace belongs to the subword that encodes it,
    /// so that `Ġdef` spans ` def`. A prefix space that is not in the text has no width: `Ġ` alone spans nothing.
    pub spans: Vec<Option<ByteSpan>>,
}

/// A byte-level BPE vocabulary with its merges, as RoBERTa and CodeBERT have it.
///
/// Text is data: what looks like a special token in a text (`<s>`, `<mask>`) is encoded like any other text.
/// This equals `split_special_tokens=True` in Hugging Face's transformers.
#[derive(Debug)]
pub struct Tokenizer {
    bpe: BPE,
    byte_level: ByteLevel,
    /// All added tokens, if some are not special; most vocabularies have none.
    added: Option<AddedVocabulary>,
    add_prefix_space: bool,
    vocab_size: usize,
    max_id: u32,
    template: Template,
    pad_id: Option<u32>,
    mask_id: Option<u32>,
    mask_strips_left: bool,
    /// UniXcoder's `<encoder-only>`.
    encoder_only_id: Option<u32>,
    mode: Mode,
    fingerprint: u64,
}

const ENCODER_ONLY: &str = "<encoder-only>";

impl Tokenizer {
    /// Reads `tokenizer.json`, or `vocab.json` and `merges.txt`, and what stands beside it. The ids equal those of transformers 5 for
    /// a model of type `roberta`:
    ///
    /// - A `RobertaTokenizer` (the default) puts `cls_token` and `sep_token` around a text, and a space before it if
    ///   `tokenizer_config.json` has `add_prefix_space`. The names are those of `special_tokens_map.json`, then of `tokenizer_config.json`.
    /// - Of a `PreTrainedTokenizerFast`, `tokenizer.json` decides both.
    /// - Added tokens are those of `added_tokens_decoder` in `tokenizer_config.json`; without it, those of `added_tokens.json` and
    ///   `tokenizer.json`.
    ///
    /// # Errors
    /// When a file is absent or damaged, describes another kind of tokenizer, contradicts another file, or when the vocabulary lacks
    /// `<s>` or `</s>`.
    pub fn load(
        tokenizer: &TokenizerFiles,
        settings: &TokenizerSettings,
    ) -> Result<Self, LoadError> {
        let mut digest = Sha256::new();
        let settings = settings::read_settings(settings, &mut digest)?;
        let parts = match tokenizer {
            TokenizerFiles::Json(blob) => files::read_json(blob, settings, &mut digest)?,
            TokenizerFiles::VocabMerges { vocab, merges } => {
                files::read_vocab_merges(vocab, merges, settings, &mut digest)?
            }
        };
        let encoder_only_id = parts.id_of(ENCODER_ONLY);
        let pad_id = parts.id_of(&parts.settings.pad);
        let mask_id = parts.id_of(&parts.settings.mask);
        // RobertaTokenizer's own mask takes the whitespace before it; a file may say otherwise.
        let mask_strips_left = mask_id
            .and_then(|id| parts.added.get_added_tokens_decoder().get(&id).cloned())
            .is_none_or(|mask| mask.lstrip);
        let fingerprint = digest
            .finalize()
            .first_chunk()
            .map_or(0, |bytes| u64::from_le_bytes(*bytes));
        Ok(Self {
            byte_level: ByteLevel::new(&parts.bpe),
            add_prefix_space: parts.add_prefix_space,
            vocab_size: parts.vocab_size,
            max_id: parts.max_id,
            added: parts.has_plain_added.then_some(parts.added),
            bpe: parts.bpe,
            template: parts.template,
            pad_id,
            mask_id,
            mask_strips_left,
            encoder_only_id,
            mode: Mode::Plain,
            fingerprint,
        })
    }

    /// Puts what `mode` says before every text.
    ///
    /// # Errors
    /// When the vocabulary does not have it.
    pub(crate) fn with_mode(mut self, mode: Mode) -> Result<Self, LoadError> {
        if mode == Mode::Plain {
            return Ok(self);
        }
        let (Some(id), Some(sep)) = (self.encoder_only_id, self.eos_id()) else {
            return Err(LoadError::Mode {
                token: ENCODER_ONLY,
                mode,
            });
        };
        self.template.prefix.extend([id, sep]);
        self.mode = mode;
        // Other ids: results of one mode must not be taken for those of another.
        self.fingerprint = self.fingerprint.rotate_left(1) ^ 1;
        Ok(self)
    }

    /// What a user should know about the mode.
    pub(crate) fn mode_note(&self) -> Option<String> {
        match (self.mode, self.encoder_only_id) {
            (Mode::EncoderOnly, _) => Some(format!("{ENCODER_ONLY} stands before every text")),
            (Mode::Plain, Some(_)) => Some(format!(
                "the tokenizer has {ENCODER_ONLY}; UniXcoder was trained with it before a text: choose the mode encoder-only"
            )),
            (Mode::Plain, None) => None,
        }
    }

    /// `<s>`, the text's subwords, `</s>`. Never truncated.
    #[must_use]
    pub fn encode(&self, text: &str) -> Encoding {
        let Template { prefix, suffix } = &self.template;
        let mut ids = prefix.clone();
        let mut spans = vec![None; prefix.len()];
        self.for_each_subword(text, |id, span| {
            ids.push(id);
            spans.push(Some(span));
        });
        ids.extend(suffix);
        spans.resize(ids.len(), None);
        Encoding { ids, spans }
    }

    /// The number of special subwords around a text: 2 for CodeBERT.
    #[must_use]
    pub fn n_special(&self) -> usize {
        self.template.prefix.len() + self.template.suffix.len()
    }

    /// The greatest id that a text can get, special subwords around it included.
    #[must_use]
    pub fn max_id(&self) -> u32 {
        self.max_id
    }

    /// The number of subwords of a text, without `<s>` and `</s>`.
    #[must_use]
    pub fn count(&self, text: &str) -> usize {
        let mut n_subwords = 0;
        self.for_each_subword(text, |_, _| n_subwords += 1);
        n_subwords
    }

    /// The rows that an embedding of this vocabulary needs: the greatest id and one.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// The first special subword of every sequence, `<s>` for CodeBERT.
    #[must_use]
    pub fn bos_id(&self) -> u32 {
        self.template.prefix[0]
    }

    /// The last special subword of every sequence, `</s>` for CodeBERT. `None` if nothing stands behind a text.
    #[must_use]
    pub fn eos_id(&self) -> Option<u32> {
        self.template.suffix.last().copied()
    }

    /// The id of the padding subword, if the vocabulary has one.
    #[must_use]
    pub fn pad_id(&self) -> Option<u32> {
        self.pad_id
    }

    /// The id of the mask, if the vocabulary has one.
    #[must_use]
    pub fn mask_id(&self) -> Option<u32> {
        self.mask_id
    }

    /// Whether a mask that a text names takes the whitespace before it.
    #[must_use]
    pub fn mask_strips_left(&self) -> bool {
        self.mask_strips_left
    }

    /// A hash of the files that it was read from.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The text that subwords stand for. Bytes that are not UTF-8, as of a part of an emoji, become U+FFFD; a special subword is its name.
    #[must_use]
    pub fn decode(&self, ids: &[u32]) -> String {
        let mut bytes = Vec::new();
        for id in ids {
            if let Some(name) = self.bpe.id_to_token(*id) {
                byte_level::push_bytes(&name, &mut bytes);
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn for_each_subword(&self, text: &str, mut yields: impl FnMut(u32, ByteSpan)) {
        let Some(added) = &self.added else {
            return self.encode_part(text, 0, &mut yields);
        };
        let parts = added.extract_and_normalize(None::<&NormalizerWrapper>, text);
        for (_, (start, end), tokens) in
            parts.get_splits(OffsetReferential::Original, OffsetType::Byte)
        {
            match tokens {
                Some(tokens) => {
                    for token in tokens {
                        yields(token.id, ByteSpan::new(start, end));
                    }
                }
                None => self.encode_part(&text[start..end], start, &mut yields),
            }
        }
    }

    /// A part of the text, at byte `at`, that has no added tokens.
    fn encode_part(&self, part: &str, at: usize, yields: &mut impl FnMut(u32, ByteSpan)) {
        let prefixed = self.add_prefix_space && !part.is_empty() && !part.starts_with(' ');
        let (input, n_prefix) = if prefixed {
            (Cow::Owned(format!(" {part}")), 1)
        } else {
            (Cow::Borrowed(part), 0)
        };
        self.byte_level
            .for_each_subword(&self.bpe, &input, |id, start, end| {
                let start = floor_char_boundary(part, start.saturating_sub(n_prefix));
                let end = ceil_char_boundary(part, end.saturating_sub(n_prefix));
                yields(id, ByteSpan::new(at + start, at + end));
            });
    }
}

/// The last char boundary at or before `index`.
fn floor_char_boundary(text: &str, mut index: usize) -> usize {
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

/// The first char boundary at or after `index`, which is at most the text's length.
fn ceil_char_boundary(text: &str, mut index: usize) -> usize {
    while !text.is_char_boundary(index) {
        index += 1;
    }
    index
}
