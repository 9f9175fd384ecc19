//! The types of resources that can be told by their ARNs, and what the journal would hold of each.

use serde_json::{Map, Value, json};

/// A type of resource, as ARNs tell it.
pub(super) struct Type {
    /// The service, as ARNs spell it.
    service: &'static str,
    /// What the last part of the ARN begins with.
    prefix: &'static str,
    /// What makes it.
    pub(super) maker: Maker,
    /// What tells when it was made, or changed last: an operation, the member that names it, and what that is given.
    pub(super) look: Option<(&'static str, &'static str, Given)>,
    /// The types that may hold it, and so go after it; prefixes do.
    pub(super) rests_on: &'static [&'static str],
}

/// What makes a resource, and so can undo it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Maker {
    /// A kind of its own, whose journal entry has the name under that member.
    Own(&'static str, &'static str),
    /// An operation; that member is its name in the input, or its id in the output.
    Operation(&'static str, &'static str),
}

/// What a look is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    Name,
    Arn,
    /// The name, in a list.
    Names,
    /// Nothing: it lists all.
    Nothing,
}

impl Maker {
    /// The type that journals know it by.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Own(kind, _) | Self::Operation(kind, _) => kind,
        }
    }

    /// What the journal would hold of it.
    pub(super) fn undo(self, name: &str) -> Value {
        match self {
            Self::Own(_, member) => json!({member: name}),
            Self::Operation(operation, member) => {
                let mut known = Map::from_iter([(member.to_owned(), Value::from(name))]);
                if operation == "events:PutRule"
                    && let Some((bus, rule)) = name.split_once('/')
                {
                    known = Map::from_iter([
                        ("Name".to_owned(), Value::from(rule)),
                        ("EventBusName".to_owned(), Value::from(bus)),
                    ]);
                }
                json!({"operation": operation, "known": known, "tagged": true})
            }
        }
    }
}

macro_rules! types {
    ($($service:literal $prefix:literal $maker:expr, $look:expr, [$($on:literal)*];)*) => {
        pub(super) static TYPES: &[Type] = &[$(Type {
            service: $service, prefix: $prefix, maker: $maker, look: $look, rests_on: &[$($on),*],
        },)*];
    };
}

use Given::{Arn, Name, Names, Nothing};
use Maker::{Operation, Own};

types! {
    // What goes first stands first.
    "lambda" "event-source-mapping:" Operation("lambda:CreateEventSourceMapping", "UUID"),
        Some(("lambda:GetEventSourceMapping", "UUID", Name)),
        ["lambda:function:" "sqs:" "kinesis:" "dynamodb:"];
    "events" "rule/" Operation("events:PutRule", "Name"), None,
        ["events:event-bus/" "lambda:function:" "sqs:" "sns:" "kinesis:" "iam:role/"];
    "apigateway" "/apis/" Operation("apigatewayv2:CreateApi", "ApiId"),
        Some(("apigatewayv2:GetApi", "ApiId", Name)), ["lambda:function:" "cognito-idp:"];
    "apigateway" "/restapis/" Operation("apigateway:CreateRestApi", "id"),
        Some(("apigateway:GetRestApi", "restApiId", Name)), ["lambda:function:" "cognito-idp:"];
    "cloudformation" "stack/" Own("AWS::CloudFormation::Stack", "stack_name"),
        Some(("cloudformation:DescribeStacks", "StackName", Arn)), ["iam:role/" "s3:"];
    "states" "stateMachine:" Operation("stepfunctions:CreateStateMachine", "stateMachineArn"),
        Some(("stepfunctions:DescribeStateMachine", "stateMachineArn", Arn)), ["iam:role/" "lambda:function:"];
    "cognito-idp" "userpool/" Operation("cognito-idp:CreateUserPool", "Id"),
        Some(("cognito-idp:DescribeUserPool", "UserPoolId", Name)), ["lambda:function:" "iam:role/"];
    "ec2" "instance/" Operation("ec2:RunInstances", "InstanceId"),
        Some(("ec2:DescribeInstances", "InstanceIds", Names)),
        ["ec2:security-group/" "ec2:subnet/" "ec2:volume/" "iam:instance-profile/"];
    "lambda" "function:" Own("AWS::Lambda::Function", "function_name"),
        Some(("lambda:GetFunctionConfiguration", "FunctionName", Name)), ["iam:role/" "logs:log-group:"];
    "logs" "log-group:" Own("AWS::Logs::LogGroup", "log_group_name"),
        Some(("logs:DescribeLogGroups", "logGroupNamePrefix", Name)), [];
    "sns" "" Operation("sns:CreateTopic", "Name"), None, [];
    "sqs" "" Operation("sqs:CreateQueue", "QueueName"), None, [];
    "kinesis" "stream/" Operation("kinesis:CreateStream", "StreamName"),
        Some(("kinesis:DescribeStreamSummary", "StreamName", Name)), [];
    "dynamodb" "table/" Own("AWS::DynamoDB::Table", "table_name"),
        Some(("dynamodb:DescribeTable", "TableName", Name)), [];
    "events" "event-bus/" Operation("events:CreateEventBus", "Name"),
        Some(("events:DescribeEventBus", "Name", Name)), [];
    "secretsmanager" "secret:" Operation("secretsmanager:CreateSecret", "Name"),
        Some(("secretsmanager:DescribeSecret", "SecretId", Arn)), ["kms:key/"];
    "ssm" "parameter/" Operation("ssm:PutParameter", "Name"),
        Some(("ssm:GetParameter", "Name", Name)), ["kms:key/"];
    "s3" "" Own("AWS::S3::Bucket", "bucket"), Some(("s3:ListBuckets", "", Nothing)), [];
    "ec2" "volume/" Operation("ec2:CreateVolume", "VolumeId"),
        Some(("ec2:DescribeVolumes", "VolumeIds", Names)), [];
    "ec2" "security-group/" Operation("ec2:CreateSecurityGroup", "GroupId"), None, ["ec2:vpc/"];
    "ec2" "subnet/" Operation("ec2:CreateSubnet", "SubnetId"), None, ["ec2:vpc/"];
    "ec2" "vpc/" Operation("ec2:CreateVpc", "VpcId"), None, [];
    "iam" "instance-profile/" Operation("iam:CreateInstanceProfile", "InstanceProfileName"),
        Some(("iam:GetInstanceProfile", "InstanceProfileName", Name)), ["iam:role/"];
    "iam" "user/" Operation("iam:CreateUser", "UserName"),
        Some(("iam:GetUser", "UserName", Name)), ["iam:policy/"];
    "iam" "role/" Own("AWS::IAM::Role", "role_name"), Some(("iam:GetRole", "RoleName", Name)), ["iam:policy/"];
    "iam" "policy/" Operation("iam:CreatePolicy", "Arn"), Some(("iam:GetPolicy", "PolicyArn", Arn)), [];
    "kms" "key/" Operation("kms:CreateKey", "KeyId"), Some(("kms:DescribeKey", "KeyId", Name)), [];
}

