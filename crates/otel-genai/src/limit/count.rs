//! The size of JSON, counted without building it.

use std::fmt;

use serde::ser::{self, Serialize};

use super::text;

/// The size of the value as compact JSON, as `serde_json` writes it; `None` where it is larger than `limit` or has more
/// than `depth` levels of lists and objects. Counting stops there, so neither size nor depth can harm.
pub(super) fn json_bytes(value: &(impl Serialize + ?Sized), limit: usize, depth: usize) -> Option<usize> {
    let mut counter = Counter { left: limit, depth, escapes: true };
    value.serialize(&mut counter).ok()?;
    Some(limit - counter.left)
}

/// About how large the value is as JSON: its texts are not read for what must be escaped, and the deepest levels are
/// not looked at. For saying how much was left out.
pub(super) fn about_bytes(value: &(impl Serialize + ?Sized)) -> usize {
    let mut counter = Counter { left: usize::MAX, depth: 128, escapes: false };
    // Stopped at a level too deep, what was counted so far will do.
    let _ = value.serialize(&mut counter);
    usize::MAX - counter.left
}

struct Counter {
    left: usize,
    depth: usize,
    escapes: bool,
}

/// Too large, too deep, or no JSON.
#[derive(Debug)]
struct Stop;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("larger than the limit")
    }
}

impl std::error::Error for Stop {}

impl ser::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Stop
    }
}

type Counted = Result<(), Stop>;

impl Counter {
    fn add(&mut self, bytes: usize) -> Counted {
        self.left = self.left.checked_sub(bytes).ok_or(Stop)?;
        Ok(())
    }

    fn text(&mut self, text: &str) -> Counted {
        let size = if self.escapes { text::json_size(text, self.left).ok_or(Stop)? } else { text.len() + 2 };
        self.add(size)
    }

    fn unsigned(&mut self, number: u64) -> Counted {
        self.add(number.checked_ilog10().map_or(1, |digits| digits as usize + 1))
    }

    fn enter(&mut self) -> Result<Nested<'_>, Stop> {
        self.depth = self.depth.checked_sub(1).ok_or(Stop)?;
        self.add(2)?;
        Ok(Nested { counter: self, first: true })
    }

    /// `{"variant":`, and its closing brace.
    fn variant(&mut self, name: &str) -> Counted {
        self.text(name)?;
        self.add(3)
    }
}

/// A list or an object of which more is to come.
struct Nested<'a> {
    counter: &'a mut Counter,
    first: bool,
}

impl Nested<'_> {
    fn comma(&mut self) -> Counted {
        if std::mem::take(&mut self.first) { Ok(()) } else { self.counter.add(1) }
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Counted {
        self.comma()?;
        value.serialize(&mut *self.counter)
    }

    fn entry<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Counted {
        self.comma()?;
        self.counter.text(key)?;
        self.counter.add(1)?;
        value.serialize(&mut *self.counter)
    }

    fn close(self) -> Counted {
        self.counter.depth += 1;
        Ok(())
    }
}

impl<'a> ser::Serializer for &'a mut Counter {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Nested<'a>;
    type SerializeTuple = Nested<'a>;
    type SerializeTupleStruct = Nested<'a>;
    type SerializeTupleVariant = Nested<'a>;
    type SerializeMap = Nested<'a>;
    type SerializeStruct = Nested<'a>;
    type SerializeStructVariant = Nested<'a>;

    fn serialize_bool(self, v: bool) -> Counted {
        self.add(if v { 4 } else { 5 })
    }
    fn serialize_i8(self, v: i8) -> Counted {
        self.serialize_i64(v.into())
    }
    fn serialize_i16(self, v: i16) -> Counted {
        self.serialize_i64(v.into())
    }
    fn serialize_i32(self, v: i32) -> Counted {
        self.serialize_i64(v.into())
    }
    fn serialize_i64(self, v: i64) -> Counted {
        self.add(usize::from(v < 0))?;
        self.unsigned(v.unsigned_abs())
    }
    fn serialize_u8(self, v: u8) -> Counted {
        self.unsigned(v.into())
    }
    fn serialize_u16(self, v: u16) -> Counted {
        self.unsigned(v.into())
    }
    fn serialize_u32(self, v: u32) -> Counted {
        self.unsigned(v.into())
    }
    fn serialize_u64(self, v: u64) -> Counted {
        self.unsigned(v)
    }
    fn serialize_f32(self, v: f32) -> Counted {
        self.add(serde_json::to_string(&v).map_err(|_| Stop)?.len())
    }
    fn serialize_f64(self, v: f64) -> Counted {
        // `null` stands for what is no number.
        self.add(serde_json::Number::from_f64(v).map_or(4, |number| number.to_string().len()))
    }
    fn serialize_char(self, v: char) -> Counted {
        self.text(v.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, v: &str) -> Counted {
        self.text(v)
    }
    fn serialize_bytes(self, v: &[u8]) -> Counted {
        v.serialize(self)
    }
    fn serialize_none(self) -> Counted {
        self.add(4)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Counted {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Counted {
        self.add(4)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Counted {
        self.add(4)
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Counted {
        self.text(name)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Counted {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Counted {
        self.variant(name)?;
        value.serialize(self)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Nested<'a>, Stop> {
        self.enter()
    }
    fn serialize_tuple(self, _: usize) -> Result<Nested<'a>, Stop> {
        self.enter()
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Nested<'a>, Stop> {
        self.enter()
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Nested<'a>, Stop> {
        self.variant(name)?;
        self.enter()
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Nested<'a>, Stop> {
        self.enter()
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Nested<'a>, Stop> {
        self.enter()
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Nested<'a>, Stop> {
        self.variant(name)?;
        self.enter()
    }
}

macro_rules! lists {
    ($($name:ident :: $method:ident),*) => {$(
        impl ser::$name for Nested<'_> {
            type Ok = ();
            type Error = Stop;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Counted {
                self.item(value)
            }
            fn end(self) -> Counted {
                self.close()
            }
        }
    )*};
}

lists!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! structs {
    ($($name:ident),*) => {$(
        impl ser::$name for Nested<'_> {
            type Ok = ();
            type Error = Stop;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Counted {
                self.entry(key, value)
            }
            fn end(self) -> Counted {
                self.close()
            }
        }
    )*};
}

structs!(SerializeStruct, SerializeStructVariant);

/// The keys of content are texts.
impl ser::SerializeMap for Nested<'_> {
    type Ok = ();
    type Error = Stop;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Counted {
        self.comma()?;
        key.serialize(&mut *self.counter)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Counted {
        self.counter.add(1)?;
        value.serialize(&mut *self.counter)
    }

    fn end(self) -> Counted {
        self.close()
    }
}
