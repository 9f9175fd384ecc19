//! A value as it is written against the JSON Schema of what is expected, in YAML's words.

mod scalar;

use std::path::Path;

use serde_json::{Map, Value};

use super::declared::STEP_KEYS;
use super::expected::wrong_type;
use super::fields::{is_templated, quoted, type_of, without_unit};
use super::files::{FileKind, Files, locate};
use super::path_checks::PathChecks;
use super::scope::{Rendered, Scope, as_written};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::document::{Entry, Node, NodeKind};
use crate::spec::{DURATION, FILE, NO_DIRECTORY};
use crate::template::{Template, TemplateKind};
use crate::types::{Types, resolve};

use scalar::{choice, constant, not_a_choice, number, scalar_text, wrong_count, wrong_rendering};

/// Schemas that refer to themselves without end are not followed further than this.
const DEPTH: usize = 32;

/// No more items of a list that is named are looked at: it may be named again and again.
const MOST_ITEMS: usize = 100;

/// Where more fields are missing than these, their page explains them.
const MOST_EXPLAINED: usize = 2;

/// What a value is checked against.
pub(super) struct Check<'c> {
    /// The whole schema, which has the definitions.
    pub(super) root: &'c Value,
    pub(super) scope: &'c Scope,
    pub(super) files: &'c dyn Files,
    /// The keys that stand beside the kind, where its fields may have been written.
    pub(super) beside: Vec<&'c str>,
    /// What paths are relative to.
    pub(super) directory: &'c Path,
    /// What paths must lie under.
    pub(super) top: &'c Path,
}

/// A value as it is written, and as it was compiled, where it could be.
type Written<'n> = (&'n Node, Option<&'n Template>);

/// One of the things that a schema allows.
struct Variant<'s> {
    types: Types,
    schema: &'s Value,
    /// Whether keys are allowed that are not named.
    open: bool,
}

/// What is being checked: its name for messages, and where to point when something is missing in it.
#[derive(Clone)]
struct Place {
    name: String,
    owner: Span,
}

impl Place {
    fn inside(&self, key: &str, owner: Span, kind: &str) -> Self {
        let name = if self.name == kind { key.to_owned() } else { format!("{}.{key}", self.name) };
        Self { name, owner }
    }
}

