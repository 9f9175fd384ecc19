//! What is secret of a value: each scalar in it has a mark of its own.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, ValueKind};
use serde_json::Value as Json;

use super::namespace::Namespace;
use super::value::{DEEPEST, is_unknown, to_json, to_text};
use super::{Evaluated, Value, trace};

/// What stands where a secret stood.
pub const MASK: &str = "***";

/// What may be shown of a scalar.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Mark {
    /// All of it.
    #[default]
    Open,
    /// It holds a secret. This text may be shown in its place, less the secrets that a search for their text finds.
    Shown(Arc<str>),
    /// Nothing.
    Hidden,
}

/// Whether a secret can be searched for by its text. What is short, a number of a few digits or an everyday word stands
/// in many a text that has nothing to do with it: only where it came from tells.
#[must_use]
pub fn is_distinctive(text: &str) -> bool {
    let text = text.trim();
    let is_number = text.chars().all(|c| c.is_ascii_digit() || "+-.,eE".contains(c));
    if is_number {
        return text.chars().filter(char::is_ascii_digit).count() >= 6;
    }
    let is_word = ["true", "false", "null", "none"].contains(&text.to_ascii_lowercase().as_str());
    text.chars().count() >= 4 && !is_word
}

/// A list or map of which some scalars are secret. Reading those counts.
pub(super) struct Marked {
    inner: Value,
    marks: BTreeMap<Value, Mark>,
}

impl Marked {
    fn object(&self) -> Option<&DynObject> {
        self.inner.as_object()
    }

    fn read(&self, key: &Value) -> Option<Value> {
        let value = self.object()?.get_value(key)?;
        if let Some(mark) = self.marks.get(key) {
            trace::mark_secret(&value, mark);
        }
        Some(value)
    }
}

impl fmt::Debug for Marked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, mark) in &self.marks {
            trace::mark_secret(&self.read(key).unwrap_or_default(), mark);
        }
        self.inner.fmt(formatter)
    }
}

impl Object for Marked {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        self.object().map_or(ObjectRepr::Plain, DynObject::repr)
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.read(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let Some(object) = self.object() else { return Enumerator::NonEnumerable };
        match object.repr() {
            ObjectRepr::Seq => Enumerator::Seq(object.enumerator_len().unwrap_or_default()),
            _ => Enumerator::Values(object.try_iter().into_iter().flatten().collect()),
        }
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        self.object()?.enumerator_len()
    }
}

/// A scalar or container, with the mark that the scalar has.
pub(super) type Leaf = (Value, Mark);

/// A list of marked values.
pub(super) fn list(items: Vec<Leaf>) -> Value {
    let marks = marks(items.iter().enumerate().map(|(at, (_, mark))| (Value::from(at), mark)));
    let values: Vec<Value> = items.into_iter().map(|(value, _)| value).collect();
    with(Value::from(values), marks)
}

/// A map of marked values.
pub(super) fn map(entries: Vec<(Value, Leaf)>) -> Value {
    let marks = marks(entries.iter().map(|(key, (_, mark))| (key.clone(), mark)));
    with(Value::from_pairs(entries.into_iter().map(|(key, (value, _))| (key, value))), marks)
}

fn marks<'m>(all: impl Iterator<Item = (Value, &'m Mark)>) -> BTreeMap<Value, Mark> {
    all.filter(|(_, mark)| **mark != Mark::Open).map(|(key, mark)| (key, mark.clone())).collect()
}

fn with(inner: Value, marks: BTreeMap<Value, Mark>) -> Value {
    if marks.is_empty() { inner } else { Value::from_object(Marked { inner, marks }) }
}

/// What is in a container, without counting as a reading of it: keys in a map, places in a list. Nothing for a scalar.
pub(super) fn children(value: &Value) -> Option<Vec<(Value, Leaf)>> {
    if let Some(namespace) = value.downcast_object_ref::<Namespace>() {
        let leaves = namespace.leaves().into_iter();
        return Some(leaves.map(|(name, leaf)| (Value::from(name), leaf)).collect());
    }
    if let Some(marked) = value.downcast_object_ref::<Marked>() {
        let found = children(&marked.inner)?;
        let mark_of = |key: &Value| marked.marks.get(key).cloned().unwrap_or_default();
        let of = |(key, (value, _)): (Value, Leaf)| (mark_of(&key), key, value);
        let marked = found.into_iter().map(of);
        return Some(marked.map(|(mark, key, value)| (key, (value, mark))).collect());
    }
    let object = value.as_object()?;
    match object.repr() {
        ObjectRepr::Map => {
            let pairs = object.try_iter_pairs().into_iter().flatten();
            Some(pairs.map(|(key, value)| (key, (value, Mark::Open))).collect())
        }
        ObjectRepr::Seq | ObjectRepr::Iterable => {
            let items = object.try_iter().into_iter().flatten().enumerate();
            Some(items.map(|(at, item)| (Value::from(at), (item, Mark::Open))).collect())
        }
        _ => None,
    }
}

