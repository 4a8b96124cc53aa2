//! Weights in every layout against the same tensors written by torch and safetensors, and files that are bad in every way.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use codegaze_model::LoadError;
use codegaze_model::source::{Blob, WeightFiles};
use codegaze_model::weights::Weights;
use half::{bf16, f16};
use proptest::prelude::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .join(name)
}

fn safetensors(path: impl Into<PathBuf>) -> Result<Weights, LoadError> {
    Weights::open(&WeightFiles::Safetensors(Blob::Path(path.into())))
}

fn torch(path: impl Into<PathBuf>) -> Result<Weights, LoadError> {
    Weights::open(&WeightFiles::Torch(Blob::Path(path.into())))
}

/// What a fault in a file is reported as.
fn message(result: Result<Weights, LoadError>) -> String {
    let message = result.expect_err("the file is bad").to_string();
    assert!(!message.contains('\n'), "more than one line: {message}");
    message
}

/// Every tensor under `prefix`, read by the official crate: (shape, values).
fn reference(path: &str, prefix: &str) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let bytes = std::fs::read(fixture(path)).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    file.iter()
        .filter_map(|(name, view)| {
            let name = name.strip_prefix(prefix)?.to_owned();
            let (chunks, _) = view.data().as_chunks();
            let values = chunks.iter().map(|b| f32::from_le_bytes(*b)).collect();
            Some((name, (view.shape().to_vec(), values)))
        })
        .collect()
}

/// All of the encoder's tensors equal the reference after `rounded`.
fn assert_encoder(weights: &Weights, prefix: &str, rounded: fn(f32) -> f32) {
    let encoder = weights.encoder().unwrap();
    assert_eq!(encoder.prefix(), prefix);
    let reference = reference("safetensors/model.safetensors", "roberta.");
    assert!(reference.len() > 50);
    for (name, (shape, values)) in reference {
        assert_eq!(encoder.shape(&name), Some(shape.as_slice()), "{name}");
        let expected: Vec<f32> = values.into_iter().map(rounded).collect();
        assert_eq!(encoder.read_f32(&name, &shape).unwrap(), expected, "{name}");
    }
}

#[test]
fn all_layouts_hold_the_same_encoder() {
    let same = |x: f32| x;
    let plain = fixture("safetensors/model.safetensors");
    assert_encoder(&safetensors(&plain).unwrap(), "roberta.", same);

    let bytes: &'static [u8] = std::fs::read(plain).unwrap().leak();
    let embedded = Blob::Embedded {
        name: "tiny",
        bytes,
    };
    let embedded = Weights::open(&WeightFiles::Safetensors(embedded)).unwrap();
    assert_encoder(&embedded, "roberta.", same);

    let index = fixture("sharded/model.safetensors.index.json");
    let sharded = Weights::open(&WeightFiles::SafetensorsSharded { index }).unwrap();
    assert_encoder(&sharded, "", same);

    let zip = torch(fixture("torch_zip/pytorch_model.bin")).unwrap();
    assert_encoder(&zip, "roberta.", same);

    let legacy = torch(fixture("torch_legacy/pytorch_model.bin")).unwrap();
    assert_encoder(&legacy, "encoder.", same);
}

#[test]
fn halves_are_widened() {
    let weights = safetensors(fixture("f16/model.safetensors")).unwrap();
    assert_encoder(&weights, "roberta.", |x| f16::from_f32(x).to_f32());

    // Nested under `state_dict`, as training scripts write it.
    let weights = torch(fixture("bf16/pytorch_model.bin")).unwrap();
    assert_encoder(&weights, "", |x| bf16::from_f32(x).to_f32());
}

#[test]
fn a_sharded_torch_model_is_read() {
    let dir = tempfile::tempdir().unwrap();
    for (layout, shard) in [("torch_zip", "a.bin"), ("torch_legacy", "b.bin")] {
        let from = fixture(layout).join("pytorch_model.bin");
        std::fs::copy(from, dir.path().join(shard)).unwrap();
    }
    let index = dir.path().join("pytorch_model.bin.index.json");
    let map = r#"{"weight_map": {
        "roberta.embeddings.word_embeddings.weight": "a.bin",
        "encoder.embeddings.LayerNorm.bias": "b.bin"}}"#;
    std::fs::write(&index, map).unwrap();
    let weights = Weights::open(&WeightFiles::TorchSharded { index }).unwrap();
    assert_eq!(weights.names().count(), 2);
    let expected =
        &reference("safetensors/model.safetensors", "roberta.")["embeddings.LayerNorm.bias"];
    let found = weights.read_f32("encoder.embeddings.LayerNorm.bias", &[32]);
    assert_eq!(found.unwrap(), expected.1);
}