impl Check<'_> {
    /// Everything that is wrong with the input of a step.
    pub(super) fn input(
        &self,
        kind: &str,
        key: Span,
        node: &Node,
        template: Option<&Template>,
    ) -> Vec<Diagnostic> {
        let place = Place { name: kind.to_owned(), owner: key };
        let mut faults = self.value((node, template), self.root, &place, kind);
        for fault in &mut faults {
            if fault.help.is_none() {
                fault.help = Some(format!("`playbook steps {kind}` explains its fields"));
            }
        }
        faults
    }

    fn value(
        &self,
        (node, template): Written<'_>,
        schema: &Value,
        place: &Place,
        kind: &str,
    ) -> Vec<Diagnostic> {
        let mut variants = Vec::new();
        self.variants(schema, false, DEPTH, &mut variants);
        let expected = variants.iter().fold(Types::NONE, |types, variant| types.or(variant.types));
        if holds_template(node) {
            let rendered = match template {
                Some(template) => self.scope.rendered(template, node),
                // Something else in the step does not compile; this may.
                None => Template::compile(node).ok().and_then(|it| self.scope.rendered(&it, node)),
            };
            return rendered
                .and_then(|rendered| {
                    wrong_rendering(node, &rendered, expected, place)
                        .or_else(|| self.wrong_items(node, &rendered, &variants, place))
                })
                .into_iter()
                .collect();
        }
        let given = type_of(node);
        let duration =
            |variant: &Variant<'_>| variant.schema.get(DURATION) == Some(&Value::Bool(true));
        let number = match &node.kind {
            NodeKind::Integer(number) => Some(number.to_string()),
            NodeKind::Float(number) => Some(number.to_string()),
            _ => None,
        };
        if let Some(number) = number.filter(|_| variants.iter().any(duration)) {
            return vec![without_unit(&place.name, &number, node.span)];
        }
        let fits = |variant: &Variant<'_>| {
            variant.types.has(given)
                || (given == Types::INTEGER && variant.types.has(Types::NUMBER))
        };
        variants.retain(fits);
        if variants.is_empty() {
            let expected = expected.without(Types::NULL).words();
            return vec![wrong_type(&place.name, &expected, node)];
        }
        if let Some(fault) = choice(node, &variants, place) {
            return vec![fault];
        }
        if let Err(fault) = narrow(node, &mut variants, place, kind) {
            return vec![fault];
        }
        let mut best: Option<Vec<Diagnostic>> = None;
        for variant in &variants {
            let faults = self.variant((node, template), variant, place, kind);
            if faults.is_empty() {
                return faults;
            }
            if best.as_ref().is_none_or(|best| faults.len() < best.len()) {
                best = Some(faults);
            }
        }
        best.unwrap_or_default()
    }

    /// All that a schema allows, its references and alternatives followed.
    fn variants<'s>(
        &'s self,
        schema: &'s Value,
        open: bool,
        depth: usize,
        found: &mut Vec<Variant<'s>>,
    ) {
        let Some(map) = schema.as_object() else {
            if schema != &Value::Bool(false) {
                found.push(Variant { types: Types::ANY, schema, open: true });
            }
            return;
        };
        let target = map.get("$ref").and_then(Value::as_str);
        let next = target.and_then(|target| resolve(self.root, target));
        let either = map.get("anyOf").or_else(|| map.get("oneOf")).and_then(Value::as_array);
        match (depth.checked_sub(1), next, either) {
            (Some(depth), Some(next), _) => self.variants(next, open, depth, found),
            (Some(depth), None, Some(variants)) => {
                let also = map.contains_key("properties");
                for variant in variants {
                    self.variants(variant, open || also, depth, found);
                }
                if also {
                    found.push(Variant { types: Types::OBJECT, schema, open: true });
                }
            }
            _ => {
                let types = Types::of_schema(self.root, schema);
                let open = open || map.contains_key("allOf");
                found.push(Variant { types, schema, open });
            }
        }
    }

    /// A list that is named, whose items are known and do not fit.
    fn wrong_items(
        &self,
        node: &Node,
        rendered: &Rendered,
        variants: &[Variant<'_>],
        place: &Place,
    ) -> Option<Diagnostic> {
        let [only] = variants else { return None };
        let expected = Types::of_schema(self.root, only.schema.get("items")?);
        let (index, item) = rendered
            .shape
            .items()?
            .iter()
            .take(MOST_ITEMS)
            .enumerate()
            .find(|(_, item)| !item.types().may_be(expected))?;
        let (expected, given) = (expected.words(), item.types().words());
        let message = format!(
            "`{}[{index}]` must be {expected}, `{}[{index}]` is {given}",
            place.name,
            as_written(&rendered.path)
        );
        Some(
            Diagnostic::new(Code::WrongType, message)
                .at(node.span)
                .label(format!("one of its items is {given}"))
                .help(format!("name a list in which each item is {expected}")),
        )
    }

    fn variant(
        &self,
        (node, template): Written<'_>,
        variant: &Variant<'_>,
        place: &Place,
        kind: &str,
    ) -> Vec<Diagnostic> {
        match &node.kind {
            NodeKind::Mapping(entries) => {
                let mut faults = self.object((entries, template), variant, place, kind);
                faults.extend(wrong_count(node.span, entries.len(), variant.schema, place));
                faults
            }
            NodeKind::Sequence(items) => self.array((node, template), items, variant, place, kind),
            NodeKind::String(text) => {
                let mut faults = scalar_text(node, &text.value, variant.schema, place);
                let marked = |mark| variant.schema.get(mark) == Some(&Value::Bool(true));
                if marked(FILE) {
                    faults.extend(self.paths(node, marked(NO_DIRECTORY)));
                }
                faults
            }
            NodeKind::Integer(_) | NodeKind::Float(_) => number(node, variant.schema, place),
            NodeKind::Bool(_) => constant(node, variant.schema, place).into_iter().collect(),
            NodeKind::Null => Vec::new(),
        }
    }

    fn array(
        &self,
        (node, template): Written<'_>,
        items: &[Node],
        variant: &Variant<'_>,
        place: &Place,
        kind: &str,
    ) -> Vec<Diagnostic> {
        let mut faults: Vec<Diagnostic> =
            wrong_count(node.span, items.len(), variant.schema, place).into_iter().collect();
        let prefix = variant.schema.get("prefixItems").and_then(Value::as_array);
        for (index, item) in items.iter().enumerate() {
            let schema = prefix
                .and_then(|prefix| prefix.get(index))
                .or_else(|| variant.schema.get("items"))
                .unwrap_or(&Value::Bool(true));
            let place = Place { name: format!("{}[{index}]", place.name), owner: item.span };
            let template = template.and_then(|template| match template.kind() {
                TemplateKind::Sequence(items) => items.get(index),
                _ => None,
            });
            faults.extend(self.value((item, template), schema, &place, kind));
        }
        faults
    }

    fn object(
        &self,
        (entries, template): (&[Entry], Option<&Template>),
        variant: &Variant<'_>,
        place: &Place,
        kind: &str,
    ) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        let mut meant = Vec::new();
        let properties = variant.schema.get("properties").and_then(Value::as_object);
        let further = variant.schema.get("additionalProperties");
        for (index, entry) in entries.iter().enumerate() {
            let template = template.and_then(|template| match template.kind() {
                TemplateKind::Mapping(entries) => entries.get(index).map(|entry| &entry.value),
                _ => None,
            });
            let value = (&entry.value, template);
            let key = entry.key.name.as_str();
            let inside = place.inside(key, entry.key.span, kind);
            if let Some(schema) = properties.and_then(|properties| properties.get(key)) {
                faults.extend(self.value(value, schema, &inside, kind));
                continue;
            }
            match further {
                Some(Value::Bool(false)) | None
                    if !variant.open && (properties.is_some() || further.is_some()) =>
                {
                    let known = properties.into_iter().flat_map(Map::keys).map(String::as_str);
                    let near = self.scope.guess(key, known.clone());
                    meant.extend(near);
                    faults.push(
                        if near.is_none() && place.name == kind && STEP_KEYS.contains(&key) {
                            belongs_outside(entry, kind)
                        } else {
                            unknown_field(entry, place, near, known)
                        },
                    );
                }
                Some(schema) => faults.extend(self.value(value, schema, &inside, kind)),
                None => {}
            }
        }
        let required = variant.schema.get("required").and_then(Value::as_array);
        let missing: Vec<&str> = required
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter(|field| {
                let beside = place.name == kind && self.beside.contains(field);
                let given = entries.iter().any(|entry| entry.key.name == *field);
                !(beside || given || meant.contains(field))
            })
            .collect();
        // One field that there is, and one that there is not: the one was meant.
        let misnamed = place.name == kind
            && properties.is_some_and(|known| known.len() == 1)
            && !entries.is_empty();
        if !missing.is_empty() && !misnamed {
            faults.push(missing_fields(&missing, properties, place, kind));
        }
        faults
    }

    /// Checks a path that is written out, or each of a list.
    fn paths(&self, node: &Node, no_directory: bool) -> Vec<Diagnostic> {
        let text = match &node.kind {
            NodeKind::Sequence(items) => {
                return items.iter().flat_map(|item| self.paths(item, no_directory)).collect();
            }
            NodeKind::String(text) if !is_templated(&text.value) => &text.value,
            _ => return Vec::new(),
        };
        let located = locate(self.files, self.directory, self.top, text);
        if let Ok(path) = &located
            && no_directory
            && self.files.kind(path) == Some(FileKind::Directory)
        {
            return vec![
                Diagnostic::new(Code::MissingFile, format!("`{text}` is a directory"))
                    .at(node.span)
                    .label("leads to no file")
                    .help("name a file in it"),
            ];
        }
        let places = PathChecks {
            files: self.files,
            directory: self.directory,
            top: self.top,
            library: None,
        };
        let fault = |why| places.fault(why, node.span, text, self.scope);
        located.err().map(fault).into_iter().collect()
    }
}

