//! Conditions, and whether an item meets them.

use std::cmp::Ordering;

use super::path::Path;
use crate::dynamodb::number::Number;
use crate::dynamodb::value::{AttributeValue, Item};

/// A condition on an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Either.
    Or(Box<Condition>, Box<Condition>),
    /// Both.
    And(Box<Condition>, Box<Condition>),
    /// Not so.
    Not(Box<Condition>),
    /// `a < b`
    Compare(Operand, Comparator, Operand),
    /// `a BETWEEN b AND c`
    Between(Operand, Operand, Operand),
    /// `a IN (b, c)`
    In(Operand, Vec<Operand>),
    /// `attribute_exists(a)`
    Exists(Path),
    /// `attribute_not_exists(a)`
    Missing(Path),
    /// `attribute_type(a, :type)`
    TypeIs(Path, AttributeValue),
    /// `begins_with(a, b)`
    BeginsWith(Operand, Operand),
    /// `contains(a, b)`
    Contains(Operand, Operand),
}

/// What a condition compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// What is in the item.
    Path(Path),
    /// What came with the request.
    Value(AttributeValue),
    /// `size(a)`
    Size(Box<Operand>),
}

/// How two operands are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparator {
    /// The comparator that `text` is.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Some(match text {
            "=" => Self::Equal,
            "<>" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    /// The comparator for the operands in the other order.
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }

    /// Whether it holds. Missing operands are unequal to everything and in no order.
    #[must_use]
    pub fn holds(self, left: Option<&AttributeValue>, right: Option<&AttributeValue>) -> bool {
        let (Some(left), Some(right)) = (left, right) else {
            return self == Self::NotEqual && left != right;
        };
        let ordered = |accepted: fn(Ordering) -> bool| left.order(right).is_some_and(accepted);
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => ordered(Ordering::is_lt),
            Self::LessOrEqual => ordered(Ordering::is_le),
            Self::Greater => ordered(Ordering::is_gt),
            Self::GreaterOrEqual => ordered(Ordering::is_ge),
        }
    }
}

impl Operand {
    fn mentions(&self, name: &str) -> bool {
        match self {
            Self::Path(path) => path.name == name,
            Self::Value(_) => false,
            Self::Size(of) => of.mentions(name),
        }
    }

    fn evaluate(&self, item: &Item) -> Option<AttributeValue> {
        match self {
            Self::Path(path) => path.get(item).cloned(),
            Self::Value(value) => Some(value.clone()),
            Self::Size(of) => size(&of.evaluate(item)?).map(AttributeValue::Number),
        }
    }
}

/// What `size` says: characters' bytes, bytes, or elements.
fn size(value: &AttributeValue) -> Option<Number> {
    let size = match value {
        AttributeValue::String(text) => text.len(),
        AttributeValue::Binary(bytes) => bytes.len(),
        AttributeValue::StringSet(set) => set.len(),
        AttributeValue::NumberSet(set) => set.len(),
        AttributeValue::BinarySet(set) => set.len(),
        AttributeValue::Map(map) => map.len(),
        AttributeValue::List(list) => list.len(),
        AttributeValue::Number(_) | AttributeValue::Bool(_) | AttributeValue::Null => return None,
    };
    size.to_string().parse().ok()
}

impl Condition {
    /// Whether it is about that attribute.
    #[must_use]
    pub fn mentions(&self, name: &str) -> bool {
        let among = |operands: &[&Operand]| operands.iter().any(|operand| operand.mentions(name));
        match self {
            Self::Or(left, right) | Self::And(left, right) => {
                left.mentions(name) || right.mentions(name)
            }
            Self::Not(inner) => inner.mentions(name),
            Self::Compare(left, _, right)
            | Self::BeginsWith(left, right)
            | Self::Contains(left, right) => among(&[left, right]),
            Self::Between(value, low, high) => among(&[value, low, high]),
            Self::In(value, candidates) => {
                value.mentions(name) || candidates.iter().any(|one| one.mentions(name))
            }
            Self::Exists(path) | Self::Missing(path) | Self::TypeIs(path, _) => path.name == name,
        }
    }

    /// Whether the item meets it.
    #[must_use]
    pub fn holds(&self, item: &Item) -> bool {
        match self {
            Self::Or(left, right) => left.holds(item) || right.holds(item),
            Self::And(left, right) => left.holds(item) && right.holds(item),
            Self::Not(inner) => !inner.holds(item),
            Self::Compare(left, comparator, right) => {
                comparator.holds(left.evaluate(item).as_ref(), right.evaluate(item).as_ref())
            }
            Self::Between(value, low, high) => {
                let value = value.evaluate(item);
                Comparator::GreaterOrEqual.holds(value.as_ref(), low.evaluate(item).as_ref())
                    && Comparator::LessOrEqual.holds(value.as_ref(), high.evaluate(item).as_ref())
            }
            Self::In(value, candidates) => value.evaluate(item).is_some_and(|value| {
                candidates.iter().any(|candidate| candidate.evaluate(item).as_ref() == Some(&value))
            }),
            Self::Exists(path) => path.get(item).is_some(),
            Self::Missing(path) => path.get(item).is_none(),
            Self::TypeIs(path, AttributeValue::String(name)) => {
                path.get(item).is_some_and(|value| value.type_name() == name)
            }
            Self::TypeIs(..) => false,
            Self::BeginsWith(value, start) => {
                begins_with(value.evaluate(item).as_ref(), start.evaluate(item).as_ref())
            }
            Self::Contains(value, part) => {
                contains(value.evaluate(item).as_ref(), part.evaluate(item).as_ref())
            }
        }
    }
}

/// Whether a string or binary begins with another.
fn begins_with(value: Option<&AttributeValue>, start: Option<&AttributeValue>) -> bool {
    match (value, start) {
        (Some(AttributeValue::String(value)), Some(AttributeValue::String(start))) => {
            value.starts_with(start)
        }
        (Some(AttributeValue::Binary(value)), Some(AttributeValue::Binary(start))) => {
            value.starts_with(start)
        }
        _ => false,
    }
}

fn contains(value: Option<&AttributeValue>, part: Option<&AttributeValue>) -> bool {
    let (Some(value), Some(part)) = (value, part) else {
        return false;
    };
    match (value, part) {
        (AttributeValue::String(value), AttributeValue::String(part)) => value.contains(part),
        (AttributeValue::Binary(value), AttributeValue::Binary(part)) => {
            part.is_empty() || value.windows(part.len()).any(|window| window == part)
        }
        (AttributeValue::StringSet(set), AttributeValue::String(part)) => set.contains(part),
        (AttributeValue::NumberSet(set), AttributeValue::Number(part)) => set.contains(part),
        (AttributeValue::BinarySet(set), AttributeValue::Binary(part)) => set.contains(part),
        (AttributeValue::List(list), part) => list.contains(part),
        _ => false,
    }
}
