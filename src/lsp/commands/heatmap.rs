//! `codegaze.server.heatmap`: a document's or a part's heatmap as data or picture, returned, written or shown.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::ls_types::request::ShowDocument;
use tower_lsp::ls_types::{NumberOrString, Position, Range, ShowDocumentParams, Uri};

use super::failed;
use crate::analysis::Extras;
use crate::engine::{Finished, Pending, Scope};
use crate::files::write_file;
use crate::lsp::errors::{engine_error, invalid_params};
use crate::lsp::keys::file_name;
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
use crate::view::live::definition_at;
use crate::view::options::{ViewAnswer, ViewOptions};
use crate::view::picture::{PictureFormat, PictureKind, RenderError, RenderOptions};
use crate::view::render::{render_matrix, render_source};
use crate::view::theme::Theme;

named_enum! {
    /// What is returned or written.
    #[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "HeatmapFormat", rename_all = "lowercase"))]
    #[derive(Default)]
    pub(crate) enum Format as "format" {
        Json = "json", "the numbers, as `codegaze.analysis/1`";
        Png = "png", "pixels";
        #[default]
        Svg = "svg", "shapes and text";
        Html = "html", "a page to explore";
    }
}

impl Format {
    /// How the content is encoded in a JSON string, and the string.
    fn encode(self, content: Option<Vec<u8>>) -> (&'static str, Option<String>) {
        if self == Self::Png {
            return ("base64", content.map(|bytes| STANDARD.encode(bytes)));
        }
        let text = content.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        ("utf8", text)
    }

    /// `None` for JSON.
    fn picture(self) -> Option<PictureFormat> {
        PictureFormat::from_name(self.as_str())
    }

    fn mime_type(self) -> &'static str {
        self.picture()
            .map_or("application/json", PictureFormat::mime_type)
    }
}

/// `HeatmapCommand` of `docs/protocol.md`, without `uri`.
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[derive(Debug, Deserialize)]
pub(crate) struct HeatmapCommand {
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    #[serde(default)]
    format: Format,
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    #[serde(default)]
    kind: PictureKind,
    #[cfg_attr(feature = "ts", ts(optional, type = "Range"))]
    #[serde(default)]
    range: Option<Range>,
    #[cfg_attr(feature = "ts", ts(optional, type = "Position"))]
    #[serde(default)]
    position: Option<Position>,
    #[serde(default)]
    chunk: Option<usize>,
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    #[serde(default)]
    unit: Unit,
    #[serde(default)]
    view: Option<ViewOptions>,
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    #[serde(default)]
    theme: Theme,
    #[serde(default)]
    colormap: Option<String>,
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    #[serde(default)]
    tokens: bool,
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    #[serde(default)]
    attention: bool,
    #[serde(default)]
    path: Option<PathBuf>,
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    #[serde(default)]
    open: bool,
}

#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeatmapCommandResult {
    mime_type: &'static str,
    #[cfg_attr(feature = "ts", ts(type = "'utf8' | 'base64'"))]
    encoding: &'static str,
    data: Option<String>,
    path: Option<PathBuf>,
    version: i32,
    view: ViewAnswer,
}

pub(super) async fn run(
    session: &Arc<Session>,
    snapshot: &Snapshot,
    arguments: HeatmapCommand,
    token: Option<NumberOrString>,
) -> Result<Option<HeatmapCommandResult>> {
    let path = arguments.absolute_path()?;
    let drawing = Drawing::new(snapshot, &arguments)?;
    let Some(live) = session.live_view(snapshot) else {
        return Ok(None);
    };
    let selected = live.select(None, arguments.view.as_ref());
    let selected = selected.map_err(|error| invalid_params(&error))?;
    let planned = plan(session, selected.model, live.document).await?;
    let attribution = selected.config.attribution.clone();
    let (scope, extras) = drawing.scope_and_extras();
    let pending = session.engine.analyze(&planned, scope, attribution, extras);
    let finished = with_progress(session, pending, token).await?;
    let view = ViewAnswer::new(&finished.analysis.model, &finished.analysis.attribution);
    let format = arguments.format;
    let path = path.or_else(|| arguments.open.then(|| temporary(format)));
    let target = path.clone();
    // Drawing and writing are slow, so they do not run on a thread that serves other requests.
    let drawn = off_thread(move || {
        let bytes = drawing.draw(&finished).map_err(|error| failed(&error))?;
        match target {
            None => Ok(Some(bytes)),
            Some(path) => write(&path, &bytes).map(|()| None),
        }
    });
    let bytes = drawn.await?;
    if let Some(path) = path.as_ref().filter(|_| arguments.open) {
        show(session, path);
    }
    let (encoding, data) = format.encode(bytes);
    Ok(Some(HeatmapCommandResult {
        mime_type: format.mime_type(),
        encoding,
        data,
        path,
        version: snapshot.client_version,
        view,
    }))
}