fn holds_template(node: &Node) -> bool {
    node.as_str().is_some_and(is_templated)
}

/// Keeps the variants that the value's tag chooses.
fn narrow(
    node: &Node,
    variants: &mut Vec<Variant<'_>>,
    place: &Place,
    kind: &str,
) -> Result<(), Diagnostic> {
    let Some(tag) = tag(variants) else { return Ok(()) };
    let value = node.get(tag).filter(|value| !holds_template(value));
    let Some((value, text)) = value.and_then(|value| Some((value, value.as_str()?))) else {
        return Ok(());
    };
    if variants.iter().any(|variant| tag_of(variant, tag) == Some(text)) {
        variants.retain(|variant| tag_of(variant, tag) == Some(text));
        return Ok(());
    }
    let options: Vec<&str> = variants.iter().filter_map(|variant| tag_of(variant, tag)).collect();
    Err(not_a_choice(value, text, &options, &place.inside(tag, value.span, kind)))
}

/// The field by which variants are told from one another.
fn tag<'s>(variants: &[Variant<'s>]) -> Option<&'s str> {
    let (first, others) = variants.split_first()?;
    let properties = first.schema.get("properties")?.as_object()?;
    properties.keys().map(String::as_str).find(|tag| {
        !others.is_empty() && variants.iter().all(|variant| tag_of(variant, tag).is_some())
    })
}

