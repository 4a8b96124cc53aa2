//! Lists and maps of tokenizer files, checked against limits while they are read and before anything large is built.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{self, MapAccess, SeqAccess, Visitor};

/// Subwords or merges; the largest known vocabularies have 260,000.
pub(super) const MAX_SUBWORDS: usize = 1 << 20;

/// Added tokens. Finding them in texts needs an automaton over all of their characters.
pub(super) const MAX_ADDED: usize = 20_000;

/// Bytes of all added tokens together.
pub(super) const MAX_ADDED_BYTES: usize = 1 << 20;

/// A vocabulary: each subword's id.
pub(super) struct Vocabulary(pub(super) HashMap<String, u32>);

impl<'de> Deserialize<'de> for Vocabulary {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct VocabularyVisitor;

        impl<'de> Visitor<'de> for VocabularyVisitor {
            type Value = Vocabulary;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from subwords to ids")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocabulary, A::Error> {
                let mut subwords = HashMap::new();
                while let Some((subword, id)) = map.next_entry()? {
                    if subwords.len() == MAX_SUBWORDS {
                        return Err(too_many("subwords", MAX_SUBWORDS));
                    }
                    subwords.insert(subword, id);
                }
                Ok(Vocabulary(subwords))
            }
        }

        deserializer.deserialize_map(VocabularyVisitor)
    }
}

/// A list of at most `MAX` items.
pub(super) struct Limited<T, const MAX: usize>(pub(super) Vec<T>);

/// The merges of a vocabulary.
pub(super) type Merges = Limited<Merge, MAX_SUBWORDS>;

impl<T, const MAX: usize> Default for Limited<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Limited<T, MAX> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<T, const MAX: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for ListVisitor<T, MAX> {
            type Value = Limited<T, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MAX} items")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    if items.len() == MAX {
                        return Err(too_many("items of a list", MAX));
                    }
                    items.push(item);
                }
                Ok(Limited(items))
            }
        }

        deserializer.deserialize_seq(ListVisitor(PhantomData))
    }
}

/// Two subwords that become one.
pub(super) enum Merge {
    /// `["a", "b"]`
    Pair(String, String),
    /// `"a b"`
    Line(String),
}

impl<'de> Deserialize<'de> for Merge {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MergeVisitor;

        impl<'de> Visitor<'de> for MergeVisitor {
            type Value = Merge;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a merge of two subwords")
            }

            fn visit_str<E: de::Error>(self, line: &str) -> Result<Merge, E> {
                Ok(Merge::Line(line.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Merge, A::Error> {
                let mut subword = || {
                    seq.next_element::<String>()?
                        .ok_or_else(|| de::Error::custom("a merge has fewer than two subwords"))
                };
                let (first, second) = (subword()?, subword()?);
                match seq.next_element::<String>()? {
                    None => Ok(Merge::Pair(first, second)),
                    Some(_) => Err(de::Error::custom("a merge has more than two subwords")),
                }
            }
        }

        deserializer.deserialize_any(MergeVisitor)
    }
}

fn too_many<E: de::Error>(what: &str, max: usize) -> E {
    E::custom(format!("more than {max} {what}"))
}
