//! Model directories that ask for much memory or time, or that never end. Each is a small model with one file replaced.

#![allow(dead_code, reason = "each test file uses its part")]

use std::fmt::Write as _;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

const WEIGHTS: &str = "model.safetensors";
const TORCH: &str = "pytorch_model.bin";

/// A directory with a model.
pub struct HostileModel {
    pub name: &'static str,
    pub path: PathBuf,
    /// Bytes of its regular files.
    pub n_bytes: u64,
    /// Whether it is a model all the same.
    pub loads: bool,
}

/// Creates all of them in `dir`.
pub fn hostile_models(dir: &Path) -> Vec<HostileModel> {
    let mut models = Vec::new();
    for (name, make) in CASES {
        let path = dir.join(name);
        fs::create_dir(&path).unwrap();
        make(&path);
        let regular = fs::read_dir(&path).unwrap().filter_map(|entry| {
            let data = entry.unwrap().metadata().unwrap();
            data.is_file().then_some(data.len())
        });
        models.push(HostileModel {
            name,
            n_bytes: regular.sum(),
            path,
            loads: name.starts_with("window_") || SUPERFLUOUS.contains(name),
        });
    }
    models
}

/// Models with a file whose content is not needed.
const SUPERFLUOUS: [&str; 3] = [
    "config_numbers",
    "special_tokens_numbers",
    "tokenizer_config_numbers",
];

type Make = fn(&Path);

