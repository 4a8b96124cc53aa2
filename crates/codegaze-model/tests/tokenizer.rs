//! Ids and spans against Hugging Face's tokenizers, and what holds for every text.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use codegaze_model::source::{Blob, TokenizerFiles, TokenizerSettings};
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
    Tokenizer::load(&files, &settings(&directory)).unwrap()
}

fn from_vocab_merges(directory: &str) -> Tokenizer {
    let directory = root().join(directory);
    let files = TokenizerFiles::VocabMerges {
        vocab: Blob::Path(directory.join("vocab.json")),
        merges: Blob::Path(directory.join("merges.txt")),
    };
    Tokenizer::load(&files, &settings(&directory)).unwrap()
}

fn settings(directory: &Path) -> TokenizerSettings {
    let blob = |name: &str| {
        let path = directory.join(name);
        path.exists().then_some(Blob::Path(path))
    };
    TokenizerSettings {
        config: blob("tokenizer_config.json"),
        special_tokens_map: blob("special_tokens_map.json"),
        added_tokens: blob("added_tokens.json"),
    }
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
        assert_eq!((tokenizer.bos_id(), tokenizer.eos_id()), (0, Some(2)));
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
    std::fs::write(
        dir.path().join("tokenizer_config.json"),
        r#"{"add_prefix_space": true, "cls_token": {"content": "<s>"}}"#,
    )
    .unwrap();
    let files = TokenizerFiles::Json(Blob::Path(root().join(MINI).join("tokenizer.json")));
    Tokenizer::load(&files, &settings(dir.path())).unwrap()
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
    let error = Tokenizer::load(&files, &TokenizerSettings::default())
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
        let error = Tokenizer::load(&files, &TokenizerSettings::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// The files of a tokenizer, as they stand in a directory: the small vocabulary in two files or in one, and others beside it.
fn load_with(as_json: bool, beside: &[(&str, serde_json::Value)]) -> Result<Tokenizer, String> {
    let dir = tempfile::tempdir().unwrap();
    let (from, names) = if as_json {
        ("safetensors", &["tokenizer.json"][..])
    } else {
        ("tokenizers/plain", &["vocab.json", "merges.txt"][..])
    };
    for name in names {
        let from = root().join("tests/fixtures").join(from).join(name);
        std::fs::copy(from, dir.path().join(name)).unwrap();
    }
    for (name, json) in beside {
        let path = dir.path().join(name);
        let mut whole = json.clone();
        if *name == "tokenizer.json" {
            whole = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let changes = json.as_object().unwrap().clone();
            whole.as_object_mut().unwrap().extend(changes);
        }
        std::fs::write(path, whole.to_string()).unwrap();
    }
    let blob = |name: &str| Blob::Path(dir.path().join(name));
    let files = if as_json {
        TokenizerFiles::Json(blob("tokenizer.json"))
    } else {
        TokenizerFiles::VocabMerges {
            vocab: blob("vocab.json"),
            merges: blob("merges.txt"),
        }
    };
    Tokenizer::load(&files, &settings(dir.path())).map_err(|error| error.to_string())
}

/// Ids that transformers 5.23 gives, with `split_special_tokens=True`.
#[test]
fn files_beside_the_vocabulary_count_as_in_transformers() {
    use serde_json::json;

    const PLAIN: &[u32] = &[0, 92, 225, 32, 73, 92, 88, 86, 69, 34, 225, 50, 41, 59, 2];
    const EXTRA: &[u32] = &[0, 92, 225, 320, 225, 50, 41, 59, 2];
    const BOTH: &[u32] = &[0, 92, 225, 320, 225, 321, 2];
    let token = |content: &str, special: bool| {
        json!({"content": content, "lstrip": false, "rstrip": false,
        "normalized": false, "single_word": false, "special": special})
    };
    let added = ("added_tokens.json", json!({"<extra>": 320, "NEW": 321}));
    let decoder = json!({"320": token("<extra>", false), "321": token("NEW", true)});
    let map = (
        "special_tokens_map.json",
        json!({"cls_token": "<pad>", "sep_token": {"content": "<unk>"}}),
    );
    let config = |json: serde_json::Value| ("tokenizer_config.json", json);
    let around = |cls: u32, sep: u32| {
        let mut ids = PLAIN.to_vec();
        let last = ids.len() - 1;
        (ids[0], ids[last]) = (cls, sep);
        ids
    };
    for (as_json, beside, expected) in [
        (false, vec![], PLAIN.to_vec()),
        (false, vec![added.clone()], BOTH.to_vec()),
        (true, vec![added.clone()], BOTH.to_vec()),
        (
            false,
            vec![config(json!({"added_tokens_decoder": decoder.clone()}))],
            EXTRA.to_vec(),
        ),
        (
            true,
            vec![config(json!({"added_tokens_decoder": decoder.clone()}))],
            EXTRA.to_vec(),
        ),
        // A decoder replaces the older files.
        (
            false,
            vec![
                added.clone(),
                config(json!({"added_tokens_decoder": {"0": token("<s>", true)}})),
            ],
            PLAIN.to_vec(),
        ),
        // Ids follow the order in the file, without gaps.
        (
            false,
            vec![("added_tokens.json", json!({"<extra>": 330, "NEW": 325}))],
            vec![0, 92, 225, 321, 225, 320, 2],
        ),
        (false, vec![map.clone()], around(1, 3)),
        (
            false,
            vec![config(json!({"cls_token": "<pad>", "sep_token": "<unk>"}))],
            around(1, 3),
        ),
        (
            false,
            vec![map.clone(), config(json!({"cls_token": "<mask>"}))],
            around(1, 3),
        ),
        (
            false,
            vec![
                map,
                config(
                    json!({"cls_token": "<mask>", "sep_token": "<mask>", "added_tokens_decoder": {}}),
                ),
            ],
            around(4, 4),
        ),
        (
            false,
            vec![
                added,
                (
                    "special_tokens_map.json",
                    json!({"extra_special_tokens": ["NEW"]}),
                ),
            ],
            EXTRA.to_vec(),
        ),
    ] {
        let tokenizer = load_with(as_json, &beside).unwrap();
        assert_eq!(
            tokenizer.encode("x <extra> NEW").ids,
            expected,
            "{beside:?}"
        );
    }
}

#[test]
fn tokenizer_json_decides_only_for_a_fast_tokenizer() {
    use serde_json::json;

    let prefix = (
        "tokenizer.json",
        json!({"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": true}}),
    );
    let fast = (
        "tokenizer_config.json",
        json!({"tokenizer_class": "PreTrainedTokenizerFast", "add_prefix_space": false}),
    );
    let roberta = (
        "tokenizer_config.json",
        json!({"tokenizer_class": "RobertaTokenizerFast", "add_prefix_space": true}),
    );
    let template = (
        "tokenizer.json",
        json!({"post_processor": {"type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<mask>", "type_id": 0}}, {"SpecialToken": {"id": "<s>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<unk>", "type_id": 0}}],
        "pair": [], "special_tokens": {
            "<mask>": {"id": "<mask>", "ids": [4], "tokens": ["<mask>"]},
            "<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]},
            "<unk>": {"id": "<unk>", "ids": [3], "tokens": ["<unk>"]}}}}),
    );
    for (beside, expected) in [
        (vec![prefix.clone()], &[0, 92, 2][..]),
        (vec![prefix.clone(), fast.clone()], &[0, 266, 2]),
        (vec![prefix, roberta], &[0, 266, 2]),
        (vec![template.clone(), fast.clone()], &[4, 0, 92, 3]),
    ] {
        let tokenizer = load_with(true, &beside).unwrap();
        let encoding = tokenizer.encode("x");
        assert_eq!(encoding.ids, expected, "{beside:?}");
        assert_eq!(tokenizer.n_special(), expected.len() - 1);
        assert_eq!(encoding.spans.iter().flatten().count(), 1);
    }
    for (beside, expected) in [
        (vec![template], "the ids [4, 0] and [3] around a text"),
        (
            vec![("tokenizer.json", json!({"post_processor": null})), fast],
            "without a special subword",
        ),
        (
            vec![(
                "tokenizer_config.json",
                json!({"tokenizer_class": "GPT2Tokenizer"}),
            )],
            "a tokenizer of class GPT2Tokenizer",
        ),
    ] {
        let error = load_with(true, &beside).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn empty_normalizers_and_sequences_of_one_are_read() {
    use serde_json::json;

    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false});
    let sequence = |part: &serde_json::Value| json!({"type": "Sequence", "pretokenizers": [part]});
    let nothing =
        json!({"type": "Sequence", "normalizers": [{"type": "Sequence", "normalizers": []}]});
    for changes in [
        json!({"normalizer": nothing}),
        json!({"pre_tokenizer": sequence(&byte_level)}),
        json!({"pre_tokenizer": sequence(&sequence(&byte_level))}),
    ] {
        let tokenizer = load_with(true, &[("tokenizer.json", changes)]).unwrap();
        assert_eq!(tokenizer.encode("x").ids, [0, 92, 2]);
    }
    let two = json!({"type": "Sequence", "pretokenizers": [{"type": "Digits"}, byte_level]});
    let error = load_with(true, &[("tokenizer.json", json!({"pre_tokenizer": two}))]).unwrap_err();
    assert!(error.contains("a Sequence pre-tokenizer"), "{error}");
}

