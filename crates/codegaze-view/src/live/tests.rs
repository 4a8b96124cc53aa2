use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use codegaze_core::analysis::thumbnails::Thumbnails;
use codegaze_core::engine::{Finished, Scope};
use codegaze_model::source::{HubOptions, ModelSource};
use codegaze_model::{Device, Precision};
use codegaze_text::ByteSpan;
use serde_json::json;

use super::hover::Hovered;
use super::*;
use crate::heatmap::{Heatmap, Unit};
use crate::hover::CardLength;
use crate::levels::LevelThresholds;
use crate::position::WirePosition;
use crate::samples;

const TEXT: &str = "import os\n\ndef fib(n):\n    s = '😀'; return fib(n - 1)\n\n\nx = fib(3)\n";

static MODEL: LazyLock<Arc<Model>> = LazyLock::new(|| {
    let files = ModelSource::Embedded.resolve(&HubOptions::from_env(), &());
    Arc::new(Model::load(&files.unwrap(), Device::Cpu, Precision::F32).unwrap())
});

fn live_view(encoding: Encoding) -> LiveView {
    let view = AttributionOptions::default();
    let attribution = view.resolve(MODEL.info()).unwrap();
    LiveView {
        document: Document::new(TEXT, 40),
        version: 7,
        encoding,
        model_and_view: ModelAndView::live(Arc::clone(&MODEL), attribution),
        view,
        thresholds: LevelThresholds::default(),
    }
}

fn finished() -> Finished {
    Finished {
        document: Document::new(TEXT, 40),
        analysis: samples::related(TEXT),
        complete: true,
        scope: Scope::Document,
        first_chunk: 0,
        n_chunks: 1,
        cached: vec![true],
        spent: codegaze_core::analysis::Timing::default(),
    }
}

fn live_analysis(encoding: Encoding, thresholds: &LevelThresholds) -> LiveAnalysis {
    let view = LiveView {
        thresholds: *thresholds,
        ..live_view(encoding)
    };
    view.analysis(Arc::new(finished()))
}

fn at(line: u32, character: u32) -> WirePosition {
    WirePosition { line, character }
}

fn text_under(range: WireRange, encoding: Encoding) -> &'static str {
    let document = Document::new(TEXT, 0);
    Positions::new(&document, encoding).span(range).of(TEXT)
}

#[test]
fn results_have_the_clients_version_and_ranges_in_its_units() {
    for encoding in Encoding::ALL {
        let view = live_view(encoding);
        let place = Place {
            position: Some(at(3, 4)),
            chunk: None,
        };
        let matrix = view.matrix(&finished(), place, Unit::Lexeme).unwrap();
        let matrix = matrix.unwrap();
        assert_eq!(matrix.version, 7);
        let definition = matrix.definition.unwrap();
        assert!(text_under(definition, encoding).starts_with("def fib(n):"));
        for token in &matrix.tokens {
            let range = token.range.unwrap();
            if token.label.is_ascii() && !token.label.contains('…') {
                assert_eq!(text_under(range, encoding), token.label);
            }
        }
        let analysis = live_analysis(encoding, &LevelThresholds::default());
        let heat = analysis.heat(None);
        assert_eq!((heat.version, heat.encoding), (7, encoding));
        let summary = analysis.summary(None);
        assert_eq!(summary.version, 7);
        assert!(summary.top.len() > 5);
        for lexeme in &summary.top {
            assert_eq!(text_under(lexeme.range, encoding), lexeme.text);
        }
        assert_eq!(summary.definitions[0].name, "fib");
        assert_eq!(summary.chunks.len(), 1);
    }
}

#[test]
fn relations_are_the_row_and_the_column_of_the_matrix() {
    let analysis = live_analysis(Encoding::Utf16, &LevelThresholds::default());
    let chunk = finished();
    let document = AnalyzedDocument::new("", &chunk.document, &chunk.analysis);
    let matrix = Heatmap::of_first(&document, Unit::Lexeme).unwrap().unwrap();
    let n = matrix.n();
    let place = TEXT.find("return").unwrap();
    let lexeme_idx = chunk.analysis.lexeme_at(place).unwrap();
    let found = analysis
        .relations(lexeme_idx, &chunk, Some(1000))
        .unwrap()
        .unwrap();
    assert_eq!(found.lexeme.text, "return");
    let row: f32 = found.attends_to.iter().map(|other| other.weight).sum();
    assert!((row - 1.0).abs() < 1e-4, "{row}");
    let tokens = &matrix.tokens;
    let at = tokens
        .iter()
        .position(|token| token.label == "return")
        .unwrap();
    for other in &found.attended_by {
        let span = analysis.positions().span(other.range);
        let query = tokens.iter().position(|token| token.span == Some(span));
        let weight = matrix.weights[query.unwrap() * n + at];
        assert!((weight - other.weight).abs() < f32::EPSILON);
    }
    let few = analysis.relations(lexeme_idx, &chunk, Some(3)).unwrap();
    assert_eq!(few.unwrap().attends_to, found.attends_to[..3]);
}

