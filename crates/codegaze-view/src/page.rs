//! One self-contained HTML page: source, subwords, matrix. It loads nothing and runs only its own script.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use codegaze_text::ByteSpan;

use super::AnalyzedDocument;
use super::color::Rgb;
use super::heatmap::Heatmap;
use super::label::printable;
use super::levels::LevelThresholds;
use super::picture::{RenderError, RenderOptions, Scale};
use super::scene::escape_xml;
use super::summary::{summary, unscored};

const TEMPLATE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// The data for the script.
#[derive(Serialize)]
struct Data<'a> {
    title: &'a str,
    subtitle: &'a str,
    notes: Vec<String>,
    quantiles: [f32; 5],
    /// Lines of pieces.
    lines: Vec<Vec<Piece>>,
    /// Share, lift and rank, indexed by [`Piece`].
    lexemes: Vec<(f32, f32, usize)>,
    matrix: Option<Matrix<'a>>,
}

/// Displayed text, heat level, index of the lexeme, index of the subword. An index is -1 if no lexeme or subword is here.
#[derive(Serialize)]
struct Piece(String, u8, i64, i64);

#[derive(Serialize)]
struct Matrix<'a> {
    n: usize,
    /// What a row and a column stand for.
    unit: &'static str,
    labels: Vec<&'a str>,
    /// f32, little-endian, [query, key] row-major, base64.
    weights: String,
    max: f32,
    sqrt: bool,
    /// 256 colors of three bytes, base64.
    lut: String,
    note: &'a str,
}

/// The source with its subwords and, if it is given, the matrix. The browser chooses size, resolution and theme.
///
/// # Errors
/// If the data cannot be encoded.
pub(crate) fn render(
    document: &AnalyzedDocument<'_>,
    heatmap: Option<&Heatmap>,
    options: &RenderOptions,
) -> Result<String, RenderError> {
    let path = printable(document.name);
    let summary = summary(document);
    let (title, subtitle) = match heatmap {
        Some(heatmap) => (heatmap.title.as_str(), heatmap.subtitle.as_str()),
        None => (path.as_str(), summary.as_str()),
    };
    let data = Data {
        title,
        subtitle,
        notes: unscored(document).collect(),
        quantiles: LevelThresholds::default().quantiles,
        lines: lines(document, heatmap),
        lexemes: document
            .lexemes()
            .map(|(lexeme, _)| (lexeme.share, lexeme.lift, lexeme.rank))
            .collect(),
        matrix: heatmap.map(|heatmap| matrix(heatmap, options)),
    };
    // Only `<` can begin the tag that ends a script element.
    let data = serde_json::to_string(&data)?.replace('<', "\\u003c");
    Ok(fill(
        TEMPLATE,
        &[
            ("title", &escape_xml(title)),
            ("style-hash", &hash(STYLE)),
            ("script-hash", &hash(SCRIPT)),
            ("style", STYLE),
            ("data", &data),
            ("script", SCRIPT),
        ],
    ))
}

/// Replaces each `{{name}}` in one pass, so that a value is never searched for names.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let (name, tail) = after.split_once("}}").unwrap_or((after, ""));
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            out.push_str(value);
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// For the content security policy.
fn hash(text: &str) -> String {
    format!(
        "sha256-{}",
        STANDARD.encode(Sha256::digest(text.as_bytes()))
    )
}

fn matrix<'a>(heatmap: &'a Heatmap, options: &RenderOptions) -> Matrix<'a> {
    let weights: Vec<u8> = heatmap
        .weights
        .iter()
        .flat_map(|weight| weight.to_le_bytes())
        .collect();
    let lut: Vec<u8> = options
        .colormap
        .lut()
        .into_iter()
        .flat_map(|Rgb(r, g, b)| [r, g, b])
        .collect();
    Matrix {
        n: heatmap.n(),
        unit: if heatmap.tokens.iter().any(|token| token.id.is_none()) {
            "lexeme"
        } else {
            "subword"
        },
        labels: heatmap
            .tokens
            .iter()
            .map(|token| token.label.as_str())
            .collect(),
        weights: STANDARD.encode(weights),
        max: heatmap.max(),
        sqrt: options.scale == Scale::Sqrt,
        lut: STANDARD.encode(lut),
        note: &heatmap.note,
    }
}

