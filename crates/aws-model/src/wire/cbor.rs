//! CBOR, as much of it as the protocol uses.

use super::{WireError, Wired};

/// How deep values may stand in each other.
const DEEPEST: usize = 128;

/// A CBOR value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    /// An integer, of either sign.
    Integer(i128),
    Bytes(Vec<u8>),
    Text(String),
    List(Vec<Item>),
    Map(Vec<(String, Item)>),
    Tagged(u64, Box<Item>),
    Bool(bool),
    Null,
    Single(f32),
    Double(f64),
}

impl Item {
    /// Its bytes.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Integer(number) if *number >= 0 => {
                head(0, u64::try_from(*number).unwrap_or(u64::MAX), out);
            }
            Self::Integer(number) => head(1, u64::try_from(-1 - *number).unwrap_or(u64::MAX), out),
            Self::Bytes(bytes) => {
                head(2, bytes.len() as u64, out);
                out.extend_from_slice(bytes);
            }
            Self::Text(text) => {
                head(3, text.len() as u64, out);
                out.extend_from_slice(text.as_bytes());
            }
            Self::List(items) => {
                head(4, items.len() as u64, out);
                for item in items {
                    item.write(out);
                }
            }
            Self::Map(entries) => {
                head(5, entries.len() as u64, out);
                for (key, item) in entries {
                    Self::Text(key.clone()).write(out);
                    item.write(out);
                }
            }
            Self::Tagged(tag, item) => {
                head(6, *tag, out);
                item.write(out);
            }
            Self::Bool(truth) => out.push(if *truth { 0xf5 } else { 0xf4 }),
            Self::Null => out.push(0xf6),
            Self::Single(number) => write_special(f64::from(*number), out).unwrap_or_else(|| {
                out.push(0xfa);
                out.extend_from_slice(&number.to_be_bytes());
            }),
            Self::Double(number) => write_special(*number, out).unwrap_or_else(|| {
                out.push(0xfb);
                out.extend_from_slice(&number.to_be_bytes());
            }),
        }
    }

    /// The value of a map's key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => {
                entries.iter().find(|(name, _)| name == key).map(|(_, item)| item)
            }
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Numbers that are none are written in two bytes.
fn write_special(number: f64, out: &mut Vec<u8>) -> Option<()> {
    let half: u16 = if number.is_nan() {
        0x7e00
    } else if number.is_infinite() {
        if number > 0.0 { 0x7c00 } else { 0xfc00 }
    } else {
        return None;
    };
    out.push(0xf9);
    out.extend_from_slice(&half.to_be_bytes());
    Some(())
}

