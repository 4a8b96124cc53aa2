//! From attention to one score per subword, and from subwords to lexemes.

use std::fmt;

/// A family of formulae that turns attention into one score per subword.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// Mean attention that a subword receives.
    #[default]
    Received,
    /// Attention of the `<s>` query.
    Cls,
    /// Attention rollout (Abnar & Zuidema 2020).
    Rollout,
    /// Norm-based analysis (Kobayashi et al. 2020).
    Norm,
}

impl Method {
    pub const ALL: [Self; 4] = [Self::Received, Self::Cls, Self::Rollout, Self::Norm];

    /// The name on the command line and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Cls => "cls",
            Self::Rollout => "rollout",
            Self::Norm => "norm",
        }
    }
}

/// How the heads of a layer become one matrix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum HeadFusion {
    /// Mean over all heads.
    #[default]
    Mean,
    /// Maximum over all heads, cell by cell.
    Max,
    /// Mean over these heads, zero-based, ascending.
    Heads(Vec<usize>),
}

/// What happens to attention on special subwords (`<s>`, `</s>`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sinks {
    /// Their columns are dropped, rows renormalised, and the dropped mass is reported.
    #[default]
    Drop,
    Keep,
}

/// Attribution settings, checked against a model: no layer or head here is out of its range.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttributionConfig {
    pub method: Method,
    /// Zero-based, ascending, not empty.
    pub layers: Vec<usize>,
    pub heads: HeadFusion,
    pub sinks: Sinks,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