#[test]
fn heat_of_a_part_has_the_levels_of_the_whole() {
    let analysis = live_analysis(Encoding::Utf16, &LevelThresholds::default());
    let first_line = ByteSpan::new(0, 9);
    let part = analysis.heat(Some(first_line)).data;
    assert_eq!(part, analysis.heat(None).data[..part.len()]);
    assert!(part.len() < analysis.heat(None).data.len());
    let lower = LevelThresholds {
        quantiles: [0.0, 0.1, 0.2, 0.3, 0.4],
    };
    let more = live_analysis(Encoding::Utf16, &lower);
    assert!(more.heat(None).data.len() > analysis.heat(None).data.len());
    let hotter = |analysis: &LiveAnalysis| -> usize {
        let levels = analysis.summary(None).lines;
        levels.iter().map(|line| usize::from(line.level)).sum()
    };
    assert!(hotter(&more) > hotter(&analysis));
}

#[test]
fn a_hover_is_of_the_lexeme_under_the_pointer() {
    let analysis = live_analysis(Encoding::Utf16, &LevelThresholds::default());
    let place = TEXT.find("return").unwrap();
    let Some(Hovered::Lexeme { card, range }) = analysis.hover(place) else {
        panic!("there is a lexeme");
    };
    assert_eq!(range.start, at(3, 14));
    assert!(card.plain(CardLength::Full).contains("from the cache"));
    let marked = analysis.highlights(place, 5, 0.0).unwrap();
    assert!(!marked.is_empty());
    assert!(analysis.highlights(place, 0, 0.0).unwrap().is_empty());
    assert!(analysis.hover(TEXT.find("\n\n").unwrap() + 1).is_none());
}

#[test]
fn a_request_selects_its_chunk_and_its_view() {
    let view = live_view(Encoding::Utf16);
    let scope = |position, chunk| view.scope(Place { position, chunk });
    assert_eq!(scope(None, None), Scope::Chunk(0));
    assert_eq!(scope(Some(at(0, 0)), Some(2)), Scope::Chunk(2));
    // The emoji before it has two code units, and four bytes.
    let offset = TEXT.find("return").unwrap();
    assert_eq!(scope(Some(at(3, 14)), None), Scope::ChunkAt(offset));

    let same = view.select(None, None).unwrap();
    assert_eq!(
        same.config.attribution,
        view.model_and_view.config.attribution
    );
    let options: ViewOptions = serde_json::from_value(json!({ "layers": 1 })).unwrap();
    let other = view.select(None, Some(&options)).unwrap();
    assert_eq!(other.config.attribution.layers, [1]);
    let options: ViewOptions = serde_json::from_value(json!({ "layers": 99 })).unwrap();
    assert!(view.select(None, Some(&options)).is_err());
}

#[test]
fn a_change_without_a_range_replaces_the_text() {
    let changes = json!([
        { "range": { "start": { "line": 0, "character": 1 }, "end": { "line": 0, "character": 3 } }, "text": "b" },
        { "text": "c" }
    ]);
    let changes: Vec<Change> = serde_json::from_value(changes).unwrap();
    let apply = |changes: &[Change]| {
        let mut document = Document::new("a😀", 1);
        let edits: Vec<Edit> = changes.iter().cloned().map(Edit::from).collect();
        document
            .apply_edits(&edits, Encoding::Utf16.into(), 2)
            .unwrap();
        document.text().to_owned()
    };
    assert_eq!(apply(&changes[..1]), "ab");
    assert_eq!(apply(&changes), "c");
    let unknown = json!({ "text": "", "length": 1 });
    assert!(serde_json::from_value::<Change>(unknown).is_err());
}

#[test]
fn thumbnails_keep_their_shape() {
    let view = live_view(Encoding::Utf16);
    let drawn = Thumbnails {
        chunk_idx: 3,
        n_layers: 2,
        n_heads: 1,
        size: 2,
        cells: vec![0.0, 0.25, 1.0, 0.0, 0.1, 0.0, 0.0, 0.0],
    };
    let result = view.thumbnails(&drawn).unwrap();
    let shape = (result.chunk, result.layers, result.heads, result.size);
    assert_eq!(shape, (3, 2, 1, 2));
    assert_eq!(result.version, 7);
    let cells = STANDARD.decode(result.cells).unwrap();
    assert_eq!(cells, [0, 128, 255, 0, 255, 0, 0, 0]);
    let blank = Thumbnails {
        size: 0,
        cells: Vec::new(),
        ..drawn
    };
    assert_eq!(view.thumbnails(&blank), None);
}
