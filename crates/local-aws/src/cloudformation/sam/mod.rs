//! `Transform: AWS::Serverless-2016-10-31`: what a SAM template says in short becomes the resources that it stands for.

mod policies;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::error::{invalid, unsupported};
use crate::protocol::AwsError;

const TRANSFORM: &str = "AWS::Serverless-2016-10-31";
const FUNCTION: &str = "AWS::Serverless::Function";
const TABLE: &str = "AWS::Serverless::SimpleTable";

/// What a function has in SAM as it has it in CloudFormation.
const SAME: [&str; 11] = [
    "Architectures",
    "Description",
    "Environment",
    "EphemeralStorage",
    "FunctionName",
    "Handler",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "ReservedConcurrentExecutions",
    "Timeout",
];
/// What `Globals` may say of functions.
const GLOBAL: [&str; 10] = [
    "Architectures",
    "Environment",
    "EphemeralStorage",
    "Handler",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "Runtime",
    "Tags",
    "Timeout",
];

type Members = Map<String, Value>;

/// Whether the template was one of SAM; then its sections are those of the template that it stands for.
pub(super) fn expand(sections: &mut Members) -> Result<bool, AwsError> {
    let wanted = match sections.get("Transform") {
        None | Some(Value::Null) => return Ok(false),
        Some(Value::Array(names)) => names.clone(),
        Some(name) => vec![name.clone()],
    };
    if let Some(other) = wanted.iter().find(|name| **name != TRANSFORM) {
        let other = other.as_str().map_or_else(|| other.to_string(), str::to_owned);
        return Err(unsupported(&format!("the transform {other}")));
    }
    sections.remove("Transform");
    let globals = globals(sections.remove("Globals"))?;
    let Some(Value::Object(resources)) = sections.get_mut("Resources") else {
        return Ok(true);
    };
    for (id, resource) in std::mem::take(resources) {
        match resource.get("Type").and_then(Value::as_str) {
            Some(FUNCTION) => function(resources, &id, resource, &globals)?,
            Some(TABLE) => {
                let table = table(&id, properties_of(&resource))?;
                resources.insert(id, replaced(resource, "AWS::DynamoDB::Table", table));
            }
            Some(other) if other.starts_with("AWS::Serverless::") => {
                return Err(unsupported(&format!("resources of the type {other}")));
            }
            _ => {
                resources.insert(id, resource);
            }
        }
    }
    Ok(true)
}

/// What all functions have.
fn globals(section: Option<Value>) -> Result<Members, AwsError> {
    let mut found = Members::new();
    for (kind, members) in section.as_ref().and_then(Value::as_object).into_iter().flatten() {
        if kind != "Function" {
            return Err(unsupported(&format!("Globals.{kind}")));
        }
        found = members.as_object().cloned().unwrap_or_default();
    }
    match found.keys().find(|name| !GLOBAL.contains(&name.as_str())) {
        Some(other) => Err(unsupported(&format!("Globals.Function.{other}"))),
        None => Ok(found),
    }
}

