//! The language's own keys, by where they stand: the same definition makes the parser's lists, the editors' schema and the
//! manual.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::controls::CONTROLS;
use super::schema::{defaults, input_keys, step_properties, top_properties};

/// The keys of one place, in the order in which they are explained.
pub(super) type Keys = LazyLock<Vec<&'static str>>;

/// Keys of a step that only a block has.
pub(super) const BESIDE_BLOCK: &[&str] = &["rescue", "always"];

static DECLARED: LazyLock<Value> = LazyLock::new(|| {
    let controls: serde_json::Map<String, Value> =
        CONTROLS.iter().map(|control| (control.name.to_owned(), control.schema())).collect();
    json!({
        "top": {"properties": top_properties()},
        "input": input_keys(),
        "defaults": defaults(),
        "step": {"properties": step_properties()},
        "controls": controls,
    })
});

/// The keys of the object that a pointer leads to.
fn keys(pointer: &str) -> Vec<&'static str> {
    let properties = DECLARED.pointer(pointer).and_then(|it| it.get("properties")?.as_object());
    properties.into_iter().flat_map(serde_json::Map::keys).map(String::as_str).collect()
}

/// Those of a playbook.
pub(super) static TOP: Keys = LazyLock::new(|| keys("/top"));
/// Those of an input.
pub(super) static INPUT: Keys = LazyLock::new(|| keys("/input"));
/// Those of `matrix`.
pub(super) static MATRIX: Keys = LazyLock::new(|| keys("/top/properties/matrix"));
/// Those of `defaults`.
pub(super) static DEFAULTS: Keys = LazyLock::new(|| keys("/defaults"));
/// Those of `poll` in `defaults`.
pub(super) static DEFAULT_POLL: Keys = LazyLock::new(|| keys("/defaults/properties/poll"));
/// What every step may have beside its kind.
pub(super) static STEP_KEYS: Keys = LazyLock::new(|| {
    let mut keys = keys("/step");
    keys.retain(|key| !BESIDE_BLOCK.contains(key));
    keys
});
/// Those of `retry`.
pub(super) static RETRY: Keys = LazyLock::new(|| keys("/step/properties/retry"));
/// Those of `poll`.
pub(super) static POLL: Keys = LazyLock::new(|| keys("/step/properties/poll"));
/// Those of `repeat`.
pub(super) static REPEAT: Keys = LazyLock::new(|| keys("/controls/repeat"));
/// Those of `parallel`.
pub(super) static PARALLEL: Keys = LazyLock::new(|| keys("/controls/parallel"));
/// Those of `include`.
pub(super) static INCLUDE: Keys = LazyLock::new(|| keys("/controls/include"));
/// Those of `cleanup`.
pub(super) static CLEANUP: Keys = LazyLock::new(|| keys("/controls/cleanup"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_keys() {
        assert_eq!(**RETRY, ["on", "attempts", "every", "ask"]);
        assert_eq!(**INCLUDE, ["file", "inputs"]);
        assert_eq!(**CLEANUP, ["confirm"]);
        assert_eq!(**DEFAULT_POLL, ["every", "timeout"]);
        assert!(STEP_KEYS.contains(&"when") && !STEP_KEYS.contains(&"always"));
        for place in [&TOP, &INPUT, &MATRIX, &DEFAULTS, &POLL, &REPEAT, &PARALLEL] {
            assert!(!place.is_empty());
        }
    }
}
