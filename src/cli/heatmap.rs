//! `codegaze heatmap`: writes the matrix of a chunk, or the shaded source, as a picture or a page.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::anyhow;

use super::args::{HeatmapArgs, LabelChoice};
use super::attention::no_chunk;
use super::error::CliError;
use super::files::Input;
use super::{analyze, models, output};
use crate::analysis::{AnalysisConfig, Extras};
use crate::text::named::Named as _;
use crate::view::AnalyzedDocument;
use crate::view::heatmap::Heatmap;
use crate::view::picture::{LabelMode, PictureFormat, PictureKind, RenderError, RenderOptions};
use crate::view::render::{render_matrix, render_source};

/// The format of a file, by its name.
fn format_of(path: &Path) -> Result<PictureFormat, CliError> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    match extension.to_ascii_lowercase().as_str() {
        "htm" => Some(PictureFormat::Html),
        extension => PictureFormat::from_name(extension),
    }
    .ok_or_else(|| {
        CliError::usage(anyhow!(
            "{}: unknown format; give a name that ends in .png, .svg or .html",
            path.display()
        ))
    })
}

pub(super) fn run(args: &HeatmapArgs) -> Result<(), CliError> {
    let format = format_of(&args.out)?;
    output::check_not_input(&args.out, &args.file)?;
    let input = Input::from_path(&args.file);
    let source = input.read(args.input.max_bytes).map_err(CliError::failed)?;
    let model = models::load(&args.model)?;
    let attribution = analyze::resolve(&args.attribution, model.info())?;
    let is_matrix = args.kind == PictureKind::Matrix;
    let config = AnalysisConfig {
        extras: Extras {
            subwords: is_matrix,
            matrix: is_matrix,
            relations: false,
            embedding: false,
        },
        ..AnalysisConfig::new(model.info(), attribution)
    };
    let cancel = AtomicBool::new(false);
    let name = input.name();
    let analysis = crate::analysis::analyze(&model, &source, &config, &cancel, &mut |_, _| ())
        .map_err(|error| CliError::failed(anyhow!("{name}: {error}")))?;
    let document = AnalyzedDocument::new(&name, &source, &analysis);
    let options = options(args);
    let fault = |error: RenderError| CliError::usage(anyhow!("{name}: {error}"));
    let bytes = if is_matrix {
        let n_chunks = analysis.chunks.len();
        let chunk = analysis
            .chunks
            .get(args.chunk)
            .ok_or_else(|| no_chunk(&input, args.chunk, n_chunks))?;
        if chunk.matrix.is_none() {
            return Err(CliError::failed(anyhow!(
                "{name}: chunk {} contains only whitespace; choose another one",
                args.chunk
            )));
        }
        let heatmap = Heatmap::new(&document, args.chunk, args.unit).map_err(fault)?;
        render_matrix(format, &document, &heatmap, &options)
    } else {
        render_source(format, &document, &options)
    };
    let bytes = bytes.map_err(fault)?;
    output::to_file(&args.out, |out| out.write_all(&bytes))
}

fn options(args: &HeatmapArgs) -> RenderOptions {
    RenderOptions {
        size: args.size,
        dpi: args.dpi,
        colormap: args.colormap,
        scale: args.scale,
        labels: match args.labels {
            LabelChoice::Auto => LabelMode::Auto,
            LabelChoice::All => LabelMode::On,
            LabelChoice::None => LabelMode::Off,
        },
        theme: args.theme,
    }
}
