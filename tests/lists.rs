//! Lists of names outside of Rust: each is what the table in Rust says.
//!
//! `web/src/generated/lists.ts` is written by this test: `UPDATE_LISTS=1 cargo test --test lists`. The others are texts that people
//! write; a failure names the file and the entry that is missing.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use codegaze::attribution::{Aggregate, Fusion, Method, Sinks};
use codegaze::model::{Device, Precision};
use codegaze::text::named::Named;
use codegaze::view::colormap::Colormap;
use codegaze::view::heatmap::Unit;
use codegaze::view::picture::{PictureFormat, PictureKind};
use codegaze::view::theme::Theme;
use serde_json::Value;

const GENERATED: &str = "web/src/generated/lists.ts";

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    let text = fs::read_to_string(at(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.replace("\r\n", "\n")
}

fn names<T: Named>() -> Vec<&'static str> {
    T::ALL.iter().map(|value| value.as_str()).collect()
}

/// `"a" | "b"`
fn union<T: Named>(quote: char) -> String {
    let quoted: Vec<String> = names::<T>()
        .iter()
        .map(|name| format!("{quote}{name}{quote}"))
        .collect();
    quoted.join(" | ")
}

fn capitalized(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

/// A constant with the names, and their type.
fn write_list<T: Named>(out: &mut String, about: &str, constant: &str, name: &str) {
    let list: Vec<String> = names::<T>().iter().map(|n| format!("'{n}'")).collect();
    let _ = write!(
        out,
        "\n/** {about} */\nexport const {constant} = [{}] as const;\nexport type {name} = (typeof {constant})[number];\n",
        list.join(", ")
    );
}

/// The lists of names as TypeScript, as biome formats it.
fn typescript() -> String {
    let mut out = "// The lists of names that Rust declares. `UPDATE_LISTS=1 cargo test --test lists` writes this file.\n"
        .to_owned();
    let file = &mut out;
    write_list::<Method>(
        file,
        "How attention becomes scores.",
        "METHOD_NAMES",
        "MethodName",
    );
    file.push_str("\n/** For people: the name of a method, and what a score is. */\n");
    file.push_str("export const METHODS: Record<MethodName, { name: string; what: string }> = {\n");
    for method in Method::ALL {
        let name = method.definition().title();
        let what = capitalized(method.about());
        for text in [name, &what] {
            assert!(!text.contains(['\'', '\\']), "{text:?} needs an escape");
        }
        let _ = writeln!(file, "  {method}: {{ name: '{name}', what: '{what}' }},");
    }
    file.push_str("};\n");
    write_list::<Fusion>(
        file,
        "How all heads of a layer become one.",
        "FUSIONS",
        "Fusion",
    );
    write_list::<Sinks>(
        file,
        "What happens to attention on special subwords.",
        "SINKS",
        "Sinks",
    );
    write_list::<Aggregate>(
        file,
        "How the scores of a lexeme’s subwords become one.",
        "AGGREGATES",
        "Aggregate",
    );
    let _ = writeln!(
        file,
        "\n/** What a view uses if it names no aggregate. */\nexport const DEFAULT_AGGREGATE: Aggregate = '{}';",
        Aggregate::default()
    );
    file.push_str("\n/** For people: how each aggregate works. */\n");
    file.push_str("export const AGGREGATE_TEXTS: Record<Aggregate, string> = {\n");
    for aggregate in Aggregate::ALL {
        let text = capitalized(aggregate.about());
        assert!(!text.contains(['\'', '\\']), "{text:?} needs an escape");
        let _ = writeln!(file, "  {aggregate}: '{text}',");
    }
    file.push_str("};\n");
    write_list::<Unit>(
        file,
        "What a row and a column of a matrix stand for.",
        "UNITS",
        "Unit",
    );
    out
}

#[test]
fn the_generated_lists_are_current() {
    let expected = typescript();
    if std::env::var_os("UPDATE_LISTS").is_some() {
        fs::create_dir_all(at(GENERATED).parent().unwrap()).unwrap();
        fs::write(at(GENERATED), &expected).unwrap();
    }
    assert_eq!(
        read(GENERATED),
        expected,
        "{GENERATED} is not what Rust declares: run UPDATE_LISTS=1 cargo test --test lists"
    );
}

/// The setting's `enum` and its descriptions.
fn check_setting<T: Named>(properties: &Value, key: &str) {
    let file = "editors/vscode/package.json";
    let setting = &properties[key];
    let expected: Vec<Value> = names::<T>().into_iter().map(Into::into).collect();
    assert_eq!(
        setting["enum"],
        Value::from(expected),
        "{file}: the enum of {key}"
    );
    let about: Vec<Value> = T::ALL
        .iter()
        .map(|value| capitalized(value.about()).into())
        .collect();
    assert_eq!(
        setting["enumDescriptions"],
        Value::from(about),
        "{file}: the enumDescriptions of {key}"
    );
}

#[test]
fn vscode_offers_what_there_is() {
    let manifest: Value = serde_json::from_str(&read("editors/vscode/package.json")).unwrap();
    let groups = manifest["contributes"]["configuration"].as_array().unwrap();
    let mut properties = serde_json::Map::new();
    for group in groups {
        properties.extend(group["properties"].as_object().unwrap().clone());
    }
    let properties = Value::Object(properties);
    check_setting::<Device>(&properties, "codegaze.device");
    check_setting::<Precision>(&properties, "codegaze.precision");
    check_setting::<Method>(&properties, "codegaze.method");
    check_setting::<Sinks>(&properties, "codegaze.sinks");
    check_setting::<Aggregate>(&properties, "codegaze.aggregate");
}

#[test]
fn neovim_offers_and_documents_what_there_is() {
    let file = "editors/nvim/lua/codegaze/export.lua";
    let export = read(file);
    let list_of = |name: &str| -> Vec<String> {
        let (_, rest) = export
            .split_once(&format!("M.{name} = {{"))
            .unwrap_or_else(|| panic!("{file} has no M.{name}"));
        let (list, _) = rest.split_once('}').unwrap();
        let mut names: Vec<String> = list
            .split(',')
            .map(|name| name.trim().trim_matches('\'').to_owned())
            .collect();
        names.sort_unstable();
        names
    };
    let mut formats = names::<PictureFormat>();
    formats.push("json");
    formats.sort_unstable();
    assert_eq!(list_of("FORMATS"), formats, "{file}: M.FORMATS");
    assert_eq!(list_of("KINDS"), names::<PictureKind>(), "{file}: M.KINDS");
    let file = "editors/nvim/doc/codegaze.txt";
    let help = read(file);
    let paragraph = |tag: &str| -> String {
        let (_, rest) = help
            .split_once(&format!("*{tag}*\n"))
            .unwrap_or_else(|| panic!("{file} has no tag {tag}"));
        rest.split("\n\n").next().unwrap().to_owned()
    };
    let methods = paragraph(":Codegaze-method");
    for name in names::<Method>() {
        assert!(
            methods.contains(name),
            "{file}: :Codegaze method lacks {name}"
        );
    }
    let heads = paragraph(":Codegaze-head");
    for name in names::<Fusion>() {
        assert!(heads.contains(name), "{file}: :Codegaze head lacks {name}");
    }
}

/// Every line of a page that declares `field` has the union of the names.
fn check_unions<T: Named>(file: &str, fields: &[&str], rest: &str) {
    let page = read(file);
    let expected = union::<T>('"') + rest;
    for field in fields {
        let mut lines = page
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix(field)?.strip_prefix(": "))
            .peekable();
        assert!(lines.peek().is_some(), "{file} has no {field}");
        for line in lines {
            let (found, _) = line.split_once(';').unwrap_or((line, ""));
            assert_eq!(found, expected, "{file}: {field}");
        }
    }
}

