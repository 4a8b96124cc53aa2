//! The model inside the binary.

use super::error::SourceError;
use super::files::ModelFiles;

/// The embedded model's name, also in programs that are built without it.
pub const EMBEDDED_MODEL: &str = "codegaze-mini";

#[cfg(feature = "embedded")]
#[expect(
    clippy::unnecessary_wraps,
    reason = "without the feature this is an error"
)]
pub(super) fn files() -> Result<ModelFiles, SourceError> {
    use super::files::{TokenizerFiles, TokenizerSettings, WeightFiles};
    use crate::file::Blob;

    let blob = |name, bytes| Blob::Embedded { name, bytes };
    Ok(ModelFiles {
        id: codegaze_mini::NAME.to_owned(),
        revision: None,
        config: blob("config.json", codegaze_mini::CONFIG),
        tokenizer: TokenizerFiles::Json(blob("tokenizer.json", codegaze_mini::TOKENIZER)),
        tokenizer_settings: TokenizerSettings {
            config: Some(blob(
                "tokenizer_config.json",
                codegaze_mini::TOKENIZER_CONFIG,
            )),
            ..TokenizerSettings::default()
        },
        weights: WeightFiles::Safetensors(blob("model.safetensors", codegaze_mini::WEIGHTS)),
    })
}

#[cfg(not(feature = "embedded"))]
pub(super) fn files() -> Result<ModelFiles, SourceError> {
    Err(SourceError::NotEmbedded)
}
