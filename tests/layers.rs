//! Holds `src/` to its architecture: an import goes to the same or a lower layer, a library stays in the module that owns it,
//! and only the command line prints.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

#[path = "layers/scan.rs"]
mod scan;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use scan::{Found, What, scan};

/// The modules of the crate's root by layer, lowest first. A new one must be put here.
const LAYERS: &[&[&str]] = &[
    &["text"],
    &["model"],
    &["attribution"],
    &["analysis"],
    &["engine"],
    &["view", "eval", "tracking"],
    &["main", "cli", "lsp", "http"],
];

/// Crates, or words in paths, and the only modules that may name them. A trailing `*` stands for any ending.
const OWNED: &[(&str, &[&str])] = &[
    ("candle_*", &["model", "attribution"]),
    ("tokenizers", &["model"]),
    ("hf_hub", &["model"]),
    ("rten_*", &["model"]),
    ("ls_types", &["lsp"]),
    ("lsp_types", &["lsp"]),
];

const PRINTING: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];

/// What the lowest layer may use of the crates in `Cargo.toml`: Unicode tables, and the derive macro of its errors.
fn suits_text(dependency: &str) -> bool {
    dependency.starts_with("unicode_") || dependency == "thiserror"
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// Everything in `source` that the architecture forbids to the module `module` (its path below `crate`).
fn violations(source: &str, module: &[&str], dependencies: &BTreeSet<String>) -> Vec<String> {
    let path: Vec<String> = module.iter().map(|&word| word.to_owned()).collect();
    let root = *module.first().unwrap_or(&"lib");
    scan(source, &path)
        .into_iter()
        .filter_map(|Found { line, what }| {
            let fault = match what {
                What::Path(path) => judge_path(&path, root, dependencies)?,
                What::Macro(name) => judge_macro(&name, root)?,
            };
            Some(format!("line {line}: {fault}"))
        })
        .collect()
}

fn judge_macro(name: &str, root: &str) -> Option<String> {
    let forbidden = root != "cli" && PRINTING.contains(&name);
    forbidden.then(|| format!("{root} prints with {name}!; only cli may"))
}

fn judge_path(path: &[String], root: &str, dependencies: &BTreeSet<String>) -> Option<String> {
    let written = path.join("::");
    for (owned, owners) in OWNED {
        let is_owned = |word: &String| match owned.strip_suffix('*') {
            Some(prefix) => word.starts_with(prefix),
            None => word == owned,
        };
        // A library's name is that of the path's root; a protocol's types may be reached through another crate.
        let named = if owned.ends_with("_types") {
            path.iter().any(is_owned)
        } else {
            path.first().is_some_and(is_owned)
        };
        if named && !owners.contains(&root) {
            return Some(format!(
                "{root} uses {written}; only {} may",
                owners.join(", ")
            ));
        }
    }
    let [first, rest @ ..] = path else {
        return None;
    };
    if root == "text" && dependencies.contains(first) && !suits_text(first) {
        return Some(format!("text uses {written}; it needs std alone"));
    }
    if first != "crate" && first != "codegaze" || root == "lib" {
        return None;
    }
    let target = match rest.first().map(String::as_str) {
        None | Some("*" | "self") => {
            return Some(format!(
                "{root} imports the whole crate as {written}; name the module"
            ));
        }
        Some(target) => target,
    };
    let Some(of_target) = layer(target) else {
        return Some(format!(
            "{root} uses {written}, which is in no layer; put {target} into LAYERS"
        ));
    };
    let of_root = layer(root).expect("checked for every file");
    (of_target > of_root)
        .then(|| format!("{root} (L{of_root}) reaches up to {written} (L{of_target})"))
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("src can be listed") {
        let path = entry.expect("src can be listed").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// `["model", "kernels"]` for `src/model/kernels.rs`, nothing for `src/lib.rs`.
fn module_of(file: &Path, src: &Path) -> Vec<String> {
    let relative = file
        .strip_prefix(src)
        .expect("a file of src")
        .with_extension("");
    let mut words: Vec<String> = relative
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    if words.last().is_some_and(|word| word == "mod") || words == ["lib"] {
        words.pop();
    }
    words
}

/// The names of the crates in Cargo.toml, as Rust writes them.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    manifest
        .lines()
        .skip_while(|line| *line != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name.trim().replace('-', "_"))
        .collect()
}

#[test]
fn source_keeps_to_its_layers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let src = root.join("src");
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("Cargo.toml is there");
    let dependencies = dependencies(&manifest);
    assert!(
        dependencies.contains("candle_core"),
        "Cargo.toml is not read rightly: {dependencies:?}"
    );
    let mut faults = Vec::new();
    let mut n_imports = 0;
    for file in rust_files(&src) {
        let module = module_of(&file, &src);
        let module: Vec<&str> = module.iter().map(String::as_str).collect();
        let name = file.strip_prefix(root).expect("below the root").display();
        if let Some(first) = module.first()
            && layer(first).is_none()
        {
            faults.push(format!(
                "{name}: {first} is in no layer; put it into LAYERS"
            ));
            continue;
        }
        let source = fs::read_to_string(&file).expect("a readable file");
        n_imports += source.matches("crate::").count();
        faults.extend(
            violations(&source, &module, &dependencies)
                .into_iter()
                .map(|fault| format!("{name}, {fault}")),
        );
    }
    assert!(n_imports > 0, "no import was seen below {}", src.display());
    assert!(
        faults.is_empty(),
        "the layers are broken:\n{}",
        faults.join("\n")
    );
}

/// Module, source, and a part of the one fault that must be found; none where the source is right.
const CASES: &[(&[&str], &str, Option<&str>)] = &[
    // Arrows down, sideways and to std are right.
    (&["analysis"], "use crate::attribution::Method;", None),
    (
        &["view", "png"],
        "use crate::analysis::{Analysis, ScoredLexeme};",
        None,
    ),
    (&["view"], "use crate::view::level::HeatLevel;", None),
    (&["eval"], "fn f(v: &crate::view::Theme) {}", None),
    (
        &["model"],
        "use std::sync::Arc;\nuse super::text::ByteSpan;",
        None,
    ),
    (&["main"], "fn main() { codegaze::cli::main() }", None),
    // Arrows up, however they are written.
    (
        &["text"],
        "use crate::model::Model;",
        Some("line 1: text (L0) reaches up to crate::model::Model (L1)"),
    ),
    (
        &["model"],
        "use crate::text::ByteSpan;\n\nuse crate::view;",
        Some("line 3: model (L1) reaches up to crate::view (L5)"),
    ),
    (
        &["model", "weights"],
        "use crate::{text::{ByteSpan, LineCol}, attribution::{Method as M}};",
        Some("line 1: model (L1) reaches up to crate::attribution::Method (L2)"),
    ),
    (
        &["analysis", "chunk"],
        "fn f() -> crate::engine::Job { todo() }",
        Some("crate::engine::Job"),
    ),
    (
        &["attribution"],
        "let x = vec![crate::analysis::analyze(1)];",
        Some("crate::analysis::analyze"),
    ),
    (
        &["text", "lexeme"],
        "use super::super::view::Theme;",
        Some("crate::view::Theme"),
    ),
    (&["text"], "use super::cli::*;", Some("crate::cli::*")),
    (
        &["text"],
        "mod tests { use super::super::analysis::Analysis; }",
        Some("crate::analysis::Analysis"),
    ),
    (
        &["text"],
        "mod a { mod b {} }\nuse self::super::lsp;",
        Some("line 2"),
    ),
    (
        &["view"],
        "pub(in crate::view) use crate::lsp::proto;",
        Some("crate::lsp::proto"),
    ),
    (
        &["engine"],
        "#[derive(Debug)] struct S { #[serde(with = \"x\")] a: crate::http::Y }",
        Some("crate::http::Y"),
    ),
    (
        &["view"],
        "use codegaze::cli::args;",
        Some("codegaze::cli::args"),
    ),
    (&["view"], "use crate as all;", Some("whole crate")),
    (&["view"], "use crate::*;", Some("whole crate")),
    (&["view"], "use crate::misc::Thing;", Some("in no layer")),
    // Text about modules is none of them; neither are words inside of literals.
    (
        &["text"],
        "/// As [`crate::view::Theme`].\n// crate::cli::main()\n/* crate::lsp /* nested */ crate::lsp::x */",
        None,
    ),
    (
        &["text"],
        r##"const A: &str = "crate::view::X \" crate::view::Y"; const B: &str = r#"println!("crate::cli::x")"#;"##,
        None,
    ),
    (
        &["text"],
        r#"const A: &[u8] = b"\""; const B: char = '"'; use crate::cli::X; const C: char = '"';"#,
        Some("crate::cli::X"),
    ),
    (
        &["text"],
        "fn f<'a>(x: &'a str) -> &'a crate::view::X {}",
        Some("crate::view::X"),
    ),
    (
        &["text"],
        "let q = '\\''; crate::view::x();",
        Some("crate::view::x"),
    ),
    (
        &["text"],
        "let r#type = br#\"x\"#; crate::view::x();",
        Some("crate::view::x"),
    ),
    // Libraries stay with their owners.
    (
        &["model", "kernels", "candle"],
        "use candle_core::Tensor;",
        None,
    ),
    (
        &["model", "kernels"],
        "use candle::Candle; // a module of that name",
        None,
    ),
    (&["attribution"], "use candle_core::Tensor;", None),
    (
        &["view"],
        "use candle_core::Tensor;",
        Some("only model, attribution may"),
    ),
    (
        &["cli"],
        "fn f() { candle_nn::ops::softmax(x, 0) }",
        Some("candle_nn::ops::softmax"),
    ),
    (
        &["analysis"],
        "use ::tokenizers as t;",
        Some("only model may"),
    ),
    (
        &["analysis"],
        "let tokenizers = model.tokenizers(); tokenizers.len()",
        None,
    ),
    (
        &["cli"],
        "use hf_hub::api::sync::Api;",
        Some("only model may"),
    ),
    (
        &["attribution"],
        "use rten_gemm::GemmExecutor;",
        Some("only model may"),
    ),
    (
        &["view"],
        "use tower_lsp::ls_types::Range;",
        Some("only lsp may"),
    ),
    (&["lsp", "proto"], "use tower_lsp::ls_types::Range;", None),
    (&["text"], "use serde::Serialize;", Some("std alone")),
    (&["text"], "#[derive(thiserror::Error)] enum E {}", None),
    (&["text"], "use unicode_ident::is_xid_start;", None),
    // Only the command line prints.
    (
        &["cli", "output"],
        "println!(\"{x}\"); eprint!(\".\");",
        None,
    ),
    (
        &["model"],
        "fn f() {\n    println!(\"{x}\");\n}",
        Some("line 2: model prints with println!"),
    ),
    (&["main"], "std::eprintln!(\"x\");", Some("eprintln!")),
    (&["http"], "print!(\"x\")", Some("print!")),
    (&["lsp"], "dbg!(x)", Some("dbg!")),
    (
        &["view"],
        "writeln!(out, \"x\")?; if print != 1 { println() }",
        None,
    ),
];

#[test]
fn faults_are_found() {
    let dependencies =
        dependencies("[dependencies]\nserde = \"1\"\nthiserror = \"2\"\nunicode-ident = \"1\"\n");
    for &(module, source, expected) in CASES {
        let faults = violations(source, module, &dependencies);
        let matches = match expected {
            None => faults.is_empty(),
            Some(part) => faults.len() == 1 && faults[0].contains(part),
        };
        assert!(
            matches,
            "in {module:?}:\n{source}\nexpected {expected:?}, found {faults:#?}"
        );
    }
}
