//! `codegaze.server.heatmap`: a document's or a part's heatmap as data or picture, returned, written or shown.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::ls_types::request::ShowDocument;
use tower_lsp::ls_types::{NumberOrString, Range, ShowDocumentParams, Uri};

use super::failed;
use crate::analysis::Extras;
use crate::engine::{Finished, Pending, Scope};
use crate::files::write_file;
use crate::lsp::errors::{engine_error, invalid_params};
use crate::lsp::matrix::plan;
use crate::lsp::progress::{ProgressTarget, Reporter};
use crate::lsp::session::{Session, Snapshot};
use crate::off_thread::off_thread;
use crate::text::named::{Named as _, UnknownName};
use crate::text::{ByteSpan, named_enum};
use crate::view::AnalyzedDocument;
use crate::view::colormap::Colormap;
use crate::view::excerpt::Excerpt;
use crate::view::heatmap::{Heatmap, Unit};
use crate::view::json::{AnalysisJson, JsonOptions};
use crate::view::levels::{LevelThresholds, Levels};
use crate::view::options::{ViewAnswer, ViewOptions};
use crate::view::picture::{PictureFormat, PictureKind, RenderError, RenderOptions};
use crate::view::render::{render_matrix, render_source};
use crate::view::theme::Theme;

named_enum! {
    /// What is returned or written.
    #[derive(Default)]
    enum Format as "format" {
        Json = "json", "the numbers, as `codegaze.analysis/1`";
        Png = "png", "pixels";
        #[default]
        Svg = "svg", "shapes and text";
        Html = "html", "a page to explore";
    }
}

impl Format {
    /// `None` for JSON.
    fn picture(self) -> Option<PictureFormat> {
        PictureFormat::from_name(self.as_str())
    }

    fn mime_type(self) -> &'static str {
        self.picture()
            .map_or("application/json", PictureFormat::mime_type)
    }
}

/// `HeatmapCommand` of `docs/protocol.md`; `uri` was read before.
#[derive(Debug, Deserialize)]
pub(super) struct Options {
    #[serde(default)]
    format: Format,
    #[serde(default)]
    kind: PictureKind,
    #[serde(default)]
    range: Option<Range>,
    #[serde(default)]
    unit: Unit,
    #[serde(default)]
    view: Option<ViewOptions>,
    #[serde(default)]
    theme: Theme,
    #[serde(default)]
    colormap: Option<String>,
    #[serde(default)]
    tokens: bool,
    #[serde(default)]
    attention: bool,
    #[serde(default)]
    path: Option<PathBuf>,
    #[serde(default)]
    open: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    mime_type: &'static str,
    encoding: &'static str,
    data: Option<String>,
    path: Option<PathBuf>,
    version: i32,
    view: ViewAnswer,
}

pub(super) async fn run(
    session: &Arc<Session>,
    snapshot: &Snapshot,
    options: Options,
    token: Option<NumberOrString>,
) -> Result<Option<Answer>> {
    let invalid = |message: String| Error::invalid_params(message);
    if let Some(path) = options.path.as_ref().filter(|path| !path.is_absolute()) {
        return Err(invalid(format!(
            "path {} is relative; give an absolute path",
            path.display()
        )));
    }
    let colormap = options.colormap.as_deref().map(str::parse).transpose();
    let colormap: Option<Colormap> =
        colormap.map_err(|error: UnknownName| invalid(error.to_string()))?;
    let Some(live) = session.live_view(snapshot) else {
        return Ok(None);
    };
    let selected = live.select(None, options.view.as_ref());
    let selected = selected.map_err(|error| invalid_params(&error))?;
    let part = options.range.map(|range| snapshot.positions().span(range));
    let is_matrix = options.format != Format::Json && options.kind == PictureKind::Matrix;
    let (scope, extras) = if is_matrix {
        let at = part.map_or(0, |part| part.start);
        (Scope::ChunkAt(at), Heatmap::EXTRAS)
    } else {
        let extras = Extras {
            subwords: options.tokens || options.attention,
            matrix: options.attention,
            ..Extras::default()
        };
        // The levels of a part are those that it has in the whole.
        (Scope::Document, extras)
    };
    let planned = plan(session, selected.model, live.document).await?;
    let attribution = selected.config.attribution.clone();
    let pending = session.engine.analyze(&planned, scope, attribution, extras);
    let finished = with_progress(session, pending, token).await?;
    let view = ViewAnswer::new(&finished.analysis.model, &finished.analysis.attribution);
    let format = options.format;
    let job = Drawing {
        name: snapshot.key().to_owned(),
        thresholds: snapshot.settings.thresholds,
        part,
        is_matrix,
        unit: options.unit,
        format,
        json: JsonOptions {
            tokens: options.tokens,
            attention: options.attention,
            image: None,
        },
        render: RenderOptions {
            colormap: colormap.unwrap_or_default(),
            theme: options.theme,
            ..RenderOptions::default()
        },
    };
    let path = options
        .path
        .or_else(|| options.open.then(|| temporary(format)));
    let to = path.clone();
    // Drawing and writing take their time: not on a thread that answers others.
    let drawn = off_thread(move || {
        let bytes = job.draw(&finished).map_err(|error| failed(&error))?;
        match to {
            None => Ok(Some(bytes)),
            Some(path) => write(&path, &bytes).map(|()| None),
        }
    });
    let bytes = drawn.await?;
    if let Some(path) = path.as_ref().filter(|_| options.open) {
        show(session, path);
    }
    let is_text = format != Format::Png;
    Ok(Some(Answer {
        mime_type: format.mime_type(),
        encoding: if is_text { "utf8" } else { "base64" },
        data: bytes.map(|bytes| match String::from_utf8(bytes) {
            Ok(text) if is_text => text,
            Ok(text) => STANDARD.encode(text),
            Err(binary) => STANDARD.encode(binary.as_bytes()),
        }),
        path,
        version: snapshot.client_version,
        view,
    }))
}

