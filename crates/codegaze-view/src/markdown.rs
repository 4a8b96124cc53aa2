//! A report: the summary, the most attended lexemes, the source.

use std::io::{self, Write};
use std::path::Path;

use codegaze_text::language::file_language_id;

use super::AnalyzedDocument;
use super::label::{label, printable, printable_lines};
use super::summary::{percent, summary, unscored};

/// Writes the section of one document, with a table of the `top` lexemes and the source in a code block. Characters that a
/// terminal would interpret or not show are replaced, in the source too.
///
/// # Errors
/// The errors of `w`.
pub fn write_markdown(
    w: &mut impl Write,
    document: &AnalyzedDocument<'_>,
    top: usize,
) -> io::Result<()> {
    writeln!(w, "## {}\n", code(&printable(document.name)))?;
    writeln!(w, "{}\n", escape(&summary(document)))?;
    for part in unscored(document) {
        writeln!(w, "> {}\n", escape(&part))?;
    }
    let rows = document.top(top);
    if !rows.is_empty() {
        writeln!(
            w,
            "| rank | lexeme | kind | line:column | share | lift | level |"
        )?;
        writeln!(w, "| ---: | --- | --- | ---: | ---: | ---: | ---: |")?;
        for (lexeme, level) in rows {
            let (line, column) = document.place(lexeme.span.start);
            writeln!(
                w,
                "| {} | {} | {} | {line}:{column} | {} | {:.2}× | {} |",
                lexeme.rank,
                cell_code(&label(document.slice(lexeme.span))),
                lexeme.kind.as_str(),
                percent(lexeme.share),
                lexeme.lift,
                level.get()
            )?;
        }
        writeln!(w)?;
    }
    let fence = "`".repeat(longest_run(document.text(), '`').max(2) + 1);
    writeln!(
        w,
        "{fence}{}",
        file_language_id(Path::new(document.name)).unwrap_or_default()
    )?;
    w.write_all(printable_lines(document.text()).as_bytes())?;
    if !document.text().is_empty() && !document.text().ends_with('\n') {
        writeln!(w)?;
    }
    writeln!(w, "{fence}")
}

/// A code span whose fence is longer than any run of backticks inside (`CommonMark` 6.1).
pub(crate) fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text, '`') + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Like [`code`], for a table, where an unescaped `|` ends the cell even inside a code span.
fn cell_code(text: &str) -> String {
    code(&text.replace('|', r"\|"))
}

/// Plain text with Markdown's special characters escaped.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '&' | '~'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

pub(crate) fn longest_run(text: &str, wanted: char) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == wanted { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use codegaze_text::document::Document;

    use super::*;
    use crate::samples;

    fn render(path: &str, text: &str, top: usize) -> String {
        let analysis = samples::full(text);
        let source = Document::new(text, 0);
        let document = AnalyzedDocument::new(path, &source, &analysis);
        let mut out = Vec::new();
        write_markdown(&mut out, &document, top).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_report_has_summary_table_and_source() {
        let out = render("fib.py", samples::PYTHON, 5);
        assert!(out.starts_with("## `fib.py`\n\ncodegaze-mini · received"));
        assert_eq!(out.lines().filter(|line| line.starts_with("| ")).count(), 7);
        assert!(out.contains(&format!("```python\n{}```\n", samples::PYTHON)));
        assert!(out.contains("> not scored: line 5"));
    }

    #[test]
    fn backticks_and_pipes_stay_inside_their_cells() {
        let text = "a | `b` ```` c";
        let out = render("we`ird.py", text, 100);
        assert!(out.starts_with("## ``we`ird.py``"));
        assert!(out.contains(r"| `\|` |"));
        assert!(out.contains("| `` ` `` |"));
        assert!(out.contains(&format!("`````python\n{text}\n`````\n")));
    }

    #[test]
    fn the_source_sends_no_escape_codes() {
        let out = render("a.py", "x = \"\u{1b}[2J\"\t# \u{202e}\n", 1);
        assert!(
            out.contains("```python\nx = \"␛[2J\"\t# ‹U+202E›\n```\n"),
            "{out}"
        );
    }

    #[test]
    fn without_top_there_is_no_table() {
        assert!(!render("a.py", "x", 0).contains("| rank"));
    }
}
