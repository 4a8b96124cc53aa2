use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::*;

fn hub(id: &str, revision: Option<&str>) -> ModelSource {
    ModelSource::Hub {
        id: id.to_owned(),
        revision: revision.map(str::to_owned),
    }
}

#[test]
fn a_name_is_embedded_a_directory_or_a_hub_id() {
    for text in ["", "embedded", EMBEDDED_MODEL] {
        assert_eq!(text.parse::<ModelSource>().unwrap(), ModelSource::Embedded);
    }
    for text in [
        ".",
        "..",
        "./x/y",
        "../no-such-model",
        "/nowhere/x",
        "x/y/",
        r"x\y\",
        r"C:\x",
        "C:/x",
        r"\\host\x",
    ] {
        assert_eq!(
            text.parse::<ModelSource>().unwrap(),
            ModelSource::Directory(text.into()),
            "{text}"
        );
    }
    for (text, source) in [
        (
            "microsoft/codebert-base",
            hub("microsoft/codebert-base", None),
        ),
        ("a/b.c_d-e@v1.0", hub("a/b.c_d-e", Some("v1.0"))),
        ("a/b@refs/pr/1", hub("a/b", Some("refs/pr/1"))),
    ] {
        assert_eq!(text.parse::<ModelSource>().unwrap(), source);
        assert_eq!(source.to_string(), text);
    }
}

#[test]
fn a_name_that_is_none_of_them_is_refused() {
    let long = format!("a/{}", "b".repeat(97));
    for text in [
        "roberta-base",
        "a/b/c",
        "a//b",
        "a/..",
        "a/b..c",
        "a/b--c",
        "-a/b",
        "a/b-",
        "a b/c",
        "a/b?c",
        "a/b%2F",
        "ä/b",
        "https://huggingface.co/a/b",
        &long,
    ] {
        let error = text.parse::<ModelSource>().unwrap_err();
        assert!(
            matches!(error, SourceError::Unknown { .. }),
            "{text}: {error}"
        );
    }
    for revision in [
        "", "..", "a/../b", "/a", "a//b", "-a", ".a", "a b", "a?b", "a@b", "a.",
    ] {
        let error = format!("a/b@{revision}").parse::<ModelSource>();
        assert!(
            matches!(error, Err(SourceError::Revision { .. })),
            "{revision}: {error:?}"
        );
    }
}

#[test]
fn a_directory_or_a_file_beats_a_hub_id() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.safetensors");
    fs::write(&path, "").unwrap();
    assert_eq!(
        path.to_str().unwrap().parse::<ModelSource>().unwrap(),
        ModelSource::Directory(path)
    );
    // Tests run in the package's directory, which has a folder of this name.
    assert_eq!(
        "src/source".parse::<ModelSource>().unwrap(),
        ModelSource::Directory("src/source".into())
    );
}

#[test]
#[cfg(feature = "embedded")]
fn the_embedded_model_is_the_folder_of_its_name() {
    let embedded = embedded::files().unwrap();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../codegaze-mini/model");
    let on_disk = directory::files(&dir).unwrap();
    assert_eq!(
        (embedded.id.as_str(), embedded.directory()),
        (EMBEDDED_MODEL, None)
    );
    assert_eq!(on_disk.directory(), Some(dir.as_path()));
    assert_eq!(
        embedded.config.read(1 << 20).unwrap(),
        on_disk.config.read(1 << 20).unwrap()
    );
    let (WeightFiles::Safetensors(a), WeightFiles::Safetensors(b)) =
        (embedded.weights, on_disk.weights)
    else {
        panic!("both have safetensors")
    };
    assert!(a.read(1 << 30).unwrap() == b.read(1 << 30).unwrap());
    assert_eq!(
        (a.name(), b.name()),
        ("model.safetensors".into(), "model.safetensors".into())
    );
}

