//! JSON read leniently: a field of an unexpected type is left out and takes nothing else with it.
//!
//! Serde's derived readers reject a whole document for one wrong field, and for a key that comes twice. Providers and
//! their imitators write both. The types here read what fits and skip the rest, in one pass, borrowing where possible.

mod content;

pub(crate) use content::Content;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// Reads a document. What follows the value is ignored, as is the list around it where `[{...}]` stands for `{...}`
/// (Gemini's compatible endpoint answers errors so).
pub(crate) fn read<'a, T: Lenient<'a>>(bytes: &'a [u8]) -> Result<T, serde_json::Error> {
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    let is_list = first(bytes) == Some(b'[');
    // Checking the encoding once is faster than for every text; what fails gets the parser's own error.
    match std::str::from_utf8(bytes) {
        Ok(text) => read_with(&mut serde_json::Deserializer::from_str(text), is_list),
        Err(_) => read_with(&mut serde_json::Deserializer::from_slice(bytes), is_list),
    }
}

/// Reads a document that is a list.
pub(crate) fn read_items<'a, T: Lenient<'a>>(bytes: &'a [u8]) -> Result<Vec<T>, serde_json::Error> {
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    Vec::read(&mut serde_json::Deserializer::from_slice(bytes))
}

fn read_with<'a, T: Lenient<'a>, R: serde_json::de::Read<'a>>(
    reader: &mut serde_json::Deserializer<R>,
    is_list: bool,
) -> Result<T, serde_json::Error> {
    if is_list { Ok(First::<T>::read(reader)?.0) } else { T::read(reader) }
}

/// The byte order mark that some servers put before everything.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

/// The first byte that is not blank.
pub(crate) fn first(bytes: &[u8]) -> Option<u8> {
    bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

/// The text with what JSON readers refuse made readable: bytes that are no UTF-8 and lone surrogate escapes (a model's
/// emoji cut in two) become U+FFFD. `None`: there was nothing to repair.
pub(crate) fn repair(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(bytes);
    let mut repaired = matches!(text, Cow::Owned(_));
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, escape) = rest.split_at(at);
        out.extend_from_slice(before);
        let taken = match surrogate(escape) {
            Some(0xD800..=0xDBFF) => match escape.get(6..).and_then(surrogate) {
                Some(0xDC00..=0xDFFF) => 12,
                _ => 0,
            },
            Some(_) => 0,
            None => 2,
        };
        if taken == 0 {
            repaired = true;
            out.extend_from_slice(b"\\ufffd");
            rest = escape.get(6..).unwrap_or_default();
        } else {
            let (kept, after) = escape.split_at(taken.min(escape.len()));
            out.extend_from_slice(kept);
            rest = after;
        }
    }
    out.extend_from_slice(rest);
    repaired.then_some(out)
}

/// The text, repaired where it has lone surrogates: readers that leave values as they were written would only find them
/// later, when it is too late to repair the whole.
pub(crate) fn mended(bytes: &[u8]) -> Cow<'_, [u8]> {
    let has_surrogate =
        memchr::memchr_iter(b'\\', bytes).any(|at| matches!(bytes.get(at + 1..at + 3), Some(b"ud" | b"uD")));
    match has_surrogate.then(|| repair(bytes)).flatten() {
        Some(repaired) => Cow::Owned(repaired),
        None => Cow::Borrowed(bytes),
    }
}

/// The surrogate that an escape at the start of `bytes` stands for.
fn surrogate(bytes: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(bytes.strip_prefix(b"\\u")?.get(..4)?).ok()?;
    u16::from_str_radix(digits, 16).ok().filter(|unit| (0xD800..=0xDFFF).contains(unit))
}

/// The text's first bytes, at most so many, without half a character at the end.
pub(crate) fn prefix(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// A value that is read where it fits; everything else reads as the default.
pub(crate) trait Lenient<'de>: Default {
    fn text(_: Cow<'de, str>) -> Self {
        Self::default()
    }
    fn boolean(_: bool) -> Self {
        Self::default()
    }
    fn natural(_: u64) -> Self {
        Self::default()
    }
    fn negative(_: i64) -> Self {
        Self::default()
    }
    fn float(_: f64) -> Self {
        Self::default()
    }
    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
    fn object<A: MapAccess<'de>>(mut fields: A) -> Result<Self, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
    fn read<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(Visit(PhantomData))
    }
}

struct Visit<T>(PhantomData<T>);

impl<'de, T: Lenient<'de>> Visitor<'de> for Visit<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_bool<E>(self, v: bool) -> Result<T, E> {
        Ok(T::boolean(v))
    }
    fn visit_i64<E>(self, v: i64) -> Result<T, E> {
        Ok(T::negative(v))
    }
    fn visit_u64<E>(self, v: u64) -> Result<T, E> {
        Ok(T::natural(v))
    }
    fn visit_f64<E>(self, v: f64) -> Result<T, E> {
        Ok(T::float(v))
    }
    fn visit_str<E>(self, v: &str) -> Result<T, E> {
        Ok(T::text(Cow::Owned(v.to_owned())))
    }
    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<T, E> {
        Ok(T::text(Cow::Borrowed(v)))
    }
    fn visit_string<E>(self, v: String) -> Result<T, E> {
        Ok(T::text(Cow::Owned(v)))
    }
    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<T, A::Error> {
        T::list(items)
    }
    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        T::object(fields)
    }
}

