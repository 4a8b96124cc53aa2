//! The model inside the binary.

use super::{ModelFiles, SourceError};

/// Names the folder below `models/` and takes its files into the binary.
macro_rules! embed {
    ($name:literal) => {
        /// The embedded model's name.
        pub const EMBEDDED_MODEL: &str = $name;

        #[cfg(feature = "embedded")]
        pub(super) fn files() -> Result<ModelFiles, SourceError> {
            use super::{Blob, TokenizerFiles, WeightFiles};

            macro_rules! blob {
                ($file:literal) => {
                    Blob::Embedded {
                        name: $file,
                        bytes: include_bytes!(concat!(
                            env!("CARGO_MANIFEST_DIR"),
                            "/models/",
                            $name,
                            "/",
                            $file
                        )),
                    }
                };
            }

            Ok(ModelFiles {
                id: EMBEDDED_MODEL.to_owned(),
                revision: None,
                config: blob!("config.json"),
                tokenizer: TokenizerFiles::Json(blob!("tokenizer.json")),
                tokenizer_config: Some(blob!("tokenizer_config.json")),
                weights: WeightFiles::Safetensors(blob!("model.safetensors")),
            })
        }
    };
}

// To replace the model by a better one, name its folder here.
embed!("codegaze-mini");

#[cfg(not(feature = "embedded"))]
pub(super) fn files() -> Result<ModelFiles, SourceError> {
    Err(SourceError::NotEmbedded)
}
