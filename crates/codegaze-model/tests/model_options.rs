//! What a user says about a model: the window, and what stands before a text.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::fs;
use std::path::{Path, PathBuf};

use codegaze_model::source::{HubOptions, ModelSource};
use codegaze_model::{Device, LoadError, Mode, Model, ModelOptions, Precision};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/safetensors")
}

fn load(directory: &Path, options: &ModelOptions) -> Result<Model, LoadError> {
    let source = ModelSource::Directory(directory.to_owned());
    let files = source.resolve(&HubOptions::from_env(), &())?;
    Model::load_with(&files, Device::Cpu, Precision::default(), options)
}

fn with_window(window: usize) -> ModelOptions {
    ModelOptions {
        window: Some(window),
        ..ModelOptions::default()
    }
}

#[test]
fn a_window_shortens_passes_and_is_said() {
    let whole = load(&fixture(), &ModelOptions::default()).unwrap();
    assert_eq!(whole.info().max_tokens, 48);
    let short = load(&fixture(), &with_window(40)).unwrap();
    assert_eq!(short.info().max_tokens, 40);
    assert!(
        short
            .info()
            .notes
            .iter()
            .any(|note| note == "window limited to 40 of 48 positions, as chosen"),
        "{:?}",
        short.info().notes
    );
    assert_ne!(short.info().fingerprint, whole.info().fingerprint);
    // A longer window than the model's changes nothing.
    let long = load(&fixture(), &with_window(4096)).unwrap();
    assert_eq!(long.info().max_tokens, 48);
    assert!(!long.info().notes.iter().any(|note| note.contains("window")));
}

#[test]
fn a_window_without_room_for_a_line_is_an_error() {
    for window in [0, 1, 31] {
        let error = load(&fixture(), &with_window(window)).err().unwrap();
        assert_eq!(
            error.to_string(),
            format!(
                "the window is {window} subwords; at least 32 are needed, and without a window the model's own is used"
            )
        );
    }
}

/// The tiny model with a tokenizer in which an id is called `<encoder-only>`, as in microsoft/unixcoder-base.
fn unixcoder(directory: &Path) -> u32 {
    for name in ["config.json", "model.safetensors"] {
        fs::copy(fixture().join(name), directory.join(name)).unwrap();
    }
    let json = fs::read_to_string(fixture().join("tokenizer.json")).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let vocabulary = json["model"]["vocab"].as_object_mut().unwrap();
    let id = vocabulary
        .values()
        .filter_map(serde_json::Value::as_u64)
        .max()
        .unwrap();
    // The last entry is a merge's result: it gets the other name, and the merge goes.
    let last = vocabulary
        .iter()
        .find(|(_, value)| value.as_u64() == Some(id))
        .map(|(name, _)| name.clone())
        .unwrap();
    vocabulary.remove(&last);
    vocabulary.insert("<encoder-only>".to_owned(), id.into());
    let merges = json["model"]["merges"].as_array_mut().unwrap();
    merges.retain(|merge| {
        let whole = match merge {
            serde_json::Value::String(line) => line.replace(' ', ""),
            pair => format!("{}{}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap()),
        };
        whole != last
    });
    fs::write(directory.join("tokenizer.json"), json.to_string()).unwrap();
    u32::try_from(id).unwrap()
}

/// `unixcoder.py` in microsoft/CodeBERT: `[cls] + [mode] + [sep] + tokens + [sep]`.
#[test]
fn encoder_only_stands_where_unixcoder_puts_it() {
    let directory = tempfile::tempdir().unwrap();
    let id = unixcoder(directory.path());
    let plain = load(directory.path(), &ModelOptions::default()).unwrap();
    assert!(
        plain
            .info()
            .notes
            .iter()
            .any(|note| note.contains("choose the mode encoder-only")),
        "{:?}",
        plain.info().notes
    );
    let options = ModelOptions {
        mode: Mode::EncoderOnly,
        ..ModelOptions::default()
    };
    let model = load(directory.path(), &options).unwrap();
    let text = "x = f(y)\n";
    let (before, after) = (
        plain.tokenizer().encode(text),
        model.tokenizer().encode(text),
    );
    let (bos, eos) = (
        model.tokenizer().bos_id(),
        model.tokenizer().eos_id().unwrap(),
    );
    assert_eq!(after.ids[..3], [bos, id, eos]);
    assert_eq!(after.ids[3..], before.ids[1..]);
    assert_eq!(after.spans[..3], [None, None, None]);
    assert_eq!(after.spans[3..], before.spans[1..]);
    assert_eq!(model.info().n_special, 4);
    assert_ne!(model.info().fingerprint, plain.info().fingerprint);
}

#[test]
fn a_mode_that_the_tokenizer_does_not_have_is_an_error() {
    let options = ModelOptions {
        mode: Mode::EncoderOnly,
        ..ModelOptions::default()
    };
    let error = load(&fixture(), &options).err().unwrap().to_string();
    assert!(
        error.contains("no <encoder-only>") && error.contains("use the mode plain"),
        "{error}"
    );
}
