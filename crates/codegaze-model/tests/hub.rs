//! Models from the hub, against a local server that speaks its API and serves a repository laid out as CodeBERT's.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]
#![cfg(feature = "hub")]

#[path = "../../../tests/support/hub_server.rs"]
mod hub_server;

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use codegaze_model::LoadError;
use codegaze_model::source::hub::{HubError, list_cached};
use codegaze_model::source::{
    Blob, DownloadProgress, HubOptions, ModelFiles, ModelSource, Token, TokenizerFiles, WeightFiles,
};
use hub_server::{Fault, HubServer, Request, sha256};

const ID: &str = "acme/codebert-tiny";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const TAGGED: &str = "89abcdef0123456789abcdef0123456789abcdef";
const WEIGHTS: &str = "pytorch_model.bin";
const SECRET: &str = "hf_secret";

/// Bytes without a short period, so that a piece in the wrong place is seen.
fn bytes(seed: u32, len: usize) -> Vec<u8> {
    let mut x = seed;
    let mut next = || {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (x >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// A small model's file that is as the hub would serve it.
fn fixture_file(path: &str) -> Vec<u8> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    fs::read(fixtures.join(path)).unwrap()
}

/// The files of `microsoft/codebert-base`, by name.
fn codebert() -> Vec<(&'static str, Vec<u8>)> {
    let names = [
        ".gitattributes",
        "README.md",
        "config.json",
        "flax_model.msgpack",
        "merges.txt",
        "rust_model.ot",
        "special_tokens_map.json",
        "tf_model.h5",
        "tokenizer_config.json",
        "vocab.json",
    ];
    let mut files: Vec<_> = (1..)
        .zip(names)
        .map(|(seed, name)| {
            let content = match name {
                "config.json" | "vocab.json" | "merges.txt" => {
                    fixture_file(&format!("torch_zip/{name}"))
                }
                "special_tokens_map.json" => br#"{"cls_token": "<s>"}"#.to_vec(),
                "tokenizer_config.json" => br#"{"model_max_length": 512}"#.to_vec(),
                _ => bytes(seed, 700),
            };
            (name, content)
        })
        .collect();
    files.push((WEIGHTS, bytes(99, 300_000)));
    files
}

struct Fixture {
    hub: HubServer,
    dir: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self::with_files(&codebert())
    }

    fn with_files(files: &[(&str, Vec<u8>)]) -> Self {
        let hub = HubServer::start();
        hub.publish(ID, "main", COMMIT, files);
        let large = files.iter().filter(|(_, content)| content.len() > 1000);
        hub.state.lock().unwrap().large = large.map(|(name, _)| (*name).to_owned()).collect();
        let dir = tempfile::tempdir().unwrap();
        Self { hub, dir }
    }

    fn options(&self) -> HubOptions {
        options(&self.hub.endpoint, self.dir.path())
    }

    fn resolve(&self) -> Result<ModelFiles, LoadError> {
        source(ID).resolve(&self.options(), &())
    }

    fn resolve_err(&self) -> HubError {
        hub_error(self.resolve())
    }

    /// Everything in the model's folder that could be taken for a file of the model.
    fn snapshot_files(&self) -> Vec<String> {
        let dir = self.model_dir().join("snapshots").join(COMMIT);
        names(&dir)
    }

    fn model_dir(&self) -> PathBuf {
        self.dir.path().join("models--acme--codebert-tiny")
    }

    fn partial(&self) -> PathBuf {
        let weights = codebert().pop().unwrap().1;
        self.model_dir()
            .join("blobs")
            .join(format!("{}.incomplete", sha256(&weights)))
    }
}

fn options(endpoint: &str, cache: &Path) -> HubOptions {
    HubOptions {
        cache: cache.to_owned(),
        endpoint: endpoint.to_owned(),
        proxy_from_env: false,
        retries: 0,
        backoff: Duration::from_millis(1),
        ..HubOptions::from_vars(|_| None)
    }
}

fn source(text: &str) -> ModelSource {
    text.parse().unwrap()
}

fn hub_error(result: Result<ModelFiles, LoadError>) -> HubError {
    let error = result.unwrap_err();
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    assert!(
        !message.contains(SECRET) && !message.contains("signature"),
        "{message}"
    );
    match error {
        LoadError::Hub(error) => error,
        other => panic!("{other}"),
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The model is what the hub has, byte by byte.
fn assert_whole(files: &ModelFiles, expected: &[(&str, Vec<u8>)]) {
    let mut blobs = vec![&files.config];
    let beside = &files.tokenizer_settings;
    blobs.extend(
        [
            &beside.config,
            &beside.special_tokens_map,
            &beside.added_tokens,
        ]
        .into_iter()
        .flatten(),
    );
    match &files.tokenizer {
        TokenizerFiles::Json(blob) => blobs.push(blob),
        TokenizerFiles::VocabMerges { vocab, merges } => blobs.extend([vocab, merges]),
    }
    match &files.weights {
        WeightFiles::Safetensors(blob) | WeightFiles::Torch(blob) | WeightFiles::Single(blob) => {
            blobs.push(blob);
        }
        WeightFiles::SafetensorsSharded { index } | WeightFiles::TorchSharded { index } => {
            assert!(index.is_file());
        }
    }
    for blob in blobs {
        let name = blob.name();
        let (_, content) = expected.iter().find(|(other, _)| *other == name).unwrap();
        assert!(*blob.read(1 << 20).unwrap() == *content, "{name} differs");
    }
}

fn contents<'r>(requests: &'r [Request], file: &str) -> Vec<&'r Request> {
    let requests = requests.iter();
    requests
        .filter(|request| request.method == "GET" && request.target.contains(file))
        .collect()
}

#[test]
fn the_first_run_downloads_what_is_needed_and_the_second_needs_no_network() {
    let mut fixture = Fixture::new();
    let files = fixture.resolve().unwrap();
    assert_whole(&files, &codebert());
    assert_eq!(
        (files.id.as_str(), files.revision.as_deref()),
        (ID, Some(COMMIT))
    );
    assert!(matches!(files.weights, WeightFiles::Torch(Blob::Path(_))));

    let requests = fixture.hub.take_requests();
    let unwanted = ["tf_model", "flax", "rust_model", "README", "gitattributes"];
    for request in &requests {
        assert!(
            !unwanted.iter().any(|name| request.target.contains(name)),
            "{request:?}"
        );
    }
    // The list, and for each of six files its metadata and its content, that of the two large ones by way of a redirect.
    assert_eq!(requests.len(), 1 + 2 * 6 + 2);
    let order: Vec<&str> = requests
        .iter()
        .filter_map(|request| request.target.rsplit('/').next())
        .collect();
    let first = |name: &str| order.iter().position(|other| *other == name);
    assert!(first("config.json") < first("vocab.json") && first("vocab.json") < first(WEIGHTS));
    assert_eq!(
        fixture.snapshot_files(),
        [
            "config.json",
            "merges.txt",
            WEIGHTS,
            "special_tokens_map.json",
            "tokenizer_config.json",
            "vocab.json"
        ]
    );

    fixture.hub = HubServer::start();
    assert_whole(&fixture.resolve().unwrap(), &codebert());
    assert!(fixture.hub.take_requests().is_empty());
}

#[test]
fn a_plain_mirror_will_do() {
    // It knows no HEAD, stores nothing apart, and calls its only version `v1`.
    let hub = HubServer::start();
    hub.publish(ID, "main", "v1", &codebert());
    hub.state.lock().unwrap().get_only = true;
    let dir = tempfile::tempdir().unwrap();
    let options = options(&hub.endpoint, dir.path());
    let files = source(ID).resolve(&options, &()).unwrap();
    assert_whole(&files, &codebert());
    assert_eq!(files.revision.as_deref(), Some("v1"));
    drop(hub);
    assert_whole(&source(ID).resolve(&options, &()).unwrap(), &codebert());
}

#[test]
fn the_cache_is_laid_out_as_pythons_client_does_it() {
    let fixture = Fixture::new();
    fixture.resolve().unwrap();
    let model = fixture.model_dir();
    assert_eq!(fs::read_to_string(model.join("refs/main")).unwrap(), COMMIT);
    let weights = codebert().pop().unwrap().1;
    let blob = model.join("blobs").join(sha256(&weights));
    assert_eq!(fs::read(&blob).unwrap(), weights);
    #[cfg(unix)]
    assert_eq!(
        fs::read_link(model.join("snapshots").join(COMMIT).join(WEIGHTS)).unwrap(),
        Path::new("../../blobs").join(sha256(&weights))
    );
    assert!(
        names(&model.join("blobs"))
            .iter()
            .all(|name| !name.contains('.'))
    );
}

#[test]
fn a_cache_that_python_filled_is_used_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("models--acme--codebert-tiny");
    let snapshot = model.join("snapshots").join(COMMIT);
    fs::create_dir_all(&snapshot).unwrap();
    fs::create_dir_all(model.join("refs")).unwrap();
    fs::write(model.join("refs/main"), COMMIT).unwrap();
    for (name, content) in codebert() {
        fs::write(snapshot.join(name), content).unwrap();
    }
    let nowhere = options("http://127.0.0.1:9", dir.path());
    let files = source(ID).resolve(&nowhere, &()).unwrap();
    assert_whole(&files, &codebert());
    assert_eq!(files.directory(), Some(snapshot.as_path()));
}

