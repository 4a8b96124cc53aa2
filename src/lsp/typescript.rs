//! The language server's own requests, notifications and commands as TypeScript.

use super::commands::heatmap::{Format, HeatmapCommand, HeatmapCommandResult};
use super::custom::{
    CacheAnswer, ExplainParams, HeatmapChangedParams, HeatmapParams, LoadState, MatrixParams,
    ModelResult, RelationsParams, StatusParams, ThumbnailsParams,
};
use crate::typescript::File;
use crate::view::picture::PictureKind;
use crate::view::theme::Theme;

const HEAD: &str = "\
// The language server's own requests, notifications and commands. `just types` writes this file.
import type { MethodName, Unit } from './lists';
import type { ModelOrigin, Position, Range, View, ViewOptions } from './live';
";

#[test]
fn the_types_of_the_language_server_are_up_to_date() {
    File::new(HEAD)
        .add::<HeatmapParams>()
        .add::<ExplainParams>()
        .add::<RelationsParams>()
        .add::<MatrixParams>()
        .add::<ThumbnailsParams>()
        .add::<ModelResult>()
        .add::<LoadState>()
        .add::<CacheAnswer>()
        .add::<StatusParams>()
        .add::<HeatmapChangedParams>()
        .add::<HeatmapCommand>()
        .add::<Format>()
        .add::<PictureKind>()
        .add::<Theme>()
        .add::<HeatmapCommandResult>()
        .check("lsp.ts");
}