#[test]
fn the_protocol_page_has_every_name() {
    let file = "docs/protocol.md";
    check_unions::<Method>(file, &["method", "method?"], "");
    check_unions::<Fusion>(file, &["heads"], " | uinteger[]");
    check_unions::<Sinks>(file, &["sinks", "sinks?"], "");
    check_unions::<Aggregate>(file, &["aggregate", "aggregate?"], "");
    check_unions::<Unit>(file, &["unit", "unit?"], "");
    check_unions::<PictureKind>(file, &["kind?"], "");
    check_unions::<Theme>(file, &["theme?"], "");
    let page = read(file);
    let pictures = union::<PictureFormat>('"');
    assert!(
        page.contains(&format!(r#"format?: "json" | {pictures};"#)),
        "{file}: format? is \"json\" or {pictures}"
    );
}

#[test]
fn the_formulas_of_every_method_are_documented() {
    let file = "docs/ATTRIBUTION.md";
    let page = read(file);
    let row_of = |name: &str| {
        let is_row = |line: &&str| line.starts_with(&format!("| `{name}`"));
        page.lines()
            .find(is_row)
            .unwrap_or_else(|| panic!("{file} has no row for `{name}`"))
    };
    for method in Method::ALL {
        let row = row_of(method.as_str());
        if let Some(paper) = method.definition().paper() {
            for part in [paper.authors, paper.title, paper.url, paper.place] {
                assert!(
                    row.contains(part),
                    "{file}: the row of `{method}` lacks {part}"
                );
            }
        }
    }
    for fusion in Fusion::ALL {
        row_of(fusion.as_str());
    }
    for name in names::<Sinks>() {
        let option = format!("--sinks {name}");
        assert!(page.contains(&option), "{file} lacks `{option}`");
    }
    for name in names::<Aggregate>() {
        let is_there = [format!("--aggregate {name}`"), format!("(`{name}`)")];
        assert!(
            is_there.iter().any(|text| page.contains(text)),
            "{file} lacks the aggregate `{name}`"
        );
    }
}

#[test]
fn the_json_schema_has_every_name() {
    let file = "docs/analysis.schema.json";
    let schema: Value = serde_json::from_str(&read(file)).unwrap();
    let view = &schema["$defs"]["analysis"]["properties"]["view"]["properties"];
    let list = |names: Vec<&str>| Value::from_iter(names);
    assert_eq!(
        view["method"]["enum"],
        list(names::<Method>()),
        "{file}: method"
    );
    assert_eq!(
        view["sinks"]["enum"],
        list(names::<Sinks>()),
        "{file}: sinks"
    );
    assert_eq!(
        view["heads"]["oneOf"][0]["enum"],
        list(names::<Fusion>()),
        "{file}: heads"
    );
    // The sum is left out.
    let mut aggregates = names::<Aggregate>();
    aggregates.retain(|name| *name != Aggregate::default().as_str());
    assert_eq!(
        view["aggregate"]["enum"],
        list(aggregates),
        "{file}: aggregate"
    );
}

#[test]
fn the_readme_names_every_method() {
    let page = read("README.md");
    let line = page
        .lines()
        .find(|line| line.starts_with("`--method` "))
        .expect("README.md explains --method");
    for name in names::<Method>() {
        assert!(
            line.contains(&format!("`{name}`")),
            "README.md: --method lacks `{name}`"
        );
    }
}

#[test]
fn names_are_words_of_their_own() {
    fn check<T: Named>() {
        for value in T::ALL {
            let name = value.as_str();
            let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(!name.is_empty() && name.chars().all(is_word), "{name:?}");
            assert_eq!(T::from_name(name).map(T::as_str), Some(name));
        }
    }
    check::<Method>();
    check::<Sinks>();
    check::<Aggregate>();
    check::<Fusion>();
    check::<Colormap>();
    check::<Unit>();
    check::<Theme>();
    check::<PictureFormat>();
    check::<PictureKind>();
    check::<Device>();
    check::<Precision>();
}
