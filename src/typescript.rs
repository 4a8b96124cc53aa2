//! Wire types as TypeScript, formatted as Biome does it. `just types` writes the files, and `just types-check` compares them with
//! the types of both servers.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ts_rs::{Config, TS};

/// Biome's width.
const WIDTH: usize = 120;

/// A file of `web/src/generated/`.
pub(crate) struct File {
    config: Config,
    text: String,
}

impl File {
    pub fn new(head: &str) -> Self {
        Self {
            config: Config::new().with_large_int("number"),
            text: head.to_owned(),
        }
    }

    /// Adds a type, with its doc comment.
    pub fn add<T: TS>(mut self) -> Self {
        let docs = T::docs().map(|docs| comment(&docs, 0)).unwrap_or_default();
        let declared = declaration(&T::decl(&self.config));
        // Writing into a string does not fail.
        let _ = write!(self.text, "\n{docs}export {declared}\n");
        self
    }

    /// Compares the file with the committed one, or writes it if `UPDATE_TYPES` is set.
    pub fn check(self, name: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("web/src/generated")
            .join(name);
        if std::env::var_os("UPDATE_TYPES").is_some() {
            fs::write(&path, self.text).unwrap();
            return;
        }
        let committed = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
        assert!(
            committed == self.text,
            "{} is outdated: run `just types` and commit the result",
            path.display()
        );
    }
}

/// `type Name = …;` as Biome formats it.
fn declaration(declared: &str) -> String {
    let (name, body) = declared.split_once(" = ").expect("a type has a body");
    let body = body.trim_end_matches(';').replace('"', "'");
    let members = split(&body, '|');
    if members.len() == 1 {
        return format!("{name} = {};", formatted(&body, 0));
    }
    let one_line = arrays(&format!("{name} = {};", members.join(" | ")));
    let has_objects = members.iter().any(|member| member.starts_with('{'));
    if !has_objects && "export ".len() + one_line.chars().count() <= WIDTH {
        return one_line;
    }
    let members = members.iter().map(|member| {
        // An object's fields are indented once more than the object's bar.
        format!("\n  | {}", formatted(member, 4))
    });
    format!("{name} ={};", members.collect::<String>())
}

/// A type: objects have a line for each field.
fn formatted(body: &str, indent: usize) -> String {
    let body = body.trim();
    let Some(fields) = body.strip_prefix('{').and_then(|b| b.strip_suffix('}')) else {
        return arrays(body);
    };
    let pad = " ".repeat(indent);
    let fields: String = split(fields, ',')
        .into_iter()
        .map(|field| {
            let (docs, field) = match field.rsplit_once("*/") {
                Some((docs, field)) => (comment(&format!("{docs}*/"), indent + 2), field.trim()),
                None => (String::new(), field),
            };
            let (name, value) = field.split_once(": ").expect("a field has a type");
            let name = name.replace('\'', "");
            let value = formatted(value, indent + 2);
            format!("{docs}{pad}  {name}: {value};\n")
        })
        .collect();
    format!("{{\n{fields}{pad}}}")
}

/// `Array<T>` as `T[]`, for names.
fn arrays(body: &str) -> String {
    let mut parts = body.split("Array<");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (element, rest) = part.split_once('>').expect("brackets are closed");
        let _ = write!(text, "{element}[]{rest}");
    }
    text
}

/// The parts between separators outside of brackets, strings and comments, without empty parts.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut depth, mut start) = (0_usize, 0);
    let (mut in_string, mut in_comment) = (false, false);
    let mut parts = Vec::new();
    for (at, char) in text.char_indices() {
        if in_comment {
            in_comment = !(char == '/' && text[..at].ends_with('*'));
            continue;
        }
        match char {
            '\'' => in_string = !in_string,
            _ if in_string => {}
            '*' if text[..at].ends_with('/') => in_comment = true,
            '{' | '<' | '(' | '[' => depth += 1,
            '}' | '>' | ')' | ']' => depth -= 1,
            _ if char == separator && depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// A doc comment at an indentation. A comment of one line stays on one line.
fn comment(docs: &str, indent: usize) -> String {
    let lines: Vec<&str> = docs
        .lines()
        .map(|line| line.trim().trim_start_matches("/**").trim_end_matches("*/"))
        .map(|line| line.trim_start_matches('*').trim())
        .filter(|line| !line.is_empty())
        .collect();
    let pad = " ".repeat(indent);
    match lines[..] {
        [] => String::new(),
        [line] => format!("{pad}/** {line} */\n"),
        _ => {
            let lines: String = lines
                .iter()
                .map(|line| format!("{pad} * {line}\n"))
                .collect();
            format!("{pad}/**\n{lines}{pad} */\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_formatted() {
        let plain = declaration(
            "type A = { \n/**\n * One.\n */\na: number, \"b\": Array<string> | null, };",
        );
        assert_eq!(
            plain,
            "type A = {\n  /** One. */\n  a: number;\n  b: string[] | null;\n};"
        );
        let union =
            declaration("type B = { \"type\": \"x\", n?: number, } | { \"type\": \"y\", };");
        assert_eq!(
            union,
            "type B =\n  | {\n      type: 'x';\n      n?: number;\n    }\n  | {\n      type: 'y';\n    };"
        );
        assert_eq!(
            declaration("type C = \"x\" | \"y\";"),
            "type C = 'x' | 'y';"
        );
    }
}
