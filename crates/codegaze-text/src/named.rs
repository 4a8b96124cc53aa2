//! Enums whose values have names in commands, settings and JSON.
//!
//! [`named_enum!`](crate::named_enum) declares such an enum: a row gives a variant, its name, and one phrase about it. Error texts,
//! command-line help, JSON and the generated lists of other languages all come from that declaration.

/// A closed set of named values.
pub trait Named: Copy + Eq + 'static {
    /// The noun for a value in messages, such as `method`.
    const KIND: &'static str;
    /// All values, in their order.
    const ALL: &'static [Self];

    /// The name in commands, settings and JSON.
    fn as_str(self) -> &'static str;

    /// One phrase: what the value means. It begins with a lower-case letter and has no full stop.
    fn about(self) -> &'static str;

    /// All names in their order: `sum, mean, max`.
    fn accepted() -> &'static str;

    /// The accepted values as an error lists them: `one of sum, mean, max`.
    fn expected() -> &'static str;

    /// The value with this name.
    #[must_use]
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|value| value.as_str() == name)
    }

    /// All names as prose: `` `sum`, `mean` or `max` ``.
    #[must_use]
    fn prose() -> String {
        let mut names: Vec<String> = Self::ALL
            .iter()
            .map(|value| format!("`{}`", value.as_str()))
            .collect();
        let last = names.pop().unwrap_or_default();
        if names.is_empty() {
            return last;
        }
        format!("{} or {last}", names.join(", "))
    }
}

/// A name that is not in its set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} {name:?}; use {expected}")]
pub struct UnknownName {
    kind: &'static str,
    name: String,
    expected: &'static str,
}

impl UnknownName {
    /// The error for a `name` that is not in `T`.
    #[must_use]
    pub fn new<T: Named>(name: &str) -> Self {
        Self {
            kind: T::KIND,
            name: name.to_owned(),
            expected: T::expected(),
        }
    }
}

/// Declares an enum with names: [`Named`], `Display`, `FromStr`, and with the feature `wire` serde's traits and an OpenAPI schema.
///
/// ```text
/// named_enum! {
///     /// How a lexeme's subwords become one number.
///     pub enum Aggregate as "aggregate" {
///         /// All the attention that falls on the lexeme.
///         #[default]
///         Sum = "sum", "their sum";
///         Mean = "mean", "their mean";
///     }
/// }
/// ```
#[macro_export]
macro_rules! named_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $type:ident as $kind:literal {
            $($(#[$variant_meta:meta])* $variant:ident = $name:literal, $about:literal;)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $type {
            $(#[doc = concat!("`", $name, "`: ", $about, ".")] #[doc = ""] $(#[$variant_meta])* $variant,)+
        }

        impl $type {
            /// All values, in the order of their declaration.
            $vis const ALL: [Self; [$(Self::$variant),+].len()] = [$(Self::$variant),+];

            /// The name in commands, settings and JSON.
            #[must_use]
            $vis fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// One phrase: what the value means.
            #[must_use]
            $vis fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => $about,)+
                }
            }
        }

        $crate::impl_named!($type as $kind);
    };
}

/// The traits of an enum that has `ALL`, `as_str` and `about` already.
#[macro_export]
macro_rules! impl_named {
    ($type:ident as $kind:literal) => {
        impl $crate::named::Named for $type {
            const KIND: &'static str = $kind;
            const ALL: &'static [Self] = &Self::ALL;

            fn as_str(self) -> &'static str {
                Self::as_str(self)
            }

            fn about(self) -> &'static str {
                Self::about(self)
            }

            fn accepted() -> &'static str {
                static NAMES: ::std::sync::OnceLock<String> = ::std::sync::OnceLock::new();
                NAMES.get_or_init(|| Self::ALL.map(Self::as_str).join(", "))
            }

            fn expected() -> &'static str {
                static EXPECTED: ::std::sync::OnceLock<String> = ::std::sync::OnceLock::new();
                EXPECTED.get_or_init(|| match Self::ALL.as_slice() {
                    [only] => only.as_str().to_owned(),
                    _ => format!("one of {}", <Self as $crate::named::Named>::accepted()),
                })
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(Self::as_str(*self))
            }
        }

        impl ::std::str::FromStr for $type {
            type Err = $crate::named::UnknownName;

            fn from_str(name: &str) -> ::std::result::Result<Self, Self::Err> {
                <Self as $crate::named::Named>::from_name(name)
                    .ok_or_else(|| $crate::named::UnknownName::new::<Self>(name))
            }
        }

        $crate::impl_wire!($type as $kind);
    };
}

