//! Languages: by the ids that clients send, and by files' names.

use std::path::Path;

/// A language whose definitions [`outline`](crate::outline::outline) finds: the ten that the embedded model was trained on, and
/// C#. `Option<Language>` is `None` for any other language and for an unknown one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// C
    C,
    /// C++
    Cpp,
    /// C#
    CSharp,
    /// Go
    Go,
    /// Java
    Java,
    /// JavaScript, with or without JSX
    JavaScript,
    /// PHP
    Php,
    /// Python
    Python,
    /// Ruby
    Ruby,
    /// Rust
    Rust,
    /// TypeScript, with or without JSX
    TypeScript,
}

impl Language {
    /// The language with this id or common alias, in any case: the Language Server Protocol's `languageId`, the name that
    /// people write, or the usual file extension.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Some(match id.trim().to_ascii_lowercase().as_str() {
            "c" | "h" => Self::C,
            "cpp" | "c++" | "cc" | "cxx" | "cplusplus" | "hpp" => Self::Cpp,
            "csharp" | "c#" | "cs" => Self::CSharp,
            "go" | "golang" => Self::Go,
            "java" => Self::Java,
            "javascript" | "javascriptreact" | "javascript.jsx" | "js" | "jsx" | "mjs" | "cjs"
            | "ecmascript" | "node" => Self::JavaScript,
            "php" => Self::Php,
            "python" | "python3" | "py" => Self::Python,
            "ruby" | "rb" => Self::Ruby,
            "rust" | "rs" => Self::Rust,
            "typescript" | "typescriptreact" | "typescript.tsx" | "ts" | "tsx" | "mts" | "cts" => {
                Self::TypeScript
            }
            _ => return None,
        })
    }

    /// The Language Server Protocol's id.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::C => "c",
            Self::Cpp => "cpp",
            Self::CSharp => "csharp",
            Self::Go => "go",
            Self::Java => "java",
            Self::JavaScript => "javascript",
            Self::Php => "php",
            Self::Python => "python",
            Self::Ruby => "ruby",
            Self::Rust => "rust",
            Self::TypeScript => "typescript",
        }
    }

    /// The language of a file, by its name.
    #[must_use]
    pub fn of_file(path: &Path) -> Option<Self> {
        Self::from_id(file_language_id(path)?)
    }
}

/// The Language Server Protocol's id of a file's language, by the file's extension or name; `None` if it is unknown. It
/// includes more languages than [`Language`].
#[must_use]
pub fn file_language_id(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    match name {
        "Makefile" | "makefile" | "GNUmakefile" => return Some("makefile"),
        "Dockerfile" => return Some("dockerfile"),
        "CMakeLists.txt" => return Some("cmake"),
        "Rakefile" | "Gemfile" => return Some("ruby"),
        "justfile" => return Some("just"),
        _ => {}
    }
    let extension = path.extension()?.to_str()?;
    // As compilers for C++ take them: `a.C` is not `a.c`.
    if matches!(extension, "C" | "H") {
        return Some("cpp");
    }
    let extension = extension.to_ascii_lowercase();
    Some(match extension.as_str() {
        // The languages that the embedded model was trained on.
        "c" | "h" => "c",
        "cc" | "cpp" | "cxx" | "c++" | "hh" | "hpp" | "hxx" | "ipp" => "cpp",
        "go" => "go",
        "java" => "java",
        "js" | "mjs" | "cjs" => "javascript",
        "jsx" => "javascriptreact",
        "php" | "phtml" => "php",
        "py" | "pyi" | "pyw" => "python",
        "rb" | "rake" | "gemspec" => "ruby",
        "rs" => "rust",
        "ts" | "mts" | "cts" => "typescript",
        "tsx" => "typescriptreact",
        // Other languages that are common in repositories.
        "bash" | "sh" | "zsh" | "ksh" => "shellscript",
        "clj" | "cljs" | "cljc" | "edn" => "clojure",
        "cmake" => "cmake",
        "cs" => "csharp",
        "css" => "css",
        "cu" | "cuh" => "cuda-cpp",
        "dart" => "dart",
        "el" => "elisp",
        "erl" | "hrl" => "erlang",
        "ex" | "exs" => "elixir",
        "fs" | "fsi" | "fsx" => "fsharp",
        "groovy" | "gradle" => "groovy",
        "hs" | "lhs" => "haskell",
        "html" | "htm" | "xhtml" => "html",
        "jl" => "julia",
        "json" => "json",
        "kt" | "kts" => "kotlin",
        "lisp" | "lsp" | "cl" => "lisp",
        "lua" => "lua",
        "m" => "objective-c",
        "md" | "markdown" => "markdown",
        "ml" | "mli" => "ocaml",
        "mm" => "objective-cpp",
        "nim" => "nim",
        "nix" => "nix",
        "pl" | "pm" => "perl",
        "proto" => "proto",
        "ps1" | "psm1" => "powershell",
        "r" => "r",
        "sass" => "sass",
        "scala" | "sc" => "scala",
        "scss" => "scss",
        "sol" => "solidity",
        "sql" => "sql",
        "svelte" => "svelte",
        "swift" => "swift",
        "tcl" => "tcl",
        "tex" => "latex",
        "tf" | "hcl" => "terraform",
        "toml" => "toml",
        "v" | "sv" | "svh" => "verilog",
        "vb" => "vb",
        "vhd" | "vhdl" => "vhdl",
        "vim" => "vim",
        "vue" => "vue",
        "xml" | "xsd" | "xsl" => "xml",
        "yaml" | "yml" => "yaml",
        "zig" => "zig",
        _ => return None,
    })
}