#[test]
fn a_model_without_a_needed_file_is_told_by_what_it_has() {
    for (missing, expected) in [
        ("config.json", "no config.json"),
        ("merges.txt", "vocab.json but neither merges.txt"),
        (
            WEIGHTS,
            "does not support flax_model.msgpack (Flax), rust_model.ot (rust-bert), tf_model.h5 (TensorFlow)",
        ),
    ] {
        let mut files = codebert();
        files.retain(|(name, _)| *name != missing);
        let fixture = Fixture::with_files(&files);
        let error = fixture.resolve_err();
        assert!(matches!(error, HubError::Incomplete { .. }), "{error}");
        let message = error.to_string();
        assert!(
            message.contains(expected) && message.contains("README.md"),
            "{message}"
        );
        assert!(!fixture.snapshot_files().contains(&WEIGHTS.to_owned()));
    }
}

#[test]
fn a_model_of_another_type_is_refused_before_its_weights_are_requested() {
    let bert = br#"{"model_type": "bert"}"#.to_vec();
    let qwen = br#"{"model_type": "qwen2"}"#.to_vec();
    for (config, gone, expected) in [
        (qwen, "", "type \"qwen2\""),
        // Not: its tokenizer's files are missing.
        (bert, "merges.txt", "type \"bert\""),
    ] {
        let mut files = codebert();
        files.retain(|(name, _)| *name != gone);
        for (name, content) in &mut files {
            if *name == "config.json" {
                content.clone_from(&config);
            }
        }
        let fixture = Fixture::with_files(&files);
        let error = fixture.resolve().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        let requests = fixture.hub.take_requests();
        assert!(
            requests
                .iter()
                .all(|request| !request.target.ends_with(WEIGHTS))
        );
    }

    let mut files = codebert();
    for (name, content) in &mut files {
        if *name == "vocab.json" {
            *content = br#"{"a": 0}"#.to_vec();
        }
    }
    let fixture = Fixture::with_files(&files);
    assert!(fixture.resolve().is_err());
    let requests = fixture.hub.take_requests();
    assert!(
        requests
            .iter()
            .all(|request| !request.target.ends_with(WEIGHTS))
    );
}

