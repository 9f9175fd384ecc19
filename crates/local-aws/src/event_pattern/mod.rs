//! Event patterns: what `EventBridge`'s rules and the filters of Lambda's event sources look for in an event.

mod condition;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use self::condition::Condition;

/// A pattern, read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EventPattern {
    root: Fields,
}

/// What the fields of an object must be: all of them, and one of each set of alternatives.
#[derive(Debug, Clone, PartialEq, Default)]
struct Fields {
    members: BTreeMap<String, Rule>,
    alternatives: Vec<Vec<Fields>>,
}

#[derive(Debug, Clone, PartialEq)]
enum Rule {
    /// The value is an object, or a list of them.
    Within(Fields),
    /// The value, or one of its list, meets one of these.
    Any(Vec<Condition>),
}

impl EventPattern {
    /// Reads a pattern; what is wrong with it is said as `EventBridge` says it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| format!("Event pattern is not valid. Reason: {error}"))?;
        Self::read(&value)
    }

    /// The same, of JSON.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        let refused = |reason: String| format!("Event pattern is not valid. Reason: {reason}");
        if !value.is_object() {
            return Err(refused("Filter is not an object".to_owned()));
        }
        let root = Fields::read(value).map_err(refused)?;
        Ok(Self { root })
    }

    /// Whether an event is one that the pattern looks for.
    pub(crate) fn matches(&self, event: &Value) -> bool {
        self.root.fits(event)
    }
}

impl Fields {
    fn read(value: &Value) -> Result<Self, String> {
        let mut fields = Self::default();
        for (name, rule) in value.as_object().into_iter().flatten() {
            match rule {
                Value::Array(choices)
                    if name == "$or"
                        && choices.len() > 1
                        && choices.iter().all(Value::is_object) =>
                {
                    let choices = choices.iter().map(Self::read).collect::<Result<_, _>>()?;
                    fields.alternatives.push(choices);
                }
                Value::Array(conditions) if conditions.is_empty() => {
                    return Err("Empty arrays are not allowed".to_owned());
                }
                Value::Array(conditions) => {
                    let conditions =
                        conditions.iter().map(Condition::read).collect::<Result<_, _>>()?;
                    fields.members.insert(name.clone(), Rule::Any(conditions));
                }
                Value::Object(members) if members.is_empty() => {
                    return Err("Empty objects are not allowed".to_owned());
                }
                Value::Object(_) => {
                    fields.members.insert(name.clone(), Rule::Within(Self::read(rule)?));
                }
                _ => return Err(format!("\"{name}\" must be an object or an array")),
            }
        }
        Ok(fields)
    }

    fn fits(&self, event: &Value) -> bool {
        let member = |(name, rule): (&String, &Rule)| rule.fits(event.get(name));
        self.members.iter().all(member)
            && self
                .alternatives
                .iter()
                .all(|choices| choices.iter().any(|choice| choice.fits(event)))
    }
}

impl Rule {
    fn fits(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Within(fields), Some(Value::Array(items))) => {
                items.iter().any(|item| fields.fits(item))
            }
            (Self::Within(fields), Some(value)) => fields.fits(value),
            // What is not there is an object without fields: some may be wanted absent.
            (Self::Within(fields), None) => fields.fits(&Value::Null),
            (Self::Any(conditions), Some(Value::Array(items))) => {
                conditions.iter().any(|condition| match condition {
                    Condition::Exists(wanted) => *wanted != items.is_empty(),
                    condition => items.iter().any(|item| condition.holds(Some(item))),
                })
            }
            (Self::Any(conditions), value) => {
                conditions.iter().any(|condition| condition.holds(value))
            }
        }
    }
}
