//! How each kind of field is read and written.

use std::fmt;
use std::marker::PhantomData;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::messages::Message;
use super::{Codec, Seed};

/// A message.
pub(super) struct Whole;

impl<M: Message> Codec<M> for Whole {
    // A list of values may hold one that says nothing. Of anything else a few bytes must not become a whole record.
    const PASSES_NULL: bool = !M::LEVEL;

    fn absent(_: &M) -> bool {
        false
    }

    fn put(message: &M, out: &mut Vec<u8>) {
        message.put(out);
    }

    fn take<'de, D: Deserializer<'de>>(reader: D, levels: u32) -> Result<M, D::Error> {
        let levels = if M::LEVEL {
            levels
                .checked_sub(1)
                .ok_or_else(|| D::Error::custom("values are nested more than 64 levels deep"))?
        } else {
            levels
        };
        reader.deserialize_any(MessageVisitor(levels, PhantomData))
    }
}

struct MessageVisitor<M>(u32, PhantomData<M>);

impl<'de, M: Message> Visitor<'de> for MessageVisitor<M> {
    type Value = M;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<M, A::Error> {
        let mut message = M::default();
        while let Some(key) = map.next_key_seed(Key)? {
            if !message.take(&key, &mut map, self.0)? {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(message)
    }

    fn visit_unit<E: Error>(self) -> Result<M, E> {
        Ok(M::default())
    }

    // serde's own words would repeat the text.
    fn visit_str<E: Error>(self, _: &str) -> Result<M, E> {
        Err(E::custom("text stands where an object was expected"))
    }
}

/// A key, borrowed where it can be.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = std::borrow::Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = std::borrow::Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(key.into())
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(key.to_owned().into())
    }
}

/// Reads the value of a key into its field; `null` leaves the default.
pub(super) fn take_field<'de, C: Codec<T>, T, A: MapAccess<'de>>(
    map: &mut A,
    levels: u32,
) -> Result<Option<T>, A::Error> {
    map.next_value_seed(OrNull::<C, T>(levels, PhantomData))
}

struct OrNull<C, T>(u32, PhantomData<(C, T)>);

impl<'de, C: Codec<T>, T> DeserializeSeed<'de> for OrNull<C, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Option<T>, D::Error> {
        reader.deserialize_option(self)
    }
}

impl<'de, C: Codec<T>, T> Visitor<'de> for OrNull<C, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, reader: D) -> Result<Option<T>, D::Error> {
        C::take(reader, self.0).map(Some)
    }
}

/// Writes a field that is not absent, and the comma before it.
pub(super) fn put_field<C: Codec<T>, T>(key: &str, value: &T, first: &mut bool, out: &mut Vec<u8>) {
    if C::absent(value) {
        return;
    }
    if !std::mem::take(first) {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
    C::put(value, out);
}

/// A field that may be absent, which is not the same as its default.
pub(super) struct Maybe<C>(PhantomData<C>);

impl<C: Codec<T>, T> Codec<Option<T>> for Maybe<C> {
    fn absent(value: &Option<T>) -> bool {
        value.is_none()
    }

    fn put(value: &Option<T>, out: &mut Vec<u8>) {
        if let Some(value) = value {
            C::put(value, out);
        }
    }

    fn take<'de, D: Deserializer<'de>>(reader: D, levels: u32) -> Result<Option<T>, D::Error> {
        C::take(reader, levels).map(Some)
    }
}

/// Several.
pub(super) struct List<C>(PhantomData<C>);

impl<C: Codec<T>, T> Codec<Vec<T>> for List<C> {
    fn absent(list: &Vec<T>) -> bool {
        list.is_empty()
    }

    fn put(list: &Vec<T>, out: &mut Vec<u8>) {
        out.push(b'[');
        for (at, item) in list.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            C::put(item, out);
        }
        out.push(b']');
    }

    fn take<'de, D: Deserializer<'de>>(reader: D, levels: u32) -> Result<Vec<T>, D::Error> {
        reader.deserialize_any(ListVisitor::<C, T>(levels, PhantomData))
    }
}

struct ListVisitor<C, T>(u32, PhantomData<(C, T)>);