#[test]
fn hostile_tokenizer_files_are_refused_in_seconds() {
    use serde_json::json;

    let started = Instant::now();
    let many: Vec<_> = (0..200_000)
        .map(|i| json!({"id": 320 + i, "content": format!("t{i}"), "special": false}))
        .collect();
    let long = json!([{"id": 320, "content": "x".repeat(8 << 20), "special": false}]);
    for tokens in [json!(many), long] {
        let error =
            load_with(true, &[("tokenizer.json", json!({"added_tokens": tokens}))]).unwrap_err();
        assert!(
            error.contains("20000") || error.contains("20001"),
            "{error:.300}"
        );
        assert!(error.len() < 2000);
    }
    let names: serde_json::Map<_, _> = (0..200_000)
        .map(|i| (format!("t{i}"), json!(320 + i)))
        .collect();
    let error = load_with(false, &[("added_tokens.json", json!(names))]).unwrap_err();
    assert!(error.contains("it adds 200000 tokens"), "{error:.300}");

    let name = format!("\u{1b}[2J{}", "y".repeat(1 << 20));
    let error = load_with(
        true,
        &[("tokenizer.json", json!({"normalizer": {"type": name}}))],
    )
    .unwrap_err();
    assert!(
        error.contains("\\u{1b}[2J") && error.len() < 2000,
        "{error:.300}"
    );
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn ids_that_no_text_can_get_do_not_count() {
    use serde_json::json;

    let special = json!([{"id": 320, "content": "<unused>", "special": true}]);
    let tokenizer = load_with(
        true,
        &[("tokenizer.json", json!({"added_tokens": special}))],
    )
    .unwrap();
    assert_eq!((tokenizer.vocab_size(), tokenizer.max_id()), (321, 319));
    let plain = json!([{"id": 320, "content": "<used>", "special": false}]);
    let tokenizer = load_with(true, &[("tokenizer.json", json!({"added_tokens": plain}))]).unwrap();
    assert_eq!((tokenizer.vocab_size(), tokenizer.max_id()), (321, 320));
}

#[test]
fn subwords_are_decoded_to_the_text_that_they_encode() {
    let tokenizer = from_json("crates/codegaze-mini/model");
    for text in [
        "def f(n):\n\treturn n  # 😀 é\u{301}\r\n",
        "",
        "<mask> </s>",
    ] {
        let encoding = tokenizer.encode(text);
        let subwords = encoding.ids.iter().zip(&encoding.spans);
        let ids: Vec<u32> = subwords
            .filter(|(_, span)| span.is_some())
            .map(|(id, _)| *id)
            .collect();
        assert_eq!(tokenizer.decode(&ids), text);
    }
    assert_eq!(tokenizer.decode(&[u32::MAX]), "");
}
