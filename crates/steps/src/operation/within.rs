//! Whether what an operation makes lies within something that the run has made: then nobody else's can be meant, and what nothing
//! finds again goes with that.

use serde_json::{Map, Value};

use engine::aws::model::{Filling, Found, Root, Undo};
use engine::step::Context;

use super::found;
use super::made::noun;

/// What goes with something else although what takes it back does not name that: the operation, and the member that names it.
const GOES_WITH: [(&str, &str); 4] = [
    ("ec2:AuthorizeSecurityGroupEgress", "GroupId"),
    ("ec2:AuthorizeSecurityGroupIngress", "GroupId"),
    ("elbv2:CreateListener", "LoadBalancerArn"),
    ("sns:Subscribe", "TopicArn"),
];

/// Names of members that say nothing of what they are the name of.
const BARE: [&str; 4] = ["id", "arn", "name", "identifier"];

/// Whether an operation with that input makes something within what the run has made, and will take away.
pub(super) fn is_within_own(cx: &Context, operation: &Found, input: &Map<String, Value>) -> bool {
    let Some(undo) = operation.operation.undo.as_ref() else { return false };
    let name = format!("{}:{}", operation.service.name, operation.operation.name);
    let scopes: Vec<(&str, &Value)> = match GOES_WITH.iter().find(|(own, _)| *own == name) {
        Some((_, member)) => input.get(*member).map(|value| (*member, value)).into_iter().collect(),
        // What has one id only is not within anything by it.
        None if undo.with.len() < 2 => return false,
        None => scopes(undo, input),
    };
    let held = cx.ledger.held().into_iter().filter_map(|(kind, ids)| Some((found(&kind)?, ids)));
    held.filter(|(holder, _)| holder.service.name == operation.service.name).any(|(holder, ids)| {
        let Some(ids) = ids.get("undo").and_then(Value::as_object) else { return false };
        scopes.iter().any(|(member, value)| names(&holder, ids, member, value))
    })
}

/// What of the opposite's input is the operation's own: the member of the opposite, and its value.
fn scopes<'i>(
    undo: &'static Undo,
    input: &'i Map<String, Value>,
) -> Vec<(&'static str, &'i Value)> {
    let of_input = |(member, filling): &(&'static str, Filling)| {
        let Filling::From(places) = filling else { return None };
        let place = places.first().filter(|place| place.root == Root::Input && !place.listed)?;
        Some((*member, input.get(place.path)?))
    };
    undo.with.iter().filter_map(of_input).collect()
}

/// Whether a member names what a holder has made: with the holder's id, in a member that is called as the holder's own or after it.
fn names(holder: &Found, ids: &Map<String, Value>, member: &str, value: &Value) -> bool {
    let plain = member.to_ascii_lowercase();
    let noun = noun(holder.operation.name).to_ascii_lowercase();
    value.is_string()
        && ids.iter().any(|(own, id)| {
            let own = own.to_ascii_lowercase();
            let same = own == plain && !BARE.contains(&plain.as_str());
            id == value && (same || plain.starts_with(&noun))
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is_named(holder: &str, ids: &Value, inner: &str, input: &Value) -> bool {
        let (holder, inner) = (found(holder), found(inner));
        let (holder, inner) = (holder.expect("it is there"), inner.expect("it is there"));
        let undo = inner.operation.undo.as_ref().expect("it is known");
        let (ids, input) = (ids.as_object().expect("a map"), input.as_object().expect("a map"));
        scopes(undo, input).iter().any(|(member, value)| names(&holder, ids, member, value))
    }

    #[test]
    fn what_is_within_something_names_it() {
        let pool = json!({"UserPoolId": "p1"});
        let user = json!({"UserPoolId": "p1", "Username": "somebody"});
        assert!(is_named(
            "cognito-idp:CreateUserPool",
            &pool,
            "cognito-idp:AdminCreateUser",
            &user
        ));
        let user = json!({"UserPoolId": "p2", "Username": "p1"});
        assert!(!is_named(
            "cognito-idp:CreateUserPool",
            &pool,
            "cognito-idp:AdminCreateUser",
            &user
        ));
        let database = json!({"Name": "d"});
        let table = json!({"DatabaseName": "d", "TableInput": {"Name": "t"}});
        assert!(is_named("glue:CreateDatabase", &database, "glue:CreateTable", &table));
        let other = json!({"DatabaseName": "e", "Name": "d"});
        assert!(!is_named("glue:CreateDatabase", &database, "glue:CreateTable", &other));
    }

    #[test]
    fn a_name_that_two_things_share_is_not_the_one_within_the_other() {
        let launch = json!({"LaunchConfigurationName": "demo"});
        let hook = json!({"AutoScalingGroupName": "demo", "ScheduledActionName": "hook"});
        let put = "autoscaling:PutScheduledUpdateGroupAction";
        assert!(!is_named("autoscaling:CreateLaunchConfiguration", &launch, put, &hook));
        let group = json!({"AutoScalingGroupName": "demo"});
        assert!(is_named("autoscaling:CreateAutoScalingGroup", &group, put, &hook));
    }
}
