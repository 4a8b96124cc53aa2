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

const NORM: &str = "embeddings.LayerNorm.weight";

/// The prefix that is read from a file with encoders under these prefixes. Each has word embeddings and a layer norm; the norm's
/// scale is 1 in an encoder that was never trained.
fn encoder_prefix(encoders: &[(&str, f32)]) -> Result<String, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.safetensors");
    let tensors: Vec<(String, [u8; 4])> = encoders
        .iter()
        .flat_map(|(prefix, scale)| [(prefix, WORDS, 1.0), (prefix, NORM, *scale)])
        .map(|(prefix, name, value)| (format!("{prefix}{name}"), value.to_le_bytes()))
        .collect();
    let tensors: Vec<(&str, &str, &[usize], &[u8])> = tensors
        .iter()
        .map(|(name, bytes)| (name.as_str(), "F32", [1].as_slice(), bytes.as_slice()))
        .collect();
    write_safetensors(&path, &tensors);
    let weights = safetensors(path).unwrap();
    let encoder = weights.encoder().map_err(|error| error.to_string())?;
    assert_eq!(encoder.read_f32(WORDS, &[1]).unwrap(), [1.0]);
    Ok(encoder.prefix().to_owned())
}

#[test]
fn the_encoder_is_found_under_any_prefix() {
    for prefix in [
        "",
        "roberta.",
        "encoder.",
        "module.encoder.",
        "model.roberta.",
    ] {
        assert_eq!(encoder_prefix(&[(prefix, 1.0)]).unwrap(), prefix);
        assert_eq!(encoder_prefix(&[(prefix, 0.5)]).unwrap(), prefix);
    }
    let none = encoder_prefix(&[("not_a_module_", 1.0)]).unwrap_err();
    assert!(none.contains(WORDS) && none.contains("missing"), "{none}");
}

#[test]
fn of_several_encoders_the_trained_one_is_read() {
    for (encoders, expected) in [
        // LineVul: the class derives from RobertaForSequenceClassification and wraps another one.
        (
            &[("encoder.roberta.", 0.5), ("roberta.", 1.0)][..],
            "encoder.roberta.",
        ),
        (&[("encoder.roberta.", 1.0), ("roberta.", 0.5)], "roberta."),
        (&[("decoder.", 0.4), ("encoder.", 0.5)], "encoder."),
        (
            &[("module.decoder.roberta.", 0.4), ("module.encoder.", 1.0)],
            "module.encoder.",
        ),
        // The same module under two names.
        (
            &[("model.roberta.", 0.5), ("roberta.", 0.5)],
            "model.roberta.",
        ),
    ] {
        assert_eq!(encoder_prefix(encoders).unwrap(), expected);
    }
    for encoders in [
        [("encoder.roberta.", 0.5), ("roberta.", 0.6)],
        [("left.", 0.5), ("right.", 0.4)],
    ] {
        let error = encoder_prefix(&encoders).unwrap_err();
        for (prefix, _) in encoders {
            assert!(error.contains(prefix), "{error}");
        }
        assert!(error.contains("only one of them"), "{error}");
    }
}

#[test]
fn parts_of_a_file_that_are_not_read_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.safetensors");
    let one = 1_f32.to_le_bytes();
    let half = 0.5_f32.to_le_bytes();
    write_safetensors(
        &path,
        &[
            (
                "encoder.roberta.embeddings.word_embeddings.weight",
                "F32",
                &[1],
                &one,
            ),
            (
                "encoder.roberta.embeddings.LayerNorm.weight",
                "F32",
                &[1],
                &half,
            ),
            ("encoder.roberta.pooler.dense.weight", "F32", &[1], &one),
            ("encoder.lm_head.bias", "F32", &[1], &one),
            (
                "roberta.embeddings.word_embeddings.weight",
                "F32",
                &[1],
                &one,
            ),
            ("roberta.embeddings.LayerNorm.weight", "F32", &[1], &one),
            ("classifier.dense.weight", "F32", &[1], &one),
            ("classifier.out_proj.weight", "F32", &[1], &one),
        ],
    );
    let weights = safetensors(path).unwrap();
    let (heads, others) = weights.encoder().unwrap().unused_modules();
    assert_eq!(heads, ["classifier", "encoder.lm_head"]);
    assert_eq!(others, ["roberta"]);
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
        (u32::MAX - 1, "bytes would have to be decompressed"),
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
            "not valid",
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