const CASES: &[(&str, Make)] = &[
    ("pickle_shared_keys", |dir| torch(dir, &shared_keys(), &[])),
    ("pickle_dict_copies", |dir| {
        torch(dir, &dict_copies(false), &[]);
    }),
    ("pickle_nested_copies", |dir| {
        torch(dir, &dict_copies(true), &[]);
    }),
    ("pickle_shared_storage", |dir| {
        torch(dir, &shared_storage(), &[("0", &[0; 4 << 20], false)]);
    }),
    ("pickle_million_axes", |dir| {
        torch(dir, &million_axes(), &[("0", &[0; 4], false)]);
    }),
    ("zip_deflated", |dir| {
        torch(dir, b"\x80\x02}.", &[("0", &vec![0; 256 << 20], true)]);
    }),
    ("zip_many_entries", |dir| {
        only_torch(dir);
        fs::write(dir.join(TORCH), zip_of_entries(600_000)).unwrap();
    }),
    ("zip_two_directories", |dir| {
        // The count at the end of the file is that of another directory.
        only_torch(dir);
        let mut bytes = zip_of_entries(600_000);
        let end = bytes.len() - 22;
        bytes[end + 8..end + 12].copy_from_slice(&[1, 0, 1, 0]);
        fs::write(dir.join(TORCH), bytes).unwrap();
    }),
    ("safetensors_overlap", |dir| {
        let mut header = String::from("{");
        for at in 0..2000 {
            let _ = write!(
                header,
                r#""t{at}":{{"dtype":"F32","shape":[262144],"data_offsets":[0,1048576]}},"#
            );
        }
        safetensors(
            dir,
            &(header.trim_end_matches(',').to_owned() + "}"),
            1 << 20,
        );
    }),
    ("safetensors_hole", |dir| {
        let header = r#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[8388608,8388612]}}"#;
        safetensors(dir, header, (8 << 20) + 4);
    }),
    ("safetensors_million_axes", |dir| {
        let shape = "1,".repeat(8 << 20) + "1";
        let header = format!(r#"{{"t":{{"dtype":"F32","shape":[{shape}],"data_offsets":[0,4]}}}}"#);
        safetensors(dir, &header, 4);
    }),
    ("safetensors_numbers", |dir| {
        let numbers = "0,".repeat(20 << 20) + "0";
        safetensors(dir, &format!(r#"{{"__metadata__":[{numbers}]}}"#), 0);
    }),
    ("safetensors_million_tensors", |dir| {
        let mut header = String::from("{");
        for at in 0..600_000 {
            let _ = write!(
                header,
                r#""{at}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}},"#
            );
        }
        safetensors(dir, &(header.trim_end_matches(',').to_owned() + "}"), 0);
    }),
    ("safetensors_nested", |dir| {
        safetensors(dir, &format!(r#"{{"t":{}"#, "[".repeat(16 << 20)), 0);
    }),
    ("added_tokens_million", |dir| {
        change_json(dir, "tokenizer.json", |json| {
            let token =
                |at| json!({ "id": 300 + at, "content": format!("t{at}"), "special": false });
            json["added_tokens"] = (0..600_000).map(token).collect();
        });
    }),
    ("template_million_tokens", |dir| {
        change_json(dir, "tokenizer.json", |json| {
            let token = |at| (format!("t{at}"), json!({ "ids": [0] }));
            let tokens: serde_json::Map<_, _> = (0..1_500_000).map(token).collect();
            json["post_processor"] = json!({
                "type": "TemplateProcessing", "single": [], "special_tokens": tokens,
            });
        });
    }),
    ("tokenizer_regexes", |dir| {
        change_json(dir, "tokenizer.json", |json| {
            let split = json!({
                "type": "Split", "behavior": "Isolated", "invert": false,
                "pattern": { "Regex": "(a*)*b".repeat(100_000) },
            });
            json["pre_tokenizer"] = json!({
                "type": "Sequence",
                "pretokenizers": vec![split; 16],
            });
        });
    }),
    ("vocabulary_large", |dir| {
        fs::remove_file(dir_with_model(dir).join("tokenizer.json")).unwrap();
        let mut vocab = String::from("{");
        for at in 0..1_700_000 {
            let _ = write!(vocab, r#""subword number {at}":{at},"#);
        }
        fs::write(
            dir.join("vocab.json"),
            vocab.trim_end_matches(',').to_owned() + "}",
        )
        .unwrap();
        fs::write(dir.join("merges.txt"), "").unwrap();
    }),
    ("merges_many", |dir| {
        fs::remove_file(dir_with_model(dir).join("tokenizer.json")).unwrap();
        fs::write(
            dir.join("vocab.json"),
            r#"{"<s>":0,"</s>":1,"a":2,"b":3,"ab":4}"#,
        )
        .unwrap();
        fs::write(dir.join("merges.txt"), "a b\n".repeat(12 << 20)).unwrap();
    }),
    ("config_numbers", |dir| {
        change_text(dir, "config.json", |text| {
            format!(r#"{{"numbers":[{}0],{}"#, "0,".repeat(5 << 20), &text[1..])
        });
    }),
    ("config_large", |dir| {
        change_text(dir, "config.json", |text| {
            format!(r#"{{"numbers":[{}0],{}"#, "0,".repeat(15 << 20), &text[1..])
        });
    }),
    ("config_nested", |dir| {
        change_text(dir, "config.json", |_| {
            format!(r#"{{"a":{}"#, "[".repeat(10 << 20))
        });
    }),
    ("config_not_finite", |dir| {
        change_text(dir, "config.json", |_| {
            format!(r#"{{"a":[{}"#, "NaN,".repeat(7 << 20))
        });
    }),
    ("tokenizer_config_numbers", |dir| {
        let numbers = "0,".repeat((4 << 20) - 64);
        fs::write(
            dir_with_model(dir).join("tokenizer_config.json"),
            format!(r#"{{"numbers":[{numbers}0]}}"#),
        )
        .unwrap();
    }),
    ("special_tokens_numbers", |dir| {
        let numbers = "0,".repeat((4 << 20) - 64);
        fs::write(
            dir_with_model(dir).join("special_tokens_map.json"),
            format!(r#"{{"extra_special_tokens":[{numbers}0]}}"#),
        )
        .unwrap();
    }),
    ("index_million_entries", |dir| {
        fs::remove_file(dir_with_model(dir).join(WEIGHTS)).unwrap();
        let mut index = String::from(r#"{"weight_map":{"#);
        for at in 0..1_000_000 {
            let _ = write!(index, r#""{at}":"a","#);
        }
        let index = index.trim_end_matches(',').to_owned() + "}}";
        fs::write(dir.join("model.safetensors.index.json"), index).unwrap();
    }),
    ("window_of_many_positions", |dir| {
        model_of_shape(
            dir,
            &Shape {
                hidden: 64,
                heads: 64,
                positions: 100_000,
            },
        );
    }),
    ("window_of_many_heads", |dir| {
        model_of_shape(
            dir,
            &Shape {
                hidden: 2048,
                heads: 2048,
                positions: 514,
            },
        );
    }),
    #[cfg(unix)]
    ("weights_symlink_loop", |dir| {
        special_file(dir, WEIGHTS, "ln -s model.safetensors");
    }),
    #[cfg(unix)]
    ("weights_fifo", |dir| special_file(dir, WEIGHTS, "mkfifo")),
    #[cfg(unix)]
    ("weights_device", |dir| {
        special_file(dir, WEIGHTS, "ln -s /dev/zero");
    }),
    #[cfg(unix)]
    ("config_fifo", |dir| {
        special_file(dir, "config.json", "mkfifo");
    }),
    #[cfg(unix)]
    ("directory_loop", |dir| {
        only_torch(dir);
        fs::remove_file(dir.join("config.json")).unwrap();
        special_file(dir, "snapshots", "ln -s .");
    }),
];

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/safetensors")
}

/// Copies a small model into `dir`.
fn dir_with_model(dir: &Path) -> &Path {
    for name in ["config.json", "tokenizer.json", WEIGHTS] {
        fs::copy(fixture().join(name), dir.join(name)).unwrap();
    }
    dir
}

fn only_torch(dir: &Path) {
    fs::remove_file(dir_with_model(dir).join(WEIGHTS)).unwrap();
}

fn change_text(dir: &Path, name: &str, change: impl FnOnce(&str) -> String) {
    let path = dir_with_model(dir).join(name);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, change(&text)).unwrap();
}

fn change_json(dir: &Path, name: &str, change: impl FnOnce(&mut Value)) {
    change_text(dir, name, |text| {
        let mut json = serde_json::from_str(text).unwrap();
        change(&mut json);
        json.to_string()
    });
}

/// What a shell command makes of the path of a file.
#[cfg(unix)]
fn special_file(dir: &Path, name: &str, command: &str) {
    if !dir.join("tokenizer.json").exists() {
        dir_with_model(dir);
    }
    if dir.join(name).exists() {
        fs::remove_file(dir.join(name)).unwrap();
    }
    let words: Vec<&str> = command.split(' ').collect();
    let made = std::process::Command::new(words[0])
        .args(&words[1..])
        .arg(name)
        .current_dir(dir)
        .status();
    assert!(made.unwrap().success(), "{command} {name}");
}

fn safetensors(dir: &Path, header: &str, n_data: usize) {
    dir_with_model(dir);
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.resize(bytes.len() + n_data, 0);
    fs::write(dir.join(WEIGHTS), bytes).unwrap();
}

/// Writes `pickle` and the storages (key, content, whether it is deflated) as `torch.save` would.
fn torch(dir: &Path, pickle: &[u8], storages: &[(&str, &[u8], bool)]) {
    only_torch(dir);
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: String, content: &[u8], is_deflated| {
        let method = if is_deflated {
            zip::CompressionMethod::Deflated
        } else {
            zip::CompressionMethod::Stored
        };
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(name, options).unwrap();
        zip.write_all(content).unwrap();
    };
    add("archive/data.pkl".to_owned(), pickle, false);
    for (key, content, is_deflated) in storages {
        add(format!("archive/data/{key}"), content, *is_deflated);
    }
    fs::write(dir.join(TORCH), zip.finish().unwrap().into_inner()).unwrap();
}

/// An archive of empty entries: one local header, and a directory in which each entry points to it.
fn zip_of_entries(n_entries: u32) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04".to_vec();
    bytes.extend([20, 0]);
    bytes.resize(30, 0);
    let start = bytes.len() as u64;
    for entry in 0..n_entries {
        let name = format!("{entry:x}");
        let at = bytes.len();
        bytes.extend(b"PK\x01\x02");
        bytes.extend([20, 0, 20, 0]);
        bytes.resize(at + 46, 0);
        bytes[at + 28] = u8::try_from(name.len()).unwrap();
        bytes.extend(name.bytes());
    }
    let size = bytes.len() as u64 - start;
    let end64 = bytes.len() as u64;
    bytes.extend(b"PK\x06\x06");
    bytes.extend(44_u64.to_le_bytes());
    bytes.extend([45, 0, 45, 0]);
    bytes.extend([0; 8]);
    for number in [u64::from(n_entries), u64::from(n_entries), size, start] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(b"PK\x06\x07");
    bytes.extend([0; 4]);
    bytes.extend(end64.to_le_bytes());
    bytes.extend([1, 0, 0, 0]);
    bytes.extend(b"PK\x05\x06");
    bytes.extend([0; 4]);
    bytes.extend([0xff; 4]);
    bytes.extend(u32::try_from(size).unwrap().to_le_bytes());
    bytes.extend(u32::try_from(start).unwrap().to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

/// One text of 8 MB, which a million items of a dict have as their key.
fn shared_keys() -> Vec<u8> {
    let key = vec![b'k'; 8 << 20];
    let mut pickle = b"\x80\x02}(X".to_vec();
    pickle.extend(u32::try_from(key.len()).unwrap().to_le_bytes());
    pickle.extend(key);
    pickle.extend(b"q\x00N");
    pickle.extend(b"h\x00N".repeat(1_000_000));
    pickle.extend(b"u.");
    pickle
}

/// `OrderedDict(list)` again and again; nested, each has all items of the one before twice.
fn dict_copies(is_nested: bool) -> Vec<u8> {
    let mut pickle = b"\x80\x02]q\x00(".to_vec();
    pickle.extend(b"NN\x86".repeat(10_000));
    pickle.extend(b"eccollections\nOrderedDict\nq\x01");
    for at in 2..100_000_u32 {
        if is_nested {
            // OrderedDict([(dict, dict)]) of the dict before.
            pickle.extend(b"h\x01]");
            for _ in 0..2 {
                pickle.extend(b"j");
                pickle.extend(if at == 2 { 0 } else { at - 1 }.to_le_bytes());
            }
            pickle.extend(b"\x86a\x85Rr");
            pickle.extend(at.to_le_bytes());
        } else {
            pickle.extend(b"h\x01h\x00\x85R");
        }
    }
    pickle.push(b'.');
    pickle
}

/// `_rebuild_tensor_v2(storage, 0, shape, strides)` up to the shape.
const TENSOR: &[u8] = b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuJ\x00\x00\x10\x00tQK\x00";

/// Many tensors that are the whole of one storage.
fn shared_storage() -> Vec<u8> {
    let mut pickle = b"\x80\x02}(".to_vec();
    for at in 0..50_000 {
        let name = format!("roberta.t{at}");
        pickle.push(b'X');
        pickle.extend(u32::try_from(name.len()).unwrap().to_le_bytes());
        pickle.extend(name.bytes());
        if at == 0 {
            pickle.extend(TENSOR);
            pickle.extend(b"J\x00\x00\x10\x00\x85K\x01\x85\x89}tRq\x00");
        } else {
            pickle.extend(b"h\x00");
        }
    }
    pickle.extend(b"u.");
    pickle
}

fn million_axes() -> Vec<u8> {
    let mut pickle = b"\x80\x02}X\x01\x00\x00\x00t".to_vec();
    pickle.extend(TENSOR);
    for _ in 0..2 {
        pickle.push(b'(');
        pickle.extend(b"K\x01".repeat(1_000_000));
        pickle.push(b't');
    }
    pickle.extend(b"\x89}tRs.");
    pickle
}

struct Shape {
    hidden: usize,
    heads: usize,
    positions: usize,
}

/// A complete model of one layer in f16, whose weights are zero.
fn model_of_shape(dir: &Path, shape: &Shape) {
    let mut vocab_size = 0;
    change_json(dir, "config.json", |config| {
        config["hidden_size"] = json!(shape.hidden);
        config["num_attention_heads"] = json!(shape.heads);
        config["max_position_embeddings"] = json!(shape.positions);
        config["num_hidden_layers"] = json!(1);
        config["intermediate_size"] = json!(1);
        config["type_vocab_size"] = json!(1);
        vocab_size = usize::try_from(config["vocab_size"].as_u64().unwrap()).unwrap();
    });
    let h = shape.hidden;
    let mut tensors: Vec<(String, Vec<usize>)> = vec![
        (
            "embeddings.word_embeddings.weight".to_owned(),
            vec![vocab_size, h],
        ),
        (
            "embeddings.position_embeddings.weight".to_owned(),
            vec![shape.positions, h],
        ),
        (
            "embeddings.token_type_embeddings.weight".to_owned(),
            vec![1, h],
        ),
        ("embeddings.LayerNorm.weight".to_owned(), vec![h]),
        ("embeddings.LayerNorm.bias".to_owned(), vec![h]),
    ];
    let mut add = |name: &str, weight: Vec<usize>, bias: usize| {
        tensors.push((format!("encoder.layer.0.{name}.weight"), weight));
        tensors.push((format!("encoder.layer.0.{name}.bias"), vec![bias]));
    };
    for name in ["self.query", "self.key", "self.value", "output.dense"] {
        add(&format!("attention.{name}"), vec![h, h], h);
    }
    add("attention.output.LayerNorm", vec![h], h);
    add("intermediate.dense", vec![1, h], 1);
    add("output.dense", vec![h, 1], h);
    add("output.LayerNorm", vec![h], h);
    let mut header = serde_json::Map::new();
    let mut end = 0;
    for (name, shape) in tensors {
        let start = end;
        end += 2 * shape.iter().product::<usize>();
        let info = json!({ "dtype": "F16", "shape": shape, "data_offsets": [start, end] });
        header.insert(name, info);
    }
    let header = Value::Object(header).to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.resize(bytes.len() + end, 0);
    fs::write(dir.join(WEIGHTS), bytes).unwrap();
}