#[expect(clippy::cast_possible_truncation, reason = "each arm says that the number fits")]
fn head(major: u8, number: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    match number {
        0..24 => out.push(major | number as u8),
        24..=0xff => out.extend_from_slice(&[major | 0x18, number as u8]),
        0x100..=0xffff => {
            out.push(major | 0x19);
            out.extend_from_slice(&(number as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 0x1a);
            out.extend_from_slice(&(number as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 0x1b);
            out.extend_from_slice(&number.to_be_bytes());
        }
    }
}

/// The value that a body is.
pub(crate) fn parse(body: &[u8]) -> Wired<Item> {
    let mut reader = Reader { rest: body };
    let item = reader.item(0)?;
    if reader.rest.is_empty() { Ok(item) } else { Err(fail("there is something behind its end")) }
}

fn fail(what: &str) -> WireError {
    WireError::new(format!("the body is no CBOR: {what}"))
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: u64) -> Wired<&'a [u8]> {
        let length = usize::try_from(length).map_err(|_| fail("it ends too early"))?;
        let (taken, rest) =
            self.rest.split_at_checked(length).ok_or_else(|| fail("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Wired<u8> {
        Ok(self.take(1)?[0])
    }

    /// The number in a head; nothing for a length that is not given.
    fn number(&mut self, info: u8) -> Wired<Option<u64>> {
        let length = match info {
            0..24 => return Ok(Some(u64::from(info))),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            31 => return Ok(None),
            _ => return Err(fail("a length is none")),
        };
        Ok(Some(self.take(length)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))))
    }

    fn known(&mut self, info: u8) -> Wired<u64> {
        self.number(info)?.ok_or_else(|| fail("a number has no value"))
    }

    fn ended(&mut self) -> bool {
        let ended = self.rest.first() == Some(&0xff);
        if ended {
            self.rest = &self.rest[1..];
        }
        ended
    }

    fn item(&mut self, depth: usize) -> Wired<Item> {
        if depth > DEEPEST {
            return Err(fail("values stand too deep in each other"));
        }
        let first = self.byte()?;
        let (major, info) = (first >> 5, first & 0x1f);
        Ok(match major {
            0 => Item::Integer(i128::from(self.known(info)?)),
            1 => Item::Integer(-1 - i128::from(self.known(info)?)),
            2 => Item::Bytes(self.string(major, info)?),
            3 => Item::Text(
                String::from_utf8(self.string(major, info)?)
                    .map_err(|_| fail("a text is no UTF-8"))?,
            ),
            4 => Item::List(self.several(info, |reader| reader.item(depth + 1))?),
            5 => Item::Map(self.several(info, |reader| {
                let Item::Text(key) = reader.item(depth + 1)? else {
                    return Err(fail("a key is no text"));
                };
                Ok((key, reader.item(depth + 1)?))
            })?),
            6 => {
                let tag = self.known(info)?;
                Item::Tagged(tag, Box::new(self.item(depth + 1)?))
            }
            _ => self.simple(info)?,
        })
    }

    /// Bytes or a text, in one piece or in several.
    fn string(&mut self, major: u8, info: u8) -> Wired<Vec<u8>> {
        if let Some(length) = self.number(info)? {
            return self.take(length).map(<[u8]>::to_vec);
        }
        let mut whole = Vec::new();
        while !self.ended() {
            let first = self.byte()?;
            if first >> 5 != major {
                return Err(fail("a piece is of another kind"));
            }
            let length = self.known(first & 0x1f)?;
            whole.extend_from_slice(self.take(length)?);
        }
        Ok(whole)
    }

    fn several<T>(
        &mut self,
        info: u8,
        mut read: impl FnMut(&mut Self) -> Wired<T>,
    ) -> Wired<Vec<T>> {
        let mut items = Vec::new();
        match self.number(info)? {
            Some(count) => {
                for _ in 0..count {
                    items.push(read(self)?);
                }
            }
            None => {
                while !self.ended() {
                    items.push(read(self)?);
                }
            }
        }
        Ok(items)
    }

    fn simple(&mut self, info: u8) -> Wired<Item> {
        Ok(match info {
            20 => Item::Bool(false),
            21 => Item::Bool(true),
            22 | 23 => Item::Null,
            25 => {
                let bytes = self.take(2)?;
                Item::Double(half(u16::from_be_bytes([bytes[0], bytes[1]])))
            }
            26 => Item::Single(f32::from_be_bytes(
                self.take(4)?.try_into().map_err(|_| fail("it ends too early"))?,
            )),
            27 => Item::Double(f64::from_be_bytes(
                self.take(8)?.try_into().map_err(|_| fail("it ends too early"))?,
            )),
            _ => return Err(fail("a simple value is not known")),
        })
    }
}

/// The number that 16 bits are.
fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff);
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::{Item, half, parse};

    #[test]
    fn what_is_written_is_read_again() {
        let item = Item::Map(vec![
            (
                "a".into(),
                Item::List(vec![
                    Item::Integer(0),
                    Item::Integer(-1),
                    Item::Integer(i128::from(u64::MAX)),
                    Item::Null,
                ]),
            ),
            ("b".into(), Item::Tagged(1, Box::new(Item::Double(1.5)))),
            ("c".into(), Item::Bytes(vec![7; 300])),
            ("d".into(), Item::Bool(true)),
            ("e".into(), Item::Double(f64::INFINITY)),
            ("f".into(), Item::Single(0.1)),
            ("g".into(), Item::Integer(i128::from(i64::MIN))),
        ]);
        let mut bytes = Vec::new();
        item.write(&mut bytes);
        assert_eq!(parse(&bytes), Ok(item));
    }

    #[test]
    fn numbers_of_16_bits_are_read() {
        for (bits, number) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 2f64.powi(-24)),
            (0x3555, 0.333_251_953_125),
        ] {
            assert!((half(bits) - number).abs() < f64::EPSILON, "{bits:x}");
        }
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn bodies_that_are_no_cbor_are_refused() {
        for body in [
            &[][..],
            &[0x62, b'a'],
            &[0x9f],
            &[0xff],
            &[0xa1, 0x01, 0x02],
            &[0x1c],
            &[0x00, 0x00],
            &[0x9b, 255, 255, 255, 255, 255, 255, 255, 255],
        ] {
            assert!(parse(body).is_err(), "{body:?}");
        }
        assert!(parse(&[0x81; 1000]).is_err());
    }
}