/// The bytes of a safetensors file.
fn safetensors_bytes(header: &str, n_data: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.resize(file.len() + n_data, 0);
    file
}

fn leaked(bytes: Vec<u8>) -> Blob {
    // The little leak is the price of the embedded form, which needs no file.
    Blob::Embedded {
        name: "test",
        bytes: bytes.leak(),
    }
}

#[test]
fn each_byte_of_a_safetensors_file_belongs_to_one_tensor() {
    let tensor = |name: &str, start: usize, end: usize| {
        format!(
            r#""{name}":{{"dtype":"U8","shape":[{}],"data_offsets":[{start},{end}]}}"#,
            end - start
        )
    };
    for (tensors, n_data, expected) in [
        (
            vec![tensor("a", 0, 8), tensor("b", 0, 8)],
            8,
            "each byte must belong to one tensor",
        ),
        (
            vec![tensor("a", 0, 8), tensor("b", 4, 12)],
            12,
            "tensor b begins at byte 4",
        ),
        (
            vec![tensor("a", 0, 4), tensor("b", 8, 12)],
            12,
            "tensor b begins at byte 8",
        ),
        (vec![tensor("a", 4, 8)], 8, "tensor a begins at byte 4"),
        (
            vec![tensor("a", 0, 4)],
            8,
            "end at byte 4 of the data, which has 8 bytes",
        ),
        (
            vec![tensor("a", 0, 4), tensor("a", 4, 8)],
            8,
            "it has two tensors a",
        ),
    ] {
        let header = format!("{{{}}}", tensors.join(","));
        let bytes = safetensors_bytes(&header, n_data);
        assert!(safetensors::SafeTensors::deserialize(&bytes).is_err() || expected.contains("two"));
        let error = message(Weights::open(&WeightFiles::Safetensors(leaked(bytes))));
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn hostile_headers_are_refused_before_anything_is_built() {
    let numbers = "0,".repeat(1_000_000);
    let many: Vec<String> = (0..200_000)
        .map(|i| format!(r#""{i}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#))
        .collect();
    for (header, expected) in [
        (format!(r#"{{"a":[{numbers}0]}}"#), "invalid"),
        (
            format!(r#"{{"a":{{"dtype":"F32","shape":[{numbers}0],"data_offsets":[0,0]}}}}"#),
            "more than 32 axes",
        ),
        (
            format!("{{{}}}", many.join(",")),
            "more than 131072 tensors",
        ),
        (
            format!(
                r#"{{"{}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}}}"#,
                "x".repeat(1 << 22)
            ),
            "a tensor's name has 4194304 bytes",
        ),
        (
            format!(r#"{{"a":{{"dtype":{},"shape":[0]}}}}"#, "[".repeat(1 << 20)),
            "not valid",
        ),
    ] {
        let bytes = safetensors_bytes(&header, 0);
        let error = message(Weights::open(&WeightFiles::Safetensors(leaked(bytes))));
        assert!(
            error.contains(expected) && error.len() < 2000,
            "{error:.300}"
        );
    }
}

/// What torch.save writes around a pickle and its storages.
fn torch_zip(folder: &str, pickle: &[u8], storages: &[(&str, &[u8])], deflate: bool) -> Vec<u8> {
    use std::io::Write;
    use zip::write::SimpleFileOptions;

    let method = if deflate {
        zip::CompressionMethod::Deflated
    } else {
        zip::CompressionMethod::Stored
    };
    let options = SimpleFileOptions::default().compression_method(method);
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file(format!("{folder}/data.pkl"), options)
        .unwrap();
    zip.write_all(pickle).unwrap();
    for (key, bytes) in storages {
        zip.start_file(format!("{folder}/data/{key}"), options)
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn global(module: &str, name: &str) -> Vec<u8> {
    format!("c{module}\n{name}\n").into_bytes()
}

fn text(text: &str) -> Vec<u8> {
    let mut opcode = vec![b'X'];
    opcode.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
    opcode.extend(text.as_bytes());
    opcode
}

fn int(value: i32) -> Vec<u8> {
    [b"J".as_slice(), &value.to_le_bytes()].concat()
}

/// A persistent id: a storage of `len` f32.
fn storage(key: &str, len: i32) -> Vec<u8> {
    let fields = [
        text("storage"),
        global("torch", "FloatStorage"),
        text(key),
        text("cpu"),
        int(len),
    ];
    [b"(".as_slice(), &fields.concat(), b"tQ"].concat()
}

/// A call of `_rebuild_tensor_v2` for a vector over a storage.
fn vector(key: &str, len: i32) -> Vec<u8> {
    let rest = [
        int(0),
        int(len),
        b"\x85".to_vec(),
        int(1),
        b"\x85\x89N".to_vec(),
    ]
    .concat();
    [
        global("torch._utils", "_rebuild_tensor_v2").as_slice(),
        b"(",
        &storage(key, len),
        &rest,
        b"tR",
    ]
    .concat()
}

/// A pickle of a dict with these items, each a key and a value.
fn dict(items: &[Vec<u8>]) -> Vec<u8> {
    [b"\x80\x02}(".as_slice(), &items.concat(), b"u."].concat()
}

#[test]
fn what_torch_accepts_beside_tensors_is_skipped() {
    let opaque = [
        global("torch", "float32"),
        global("torch", "bfloat16"),
        [global("torch", "Size"), b"(K\x02K\x03t\x85R".to_vec()].concat(),
        [
            global("torch", "device"),
            text("cuda"),
            b"K\x00\x86R".to_vec(),
        ]
        .concat(),
        [
            global("collections", "Counter"),
            b"}(".to_vec(),
            text("a"),
            b"K\x01u\x85R".to_vec(),
        ]
        .concat(),
        [
            global("collections", "OrderedDict"),
            b")R(".to_vec(),
            text("a"),
            b"K\x01u".to_vec(),
        ]
        .concat(),
        [global("builtins", "set"), b"](K\x01K\x02e\x85R".to_vec()].concat(),
    ];
    let mut items: Vec<Vec<u8>> = opaque
        .into_iter()
        .enumerate()
        .flat_map(|(i, value)| [text(&format!("extra{i}")), value])
        .collect();
    items.extend([text("weight"), vector("0", 2)]);
    let data = [1_f32.to_le_bytes(), 2_f32.to_le_bytes()].concat();
    let zip = torch_zip("archive", &dict(&items), &[("0", &data)], false);
    let weights = Weights::open(&WeightFiles::Torch(leaked(zip))).unwrap();
    assert_eq!(weights.names().collect::<Vec<_>>(), ["weight"]);
    assert_eq!(weights.read_f32("weight", &[2]).unwrap(), [1.0, 2.0]);
}

#[test]
fn the_model_is_found_beside_a_loss_and_an_optimizer() {
    let model = |key: &str| {
        let inner = [
            b"}(".to_vec(),
            text(&format!("{key}.{WORDS}")),
            vector("0", 1),
            b"u".to_vec(),
        ];
        inner.concat()
    };
    let optimizer = [
        b"}(".to_vec(),
        text("state"),
        b"}(".to_vec(),
        b"K\x00".to_vec(),
        vector("0", 1),
        b"uu".to_vec(),
    ];
    for (key, prefix) in [
        ("model_state_dict", "roberta"),
        ("state_dict", "model.roberta"),
        ("net_g", "module.encoder"),
    ] {
        let items = [
            text("epoch"),
            int(3),
            text("loss"),
            vector("0", 1),
            text("optimizer_state_dict"),
            optimizer.concat(),
            text(key),
            model(prefix),
        ];
        let zip = torch_zip(
            "archive",
            &dict(&items),
            &[("0", &1_f32.to_le_bytes())],
            false,
        );
        let weights = Weights::open(&WeightFiles::Torch(leaked(zip))).unwrap();
        assert_eq!(weights.encoder().unwrap().prefix(), format!("{prefix}."));
    }
}

#[test]
fn an_archive_has_one_folder() {
    use std::io::Write;
    let pickle = dict(&[text("w"), vector("0", 1)]);
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for folder in ["one", "two"] {
        for (name, bytes) in [("data.pkl", pickle.as_slice()), ("data/0", &[0; 4])] {
            zip.start_file(format!("{folder}/{name}"), options).unwrap();
            zip.write_all(bytes).unwrap();
        }
    }
    let bytes = zip.finish().unwrap().into_inner();
    for _ in 0..4 {
        let error = message(Weights::open(&WeightFiles::Torch(leaked(bytes.clone()))));
        assert!(
            error.contains("two folders with a data.pkl, one and two"),
            "{error}"
        );
    }
}

#[test]
fn small_pickles_stay_small_in_memory() {
    // One long key for many storages, a list that many dicts copy, a tensor that many parameters share.
    let long_key = [
        b"\x80\x02(".to_vec(),
        text("storage"),
        global("torch", "FloatStorage"),
        text(&"k".repeat(1 << 20)),
        text("cpu"),
        int(1),
        b"tq\x00".to_vec(),
        b"Qh\x00".repeat(100_000),
        b".".to_vec(),
    ];
    let copies = [
        b"\x80\x02](".to_vec(),
        b"N\x88\x86".repeat(100_000),
        b"e\x85q\x00".to_vec(),
        global("collections", "OrderedDict"),
        b"q\x01".to_vec(),
        b"h\x01h\x00R".repeat(100_000),
        b".".to_vec(),
    ];
    let axes = b"K\x01".repeat(32);
    let shape = [b"(".as_slice(), &axes, b"t"].concat();
    let tensors = [
        b"\x80\x02".to_vec(),
        global("torch._utils", "_rebuild_tensor_v2"),
        b"q\x01(".to_vec(),
        storage("0", 1),
        int(0),
        shape.clone(),
        shape,
        b"tq\x00".to_vec(),
        b"h\x01h\x00R".repeat(500_000),
        b".".to_vec(),
    ];
    for program in [long_key.concat(), copies.concat(), tensors.concat()] {
        let started = std::time::Instant::now();
        let zip = torch_zip("archive", &program, &[("0", &[0; 4])], false);
        let error = message(Weights::open(&WeightFiles::Torch(leaked(zip))));
        assert!(
            error.contains("a pickle of tensors") && error.len() < 2000,
            "{error:.300}"
        );
        assert!(started.elapsed().as_secs() < 5);
    }

    // One key and one tensor for a million items are a dict with one item, as in Python.
    let shared = [
        b"\x80\x02}(".to_vec(),
        text("w"),
        b"q\x00".to_vec(),
        vector("0", 1),
        b"q\x01".to_vec(),
        b"h\x00h\x01".repeat(400_000),
        b"u.".to_vec(),
    ];
    let zip = torch_zip("archive", &shared.concat(), &[("0", &[0; 4])], false);
    let weights = Weights::open(&WeightFiles::Torch(leaked(zip))).unwrap();
    assert_eq!(weights.names().count(), 1);
}

#[test]
fn bytes_that_many_tensors_share_are_bounded_by_the_file() {
    let items = |n: usize| -> Vec<Vec<u8>> {
        (0..n)
            .flat_map(|i| [text(&format!("w{i}")), vector("0", 1 << 20)])
            .collect()
    };
    let data = vec![0; 4 << 20];
    let tied = torch_zip("archive", &dict(&items(2)), &[("0", &data)], false);
    assert_eq!(
        Weights::open(&WeightFiles::Torch(leaked(tied)))
            .unwrap()
            .names()
            .count(),
        2
    );

    let shared = torch_zip("archive", &dict(&items(100)), &[("0", &data)], false);
    let error = message(Weights::open(&WeightFiles::Torch(leaked(shared))));
    assert!(error.contains("repeat the same bytes"), "{error}");

    let bomb = torch_zip("archive", &dict(&items(1)), &[("0", &data)], true);
    assert!(bomb.len() < 50_000);
    let error = message(Weights::open(&WeightFiles::Torch(leaked(bomb))));
    assert!(error.contains("torch.save does not compress"), "{error}");
}

#[test]
fn names_in_messages_are_escaped_and_cut() {
    let hostile = format!("\u{1b}]0;x\u{7}\0\u{202e}{}", "y".repeat(1 << 20));
    let zip = torch_zip("archive", &dict(&[text(&hostile), int(1)]), &[], false);
    let no_tensors = message(Weights::open(&WeightFiles::Torch(leaked(zip))));
    let pickle = [
        b"\x80\x02".to_vec(),
        text(&hostile),
        text("x"),
        b"\x93.".to_vec(),
    ]
    .concat();
    let zip = torch_zip("archive", &pickle, &[], false);
    let forbidden = message(Weights::open(&WeightFiles::Torch(leaked(zip))));
    let header = serde_json::json!({hostile[..100].to_owned(): {"dtype": "U8", "shape": [1], "data_offsets": [4, 5]}});
    let bytes = safetensors_bytes(&header.to_string(), 5);
    let offsets = message(Weights::open(&WeightFiles::Safetensors(leaked(bytes))));
    for error in [no_tensors, forbidden, offsets] {
        assert!(
            !error.chars().any(|c| c.is_control() || c == '\u{202e}'),
            "{error:?}"
        );
        assert!(
            error.contains("\\u{1b}") && error.len() < 2000,
            "{error:.300}"
        );
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
            result => {
                result?;
            }
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
