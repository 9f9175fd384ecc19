//! Batches from queues.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::super::Lambda;
use super::mapping::Configuration;
use super::poller::note;
use super::response::failures;
use crate::account::Account;
use crate::ids::uuid;
use crate::sqs::deliver::{self, Arrived, Kind};

/// As many batches as AWS begins with.
const CONCURRENT: usize = 5;
/// What a receive brings at most.
const RECEIVED: usize = 10;
/// A function takes no longer event.
const LARGEST: usize = 6 * 1024 * 1024;
/// For so long nothing else is looked at than whether a message comes.
const WAIT: Duration = Duration::from_hours(1);
/// How long a function that has no room is left alone.
const THROTTLED: Duration = Duration::from_secs(1);

/// Polls until it is dropped.
pub(super) async fn poll(account: &Account, id: &str, configuration: &Arc<Configuration>) {
    let most = configuration.most_concurrent.unwrap_or(CONCURRENT).min(CONCURRENT);
    let slots = Arc::new(Semaphore::new(most));
    let name = deliver::name_of(&configuration.source_arn).to_owned();
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let gathered = match deliver::kind(account, &name) {
            Ok(kind) => gather(account, &name, configuration).await.map(|batch| (kind, batch)),
            Err(error) => Err(error),
        };
        match gathered {
            Ok((_, batch)) if batch.is_empty() => {}
            Ok((kind, batch)) => {
                let work = Batch {
                    account: account.clone(),
                    id: id.to_owned(),
                    name: name.clone(),
                    kind,
                    configuration: Arc::clone(configuration),
                };
                account.spawn(async move {
                    let _slot = slot;
                    work.process(batch).await;
                });
            }
            Err(error) => {
                note(account, id, &format!("PROBLEM: {}", error.message));
                wait_for_queue(account, &name).await;
            }
        }
    }
}

/// Waits until there is a queue of that name.
async fn wait_for_queue(account: &Account, name: &str) {
    let mut changes = account.changes();
    while deliver::kind(account, name).is_err() {
        if changes.next().await.is_none() {
            return;
        }
    }
}

/// A batch: at once what there is, or what comes until it is full or its time is over.
async fn gather(
    account: &Account,
    name: &str,
    configuration: &Configuration,
) -> Result<Vec<Arrived>, crate::protocol::AwsError> {
    let size = configuration.batch_size;
    let mut batch = deliver::arrive(account, name, size.min(RECEIVED), WAIT).await?;
    if batch.is_empty() || configuration.window.is_zero() {
        return Ok(batch);
    }
    let end = account.now() + configuration.window;
    while batch.len() < size {
        let left = end.duration_since(account.now()).unwrap_or_default();
        if left.is_zero() {
            break;
        }
        let wanted = (size - batch.len()).min(RECEIVED);
        batch.extend(deliver::arrive(account, name, wanted, left).await?);
    }
    Ok(batch)
}

/// What processing a batch takes.
struct Batch {
    account: Account,
    id: String,
    name: String,
    kind: Kind,
    configuration: Arc<Configuration>,
}

impl Batch {
    async fn process(&self, batch: Vec<Arrived>) {
        let (wanted, others): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .partition(|arrived| self.configuration.wants(&filterable(&arrived.record)));
        deliver::settle(&self.account, &self.name, others.iter().map(|one| one.handle.as_str()));
        let mut part = Vec::new();
        let mut size = 0;
        for arrived in wanted {
            let length = arrived.record.to_string().len();
            if size + length > LARGEST && !part.is_empty() {
                self.invoke(&std::mem::take(&mut part)).await;
                size = 0;
            }
            size += length;
            part.push(arrived);
        }
        if !part.is_empty() {
            self.invoke(&part).await;
        }
    }

    async fn invoke(&self, batch: &[Arrived]) {
        let records: Vec<&Value> = batch.iter().map(|arrived| &arrived.record).collect();
        let payload = Bytes::from(json!({"Records": records}).to_string());
        let lambda = Lambda::of(&self.account);
        let end = self.account.now() + Duration::from_secs(self.kind.visibility.into());
        let target = &self.configuration.function;
        loop {
            match lambda.invoke_with(target, uuid(), payload.clone()).await {
                Ok(invocation) => return self.settle(batch, &invocation),
                Err(error) if self.account.now() + THROTTLED < end && error.status == 429 => {
                    self.account.clock().sleep(THROTTLED).await;
                }
                // What could not be delivered comes back by itself.
                Err(error) => {
                    return note(&self.account, &self.id, &format!("PROBLEM: {}", error.message));
                }
            }
        }
    }

    fn settle(&self, batch: &[Arrived], invocation: &super::super::invoke::Invocation) {
        let key =
            |arrived: &Arrived| arrived.record["messageId"].as_str().unwrap_or_default().to_owned();
        if invocation.function_error.is_some() {
            return note(&self.account, &self.id, "PROBLEM: Function call failed");
        }
        let failed = if self.configuration.reports_failures {
            let ids: Vec<String> = batch.iter().map(key).collect();
            let known: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
            match failures(&invocation.payload, &known) {
                Some(failed) => failed,
                None => return note(&self.account, &self.id, "PROBLEM: Invalid response"),
            }
        } else {
            BTreeSet::new()
        };
        let done = batch.iter().filter(|arrived| !failed.contains(&key(arrived)));
        deliver::settle(&self.account, &self.name, done.map(|arrived| arrived.handle.as_str()));
        note(&self.account, &self.id, "OK");
    }
}

/// What filters look at: a body that is JSON counts as what it says.
fn filterable(record: &Value) -> Value {
    let mut record = record.clone();
    let body = record["body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
    if let Some(body) = body.filter(|body| body.is_object() || body.is_array()) {
        record["body"] = body;
    }
    record
}