/// What `directory::files` makes of a directory with these files.
fn find(names: &[&str]) -> Result<ModelFiles, LoadError> {
    let dir = tempfile::tempdir().unwrap();
    for name in names {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    directory::files(dir.path())
}

#[test]
fn a_directorys_best_layout_is_chosen() {
    const COMMON: [&str; 3] = ["config.json", "vocab.json", "merges.txt"];
    let weights = [
        "model.safetensors",
        "model.safetensors.index.json",
        "pytorch_model.bin",
        "pytorch_model.bin.index.json",
    ];
    for (i, expected) in weights.iter().enumerate() {
        let names: Vec<_> = COMMON.iter().chain(&weights[i..]).copied().collect();
        let files = find(&names).unwrap();
        let found = match &files.weights {
            WeightFiles::Safetensors(blob)
            | WeightFiles::Torch(blob)
            | WeightFiles::Single(blob) => blob.name().into_owned(),
            WeightFiles::SafetensorsSharded { index } | WeightFiles::TorchSharded { index } => {
                index.file_name().unwrap().to_str().unwrap().to_owned()
            }
        };
        assert_eq!(found, *expected);
        assert!(matches!(
            files.tokenizer,
            TokenizerFiles::VocabMerges { .. }
        ));
        assert!(files.tokenizer_settings.config.is_none());
    }
    let files = find(&[
        "config.json",
        "tokenizer.json",
        "vocab.json",
        "model.safetensors",
    ]);
    assert!(matches!(files.unwrap().tokenizer, TokenizerFiles::Json(_)));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn a_directory_that_is_no_model_says_what_is_missing() {
    for (names, expected) in [
        (&[][..], "no config.json"),
        (
            &["config.json"],
            "neither tokenizer.json nor vocab.json and merges.txt",
        ),
        (
            &["config.json", "vocab.json"],
            "neither merges.txt nor tokenizer.json",
        ),
        (
            &["config.json", "merges.txt"],
            "neither vocab.json nor tokenizer.json",
        ),
        (
            &["config.json", "tokenizer.json"],
            "no supported weights: model.safetensors or",
        ),
        (
            &["config.json", "tokenizer.json", "tf_model.h5", "model.onnx"],
            "codegaze does not support model.onnx (ONNX), tf_model.h5 (TensorFlow), so save the model from transformers",
        ),
        (
            &["config.json", "tokenizer.json", "onnx/model.onnx"],
            "codegaze does not support onnx/model.onnx (ONNX)",
        ),
        (
            &["config.json", "tokenizer.json", "flax_model.msgpack"],
            "flax_model.msgpack (Flax)",
        ),
        (
            &["config.json", "tokenizer.json", "model.q4.gguf"],
            "model.q4.gguf is a GGUF file",
        ),
        (&["model.gguf"], "model.gguf is a GGUF file"),
        (
            &[
                "config.json",
                "tokenizer.json",
                "bert.ckpt.index",
                "bert.ckpt.data-00000-of-00001",
            ],
            "bert.ckpt.index (TensorFlow)",
        ),
        (
            &[
                "config.json",
                "tokenizer.json",
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
            ],
            "not their index, so download model.safetensors.index.json too",
        ),
        (
            &[
                "config.json",
                "tokenizer.json",
                "pytorch_model-00001-of-00001.bin",
            ],
            "download pytorch_model.bin.index.json too",
        ),
        (
            &["config.json", "tokenizer.json", "a.bin", "b.pt"],
            "several files that may hold weights (a.bin, b.pt), so give the path of one",
        ),
        (
            &["adapter_config.json", "adapter_model.safetensors"],
            "PEFT adapter, which changes another model: merge it",
        ),
        (
            &[
                "config.json",
                "tokenizer.json",
                "adapter_config.json",
                "adapter_model.bin",
            ],
            "PEFT adapter",
        ),
        (
            &[
                "checkpoint-500/config.json",
                "checkpoint-1000/config.json",
                "trainer_state.json",
            ],
            "its folder checkpoint-1000 has a model, so give that directory",
        ),
        (
            &["snapshots/0123abc/config.json", "refs/main"],
            "its folder snapshots/0123abc has a model",
        ),
        (
            &["config.json", "vocab.txt", "model.safetensors"],
            "vocab.txt is the vocabulary of a WordPiece tokenizer",
        ),
        (
            &[
                "config.json",
                "sentencepiece.bpe.model",
                "model.safetensors",
            ],
            "SentencePiece",
        ),
        (&["model.bin"], "--base microsoft/codebert-base"),
    ] {
        let message = find(names).unwrap_err().to_string();
        assert!(
            message.contains(expected) && !message.contains('\n'),
            "{message}"
        );
    }
    let missing = Path::new("/nowhere/at/all");
    assert!(matches!(
        directory::files(missing),
        Err(LoadError::Source(SourceError::NoDirectory { .. }))
    ));
    // A directory of the name is not the file.
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("config.json")).unwrap();
    let error = directory::files(dir.path()).unwrap_err();
    assert!(error.to_string().contains("no config.json"), "{error}");
}

#[test]
fn a_model_of_another_type_hears_that_first() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.json"), r#"{"model_type": "bert"}"#).unwrap();
    fs::write(dir.path().join("vocab.txt"), "[CLS]").unwrap();
    let error = directory::files(dir.path()).unwrap_err().to_string();
    assert!(error.contains("type \"bert\""), "{error}");
}

