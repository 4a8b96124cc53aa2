//! Which task head a file of weights has, found by the names and shapes of its tensors.

use codegaze_text::named_enum;

use super::settings::TaskSettings;
use crate::LoadError;
use crate::weights::Weights;

named_enum! {
    /// What a task head answers.
    pub enum TaskKind as "task" {
        /// Which subword stands at a masked position.
        Masked = "masked", "a masked language model: which text stands at a masked place";
        /// Which label a text has.
        Sequence = "sequence", "a classifier of whole texts";
        /// Which label each subword has.
        Token = "token", "a classifier of subwords";
        /// Which label a pair of texts has.
        Pair = "pair", "a classifier of pairs of texts";
    }
}

named_enum! {
    /// How a head's tensors are named, which says where they come from.
    pub enum HeadLayout as "head layout" {
        /// `lm_head`, whose decoder is the matrix of word embeddings.
        Tied = "tied", "RobertaForMaskedLM, the decoder being the word embeddings";
        /// `lm_head` with a decoder of its own.
        Untied = "untied", "RobertaForMaskedLM with a decoder of its own";
        /// `classifier.dense` and `classifier.out_proj`.
        Sequence = "sequence", "RobertaForSequenceClassification";
        /// One matrix, `classifier`.
        Token = "token", "RobertaForTokenClassification";
        /// `encoder.classifier`, one logit.
        DefectDetection = "codexglue-defect", "CodeXGLUE's defect detection";
        /// `classifier` beside `encoder.roberta`.
        LineVul = "linevul", "LineVul";
        /// `classifier`, which reads two texts, beside `encoder.roberta`.
        CloneDetection = "codexglue-clone", "CodeXGLUE's clone detection";
    }
}

named_enum! {
    /// How logits become probabilities.
    pub enum Activation as "activation" {
        /// One of the labels is right.
        Softmax = "softmax", "probabilities that sum to 1";
        /// Each label is right or not, or there is one logit.
        Sigmoid = "sigmoid", "a probability for each label";
        /// The logits are the answer.
        Identity = "identity", "values, as of a regression";
    }
}

/// A task head among a file's tensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskLayout {
    /// What the head answers.
    pub kind: TaskKind,
    /// How its tensors are named.
    pub layout: HeadLayout,
    /// The module of its tensors, such as `lm_head` or `encoder.classifier`.
    pub module: String,
    /// The labels, as the file has them: escape them with [`quote`](crate::quote) where they are shown. Empty for a masked language model.
    pub labels: Vec<String>,
    /// How logits become probabilities.
    pub activation: Activation,
}

impl TaskLayout {
    /// Whether the head was trained on texts whose whitespace was collapsed: `' '.join(text.split())`.
    #[must_use]
    pub fn collapses_whitespace(&self) -> bool {
        matches!(
            self.layout,
            HeadLayout::DefectDetection | HeadLayout::CloneDetection
        )
    }

    /// Finds the head that belongs to the encoder with `encoder_prefix` and width `hidden_size`.
    ///
    /// A head of the class that wraps the encoder's class goes before a head of the latter, because it is the one that was trained last:
    /// `classifier` before `encoder.classifier` beside `encoder.roberta`. Of several kinds in the same place, `architectures` decides.
    pub(super) fn find(
        weights: &Weights,
        encoder_prefix: &str,
        hidden_size: usize,
        settings: &TaskSettings,
        wanted: Option<TaskKind>,
    ) -> Result<Self, LoadError> {
        let found = candidates(weights, encoder_prefix, hidden_size)?;
        let names = |found: &[Candidate]| -> Vec<String> {
            found
                .iter()
                .map(|candidate| format!("{} ({})", candidate.module(), candidate.kind.as_str()))
                .collect()
        };
        let suitable: Vec<Candidate> = found
            .iter()
            .filter(|candidate| wanted.is_none_or(|kind| candidate.kind == kind))
            .cloned()
            .collect();
        let Some(outermost) = suitable.iter().map(|candidate| candidate.depth).min() else {
            return Err(LoadError::NoTaskHead {
                file: weights.label().to_owned(),
                wanted: wanted.map(TaskKind::as_str),
                found: names(&found),
            });
        };
        let mut nearest = suitable;
        nearest.retain(|candidate| candidate.depth == outermost);
        if nearest.len() > 1 {
            let named: Vec<Candidate> = nearest
                .iter()
                .filter(|candidate| settings.is_for(candidate.kind.architecture()))
                .cloned()
                .collect();
            if !named.is_empty() {
                nearest = named;
            }
        }
        match nearest.as_slice() {
            [one] => one.layout(weights, settings),
            _ => Err(LoadError::AmbiguousTask {
                file: weights.label().to_owned(),
                found: names(&nearest),
            }),
        }
    }
}

impl TaskKind {
    /// What the names of transformers' classes with this kind of head end in.
    fn architecture(self) -> &'static str {
        match self {
            Self::Masked => "ForMaskedLM",
            Self::Sequence | Self::Pair => "ForSequenceClassification",
            Self::Token => "ForTokenClassification",
        }
    }
}