/// Reads a [`Lenient`] value as an item of a list or the value of a key.
pub(crate) struct Seed<T>(PhantomData<T>);

pub(crate) fn seed<T>() -> Seed<T> {
    Seed(PhantomData)
}

impl<'de, T: Lenient<'de>> DeserializeSeed<'de> for Seed<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<T, D::Error> {
        T::read(reader)
    }
}

impl<'de> Lenient<'de> for Option<Cow<'de, str>> {
    fn text(text: Cow<'de, str>) -> Self {
        Some(text)
    }
}

impl Lenient<'_> for Option<bool> {
    fn boolean(value: bool) -> Self {
        Some(value)
    }
}

impl Lenient<'_> for Option<f64> {
    fn natural(value: u64) -> Self {
        Some(value as f64)
    }
    fn negative(value: i64) -> Self {
        Some(value as f64)
    }
    fn float(value: f64) -> Self {
        Some(value)
    }
}

impl Lenient<'_> for Option<i64> {
    fn natural(value: u64) -> Self {
        i64::try_from(value).ok()
    }
    fn negative(value: i64) -> Self {
        Some(value)
    }
    fn float(value: f64) -> Self {
        // `100.0`, as languages without integers write it.
        (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64)
    }
}

impl Lenient<'_> for Option<u64> {
    fn natural(value: u64) -> Self {
        Some(value)
    }
    fn float(value: f64) -> Self {
        (value.fract() == 0.0 && (0.0..9e15).contains(&value)).then_some(value as u64)
    }
}

/// Any value but null. Cheaper than [`Raw`] where the value is needed in any case.
impl<'de> Lenient<'de> for Option<Value> {
    fn read<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let value: Value = serde::Deserialize::deserialize(reader)?;
        Ok(Some(value).filter(|value| !value.is_null()))
    }
}

/// A list; anything else is an empty one.
impl<'de, T: Lenient<'de>> Lenient<'de> for Vec<T> {
    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(seed::<T>())? {
            // Most lists here have one item.
            list.reserve_exact(usize::from(list.is_empty()));
            list.push(item);
        }
        Ok(list)
    }
}

/// A value, and whether its key was there at all, be it with null or something unreadable.
#[derive(Debug, Default)]
pub(crate) struct Given<T> {
    pub(crate) is_given: bool,
    pub(crate) value: T,
}

impl<'de, T: Lenient<'de>> Lenient<'de> for Given<T> {
    fn read<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        T::read(reader).map(|value| Given { is_given: true, value })
    }
}

/// The first item of a list.
#[derive(Default)]
struct First<T>(T);

impl<'de, T: Lenient<'de>> Lenient<'de> for First<T> {
    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let first = items.next_element_seed(seed::<T>())?.unwrap_or_default();
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(First(first))
    }
}

/// Any value as it was written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Raw<'a>(Option<&'a RawValue>);

impl<'de> Lenient<'de> for Raw<'de> {
    fn read<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        serde::Deserialize::deserialize(reader).map(Raw)
    }
}

impl<'a> From<&'a RawValue> for Raw<'a> {
    fn from(value: &'a RawValue) -> Self {
        Raw(Some(value))
    }
}

impl<'a> Raw<'a> {
    /// What was written; `None` where nothing or null was.
    pub(crate) fn get(self) -> Option<&'a str> {
        self.0.map(RawValue::get).filter(|json| *json != "null")
    }

    /// Reads it as something; the default where that fails.
    pub(crate) fn to<T: Lenient<'a>>(self) -> T {
        let read = |json| T::read(&mut serde_json::Deserializer::from_str(json)).ok();
        self.get().and_then(read).unwrap_or_default()
    }

    /// Reads it without knowing what it is.
    pub(crate) fn value(self) -> Option<Value> {
        self.get().and_then(|json| serde_json::from_str(json).ok())
    }
}

/// A key of an object, copied only where it is written with escapes.
pub(crate) struct Name<'a>(pub(crate) Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        Option::<Cow<'de, str>>::read(reader).map(|name| Name(name.unwrap_or_default()))
    }
}

/// Any value, of which nothing is kept. It is read as strictly as if it were: what is merely skipped may be no text.
#[derive(Debug, Default)]
pub(crate) struct Checked;

impl<'de> Lenient<'de> for Checked {
    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        while items.next_element_seed(seed::<Checked>())?.is_some() {}
        Ok(Checked)
    }
    fn object<A: MapAccess<'de>>(mut fields: A) -> Result<Self, A::Error> {
        while fields.next_entry_seed(seed::<Checked>(), seed::<Checked>())?.is_some() {}
        Ok(Checked)
    }
}