fn properties_of(resource: &Value) -> Members {
    resource.get("Properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The resource with another type and other properties; what else it says stays.
fn replaced(mut resource: Value, kind: &str, properties: Members) -> Value {
    resource["Type"] = json!(kind);
    resource["Properties"] = Value::Object(properties);
    resource
}

/// Maps are merged, lists joined, and anything else is as the function has it.
fn merged(global: &Value, own: Option<Value>) -> Value {
    match (global, own) {
        (_, None) => global.clone(),
        (Value::Object(global), Some(Value::Object(mut own))) => {
            for (name, value) in global {
                let mine = own.remove(name);
                own.insert(name.clone(), merged(value, mine));
            }
            Value::Object(own)
        }
        (Value::Array(global), Some(Value::Array(own))) => {
            Value::Array(global.iter().cloned().chain(own).collect())
        }
        (_, Some(own)) => own,
    }
}

fn wrong(id: &str, problem: &str) -> AwsError {
    invalid(format!(
        "Transform {TRANSFORM} failed with: Invalid Serverless Application Specification document. Number of errors \
         found: 1. Resource with id [{id}] is invalid. {problem}"
    ))
}

fn function(
    resources: &mut Members,
    id: &str,
    resource: Value,
    globals: &Members,
) -> Result<(), AwsError> {
    let own = Value::Object(properties_of(&resource));
    let Value::Object(mut given) = merged(&Value::Object(globals.clone()), Some(own)) else {
        return Err(wrong(id, "'Properties' should be a map."));
    };
    let mut made = Members::new();
    for name in SAME {
        if let Some(value) = given.remove(name) {
            made.insert(name.to_owned(), value);
        }
    }
    let runtime = given
        .remove("Runtime")
        .ok_or_else(|| wrong(id, "'Runtime' is required when 'PackageType' is 'Zip'."))?;
    made.insert("Runtime".to_owned(), runtime);
    if !made.contains_key("Handler") {
        return Err(wrong(id, "'Handler' is required when 'PackageType' is 'Zip'."));
    }
    made.insert("Code".to_owned(), code(id, &mut given)?);
    if let Some(mode) = given.remove("Tracing") {
        made.insert("TracingConfig".to_owned(), json!({"Mode": mode}));
    }
    let tags = given.remove("Tags");
    made.insert("Tags".to_owned(), tags_with_mark(tags.as_ref()));
    let policies = given.remove("Policies");
    match given.remove("Role") {
        Some(role) => made.insert("Role".to_owned(), role),
        None => {
            let role = format!("{id}Role");
            resources.insert(role.clone(), role_of(id, &resource, policies.as_ref())?);
            made.insert("Role".to_owned(), json!({"Fn::GetAtt": [role, "Arn"]}))
        }
    };
    if let Some(other) = given.keys().next() {
        return Err(unsupported(&format!("{other} of {FUNCTION}")));
    }
    resources.insert(id.to_owned(), replaced(resource, "AWS::Lambda::Function", made));
    Ok(())
}

/// A template that is deployed as it is has no packaging before it: its code is inline or in a bucket.
fn code(id: &str, given: &mut Members) -> Result<Value, AwsError> {
    if let Some(text) = given.remove("InlineCode") {
        return Ok(json!({"ZipFile": text}));
    }
    match given.remove("CodeUri") {
        Some(Value::Object(place)) if place.contains_key("Bucket") => {
            let mut code = Members::new();
            for (name, value) in place {
                let name = if name == "Version" {
                    "S3ObjectVersion".to_owned()
                } else {
                    format!("S3{name}")
                };
                code.insert(name, value);
            }
            Ok(Value::Object(code))
        }
        Some(Value::String(uri)) => {
            let place = uri.strip_prefix("s3://").and_then(|place| place.split_once('/'));
            let (bucket, key) = place.ok_or_else(|| {
                wrong(
                    id,
                    "'CodeUri' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query \
                     parameter.",
                )
            })?;
            Ok(json!({"S3Bucket": bucket, "S3Key": key}))
        }
        _ => Err(wrong(id, "'InlineCode' or 'CodeUri' is required.")),
    }
}

/// SAM's tags are a map; CloudFormation's a list.
fn tags_with_mark(tags: Option<&Value>) -> Value {
    let own = tags.and_then(Value::as_object).into_iter().flatten();
    let tag = |(name, value): (&String, &Value)| json!({"Key": name, "Value": value});
    let mark = json!({"Key": "lambda:createdBy", "Value": "SAM"});
    std::iter::once(mark).chain(own.map(tag)).collect()
}

fn role_of(id: &str, function: &Value, policies: Option<&Value>) -> Result<Value, AwsError> {
    let (managed, inline) = policies::of_function(id, policies)?;
    let mut properties = json!({
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{
                "Action": ["sts:AssumeRole"],
                "Effect": "Allow",
                "Principal": {"Service": ["lambda.amazonaws.com"]},
            }],
        },
        "ManagedPolicyArns": managed,
        "Tags": [{"Key": "lambda:createdBy", "Value": "SAM"}],
    });
    if !inline.is_empty() {
        properties["Policies"] = Value::Array(inline);
    }
    let mut role = json!({"Type": "AWS::IAM::Role", "Properties": properties});
    if let Some(condition) = function.get("Condition") {
        role["Condition"] = condition.clone();
    }
    Ok(role)
}

fn table(id: &str, mut given: Members) -> Result<Members, AwsError> {
    let key = given.remove("PrimaryKey").unwrap_or_else(|| json!({"Name": "id", "Type": "String"}));
    let kind = match key.get("Type").and_then(Value::as_str) {
        Some("String") => "S",
        Some("Number") => "N",
        Some("Binary") => "B",
        _ => return Err(wrong(id, "'Type' of 'PrimaryKey' should be String, Number or Binary.")),
    };
    let name = key.get("Name").cloned().unwrap_or_else(|| json!("id"));
    let mut made = Members::new();
    let mut say = |property: &str, value: Value| made.insert(property.to_owned(), value);
    say("AttributeDefinitions", json!([{"AttributeName": name, "AttributeType": kind}]));
    say("KeySchema", json!([{"AttributeName": name, "KeyType": "HASH"}]));
    match given.remove("ProvisionedThroughput") {
        Some(throughput) => say("ProvisionedThroughput", throughput),
        None => say("BillingMode", json!("PAY_PER_REQUEST")),
    };
    if let Some(name) = given.remove("TableName") {
        say("TableName", name);
    }
    if let Some(Value::Object(tags)) = given.remove("Tags") {
        let tags = tags.iter().map(|(name, value)| json!({"Key": name, "Value": value}));
        say("Tags", tags.collect());
    }
    match given.keys().next() {
        Some(other) => Err(unsupported(&format!("{other} of {TABLE}"))),
        None => Ok(made),
    }
}
