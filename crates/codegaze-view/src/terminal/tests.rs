use codegaze_text::document::Document;

use proptest::prelude::*;

use super::*;
use crate::samples;

fn render(text: &str, options: &TerminalOptions) -> String {
    let analysis = samples::full(text);
    let source = Document::new(text, 0);
    let document = AnalyzedDocument::new("fib.py", &source, &analysis);
    let mut out = Vec::new();
    write_document(&mut out, &document, options).unwrap();
    String::from_utf8(out).unwrap()
}

fn options(color: ColorMode) -> TerminalOptions {
    TerminalOptions {
        color,
        ..TerminalOptions::default()
    }
}

fn without_escapes(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        out.push_str(before);
        let end = after.find('m').expect("every sequence is an SGR");
        assert!(after[..end].chars().all(|c| c.is_ascii_digit() || c == ';'));
        rest = &after[end + 1..];
    }
    out + rest
}

#[test]
fn plain_marks_are_below_the_lexemes() {
    let out = render(samples::PYTHON, &options(ColorMode::Plain));
    assert!(!out.contains('\x1b'));
    let analysis = samples::full(samples::PYTHON);
    let source = Document::new(samples::PYTHON, 0);
    let document = AnalyzedDocument::new("fib.py", &source, &analysis);
    let (hottest, level) = document.top(1)[0];
    assert_eq!(level, HeatLevel::MAX);
    let word = document.slice(hottest.span);
    // Below some occurrence of the word are as many marks of level 5 as it has columns.
    let rows: Vec<Vec<char>> = out.lines().map(|line| line.chars().collect()).collect();
    let found = rows.windows(2).any(|pair| {
        let line: String = pair[0].iter().collect();
        line.match_indices(word).any(|(at, _)| {
            let column = line[..at].width();
            (0..word.width()).all(|i| pair[1].get(column + i) == Some(&'#'))
        })
    });
    assert!(found, "{out}");
}

#[test]
fn colors_only_add_escapes() {
    let plain = render(samples::PYTHON, &options(ColorMode::Plain));
    for color in [ColorMode::TrueColor, ColorMode::Ansi256] {
        for theme in Theme::ALL {
            let colored = render(
                samples::PYTHON,
                &TerminalOptions {
                    theme,
                    ..options(color)
                },
            );
            assert!(colored.contains("\x1b[48;"));
            let bare = without_escapes(&colored);
            for line in bare
                .lines()
                .filter(|line| !line.starts_with("attention above"))
            {
                assert!(
                    plain.lines().any(|other| other == line),
                    "{line:?} in\n{plain}"
                );
            }
        }
    }
}

#[test]
fn tabs_keep_their_stops_and_line_ends_are_not_shown() {
    let out = render("a\tb\r\n\tc\n", &options(ColorMode::Plain));
    let code: Vec<&str> = out
        .lines()
        .filter(|line| line.starts_with("  1") || line.starts_with("  2"))
        .collect();
    assert!(code[0].ends_with("a   b"), "{out}");
    assert!(code[1].ends_with("█     c"), "{out}");
    assert!(!out.contains('␍'));
}

#[test]
fn source_cannot_send_escape_sequences() {
    let out = render(
        "x\x1b[2J\x1b]0;t\x07\u{9b}1m\u{202e} = 1",
        &options(ColorMode::TrueColor),
    );
    let bare = without_escapes(&out);
    assert!(
        !bare.chars().any(|c| c.is_control() && c != '\n'),
        "{bare:?}"
    );
    assert!(bare.contains("x␛[2J␛]0;t␇‹U+009B›1m‹U+202E› = 1"), "{bare}");
}

#[test]
fn whole_lines_are_shaded_on_request() {
    let out = render(
        samples::PYTHON,
        &TerminalOptions {
            granularity: Granularity::Lines,
            ..options(ColorMode::Plain)
        },
    );
    assert!(out.contains("of the lines"));
    let analysis = samples::full(samples::PYTHON);
    let source = Document::new(samples::PYTHON, 0);
    let document = AnalyzedDocument::new("fib.py", &source, &analysis);
    let (hottest, _) = document
        .scored_lines()
        .max_by(|a, b| a.0.lift.total_cmp(&b.0.lift))
        .unwrap();
    let rows: Vec<&str> = out.lines().collect();
    let number = format!("{:>3} ", hottest.line + 1);
    let at = rows
        .iter()
        .position(|row| row.starts_with(&number))
        .unwrap();
    let marks = rows[at + 1].trim();
    assert!(marks.chars().all(|c| c == '#') && marks.len() > 5, "{out}");
}

#[test]
fn the_top_table_has_the_best_ranks_in_order() {
    let analysis = samples::full(samples::PYTHON);
    let source = Document::new(samples::PYTHON, 0);
    let document = AnalyzedDocument::new("fib.py", &source, &analysis);
    let mut out = Vec::new();
    write_top(&mut out, &document, 3, &options(ColorMode::Plain)).unwrap();
    let out = String::from_utf8(out).unwrap();
    let ranks: Vec<&str> = out
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(ranks, ["1", "2", "3"]);
    let best = document.top(1)[0].0;
    let first = out.lines().nth(1).unwrap();
    assert!(
        first.contains(document.slice(best.span)) && first.contains(&format!("{:.2}", best.lift))
    );
    let mut none = Vec::new();
    write_top(&mut none, &document, 0, &options(ColorMode::Plain)).unwrap();
    assert_eq!(String::from_utf8(none).unwrap().lines().count(), 1);
}

#[test]
fn empty_and_blank_documents() {
    for text in ["", "\n", "   \n\t\n"] {
        let out = render(text, &options(ColorMode::TrueColor));
        assert!(out.contains("codegaze-mini"));
    }
}

proptest! {
    #[test]
    fn any_text_comes_out_whole_and_safe(text in "(\\PC|[ \\t\\r\\n\\x00-\\x1f]){0,60}") {
        let out = render(&text, &options(ColorMode::TrueColor));
        let bare = without_escapes(&out);
        prop_assert!(!bare.chars().any(|c| c.is_control() && c != '\n'));
        for word in text.split(|c: char| c.is_whitespace() || stand_in(c).is_some()) {
            prop_assert!(bare.contains(word), "{word:?} is missing");
        }
    }
}