/// What an ARN tells.
pub(super) struct Named {
    /// The type; nothing where it is none that is known here.
    pub(super) of: Option<&'static Type>,
    /// Its place among the types, by which those that hold others come first.
    pub(super) rank: usize,
    /// The name, as what makes it has it.
    pub(super) name: String,
}

/// Reads an ARN.
pub(super) fn named(arn: &str) -> Named {
    let mut parts = arn.splitn(6, ':').skip(2);
    let service = parts.next().unwrap_or_default();
    let resource = parts.nth(2).unwrap_or_default();
    // The prefix of queues, topics and buckets is empty, so that anything of those services would be one.
    let fits = |of: &&Type| {
        of.service == service
            && match of.prefix {
                "" => !resource.contains([':', '/']),
                prefix => resource.starts_with(prefix),
            }
    };
    let Some((rank, of)) = TYPES.iter().enumerate().find(|(_, of)| fits(of)) else {
        let name = if resource.is_empty() { arn } else { resource };
        return Named { of: None, rank: TYPES.len(), name: name.to_owned() };
    };
    let rest = resource.strip_prefix(of.prefix).unwrap_or(resource);
    let last = |text: &str| text.rsplit('/').next().unwrap_or_default().to_owned();
    let name = match (of.service, of.prefix) {
        ("iam", "policy/") | ("states", _) => arn.to_owned(),
        // A path stands before the name.
        ("iam", _) => last(rest),
        ("cloudformation", _) => rest.split('/').next().unwrap_or_default().to_owned(),
        ("logs", _) => rest.trim_end_matches(":*").to_owned(),
        // Of a name with slashes, the ARN has left out the first.
        ("ssm", _) if rest.contains('/') => format!("/{rest}"),
        // Six characters of Secrets Manager's own follow the name.
        ("secretsmanager", _) => rest.rsplit_once('-').map_or(rest, |(name, _)| name).to_owned(),
        _ => rest.to_owned(),
    };
    // A version of a function, a stage of an API, a stream of a table belong to what is there beside them.
    let is_part = matches!(of.service, "lambda" if rest.contains(':'))
        || matches!(of.service, "apigateway" | "dynamodb" if rest.contains('/'));
    if is_part {
        return Named { of: None, rank: TYPES.len(), name: resource.to_owned() };
    }
    Named { of: Some(of), rank, name }
}

