//! The task of a mapping: it waits until the mapping is enabled, polls, and ends with it.

use std::sync::Arc;
use std::time::Duration;

use super::mapping::{Configuration, SourceKind};
use super::{MAPPING, State, queue, stream};
use crate::account::Account;

/// What a mapping's task does next.
enum Step {
    /// Waits until the mapping is through with something.
    Wait(Duration),
    Poll(Arc<Configuration>),
    /// Nothing, until the mapping changes.
    Rest,
}

/// Starts the task of a mapping.
pub(super) fn start(account: &Account, id: &str) {
    let (at, id) = (account.clone(), id.to_owned());
    // What comes from here on is the mapping's, however long it takes to be enabled.
    let positions = stream::Positions::default();
    if let Some(mapping) = account.state::<State>().mappings.get(&id) {
        stream::begin(account, &mapping.configuration, &positions);
    }
    account.spawn(async move { run(&at, &id, positions).await });
}

async fn run(account: &Account, id: &str, mut positions: stream::Positions) {
    let subscribed =
        account.state::<State>().mappings.get(id).map(|mapping| mapping.changes.subscribe());
    let Some(mut changes) = subscribed else { return };
    while let Some(step) = next(account, id) {
        changes.mark_unchanged();
        let work = async {
            match step {
                Step::Wait(pause) => account.clock().sleep(pause).await,
                Step::Rest => std::future::pending().await,
                Step::Poll(configuration) => match configuration.kind {
                    SourceKind::Queue { .. } => queue::poll(account, id, &configuration).await,
                    SourceKind::Kinesis | SourceKind::Table => {
                        stream::poll(account, id, &configuration, &mut positions).await;
                    }
                },
            }
        };
        tokio::select! {
            () = work => {}
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

fn next(account: &Account, id: &str) -> Option<Step> {
    let now = account.now();
    let mut state = account.state::<State>();
    let mapping = state.mappings.get(id)?;
    if mapping.is_gone(now) {
        state.mappings.remove(id);
        state.outbox.deleted(MAPPING, id);
        return None;
    }
    Some(match mapping.settles.duration_since(now) {
        Ok(left) if !left.is_zero() => Step::Wait(left),
        _ if mapping.is_enabled => Step::Poll(Arc::new(mapping.configuration.clone())),
        _ => Step::Rest,
    })
}

/// Notes what came of the last batch.
pub(super) fn note(account: &Account, id: &str, result: &str) {
    if let Some(mapping) = account.state::<State>().mappings.get_mut(id) {
        result.clone_into(&mut mapping.last_result);
    }
}
