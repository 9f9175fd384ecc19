//! Templates, from their text to a plan.

use super::intrinsics::Scope;
use super::plan::Plan;
use super::resource_type::{self, resource_type};
use super::template::{DeletionPolicy, Template};
use super::*;
use crate::protocol::AwsError;

const GROUP: &str = "G: {Type: AWS::Logs::LogGroup}";

fn refused(body: &str) -> AwsError {
    Template::parse(body).expect_err(body)
}

fn plan(body: &str, given: &[(&str, &str)]) -> Result<Plan, AwsError> {
    let template = Template::parse(body)?;
    let given =
        given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let resolved = parameters::resolve(&template, &given)?;
    let mut scope = Scope {
        mappings: template.mappings.clone(),
        parameters: parameters::values(&resolved),
        ..Scope::default()
    };
    scope.resolve_conditions(&template.conditions)?;
    Plan::new(&template, &scope)
}

fn order(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.logical_id.as_str()).collect()
}

#[test]
fn a_template_that_does_not_hold_together_is_refused() {
    for (body, message) in [
        ("[]", "Template format error: unsupported structure."),
        ("Resources: {}", "Template format error: At least one Resources member must be defined."),
        ("Resorces: {}", "Invalid template property or properties [Resorces]"),
        (
            "Resources: {A: {Properties: {}}}",
            "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
        ),
        (
            "Resources: {A: {Type: AWS::Logs::LogGroup, DependsOn: B}}",
            "Template format error: Unresolved resource dependencies [B] in the Resources block of the template",
        ),
        (
            "Resources: {A: {Type: AWS::Logs::LogGroup, Condition: C}}",
            "Template format error: Unresolved condition dependency C in the Resources block of the template",
        ),
        (
            "Resources: {A: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Sub 'x${B}'}}}",
            "Template format error: Unresolved resource dependencies [B] in the Resources block of the template",
        ),
        (
            "Resources: {A: {Type: AWS::Logs::LogGroup}}\nOutputs: {O: {Value: !GetAtt A.Colour}}",
            "Template error: resource A does not support attribute type Colour in Fn::GetAtt",
        ),
        (
            "Conditions: {C: !Equals [!Ref A, b]}\nResources: {A: {Type: AWS::Logs::LogGroup}}",
            "Template format error: Unresolved dependencies [A]. Cannot reference resources in the Conditions block of \
             the template",
        ),
    ] {
        assert_eq!(refused(body).message, message, "{body}");
    }
}

#[test]
fn what_is_not_supported_is_named() {
    for (body, part) in [
        ("Resources: {Q: {Type: AWS::EC2::VPC}}", "Unrecognized resource types: [AWS::EC2::VPC]"),
        ("Resources: {Q: {Type: Custom::Thing}}", "[Custom::Thing]"),
        ("Transform: X\nResources: {A: {Type: AWS::Logs::LogGroup}}", "the transform X"),
        ("Resources: {A: {Type: AWS::Logs::LogGroup, UpdatePolicy: {}}}", "attribute UpdatePolicy"),
        (
            "Resources: {A: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !ImportValue x}}}",
            "Fn::ImportValue",
        ),
        ("Parameters: {P: {Type: 'AWS::EC2::VPC::Id'}}\nResources: {}", "At least one"),
        (
            "Parameters: {P: {Type: 'AWS::EC2::VPC::Id'}}\nResources: {A: {Type: AWS::Logs::LogGroup}}",
            "parameter type AWS::EC2::VPC::Id (parameter P)",
        ),
    ] {
        let error = refused(body);
        assert_eq!(error.code, "ValidationError");
        assert!(error.message.contains(part), "{error}");
    }
}

#[test]
fn resources_come_after_what_they_need() {
    let body = "
Resources:
  Last: {Type: AWS::Logs::LogGroup, DependsOn: [Middle]}
  Middle: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Sub '/x/${First}'}}
  First: {Type: AWS::Logs::LogGroup, DeletionPolicy: Retain}
";
    let plan = plan(body, &[]).expect("a plan");
    assert_eq!(order(&plan), ["First", "Middle", "Last"]);
    assert_eq!(plan.steps.first().map(|step| step.deletion_policy), Some(DeletionPolicy::Retain));
}

#[test]
fn a_circle_is_refused() {
    let body = "
Resources:
  A: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Ref B}}
  B: {Type: AWS::Logs::LogGroup, DependsOn: A}
  C: {Type: AWS::Logs::LogGroup}
";
    let error = plan(body, &[]).expect_err("a circle");
    assert_eq!(error.message, "Circular dependency between resources: [A, B]");
}

#[test]
fn conditions_decide_what_is_made_and_what_is_needed() {
    let body = "
Parameters: {Stage: {Type: String}}
Conditions: {IsProd: !Equals [!Ref Stage, prod]}
Resources:
  A: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !If [IsProd, !Ref Extra, plain]}}
  Extra: {Type: AWS::Logs::LogGroup, Condition: IsProd}