impl Type {
    /// Whether something of this type may hold something that has that ARN.
    pub(super) fn may_hold(&self, other: &Self) -> bool {
        self.rests_on.iter().any(|held| {
            held.split_once(':').is_some_and(|(service, prefix)| {
                other.service == service && (prefix.is_empty() || other.prefix == prefix)
            })
        })
    }

    /// The service and the beginning of the last part of its ARNs.
    pub(super) fn is(&self, service: &str, prefix: &str) -> bool {
        self.service == service && self.prefix == prefix
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::aws::model::{self, Filling, Root};

    #[test]
    fn names_are_read_out_of_arns() {
        let read = |arn: &str| {
            let named = named(arn);
            (named.of.map_or("?", |of| of.maker.kind()), named.name)
        };
        for (arn, kind, name) in [
            ("arn:aws:lambda:eu-west-1:1:function:f", "AWS::Lambda::Function", "f"),
            ("arn:aws:lambda:eu-west-1:1:function:f:1", "?", "function:f:1"),
            (
                "arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/f:*",
                "AWS::Logs::LogGroup",
                "/aws/lambda/f",
            ),
            ("arn:aws:s3:::b.example", "AWS::S3::Bucket", "b.example"),
            ("arn:aws:sqs:eu-west-1:1:q", "sqs:CreateQueue", "q"),
            ("arn:aws:sns:eu-west-1:1:t:0b1c", "?", "t:0b1c"),
            ("arn:aws:iam::1:role/team/r", "AWS::IAM::Role", "r"),
            ("arn:aws:iam::1:policy/p", "iam:CreatePolicy", "arn:aws:iam::1:policy/p"),
            ("arn:aws:cloudformation:eu-west-1:1:stack/s/0b1c", "AWS::CloudFormation::Stack", "s"),
            (
                "arn:aws:secretsmanager:eu-west-1:1:secret:a-b-Xy12Zz",
                "secretsmanager:CreateSecret",
                "a-b",
            ),
            ("arn:aws:ssm:eu-west-1:1:parameter/a/b", "ssm:PutParameter", "/a/b"),
            ("arn:aws:ssm:eu-west-1:1:parameter/a", "ssm:PutParameter", "a"),
            ("arn:aws:apigateway:eu-west-1::/apis/a1", "apigatewayv2:CreateApi", "a1"),
            ("arn:aws:apigateway:eu-west-1::/apis/a1/stages/x", "?", "/apis/a1/stages/x"),
            ("arn:aws:qldb:eu-west-1:1:ledger/l", "?", "ledger/l"),
            ("nonsense", "?", "nonsense"),
        ] {
            assert_eq!(read(arn), (kind, name.to_owned()), "{arn}");
        }
        let rule = Maker::Operation("events:PutRule", "Name").undo("bus/rule");
        assert_eq!(rule["known"], serde_json::json!({"Name": "rule", "EventBusName": "bus"}));
    }

    /// Whatever is listed as the run's can be taken back by what the table names.
    #[test]
    fn every_type_can_be_taken_back() {
        for of in TYPES {
            match of.maker {
                Maker::Own(kind, member) => {
                    let maker = crate::maker_of(kind).expect(kind);
                    let undo = of.maker.undo("name");
                    assert_eq!(maker.makes, kind);
                    assert_eq!(undo[member], "name");
                }
                Maker::Operation(name, member) => {
                    let found = crate::operation::found(name).expect(name);
                    let undo = found.operation.undo.as_ref().expect(name);
                    let is_input =
                        found.service.input_of(found.operation).iter().any(|it| it.name == member);
                    let is_output = undo.with.iter().any(|(_, filling)| match filling {
                        Filling::From(places) => places.iter().any(|place| {
                            place.root == Root::Output
                                && place.path.rsplit('.').next() == Some(member)
                        }),
                        Filling::Fixed(_) => false,
                    });
                    assert!(is_input || is_output, "{name} has no {member}: {:?}", undo.with);
                }
            }
            if let Some((operation, member, _)) = of.look {
                let found = crate::operation::found(operation).expect(operation);
                let members = found.service.input_of(found.operation);
                assert!(
                    member.is_empty() || members.iter().any(|it| it.name == member),
                    "{operation} {member}"
                );
            }
            for held in of.rests_on {
                let (service, prefix) = held.split_once(':').expect("a service");
                let there =
                    |it: &Type| it.service == service && (prefix.is_empty() || it.prefix == prefix);
                assert!(TYPES.iter().any(there), "{held}");
            }
        }
        assert!(model::find("tag:GetResources").is_err());
    }

    #[test]
    fn what_holds_others_stands_before_them() {
        for (rank, of) in TYPES.iter().enumerate() {
            let before = TYPES.iter().take(rank).filter(|other| of.may_hold(other));
            assert_eq!(before.count(), 0, "{} {}", of.service, of.prefix);
        }
    }
}
