//! What a value can be held against.

use std::net::IpAddr;

use serde_json::Value;

/// A condition on one value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// It is this.
    Exactly(Value),
    Prefix(String, bool),
    Suffix(String, bool),
    IgnoringCase(String),
    /// It is there and meets none of these.
    Nothing(Vec<Condition>),
    Exists(bool),
    /// Comparisons, all of which hold.
    Numeric(Vec<(Order, f64)>),
    Cidr(IpAddr, u8),
    Wildcard(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Condition {
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        let Value::Object(operator) = value else {
            return match value {
                Value::Array(_) => Err("A list cannot stand in a list".to_owned()),
                plain => Ok(Self::Exactly(plain.clone())),
            };
        };
        let (Some((name, value)), 1) = (operator.iter().next(), operator.len()) else {
            return Err("Only one key allowed in match expression".to_owned());
        };
        let text = || {
            value
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| format!("{name} match pattern must be a string"))
        };
        match name.as_str() {
            "prefix" => affix(name, value).map(|(text, any)| Self::Prefix(text, any)),
            "suffix" => affix(name, value).map(|(text, any)| Self::Suffix(text, any)),
            "equals-ignore-case" => text().map(Self::IgnoringCase),
            "wildcard" => text().map(Self::Wildcard),
            "exists" => value
                .as_bool()
                .map(Self::Exists)
                .ok_or_else(|| "exists match pattern must be either true or false.".to_owned()),
            "anything-but" => anything_but(value),
            "numeric" => numeric(value),
            "cidr" => cidr(&text()?),
            other => Err(format!("Unrecognized match type {other}")),
        }
    }

    pub(super) fn holds(&self, value: Option<&Value>) -> bool {
        if let Self::Exists(wanted) = self {
            return value.is_some() == *wanted;
        }
        let Some(value) = value else { return false };
        let text = || value.as_str();
        match self {
            Self::Exactly(wanted) => same(wanted, value),
            Self::Prefix(prefix, any) => text().is_some_and(|text| begins(text, prefix, *any)),
            Self::Suffix(suffix, any) => text().is_some_and(|text| {
                let reversed = |text: &str| text.chars().rev().collect::<String>();
                begins(&reversed(text), &reversed(suffix), *any)
            }),
            Self::IgnoringCase(wanted) => {
                text().is_some_and(|text| text.to_lowercase() == wanted.to_lowercase())
            }
            Self::Nothing(conditions) => {
                !conditions.iter().any(|condition| condition.holds(Some(value)))
            }
            Self::Numeric(comparisons) => value.as_f64().is_some_and(|number| {
                comparisons.iter().all(|(order, bound)| order.holds(number, *bound))
            }),
            Self::Cidr(network, bits) => text()
                .and_then(|text| text.parse().ok())
                .is_some_and(|address| is_within(address, *network, *bits)),
            Self::Wildcard(pattern) => text().is_some_and(|text| is_like(text, pattern)),
            Self::Exists(_) => false,
        }
    }
}

/// Numbers are the same however they are written.
fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other).is_eq(),
        _ => one == other,
    }
}

fn begins(text: &str, prefix: &str, ignoring_case: bool) -> bool {
    if ignoring_case {
        text.to_lowercase().starts_with(&prefix.to_lowercase())
    } else {
        text.starts_with(prefix)
    }
}

/// A text, and whether its case is ignored.
fn affix(name: &str, value: &Value) -> Result<(String, bool), String> {
    let ignoring = value.get("equals-ignore-case").and_then(Value::as_str);
    match (value.as_str(), ignoring) {
        (Some(text), _) => Ok((text.to_owned(), false)),
        (None, Some(text)) => Ok((text.to_owned(), true)),
        (None, None) => Err(format!("{name} match pattern must be a string")),
    }
}

fn anything_but(value: &Value) -> Result<Condition, String> {
    let conditions = match value {
        Value::Array(items) if items.is_empty() => {
            return Err("Empty arrays are not allowed".to_owned());
        }
        Value::Array(items) => items.iter().cloned().map(Condition::Exactly).collect(),
        Value::Object(operator) => {
            let mut all = Vec::new();
            for (name, value) in operator {
                let choices = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
                for choice in choices {
                    let one = serde_json::Map::from_iter([(name.clone(), choice)]);
                    all.push(Condition::read(&Value::Object(one))?);
                }
            }
            all
        }
        plain => vec![Condition::Exactly(plain.clone())],
    };
    Ok(Condition::Nothing(conditions))
}

fn numeric(value: &Value) -> Result<Condition, String> {
    let refused = || "Value of numeric must be an array of comparisons and numbers.".to_owned();
    let items = value.as_array().filter(|items| !items.is_empty() && items.len() % 2 == 0);
    let mut comparisons = Vec::new();
    for pair in items.ok_or_else(refused)?.chunks(2) {
        let [order, bound] = pair else { return Err(refused()) };
        let order = match order.as_str() {
            Some("=") => Order::Equal,
            Some("<") => Order::Less,
            Some("<=") => Order::AtMost,
            Some(">") => Order::More,
            Some(">=") => Order::AtLeast,
            other => {
                return Err(format!(
                    "Unrecognized numeric range operator: {}",
                    other.unwrap_or("")
                ));
            }
        };
        let bound = bound.as_f64().ok_or_else(|| "Value of numeric must be numeric.".to_owned())?;
        comparisons.push((order, bound));
    }
    Ok(Condition::Numeric(comparisons))
}

impl Order {
    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Self::Equal => number.total_cmp(&bound).is_eq(),
            Self::Less => number < bound,
            Self::AtMost => number <= bound,
            Self::More => number > bound,
            Self::AtLeast => number >= bound,
        }
    }
}

fn cidr(text: &str) -> Result<Condition, String> {
    let refused = || "Malformed CIDR, one '/' required".to_owned();
    let (address, bits) = text.split_once('/').ok_or_else(refused)?;
    let address: IpAddr =
        address.parse().map_err(|_| format!("Malformed IP address: {address}"))?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.parse().ok().filter(|bits| *bits <= most);
    bits.map(|bits| Condition::Cidr(address, bits))
        .ok_or_else(|| "Malformed CIDR, mask bits must be an integer".to_owned())
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let shifted =
        |width: u32, number: u128| number.checked_shr(width - u32::from(bits)).unwrap_or_default();
    match (address, network) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            let number = |address: std::net::Ipv4Addr| u128::from(u32::from(address));
            shifted(32, number(one)) == shifted(32, number(other))
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            shifted(128, one.into()) == shifted(128, other.into())
        }
        _ => false,
    }
}

/// Stars stand for any text.
fn is_like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}
