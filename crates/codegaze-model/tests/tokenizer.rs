//! Ids and spans against Hugging Face's tokenizers, and what holds for every text.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use codegaze_model::source::{Blob, TokenizerFiles};
use codegaze_model::tokenizer::{Encoding, Tokenizer};
use codegaze_text::ByteSpan;
use proptest::prelude::*;
use serde::Deserialize;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn from_json(directory: &str) -> Tokenizer {
    let directory = root().join(directory);
    let files = TokenizerFiles::Json(Blob::Path(directory.join("tokenizer.json")));
    Tokenizer::load(&files, config(&directory).as_ref()).unwrap()
}

fn from_vocab_merges(directory: &str) -> Tokenizer {
    let directory = root().join(directory);
    let files = TokenizerFiles::VocabMerges {
        vocab: Blob::Path(directory.join("vocab.json")),
        merges: Blob::Path(directory.join("merges.txt")),
    };
    Tokenizer::load(&files, config(&directory).as_ref()).unwrap()
}

fn config(directory: &Path) -> Option<Blob> {
    let path = directory.join("tokenizer_config.json");
    path.exists().then_some(Blob::Path(path))
}

const MINI: &str = "crates/codegaze-mini/model";

#[derive(Deserialize)]
struct Reference {
    text: String,
    input_ids: Vec<u32>,
    offsets: Vec<[usize; 2]>,
}

fn assert_equals_reference(tokenizer: &Tokenizer, reference: &str) {
    let path = root().join("tests/fixtures").join(reference);
    let references: BTreeMap<String, Reference> =
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(!references.is_empty());
    for (name, reference) in references {
        let Encoding { ids, spans } = tokenizer.encode(&reference.text);
        assert_eq!(ids, reference.input_ids, "{name}: {:?}", reference.text);
        assert_eq!(tokenizer.count(&reference.text), ids.len() - 2);
        let n = ids.len();
        assert_eq!((spans[0], spans[n - 1]), (None, None));
        for (i, (span, [start, end])) in spans.iter().zip(reference.offsets).enumerate() {
            let expected = (0 < i && i < n - 1).then(|| ByteSpan::new(start, end));
            // A prefix space alone has no width in the text; the reference gives it the first char's.
            if i == 1 && *span == Some(ByteSpan::new(0, 0)) {
                assert_eq!(spans[2].map(|span| span.start), Some(0));
                assert_eq!(
                    tokenizer.encode("\n").ids[1],
                    ids[1],
                    "only a prefix space is empty"
                );
                continue;
            }
            assert_eq!(
                *span, expected,
                "{name}: subword {i} of {:?}",
                reference.text
            );
        }
    }
}

#[test]
fn ids_and_spans_equal_hugging_faces() {
    for directory in ["safetensors", "sharded", "f16"] {
        let tokenizer = from_json(&format!("tests/fixtures/{directory}"));
        assert_equals_reference(&tokenizer, "reference.json");
    }
    for directory in ["torch_zip", "torch_legacy", "bf16", "tokenizers/plain"] {
        let tokenizer = from_vocab_merges(&format!("tests/fixtures/{directory}"));
        assert_equals_reference(&tokenizer, "reference.json");
        assert_equals_reference(&tokenizer, "tokenizers/plain.json");
    }
}

#[test]
fn a_space_may_be_put_before_the_text() {
    let by_config = from_vocab_merges("tests/fixtures/tokenizers/prefix_space");
    assert_equals_reference(&by_config, "tokenizers/prefix_space.json");
    let by_json = from_json("tests/fixtures/tokenizers/prefix_space_json");
    assert_equals_reference(&by_json, "tokenizers/prefix_space_json.json");
    let spans = by_json.encode("\n").spans;
    let empty = Some(ByteSpan::new(0, 0));
    assert_eq!(spans, [None, empty, Some(ByteSpan::new(0, 1)), None]);
    assert_eq!(by_json.encode("").ids.len(), 2);
}

#[test]
fn added_tokens_that_are_not_special_are_found() {
    let tokenizer = from_json("tests/fixtures/tokenizers/added");
    assert_equals_reference(&tokenizer, "tokenizers/added.json");
}

