//! The scenario with the SDK for Rust: what a careful person would write, without a journal. It is a program to be compared
//! with, run as a whole process by `compare.py`.

use std::io::{Cursor, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use aws::{Aws, CallTimeouts, Connection, Credentials, Endpoint, connect};
use aws_sdk_lambda::client::Waiters as _;
use aws_sdk_lambda::error::DisplayErrorContext;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::FunctionCode;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const POLICY: &str = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
/// A new role is not known everywhere at once.
const PAUSES: [u64; 8] = [50, 100, 200, 400, 800, 1600, 3200, 6400];

type Outcome = Result<(), Box<dyn std::error::Error>>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let failed = match Box::pin(run()).await {
        Ok(()) => return ExitCode::SUCCESS,
        Err(error) => error,
    };
    let _ = writeln!(std::io::stderr(), "{}", DisplayErrorContext(&*failed));
    ExitCode::FAILURE
}

async fn run() -> Outcome {
    let connection = Connection {
        endpoint: Endpoint::Url(std::env::var("AWS_ENDPOINT_URL")?),
        credentials: Credentials::Made,
        profile: None,
        region: Some("us-east-1".to_owned()),
        capture_bodies: false,
        backoff: CallTimeouts::default(),
    };
    let aws = connect(&connection).await?.aws;
    let name = format!("compare-{}", std::process::id());
    let group = format!("/aws/lambda/{name}");
    let used = Box::pin(scenario(&aws, &name, &group)).await;
    aws.lambda().delete_function().function_name(&name).send().await?;
    aws.logs().delete_log_group().log_group_name(&group).send().await?;
    aws.iam().detach_role_policy().role_name(&name).policy_arn(POLICY).send().await?;
    aws.iam().delete_role().role_name(&name).send().await?;
    used
}

async fn scenario(aws: &Aws, name: &str, group: &str) -> Outcome {
    let role = aws.iam().create_role().role_name(name).assume_role_policy_document(TRUST);
    let role = role.send().await?.role.ok_or("no role")?.arn;
    aws.iam().attach_role_policy().role_name(name).policy_arn(POLICY).send().await?;
    aws.logs().create_log_group().log_group_name(group).send().await?;
    Box::pin(create_function(aws, name, &role)).await?;
    let active = aws.lambda().wait_until_function_active_v2().function_name(name);
    active.wait(Duration::from_secs(60)).await?;
    for number in 0..10_i64 {
        let payload = Blob::new(format!(r#"{{"number":{number}}}"#));
        let answer = aws.lambda().invoke().function_name(name).payload(payload).send().await?;
        let answer: serde_json::Value =
            serde_json::from_slice(answer.payload.ok_or("no answer")?.as_ref())?;
        if answer["number"] != number + 1 {
            return Err("the function cannot count".into());
        }
    }
    Ok(())
}

async fn create_function(aws: &Aws, name: &str, role: &str) -> Outcome {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("handler.py", zip::write::SimpleFileOptions::default())?;
    archive.write_all(include_bytes!("handler.py"))?;
    let package = archive.finish()?.into_inner();
    for pause in PAUSES {
        let code = FunctionCode::builder().zip_file(Blob::new(package.clone())).build();
        let request = aws.lambda().create_function().function_name(name).role(role).code(code);
        match request.runtime("python3.13".into()).handler("handler.handler").send().await {
            Ok(_) => return Ok(()),
            Err(error) if format!("{error:?}").contains("cannot be assumed") => {}
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    Err("the role cannot be assumed".into())
}
