//! Somebody else in the account, who has a stack that the playbook is told to use.

use std::io;
use std::time::{Duration, Instant};

use aws_sdk_cloudformation::operation::create_stack::CreateStackOutput;
use aws_sdk_cloudformation::operation::describe_stacks::DescribeStacksOutput;
use aws_sdk_cloudformation::types::{Capability, StackStatus};

use super::ChaosError;
use aws::{Aws, CallError, CallTimeouts, Connection, Credentials, Endpoint, connect};

/// How long a stack may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A stack that is there before the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// The text of its template.
    pub template: String,
}

/// Makes the stacks, as somebody whose requests do not count.
pub(super) async fn deploy(
    stacks: &[Stack],
    endpoint: &str,
    region: &str,
) -> Result<(), ChaosError> {
    if stacks.is_empty() {
        return Ok(());
    }
    let connection = Connection {
        endpoint: Endpoint::Url(endpoint.to_owned()),
        credentials: Credentials::Made,
        profile: None,
        region: Some(region.to_owned()),
        capture_bodies: false,
        backoff: CallTimeouts::default(),
    };
    let aws = connect(&connection).await.map_err(io::Error::other)?.aws;
    for stack in stacks {
        create(&aws, stack)
            .await
            .map_err(|reason| ChaosError::Stack { name: stack.name.clone(), reason })?;
    }
    Ok(())
}

async fn create(aws: &Aws, stack: &Stack) -> Result<(), String> {
    let words = |error: CallError| error.to_string();
    let request = aws
        .cloudformation()
        .create_stack()
        .stack_name(&stack.name)
        .template_body(&stack.template)
        .capabilities(Capability::CapabilityNamedIam);
    aws.call(request.send(), || Ok(CreateStackOutput::builder().build())).await.map_err(words)?;
    let started = Instant::now();
    loop {
        let request = aws.cloudformation().describe_stacks().stack_name(&stack.name);
        let described = aws
            .call(request.send(), || Ok(DescribeStacksOutput::builder().build()))
            .await
            .map_err(words)?;
        let found = described.stacks.unwrap_or_default().into_iter().next();
        match found.and_then(|stack| stack.stack_status) {
            Some(StackStatus::CreateComplete) => return Ok(()),
            Some(StackStatus::CreateInProgress) if started.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            status => {
                let status = status.map_or_else(|| "is gone".to_owned(), |it| format!("is {it}"));
                return Err(format!("it {status}"));
            }
        }
    }
}
