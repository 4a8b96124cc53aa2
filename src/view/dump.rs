use super::*;
use crate::view::heatmap::Heatmap;
use crate::view::picture::*;
use crate::view::theme::Theme;
#[test]
fn dump() {
    let dir = std::path::Path::new("/tmp/w/viewtmp/out");
    std::fs::create_dir_all(dir).unwrap();
    let long = include_str!("label.rs");
    for n in [12usize, 60, 300, 512] {
        let mut end = 0;
        for (at, _) in long
            .char_indices()
            .map(|(a, c)| (a + c.len_utf8(), c))
            .filter(|(_, c)| *c == '\n')
        {
            if samples::analysis(&long[..at]).chunks[0].n_tokens > n + 2 {
                break;
            }
            end = at;
        }
        let t;
        let text = if n == 12 {
            "s = \"日🙂\"\r\n\tx"
        } else {
            t = long[..end].to_owned();
            &t
        };
        let analysis = samples::full(text);
        let doc = AnalysedDocument::new("src/view/label.rs", text, &analysis);
        let heatmap = Heatmap::from_chunk(&doc, 0).unwrap();
        for theme in Theme::ALL {
            for (name, options) in [
                (
                    "",
                    RenderOptions {
                        theme,
                        ..Default::default()
                    },
                ),
                (
                    "-on",
                    RenderOptions {
                        theme,
                        labels: LabelMode::On,
                        colormap: colormap::Colormap::Magma,
                        size: Some(1400),
                        dpi: 120,
                        ..Default::default()
                    },
                ),
            ] {
                let t = std::time::Instant::now();
                let png = heatmap::render_png(&heatmap, &options).unwrap();
                println!(
                    "{n} ({}) {name} {:?} {} kB",
                    heatmap.n(),
                    t.elapsed(),
                    png.len() / 1000
                );
                std::fs::write(
                    dir.join(format!("heat-{n}-{}{name}.png", theme.as_str())),
                    png,
                )
                .unwrap();
            }
            let o = RenderOptions {
                theme,
                ..Default::default()
            };
            std::fs::write(
                dir.join(format!("heat-{n}-{}.svg", theme.as_str())),
                heatmap::render_svg(&heatmap, &o).unwrap(),
            )
            .unwrap();
            std::fs::write(
                dir.join(format!("source-{n}-{}.svg", theme.as_str())),
                source_picture::render_svg(&doc, &o).unwrap(),
            )
            .unwrap();
            let t = std::time::Instant::now();
            let png = source_picture::render_png(&doc, &o).unwrap();
            println!("source {n} {:?} {} kB", t.elapsed(), png.len() / 1000);
            std::fs::write(dir.join(format!("source-{n}-{}.png", theme.as_str())), png).unwrap();
        }
        let o = RenderOptions::default();
        std::fs::write(
            dir.join(format!("page-{n}.html")),
            heatmap::render_html(&doc, &heatmap, &o).unwrap(),
        )
        .unwrap();
        std::fs::write(
            dir.join(format!("source-{n}.html")),
            source_picture::render_html(&doc, &o).unwrap(),
        )
        .unwrap();
        for (name, color) in [
            ("true", terminal::ColorMode::TrueColor),
            ("plain", terminal::ColorMode::Plain),
            ("256", terminal::ColorMode::Ansi256),
        ] {
            let mut out = Vec::new();
            let o = terminal::TerminalOptions {
                color,
                ..Default::default()
            };
            terminal::write_document(&mut out, &doc, &o).unwrap();
            terminal::write_top(&mut out, &doc, 8, &o).unwrap();
            std::fs::write(dir.join(format!("term-{n}-{name}.txt")), out).unwrap();
        }
    }
}
