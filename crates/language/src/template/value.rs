use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::mark::{self, Leaf, Mark};
use super::namespace::Namespace;
use super::runtime::number;
use super::{Value, trace};

/// Deeper values are not built: reading them back would exhaust the stack.
pub(super) const DEEPEST: usize = 128;

/// Without a dry run there is nothing unknown, and no value need be searched for it.
static ANY_UNKNOWN: AtomicBool = AtomicBool::new(false);

/// A value that exists only after something has run.
pub(super) struct Unknown {
    path: String,
    display: String,
}

impl fmt::Debug for Unknown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        trace::mark_unknown();
        formatter.write_str(&self.display)
    }
}

impl Object for Unknown {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        trace::mark_unknown();
        let path = match key.as_str() {
            Some(name) if is_identifier(name) => format!("{}.{name}", self.path),
            _ => format!("{}[{key:?}]", self.path),
        };
        Some(unknown(path))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        trace::mark_unknown();
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        trace::mark_unknown();
        false
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
        trace::mark_unknown();
        Ok(unknown(format!("{}()", self.path)))
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        _: &[Value],
    ) -> Result<Value, Error> {
        trace::mark_unknown();
        Ok(unknown(format!("{}.{method}()", self.path)))
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<std::cmp::Ordering> {
        trace::mark_unknown();
        other.downcast_ref::<Self>().map(|other| self.path.cmp(&other.path))
    }

    fn render(self: &Arc<Self>, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        trace::mark_unknown();
        formatter.write_str(&self.display)
    }
}

fn is_identifier(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
}

/// How a value that is not known yet is shown: `⟨steps.role.arn⟩`. What `text` itself does not know shares the brackets.
#[must_use]
pub fn marker(text: &str) -> String {
    format!("⟨{}⟩", text.replace(['⟨', '⟩'], ""))
}

/// A value that is not known yet, under the path or expression that will give it.
#[must_use]
pub fn unknown(path: impl Into<String>) -> Value {
    let path = path.into();
    let display = marker(&path);
    ANY_UNKNOWN.store(true, Ordering::Relaxed);
    Value::from_object(Unknown { path, display })
}

/// A text of which some parts are not known yet; those stand in it as markers.
pub(super) fn unknown_text(display: String) -> Value {
    ANY_UNKNOWN.store(true, Ordering::Relaxed);
    Value::from_object(Unknown { path: display.clone(), display })
}

/// What stands for a value that is not known yet, without its brackets; `None` for all others.
#[must_use]
pub fn is_unknown(value: &Value) -> Option<String> {
    value.downcast_object_ref::<Unknown>().map(|unknown| unknown.path.clone())
}

/// Whether there is anything unknown in a value. Reads secret slots without marking them.
pub(super) fn holds_unknown(value: &Value) -> bool {
    ANY_UNKNOWN.load(Ordering::Relaxed) && search(value, DEEPEST)
}

fn search(value: &Value, levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else {
        return false;
    };
    if value.downcast_object_ref::<Unknown>().is_some() {
        return true;
    }
    if let Some(namespace) = value.downcast_object_ref::<Namespace>() {
        return namespace.values().iter().any(|value| search(value, levels));
    }
    let Some(object) = value.as_object() else {
        return false;
    };
    // What is computed when it is read is not read for this.
    matches!(object.repr(), ObjectRepr::Map | ObjectRepr::Seq)
        && mark::children(value)
            .is_some_and(|children| children.iter().any(|(_, (value, _))| search(value, levels)))
}

/// Why a value cannot be handed on.
pub(super) enum Unfit {
    /// It is nested too deeply to be kept.
    TooDeep,
    /// It has a number in it that would not stay what it is, or a part that is not defined.
    Refused(Error),
}

/// Reads everything that a value would otherwise read later, outside the evaluation: namespaces
/// become maps, lazy sequences lists. What is secret in them keeps its mark.
pub(super) fn settle(value: Value) -> Result<Value, Unfit> {
    settle_level((value, Mark::Open), DEEPEST).map(|(value, _)| value)
}

fn settle_level((value, mark): Leaf, levels: usize) -> Result<Leaf, Unfit> {
    if value.downcast_object_ref::<Unknown>().is_some() {
        trace::mark_unknown();
        return Ok((value, mark));
    }
    let Some(object) = value.as_object() else {
        if value.is_undefined() {
            return Err(Unfit::Refused(Error::from(ErrorKind::UndefinedError)));
        }
        number::keep(&value).map_err(Unfit::Refused)?;
        return Ok((value, mark));
    };
    if object.repr() == ObjectRepr::Plain {
        return Ok((value, mark));
    }
    let levels = levels.checked_sub(1).ok_or(Unfit::TooDeep)?;
    let children = mark::children(&value).unwrap_or_default().into_iter();
    let settled = children
        .map(|(key, leaf)| Ok((key, settle_level(leaf, levels)?)))
        .collect::<Result<Vec<_>, _>>()?;
    Ok((mark::rebuilt(&value, settled), Mark::Open))
}

/// JSON as a value of the template language. Whole numbers stay whole.
#[must_use]
pub fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(value) => Value::from(*value),
        serde_json::Value::Number(number) => number
            .as_i64()
            .map(Value::from)
            .or_else(|| number.as_u64().map(Value::from))
            .or_else(|| number.as_f64().map(Value::from))
            .unwrap_or_else(|| Value::from(number.to_string())),
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => items.iter().map(from_json).collect(),
        serde_json::Value::Object(entries) => {
            Value::from_pairs(entries.iter().map(|(key, value)| (key.as_str(), from_json(value))))
        }
    }
}

/// A value as JSON: what is unknown becomes its marker, what is undefined `null`.
#[must_use]
pub fn to_json(value: &Value) -> serde_json::Value {
    json_level(value, DEEPEST)
}

fn json_level(value: &Value, levels: usize) -> serde_json::Value {
    use serde_json::Value as Json;
    let Some(levels) = levels.checked_sub(1) else {
        return Json::Null;
    };
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Json::Null,
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number => number_to_json(value),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().into_iter().flatten();
            items.map(|item| json_level(&item, levels)).collect()
        }
        ValueKind::Map => {
            let pairs = value.as_object().and_then(DynObject::try_iter_pairs);
            let entry =
                |(key, value): (Value, Value)| (key.to_string(), json_level(&value, levels));
            Json::Object(pairs.into_iter().flatten().map(entry).collect())
        }
        _ => Json::String(value.to_string()),
    }
}

fn number_to_json(value: &Value) -> serde_json::Value {
    use serde_json::{Number, Value as Json};
    if value.is_integer() {
        if let Ok(whole) = i64::try_from(value.clone()) {
            return Json::from(whole);
        }
        if let Ok(whole) = u64::try_from(value.clone()) {
            return Json::from(whole);
        }
        return Json::String(value.to_string());
    }
    let float = f64::try_from(value.clone()).ok().and_then(Number::from_f64);
    float.map_or(Json::Null, Json::Number)
}

/// A value inside a text: strings as they are, lists and maps as JSON, `true`, `false` and `null` as JSON has them.
#[must_use]
pub fn to_text(value: &Value) -> String {
    if let Some(text) = value.as_str() {
        return text.to_owned();
    }
    match value.kind() {
        ValueKind::None | ValueKind::Undefined => "null".to_owned(),
        ValueKind::Bool => value.is_true().to_string(),
        ValueKind::Map | ValueKind::Seq | ValueKind::Iterable => to_json(value).to_string(),
        _ => value.to_string(),
    }
}