Outputs:
  Extra: {Condition: IsProd, Value: !Ref Extra}
";
    let test = plan(body, &[("Stage", "test")]).expect("a plan");
    assert_eq!((order(&test), test.outputs.len()), (vec!["A"], 0));
    let prod = plan(body, &[("Stage", "prod")]).expect("a plan");
    assert_eq!((order(&prod), prod.outputs.len()), (vec!["Extra", "A"], 1));

    let careless = body.replace("{Condition: IsProd, Value: !Ref Extra}", "{Value: !Ref Extra}");
    let error = plan(&careless, &[("Stage", "test")]).expect_err("Extra is not made");
    assert_eq!(
        error.message,
        "Template format error: Unresolved resource dependencies [Extra] in the Outputs block of the template"
    );
}

#[test]
fn parameters_are_checked_as_they_are_declared() {
    let body =
        |declared: &str| format!("Parameters: {{P: {{{declared}}}}}\nResources: {{{GROUP}}}");
    for (declared, value, message) in [
        ("Type: String, AllowedValues: [a, 5]", "b", "Parameter 'P' must be one of AllowedValues"),
        (
            "Type: String, AllowedPattern: '[a-z]+'",
            "ab1",
            "Parameter 'P' must match pattern [a-z]+",
        ),
        ("Type: String, MinLength: 3", "ab", "Parameter 'P' must contain at least 3 characters"),
        ("Type: String, MaxLength: '2'", "abc", "Parameter 'P' must contain at most 2 characters"),
        ("Type: Number", "x", "Parameter 'P' must be a number"),
        ("Type: Number, MinValue: 2", "1.5", "Parameter 'P' must be a number not less than 2"),
        (
            "Type: List<Number>, MaxValue: 2",
            "1, 3",
            "Parameter 'P' must be a number not greater than 2",
        ),
        (
            "Type: String, AllowedValues: [a], ConstraintDescription: an a",
            "b",
            "Parameter P failed to satisfy constraint: an a",
        ),
    ] {
        let error = plan(&body(declared), &[("P", value)]).expect_err(declared);
        assert_eq!(error.to_string(), format!("ValidationError: {message}"));
    }
    plan(&body("Type: String, AllowedValues: [a, 5]"), &[("P", "5")]).expect("5 is \"5\"");
    let missing = plan(&body("Type: String"), &[]).expect_err("no value");
    assert_eq!(missing.message, "Parameters: [P] must have values");
    let strange =
        plan(&body("Type: String, Default: x"), &[("Q", "1")]).expect_err("no such parameter");
    assert_eq!(strange.message, "Parameters: [Q] do not exist in the template");
}

#[test]
fn named_roles_need_more_than_roles() {
    let capability = |properties: &str| {
        let body =
            format!("Resources: {{R: {{Type: AWS::IAM::Role, Properties: {{{properties}}}}}}}");
        Template::parse(&body).expect("a template").capability()
    };
    assert_eq!(capability(""), Some(("CAPABILITY_IAM", vec!["AWS::IAM::Role"])));
    assert_eq!(capability("RoleName: x"), Some(("CAPABILITY_NAMED_IAM", vec!["AWS::IAM::Role"])));
    let plain = Template::parse(&format!("Resources: {{{GROUP}}}")).expect("a template");
    assert_eq!(plain.capability(), None);
}

#[test]
fn properties_that_there_are_not_are_named() {
    let table = resource_type("AWS::DynamoDB::Table").expect("a type");
    let given = json!({"KeyShema": []});
    let error = table.check("T", given.as_object().expect("an object")).expect_err("misspelt");
    assert!(error.message.starts_with(
        "Properties validation failed for resource T with message:\n#: required key [KeySchema] not found\n#: \
         extraneous key [KeyShema] is not permitted"
    ));
}

#[test]
fn every_type_says_what_it_is() {
    let names = resource_type::names();
    assert!(names.is_sorted(), "{names:?}");
    for name in names {
        let kind = resource_type(name).expect(name);
        assert!(kind.properties.is_sorted() && kind.attributes.is_sorted(), "{name}");
        assert!(kind.required.iter().all(|one| kind.properties.contains(one)), "{name}");
    }
}

#[test]
fn the_shared_template_asks_for_nothing() {
    let body = include_str!("../../../../playbooks/templates/known-users.yaml");
    let plan = plan(body, &[]).expect("a plan");
    let outputs: Vec<&str> = plan.outputs.keys().map(String::as_str).collect();
    assert_eq!(
        outputs,
        ["FunctionRoleArn", "TableName", "UserPoolArn", "UserPoolClientId", "UserPoolId"]
    );
    let template = Template::parse(body).expect("a template");
    // A role with a name of its own would ask for more, and two stacks could not stand side by side.
    assert_eq!(template.capability(), Some(("CAPABILITY_IAM", vec!["AWS::IAM::Role"])));
}
