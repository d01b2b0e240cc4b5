//! What every open enum can do, so that the generated file holds the lists alone.

/// Defines an enum of well-known strings with a variant for any other string.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
            /// Any other value. Make one with `from`, which gives well-known text its own variant.
            Custom(::std::borrow::Cow<'static, str>),
        }

        impl $name {
            /// Every well-known value, in the order of the conventions.
            pub const WELL_KNOWN: &'static [Self] = &[$(Self::$variant),+];

            /// The value as the conventions spell it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Custom(text) => text,
                }
            }

            /// As `From<&str>`, without copying an unknown value.
            #[must_use]
            pub fn from_static(text: &'static str) -> Self {
                Self::well_known(text).unwrap_or(Self::Custom(::std::borrow::Cow::Borrowed(text)))
            }

            /// Whether no convention here lists the value.
            #[must_use]
            pub fn is_custom(&self) -> bool {
                matches!(self, Self::Custom(_))
            }

            fn well_known(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::well_known(text).unwrap_or_else(|| Self::Custom(text.to_owned().into()))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::well_known(&text).unwrap_or_else(|| Self::Custom(text.into()))
            }
        }

        impl From<::std::borrow::Cow<'static, str>> for $name {
            fn from(text: ::std::borrow::Cow<'static, str>) -> Self {
                Self::well_known(&text).unwrap_or_else(|| Self::Custom(text))
            }
        }

        /// Copies nothing for a well-known value.
        impl From<$name> for ::std::borrow::Cow<'static, str> {
            fn from(value: $name) -> Self {
                match value {
                    $($name::$variant => ::std::borrow::Cow::Borrowed($text),)+
                    $name::Custom(text) => text,
                }
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = ::std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(text.into())
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, out: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                out.pad(self.as_str())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, text: &str) -> bool {
                self.as_str() == text
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, text: &&str) -> bool {
                self.as_str() == *text
            }
        }

        #[cfg(feature = "serde")]
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::value::open_enum::TextVisitor(::std::marker::PhantomData))
            }
        }
    };
}

/// Reads any enum of this crate from a string, copying only unknown values.
#[cfg(feature = "serde")]
pub(crate) struct TextVisitor<T>(pub(crate) std::marker::PhantomData<T>);

#[cfg(feature = "serde")]
impl<T> serde::de::Visitor<'_> for TextVisitor<T>
where
    T: for<'a> From<&'a str> + From<String>,
{
    type Value = T;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<T, E> {
        Ok(text.into())
    }
}
