//! Selects layers and heads: parses the text that a user writes, and checks it against a model.

use std::fmt;
use std::str::FromStr;

use super::{Fusion, HeadFusion};
use codegaze_text::named::Named as _;

/// `last`, `all`, `3`, `0-5`, or a list such as `0,2,4-6`. Zero-based.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerChoice {
    /// The last layer.
    Last,
    /// All layers.
    All,
    /// Inclusive ranges of layers.
    Listed(Vec<(usize, usize)>),
}

/// `mean`, `max`, `7`, or a list such as `0,2,4-6`. Zero-based.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadChoice {
    /// All heads, fused in this way.
    All(Fusion),
    /// Inclusive ranges of heads; their mean is used.
    Listed(Vec<(usize, usize)>),
}

impl Default for HeadChoice {
    fn default() -> Self {
        Self::All(Fusion::default())
    }
}

/// A choice of layers or heads that is invalid, or that the model does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// The model does not have this layer or head.
    #[error("{what} {index} is out of range: the model has {count}, counted 0 to {}", count.saturating_sub(1))]
    OutOfRange {
        /// `layer` or `head`.
        what: &'static str,
        /// The number that was selected.
        index: usize,
        /// How many the model has.
        count: usize,
    },
    /// The text does not select layers or heads.
    #[error(
        "unknown {what}s {text:?}; use {accepted}, a number, a range such as 0-5, or a list such as 0,2,4-6"
    )]
    Syntax {
        /// `layer` or `head`.
        what: &'static str,
        /// The text.
        text: String,
        /// The words that are accepted besides numbers.
        accepted: &'static str,
    },
}

impl LayerChoice {
    /// The layers of a model with `n_layers` layers, ascending, each once.
    ///
    /// # Errors
    /// If a layer is out of range.
    pub fn resolve(&self, n_layers: usize) -> Result<Vec<usize>, SelectError> {
        match self {
            Self::Last => Ok(vec![n_layers - 1]),
            Self::All => Ok((0..n_layers).collect()),
            Self::Listed(ranges) => expand(ranges, "layer", n_layers),
        }
    }
}

impl HeadChoice {
    /// The heads of a model with `n_heads` heads, ascending, each once.
    ///
    /// # Errors
    /// If a head is out of range.
    pub fn resolve(&self, n_heads: usize) -> Result<HeadFusion, SelectError> {
        match self {
            Self::All(fusion) => Ok(HeadFusion::All(*fusion)),
            Self::Listed(ranges) => Ok(HeadFusion::Heads(expand(ranges, "head", n_heads)?)),
        }
    }
}

fn expand(
    ranges: &[(usize, usize)],
    what: &'static str,
    count: usize,
) -> Result<Vec<usize>, SelectError> {
    // The check comes first, because expanding a very wide range would take all memory.
    if let Some(&(_, index)) = ranges.iter().find(|(_, last)| *last >= count) {
        return Err(SelectError::OutOfRange { what, index, count });
    }
    let mut indices: Vec<usize> = ranges.iter().flat_map(|&(a, b)| a..=b).collect();
    indices.sort_unstable();
    indices.dedup();
    Ok(indices)
}

fn parse_ranges(
    text: &str,
    what: &'static str,
    accepted: &'static str,
) -> Result<Vec<(usize, usize)>, SelectError> {
    let range = |part: &str| -> Option<(usize, usize)> {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first <= last).then_some((first, last))
    };
    text.split(',')
        .map(range)
        .collect::<Option<_>>()
        .ok_or_else(|| SelectError::Syntax {
            what,
            text: text.to_owned(),
            accepted,
        })
}

impl FromStr for LayerChoice {
    type Err = SelectError;

    fn from_str(text: &str) -> Result<Self, SelectError> {
        match text.trim() {
            "last" => Ok(Self::Last),
            "all" => Ok(Self::All),
            other => parse_ranges(other, "layer", "last, all").map(Self::Listed),
        }
    }
}

impl FromStr for HeadChoice {
    type Err = SelectError;

    fn from_str(text: &str) -> Result<Self, SelectError> {
        let text = text.trim();
        match Fusion::from_name(text) {
            Some(fusion) => Ok(Self::All(fusion)),
            None => parse_ranges(text, "head", Fusion::accepted()).map(Self::Listed),
        }
    }
}

impl fmt::Display for LayerChoice {
    /// As [`LayerChoice::from_str`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last => f.write_str("last"),
            Self::All => f.write_str("all"),
            Self::Listed(ranges) => write_ranges(f, ranges),
        }
    }
}

impl fmt::Display for HeadChoice {
    /// As [`HeadChoice::from_str`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(fusion) => fusion.fmt(f),
            Self::Listed(ranges) => write_ranges(f, ranges),
        }
    }
}

fn write_ranges(f: &mut fmt::Formatter<'_>, ranges: &[(usize, usize)]) -> fmt::Result {
    for (index, &(first, last)) in ranges.iter().enumerate() {
        let separator = if index == 0 { "" } else { "," };
        write!(f, "{separator}{first}")?;
        if last > first {
            write!(f, "-{last}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_written_as_they_are_read() {
        for text in ["last", "all", "3", "0-5", "0,2,4-6"] {
            assert_eq!(text.parse::<LayerChoice>().unwrap().to_string(), text);
        }
        for text in ["mean", "max", "7", "0,2,4-6"] {
            assert_eq!(text.parse::<HeadChoice>().unwrap().to_string(), text);
        }
    }
}