#[test]
fn the_embedded_models_tokenizer_equals_hugging_faces() {
    for tokenizer in [from_json(MINI), from_vocab_merges(MINI)] {
        assert_equals_reference(&tokenizer, "tokenizers/mini.json");
        assert_equals_reference(&tokenizer, "mini-reference.json");
        assert_eq!(tokenizer.vocab_size(), 8192);
        assert_eq!((tokenizer.bos_id(), tokenizer.eos_id()), (0, 2));
        assert_eq!(
            (tokenizer.pad_id(), tokenizer.mask_id()),
            (Some(1), Some(4))
        );
    }
    let fingerprints = [from_json(MINI), from_json(MINI), from_vocab_merges(MINI)];
    let [a, b, other] = fingerprints.map(|tokenizer| tokenizer.fingerprint());
    assert_eq!(a, b);
    assert_ne!(a, other);
}

#[test]
fn special_tokens_in_a_text_are_text() {
    let tokenizer = from_json(MINI);
    for name in ["<s>", "</s>", "<pad>", "<unk>", "<mask>"] {
        let ids = tokenizer.encode(name).ids;
        assert!(ids.len() > 3, "{name} is one subword");
        assert!(
            ids[1..ids.len() - 1].iter().all(|id| *id > 4),
            "{name}: {ids:?}"
        );
    }
}

#[test]
fn each_subword_of_an_emoji_spans_it() {
    let spans = from_json("tests/fixtures/safetensors").encode("x😀").spans;
    let emoji = Some(ByteSpan::new(1, 5));
    assert_eq!(spans[1], Some(ByteSpan::new(0, 1)));
    assert!(spans.len() > 4 && spans[2..spans.len() - 1].iter().all(|span| *span == emoji));
}

/// The same vocabulary in the `tokenizers` crate's own pipeline.
fn official(add_prefix_space: bool) -> tokenizers::Tokenizer {
    use tokenizers::pre_tokenizers::byte_level::ByteLevel;
    let path = root().join(MINI).join("tokenizer.json");
    let mut tokenizer = tokenizers::Tokenizer::from_file(path).unwrap();
    tokenizer.set_encode_special_tokens(true);
    tokenizer.with_pre_tokenizer(Some(ByteLevel::new(add_prefix_space, false, true)));
    tokenizer.with_post_processor(None::<tokenizers::PostProcessorWrapper>);
    tokenizer
}

/// Ours and the official one, without and with a prefix space.
static PAIRS: LazyLock<[(Tokenizer, tokenizers::Tokenizer); 2]> = LazyLock::new(|| {
    [
        (from_json(MINI), official(false)),
        (spaced(), official(true)),
    ]
});

fn spaced() -> Tokenizer {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokenizer_config.json");
    std::fs::write(
        &path,
        r#"{"add_prefix_space": true, "cls_token": {"content": "<s>"}}"#,
    )
    .unwrap();
    let files = TokenizerFiles::Json(Blob::Path(root().join(MINI).join("tokenizer.json")));
    Tokenizer::load(&files, Some(&Blob::Path(path))).unwrap()
}