#[derive(Clone, Debug)]
struct Candidate {
    kind: TaskKind,
    /// What stands before `classifier` or `lm_head`.
    prefix: String,
    /// Parts of the prefix.
    depth: usize,
    /// Whether the encoder lies in a module of its own below the head's: `encoder.roberta` beside `classifier`.
    wraps: bool,
    n_outputs: usize,
}

/// The heads beside the encoder and beside each module around it.
fn candidates(
    weights: &Weights,
    encoder_prefix: &str,
    hidden_size: usize,
) -> Result<Vec<Candidate>, LoadError> {
    let parts: Vec<&str> = encoder_prefix
        .split('.')
        .filter(|part| !part.is_empty())
        .collect();
    let mut found = Vec::new();
    for depth in 0..=parts.len().saturating_sub(1) {
        let prefix: String = parts[..depth].iter().flat_map(|part| [part, "."]).collect();
        let mut add = |kind, n_outputs| {
            found.push(Candidate {
                kind,
                prefix: prefix.clone(),
                depth,
                wraps: parts.len() > depth + 1,
                n_outputs,
            });
        };
        let shape = |name: &str| weights.shape(&format!("{prefix}{name}"));
        if shape("lm_head.dense.weight").is_some() {
            add(TaskKind::Masked, 0);
        }
        if let (Some(dense), Some(out)) = (
            shape("classifier.dense.weight"),
            shape("classifier.out_proj.weight"),
        ) {
            let kind = match dense {
                [n, width] if *n == hidden_size && *width == hidden_size => TaskKind::Sequence,
                [n, width] if *n == hidden_size && *width == 2 * hidden_size => TaskKind::Pair,
                _ => {
                    return Err(LoadError::Shape {
                        name: format!("{prefix}classifier.dense.weight"),
                        file: weights.label().to_owned(),
                        found: dense.to_vec(),
                        expected: vec![hidden_size, hidden_size],
                    });
                }
            };
            add(kind, out.first().copied().unwrap_or_default());
        } else if let Some([n, width]) = shape("classifier.weight")
            && *width == hidden_size
        {
            add(TaskKind::Token, *n);
        }
    }
    Ok(found)
}

impl Candidate {
    fn module(&self) -> String {
        let name = match self.kind {
            TaskKind::Masked => "lm_head",
            _ => "classifier",
        };
        format!("{}{name}", self.prefix)
    }

    fn layout(&self, weights: &Weights, settings: &TaskSettings) -> Result<TaskLayout, LoadError> {
        let module = self.module();
        let in_encoder = self.prefix.split('.').rev().nth(1) == Some("encoder");
        let layout = match self.kind {
            TaskKind::Masked => {
                let decoder = format!("{module}.decoder.weight");
                if settings.tied || weights.shape(&decoder).is_none() {
                    HeadLayout::Tied
                } else {
                    HeadLayout::Untied
                }
            }
            TaskKind::Token => HeadLayout::Token,
            TaskKind::Pair => HeadLayout::CloneDetection,
            TaskKind::Sequence if self.wraps && self.n_outputs == 2 => HeadLayout::LineVul,
            TaskKind::Sequence if in_encoder && self.n_outputs == 1 => HeadLayout::DefectDetection,
            TaskKind::Sequence => HeadLayout::Sequence,
        };
        let n = self.n_outputs;
        // Scripts of CodeXGLUE and LineVul leave the encoder's own config.json beside their weights: its labels count only if they fit.
        let by_script = matches!(
            layout,
            HeadLayout::DefectDetection | HeadLayout::LineVul | HeadLayout::CloneDetection
        );
        if let Some(expected) = settings.n_labels
            && self.kind != TaskKind::Masked
            && expected != n
            && !by_script
        {
            return Err(LoadError::TaskLabels {
                module,
                file: weights.label().to_owned(),
                n_outputs: n,
                n_labels: expected,
            });
        }
        let given: &[&str] = match layout {
            HeadLayout::DefectDetection => &["defective"],
            HeadLayout::LineVul => &["not vulnerable", "vulnerable"],
            HeadLayout::CloneDetection if n == 2 => &["not a clone", "clone"],
            _ => &[],
        };
        let use_settings = settings.n_labels == Some(n);
        let label = |i: usize| {
            let label = settings.labels.get(&i).filter(|_| use_settings).cloned();
            // transformers' own names say nothing: the script's meaning goes before them.
            let label = label.filter(|label| given.is_empty() || !label.starts_with("LABEL_"));
            label.unwrap_or_else(|| {
                given
                    .get(i)
                    .map_or_else(|| format!("LABEL_{i}"), |name| (*name).to_owned())
            })
        };
        Ok(TaskLayout {
            kind: self.kind,
            layout,
            module,
            labels: (0..n).map(label).collect(),
            activation: self.activation(layout, settings),
        })
    }

    /// As transformers' `TextClassificationPipeline` chooses it.
    fn activation(&self, layout: HeadLayout, settings: &TaskSettings) -> Activation {
        if layout != HeadLayout::Sequence {
            return match layout {
                HeadLayout::DefectDetection => Activation::Sigmoid,
                _ => Activation::Softmax,
            };
        }
        match settings.problem.as_deref() {
            Some("regression") => Activation::Identity,
            Some("multi_label_classification") => Activation::Sigmoid,
            _ if self.n_outputs == 1 => Activation::Sigmoid,
            _ => Activation::Softmax,
        }
    }
}
