//! A shape of AWS's model as JSON Schema: what a playbook writes of it is held against that, as the input of any kind.

use serde_json::{Map, Value, json};

use engine::aws::model::{Found, Kind, Member, Service, Shape, ShapeId};

/// The schema of an operation's input.
pub(super) fn input(found: &Found) -> Value {
    root(found, found.operation.input.as_ref(), true)
}

/// The schema of an operation's output.
pub(super) fn output(found: &Found) -> Value {
    root(found, found.operation.output.as_ref(), false)
}

fn root(found: &Found, member: Option<&Member>, is_input: bool) -> Value {
    let names = if is_input { names_of(found) } else { Vec::new() };
    let mut writer = Writer { service: found.service, is_input, defs: Map::new(), names };
    let Some(shape) = member.map(|member| member.shape) else {
        return json!({"type": "object", "properties": {}, "additionalProperties": false});
    };
    let mut schema = writer.structure(shape, true);
    if let (Value::Object(schema), false) = (&mut schema, writer.defs.is_empty()) {
        schema.insert("$defs".to_owned(), Value::Object(writer.defs));
    }
    schema
}

/// The members of an input that name what the operation makes.
fn names_of(found: &Found) -> Vec<&'static str> {
    let Some(noun) = found.operation.name.strip_prefix("Create") else { return Vec::new() };
    let noun = noun.to_ascii_lowercase();
    let names = |member: &&Member| {
        let name = member.name.to_ascii_lowercase();
        let rest = name.strip_prefix(&noun).unwrap_or(&name);
        name == noun && member.required || matches!(rest, "name" | "identifier")
    };
    let members = found.service.input_of(found.operation).iter().filter(names);
    members.map(|member| member.name).collect()
}

/// Whether what a member holds is looked for wherever it may show up. What only identifies something is masked in calls alone.
pub(super) fn is_secret(member: &Member) -> bool {
    let identifies =
        ["Id", "Arn", "ARN", "Name", "name"].iter().any(|end| member.name.ends_with(end));
    member.traits.sensitive && !identifies
}

struct Writer<'s> {
    service: &'s Service,
    is_input: bool,
    defs: Map<String, Value>,
    /// The members of the root that name what is made.
    names: Vec<&'static str>,
}

impl Writer<'_> {
    fn member(&mut self, member: &Member) -> Value {
        let mut schema = if member.traits.json_value {
            json!({})
        } else {
            self.shape(self.service.shape_of(member), member.shape)
        };
        if let Value::Object(map) = &mut schema
            && is_secret(member)
        {
            map.insert("x-secret".to_owned(), Value::Bool(true));
        }
        schema
    }

    fn shape(&mut self, shape: &Shape, id: ShapeId) -> Value {
        match &shape.kind {
            Kind::Structure(structure) if structure.document => json!({}),
            Kind::Structure(_) => {
                if !self.defs.contains_key(shape.name) {
                    self.defs.insert(shape.name.to_owned(), Value::Bool(true));
                    let schema = self.structure(id, false);
                    self.defs.insert(shape.name.to_owned(), schema);
                }
                json!({"$ref": format!("#/$defs/{}", shape.name)})
            }
            Kind::List(of) => {
                let mut schema = json!({"type": "array", "items": self.member(of)});
                self.bounds(shape, &mut schema, ("minItems", "maxItems"));
                schema
            }
            Kind::Map(parts) => self.map(shape, &parts.0, &parts.1),
            Kind::String => self.text(shape),
            Kind::Integer => self.number(shape, json!({"type": "integer", "format": "int32"})),
            Kind::Long => self.number(shape, json!({"type": "integer"})),
            Kind::Float | Kind::Double => self.number(shape, json!({"type": "number"})),
            Kind::Boolean => json!({"type": "boolean"}),
            Kind::Blob if self.is_input => self.blob(),
            Kind::Blob => json!({"type": "string"}),
            Kind::Timestamp if self.is_input => json!({"type": ["string", "number"]}),
            Kind::Timestamp => json!({"type": "string"}),
        }
    }

    fn structure(&mut self, id: ShapeId, is_root: bool) -> Value {
        let shape = self.service.shape(id);
        let Kind::Structure(structure) = &shape.kind else { return Value::Bool(true) };
        let mut properties = Map::new();
        for member in &structure.members {
            let mut schema = self.member(member);
            if let Value::Object(map) = &mut schema
                && is_root
                && self.names.contains(&member.name)
            {
                map.insert("x-name".to_owned(), Value::Bool(true));
            }
            properties.insert(member.name.to_owned(), schema);
        }
        let mut schema =
            json!({"type": "object", "properties": properties, "additionalProperties": false});
        if !self.is_input {
            return schema;
        }
        // A token that makes a repeated call harmless is filled in.
        let required =
            structure.members.iter().filter(|it| it.required && !it.traits.idempotency_token);
        let required: Vec<&str> = required.map(|member| member.name).collect();
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        if structure.union {
            schema["minProperties"] = json!(1);
            schema["maxProperties"] = json!(1);
        }
        schema
    }

    fn map(&mut self, shape: &Shape, key: &Member, value: &Member) -> Value {
        let inner = self.member(value);
        let keys = &self.service.shape_of(key).enumeration;
        let mut schema = if self.is_input && !keys.is_empty() {
            let known = keys.iter().map(|key| ((*key).to_owned(), inner.clone()));
            let known: Map<String, Value> = known.collect();
            json!({"type": "object", "properties": known, "additionalProperties": false})
        } else {
            json!({"type": "object", "additionalProperties": inner})
        };
        self.bounds(shape, &mut schema, ("minProperties", "maxProperties"));
        schema
    }

    fn text(&self, shape: &Shape) -> Value {
        let mut schema = json!({"type": "string"});
        if !self.is_input {
            return schema;
        }
        if !shape.enumeration.is_empty() {
            schema["enum"] = json!(shape.enumeration);
            return schema;
        }
        self.bounds(shape, &mut schema, ("minLength", "maxLength"));
        if let Some(pattern) = shape.pattern {
            // Most services match the whole text; one that only names a character or a beginning is looked for anywhere.
            let anchored = pattern.starts_with('^') || pattern.ends_with('$');
            let whole = !anchored && pattern.contains(['+', '*', '{']);
            schema["pattern"] =
                if whole { json!(format!("^(?:{pattern})$")) } else { json!(pattern) };
        }
        schema
    }

    fn number(&self, shape: &Shape, mut schema: Value) -> Value {
        self.bounds(shape, &mut schema, ("minimum", "maximum"));
        schema
    }

    fn bounds(&self, shape: &Shape, schema: &mut Value, (least, most): (&str, &str)) {
        if !self.is_input {
            return;
        }
        // That there may be none is no bound.
        let is_count = !least.starts_with("minimum");
        if let Some(min) = shape.min.as_ref().filter(|min| !(is_count && min.as_u64() == Some(0))) {
            schema[least] = Value::Number(min.clone());
        }
        if let Some(max) = &shape.max {
            schema[most] = Value::Number(max.clone());
        }
    }

    /// Bytes: text as it is, a file, base64, or data as JSON.
    fn blob(&self) -> Value {
        json!({"anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {
                    "file": {"type": "string", "x-file": true, "x-no-directory": true},
                    "base64": {"type": "string"},
                    "json": {}
                },
                "additionalProperties": false,
                "minProperties": 1,
                "maxProperties": 1
            }
        ]})
    }
}