/// A container of the same sort with other content.
pub(super) fn rebuilt(value: &Value, children: Vec<(Value, Leaf)>) -> Value {
    if is_map(value) {
        map(children)
    } else {
        list(children.into_iter().map(|(_, leaf)| leaf).collect())
    }
}

pub(super) fn is_map(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.repr() == ObjectRepr::Map)
}

/// Gives every scalar in a value a mark, by what it is and the mark it has.
pub(super) fn covered(leaf: Leaf, cover: &impl Fn(&Value, Mark) -> Mark) -> Leaf {
    covered_level(leaf, cover, DEEPEST)
}

fn covered_level(
    (value, mark): Leaf,
    cover: &impl Fn(&Value, Mark) -> Mark,
    levels: usize,
) -> Leaf {
    match children(&value) {
        Some(children) if levels > 0 => {
            let inner = |(key, leaf)| (key, covered_level(leaf, cover, levels - 1));
            (rebuilt(&value, children.into_iter().map(inner).collect()), Mark::Open)
        }
        Some(_) => (value, Mark::Open),
        None => {
            let mark = cover(&value, mark);
            (value, mark)
        }
    }
}

/// All of it is secret.
pub(super) fn hidden(value: Value) -> Leaf {
    covered((value, Mark::Open), &|_, _| Mark::Hidden)
}

/// Calls `visit` with every scalar that is not open, and the keys that lead there.
pub(super) fn visit(leaf: &Leaf, visit: &mut impl FnMut(&[String], &Value, &Mark)) {
    visit_level(leaf, &mut Vec::new(), visit);
}

fn visit_level(
    (value, mark): &Leaf,
    path: &mut Vec<String>,
    visit: &mut impl FnMut(&[String], &Value, &Mark),
) {
    match children(value) {
        Some(children) if path.len() < DEEPEST => {
            for (key, leaf) in children {
                path.push(key.to_string());
                visit_level(&leaf, path, visit);
                path.pop();
            }
        }
        Some(_) => {}
        None if *mark != Mark::Open => visit(path, value, mark),
        None => {}
    }
}

/// As JSON, with secrets hidden. What is not known yet is no secret yet.
pub(super) fn shown_json((value, mark): &Leaf) -> Json {
    shown_level(value, mark, DEEPEST)
}

fn shown_level(value: &Value, mark: &Mark, levels: usize) -> Json {
    if let Some(children) = children(value) {
        if levels == 0 {
            return Json::Null;
        }
        let entries = children.into_iter();
        let inner = |leaf: &Leaf| shown_level(&leaf.0, &leaf.1, levels - 1);
        return if is_map(value) {
            Json::Object(entries.map(|(key, leaf)| (key.to_string(), inner(&leaf))).collect())
        } else {
            entries.map(|(_, leaf)| inner(&leaf)).collect()
        };
    }
    match mark {
        Mark::Open => to_json(value),
        Mark::Shown(text) => Json::from(&**text),
        Mark::Hidden if is_nothing(value) || is_unknown(value).is_some() => to_json(value),
        Mark::Hidden => Json::from(MASK),
    }
}

/// Inside a text, with secrets hidden.
pub(super) fn shown_text(leaf: &Leaf) -> String {
    match &leaf.1 {
        Mark::Open if children(&leaf.0).is_none() => to_text(&leaf.0),
        _ => match shown_json(leaf) {
            Json::String(text) => text,
            other => other.to_string(),
        },
    }
}

/// There is nothing to hide in nothing.
fn is_nothing(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::None | ValueKind::Undefined) || value.as_str() == Some("")
}

impl Evaluated {
    /// A value that may be shown.
    #[must_use]
    pub fn open(value: Value) -> Self {
        Self::marked((value, Mark::Open))
    }

