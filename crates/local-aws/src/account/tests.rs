//! Accounts and regions, without a listener.

use std::time::Duration;

use super::feed::ChangeEvent;
use super::*;
use crate::{SERVICES, iam, logs};

fn open() -> Account {
    let options = AccountOptions {
        account_id: "111111111111".to_owned(),
        region: "eu-west-1".to_owned(),
        latency: LatencyProfile::None,
        ..AccountOptions::default()
    };
    Account::open(options, SERVICES.to_vec())
}

#[test]
fn a_snapshot_shows_what_has_come() {
    let account = open();
    let empty = account.snapshot();
    assert_eq!(empty, account.snapshot());
    assert_eq!(empty["logs"], json!({}));
    account.state::<logs::State>().ensure_stream("g", "s", account.now());
    assert_ne!(empty, account.snapshot());
    assert_eq!(empty, open().snapshot());
}

#[test]
fn regions_and_accounts_are_apart_as_services_say() {
    let here = open();
    let elsewhere = here.at("111111111111", "us-east-1");
    let other = here.at("222222222222", "eu-west-1");
    here.state::<logs::State>().ensure_stream("g", "s", here.now());
    let groups = |account: &Account| account.snapshot()["logs"].clone();
    assert_eq!(groups(&elsewhere), json!({}));
    assert_eq!(groups(&other), json!({}));
    assert_eq!(groups(&here.at("111111111111", "eu-west-1")), groups(&here));
    let role = iam::CreateRole {
        name: "r".to_owned(),
        trust: r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}"#
            .to_owned(),
        ..iam::CreateRole::default()
    };
    let context = iam::Context { account_id: here.id.clone(), now: here.now() };
    here.state::<iam::State>().create_role(role, &context).expect("a role");
    assert_eq!(elsewhere.snapshot()["iam"], here.snapshot()["iam"]);
    assert_ne!(other.snapshot()["iam"], here.snapshot()["iam"]);
    assert_eq!(here.everywhere().len(), 3);
}

#[test]
fn changes_are_told_in_order_to_whoever_listens() {
    let account = open();
    account.state::<logs::State>().ensure_stream("before", "s", account.now());
    let mut changes = account.changes();
    let now = account.now();
    let line = (now, "text".to_owned());
    account.state::<logs::State>().append("g", "s", [line], now);
    let first = changes.try_next().expect("a change");
    assert_eq!((first.service, first.region.as_str()), ("logs", "eu-west-1"));
    assert!(matches!(&first.event, ChangeEvent::ResourceCreated(group) if group.name == "g"));
    let second = changes.try_next().expect("another");
    assert!(matches!(&second.event, ChangeEvent::LogWritten { lines, .. } if lines[0].1 == "text"));
    assert!(changes.try_next().is_none());
}

#[tokio::test]
async fn background_tasks_end_with_the_account() {
    let account = open();
    let ended = account.spawn(async { 7 }).await;
    assert_eq!(ended, Ok(7));
    let endless = account.spawn(std::future::pending::<()>());
    account.shutdown().await;
    assert!(endless.await.is_err());
}

#[tokio::test]
async fn so_many_looks_are_taken_and_no_more() {
    let account = open();
    let mut poller = account.poller(3, Duration::from_secs(1));
    let mut looks = 0;
    while poller.again().await {
        looks += 1;
    }
    assert_eq!(looks, 3);
    assert!(!account.poller(0, Duration::ZERO).again().await);
}

#[test]
fn nothing_keeps_an_account_alive_that_nobody_holds() {
    let account = open();
    let weak = account.downgrade();
    assert!(weak.upgrade().is_some());
    drop(account);
    assert!(weak.upgrade().is_none());
}