impl<'de, C: Codec<T>, T> Visitor<'de> for ListVisitor<C, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        if C::PASSES_NULL {
            while let Some(item) = items.next_element_seed(OrNull::<C, T>(self.0, PhantomData))? {
                list.extend(item);
            }
        } else {
            while let Some(item) = items.next_element_seed(Seed::<C, T>::new(self.0))? {
                list.push(item);
            }
        }
        Ok(list)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Vec<T>, E> {
        Err(E::custom("text stands where an array was expected"))
    }
}

/// Text.
pub(super) struct Text;

impl Codec<String> for Text {
    fn absent(text: &String) -> bool {
        text.is_empty()
    }

    fn put(text: &String, out: &mut Vec<u8>) {
        // Writing to memory cannot fail, and any text has a form in JSON.
        let _ = serde_json::to_writer(out, text);
    }

    fn take<'de, D: Deserializer<'de>>(reader: D, _: u32) -> Result<String, D::Error> {
        serde::Deserialize::deserialize(reader)
    }
}

/// Yes or no.
pub(super) struct Truth;

impl Codec<bool> for Truth {
    fn absent(yes: &bool) -> bool {
        !yes
    }

    fn put(yes: &bool, out: &mut Vec<u8>) {
        out.extend_from_slice(if *yes { b"true" } else { b"false" });
    }

    fn take<'de, D: Deserializer<'de>>(reader: D, _: u32) -> Result<bool, D::Error> {
        reader.deserialize_any(ScalarVisitor(|scalar: Scalar<'_>| match scalar {
            Scalar::Truth(yes) => Ok(yes),
            Scalar::Text("true") => Ok(true),
            Scalar::Text("false") => Ok(false),
            _ => Err("true or false was expected"),
        }))
    }
}

/// A whole number of 32 bits: written as a number.
pub(super) struct Short;

/// A whole number of 64 bits: written as text, because JavaScript has no such numbers.
pub(super) struct Long;

fn take_whole<'de, D: Deserializer<'de>, T: TryFrom<i128>>(reader: D) -> Result<T, D::Error> {
    reader.deserialize_any(ScalarVisitor(|scalar: Scalar<'_>| {
        let whole = match scalar {
            Scalar::Whole(whole) => whole,
            #[allow(
                clippy::cast_possible_truncation,
                reason = "whole; `as` saturates far beyond any 64 bits"
            )]
            Scalar::Double(double) if double.fract() == 0.0 => double as i128,
            Scalar::Text(text) => {
                text.trim().parse().map_err(|_| "a whole number was expected, and this text is none")?
            }
            _ => return Err("a whole number was expected"),
        };
        T::try_from(whole).map_err(|_| "a number is out of range")
    }))
}

macro_rules! whole {
    ($codec:ident: $($int:ty)*, $quote:literal) => {
        $(impl Codec<$int> for $codec {
            fn absent(int: &$int) -> bool {
                *int == 0
            }

            fn put(int: &$int, out: &mut Vec<u8>) {
                out.extend_from_slice(concat!($quote, "{}", $quote).replace("{}", &int.to_string()).as_bytes());
            }

            fn take<'de, D: Deserializer<'de>>(reader: D, _: u32) -> Result<$int, D::Error> {
                take_whole(reader)
            }
        })*
    };
}

whole!(Short: u32 i32, "");
whole!(Long: u64 i64, "\"");

/// An enumeration: written as its number.
pub(super) struct Enum<N>(PhantomData<N>);

/// The names of an enumeration.
pub(super) trait Names {
    fn number(name: &str) -> Option<i32>;
}

impl<N: Names> Codec<i32> for Enum<N> {
    fn absent(number: &i32) -> bool {
        *number == 0
    }

    fn put(number: &i32, out: &mut Vec<u8>) {
        Short::put(number, out);
    }

    fn take<'de, D: Deserializer<'de>>(reader: D, _: u32) -> Result<i32, D::Error> {
        reader.deserialize_any(ScalarVisitor(|scalar: Scalar<'_>| {
            let whole = match scalar {
                Scalar::Whole(whole) => whole,
                Scalar::Text(text) => match N::number(text) {
                    Some(number) => return Ok(number),
                    None => text.trim().parse().map_err(|_| "a name is none of its enumeration")?,
                },
                _ => return Err("the number or name of an enumeration was expected"),
            };
            i32::try_from(whole).map_err(|_| "a number is out of range")
        }))
    }
}

