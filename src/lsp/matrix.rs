//! Matrices, thumbnails and single lexemes, for panels.

use std::sync::Arc;

use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::ls_types::Position;

use super::custom::{MatrixParams, OfDocument, RelationsParams, ThumbnailsParams};
use super::errors::{drawn, engine_error, invalid_params};
use super::proto::wire_position;
use super::session::{Session, Snapshot};
use crate::engine::{Planned, Scope};
use crate::model::Model;
use crate::off_thread::off_thread;
use crate::text::ByteSpan;
use crate::text::document::Document;
use crate::view::heatmap::Heatmap;
use crate::view::live::Place;
use crate::view::live::matrix::MatrixResult;
use crate::view::live::relations::RelationsResult;
use crate::view::live::thumbnails::ThumbnailsResult;
use crate::view::matrix::thumbnail_size;

fn place(position: Option<Position>, chunk: Option<usize>) -> Place {
    Place {
        position: position.map(wire_position),
        chunk,
    }
}

/// The chunks of a document, for a request about it.
pub(crate) async fn plan(
    session: &Session,
    model: Arc<Model>,
    document: Document,
) -> Result<Arc<Planned>> {
    let planned = session.engine.plan(model, document);
    planned.done().await.map_err(|error| engine_error(&error))
}

pub(crate) async fn matrix(
    session: &Session,
    snapshot: &Snapshot,
    params: &MatrixParams,
) -> Result<Option<OfDocument<MatrixResult>>> {
    let Some(live) = session.live_view(snapshot) else {
        return Ok(None);
    };
    let selected = live.select(None, params.view.as_ref());
    let selected = selected.map_err(|error| invalid_params(&error))?;
    if live.document.text().is_empty() {
        return Ok(None);
    }
    let (place, unit) = (place(params.position, params.chunk), params.unit);
    let planned = plan(session, selected.model, live.document.clone()).await?;
    let pending = session.engine.analyze(
        &planned,
        live.scope(place),
        selected.config.attribution.clone(),
        Heatmap::EXTRAS,
    );
    let finished = pending.done().await.map_err(|error| engine_error(&error))?;
    let result = off_thread(move || drawn(live.matrix(&finished, place, unit))).await?;
    Ok(result.map(|result| OfDocument {
        uri: snapshot.uri.clone(),
        result,
    }))
}

pub(crate) async fn thumbnails(
    session: &Session,
    snapshot: &Snapshot,
    params: &ThumbnailsParams,
) -> Result<Option<ThumbnailsResult>> {
    let Some(live) = session.live_view(snapshot) else {
        return Ok(None);
    };
    if live.document.text().is_empty() {
        return Ok(None);
    }
    let model = Arc::clone(&live.model_and_view.model);
    let planned = plan(session, model, live.document.clone()).await?;
    let pending = session.engine.thumbnails(
        &planned,
        live.scope(place(params.position, params.chunk)),
        thumbnail_size(params.size),
    );
    let maps = pending.done().await.map_err(|error| engine_error(&error))?;
    off_thread(move || Ok(live.thumbnails(&maps))).await
}

pub(crate) async fn relations(
    session: &Session,
    snapshot: &Snapshot,
    params: &RelationsParams,
) -> Result<Option<RelationsResult>> {
    let offset = snapshot.positions().offset(params.position);
    // Rank and level need the whole document, but the user waits for this place.
    let place = ByteSpan::new(offset, offset);
    session.engine.focus(snapshot.key(), place);
    let Some(live) = session.analyzed(snapshot, None).await? else {
        return Ok(None);
    };
    let analysis = &live.finished.analysis;
    let Some(lexeme_idx) = analysis.lexeme_at(offset) else {
        return Ok(None);
    };
    let Some(current) = session.model_and_view() else {
        return Ok(None);
    };
    if !Arc::ptr_eq(current.model.info(), &analysis.model) {
        return Err(Error::content_modified()); // another model was loaded after the analysis
    }
    let planned = plan(session, current.model, snapshot.document.clone()).await?;
    let pending = session.engine.analyze(
        &planned,
        Scope::ChunkAt(analysis.lexemes[lexeme_idx].span.start),
        analysis.attribution.clone(),
        Heatmap::EXTRAS,
    );
    let chunk = pending.done().await.map_err(|error| engine_error(&error))?;
    let limit = params.limit;
    off_thread(move || drawn(live.relations(lexeme_idx, &chunk, limit))).await
}
