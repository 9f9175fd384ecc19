//! What the parts of a template refer to.

use serde_yaml::Value;

use super::Parts;
use crate::diagnostic::did_you_mean;

/// No template that holds itself is followed further.
const DEEPEST: usize = 64;

/// No more of them are told.
const MOST: usize = 20;

/// A reference to what is not there: where it stands, the name, and what was probably meant.
type Unresolved = (String, String, Option<String>);

/// The references to neither a parameter nor a resource, and to no condition.
pub(super) fn unresolved(parts: &Parts) -> Vec<Unresolved> {
    let mut found = Vec::new();
    for (section, entries) in [("Resources", &parts.resources), ("Outputs", &parts.outputs)] {
        for (id, body) in entries {
            let mut look = Look { parts, place: format!("{section}.{id}"), found: Vec::new() };
            if let Some(condition) = body.get("Condition").and_then(Value::as_str) {
                look.condition(condition);
            }
            match body.get("DependsOn") {
                Some(Value::String(other)) => look.resource(other),
                Some(Value::Sequence(others)) => {
                    others.iter().filter_map(Value::as_str).for_each(|other| look.resource(other));
                }
                _ => {}
            }
            look.value(body, DEEPEST);
            found.extend(look.found);
        }
    }
    found.truncate(MOST);
    found
}

struct Look<'p> {
    parts: &'p Parts,
    place: String,
    found: Vec<Unresolved>,
}

impl Look<'_> {
    fn value(&mut self, value: &Value, levels: usize) {
        let Some(levels) = levels.checked_sub(1) else { return };
        match value {
            Value::Sequence(items) => items.iter().for_each(|item| self.value(item, levels)),
            Value::Mapping(entries) => {
                let mut only = entries.iter();
                if let (Some((key, argument)), None) = (only.next(), only.next())
                    && let Some(key) = key.as_str()
                    && let Some(function) =
                        key.strip_prefix("Fn::").or((key == "Ref").then_some(key))
                {
                    self.function(function, argument);
                }
                entries.iter().for_each(|(_, value)| self.value(value, levels));
            }
            Value::Tagged(tagged) => {
                let tag = tagged.tag.to_string();
                self.function(tag.trim_start_matches('!'), &tagged.value);
                self.value(&tagged.value, levels);
            }
            _ => {}
        }
    }

    fn function(&mut self, name: &str, argument: &Value) {
        match (name, argument) {
            ("Ref", Value::String(target)) => self.name(target),
            ("GetAtt", Value::String(target)) => {
                self.resource(target.split('.').next().unwrap_or_default());
            }
            ("GetAtt", Value::Sequence(path)) => {
                if let Some(target) = path.first().and_then(Value::as_str) {
                    self.resource(target);
                }
            }
            ("Sub", Value::String(text)) => self.substitutions(text, &[]),
            ("Sub", Value::Sequence(both)) => {
                let own = both.get(1).and_then(Value::as_mapping).into_iter().flatten();
                let own: Vec<&str> = own.filter_map(|(key, _)| key.as_str()).collect();
                if let Some(text) = both.first().and_then(Value::as_str) {
                    self.substitutions(text, &own);
                }
            }
            ("If", Value::Sequence(parts)) => {
                if let Some(condition) = parts.first().and_then(Value::as_str) {
                    self.condition(condition);
                }
            }
            _ => {}
        }
    }

    fn substitutions(&mut self, text: &str, own: &[&str]) {
        for part in text.split("${").skip(1) {
            let Some((name, _)) = part.split_once('}') else { continue };
            if name.starts_with('!') || own.contains(&name) {
                continue;
            }
            match name.split_once('.') {
                Some((resource, _)) => self.resource(resource),
                None => self.name(name),
            }
        }
    }

    /// A parameter or a resource.
    fn name(&mut self, name: &str) {
        let known = name.starts_with("AWS::")
            || self.parts.parameters.contains_key(name)
            || self.parts.resources.contains_key(name);
        if !known {
            let names = self.parts.parameters.keys().chain(self.parts.resources.keys());
            let near = did_you_mean(name, names.map(String::as_str)).map(str::to_owned);
            self.tell(name, near);
        }
    }

    fn resource(&mut self, name: &str) {
        if !self.parts.resources.contains_key(name) {
            let names = self.parts.resources.keys().map(String::as_str);
            let near = did_you_mean(name, names).map(str::to_owned);
            self.tell(name, near);
        }
    }

    fn condition(&mut self, name: &str) {
        if !self.parts.conditions.contains_key(name) {
            let names = self.parts.conditions.keys().map(String::as_str);
            let near = did_you_mean(name, names).map(str::to_owned);
            self.tell(name, near);
        }
    }

    fn tell(&mut self, name: &str, near: Option<String>) {
        let fault = (self.place.clone(), name.to_owned(), near);
        if !self.found.contains(&fault) {
            self.found.push(fault);
        }
    }
}