impl HeatmapCommand {
    /// A relative path would depend on the server's directory, which the client does not know.
    fn absolute_path(&self) -> Result<Option<PathBuf>> {
        match &self.path {
            Some(path) if !path.is_absolute() => Err(Error::invalid_params(format!(
                "path {} is relative; give an absolute path",
                path.display()
            ))),
            path => Ok(path.clone()),
        }
    }
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
        // Only the result ends the waiting.
        std::future::pending::<std::convert::Infallible>().await
    };
    let done = tokio::select! {
        done = pending.done() => done.map_err(|error| engine_error(&error)),
        () = cancellable.cancellation.cancelled() => Err(Error::request_cancelled()),
        never = report => match never {},
    };
    // The client's token is valid until the response.
    reporter.finish().await;
    done
}

/// What to draw, and how.
struct Drawing {
    name: String,
    thresholds: LevelThresholds,
    part: Option<ByteSpan>,
    /// Where the matrix is, if `part` does not tell.
    position: Option<usize>,
    chunk: Option<usize>,
    is_matrix: bool,
    unit: Unit,
    format: Format,
    json: JsonOptions<'static>,
    render: RenderOptions,
}

impl Drawing {
    fn new(snapshot: &Snapshot, arguments: &HeatmapCommand) -> Result<Self> {
        let colormap = arguments.colormap.as_deref().map(str::parse).transpose();
        let colormap: Option<Colormap> =
            colormap.map_err(|error: UnknownName| Error::invalid_params(error.to_string()))?;
        let (format, kind) = (arguments.format, arguments.kind);
        let positions = snapshot.positions();
        let position = arguments
            .position
            .map(|position| positions.offset(position));
        let part = match (arguments.range, position) {
            (Some(range), _) => Some(positions.span(range)),
            (None, Some(offset)) => {
                definition_at(&snapshot.document, offset).map(|definition| definition.span)
            }
            (None, None) => None,
        };
        Ok(Self {
            name: file_name(&snapshot.uri),
            thresholds: snapshot.settings.thresholds,
            part,
            position,
            chunk: arguments.chunk,
            is_matrix: format != Format::Json && kind == PictureKind::Matrix,
            unit: arguments.unit,
            format,
            json: JsonOptions {
                tokens: arguments.tokens,
                attention: arguments.attention,
                image: None,
            },
            render: RenderOptions {
                colormap: colormap.unwrap_or_default(),
                theme: arguments.theme,
                ..RenderOptions::default()
            },
        })
    }

    /// The part of the document to analyze, and what of it to return.
    fn scope_and_extras(&self) -> (Scope, Extras) {
        if self.is_matrix {
            let at = self.position.or(self.part.map(|part| part.start));
            let scope = self
                .chunk
                .map_or(Scope::ChunkAt(at.unwrap_or(0)), Scope::Chunk);
            return (scope, Heatmap::EXTRAS);
        }
        let extras = Extras {
            subwords: self.json.tokens || self.json.attention,
            matrix: self.json.attention,
            ..Extras::default()
        };
        // A part has the levels that it has in the whole document.
        (Scope::Document, extras)
    }

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
        let mut matrix = Heatmap::new(document, 0, self.unit)?;
        let format = self.format.picture().unwrap_or(PictureFormat::Html);
        // A page has the source of the whole chunk beside its matrix.
        if let Some(part) = self.part
            && format != PictureFormat::Html
        {
            matrix.crop(document, part);
        }
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

/// A file that stays after the session, so that a browser can read it.
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

/// Asks the client to open the file, or tells the user where it is.
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