/// Serde's traits and an OpenAPI schema, if the feature `wire` is on.
#[cfg(not(feature = "wire"))]
#[doc(hidden)]
#[macro_export]
macro_rules! impl_wire {
    ($type:ident as $kind:literal) => {};
}

#[cfg(feature = "wire")]
#[doc(hidden)]
#[macro_export]
macro_rules! impl_wire {
    ($type:ident as $kind:literal) => {
        impl $crate::named::wire::serde::Serialize for $type {
            fn serialize<S: $crate::named::wire::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(Self::as_str(*self))
            }
        }

        impl<'de> $crate::named::wire::serde::Deserialize<'de> for $type {
            fn deserialize<D: $crate::named::wire::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                deserializer.deserialize_str($crate::named::wire::Name::<Self>::default())
            }
        }

        impl $crate::named::wire::utoipa::PartialSchema for $type {
            fn schema() -> $crate::named::wire::Schema {
                $crate::named::wire::schema::<Self>()
            }
        }

        impl $crate::named::wire::utoipa::ToSchema for $type {
            fn name() -> ::std::borrow::Cow<'static, str> {
                concat!(stringify!($type), "Name").into()
            }
        }
    };
}

/// What the macros use for serde and OpenAPI.
#[cfg(feature = "wire")]
#[doc(hidden)]
pub mod wire {
    use std::fmt;
    use std::marker::PhantomData;

    use serde::de::{Error, Visitor};
    use utoipa::openapi::RefOr;
    use utoipa::openapi::schema::{Object, Type};

    pub use {serde, utoipa};

    use super::{Named, UnknownName};

    pub type Schema = RefOr<utoipa::openapi::schema::Schema>;

    /// Reads a name.
    #[derive(Debug)]
    pub struct Name<T>(PhantomData<T>);

    impl<T> Default for Name<T> {
        fn default() -> Self {
            Self(PhantomData)
        }
    }

    impl<T: Named> Visitor<'_> for Name<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(T::expected())
        }

        fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
            T::from_name(name).ok_or_else(|| E::custom(UnknownName::new::<T>(name)))
        }
    }

    /// A text out of the set's names.
    #[must_use]
    pub fn schema<T: Named>() -> Schema {
        let names = T::ALL.iter().map(|value| value.as_str());
        Object::builder()
            .schema_type(Type::String)
            .enum_values(Some(names))
            .build()
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::Named as _;

    crate::named_enum! {
        #[derive(Default)]
        enum Pet as "pet" {
            #[default]
            Cat = "cat", "purrs";
            GuineaPig = "guinea-pig", "whistles";
        }
    }

    crate::named_enum! {
        enum Only as "thing" {
            One = "one", "the only one";
        }
    }

    #[test]
    fn names_round_trip_and_errors_list_them() {
        for pet in Pet::ALL {
            assert_eq!(pet.to_string().parse(), Ok(pet));
        }
        assert_eq!(Pet::default(), Pet::Cat);
        assert_eq!(Pet::GuineaPig.about(), "whistles");
        assert_eq!(Pet::prose(), "`cat` or `guinea-pig`");
        assert_eq!(
            "dog".parse::<Pet>().unwrap_err().to_string(),
            r#"unknown pet "dog"; use one of cat, guinea-pig"#
        );
        assert_eq!(Only::prose(), "`one`");
        assert_eq!(
            "two".parse::<Only>().unwrap_err().to_string(),
            r#"unknown thing "two"; use one"#
        );
    }
}