/// Awaits an analysis: reports its progress, and lets the client cancel it.
async fn with_progress(
    session: &Arc<Session>,
    mut pending: Pending<Finished>,
    token: Option<NumberOrString>,
) -> Result<Finished> {
    let target = token
        .clone()
        .map_or(ProgressTarget::None, ProgressTarget::Client);
    let cancellable = session.cancellations.register(token);
    let title = "codegaze: heatmap".to_owned();
    let reporter = Reporter::start(session.client.clone(), target, title, true);
    let progress = pending.progress();
    let report = async {
        if let Some(mut progress) = progress {
            while progress.changed().await.is_ok() {
                let (done, all) = *progress.borrow_and_update();
                let percent = u32::try_from(100 * done / all.max(1)).ok();
                reporter.report(percent, format!("{done} of {all} chunks"));
            }
        }
        // The result ends the waiting, not the reports.
        std::future::pending::<std::convert::Infallible>().await
    };
    let done = tokio::select! {
        done = pending.done() => done.map_err(|error| engine_error(&error)),
        () = cancellable.cancellation.cancelled() => Err(Error::request_cancelled()),
        never = report => match never {},
    };
    // The client's token is valid until the answer.
    reporter.finish().await;
    done
}

/// What to draw, and how.
struct Drawing {
    name: String,
    thresholds: LevelThresholds,
    part: Option<ByteSpan>,
    is_matrix: bool,
    unit: Unit,
    format: Format,
    json: JsonOptions<'static>,
    render: RenderOptions,
}

impl Drawing {
    fn draw(&self, finished: &Finished) -> std::result::Result<Vec<u8>, RenderError> {
        let document = AnalyzedDocument::with_levels(
            &self.name,
            &finished.document,
            &finished.analysis,
            Levels::new(&finished.analysis, &self.thresholds),
        );
        if self.is_matrix {
            return self.draw_matrix(&document);
        }
        let excerpt = self.part.map(|part| Excerpt::new(&document, part));
        let document = excerpt.as_ref().map_or(document, Excerpt::document);
        match self.format.picture() {
            None => Ok(serde_json::to_vec(&AnalysisJson::new(
                &document, &self.json,
            ))?),
            Some(format) => render_source(format, &document, &self.render),
        }
    }

    fn draw_matrix(
        &self,
        document: &AnalyzedDocument<'_>,
    ) -> std::result::Result<Vec<u8>, RenderError> {
        let matrix = Heatmap::new(document, 0, self.unit)?;
        let format = self.format.picture().unwrap_or(PictureFormat::Html);
        render_matrix(format, document, &matrix, &self.render)
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_file(path, |out| out.write_all(bytes)).map_err(|error| {
        failed(&format!(
            "cannot write {}: {error}; choose another path",
            path.display()
        ))
    })
}

/// A file that outlives the session, so that a browser can still read it.
fn temporary(format: Format) -> PathBuf {
    let moment = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    let name = format!(
        "codegaze-heatmap-{}-{moment}.{}",
        std::process::id(),
        format.as_str()
    );
    std::env::temp_dir().join(name)
}

/// Lets the client open the file, or says where it is.
fn show(session: &Arc<Session>, path: &Path) {
    let message = format!("codegaze: the heatmap is in {}", path.display());
    let uri = session
        .state()
        .caps
        .show_document
        .then(|| Uri::from_file_path(path))
        .flatten();
    let Some(uri) = uri else {
        session.notifier.info(message);
        return;
    };
    let shown = session.client.request::<ShowDocument>(ShowDocumentParams {
        uri,
        external: Some(true),
        take_focus: None,
        selection: None,
    });
    let session = Arc::clone(session);
    tokio::spawn(async move {
        let is_shown = shown.await.is_ok_and(|shown| shown.success);
        if !is_shown {
            session.notifier.info(message);
        }
    });
}