/// The only text that a variant allows for a field.
fn tag_of<'s>(variant: &Variant<'s>, tag: &str) -> Option<&'s str> {
    variant.schema.get("properties")?.get(tag)?.get("const")?.as_str()
}

/// A key of the step that is indented too far.
fn belongs_outside(entry: &Entry, kind: &str) -> Diagnostic {
    let key = &entry.key.name;
    Diagnostic::new(Code::MisplacedKey, format!("`{key}` belongs beside `{kind}`, not in it"))
        .at(entry.key.span)
        .label("a key of the step")
        .help(format!("indent it as far as `{kind}`"))
}

fn unknown_field<'s>(
    entry: &Entry,
    place: &Place,
    near: Option<&str>,
    known: impl Iterator<Item = &'s str>,
) -> Diagnostic {
    let known = quoted(known);
    let fault = Diagnostic::new(
        Code::UnknownKey,
        format!("`{}` has no field `{}`", place.name, entry.key.name),
    )
    .at(entry.key.span)
    .label("unknown field");
    match near {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => fault.help("leave it out: it has no fields"),
        None if !known.contains(", ") => fault.help(format!("its only field is {known}")),
        None => fault.help(format!("its fields are {known}")),
    }
}

fn missing_fields(
    missing: &[&str],
    properties: Option<&Map<String, Value>>,
    place: &Place,
    kind: &str,
) -> Diagnostic {
    let fields = quoted(missing.iter().copied());
    let fields = match fields.rsplit_once(", ") {
        Some((first, last)) => format!("{first} and {last}"),
        None => fields,
    };
    let verb = if missing.len() == 1 { "is" } else { "are" };
    let lines: Vec<String> = missing
        .iter()
        .map(|field| {
            let schema = properties.and_then(|properties| properties.get(*field));
            let text = schema.and_then(|schema| schema.get("description")).and_then(Value::as_str);
            match text.and_then(|text| text.lines().next()) {
                Some(text) => format!("`{field}`: {}", text.trim_end_matches('.')),
                None => format!("`{field}`"),
            }
        })
        .collect();
    Diagnostic::new(Code::MissingField, format!("`{}` needs {fields}", place.name))
        .at(place.owner)
        .label(format!("{fields} {verb} missing"))
        .help(if missing.len() > MOST_EXPLAINED {
            format!("add {fields}; `playbook steps {kind}` explains them")
        } else {
            format!("add {}", lines.join("; "))
        })
}
