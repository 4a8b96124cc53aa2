use codegaze_text::document::Document;

use super::*;
use crate::samples;

fn svg(text: &str, options: &RenderOptions) -> String {
    let analysis = samples::full(text);
    let source = Document::new(text, 0);
    let document = AnalyzedDocument::new("fib.py", &source, &analysis);
    render_svg(&document, options).unwrap()
}

#[test]
fn shading_is_exactly_behind_its_lexeme() {
    let text = "日本 = fib(\t🙂)\n";
    let analysis = samples::full(text);
    let source = Document::new(text, 0);
    let document = AnalyzedDocument::new("x.py", &source, &analysis);
    let scene = scene(&document, &RenderOptions::default()).unwrap();
    let theme = Theme::default();
    let mut checked = 0;
    for (lexeme, level) in document
        .lexemes()
        .filter(|(_, level)| *level > HeatLevel::NONE)
    {
        let word = document.slice(lexeme.span);
        // The legend contains no lexeme, so a text that equals a lexeme is in the source.
        let at = scene.items.iter().find_map(|item| match item {
            Item::Text(text) if text.content == word => Some((text.x, text.y, text.fill)),
            _ => None,
        });
        let (x, y, fill) = at.unwrap();
        assert_eq!(fill, theme.heat_text(level));
        let under = scene.items.iter().any(|item| match item {
            Item::Rect(rect) => {
                rect.fill == theme.heat(level)
                    && (rect.x - x).abs() < 0.01
                    && rect.y < y
                    && y < rect.y + rect.height
            }
            _ => false,
        });
        assert!(under, "{word:?}");
        checked += 1;
    }
    assert!(checked > 0);
}

#[test]
fn tabs_wide_characters_and_long_lines_stay_on_the_grid() {
    let line = runs(&[
        ("a\tb", HeatLevel::NONE),
        ("日", HeatLevel::MAX),
        ("c", HeatLevel::NONE),
    ]);
    let places: Vec<(usize, usize, &str)> = line
        .iter()
        .map(|run| (run.column, run.width, run.text.as_str()))
        .collect();
    assert_eq!(places, [(0, 5, "a   b"), (5, 2, "日"), (7, 1, "c")]);

    let long = "x".repeat(1_000_000);
    let line = runs(&[(&long, HeatLevel::MAX)]);
    let last = line.last().unwrap();
    assert_eq!(
        (last.column + last.width, last.text.as_str()),
        (MAX_COLUMNS, "…")
    );
}

#[test]
fn escape_sequences_in_the_source_are_shown_as_text() {
    let out = svg("x\x1b[31m</text>\u{202e}&", &RenderOptions::default());
    assert!(!out.contains('\x1b') && !out.contains('\u{202e}'));
}

#[test]
fn size_scales_the_whole_picture() {
    let analysis = samples::full(samples::PYTHON);
    let source = Document::new(samples::PYTHON, 0);
    let document = AnalyzedDocument::new("fib.py", &source, &analysis);
    let png = |size| {
        let options = RenderOptions {
            size: Some(size),
            theme: Theme::Dark,
            ..RenderOptions::default()
        };
        render_png(&document, &options)
    };
    let info = |png: Vec<u8>| {
        let reader = png::Decoder::new(std::io::Cursor::new(png))
            .read_info()
            .unwrap();
        (reader.info().width, reader.info().height)
    };
    let (small, large) = (info(png(600).unwrap()), info(png(1200).unwrap()));
    assert_eq!((small.0, large.0), (600, 1200));
    assert!(large.1.abs_diff(2 * small.1) <= 2);
    assert!(png(20).unwrap_err().to_string().contains("at least"));
}

#[test]
fn long_files_fit_and_too_long_ones_are_an_error() {
    let long = "value = call(argument)\n".repeat(1200);
    let analysis = samples::analysis(&long);
    let source = Document::new(long.as_str(), 0);
    let document = AnalyzedDocument::new("long.py", &source, &analysis);
    render_png(&document, &RenderOptions::default()).unwrap();

    let endless = "\n".repeat(100_000);
    let analysis = samples::analysis(&endless);
    let source = Document::new(endless.as_str(), 0);
    let document = AnalyzedDocument::new("endless.py", &source, &analysis);
    let error = render_png(&document, &RenderOptions::default()).unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
    crate::page::render(&document, None, &RenderOptions::default()).unwrap();
}

#[test]
fn empty_documents_have_a_picture() {
    for text in ["", "\n", " \t\r\n"] {
        svg(text, &RenderOptions::default());
    }
}

#[test]
fn controls_have_their_names_where_the_typeface_lacks_their_pictures() {
    let picture = svg(
        "x = \"\u{1b}\u{7}\"\t# \u{202e}\n",
        &RenderOptions::default(),
    );
    for shown in ["‹ESC›", "‹BEL›", "‹U+202E›"] {
        assert!(picture.contains(shown), "{shown}");
    }
    assert!(!picture.contains(['␛', '␇']));
}
