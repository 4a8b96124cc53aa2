//! Answers to questions about the live document.

use std::sync::Arc;

use super::super::app::App;
use super::super::error::ApiError;
use super::document::QuestionSnapshot;
use crate::engine::{Finished, LivePhase, Scope};
use crate::off_thread::off_thread;
use crate::view::heatmap::{Heatmap, Unit};
use crate::view::live::matrix::MatrixResult;
use crate::view::live::relations::RelationsResult;
use crate::view::live::summary::SummaryResult;
use crate::view::live::thumbnails::ThumbnailsResult;
use crate::view::live::{LiveAnalysis, Place};
use crate::view::matrix::thumbnail_size;
use crate::view::options::ViewOptions;
use crate::view::position::WirePosition;

/// Which matrix is wanted.
pub(super) struct MatrixQuestion {
    pub place: Place,
    pub model: Option<String>,
    pub view: Option<ViewOptions>,
    pub unit: Unit,
}

/// One chunk's matrix; `None` for a chunk of whitespace.
pub(super) async fn matrix(
    app: &App,
    snapshot: QuestionSnapshot,
    question: MatrixQuestion,
) -> Result<Option<MatrixResult>, ApiError> {
    let MatrixQuestion { place, unit, .. } = question;
    let selected = snapshot.select(app, question.model.as_deref(), question.view.as_ref())?;
    let live = snapshot.view;
    if live.document.text().is_empty() {
        return Ok(None);
    }
    let planned = app.engine.plan(selected.model, live.document.clone());
    let pending = app.engine.analyze(
        &planned.done().await?,
        live.scope(place),
        selected.config.attribution.clone(),
        Heatmap::EXTRAS,
    );
    let finished = pending.done().await?;
    off_thread(move || Ok(live.matrix(&finished, place, unit)?)).await
}

/// All layers' and heads' maps of one chunk, in small.
pub(super) async fn thumbnails(
    app: &App,
    snapshot: QuestionSnapshot,
    place: Place,
    model: Option<&str>,
    size: Option<usize>,
) -> Result<Option<ThumbnailsResult>, ApiError> {
    let model = snapshot.select(app, model, None)?.model;
    let live = snapshot.view;
    if live.document.text().is_empty() {
        return Ok(None);
    }
    let size = thumbnail_size(size);
    let scope = live.scope(place);
    let planned = app.engine.plan(model, live.document.clone());
    let pending = app.engine.thumbnails(&planned.done().await?, scope, size);
    let maps = pending.done().await?;
    off_thread(move || Ok(live.thumbnails(&maps))).await
}

/// The live analysis of the snapshot's version, once it is complete: ranks and levels are those of the whole document.
async fn complete(snapshot: &mut QuestionSnapshot) -> Result<LiveAnalysis, ApiError> {
    let finished = loop {
        let now = snapshot.live.borrow_and_update().clone();
        let current = &snapshot.view.model_and_view;
        let is_other = |finished: &Arc<Finished>| {
            finished.analysis.attribution != current.config.attribution
                || !Arc::ptr_eq(&finished.analysis.model, current.model.info())
        };
        if now.version != snapshot.view.version || now.analysis.as_ref().is_some_and(is_other) {
            return Err(ApiError::Superseded);
        }
        if let LivePhase::Failed(error) = now.phase {
            return Err(error.into());
        }
        if let Some(finished) = now.analysis.filter(|finished| finished.complete) {
            break finished;
        }
        if snapshot.live.changed().await.is_err() {
            return Err(ApiError::Superseded);
        }
    };
    let view = snapshot.view.clone();
    off_thread(move || Ok(view.analysis(finished))).await
}

/// One lexeme's row and column; `None` between lexemes.
pub(super) async fn relations(
    app: &App,
    mut snapshot: QuestionSnapshot,
    position: WirePosition,
    limit: Option<usize>,
) -> Result<Option<RelationsResult>, ApiError> {
    let live = complete(&mut snapshot).await?;
    let analysis = &live.finished.analysis;
    let offset = live.positions().offset(position);
    let Some(lexeme_idx) = analysis.lexeme_at(offset) else {
        return Ok(None);
    };
    let model = Arc::clone(&snapshot.view.model_and_view.model);
    let planned = app.engine.plan(model, snapshot.view.document.clone());
    let pending = app.engine.analyze(
        &planned.done().await?,
        Scope::ChunkAt(analysis.lexemes[lexeme_idx].span.start),
        analysis.attribution.clone(),
        Heatmap::EXTRAS,
    );
    let chunk = pending.done().await?;
    off_thread(move || Ok(live.relations(lexeme_idx, &chunk, limit)?)).await
}

/// What lines, definitions and chunks receive.
pub(super) async fn summary(
    mut snapshot: QuestionSnapshot,
    top: Option<usize>,
) -> Result<Option<SummaryResult>, ApiError> {
    let live = complete(&mut snapshot).await?;
    off_thread(move || Ok(Some(live.summary(top)))).await
}
