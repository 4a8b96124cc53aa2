//! The WebSocket's messages and what both servers share, as TypeScript.

use super::super::error::{ErrorBody, ErrorType};
use super::super::routes::info::{ModelDescription, ModelOrigin, ModelState};
use super::messages::{ClientMessage, Heat, Notice, Progress};
use crate::typescript::File;
use crate::view::live::heat::HeatmapResult;
use crate::view::live::matrix::{MatrixResult, MatrixToken};
use crate::view::live::relations::{RelatedLexeme, RelationsResult};
use crate::view::live::summary::{
    ChunkSummary, DefinitionSummary, LineSummary, SummaryResult, TopSummary,
};
use crate::view::live::thumbnails::ThumbnailsResult;
use crate::view::live::{Change, LexemeHeat};
use crate::view::options::{IndexChoice, ViewAnswer, ViewOptions};
use crate::view::position::{Encoding, WirePosition, WireRange};

const HEAD: &str = "\
// What both servers send and receive, and the messages of the WebSocket. `just types` writes this file.
import type { Aggregate, Fusion, MethodName, Sinks, Unit } from './lists';
";

#[test]
fn the_types_of_live_documents_are_up_to_date() {
    File::new(HEAD)
        .add::<WirePosition>()
        .add::<WireRange>()
        .add::<Encoding>()
        .add::<ViewAnswer>()
        .add::<ViewOptions>()
        .add::<IndexChoice>()
        .add::<ClientMessage>()
        .add::<Change>()
        .add::<Notice>()
        .add::<ModelDescription>()
        .add::<ModelState>()
        .add::<ModelOrigin>()
        .add::<ErrorBody>()
        .add::<ErrorType>()
        .add::<Heat>()
        .add::<HeatmapResult>()
        .add::<Progress>()
        .add::<MatrixResult>()
        .add::<MatrixToken>()
        .add::<ThumbnailsResult>()
        .add::<RelationsResult>()
        .add::<LexemeHeat>()
        .add::<RelatedLexeme>()
        .add::<SummaryResult>()
        .add::<LineSummary>()
        .add::<DefinitionSummary>()
        .add::<TopSummary>()
        .add::<ChunkSummary>()
        .check("live.ts");
}