#[test]
fn a_file_that_is_listed_but_gone_is_named() {
    let fixture = Fixture::new();
    fixture.hub.fail("merges.txt", &[Fault::Status(404)]);
    let error = fixture.resolve_err();
    assert!(
        matches!(&error, HubError::NoFile { url } if url.ends_with("/merges.txt")),
        "{error}"
    );
}

#[test]
fn errors_of_access_say_what_to_do() {
    let fixture = Fixture::new();
    fixture.hub.state.lock().unwrap().required_token = Some(SECRET.to_owned());
    let error = fixture.resolve_err();
    assert!(matches!(error, HubError::Gated { .. }), "{error}");
    let message = error.to_string();
    assert!(
        message.contains("HF_TOKEN") && message.contains("accept its conditions"),
        "{message}"
    );

    let mut options = fixture.options();
    options.token = Token::new("hf_of_somebody_else");
    let error = hub_error(source(ID).resolve(&options, &()));
    assert!(matches!(error, HubError::BadToken { .. }), "{error}");

    options.token = Token::new("hf_with\u{1}control");
    let error = hub_error(source(ID).resolve(&options, &()));
    assert!(matches!(error, HubError::BadToken { .. }), "{error}");

    options.token = Token::new(SECRET);
    fixture.hub.fail("config.json", &[Fault::Status(403)]);
    let error = hub_error(source(ID).resolve(&options, &()));
    assert!(matches!(error, HubError::Forbidden { .. }), "{error}");
}

#[test]
fn the_token_goes_to_the_hub_and_not_to_the_cdn() {
    let fixture = Fixture::new();
    fixture.hub.state.lock().unwrap().required_token = Some(SECRET.to_owned());
    let mut options = fixture.options();
    options.token = Token::new(SECRET);
    assert!(!format!("{options:?}").contains(SECRET));
    assert_whole(&source(ID).resolve(&options, &()).unwrap(), &codebert());

    let (cdn, hub): (Vec<_>, Vec<_>) = fixture
        .hub
        .take_requests()
        .into_iter()
        .partition(|request| request.is_cdn);
    // The weights and the vocabulary.
    assert_eq!(cdn.len(), 2);
    assert!(
        cdn.iter().all(|request| request.authorization.is_none()),
        "{cdn:?}"
    );
    let bearer = format!("Bearer {SECRET}");
    assert!(
        hub.iter()
            .all(|request| request.authorization.as_ref() == Some(&bearer))
    );
}