#[test]
fn views_are_gathered() {
    let reference = reference("views/views.safetensors", "");
    for file in ["views_zip.bin", "views_deflated.bin", "views_legacy.bin"] {
        let weights = torch(fixture("views").join(file)).unwrap();
        for (name, (shape, values)) in &reference {
            assert_eq!(
                &weights.read_f32(name, shape).unwrap(),
                values,
                "{name} of {file}"
            );
        }
        // There, but no float.
        assert_eq!(weights.shape("integers"), Some([5].as_slice()));
        let error = weights.read_f32("integers", &[5]).unwrap_err();
        assert!(
            error.to_string().contains("has the unsupported dtype i64"),
            "{error}"
        );
    }
}

#[test]
fn a_storage_may_view_another() {
    // Elements 4.. of 0, 1, 2, …; of these, 2×2 from the second.
    let weights = torch(fixture("views/storage_view.bin")).unwrap();
    assert_eq!(
        weights.read_f32("view", &[2, 2]).unwrap(),
        [5.0, 6.0, 7.0, 8.0]
    );
}

/// A safetensors file of f32 ones, or of what is given.
fn write_safetensors(path: &Path, tensors: &[(&str, &str, &[usize], &[u8])]) {
    let mut header = serde_json::Map::new();
    let mut data = Vec::new();
    for (name, dtype, shape, bytes) in tensors {
        let start = data.len();
        data.extend_from_slice(bytes);
        let info = serde_json::json!({"dtype": dtype, "shape": shape, "data_offsets": [start, data.len()]});
        header.insert((*name).to_owned(), info);
    }
    let header = serde_json::to_vec(&header).unwrap();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    file.extend(data);
    std::fs::write(path, file).unwrap();
}

const WORDS: &str = "embeddings.word_embeddings.weight";

fn encoder_prefix(prefixes: &[&str]) -> Result<String, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.safetensors");
    let names: Vec<String> = prefixes.iter().map(|p| format!("{p}{WORDS}")).collect();
    let one = 1_f32.to_le_bytes();
    let tensors: Vec<(&str, &str, &[usize], &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), "F32", [1].as_slice(), one.as_slice()))
        .collect();
    write_safetensors(&path, &tensors);
    let weights = safetensors(path).unwrap();
    let encoder = weights.encoder().map_err(|error| error.to_string())?;
    assert_eq!(encoder.read_f32(WORDS, &[1]).unwrap(), [1.0]);
    Ok(encoder.prefix().to_owned())
}

#[test]
fn the_encoder_is_found_under_any_prefix() {
    for prefix in ["", "roberta.", "encoder.", "model.", "encoder.roberta."] {
        assert_eq!(encoder_prefix(&[prefix]).unwrap(), prefix);
    }
    assert_eq!(encoder_prefix(&["a.", "roberta.", ""]).unwrap(), "");
    let both = ["decoder.", "encoder.", "roberta."];
    assert_eq!(encoder_prefix(&both).unwrap(), "roberta.");
    assert_eq!(
        encoder_prefix(&["decoder.", "encoder."]).unwrap(),
        "encoder."
    );

    let several = encoder_prefix(&["left.", "right."]).unwrap_err();
    assert!(several.contains("left., right."), "{several}");
    let none = encoder_prefix(&["not_a_module_"]).unwrap_err();
    assert!(none.contains(WORDS) && none.contains("missing"), "{none}");
}

