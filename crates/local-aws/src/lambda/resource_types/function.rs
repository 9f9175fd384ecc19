//! `AWS::Lambda::Function`

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::cloudformation::error::{invalid, unsupported};
use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::{text, typed};
use crate::cloudformation::resource_type::{Order, Removal, ResourceType, gone_is_deleted};
use crate::protocol::AwsError;

const SERVICE: &str = "lambda";
const LONGEST_INLINE_CODE: usize = 4 * 1024 * 1024;
/// Where code can be.
const CODE: [&str; 4] = ["S3Bucket", "S3Key", "S3ObjectVersion", "ZipFile"];
const ATTEMPTS: usize = 120;
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(1);
/// What is handed on as it is.
const PLAIN: [&str; 13] = [
    "Architectures",
    "DeadLetterConfig",
    "Description",
    "EphemeralStorage",
    "Handler",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "PackageType",
    "Role",
    "Runtime",
    "Timeout",
    "TracingConfig",
];

pub(crate) const TYPE: ResourceType = ResourceType {
    name: "AWS::Lambda::Function",
    service: "Lambda",
    attributes: &["Arn"],
    properties: &[
        "Architectures",
        "Code",
        "DeadLetterConfig",
        "Description",
        "Environment",
        "EphemeralStorage",
        "FunctionName",
        "Handler",
        "Layers",
        "LoggingConfig",
        "MemorySize",
        "PackageType",
        "ReservedConcurrentExecutions",
        "Role",
        "Runtime",
        "Tags",
        "Timeout",
        "TracingConfig",
    ],
    required: &["Code", "Role"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let name = order.name_or_generated("FunctionName", 64);
    let runtime = order.text("Runtime").unwrap_or_default();
    let mut input = typed(order.pick(&PLAIN), &["MemorySize", "Size", "Timeout"], &[]);
    input["FunctionName"] = json!(name);
    input["Code"] = code(order.properties.get("Code"), &runtime)?;
    input["Tags"] = json!(order.all_tags());
    if let Some(environment) = order.properties.get("Environment") {
        input["Environment"] = variables(environment);
    }
    let created = create_once_assumable(order, &input).await?;
    if let Err(error) = settle(order, &name).await {
        gone_is_deleted(order.client.rest(SERVICE, Method::DELETE, &path(&name), None).await)?;
        return Err(error);
    }
    let arn = created["FunctionArn"].clone();
    Ok(CreatedResource { physical_id: name, attributes: BTreeMap::from([("Arn".to_owned(), arn)]) })
}

fn path(name: &str) -> [&str; 3] {
    ["2015-03-31", "functions", name]
}

/// A role that the stack has just created cannot be assumed yet.
async fn create_once_assumable(order: &Order<'_>, input: &Value) -> Result<Value, AwsError> {
    let functions = &path("")[..2];
    let mut refusal = invalid("The function was not created.");
    let mut poller = order.client.account.poller(ATTEMPTS, BETWEEN_ATTEMPTS);
    while poller.again().await {
        match order.client.rest(SERVICE, Method::POST, functions, Some(input)).await {
            Err(error) if error.message.contains("cannot be assumed by Lambda") => refusal = error,
            other => return other,
        }
    }
    Err(refusal)
}

async fn settle(order: &Order<'_>, name: &str) -> Result<(), AwsError> {
    let mut poller = order.client.account.poller(ATTEMPTS, BETWEEN_ATTEMPTS);
    while poller.again().await {
        let found = order.client.rest(SERVICE, Method::GET, &path(name), None).await?;
        if found["Configuration"]["State"] == "Active" {
            return reserve(order, name).await;
        }
    }
    Err(invalid(format!("Function {name} did not stabilize")))
}

async fn reserve(order: &Order<'_>, name: &str) -> Result<(), AwsError> {
    let property = "ReservedConcurrentExecutions";
    let input = order.pick(&[property]);
    if input.is_empty() {
        return Ok(());
    }
    let path = ["2017-10-31", "functions", name, "concurrency"];
    let input = typed(input, &[property], &[]);
    order.client.rest(SERVICE, Method::PUT, &path, Some(&input)).await.map(|_| ())
}

fn variables(environment: &Value) -> Value {
    let variables = environment.get("Variables").and_then(Value::as_object);
    let variables: BTreeMap<&String, Option<String>> =
        variables.into_iter().flatten().map(|(name, value)| (name, text(value))).collect();
    json!({"Variables": variables})
}

/// Code in a bucket is Lambda's to fetch. Inline code becomes a package with one file, which is called what the runtime's
/// handlers look for.
fn code(code: Option<&Value>, runtime: &str) -> Result<Value, AwsError> {
    let members = code.and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(other) = members.keys().find(|name| !CODE.contains(&name.as_str())) {
        return Err(unsupported(&format!(
            "Code.{other}. Give the code as ZipFile, or as S3Bucket and S3Key"
        )));
    }
    if members.keys().any(|name| name != "ZipFile") {
        let texts = members.iter().map(|(name, value)| (name.clone(), json!(text(value))));
        return Ok(Value::Object(texts.collect()));
    }
    let source = members.get("ZipFile").and_then(text).unwrap_or_default();
    if source.is_empty() {
        return Err(invalid("Please provide a source for function code."));
    }
    if source.len() > LONGEST_INLINE_CODE {
        return Err(invalid("Please provide a ZipFile of at most 4194304 bytes."));
    }
    let file = if runtime.starts_with("python") {
        "index.py"
    } else if runtime.starts_with("nodejs") {
        "index.js"
    } else {
        return Err(invalid(format!(
            "ZipFile can only be used when Runtime is set to a Node.js or Python version, not {runtime}."
        )));
    };
    let package = package(file, &source).map_err(|error| {
        AwsError::new(500, "ServiceException", format!("The code could not be zipped: {error}"))
    })?;
    Ok(json!({"ZipFile": STANDARD.encode(package)}))
}

fn package(file: &str, source: &str) -> zip::result::ZipResult<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(file, SimpleFileOptions::default().unix_permissions(0o644))?;
    writer.write_all(source.as_bytes())?;
    Ok(writer.finish()?.into_inner())
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    gone_is_deleted(
        removal.client.rest(SERVICE, Method::DELETE, &path(removal.physical_id), None).await,
    )
}
