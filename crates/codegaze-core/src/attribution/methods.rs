//! The attribution methods: the trait, and the one table that lists them.

use codegaze_model::roberta::LayerAttention;

use super::{HeadFusion, LayerChoice, Sinks, fuse};

/// Declares the modules of the methods and the enum that selects one: a row gives the module, which is a file of `methods/`, and the
/// name of the type in it.
///
/// `cargo fmt` does not find modules that a macro declares; `just fmt` names their files.
macro_rules! methods {
    ($($module:ident::$type:ident,)+) => {
        $(mod $module;)+

        /// Selects an attribution method. The first row of the table is the default.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Method {
            $(#[doc = concat!("[`AttributionMethod`] of the module `", stringify!($module), "`.")] $type,)+
        }

        impl Method {
            /// All methods, in the order of the table.
            pub const ALL: [Self; [$(Self::$type),+].len()] = [$(Self::$type),+];

            /// The method's implementation.
            #[must_use]
            pub fn definition(self) -> &'static dyn AttributionMethod {
                match self {
                    $(Self::$type => &$module::$type,)+
                }
            }

            /// The name on the command line and in JSON.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                self.definition().name()
            }

            /// One phrase: what the score of a word means.
            #[must_use]
            pub fn about(self) -> &'static str {
                self.definition().about()
            }
        }

        codegaze_text::impl_named!(Method as "method");
    };
}

methods! {
    received::Received,
    cls::Cls,
    rollout::Rollout,
    norm::Norm,
    alti::Alti,
    globenc::GlobEnc,
}

mod decomposition;

impl Default for Method {
    fn default() -> Self {
        Self::ALL[0]
    }
}

/// What a method is called, what it reads of a pass, and how it computes scores. Methods differ in nothing else.
pub trait AttributionMethod: Sync {
    /// The name on the command line, in settings and in JSON: lower-case letters, digits and hyphens.
    fn name(&self) -> &'static str;

    /// The name in menus, such as `Attention received`.
    fn title(&self) -> &'static str;

    /// One phrase: what the score of a word means. It begins with a lower-case letter and has no full stop.
    fn about(&self) -> &'static str;

    /// The score of subword `j` in Markdown, with the symbols of `docs/ATTRIBUTION.md`.
    fn formula(&self) -> &'static str;

    /// The publication that defines the method, if there is one.
    fn paper(&self) -> Option<Paper> {
        None
    }

    /// How much a score costs beyond the encoder's pass.
    fn cost(&self) -> Cost {
        Cost::WhileTyping
    }

    /// The layers that the method reads if the user selects none.
    fn default_layers(&self) -> LayerChoice {
        LayerChoice::Last
    }

    /// What the encoder has to compute besides attention.
    fn needs(&self) -> PassNeeds {
        PassNeeds::default()
    }

    /// Whether the rows of the matrices that [`Self::reduce`] makes sum to 1. If not, their mean is normalized before it is shown.
    fn has_normalized_rows(&self) -> bool {
        true
    }

    /// Fuses one layer's heads to one matrix, whose rows sum to 1 if the method does not say otherwise, and adds it to `sum`
    /// [query, key].
    fn reduce(&self, attention: &LayerAttention<'_>, heads: &HeadFusion, sum: &mut [f32]) {
        fuse::add_fused(attention, heads, sum);
    }

    /// Computes the scores, after every layer has been reduced.
    fn finish(&self, pass: &ReducedPass<'_>) -> RawScores;

    /// Computes the same in f64, straight from the definition: scores \[token\] and the share of special subwords. A test compares
    /// both on random attention.
    #[cfg(test)]
    fn naive(
        &self,
        pass: &super::naive::Pass,
        config: &super::AttributionConfig,
    ) -> (Vec<f64>, f64);
}

/// The publication that defines a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paper {
    /// Authors and year, such as `Abnar & Zuidema 2020`.
    pub authors: &'static str,
    /// The title of the publication.
    pub title: &'static str,
    /// Where to read it.
    pub url: &'static str,
    /// The section or equation with the formula.
    pub place: &'static str,
}

/// How much a method costs beyond the encoder's pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cost {
    /// Takes a fraction of the pass's time, so it can run again after every edit.
    WhileTyping,
    /// Takes as long as a few passes.
    FewPasses,
}

/// What a method needs of a pass, besides attention.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassNeeds {
    /// `f^h(x)`: each head's values after the output projection, in [`LayerAttention::transformed_values`].
    pub transformed_values: bool,
    /// What a layer computes around its attention, in [`LayerAttention::block`].
    pub blocks: bool,
    /// Each layer's reduced matrix, in [`ReducedPass::layers`], and not only their mean.
    pub each_layer: bool,
}

/// A pass whose layers are reduced to matrices.
#[derive(Clone, Copy, Debug)]
pub struct ReducedPass<'a> {
    /// The mean over the layers, [query, key]; rows sum to 1.
    pub mean: &'a [f32],
    /// Each layer's matrix, ascending, for methods with [`PassNeeds::each_layer`].
    pub layers: &'a [Vec<f32>],
    /// Whether a subword is special, \[token\].
    pub special: &'a [bool],
    /// What happens to attention on special subwords.
    pub sinks: Sinks,
}

/// Scores before special subwords are dropped from them.
#[derive(Clone, Debug, PartialEq)]
pub struct RawScores {
    /// One score for each subword, \[token\], each ≥ 0.
    pub scores: Vec<f32>,
    /// The share of the scores on special subwords, 0 … 1.
    pub sink_share: f32,
}

impl ReducedPass<'_> {
    /// The queries that methods average over: all but special subwords, or all subwords if sinks are kept.
    pub(super) fn queries(&self) -> Vec<usize> {
        let keep = self.sinks == Sinks::Keep;
        let subwords = self.special.iter().enumerate();
        subwords
            .filter(|&(_, special)| keep || !special)
            .map(|(query, _)| query)
            .collect()
    }

    /// Sum of `values` \[token\] over special subwords.
    pub(super) fn special_mass(&self, values: &[f32]) -> f32 {
        values
            .iter()
            .zip(self.special)
            .filter_map(|(value, &special)| special.then_some(value))
            .sum()
    }
}