    /// A value that stands in the playbook itself.
    pub(super) fn literal(value: Value) -> Self {
        Self { value, mark: Mark::Open, unknown: false, secret: false, secrets: Vec::new() }
    }

    /// A value that is secret as a whole.
    #[must_use]
    pub fn hidden(value: Value) -> Self {
        Self::marked(hidden(value))
    }

    /// A value whose scalars are marked as `mark` says, which is told the keys that lead there.
    pub fn with_marks(value: Value, mark: &mut impl FnMut(&[String], &Value) -> Mark) -> Self {
        Self::marked(leaf_with_marks(value, &mut Vec::new(), mark))
    }

    pub(super) fn marked((value, mark): Leaf) -> Self {
        let mut evaluated = Self { mark, ..Self::literal(value) };
        evaluated.look();
        evaluated
    }

    /// Finds what is secret in it.
    fn look(&mut self) {
        let leaf = (self.value.clone(), self.mark.clone());
        let (mut secret, mut found) = (false, Vec::new());
        visit(&leaf, &mut |_, value, mark| {
            secret = true;
            if *mark == Mark::Hidden {
                found.push(value.clone());
            }
        });
        self.secret |= secret;
        self.secrets.extend(found);
    }

    fn leaf(&self) -> Leaf {
        (self.value.clone(), self.mark.clone())
    }

    /// The value as JSON with its secrets hidden, except for those that a search for their text finds.
    #[must_use]
    pub fn shown(&self) -> Json {
        shown_json(&self.leaf())
    }

    /// The same as it stands inside a text.
    #[must_use]
    pub fn shown_text(&self) -> String {
        shown_text(&self.leaf())
    }

    /// Calls `see` with every scalar that is not open, and the keys that lead there.
    pub fn each_secret(&self, mut see: impl FnMut(&[String], &Value, &Mark)) {
        visit(&self.leaf(), &mut see);
    }

    /// What stands under a key of a map, if it does.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Self> {
        if let Some(path) = is_unknown(&self.value) {
            let field = super::unknown(format!("{path}.{name}"));
            return Some(Self { unknown: true, ..Self::open(field) });
        }
        let found = children(&self.value)?.into_iter();
        let (_, leaf) = found.into_iter().find(|(key, _)| key.as_str() == Some(name))?;
        Some(Self { unknown: self.unknown, ..Self::marked(leaf) })
    }

    /// What is in a list, if it is one.
    #[must_use]
    pub fn items(&self) -> Option<Vec<Self>> {
        if !matches!(self.value.kind(), ValueKind::Seq | ValueKind::Iterable) {
            return None;
        }
        Some(children(&self.value)?.into_iter().map(|(_, leaf)| Self::marked(leaf)).collect())
    }
}

fn leaf_with_marks(
    value: Value,
    path: &mut Vec<String>,
    mark: &mut impl FnMut(&[String], &Value) -> Mark,
) -> Leaf {
    let Some(children) = children(&value) else {
        let mark = mark(path, &value);
        return (value, mark);
    };
    if path.len() >= DEEPEST {
        return (value, Mark::Open);
    }
    let mut marked = Vec::with_capacity(children.len());
    for (key, (child, _)) in children {
        path.push(key.to_string());
        marked.push((key, leaf_with_marks(child, path, mark)));
        path.pop();
    }
    (rebuilt(&value, marked), Mark::Open)
}

/// Whether a search for their texts finds all these secrets in a value that was put together from them, because each
/// stands there as it is.
pub(super) fn holds_whole(value: &Value, secrets: &[Leaf]) -> bool {
    let mut texts = String::new();
    gather_texts(value, &mut texts, DEEPEST);
    secrets.iter().all(|(secret, mark)| {
        let Some(text) = secret.as_str().map(str::trim) else { return false };
        let is_found = match mark {
            Mark::Open => true,
            Mark::Shown(shown) => shown.trim() == text,
            Mark::Hidden => is_distinctive(text),
        };
        is_found && texts.contains(text)
    })
}

fn gather_texts(value: &Value, texts: &mut String, levels: usize) {
    if let Some(text) = value.as_str() {
        texts.push_str(text);
        texts.push('\0');
    }
    if levels > 0 {
        for (key, (value, _)) in children(value).unwrap_or_default() {
            texts.extend(key.as_str());
            texts.push('\0');
            gather_texts(&value, texts, levels - 1);
        }
    }
}
