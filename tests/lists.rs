//! Lists of names outside of Rust: each is what the table in Rust says.
//!
//! `UPDATE_LISTS=1 cargo test --test lists` (part of `just generate`) writes the lists that follow from the tables alone: of methods,
//! sinks, aggregates, fusions, units, devices, precisions and formats. A test that only compares names the file and the missing entry.

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

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    let text = fs::read_to_string(at(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.replace("\r\n", "\n")
}

/// Compares a file with what follows from Rust, or writes it if `UPDATE_LISTS` is set.
fn compare_or_write(path: &str, expected: &str) {
    if std::env::var_os("UPDATE_LISTS").is_some() {
        fs::write(at(path), expected).unwrap();
    }
    let committed = read(path);
    let mut lines = committed.lines().zip(expected.lines());
    let difference = lines.find(|(committed, expected)| committed != expected);
    assert!(
        committed == expected,
        "{path} is not what Rust declares: run `just generate`, or UPDATE_LISTS=1 cargo test --test lists. First difference: {difference:#?}"
    );
}

/// A text that people write, with lists that follow from Rust.
struct Page {
    path: &'static str,
    text: String,
}

impl Page {
    fn open(path: &'static str) -> Self {
        Self {
            path,
            text: read(path),
        }
    }

    /// Replaces the text from the end of `start` to the next `end`. `start` can be several marks, each looked for after the one before.
    fn replace(&mut self, start: &[&str], end: &str, list: &str) {
        let path = self.path;
        let find = |from: usize, mark: &str| {
            let found = self.text[from..].find(mark);
            from + found.unwrap_or_else(|| panic!("{path} has no {mark:?} after {start:?}"))
        };
        let begin = start
            .iter()
            .fold(0, |from, mark| find(from, mark) + mark.len());
        let range = begin..find(begin, end);
        self.text.replace_range(range, list);
    }

    fn check(self) {
        compare_or_write(self.path, &self.text);
    }
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
    compare_or_write("web/src/generated/lists.ts", &typescript());
}

/// Writes a setting's `enum`, and the descriptions of its values as strings that can be translated.
fn write_setting<T: Named>(manifest: &mut Page, strings: &mut Page, key: &str) {
    let setting = format!("\"codegaze.{key}\": {{");
    manifest.replace(&[&setting, "\"enum\": "], ",\n", &json_list(&names::<T>()));
    let about: Vec<String> = T::ALL
        .iter()
        .map(|value| format!("\n{:14}\"%setting.{key}.{}%\"", "", value.as_str()))
        .collect();
    let about = about.join(",") + "\n            ";
    manifest.replace(&[&setting, "\"enumDescriptions\": ["], "]", &about);
    let description = format!("  \"setting.{key}\": ");
    let of_a_value = format!("  \"setting.{key}.");
    let mut lines = Vec::new();
    for line in strings.text.lines() {
        if line.starts_with(&of_a_value) {
            continue;
        }
        lines.push(line.to_owned());
        if line.starts_with(&description) {
            lines.extend(T::ALL.iter().map(|value| {
                let text = Value::from(capitalized(value.about()));
                format!("  \"setting.{key}.{}\": {text},", value.as_str())
            }));
        }
    }
    strings.text = lines.join("\n") + "\n";
}

/// `["a", "b"]`
fn json_list(names: &[&str]) -> String {
    format!("[\"{}\"]", names.join("\", \""))
}

#[test]
fn vscode_offers_what_there_is() {
    let mut manifest = Page::open("editors/vscode/package.json");
    let mut strings = Page::open("editors/vscode/package.nls.json");
    write_setting::<Device>(&mut manifest, &mut strings, "device");
    write_setting::<Precision>(&mut manifest, &mut strings, "precision");
    write_setting::<Method>(&mut manifest, &mut strings, "method");
    write_setting::<Sinks>(&mut manifest, &mut strings, "sinks");
    write_setting::<Aggregate>(&mut manifest, &mut strings, "aggregate");
    manifest.check();
    strings.check();
}

/// `text` in lines of at most 78 columns, each indented by 8.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().unwrap();
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= 70 {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    let indented: Vec<String> = lines.iter().map(|line| format!("        {line}")).collect();
    indented.join("\n")
}

/// `a (about a), b (about b) or c (about c)`
fn explained<T: Named>(entry: impl Fn(&T) -> String) -> String {
    let mut entries: Vec<String> = T::ALL.iter().map(entry).collect();
    let last = entries.pop().unwrap();
    format!("{} or {last}", entries.join(", "))
}

/// A list of names as Lua, and what each means.
fn write_lua_list<T: Named>(out: &mut String, about: &str, name: &str) {
    let _ = writeln!(out, "\n--- {about}\nM.{name} = {{");
    for value in T::ALL {
        let text = capitalized(value.about());
        assert!(!text.contains(['\'', '\\']), "{text:?} needs an escape");
        let _ = writeln!(out, "  {{ name = '{}', text = '{text}' }},", value.as_str());
    }
    out.push_str("}\n");
}

/// The lists of names as Lua, as `StyLua` formats them.
fn lua() -> String {
    let mut out = "--- The lists of names that Rust declares. `UPDATE_LISTS=1 cargo test --test lists` writes this file.\n\
        local M = {}\n"
        .to_owned();
    let file = &mut out;
    write_lua_list::<Fusion>(file, "How all heads of a layer become one.", "FUSIONS");
    let about = "How the scores of a lexeme’s subwords become one.";
    write_lua_list::<Aggregate>(file, about, "AGGREGATES");
    out.push_str("\nreturn M\n");
    out
}

#[test]
fn emacs_offers_what_there_is() {
    let mut package = Page::open("editors/emacs/codegaze.el");
    let aggregates = format!("\"{}\"", names::<Aggregate>().join("\" \""));
    package.replace(&["(defconst codegaze-aggregates '("], ")", &aggregates);
    package.check();
}

#[test]
fn neovim_offers_and_documents_what_there_is() {
    compare_or_write("editors/nvim/lua/codegaze/lists.lua", &lua());
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
    let mut help = Page::open(file);
    let methods = explained(|method: &Method| format!("{method} ({})", method.about()));
    let text = wrapped(&format!("Select how attention becomes scores: {methods}."));
    help.replace(&["*:Codegaze-method*\n"], "\n\n", &text);
    let aggregates = explained(|value: &Aggregate| format!("{value} ({})", value.about()));
    let text = wrapped(&format!(
        "Select how the scores of a word's subwords become one: {aggregates}. The heatmap does not change."
    ));
    help.replace(&["*:Codegaze-aggregate*\n"], "\n\n", &text);
    help.check();
    let help = read(file);
    let paragraph = |tag: &str| -> String {
        let (_, rest) = help
            .split_once(&format!("*{tag}*\n"))
            .unwrap_or_else(|| panic!("{file} has no tag {tag}"));
        rest.split("\n\n").next().unwrap().to_owned()
    };
    let heads = paragraph(":Codegaze-head");
    for name in names::<Fusion>() {
        assert!(heads.contains(name), "{file}: :Codegaze head lacks {name}");
    }
}

/// Writes the union of the names, and `rest`, into every line that declares one of the `fields`. A comment keeps its column.
fn write_unions<T: Named>(page: &mut Page, fields: &[&str], rest: &str) {
    let union = union::<T>('"') + rest;
    for field in fields {
        let mut n_lines = 0;
        let lines: Vec<String> = page
            .text
            .lines()
            .map(|line| {
                let declared = line.trim_start().strip_prefix(field);
                if !declared.is_some_and(|declared| declared.starts_with(": ")) {
                    return line.to_owned();
                }
                n_lines += 1;
                let indent = &line[..line.len() - line.trim_start().len()];
                let declared = format!("{indent}{field}: {union};");
                match line.split_once("//") {
                    Some((before, comment)) => {
                        let width = (before.len() - 1).max(declared.len());
                        format!("{declared:width$} //{comment}")
                    }
                    None => declared,
                }
            })
            .collect();
        assert!(n_lines > 0, "{} has no {field}", page.path);
        page.text = lines.join("\n") + "\n";
    }
}

#[test]
fn the_protocol_page_has_every_name() {
    let mut page = Page::open("docs/protocol.md");
    write_unions::<Method>(&mut page, &["method", "method?"], "");
    write_unions::<Fusion>(&mut page, &["heads"], " | uinteger[]");
    write_unions::<Sinks>(&mut page, &["sinks", "sinks?"], "");
    write_unions::<Aggregate>(&mut page, &["aggregate", "aggregate?"], "");
    write_unions::<Unit>(&mut page, &["unit", "unit?"], "");
    write_unions::<PictureKind>(&mut page, &["kind?"], "");
    write_unions::<Theme>(&mut page, &["theme?"], "");
    let formats = union::<PictureFormat>('"');
    page.replace(&["format?: \"json\" | "], ";", &formats);
    page.check();
}

/// A method's row in the table of formulas.
fn formula_row(method: Method) -> String {
    let definition = method.definition();
    let default = if method == Method::default() {
        " (default)"
    } else {
        ""
    };
    let source = definition.paper().map_or(String::new(), |paper| {
        let (authors, title, url, place) = (paper.authors, paper.title, paper.url, paper.place);
        format!("{authors}, [{title}]({url}), {place} ")
    });
    format!(
        "\n| `{method}`{default} | {} | {source}|",
        definition.formula()
    )
}

#[test]
fn the_formulas_of_every_choice_are_documented() {
    let file = "docs/ATTRIBUTION.md";
    let mut written = Page::open(file);
    let rows = Method::ALL.map(formula_row).concat();
    let table = ["| `--method` |", "| --- | --- | --- |"];
    written.replace(&table, "\n\n", &rows);
    let page = written.text.clone();
    written.check();
    let row_of = |name: &str| {
        let is_row = |line: &&str| line.starts_with(&format!("| `{name}`"));
        page.lines()
            .find(is_row)
            .unwrap_or_else(|| panic!("{file} has no row for `{name}`"))
    };
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
    let mut schema = Page::open("docs/analysis.schema.json");
    let view = "\"view\": {\n          \"type\"";
    // The JSON of an analysis omits the aggregate if it is the sum.
    let mut aggregates = names::<Aggregate>();
    aggregates.retain(|name| *name != Aggregate::Sum.as_str());
    for (key, enumeration, names) in [
        ("\"method\"", "{ \"enum\": ", names::<Method>()),
        ("\"heads\"", "{ \"oneOf\": [{ \"enum\": ", names::<Fusion>()),
        ("\"sinks\"", "{ \"enum\": ", names::<Sinks>()),
        ("\"aggregate\"", "{ \"enum\": ", aggregates),
    ] {
        // The schema lists the required keys before it describes them.
        let marks = [view, "\"properties\": {", key, enumeration, "["];
        let list = json_list(&names);
        schema.replace(&marks, "]", list.trim_matches(['[', ']']));
    }
    schema.check();
}

#[test]
fn the_readme_explains_every_method() {
    let mut page = Page::open("README.md");
    let methods = explained(|method: &Method| {
        let about = method.about().replace("<s>", "`<s>`");
        match method.definition().paper() {
            Some(paper) => format!("`{method}` ({about}; {})", paper.authors),
            None => format!("`{method}` ({about})"),
        }
    });
    page.replace(
        &["\n`--method` "],
        "\n",
        &format!("chooses how attention becomes scores: {methods}."),
    );
    page.check();
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
