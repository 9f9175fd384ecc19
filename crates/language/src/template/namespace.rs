use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use minijinja::value::{Enumerator, Object};

use super::mark::{self, Leaf, Mark};
use super::value::{Unknown, to_json};
use super::{Evaluated, Value, trace};

#[derive(Clone)]
struct Slot {
    value: Value,
    mark: Mark,
}

impl Slot {
    fn open(value: Value) -> Self {
        Self { value, mark: Mark::Open }
    }

    fn of(evaluated: &Evaluated) -> Self {
        Self { value: evaluated.value.clone(), mark: evaluated.mark.clone() }
    }

    fn read(&self) -> Value {
        trace::mark_secret(&self.value, &self.mark);
        if self.value.downcast_object_ref::<Unknown>().is_some() {
            trace::mark_unknown();
        }
        self.value.clone()
    }
}

type Slots = BTreeMap<String, Slot>;

/// A set of named values, such as `inputs` or `steps`. Clones share their content.
#[derive(Clone, Default)]
pub struct Namespace {
    slots: Arc<RwLock<Slots>>,
}

impl Namespace {
    /// An empty namespace.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn slots(&self) -> RwLockReadGuard<'_, Slots> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn slots_mut(&self) -> RwLockWriteGuard<'_, Slots> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a value that may be shown.
    pub fn insert(&self, name: impl Into<String>, value: impl Into<Value>) {
        self.slots_mut().insert(name.into(), Slot::open(value.into()));
    }

    /// Sets a value that makes everything secret that is computed from it.
    pub fn insert_secret(&self, name: impl Into<String>, value: impl Into<Value>) {
        self.insert_evaluated(name, &Evaluated::hidden(value.into()));
    }

    /// Sets the result of an evaluation, secret where that is.
    pub fn insert_evaluated(&self, name: impl Into<String>, evaluated: &super::Evaluated) {
        self.slots_mut().insert(name.into(), Slot::of(evaluated));
    }

    /// A namespace of its own with the same content.
    #[must_use]
    pub fn copied(&self) -> Self {
        Self { slots: Arc::new(RwLock::new(self.slots().clone())) }
    }

    /// Takes a value away.
    pub fn remove(&self, name: &str) {
        self.slots_mut().remove(name);
    }

    /// The value under a name. Inside an evaluation this counts as reading it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value> {
        self.slots().get(name).map(Slot::read)
    }

    /// The names, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.slots().keys().cloned().collect()
    }

    /// Everything that is set, as JSON. Secrets are in it as they are.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let slots = self.slots().clone();
        slots.iter().map(|(name, slot)| (name.clone(), to_json(&slot.value))).collect()
    }

    pub(super) fn values(&self) -> Vec<Value> {
        self.slots().values().map(|slot| slot.value.clone()).collect()
    }

    /// Everything with its marks, without counting as a reading of it.
    pub(super) fn leaves(&self) -> Vec<(String, Leaf)> {
        let slots = self.slots();
        let leaf = |slot: &Slot| (slot.value.clone(), slot.mark.clone());
        slots.iter().map(|(name, slot)| (name.clone(), leaf(slot))).collect()
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Namespace").field(&self.names()).finish()
    }
}

impl From<Namespace> for Value {
    fn from(namespace: Namespace) -> Self {
        Value::from_object(namespace)
    }
}

impl From<&Namespace> for Value {
    fn from(namespace: &Namespace) -> Self {
        Value::from_object(namespace.clone())
    }
}

impl Object for Namespace {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.get(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.names().into_iter().map(Value::from).collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.slots().len())
    }
}

#[derive(Clone, Default)]
struct Roots {
    own: Slots,
    parent: Option<Arc<Roots>>,
}

impl Roots {
    fn slot(&self, name: &str) -> Option<&Slot> {
        let mut roots = self;
        loop {
            if let Some(slot) = roots.own.get(name) {
                return Some(slot);
            }
            roots = roots.parent.as_deref()?;
        }
    }
}

/// The names that an expression can start with: `inputs`, `steps`, in a loop also `item`.
#[derive(Clone, Default)]
pub struct Scope {
    roots: Arc<Roots>,
}

impl Scope {
    /// A scope without names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a root. Scopes derived earlier do not see it.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.put(name.into(), Slot::open(value.into()));
    }

    /// Sets a root that makes everything secret that is computed from it.
    pub fn set_secret(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.set_evaluated(name, &Evaluated::hidden(value.into()));
    }

    /// Sets a root to the result of an evaluation, secret where that is.
    pub fn set_evaluated(&mut self, name: impl Into<String>, evaluated: &Evaluated) {
        self.put(name.into(), Slot::of(evaluated));
    }

    fn put(&mut self, name: String, slot: Slot) {
        Arc::make_mut(&mut self.roots).own.insert(name, slot);
    }

    /// A scope with the same names, to which more can be added.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { roots: Arc::new(Roots { own: Slots::new(), parent: Some(self.roots.clone()) }) }
    }

    /// The value of a root. Inside an evaluation this counts as reading it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value> {
        self.roots.slot(name).map(Slot::read)
    }

    /// The names of all roots, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let chain = std::iter::successors(Some(&*self.roots), |roots| roots.parent.as_deref());
        let mut names: Vec<String> = chain.flat_map(|roots| roots.own.keys().cloned()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The value at a path of names, with what is secret of it.
    #[must_use]
    pub fn look_up<S: AsRef<str>>(&self, path: &[S]) -> Option<Evaluated> {
        let (root, rest) = path.split_first()?;
        let slot = self.roots.slot(root.as_ref())?;
        let mut leaf = (slot.value.clone(), slot.mark.clone());
        for name in rest {
            let name = name.as_ref();
            let found = mark::children(&leaf.0)?.into_iter();
            let mut under = found.filter(|(key, _)| key.to_string() == name);
            leaf = under.next()?.1;
        }
        Some(Evaluated::marked(leaf))
    }

    pub(super) fn context(&self) -> Value {
        Value::from_object(self.clone())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Scope").field(&self.names()).finish()
    }
}

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.get(key)
    }
}
