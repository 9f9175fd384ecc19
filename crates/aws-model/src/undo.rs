//! What takes back what an operation has made, and how to look whether it is there.
//!
//! The table is derived when the models are packed: from names (`CreateQueue`, `DeleteQueue`), from CloudFormation's resource
//! schemas, which say what makes and what removes a resource, and from shapes: each member that the opposite needs is found in
//! the operation's output or input, or there is no entry. `pack/undo.txt` corrects by hand what is derived wrongly.

use serde_json::{Map, Value};

use crate::catalog::service;
use crate::raw::{RawFilling, RawUndo, text};
use crate::text::{Listed, Text};

/// What takes back what an operation has made.
#[derive(Debug, Clone)]
pub struct Undo {
    /// The operation of the same service that does.
    pub operation: &'static str,
    /// The members that it is given.
    pub with: Vec<(&'static str, Filling)>,
    /// The members that it is given where they are known.
    pub optional: Vec<(&'static str, Filling)>,
    /// The operation also succeeds where the thing was there before: what was there then is somebody else's.
    pub upsert: bool,
    /// How to look whether the thing is there.
    pub read: Option<UndoRead>,
    /// The waiter that ends once it is gone.
    pub gone: Option<&'static str>,
    /// CloudFormation's type of the thing, where a schema says it.
    pub resource_type: Option<&'static str>,
    /// Where this is known from.
    pub origin: Origin,
}

/// How to look whether a thing is there.
#[derive(Debug, Clone)]
pub struct UndoRead {
    /// The operation that looks.
    pub operation: &'static str,
    /// The members that it is given.
    pub with: Vec<(&'static str, Filling)>,
    /// The members that it is given where they are known.
    pub optional: Vec<(&'static str, Filling)>,
}

/// Where an undo is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// CloudFormation does it so too.
    Schema,
    /// The names of the operations, and their shapes.
    Names,
    /// Written by hand.
    Hand,
}

/// What a member is given.
#[derive(Debug, Clone)]
pub enum Filling {
    /// Always this.
    Fixed(Value),
    /// What is in the first of these places that there is.
    From(Vec<Place>),
}

/// The input or the output of the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// Its input: known before the call, and when its reply is lost.
    Input,
    /// Its output.
    Output,
}

/// A place in the input or the output of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// In which of them.
    pub root: Root,
    /// The members on the way, with dots between: `Instances[].InstanceId` is of each, `Listeners[0].ListenerArn` of the first.
    pub path: &'static str,
    /// What stands there is put into a list.
    pub listed: bool,
}

/// What takes back what an operation makes, where that is known.
pub fn undo_of(service_name: &str, operation: &str) -> Option<&'static Undo> {
    service(service_name)?.operation(operation)?.undo.as_ref()
}

impl Undo {
    pub(crate) fn read(raw: RawUndo) -> Option<Self> {
        let origin = match raw.from.0 {
            "schema" => Origin::Schema,
            "names" => Origin::Names,
            "hand" => Origin::Hand,
            _ => return None,
        };
        let read = match raw.read {
            Some(read) => Some(UndoRead {
                operation: read.operation.0,
                with: fillings(read.with)?,
                optional: fillings(read.optional)?,
            }),
            None => None,
        };
        Some(Self {
            operation: raw.operation.0,
            with: fillings(raw.with)?,
            optional: fillings(raw.optional)?,
            upsert: raw.upsert,
            read,
            gone: text(raw.gone),
            resource_type: text(raw.resource_type),
            origin,
        })
    }

    /// The input of the opposite, from the operation's input and, unless its reply was lost, its output; nothing where
    /// something that it needs is not known.
    pub fn input(&self, input: &Value, output: Option<&Value>) -> Option<Map<String, Value>> {
        fill(&self.with, &self.optional, input, output)
    }

    /// Whether the operation's input alone says what the opposite needs: then it can be written down before the call.
    pub fn is_known_before(&self) -> bool {
        self.with.iter().all(|(_, filling)| match filling {
            Filling::Fixed(_) => true,
            Filling::From(places) => places.iter().any(|place| place.root == Root::Input),
        })
    }
}

