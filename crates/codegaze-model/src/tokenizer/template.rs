//! What a post-processor puts around a text.

use std::collections::HashMap;

use serde::Deserialize;

use super::limits::Limited;

/// More than any model puts around a text.
const MAX_PIECES: usize = 16;

/// `post_processor` of `tokenizer.json`, as far as it concerns single texts.
#[derive(Deserialize)]
pub(super) struct PostProcessorJson {
    r#type: String,
    /// `RobertaProcessing` and `BertProcessing`
    cls: Option<(String, u32)>,
    sep: Option<(String, u32)>,
    /// `TemplateProcessing`
    #[serde(default)]
    single: Limited<PieceJson, MAX_PIECES>,
    #[serde(default)]
    special_tokens: HashMap<String, SpecialJson>,
    /// `Sequence`
    #[serde(default)]
    processors: Limited<PostProcessorJson, MAX_PIECES>,
}

#[derive(Deserialize)]
enum PieceJson {
    SpecialToken { id: String },
    Sequence { id: String },
}

#[derive(Deserialize)]
struct SpecialJson {
    ids: Limited<u32, MAX_PIECES>,
}

/// Ids before and behind a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) prefix: Vec<u32>,
    pub(super) suffix: Vec<u32>,
}

impl PostProcessorJson {
    /// The ids, or what kind of post-processor it is, if it is an unsupported one.
    pub(super) fn template(&self) -> Result<Template, String> {
        match self.r#type.as_str() {
            "RobertaProcessing" | "BertProcessing" => match (&self.cls, &self.sep) {
                (Some((_, cls)), Some((_, sep))) => Ok(Template {
                    prefix: vec![*cls],
                    suffix: vec![*sep],
                }),
                _ => Err(format!("a {} without cls and sep", self.r#type)),
            },
            // Offsets only.
            "ByteLevel" => Ok(Template::default()),
            "TemplateProcessing" => self.single_template(),
            "Sequence" => {
                let mut whole = Template::default();
                for processor in &self.processors.0 {
                    let Template { mut prefix, suffix } = processor.template()?;
                    prefix.extend(&whole.prefix);
                    whole.prefix = prefix;
                    whole.suffix.extend(suffix);
                }
                Ok(whole)
            }
            other => Err(format!("a {other} post-processor")),
        }
    }

    fn single_template(&self) -> Result<Template, String> {
        let mut template = Template::default();
        let mut n_texts = 0;
        for piece in &self.single.0 {
            match piece {
                PieceJson::Sequence { id } if id == "A" => n_texts += 1,
                PieceJson::Sequence { .. } => n_texts += 2,
                PieceJson::SpecialToken { id } => {
                    let Some(SpecialJson { ids }) = self.special_tokens.get(id) else {
                        return Err(format!("a template with the unknown token {id}"));
                    };
                    let side = if n_texts == 0 {
                        &mut template.prefix
                    } else {
                        &mut template.suffix
                    };
                    side.extend(&ids.0);
                }
            }
        }
        if n_texts == 1 {
            Ok(template)
        } else {
            Err("a template that does not contain the text once".to_owned())
        }
    }
}
