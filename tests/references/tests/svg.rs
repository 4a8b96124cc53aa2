//! Compares the SVG pictures with the PNG pictures, with the renderer `resvg`.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]
#![allow(clippy::cast_precision_loss, reason = "numbers of pixels")]

use codegaze::text::document::Document;
use codegaze_view::heatmap::{Heatmap, HeatmapToken, render_png, render_svg};
use codegaze_view::picture::{LabelMode, RenderOptions};
use codegaze_view::{AnalyzedDocument, samples, source_picture};

/// A matrix of `n` subwords, without a document.
fn synthetic(n: usize) -> Heatmap {
    let analysis = samples::full("x");
    let source = Document::new("x", 0);
    let document = AnalyzedDocument::new("x.py", &source, &analysis);
    let mut heatmap = Heatmap::from_chunk(&document, 0).unwrap();
    heatmap.weights = samples::matrix(n).weights;
    heatmap.tokens = (0..n)
        .map(|_| HeatmapToken {
            label: "x".to_owned(),
            id: Some(0),
            span: None,
            score: 0.0,
        })
        .collect();
    heatmap
}

fn decode(png: &[u8]) -> (png::Info<'static>, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    (reader.info().clone(), pixels)
}

#[test]
fn svg_is_valid_and_looks_like_the_png() {
    for n in [1, 12, 60] {
        let heatmap = synthetic(n);
        let options = RenderOptions {
            labels: LabelMode::Off, // they hold characters that the typeface lacks
            ..RenderOptions::default()
        };
        let svg = render_svg(&heatmap, &options).unwrap();
        let mut fonts = resvg::usvg::Options::default();
        fonts.fontdb_mut().load_font_data(
            include_bytes!("../../../crates/codegaze-view/assets/fonts/DejaVuSansMono.ttf")
                .to_vec(),
        );
        let tree = resvg::usvg::Tree::from_str(&svg, &fonts).unwrap();
        let size = tree.size().to_int_size();
        let (info, pixels) = decode(&render_png(&heatmap, &options).unwrap());
        assert_eq!((size.width(), size.height()), (info.width, info.height));
        let mut pixmap = resvg::tiny_skia::Pixmap::new(size.width(), size.height()).unwrap();
        resvg::render(
            &tree,
            resvg::tiny_skia::Transform::identity(),
            &mut pixmap.as_mut(),
        );
        let same = pixmap
            .pixels()
            .iter()
            .zip(pixels.chunks_exact(3))
            .filter(|(a, b)| {
                [a.red(), a.green(), a.blue()]
                    .iter()
                    .zip(b.iter())
                    .all(|(a, b)| a.abs_diff(*b) <= 3)
            })
            .count();
        let share = same as f64 / pixmap.pixels().len() as f64;
        assert!(share > 0.93, "{n}: only {share} of the pixels agree");
    }
}

#[test]
fn escapes_in_the_source_leave_valid_svg() {
    let text = "x\x1b[31m</text>\u{202e}&";
    let analysis = samples::full(text);
    let source = Document::new(text, 0);
    let document = AnalyzedDocument::new("fib.py", &source, &analysis);
    let svg = source_picture::render_svg(&document, &RenderOptions::default()).unwrap();
    resvg::usvg::Tree::from_str(&svg, &resvg::usvg::Options::default()).unwrap();
}

#[test]
fn markup_in_labels_and_titles_leaves_valid_svg() {
    let text = "</text><script>&'\"]]>";
    let analysis = samples::full(text);
    let source = Document::new(text, 0);
    let document = AnalyzedDocument::new("<b>&\u{1b}.py", &source, &analysis);
    let heatmap = Heatmap::from_chunk(&document, 0).unwrap();
    let svg = render_svg(&heatmap, &RenderOptions::default()).unwrap();
    resvg::usvg::Tree::from_str(&svg, &resvg::usvg::Options::default()).unwrap();
}