#[test]
#[cfg(feature = "embedded")]
fn weights_of_any_name_are_read_on_a_base() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["model.bin", "optimizer.pt", "training_args.bin"] {
        fs::write(dir.path().join(name), name).unwrap();
    }
    for path in [dir.path().to_owned(), dir.path().join("model.bin")] {
        let source = path.to_str().unwrap().parse::<ModelSource>().unwrap();
        let error = source.resolve(&HubOptions::from_env(), &()).unwrap_err();
        assert!(error.to_string().contains("--base"), "{error}");

        let source = source.on_base(ModelSource::Embedded).unwrap();
        let files = source.resolve(&HubOptions::from_env(), &()).unwrap();
        assert!(matches!(&files.weights, WeightFiles::Single(blob) if blob.name() == "model.bin"));
        assert!(matches!(files.config, Blob::Embedded { .. }));
        assert_eq!(files.id, path.display().to_string());
    }
    let error = ModelSource::Embedded.on_base(ModelSource::Embedded);
    assert!(error.unwrap_err().to_string().contains("--base"));
}

#[test]
fn a_blob_is_read_up_to_its_limit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    fs::write(&path, "12345").unwrap();
    let blob = Blob::Path(path);
    assert_eq!(blob.read(5).unwrap(), b"12345");
    let message = blob.read(4).unwrap_err().to_string();
    assert!(message.contains("the limit is 4"), "{message}");
    assert!(Blob::Path(dir.path().into()).read(9).is_err());
    assert!(Blob::Path(dir.path().join("none")).read(9).is_err());
}

#[test]
fn the_environment_is_read_as_the_hubs_own_clients_do() {
    let from = |vars: &[(&str, &str)]| {
        HubOptions::from_vars(|name| {
            let var = vars.iter().find(|(other, _)| *other == name)?;
            Some(OsString::from(var.1))
        })
    };
    let home = std::env::home_dir().unwrap();
    for (vars, cache) in [
        (&[][..], home.join(".cache/huggingface/hub")),
        (&[("XDG_CACHE_HOME", "/x")], "/x/huggingface/hub".into()),
        (
            &[("HF_HOME", "/h"), ("XDG_CACHE_HOME", "/x")],
            "/h/hub".into(),
        ),
        (&[("HF_HOME", "~/h")], home.join("h/hub")),
        (
            &[("HF_HOME", "/h"), ("HUGGINGFACE_HUB_CACHE", "/o")],
            "/o".into(),
        ),
        (
            &[("HF_HUB_CACHE", "/c"), ("HUGGINGFACE_HUB_CACHE", "/o")],
            "/c".into(),
        ),
        (&[("HF_HOME", "")], home.join(".cache/huggingface/hub")),
    ] {
        assert_eq!(from(vars).cache, cache, "{vars:?}");
    }

    assert_eq!(from(&[]).endpoint, "https://huggingface.co");
    assert_eq!(
        from(&[("HF_ENDPOINT", "http://mirror/")]).endpoint,
        "http://mirror"
    );
    for (value, offline) in [
        ("1", true),
        ("TRUE", true),
        ("yes", true),
        ("on", true),
        ("0", false),
        ("", false),
    ] {
        assert_eq!(
            from(&[("HF_HUB_OFFLINE", value)]).offline,
            offline,
            "{value}"
        );
    }

    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("token"), "of the file\n").unwrap();
    fs::write(dir.path().join("other"), "of the path\n").unwrap();
    let hf_home = ("HF_HOME", dir.path().to_str().unwrap());
    let other = dir.path().join("other");
    let token_path = ("HF_TOKEN_PATH", other.to_str().unwrap());
    for (vars, token) in [
        (vec![], "of the file"),
        (vec![token_path], "of the path"),
        (vec![token_path, ("HUGGING_FACE_HUB_TOKEN", "old")], "old"),
        (
            vec![("HUGGING_FACE_HUB_TOKEN", "old"), ("HF_TOKEN", " new ")],
            "new",
        ),
    ] {
        let vars: Vec<_> = vars.into_iter().chain([hf_home]).collect();
        assert_eq!(from(&vars).token, Token::new(token), "{vars:?}");
    }
    let token = from(&[("HF_TOKEN", "hf_secret")]).token;
    assert!(token.is_some() && !format!("{token:?}").contains("secret"));
}
