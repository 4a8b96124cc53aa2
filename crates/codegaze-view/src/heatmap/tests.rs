use codegaze_text::document::Document;

use super::*;
use crate::colormap::Colormap;
use crate::picture::{LabelMode, Scale};
use crate::samples;
use crate::theme::Theme;

fn heatmap(text: &str) -> Heatmap {
    let analysis = samples::full(text);
    let source = Document::new(text, 0);
    Heatmap::from_chunk(&AnalyzedDocument::new("fib.py", &source, &analysis), 0).unwrap()
}

/// A matrix of `n` subwords, without a document.
fn synthetic(n: usize) -> Heatmap {
    let mut heatmap = heatmap("x");
    heatmap.weights = samples::matrix(n).weights;
    heatmap.tokens = (0..n)
        .map(|idx| HeatmapToken {
            label: ["self", "·return", "(", "⏎", "日本語", "🙂₂", "␍"][idx % 7].to_owned(),
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
fn dropping_sinks_leaves_rows_that_sum_to_one() {
    let analysis = samples::full(samples::PYTHON);
    let source = Document::new(samples::PYTHON, 0);
    let document = AnalyzedDocument::new("fib.py", &source, &analysis);
    let dropped = Heatmap::from_chunk(&document, 0).unwrap();
    let n = dropped.n();
    assert_eq!(n + 2, analysis.chunks[0].n_tokens);
    for row in dropped.weights.chunks(n) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
    // Renormalization keeps the ratios in a row.
    let full = &analysis.chunks[0].matrix.as_ref().unwrap().weights;
    let ratio = full[(n + 2) + 1] / full[(n + 2) + 2];
    assert!((dropped.weights[0] / dropped.weights[1] - ratio).abs() < 1e-3 * ratio);

    let mut keeping = analysis.clone();
    keeping.attribution.sinks = Sinks::Keep;
    let source = Document::new(samples::PYTHON, 0);
    let document = AnalyzedDocument::new("fib.py", &source, &keeping);
    let kept = Heatmap::from_chunk(&document, 0).unwrap();
    assert_eq!(&kept.weights, full);
    assert_eq!(kept.tokens[0].label, "<s>");
}

#[test]
fn missing_parts_are_errors() {
    let mut analysis = samples::full("x = 1");
    let error = |analysis: &codegaze_core::analysis::Analysis, chunk| {
        let source = Document::new("x = 1", 0);
        let document = AnalyzedDocument::new("x.py", &source, analysis);
        Heatmap::from_chunk(&document, chunk)
            .unwrap_err()
            .to_string()
    };
    assert!(error(&analysis, 3).contains("chunk 3 does not exist"));
    analysis.chunks[0].matrix.as_mut().unwrap().weights.pop();
    assert!(error(&analysis, 0).contains("does not fit"));
    analysis.chunks[0]
        .matrix
        .as_mut()
        .unwrap()
        .weights
        .push(f32::NAN);
    assert!(error(&analysis, 0).contains("not a number"));
    analysis.chunks[0].matrix = None;
    assert!(error(&analysis, 0).contains("matrices kept"));
}

#[test]
fn png_has_the_requested_size_resolution_and_colors() {
    let heatmap = synthetic(40);
    let options = RenderOptions {
        size: Some(900),
        dpi: 144,
        colormap: Colormap::Viridis,
        theme: Theme::Dark,
        ..RenderOptions::default()
    };
    let (info, pixels) = decode(&render_png(&heatmap, &options).unwrap());
    assert_eq!(info.width, 900);
    assert_eq!(info.pixel_dims.unwrap().xppu, 5669); // 144 / 0.0254
    let hottest = Colormap::Viridis.rgb(1.0);
    let count = pixels
        .chunks_exact(3)
        .filter(|p| **p == [hottest.0, hottest.1, hottest.2])
        .count();
    assert!(count > 50, "the greatest weight's cell is not painted");
    let background = Theme::Dark.background();
    assert_eq!(pixels[..3], [background.0, background.1, background.2]);
}

#[test]
fn large_matrices_stay_small_as_svg() {
    // One pixel for each cell.
    let heatmap = synthetic(100);
    let svg = render_svg(&heatmap, &RenderOptions::default()).unwrap();
    let (_, data) = svg.split_once("data:image/png;base64,").unwrap();
    let (data, _) = data.split_once('"').unwrap();
    let png = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data).unwrap();
    let (info, pixels) = decode(&png);
    assert_eq!((info.width, info.height), (100, 100));
    for at in [0, 5000, 9999] {
        let expected = Colormap::default().rgb((heatmap.weights[at] / heatmap.max()).sqrt());
        let found = &pixels[3 * at..3 * at + 3];
        assert!(
            [expected.0, expected.1, expected.2]
                .iter()
                .zip(found)
                .all(|(a, b)| a.abs_diff(*b) <= 3)
        );
    }

    let svg = render_svg(&synthetic(512), &RenderOptions::default()).unwrap();
    assert!(svg.len() < 2_000_000, "{} bytes", svg.len());
    assert!(svg.contains("data:image/png;base64,"));
}

#[test]
fn labels_are_all_or_every_kth_or_none() {
    let labels = |n, labels| {
        let options = RenderOptions {
            labels,
            ..RenderOptions::default()
        };
        render_svg(&synthetic(n), &options)
            .unwrap()
            .matches(">self</text>")
            .count()
    };
    assert_eq!(labels(28, LabelMode::Auto), 2 * 4);
    assert_eq!(labels(28, LabelMode::Off), 0);
    assert!(labels(280, LabelMode::Auto) < 2 * 40);
    assert_eq!(labels(280, LabelMode::On), 2 * 40);
}

#[test]
fn markup_in_labels_and_titles_is_text() {
    let text = "</text><script>&'\"]]>";
    let analysis = samples::full(text);
    let source = Document::new(text, 0);
    let document = AnalyzedDocument::new("<b>&\u{1b}.py", &source, &analysis);
    let heatmap = Heatmap::from_chunk(&document, 0).unwrap();
    let svg = render_svg(&heatmap, &RenderOptions::default()).unwrap();
    assert!(!svg.contains("<script") && !svg.contains("<b>"));
}

#[test]
fn impossible_options_are_errors() {
    let heatmap = synthetic(30);
    let error = |options: RenderOptions| render_png(&heatmap, &options).unwrap_err().to_string();
    let default = RenderOptions::default();
    assert!(error(RenderOptions { dpi: 0, ..default }).contains("out of range"));
    assert!(
        error(RenderOptions {
            dpi: u32::MAX,
            ..default
        })
        .contains("out of range")
    );
    assert!(
        error(RenderOptions {
            size: Some(0),
            ..default
        })
        .contains("at least")
    );
    assert!(
        error(RenderOptions {
            size: Some(100_000),
            ..default
        })
        .contains("too large")
    );
    assert!(
        error(RenderOptions {
            size: Some(u32::MAX),
            ..default
        })
        .contains("too large")
    );
    let minimum: u32 = error(RenderOptions {
        size: Some(10),
        ..default
    })
    .rsplit(' ')
    .next()
    .unwrap()
    .parse()
    .unwrap();
    render_png(
        &heatmap,
        &RenderOptions {
            size: Some(minimum),
            ..default
        },
    )
    .unwrap();
}

#[test]
fn unusual_matrices_are_drawn() {
    for n in [0, 1, 2, 3] {
        for scale in [Scale::Sqrt, Scale::Linear] {
            let mut heatmap = synthetic(n);
            let options = RenderOptions {
                scale,
                ..RenderOptions::default()
            };
            render_png(&heatmap, &options).unwrap();
            heatmap.weights.fill(0.0);
            render_png(&heatmap, &options).unwrap();
            render_svg(&heatmap, &options).unwrap();
        }
    }
    // This matrix has more cells than pixels.
    let options = RenderOptions {
        size: Some(400),
        ..RenderOptions::default()
    };
    render_png(&synthetic(700), &options).unwrap();
}

#[test]
fn rows_and_columns_by_weight() {
    let mut heatmap = synthetic(3);
    #[rustfmt::skip]
    let weights = [
        0.2, 0.5, 0.3,
        0.0, 0.4, 0.6,
        0.2, 0.5, 0.3,
    ];
    heatmap.weights = weights.to_vec();
    assert_eq!(heatmap.attends_to(0, 9), [(1, 0.5), (2, 0.3), (0, 0.2)]);
    assert_eq!(heatmap.attends_to(1, 9), [(2, 0.6), (1, 0.4)]);
    assert_eq!(heatmap.attended_by(1, 2), [(0, 0.5), (2, 0.5)]);
    assert_eq!(heatmap.attended_by(0, 9), [(0, 0.2), (2, 0.2)]);
    assert_eq!(synthetic(0).attended_by(0, 9), []);
}