/// The Language Server Protocol's id of a script's language, by its first line: `#!/usr/bin/env -S python3 -u`.
#[must_use]
pub fn script_language_id(first_line: &str) -> Option<&'static str> {
    let mut words = first_line.strip_prefix("#!")?.split_ascii_whitespace();
    let mut program = words.next()?.rsplit('/').next()?;
    if program == "env" {
        // Past its options and variables.
        program = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
        program = program.rsplit('/').next()?;
    }
    // `python3.12`, `lua5.4`
    let name = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    Some(match name {
        "python" | "pypy" => "python",
        "node" | "nodejs" | "bun" | "deno" => "javascript",
        "tsx" | "ts-node" => "typescript",
        "ruby" | "jruby" => "ruby",
        "php" => "php",
        "sh" | "bash" | "zsh" | "ksh" | "dash" => "shellscript",
        "perl" => "perl",
        "lua" | "luajit" => "lua",
        "Rscript" => "r",
        "tclsh" => "tcl",
        "groovy" => "groovy",
        "julia" => "julia",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_extension_and_by_name() {
        for (path, expected) in [
            ("src/main.rs", Some("rust")),
            ("a/B.PY", Some("python")),
            ("app.component.tsx", Some("typescriptreact")),
            ("include/x.hpp", Some("cpp")),
            ("deploy/Dockerfile", Some("dockerfile")),
            ("a.C", Some("cpp")),
            ("a.H", Some("cpp")),
            ("a.c", Some("c")),
            ("README", None),
            (".rs", None),
            ("..", None),
            ("", None),
            ("x.unknown", None),
        ] {
            assert_eq!(file_language_id(Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn scripts_by_their_first_line() {
        for (line, expected) in [
            ("#!/usr/bin/python3.12", Some("python")),
            ("#! /usr/bin/env node", Some("javascript")),
            ("#!/usr/bin/env -S A=1 /opt/ruby -w", Some("ruby")),
            ("#!/bin/sh -e", Some("shellscript")),
            ("#!/usr/bin/env", None),
            ("#!", None),
            ("#!/bin/unknown", None),
            ("# python", None),
            ("", None),
        ] {
            assert_eq!(script_language_id(line), expected, "{line:?}");
        }
    }

    #[test]
    fn ids_and_their_aliases() {
        use Language::{C, CSharp, Cpp, Go, Java, JavaScript, Php, Python, Ruby, Rust, TypeScript};

        for (ids, expected) in [
            ("c C h", Some(C)),
            ("cpp c++ C++ cxx", Some(Cpp)),
            ("csharp cs C#", Some(CSharp)),
            ("go golang", Some(Go)),
            ("java Java", Some(Java)),
            ("javascript javascriptreact js JS jsx", Some(JavaScript)),
            ("php", Some(Php)),
            ("python Python py", Some(Python)),
            ("ruby rb", Some(Ruby)),
            ("rust rs", Some(Rust)),
            ("typescript typescriptreact ts tsx", Some(TypeScript)),
            ("x plaintext markdown html css json kotlin pythonx", None),
        ] {
            for id in ids.split(' ') {
                assert_eq!(Language::from_id(id), expected, "{id}");
            }
            if let Some(language) = expected {
                assert_eq!(Some(language.id()), ids.split(' ').next());
            }
        }
        assert_eq!(Language::from_id(""), None);
        assert_eq!(Language::from_id(" rust\n"), Some(Rust));
    }

    #[test]
    fn files_have_languages() {
        for (path, expected) in [
            ("src/main.rs", Some(Language::Rust)),
            ("app.component.tsx", Some(Language::TypeScript)),
            ("include/x.hpp", Some(Language::Cpp)),
            ("Gemfile", Some(Language::Ruby)),
            ("deploy/Dockerfile", None),
            ("README", None),
            ("-", None),
        ] {
            assert_eq!(Language::of_file(Path::new(path)), expected, "{path}");
        }
    }
}