#[test]
fn old_layer_norm_names_are_aliases() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.safetensors");
    let (one, two) = (1_f32.to_le_bytes(), 2_f64.to_le_bytes());
    write_safetensors(
        &path,
        &[
            (WORDS, "F32", &[1], &one),
            ("embeddings.LayerNorm.gamma", "F32", &[1], &one),
            ("embeddings.LayerNorm.beta", "F64", &[1], &two),
        ],
    );
    let weights = safetensors(path).unwrap();
    let encoder = weights.encoder().unwrap();
    assert!(encoder.contains("embeddings.LayerNorm.weight"));
    let read = |name| encoder.read_f32(name, &[1]).unwrap();
    assert_eq!(read("embeddings.LayerNorm.weight"), [1.0]);
    assert_eq!(read("embeddings.LayerNorm.bias"), [2.0]);
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.safetensors");
    let nan = f32::NAN.to_le_bytes();
    let huge = 1e300_f64.to_le_bytes();
    write_safetensors(
        &path,
        &[
            ("nan", "F32", &[1], &nan),
            ("huge", "F64", &[1], &huge),
            ("quantized", "I8", &[4], &nan),
        ],
    );
    let weights = safetensors(path).unwrap();
    for (name, shape, expected) in [
        ("nan", &[1][..], "tensor nan of"),
        ("nan", &[1], "NaN or infinite"),
        ("huge", &[1], "NaN or infinite"),
        ("quantized", &[4], "has the unsupported dtype I8"),
        (
            "nan",
            &[2, 3],
            "has the shape [1], but config.json implies [2, 3]",
        ),
        ("name", &[1], "tensor name is missing"),
        ("quantised", &[1], "nearest in name being quantized"),
    ] {
        let error = weights.read_f32(name, shape).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn no_pickle_is_executed() {
    for file in [
        "os_system_zip_2.bin",
        "os_system_zip_4.bin",
        "os_system_legacy_2.bin",
        "os_system_legacy_4.bin",
    ] {
        let error = message(torch(fixture("bad").join(file)));
        // os.system pickles as the module that defines it.
        let named = error.contains("names posix.system") || error.contains("names nt.system");
        assert!(named && error.contains("nothing was executed"), "{error}");
    }
    assert!(!Path::new("pwned").exists());
}

#[test]
fn big_endian_files_are_refused() {
    for file in ["big_endian_zip.bin", "big_endian_legacy.bin"] {
        let error = message(torch(fixture("bad").join(file)));
        assert!(error.contains("big-endian"), "{error}");
    }
}

/// Where the central directory of a zip describes the entry whose name ends so.
fn directory_record(zip: &[u8], name_end: &str) -> usize {
    (0..zip.len() - 46)
        .find(|at| {
            let name_len = usize::from(u16::from_le_bytes([zip[at + 28], zip[at + 29]]));
            let name = zip.get(at + 46..at + 46 + name_len);
            zip[*at..].starts_with(b"PK\x01\x02")
                && name.is_some_and(|name| name.ends_with(name_end.as_bytes()))
        })
        .expect("the entry exists")
}

#[test]
fn a_zip_must_hold_what_its_pickle_claims() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pytorch_model.bin");
    let zip = std::fs::read(fixture("views/views_deflated.bin")).unwrap();
    let record = directory_record(&zip, "/data/0");
    for (size, expected) in [
        (47 * 4_u32, "should have 48 elements, but has 188 bytes"),
        (u32::MAX - 1, "claims 4294967294 bytes"),
    ] {
        let mut lying = zip.clone();
        lying[record + 24..record + 28].copy_from_slice(&size.to_le_bytes());
        std::fs::write(&path, lying).unwrap();
        let error = message(torch(&path));
        assert!(error.contains(expected), "{error}");
    }
    for (entry, expected) in [
        ("/data/0", "the storage 0 is not in it"),
        ("/data.pkl", "it has no data.pkl"),
    ] {
        let mut renamed = zip.clone();
        let record = directory_record(&renamed, entry);
        // The name's last byte, in the directory only.
        let name_len = usize::from(renamed[record + 28]);
        renamed[record + 46 + name_len - 1] = b'?';
        std::fs::write(&path, renamed).unwrap();
        let error = message(torch(&path));
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn other_files_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let zip = std::fs::read(fixture("views/views_zip.bin")).unwrap();
    let tensors = std::fs::read(fixture("views/views.safetensors")).unwrap();
    let page = b"<!DOCTYPE html>\n<html><body>Sign in</body></html>\n".as_slice();
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n".as_slice();
    for (content, as_safetensors, as_torch) in [
        (b"".as_slice(), "is empty", "is empty"),
        (page, "an HTML page", "an HTML page"),
        (pointer, "a Git LFS pointer", "a Git LFS pointer"),
        (br#"{"error": "not found"}"#, "JSON text", "JSON text"),
        (&zip, "a zip archive", ""),
        (&tensors, "", "a safetensors file"),
        (b"random bytes", "header", "72 61 6e 64 6f 6d 20 62"),
        (b"\x80\x02K\x07.", "is", "magic number"),
        (b"\x80\x02X\xff\xff\xff\x0fabc", "header", "a pickle"),
        (b"\x80\x02\xfe", "is", "opcode 0xfe at byte 2"),
        (
            b"\x80\x02(iposix\nsystem\n.",
            "header",
            "names posix.system",
        ),
    ] {
        std::fs::write(&path, content).unwrap();
        for (result, expected) in [
            (safetensors(&path), as_safetensors),
            (torch(&path), as_torch),
        ] {
            if !expected.is_empty() {
                let error = message(result);
                assert!(error.contains(expected), "{error}");
            }
        }
    }
    assert!(message(safetensors(dir.path())).contains("not a regular file"));
    assert!(message(torch(dir.path().join("absent"))).contains("absent"));
}

#[test]
fn header_lengths_are_checked_before_they_are_believed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.safetensors");
    for claimed in [1_u64 << 60, u64::MAX, 10_000, 3] {
        let mut file = claimed.to_le_bytes().to_vec();
        file.extend(b"{}");
        std::fs::write(&path, file).unwrap();
        let error = message(safetensors(&path));
        assert!(
            error.contains(&format!("a header of {claimed} bytes")),
            "{error}"
        );
    }
    for (tensor, expected) in [
        (
            r#"{"dtype":"F32","shape":[2],"data_offsets":[0,9]}"#,
            "truncated",
        ),
        (
            r#"{"dtype":"F32","shape":[2],"data_offsets":[0,4]}"#,
            "cannot fill 4 bytes",
        ),
        (
            r#"{"dtype":"F32","shape":[2],"data_offsets":[8,0]}"#,
            "offsets 8..0",
        ),
        (
            r#"{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}"#,
            "cannot fill 0 bytes",
        ),
        (
            r#"{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]}"#,
            "offsets",
        ),
        (
            r#"{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}"#,
            "not valid JSON",
        ),
    ] {
        let header = format!(r#"{{"x":{tensor}}}"#);
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.extend([0; 8]);
        std::fs::write(&path, file).unwrap();
        let error = message(safetensors(&path));
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn shards_stay_beside_their_index() {
    let dir = tempfile::tempdir().unwrap();
    let index = dir.path().join("model.safetensors.index.json");
    for (shard, expected) in [
        ("../model.safetensors", "not a file name"),
        ("/etc/passwd", "not a file name"),
        ("a/b.safetensors", "not a file name"),
        ("..", "not a file name"),
        ("", "not a file name"),
        ("model-1.safetensors", "is missing"),
    ] {
        let json = serde_json::json!({"weight_map": {"x": shard}});
        std::fs::write(&index, json.to_string()).unwrap();
        let files = WeightFiles::SafetensorsSharded {
            index: index.clone(),
        };
        let error = message(Weights::open(&files));
        assert!(error.contains(expected), "{error}");
    }

    let plain = fixture("safetensors/model.safetensors");
    std::fs::copy(plain, dir.path().join("shard.safetensors")).unwrap();
    for (json, expected) in [
        (
            r#"{"weight_map": {"absent": "shard.safetensors"}}"#,
            "tensor absent is missing",
        ),
        (r#"{"weight_map": 3}"#, "an index of shards"),
        ("<html>", "an HTML page"),
    ] {
        std::fs::write(&index, json).unwrap();
        let files = WeightFiles::SafetensorsSharded {
            index: index.clone(),
        };
        let error = message(Weights::open(&files));
        assert!(error.contains(expected), "{error}");
    }
}

/// Opens a file's bytes and reads every tensor of it, with whatever result.
fn read_everything(bytes: &[u8], torch: bool) -> Result<(), LoadError> {
    // The little leak is the price of the embedded form, which needs no file.
    let blob = Blob::Embedded {
        name: "test",
        bytes: bytes.to_vec().leak(),
    };
    let weights = Weights::open(&if torch {
        WeightFiles::Torch(blob)
    } else {
        WeightFiles::Safetensors(blob)
    })?;
    for name in weights.names() {
        let shape = weights.shape(name).unwrap();
        match weights.read_f32(name, shape) {
            Err(LoadError::Dtype { .. }) => {}
            result => drop(result?),
        }
    }
    Ok(())
}

const VIEWS: [(&str, bool); 4] = [
    ("views/views.safetensors", false),
    ("views/views_zip.bin", true),
    ("views/views_deflated.bin", true),
    ("views/views_legacy.bin", true),
];

#[test]
fn truncated_files_are_errors_at_every_length() {
    for (file, torch) in VIEWS {
        let bytes = std::fs::read(fixture(file)).unwrap();
        read_everything(&bytes, torch).unwrap();
        for len in (0..bytes.len()).step_by(3).chain([bytes.len() - 1]) {
            let result = read_everything(&bytes[..len], torch);
            assert!(result.is_err(), "{len} of {} bytes of {file}", bytes.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// No panic, no hang, and no allocation by a number that the file cannot back: that would abort.
    #[test]
    fn damaged_files_never_panic(
        which in 0..VIEWS.len(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (file, torch) = VIEWS[which];
        let mut bytes = std::fs::read(fixture(file)).unwrap();
        for (index, byte) in damage {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        let _ = read_everything(&bytes, torch);
    }

    /// Random programs for the pickle parser, after the magic number.
    #[test]
    fn random_pickles_never_panic(
        program in prop::collection::vec(
            prop::sample::select(b"N\x88K\x01M\x8aGX\x8cUC(01)\x85\x86\x87t]ae}suq\x94hj\x93Q.Rb\x00\x02".to_vec()),
            0..200,
        ),
    ) {
        let _ = read_everything(&[b"\x80\x02".as_slice(), &program].concat(), true);
    }
}
