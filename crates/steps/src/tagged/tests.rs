use std::collections::BTreeMap;

use super::*;

fn tagged(arn: &str) -> Tagged {
    let tags = BTreeMap::from([(RunFacts::TAG_KEY.to_owned(), "k3x9".to_owned())]);
    Tagged::of(arn, &tags).expect("it bears the tag")
}

#[test]
fn what_has_no_run_is_nobodys() {
    let other = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
    assert_eq!(Tagged::of("arn:aws:sqs:eu-west-1:1:q", &other), None);
    let mut kept = BTreeMap::from([(RunFacts::TAG_KEY.to_owned(), "k3x9".to_owned())]);
    kept.insert(RunFacts::KEEP_KEY.to_owned(), "true".to_owned());
    assert!(Tagged::of("arn:aws:sqs:eu-west-1:1:q", &kept).expect("a run's").kept);
}

#[test]
fn a_type_that_is_not_known_is_told_by_its_arn() {
    let one = tagged("arn:aws:qldb:eu-west-1:1:ledger/l");
    assert_eq!((one.kind.as_str(), one.name.as_str()), ("qldb:ledger", "ledger/l"));
    assert!(!one.is_known());
}

#[test]
fn a_function_goes_before_its_role_and_its_own_log_group() {
    let function = tagged("arn:aws:lambda:eu-west-1:1:function:f");
    let holds = |arn: &str| may_hold(&function, &tagged(arn));
    assert!(holds("arn:aws:iam::1:role/r"));
    assert!(holds("arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/f"));
    assert!(!holds("arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/other"));
    assert!(!holds("arn:aws:sqs:eu-west-1:1:q"));
}
