//! The language of a file, by its name.

use std::path::Path;

/// Language id by file extension or name, in the words of the Language Server Protocol; `None` if unknown.
#[must_use]
pub fn language(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    match name {
        "Makefile" | "makefile" | "GNUmakefile" => return Some("makefile"),
        "Dockerfile" => return Some("dockerfile"),
        "CMakeLists.txt" => return Some("cmake"),
        "Rakefile" | "Gemfile" => return Some("ruby"),
        "justfile" => return Some("just"),
        _ => {}
    }
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match extension.as_str() {
        // What the embedded model was trained on.
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
        // Others that are common in repositories.
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
            ("README", None),
            (".rs", None),
            ("..", None),
            ("", None),
            ("x.unknown", None),
        ] {
            assert_eq!(language(Path::new(path)), expected, "{path}");
        }
    }
}