/// Code-like text with much of what is awkward.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-zA-Z_0-9 ]{1,8}",
        3 => prop::sample::select(vec![
            " ", "  ", "\t", "\n", "\r\n", "\r", "\n\n    ", "(", ")", "'s", "'", "\"", "<s>", "</s>", "<mask>",
            "😀", "👩‍👩‍👧", "e\u{301}", "中文", "\u{feff}", "\0", "\u{a0}", "\u{2003}", "\u{85}", "½", "ﷺ", "ǅ", "٣",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn assert_sound(text: &str, Encoding { ids, spans }: &Encoding) {
    assert_eq!(ids.len(), spans.len());
    let spans: Vec<ByteSpan> = spans.iter().flatten().copied().collect();
    assert_eq!(spans.len() + 2, ids.len());
    let mut covered = 0;
    for pair in spans.windows(2) {
        assert!(pair[0].start <= pair[1].start && pair[0].end <= pair[1].end);
    }
    for span in spans {
        assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
        assert!(
            span.start <= covered,
            "{text:?} is not covered from {covered}"
        );
        covered = covered.max(span.end);
    }
    assert_eq!(covered, text.len());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn encodings_are_sound_and_official(text in text()) {
        for (tokenizer, official) in PAIRS.iter() {
            let encoding = tokenizer.encode(&text);
            assert_sound(&text, &encoding);
            let n = encoding.ids.len();
            let expected = official.encode(text.as_str(), false).unwrap();
            prop_assert_eq!(&encoding.ids[1..n - 1], expected.get_ids());
            prop_assert_eq!(tokenizer.count(&text), n - 2);
        }
    }
}

#[test]
fn a_megabyte_in_one_line_takes_seconds_at_most() {
    let tokenizer = from_json(MINI);
    let n = 1 << 20;
    for text in [
        "=".repeat(n),
        " ".repeat(n),
        "\t".repeat(n) + "x",
        "ab".repeat(n / 2),
        "x = 1; ".repeat(n / 7),
        "😀".repeat(n / 4),
    ] {
        let start = Instant::now();
        let encoding = tokenizer.encode(&text);
        let elapsed = start.elapsed();
        assert_sound(&text, &encoding);
        assert!(elapsed < Duration::from_secs(20), "{elapsed:?}");
    }
}

fn load_error(json: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokenizer.json");
    std::fs::write(&path, json).unwrap();
    let files = TokenizerFiles::Json(Blob::Path(path));
    let error = Tokenizer::load(&files, None)
        .expect_err("the file is bad")
        .to_string();
    assert!(!error.contains('\n'), "{error}");
    error
}

#[test]
fn other_tokenizers_are_refused_by_name() {
    let bpe = |pre_tokenizer: &str, vocab: &str, merges: &str| {
        format!(
            r#"{{"pre_tokenizer": {pre_tokenizer},
                "model": {{"type": "BPE", "vocab": {vocab}, "merges": {merges}}}}}"#
        )
    };
    let byte_level = r#"{"type": "ByteLevel"}"#;
    for (json, expected) in [
        (
            r#"{"model": {"type": "WordPiece", "vocab": {}}}"#.to_owned(),
            "a WordPiece vocabulary",
        ),
        (
            r#"{"model": {"type": "Unigram", "vocab": [["a", 0.0]]}}"#.to_owned(),
            "a Unigram vocabulary",
        ),
        (
            r#"{"normalizer": {"type": "NFC"}, "model": {"type": "BPE"}}"#.to_owned(),
            "a NFC normalizer",
        ),
        (
            bpe("null", "{}", "[]"),
            "without a byte-level pre-tokenizer",
        ),
        (
            bpe(r#"{"type": "Metaspace"}"#, "{}", "[]"),
            "a Metaspace pre-tokenizer",
        ),
        (
            bpe(byte_level, r#"{"a": 0}"#, "[]"),
            r#"lacks the subword "<s>""#,
        ),
        (
            bpe(byte_level, r#"{"a": 0, "<s>": 1}"#, "[]"),
            r#"lacks the subword "</s>""#,
        ),
        (
            bpe(byte_level, r#"{"a": 0, "b": 1}"#, r#"["a b"]"#),
            r#""ab" is not in the vocabulary"#,
        ),
        (
            bpe(byte_level, r#"{"a": 0}"#, r#"[["a", "c"]]"#),
            r#""c" is not in the vocabulary"#,
        ),
        (
            bpe(byte_level, r#"{"a": 0}"#, r#"["a"]"#),
            "not a merge of two subwords",
        ),
        (
            bpe(byte_level, r#"{"a": -1}"#, "[]"),
            "cannot be read as a tokenizer.json",
        ),
        ("<html>".to_owned(), "an HTML page"),
        ("{".to_owned(), "cannot be read as a tokenizer.json"),
        (String::new(), "is empty"),
    ] {
        let error = load_error(&json);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn vocab_and_merges_must_belong_together() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path: PathBuf = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        Blob::Path(path)
    };
    for (vocab, merges, expected) in [
        (
            r#"{"<s>": 0, "</s>": 1, "a": 2}"#,
            "#version: 0.2\na b\n",
            r#""b" is not in the vocabulary"#,
        ),
        (
            r#"{"a": 2}"#,
            "#version: 0.2\n",
            r#"lacks the subword "<s>""#,
        ),
        (
            r#"{"<s>": 0, "</s>": 1, "a": 2}"#,
            "<!doctype html>",
            "an HTML page",
        ),
        (r#"{"<s>": 0, "</s>": 1}"#, "", "is empty"),
        (
            r#"{"<s>": 0, "</s>": 1, "{": 2, "}": 3, "{}": 4}"#,
            "{ }\nx\n",
            "\"x\" is not a merge",
        ),
        ("[]", "a b", "a vocabulary (vocab.json)"),
    ] {
        let files = TokenizerFiles::VocabMerges {
            vocab: write("vocab.json", vocab),
            merges: write("merges.txt", merges),
        };
        let error = Tokenizer::load(&files, None).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
