//! The files and directories that `ARCHITECTURE.md` and `docs/CONTRIBUTING.md` name exist.

use std::path::Path;

const PAGES: [&str; 2] = ["ARCHITECTURE.md", "docs/CONTRIBUTING.md"];

/// The texts in single backticks, outside of fenced blocks.
fn inline_code(page: &str) -> impl Iterator<Item = &str> {
    let prose = page.split("```").step_by(2);
    prose.flat_map(|prose| prose.split('`').skip(1).step_by(2))
}

/// A directory ends with `/`, and a file has an extension.
fn is_path(code: &str) -> bool {
    let has_extension = Path::new(code).extension().is_some();
    code.contains('/')
        && !code.contains(char::is_whitespace)
        && (code.ends_with('/') || has_extension)
}

/// `a/{b,c}.rs` → `a/b.rs`, `a/c.rs`. Of a path with `*` or `…`, the directory before it.
fn expand(path: &str) -> Vec<String> {
    if let Some((before, _)) = path.split_once(['*', '…']) {
        let directory = before
            .rsplit_once('/')
            .map_or(".", |(directory, _)| directory);
        return expand(directory);
    }
    let Some((before, (choices, after))) = path
        .split_once('{')
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    else {
        return vec![path.to_owned()];
    };
    let paths = choices
        .split(',')
        .map(|choice| format!("{before}{choice}{after}"));
    paths.flat_map(|path| expand(&path)).collect()
}

#[test]
fn named_files_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for page in PAGES {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        let paths: Vec<String> = inline_code(&text)
            .filter(|code| is_path(code))
            .flat_map(expand)
            .collect();
        assert!(paths.len() > 30, "{page} names only {} files", paths.len());
        let missing: Vec<&String> = paths
            .iter()
            .filter(|path| !root.join(path).exists())
            .collect();
        assert!(
            missing.is_empty(),
            "{page} names files that do not exist: {missing:?}"
        );
    }
}