/// The source, cut where a lexeme or a subword begins or ends.
fn lines(document: &AnalyzedDocument<'_>, heatmap: Option<&Heatmap>) -> Vec<Vec<Piece>> {
    let lexemes: Vec<(ByteSpan, u8)> = document
        .lexemes()
        .map(|(lexeme, level)| (lexeme.span, level.get()))
        .collect();
    let subwords: Vec<(ByteSpan, usize)> = heatmap
        .map(|heatmap| {
            let mut last = None;
            heatmap
                .tokens
                .iter()
                .enumerate()
                .filter_map(|(idx, token)| Some((token.span?, idx)))
                .filter(|(span, _)| !span.is_empty())
                // If one character has several subwords, the first one represents it.
                .filter(|(span, _)| last.replace(*span) != Some(*span))
                .collect()
        })
        .unwrap_or_default();
    let mut cuts: Vec<usize> = lexemes
        .iter()
        .map(|(span, _)| span)
        .chain(subwords.iter().map(|(span, _)| span))
        .flat_map(|span| [span.start, span.end])
        .collect();
    cuts.sort_unstable();
    cuts.dedup();

    let (mut lexeme, mut subword) = (0, 0);
    (0..document.line_count())
        .map(|number| {
            let content = document.source.index().line_content_span(number);
            let from = cuts.partition_point(|&cut| cut <= content.start);
            let to = cuts.partition_point(|&cut| cut < content.end);
            let inner = cuts.get(from..to).unwrap_or_default();
            let mut pieces = Vec::with_capacity(inner.len() + 1);
            let mut start = content.start;
            for &end in inner.iter().chain([&content.end]) {
                if end <= start {
                    continue;
                }
                while lexemes
                    .get(lexeme)
                    .is_some_and(|(span, _)| span.end <= start)
                {
                    lexeme += 1;
                }
                while subwords
                    .get(subword)
                    .is_some_and(|(span, _)| span.end <= start)
                {
                    subword += 1;
                }
                let in_lexeme = lexemes.get(lexeme).filter(|(span, _)| span.start <= start);
                let in_subword = subwords
                    .get(subword)
                    .filter(|(span, _)| span.start <= start);
                pieces.push(Piece(
                    tabs_kept(document.slice(ByteSpan::new(start, end))),
                    in_lexeme.map_or(0, |(_, level)| *level),
                    in_lexeme.map_or(-1, |_| index(lexeme)),
                    in_subword.map_or(-1, |(_, idx)| index(*idx)),
                ));
                start = end;
            }
            pieces
        })
        .collect()
}

fn index(idx: usize) -> i64 {
    i64::try_from(idx).unwrap_or(-1)
}

/// [`printable`], but keeps tabs, because the page has tab stops.
fn tabs_kept(text: &str) -> String {
    text.split('\t')
        .map(printable)
        .collect::<Vec<_>>()
        .join("\t")
}

#[cfg(test)]
mod tests {
    use codegaze_text::document::Document;

    use super::*;
    use crate::samples;

    fn page(path: &str, text: &str) -> String {
        let analysis = samples::full(text);
        let source = Document::new(text, 0);
        let document = AnalyzedDocument::new(path, &source, &analysis);
        let heatmap = Heatmap::from_chunk(&document, 0).unwrap();
        render(&document, Some(&heatmap), &RenderOptions::default()).unwrap()
    }

    fn data(page: &str) -> serde_json::Value {
        let (_, rest) = page
            .split_once(r#"<script type="application/json" id="data">"#)
            .unwrap();
        serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
    }

    #[test]
    fn the_source_is_data_only() {
        let text = "x = '</script><script>alert(1)</script><!--' {{script}} \u{202e}";
        let html = page("<img src=x>.py", text);
        assert_eq!(html.matches("<script").count(), 2);
        assert_eq!(html.matches("</script>").count(), 2);
        assert!(!html.contains("<img"));
        let shown: String = data(&html)["lines"][0]
            .as_array()
            .unwrap()
            .iter()
            .map(|piece| piece[0].as_str().unwrap())
            .collect();
        assert_eq!(shown, text.replace('\u{202e}', "‹U+202E›"));
    }

    #[test]
    fn nothing_is_loaded_and_only_its_own_script_runs() {
        let html = page("fib.py", samples::PYTHON);
        for remote in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!html.contains(remote), "{remote}");
        }
        assert!(html.contains("default-src 'none'"));
        for (tag, kind) in [("style", "<style>"), ("script", "<script>")] {
            let body = html.split_once(kind).unwrap().1;
            let body = body.split_once(&format!("</{tag}>")).unwrap().0;
            assert!(
                html.contains(&hash(body)),
                "the policy does not name this {tag}"
            );
        }
        assert!(!html.contains("{{") && !html.contains("style=\""));
    }

    #[test]
    fn pieces_know_their_lexeme_and_subword() {
        let analysis = samples::full(samples::PYTHON);
        let source = Document::new(samples::PYTHON, 0);
        let document = AnalyzedDocument::new("fib.py", &source, &analysis);
        let heatmap = Heatmap::from_chunk(&document, 0).unwrap();
        let lines = lines(&document, Some(&heatmap));
        assert_eq!(lines.len(), 4);
        let mut seen = 0;
        for Piece(text, _, lexeme, subword) in lines.iter().flatten() {
            if let Ok(lexeme) = usize::try_from(*lexeme) {
                assert_eq!(text, analysis.lexemes[lexeme].span.of(samples::PYTHON));
                seen += 1;
            }
            if let Ok(subword) = usize::try_from(*subword) {
                let span = heatmap.tokens[subword].span.unwrap();
                assert!(span.of(samples::PYTHON).contains(text.as_str()), "{text:?}");
            }
        }
        assert_eq!(seen, analysis.lexemes.len());
    }

    #[test]
    fn the_matrix_survives_the_way_to_the_page() {
        let analysis = samples::full(samples::PYTHON);
        let source = Document::new(samples::PYTHON, 0);
        let document = AnalyzedDocument::new("fib.py", &source, &analysis);
        let heatmap = Heatmap::from_chunk(&document, 0).unwrap();
        let html = render(&document, Some(&heatmap), &RenderOptions::default()).unwrap();
        let bytes = STANDARD
            .decode(data(&html)["matrix"]["weights"].as_str().unwrap())
            .unwrap();
        let weights: Vec<f32> = bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
            .collect();
        assert_eq!(weights, heatmap.weights);
    }
}