/// A number.
pub(super) struct Double;

impl Codec<f64> for Double {
    fn absent(double: &f64) -> bool {
        // Minus zero is told.
        double.to_bits() == 0
    }

    fn put(double: &f64, out: &mut Vec<u8>) {
        let text: &[u8] = match double {
            double if double.is_nan() => b"\"NaN\"",
            double if *double == f64::INFINITY => b"\"Infinity\"",
            double if *double == f64::NEG_INFINITY => b"\"-Infinity\"",
            double => {
                // Writing to memory cannot fail.
                let _ = serde_json::to_writer(out, double);
                return;
            }
        };
        out.extend_from_slice(text);
    }

    fn take<'de, D: Deserializer<'de>>(reader: D, _: u32) -> Result<f64, D::Error> {
        reader.deserialize_any(ScalarVisitor(|scalar: Scalar<'_>| match scalar {
            Scalar::Double(double) => Ok(double),
            #[allow(clippy::cast_precision_loss, reason = "a number of JSON is as exact as its reader")]
            Scalar::Whole(whole) => Ok(whole as f64),
            Scalar::Text(text) => {
                text.trim().parse().map_err(|_| "a number was expected, and this text is none")
            }
            Scalar::Truth(_) => Err("a number was expected"),
        }))
    }
}

/// Bytes in hexadecimal digits: ids.
pub(super) struct Hex;

impl Codec<Vec<u8>> for Hex {
    fn absent(bytes: &Vec<u8>) -> bool {
        bytes.is_empty()
    }

    fn put(bytes: &Vec<u8>, out: &mut Vec<u8>) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        out.push(b'"');
        for half in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
            out.extend(DIGITS.get(usize::from(half)));
        }
        out.push(b'"');
    }

    fn take<'de, D: Deserializer<'de>>(reader: D, _: u32) -> Result<Vec<u8>, D::Error> {
        reader.deserialize_any(ScalarVisitor(|scalar: Scalar<'_>| {
            let Scalar::Text(text) = scalar else { return Err("an id of hexadecimal digits was expected") };
            if text.len() % 2 == 1 {
                return Err("an id has an odd number of digits");
            }
            let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let byte = |pair: &[u8]| pair.iter().try_fold(0, |sum, byte| Some((sum << 4) | digit(byte)?));
            text.as_bytes()
                .chunks(2)
                .map(byte)
                .collect::<Option<_>>()
                .ok_or("an id has other than hexadecimal digits")
        }))
    }
}

/// Bytes in base64.
pub(super) struct Base64;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const ANY_STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const ANY_URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

impl Codec<Vec<u8>> for Base64 {
    fn absent(bytes: &Vec<u8>) -> bool {
        bytes.is_empty()
    }

    fn put(bytes: &Vec<u8>, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
        out.push(b'"');
    }

    fn take<'de, D: Deserializer<'de>>(reader: D, _: u32) -> Result<Vec<u8>, D::Error> {
        reader.deserialize_any(ScalarVisitor(|scalar: Scalar<'_>| {
            let Scalar::Text(text) = scalar else { return Err("bytes in base64 were expected") };
            let read = ANY_STANDARD.decode(text).or_else(|_| ANY_URL_SAFE.decode(text));
            read.map_err(|_| "bytes are not in base64")
        }))
    }
}

/// What JSON has besides objects, arrays and null.
enum Scalar<'a> {
    Truth(bool),
    Whole(i128),
    Double(f64),
    Text(&'a str),
}

/// Hands a scalar to a function, and its complaint to the reader, which adds the place.
struct ScalarVisitor<F>(F);

impl<T, F: FnOnce(Scalar<'_>) -> Result<T, &'static str>> Visitor<'_> for ScalarVisitor<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a single value")
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<T, E> {
        (self.0)(Scalar::Truth(yes)).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, int: i64) -> Result<T, E> {
        (self.0)(Scalar::Whole(int.into())).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, int: u64) -> Result<T, E> {
        (self.0)(Scalar::Whole(int.into())).map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, double: f64) -> Result<T, E> {
        (self.0)(Scalar::Double(double)).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(Scalar::Text(text)).map_err(E::custom)
    }
}