/// An object that is read where there is one: `Option<T>` is `None` for everything else.
pub(crate) trait Object<'de>: Lenient<'de> {}

impl<'de, T: Object<'de>> Lenient<'de> for Option<T> {
    fn object<A: MapAccess<'de>>(fields: A) -> Result<Self, A::Error> {
        T::object(fields).map(Some)
    }
}

/// The same for objects that are rare: those around them stay small, and are moved the faster.
impl<'de, T: Object<'de>> Lenient<'de> for Box<T> {
    fn object<A: MapAccess<'de>>(fields: A) -> Result<Self, A::Error> {
        T::object(fields).map(Box::new)
    }
}

impl<'de, T: Object<'de>> Object<'de> for Box<T> {}

/// Defines objects by their keys. Of a key that comes twice the last one counts, as in every JavaScript program.
macro_rules! object {
    ($(
        $(#[$meta:meta])*
        struct $name:ident<$de:lifetime $(, $generic:ident)?> {
            $($(#[$field_meta:meta])* $key:literal $(| $alias:literal)* => $field:ident: $type:ty,)*
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Default)]
        pub(crate) struct $name<$de $(, $generic)?> {
            $($(#[$field_meta])* pub(crate) $field: $type,)*
            pub(crate) lifetime: ::std::marker::PhantomData<&$de ()>,
        }

        impl<$de $(, $generic: $crate::json::Lenient<$de>)?> $crate::json::Lenient<$de> for $name<$de $(, $generic)?> {
            fn object<A: ::serde::de::MapAccess<$de>>(mut fields: A) -> Result<Self, A::Error> {
                let mut object = Self::default();
                while let Some(key) = fields.next_key::<$crate::json::Name<$de>>()? {
                    match key.0.as_ref() {
                        $($key $(| $alias)* => object.$field = fields.next_value_seed($crate::json::seed::<$type>())?,)*
                        _ => {
                            fields.next_value::<::serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(object)
            }
        }

        impl<$de $(, $generic: $crate::json::Lenient<$de>)?> $crate::json::Object<$de> for $name<$de $(, $generic)?> {}
    )*};
}

pub(crate) use object;

#[cfg(test)]
mod tests {
    use super::*;

    object! {
        struct Sample<'a> {
            "name" => name: Option<Cow<'a, str>>,
            "count" => count: Option<i64>,
            "tokens" => tokens: Option<u64>,
            "heat" => heat: Option<f64>,
            "on" => on: Option<bool>,
            "raw" => raw: Raw<'a>,
            "list" => list: Vec<Option<Cow<'a, str>>>,
            "inner" => inner: Option<Inner<'a>>,
        }
        struct Inner<'a> {
            "x" | "y" => x: Option<i64>,
        }
    }

    #[test]
    fn a_wrong_field_takes_nothing_else_with_it() {
        let json = br#"{"name":[1,{"a":2}],"count":"7","tokens":-3,"heat":1,"on":"true","raw":{"a": [1]},
            "list":["a",1,null,"b\n"],"inner":{"y":4.0,"z":null},"other":[[[]]]}"#;
        let sample: Sample<'_> = read(json).unwrap();
        assert_eq!((sample.name, sample.count, sample.tokens, sample.on), (None, None, None, None));
        assert_eq!(sample.heat, Some(1.0));
        assert_eq!(sample.raw.get(), Some(r#"{"a": [1]}"#));
        assert_eq!(sample.list, [Some("a".into()), None, None, Some("b\n".into())]);
        assert_eq!(sample.inner.unwrap().x, Some(4));
    }

    #[test]
    fn the_last_of_a_repeated_key_counts() {
        let sample: Sample<'_> = read(br#"{"count":1,"count":2,"co\u0075nt":3}"#).unwrap();
        assert_eq!(sample.count, Some(3));
    }

    #[test]
    fn an_object_in_a_list_stands_for_itself() {
        assert_eq!(read::<Sample<'_>>(b" [{\"count\":5},{\"count\":6}]").unwrap().count, Some(5));
        assert_eq!(read::<Sample<'_>>(b"[]").unwrap().count, None);
        assert_eq!(read::<Sample<'_>>(b"\xef\xbb\xbf{\"count\":5}").unwrap().count, Some(5));
    }

    #[test]
    fn broken_text_is_repaired() {
        assert_eq!(repair(br#"{"a":"\ud83c\udf0d \\ud800 \n"}"#), None);
        assert_eq!(repair(br#""\ud83c" "x\udf0dy""#).unwrap(), br#""\ufffd" "x\ufffdy""#);
        assert_eq!(repair(b"\"a\xff\"").unwrap(), "\"a\u{fffd}\"".as_bytes());
        assert_eq!(repair(br"\"), None);
        assert_eq!(repair(br"\u12"), None);
    }

    #[test]
    fn a_prefix_ends_between_characters() {
        assert_eq!(prefix("aäb", 2), "a");
        assert_eq!(prefix("aäb", 9), "aäb");
    }
}