impl UndoRead {
    /// The input of the operation that looks; nothing where something that it needs is not known.
    pub fn input(&self, input: &Value, output: Option<&Value>) -> Option<Map<String, Value>> {
        fill(&self.with, &self.optional, input, output)
    }
}

type Fillings = [(&'static str, Filling)];

fn fill(
    with: &Fillings,
    optional: &Fillings,
    input: &Value,
    output: Option<&Value>,
) -> Option<Map<String, Value>> {
    let value = |(name, filling): &(&'static str, Filling)| {
        Some(((*name).to_owned(), filling.value(input, output)?))
    };
    let mut filled: Map<String, Value> = with.iter().map(value).collect::<Option<_>>()?;
    filled.extend(optional.iter().filter_map(value));
    Some(filled)
}

fn fillings(raw: Listed<RawFilling>) -> Option<Vec<(&'static str, Filling)>> {
    raw.0
        .into_iter()
        .map(|(name, filling)| match filling {
            RawFilling::Value { value } => Some((name, Filling::Fixed(value))),
            RawFilling::Places(places) => {
                let places = places
                    .into_iter()
                    .map(|Text(place)| Place::read(place))
                    .collect::<Option<Vec<_>>>()?;
                Some((name, Filling::From(places)))
            }
        })
        .collect()
}

impl Filling {
    /// What the member is given.
    pub fn value(&self, input: &Value, output: Option<&Value>) -> Option<Value> {
        match self {
            Self::Fixed(value) => Some(value.clone()),
            Self::From(places) => places.iter().find_map(|place| place.value(input, output)),
        }
    }
}

impl Place {
    fn read(place: &'static str) -> Option<Self> {
        let (listed, inner) =
            match place.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
                Some(inner) => (true, inner),
                None => (false, place),
            };
        let (root, path) = inner.split_once('.')?;
        let root = match root {
            "input" => Root::Input,
            "result" => Root::Output,
            _ => return None,
        };
        Some(Self { root, path, listed })
    }

    /// What is there.
    pub fn value(&self, input: &Value, output: Option<&Value>) -> Option<Value> {
        let root = match self.root {
            Root::Input => input,
            Root::Output => output?,
        };
        let value = at(root, self.path)?;
        Some(if self.listed { Value::Array(vec![value]) } else { value })
    }
}

/// What is at a path; nothing where that is nothing, or no thing at all of a list.
fn at(value: &Value, path: &str) -> Option<Value> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let on = |value: &Value| rest.map_or_else(|| Some(value.clone()), |rest| at(value, rest));
    let found = if let Some(name) = name.strip_suffix("[]") {
        let each: Option<Vec<Value>> = value.get(name)?.as_array()?.iter().map(on).collect();
        each.filter(|each| !each.is_empty()).map(Value::Array)
    } else if let Some(name) = name.strip_suffix("[0]") {
        on(value.get(name)?.as_array()?.first()?)
    } else {
        on(value.get(name)?)
    };
    found.filter(|value| !value.is_null() && value.as_str() != Some(""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Place, at};

    #[test]
    fn a_place_is_found_in_what_it_says() {
        let output =
            json!({"A": {"B": "x", "Empty": ""}, "L": [{"Id": "1"}, {"Id": "2"}], "None": []});
        assert_eq!(at(&output, "A.B"), Some(json!("x")));
        assert_eq!(at(&output, "L[].Id"), Some(json!(["1", "2"])));
        assert_eq!(at(&output, "L[0].Id"), Some(json!("1")));
        assert_eq!(at(&output, "None[].Id"), None);
        assert_eq!(at(&output, "A.Empty"), None);
        let listed = Place::read("[result.A.B]").expect("it is a place");
        assert_eq!(listed.value(&json!({}), Some(&output)), Some(json!(["x"])));
        assert_eq!(listed.value(&json!({}), None), None);
        assert_eq!(Place::read("elsewhere.A"), None);
    }
}
