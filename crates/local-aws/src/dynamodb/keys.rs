//! Primary keys, and where they sort.

use std::cmp::Ordering;

use super::error::{invalid_values, validation};
use super::number::Number;
use super::value::{AttributeValue, Item};
use crate::protocol::AwsError;

const LONGEST_HASH: usize = 2048;
const LONGEST_RANGE: usize = 1024;

/// The attributes that make a key: a table's has one and at most one, an index's up to four and four.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySchema {
    /// The partition key.
    pub hash: Vec<Attribute>,
    /// The sort key.
    pub range: Vec<Attribute>,
}

/// An attribute of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// `S`, `N` or `B`.
    pub kind: String,
}

/// A key's values. Partitions come in the order of a hash, as they seem to in AWS; inside one the sort key orders.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    bucket: u64,
    hash: Vec<Scalar>,
    range: Vec<Scalar>,
}

/// A value that can be part of a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scalar {
    /// `N`
    Number(Number),
    /// `S`, by its bytes, or `B`
    Bytes(Vec<u8>),
}

impl Scalar {
    /// The value as part of a key, where it can be.
    #[must_use]
    pub fn of(value: &AttributeValue) -> Option<Self> {
        match value {
            AttributeValue::String(text) => Some(Self::Bytes(text.clone().into_bytes())),
            AttributeValue::Number(number) => Some(Self::Number(number.clone())),
            AttributeValue::Binary(bytes) => Some(Self::Bytes(bytes.clone())),
            _ => None,
        }
    }
}

impl Key {
    fn new(hash: Vec<Scalar>, range: Vec<Scalar>) -> Self {
        let text = hash.iter().flat_map(|scalar| match scalar {
            Scalar::Bytes(bytes) => bytes.clone(),
            Scalar::Number(number) => number.to_string().into_bytes(),
        });
        // FNV-1a.
        let bucket = text.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { bucket, hash, range }
    }

    /// Which of `segments` of a parallel scan has it.
    #[must_use]
    pub fn segment(&self, segments: u64) -> u64 {
        self.bucket % segments.max(1)
    }

    /// How two keys compare when only the partition matters.
    #[must_use]
    pub fn compare_partition(&self, other: &Self) -> Ordering {
        (self.bucket, &self.hash).cmp(&(other.bucket, &other.hash))
    }
}

impl KeySchema {
    /// Its attributes.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.hash.iter().chain(&self.range)
    }

    /// Whether the attribute is part of it.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.attributes().any(|attribute| attribute.name == name)
    }

    /// The key of an item of an index; items that lack a part of it are not in the index.
    #[must_use]
    pub fn find(&self, item: &Item) -> Option<Key> {
        let scalar = |attribute: &Attribute| Scalar::of(item.get(&attribute.name)?);
        let all =
            |attributes: &[Attribute]| attributes.iter().map(scalar).collect::<Option<Vec<_>>>();
        Some(Key::new(all(&self.hash)?, all(&self.range)?))
    }

    /// The parts of an item that make its key.
    #[must_use]
    pub fn cut(&self, item: &Item) -> Item {
        self.attributes()
            .filter_map(|attribute| {
                let value = item.get(&attribute.name)?;
                Some((attribute.name.clone(), value.clone()))
            })
            .collect()
    }

    /// The key of an item that is to be put.
    pub fn of_item(&self, item: &Item) -> Result<Key, AwsError> {
        let scalar = |attribute: &Attribute, longest: usize| {
            let name = &attribute.name;
            let value = item
                .get(name)
                .ok_or_else(|| invalid_values(&format!("Missing the key {name} in the item")))?;
            if value.type_name() != attribute.kind {
                return Err(invalid_values(&format!(
                    "Type mismatch for key {name} expected: {} actual: {}",
                    attribute.kind,
                    value.type_name()
                )));
            }
            key_value(attribute, value, longest)
        };
        self.build(scalar)
    }

    /// The key that a request names.
    pub fn of_key(&self, key: &Item) -> Result<Key, AwsError> {
        let mismatch = || validation("The provided key element does not match the schema");
        if key.len() != self.attributes().count() {
            let strange = key.keys().any(|name| !self.contains(name));
            return Err(if strange {
                mismatch()
            } else {
                validation("The number of conditions on the keys is invalid")
            });
        }
        self.build(|attribute, longest| {
            let value = key
                .get(&attribute.name)
                .filter(|value| value.type_name() == attribute.kind)
                .ok_or_else(mismatch)?;
            key_value(attribute, value, longest)
        })
    }

    fn build(
        &self,
        scalar: impl Fn(&Attribute, usize) -> Result<Scalar, AwsError>,
    ) -> Result<Key, AwsError> {
        let all = |attributes: &[Attribute], longest: usize| {
            attributes
                .iter()
                .map(|attribute| scalar(attribute, longest))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Key::new(all(&self.hash, LONGEST_HASH)?, all(&self.range, LONGEST_RANGE)?))
    }
}

fn key_value(
    attribute: &Attribute,
    value: &AttributeValue,
    longest: usize,
) -> Result<Scalar, AwsError> {
    let mismatch = || validation("The provided key element does not match the schema");
    let scalar = Scalar::of(value).ok_or_else(mismatch)?;
    let Scalar::Bytes(bytes) = &scalar else {
        return Ok(scalar);
    };
    if bytes.is_empty() {
        let kind = if attribute.kind == "B" { "binary" } else { "string" };
        return Err(validation(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an \
             empty {kind} value. Key: {}",
            attribute.name
        )));
    }
    if bytes.len() > longest {
        return Err(invalid_values(&if longest == LONGEST_HASH {
            format!("Size of hashkey has exceeded the maximum size limit of{longest} bytes")
        } else {
            format!(
                "Aggregated size of all range keys has exceeded the size limit of {longest} bytes"
            )
        }));
    }
    Ok(scalar)
}