#[test]
fn an_unknown_model_or_revision_is_told_apart() {
    let fixture = Fixture::new();
    let error = hub_error(source("acme/nothing").resolve(&fixture.options(), &()));
    assert!(matches!(error, HubError::NoModel { .. }), "{error}");
    let error = hub_error(source("acme/codebert-tiny@v9").resolve(&fixture.options(), &()));
    assert!(
        matches!(&error, HubError::NoRevision { revision, .. } if revision == "v9"),
        "{error}"
    );
    assert!(names(fixture.dir.path()).is_empty());
}

#[test]
fn a_revision_is_pinned_beside_others() {
    let fixture = Fixture::new();
    let mut tagged = codebert();
    tagged.last_mut().unwrap().1 = bytes(7, 200_000);
    fixture.hub.publish(ID, "v1.0", TAGGED, &tagged);
    fixture.hub.publish(ID, "refs/pr/1", TAGGED, &tagged);

    assert_whole(&fixture.resolve().unwrap(), &codebert());
    fixture.hub.take_requests();
    let files = source("acme/codebert-tiny@v1.0")
        .resolve(&fixture.options(), &())
        .unwrap();
    assert_whole(&files, &tagged);
    assert_eq!(files.revision.as_deref(), Some(TAGGED));
    // What both have in common is there already.
    assert!(contents(&fixture.hub.take_requests(), "vocab.json").is_empty());

    source("acme/codebert-tiny@refs/pr/1")
        .resolve(&fixture.options(), &())
        .unwrap();
    let by_commit = format!("{ID}@{TAGGED}");
    let offline = HubOptions {
        offline: true,
        ..fixture.options()
    };
    for name in ["acme/codebert-tiny@refs/pr/1", &by_commit] {
        assert_whole(&source(name).resolve(&offline, &()).unwrap(), &tagged);
    }
    assert_whole(&source(ID).resolve(&offline, &()).unwrap(), &codebert());

    let models = list_cached(&offline).unwrap();
    let unwanted = [
        ".gitattributes",
        "README.md",
        "flax_model.msgpack",
        "rust_model.ot",
        "tf_model.h5",
    ];
    let n_bytes = |files: &[(&str, Vec<u8>)]| -> u64 {
        let needed = files.iter().filter(|(name, _)| !unwanted.contains(name));
        needed.map(|(_, content)| content.len() as u64).sum()
    };
    let rows: Vec<_> = models
        .iter()
        .map(|model| {
            (
                model.commit.as_deref().unwrap(),
                model.refs.join(" "),
                model.bytes,
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (COMMIT, "main".to_owned(), n_bytes(&codebert())),
            (TAGGED, "refs/pr/1 v1.0".to_owned(), n_bytes(&tagged))
        ]
    );
    assert!(
        models
            .iter()
            .all(|model| model.id == ID && model.missing.is_none())
    );
}

#[test]
fn resolve_keeps_the_cached_commit_and_download_follows_the_branch() {
    let fixture = Fixture::new();
    fixture.resolve().unwrap();
    let mut newer = codebert();
    newer.last_mut().unwrap().1 = bytes(7, 200_000);
    fixture.hub.publish(ID, "main", TAGGED, &newer);
    assert_whole(&fixture.resolve().unwrap(), &codebert());
    assert_whole(
        &source(ID).download(&fixture.options(), &()).unwrap(),
        &newer,
    );
    assert_whole(&fixture.resolve().unwrap(), &newer);
}

#[test]
fn an_interrupted_download_continues_in_the_next_run() {
    let fixture = Fixture::new();
    fixture.hub.fail(WEIGHTS, &[Fault::CloseAfter(150_000)]);
    let error = fixture.resolve_err();
    assert!(matches!(error, HubError::Interrupted { .. }), "{error}");
    let has = fs::metadata(fixture.partial()).unwrap().len();
    assert!(has > 0 && has <= 150_000, "{has}");

    let listed = list_cached(&fixture.options()).unwrap();
    assert!(
        listed[0]
            .missing
            .as_ref()
            .unwrap()
            .contains("no supported weights"),
        "{listed:?}"
    );
    let offline = HubOptions {
        offline: true,
        ..fixture.options()
    };
    let error = hub_error(source(ID).resolve(&offline, &()));
    assert!(matches!(error, HubError::Offline { .. }), "{error}");

    fixture.hub.take_requests();
    assert_whole(&fixture.resolve().unwrap(), &codebert());
    let requests = fixture.hub.take_requests();
    let ranges: Vec<_> = contents(&requests, WEIGHTS)
        .into_iter()
        .filter(|request| request.is_cdn)
        .map(|request| request.range.clone())
        .collect();
    assert_eq!(ranges, [Some(format!("bytes={has}-"))]);
    assert!(!fixture.partial().exists());
}

#[test]
fn a_server_error_ends_one_run_and_the_next_continues() {
    let fixture = Fixture::new();
    let faults = [Fault::CloseAfter(100_000), Fault::Status(500)];
    fixture.hub.fail(WEIGHTS, &faults);
    fixture.resolve_err();
    let has = fs::metadata(fixture.partial()).unwrap().len();
    assert!(has > 0);
    let error = fixture.resolve_err();
    assert!(
        matches!(error, HubError::Status { status: 500, .. }),
        "{error}"
    );
    assert_eq!(fs::metadata(fixture.partial()).unwrap().len(), has);
    fixture.hub.take_requests();
    assert_whole(&fixture.resolve().unwrap(), &codebert());
    let requests = fixture.hub.take_requests();
    assert!(
        contents(&requests, WEIGHTS)
            .iter()
            .all(|request| request.range.is_some())
    );

    // The same within one run, and a server that does not recover.
    let fixture = Fixture::new();
    let options = HubOptions {
        retries: 2,
        ..fixture.options()
    };
    fixture.hub.fail(WEIGHTS, &faults);
    assert_whole(&source(ID).resolve(&options, &()).unwrap(), &codebert());

    let fixture = Fixture::new();
    fixture.hub.fail(WEIGHTS, &[Fault::Status(503); 3]);
    let error = hub_error(source(ID).resolve(
        &HubOptions {
            retries: 2,
            ..fixture.options()
        },
        &(),
    ));
    assert!(
        matches!(error, HubError::Status { status: 503, .. }),
        "{error}"
    );
}

#[test]
fn passing_failures_are_tried_again() {
    let fixture = Fixture::new();
    fixture
        .hub
        .state
        .lock()
        .unwrap()
        .listing_faults
        .extend([502, 429]);
    fixture
        .hub
        .fail("vocab.json", &[Fault::Status(500), Fault::CloseAfter(10)]);
    fixture.hub.fail(WEIGHTS, &[Fault::CloseAfter(90_000); 3]);
    let options = HubOptions {
        retries: 2,
        ..fixture.options()
    };
    assert_whole(&source(ID).resolve(&options, &()).unwrap(), &codebert());
}

#[test]
fn a_server_that_ignores_ranges_starts_the_file_again() {
    let fixture = Fixture::new();
    fixture
        .hub
        .fail(WEIGHTS, &[Fault::CloseAfter(150_000), Fault::IgnoreRange]);
    fixture.resolve_err();
    assert!(fixture.partial().is_file());
    assert_whole(&fixture.resolve().unwrap(), &codebert());

    // One that also breaks off each time at the same place is given up.
    let fixture = Fixture::new();
    fixture
        .hub
        .fail(WEIGHTS, &[Fault::IgnoreRangeAndCloseAfter(150_000); 20]);
    let options = HubOptions {
        retries: 2,
        ..fixture.options()
    };
    let error = hub_error(source(ID).resolve(&options, &()));
    assert!(matches!(error, HubError::Interrupted { .. }), "{error}");
    let requests = fixture.hub.take_requests();
    let attempts = contents(&requests, WEIGHTS)
        .iter()
        .filter(|request| request.is_cdn)
        .count();
    assert!(attempts <= 8, "{attempts}");
}

#[test]
fn a_body_that_is_too_short_never_becomes_a_file() {
    // Ended properly, but too early; a small file without a digest, and a large one.
    for (file, len) in [("vocab.json", 300), (WEIGHTS, 1000)] {
        let fixture = Fixture::new();
        fixture.hub.fail(file, &[Fault::ShortChunked(len)]);
        let error = fixture.resolve_err();
        assert!(matches!(error, HubError::Interrupted { .. }), "{error}");
        assert!(!fixture.snapshot_files().contains(&file.to_owned()));
        assert_whole(&fixture.resolve().unwrap(), &codebert());
    }
}

#[test]
fn wrong_content_leaves_nothing() {
    for (file, fault) in [
        (WEIGHTS, Fault::Corrupt),
        (WEIGHTS, Fault::OtherPage),
        ("vocab.json", Fault::OtherPage),
    ] {
        let fixture = Fixture::new();
        fixture.hub.fail(file, &[fault]);
        match fixture.resolve_err() {
            HubError::Content { .. } => assert!(matches!(fault, Fault::Corrupt)),
            HubError::Size { found, .. } => assert!(found < 100),
            other => panic!("{other}"),
        }
        assert!(!fixture.snapshot_files().contains(&file.to_owned()));
        let blobs = names(&fixture.model_dir().join("blobs"));
        assert!(
            blobs.iter().all(|name| !name.ends_with(".incomplete")),
            "{blobs:?}"
        );
        assert_whole(&fixture.resolve().unwrap(), &codebert());
    }
}

#[test]
fn a_bad_beginning_from_an_earlier_run_is_thrown_away() {
    let whole = codebert().pop().unwrap().1;
    for left in [
        vec![0; 1000],
        vec![0; whole.len()],
        vec![0; whole.len() + 5],
        whole.clone(),
    ] {
        let fixture = Fixture::new();
        fs::create_dir_all(fixture.partial().parent().unwrap()).unwrap();
        fs::write(fixture.partial(), &left).unwrap();
        assert_whole(&fixture.resolve().unwrap(), &codebert());
        let requests = fixture.hub.take_requests();
        // What is whole already is not fetched again.
        assert_eq!(contents(&requests, WEIGHTS).is_empty(), left == whole);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_leaves_nothing() {
    let fixture = Fixture::new();
    fs::create_dir_all(fixture.partial().parent().unwrap()).unwrap();
    // Every byte written to it meets a full disk.
    std::os::unix::fs::symlink("/dev/full", fixture.partial()).unwrap();
    let error = fixture.resolve_err();
    assert!(matches!(error, HubError::DiskFull { .. }), "{error}");
    assert!(!fixture.partial().is_symlink());
    assert!(!fixture.snapshot_files().contains(&WEIGHTS.to_owned()));
    assert_whole(&fixture.resolve().unwrap(), &codebert());
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let fixture = Fixture::new();
    fs::write(fixture.model_dir(), "in the way").unwrap();
    let error = fixture.resolve_err();
    assert!(matches!(error, HubError::Cache { .. }), "{error}");
    assert!(error.to_string().contains("HF_HOME"), "{error}");
}

#[test]
fn a_link_to_a_lost_blob_and_a_blob_cut_short_are_repaired() {
    let fixture = Fixture::new();
    fixture.resolve().unwrap();
    let blob = fixture
        .model_dir()
        .join("blobs")
        .join(sha256(&codebert().pop().unwrap().1));
    fs::remove_file(&blob).unwrap();
    assert_whole(&fixture.resolve().unwrap(), &codebert());

    fs::remove_file(
        fixture
            .model_dir()
            .join("snapshots")
            .join(COMMIT)
            .join(WEIGHTS),
    )
    .unwrap();
    fs::write(&blob, b"cut short").unwrap();
    assert_whole(&fixture.resolve().unwrap(), &codebert());
}

#[test]
fn offline_names_the_commit_of_a_cache_without_refs() {
    let fixture = Fixture::new();
    let offline = HubOptions {
        offline: true,
        ..fixture.options()
    };
    fixture.resolve().unwrap();
    fs::remove_dir_all(fixture.model_dir().join("refs")).unwrap();
    let error = hub_error(source(ID).resolve(&offline, &())).to_string();
    let named = format!("{ID}@{COMMIT}");
    assert!(error.contains(&named), "{error}");
    assert_whole(&source(&named).resolve(&offline, &()).unwrap(), &codebert());
}

#[test]
fn offline_lists_all_complete_commits_of_a_cache_without_refs() {
    let fixture = Fixture::new();
    let offline = HubOptions {
        offline: true,
        ..fixture.options()
    };
    fixture.hub.publish(ID, "v1.0", TAGGED, &codebert());
    for name in [ID.to_owned(), format!("{ID}@v1.0")] {
        source(&name).resolve(&fixture.options(), &()).unwrap();
    }
    let snapshots = fixture.model_dir().join("snapshots");
    let incomplete = "c".repeat(40);
    fs::create_dir(snapshots.join(&incomplete)).unwrap();
    fs::remove_dir_all(fixture.model_dir().join("refs")).unwrap();
    let error = hub_error(source(ID).resolve(&offline, &())).to_string();
    assert!(error.contains(COMMIT) && error.contains(TAGGED), "{error}");
    assert!(!error.contains(&incomplete), "{error}");
    assert!(error.contains(&format!("name one: {ID}@")), "{error}");
    for commit in [COMMIT, TAGGED] {
        let named = source(&format!("{ID}@{commit}"));
        assert_whole(&named.resolve(&offline, &()).unwrap(), &codebert());
    }
}

#[test]
fn offline_uses_the_cache_alone() {
    let fixture = Fixture::new();
    let offline = HubOptions {
        offline: true,
        ..fixture.options()
    };
    let error = hub_error(source(ID).resolve(&offline, &()));
    assert!(matches!(error, HubError::Offline { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("codegaze models download acme/codebert-tiny"),
        "{error}"
    );
    assert!(fixture.hub.take_requests().is_empty());

    fixture.resolve().unwrap();
    fixture.hub.take_requests();
    assert_whole(&source(ID).resolve(&offline, &()).unwrap(), &codebert());
    assert_whole(&source(ID).download(&offline, &()).unwrap(), &codebert());

    let snapshot = fixture.model_dir().join("snapshots").join(COMMIT);
    fs::remove_file(snapshot.join("merges.txt")).unwrap();
    let error = hub_error(source(ID).resolve(&offline, &()));
    assert!(
        error
            .to_string()
            .contains("vocab.json but neither merges.txt"),
        "{error}"
    );
    assert!(fixture.hub.take_requests().is_empty());
}

#[test]
fn without_a_network_the_error_comes_at_once() {
    let dir = tempfile::tempdir().unwrap();
    // A port that was free a moment ago, and a name that does not exist anywhere (RFC 6761).
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for endpoint in [
        format!("http://127.0.0.1:{port}"),
        "http://hub.invalid".to_owned(),
    ] {
        let start = Instant::now();
        let options = HubOptions {
            retries: 9,
            ..options(&endpoint, dir.path())
        };
        let error = hub_error(source(ID).resolve(&options, &()));
        assert!(matches!(error, HubError::Unreachable { .. }), "{error}");
        assert!(start.elapsed() < Duration::from_secs(11));
    }
    for endpoint in ["nonsense", "ftp://hub", "http://"] {
        let error = hub_error(source(ID).resolve(&options(endpoint, dir.path()), &()));
        assert!(matches!(error, HubError::Protocol { .. }), "{error}");
    }
}

#[test]
fn a_stalled_transfer_is_an_error_and_continues_later() {
    let fixture = Fixture::new();
    fixture.hub.fail(WEIGHTS, &[Fault::Stall]);
    let options = HubOptions {
        stall_timeout: Duration::from_millis(200),
        ..fixture.options()
    };
    let start = Instant::now();
    let error = hub_error(source(ID).resolve(&options, &()));
    assert!(matches!(error, HubError::Stalled { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_whole(&fixture.resolve().unwrap(), &codebert());
}

#[test]
fn a_renamed_model_is_followed() {
    let fixture = Fixture::new();
    let renamed = ("old/name".to_owned(), ID.to_owned());
    fixture.hub.state.lock().unwrap().renamed.extend([renamed]);
    assert_whole(
        &source("old/name").resolve(&fixture.options(), &()).unwrap(),
        &codebert(),
    );
}

#[test]
fn an_answer_that_is_no_hubs_is_told() {
    let fixture = Fixture::new();
    fixture.hub.publish(ID, "main", "../../../etc", &codebert());
    let error = fixture.resolve_err();
    assert!(matches!(error, HubError::Protocol { .. }), "{error}");
    assert!(names(fixture.dir.path()).is_empty());
}

/// Sharded weights, with an index that names these shards.
fn sharded(shards: &[&str]) -> Vec<(&'static str, Vec<u8>)> {
    let map: serde_json::Map<_, _> = (0..)
        .zip(shards)
        .map(|(i, shard)| (format!("tensor.{i}"), (*shard).into()))
        .collect();
    let index = serde_json::json!({ "metadata": {}, "weight_map": map });
    vec![
        ("config.json", fixture_file("safetensors/config.json")),
        ("tokenizer.json", fixture_file("safetensors/tokenizer.json")),
        ("vocab.json", bytes(3, 100)),
        ("merges.txt", bytes(4, 100)),
        (
            "model.safetensors.index.json",
            index.to_string().into_bytes(),
        ),
        ("model-00001-of-00002.safetensors", bytes(5, 5000)),
        ("model-00002-of-00002.safetensors", bytes(6, 5000)),
        (WEIGHTS, bytes(7, 5000)),
    ]
}

const SHARDS: [&str; 2] = [
    "model-00001-of-00002.safetensors",
    "model-00002-of-00002.safetensors",
];

#[test]
fn shards_come_with_their_index_and_are_missed_when_gone() {
    let expected = sharded(&SHARDS);
    let fixture = Fixture::with_files(&expected);
    let files = fixture.resolve().unwrap();
    assert_whole(&files, &expected);
    assert!(matches!(
        files.weights,
        WeightFiles::SafetensorsSharded { .. }
    ));
    assert!(matches!(files.tokenizer, TokenizerFiles::Json(_)));
    let mut wanted = vec![
        "config.json",
        "tokenizer.json",
        "model.safetensors.index.json",
    ];
    wanted.extend(SHARDS);
    wanted.sort_unstable();
    assert_eq!(fixture.snapshot_files(), wanted);

    let snapshot = files.directory().unwrap().to_owned();
    fs::remove_file(snapshot.join(SHARDS[1])).unwrap();
    let offline = HubOptions {
        offline: true,
        ..fixture.options()
    };
    let error = hub_error(source(ID).resolve(&offline, &()));
    assert!(error.to_string().contains(SHARDS[1]), "{error}");
    fixture.resolve().unwrap();
    assert_eq!(fixture.snapshot_files(), wanted);
}

#[test]
fn an_index_that_leads_elsewhere_is_refused() {
    for name in [
        "../../../../evil",
        "/etc/passwd",
        "model-00009-of-00009.safetensors",
        "..",
    ] {
        let fixture = Fixture::with_files(&sharded(&[SHARDS[0], name]));
        let error = fixture.resolve_err();
        assert!(matches!(error, HubError::Index { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

/// Notes what it hears, and cancels when so many bytes are there.
#[derive(Default)]
struct Recorder {
    cancel_at: Option<u64>,
    done: Cell<u64>,
    begun: RefCell<Vec<(String, u64, u64)>>,
    finished: RefCell<Vec<String>>,
}

impl DownloadProgress for Recorder {
    fn init(&self, file: &str, total: u64, done: u64) {
        self.begun.borrow_mut().push((file.to_owned(), total, done));
        self.done.set(done);
    }

    fn update(&self, done: u64) {
        assert!(done > self.done.get());
        self.done.set(done);
    }

    fn finish(&self, file: &str) {
        let (begun, total, _) = self.begun.borrow().last().unwrap().clone();
        assert_eq!((begun.as_str(), total), (file, self.done.get()));
        self.finished.borrow_mut().push(file.to_owned());
    }

    fn is_cancelled(&self) -> bool {
        self.cancel_at.is_some_and(|at| self.done.get() >= at)
    }
}

#[test]
fn progress_is_told_and_may_cancel() {
    let fixture = Fixture::new();
    let recorder = Recorder {
        cancel_at: Some(100_000),
        ..Recorder::default()
    };
    let error = hub_error(source(ID).resolve(&fixture.options(), &recorder));
    assert!(matches!(error, HubError::Cancelled), "{error}");
    let has = fs::metadata(fixture.partial()).unwrap().len();
    assert_eq!(has, recorder.done.get());

    let recorder = Recorder::default();
    source(ID).resolve(&fixture.options(), &recorder).unwrap();
    assert_eq!(
        *recorder.begun.borrow(),
        [(WEIGHTS.to_owned(), 300_000, has)]
    );
    assert_eq!(*recorder.finished.borrow(), [WEIGHTS]);
}

const CHILD_ENDPOINT: &str = "CODEGAZE_TEST_ENDPOINT";
const CHILD_CACHE: &str = "CODEGAZE_TEST_CACHE";

/// Not a test of its own: what another process does for the tests below.
#[test]
fn child_process() {
    let (Ok(endpoint), Ok(cache)) = (std::env::var(CHILD_ENDPOINT), std::env::var(CHILD_CACHE))
    else {
        return;
    };
    let files = source(ID)
        .resolve(&options(&endpoint, Path::new(&cache)), &())
        .unwrap();
    assert_whole(&files, &codebert());
}

fn spawn_child(fixture: &Fixture) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_process", "--nocapture"])
        .env(CHILD_ENDPOINT, &fixture.hub.endpoint)
        .env(CHILD_CACHE, fixture.dir.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

const SLOW: Fault = Fault::Slow {
    piece: 30_000,
    pause: Duration::from_millis(50),
};

#[test]
fn two_processes_fetch_a_file_once() {
    let fixture = Fixture::new();
    fixture.hub.fail(WEIGHTS, &[SLOW, SLOW]);
    let mut children = [spawn_child(&fixture), spawn_child(&fixture)];
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let requests = fixture.hub.take_requests();
    let weights = contents(&requests, WEIGHTS);
    assert_eq!(weights.iter().filter(|request| request.is_cdn).count(), 1);
    assert_whole(&fixture.resolve().unwrap(), &codebert());
}

#[test]
fn a_killed_process_leaves_a_download_that_continues() {
    let fixture = Fixture::new();
    fixture.hub.fail(WEIGHTS, &[SLOW]);
    let mut child = spawn_child(&fixture);
    let start = Instant::now();
    while fs::metadata(fixture.partial()).map_or(0, |partial| partial.len()) < 60_000 {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!fixture.snapshot_files().contains(&WEIGHTS.to_owned()));

    fixture.hub.take_requests();
    assert_whole(&fixture.resolve().unwrap(), &codebert());
    let requests = fixture.hub.take_requests();
    assert!(
        contents(&requests, WEIGHTS)
            .iter()
            .all(|request| request.range.is_some())
    );
}
