use std::sync::OnceLock;

use serde_json::json;

use super::*;
use engine::step::Creates;

struct Two;

#[allow(clippy::too_many_lines, reason = "a page's worth of fields")]
fn create_role() -> &'static Spec {
    static SPEC: OnceLock<Spec> = OnceLock::new();
    SPEC.get_or_init(|| Spec {
        name: "create-role",
        summary: "Creates an IAM role that a service can assume.".to_owned(),
        details: "A role of that name that is there already is an error, unless `if_exists: adopt`: then\nit is used as it is."
            .to_owned(),
        input: json!({
            "type": "object",
            "properties": {
                "role_name": {"description": "The role's name, unique in the account.", "type": "string"},
                "template": {"x-file": true, "type": ["string", "null"]},
                "code": {"description": "Its code.", "$ref": "#/$defs/Code"},
                "policies": {"description": "ARNs of\npolicies.", "type": "array", "items": {"type": "string"}, "default": []},
                "document": {"description": "Any document."},
                "tags": {"type": "object", "additionalProperties": {"type": "string"}, "default": {}},
                "vpc": {"anyOf": [{"$ref": "#/$defs/Vpc"}, {"type": "null"}]},
                "if_exists": {"description": "What to do.", "$ref": "#/$defs/IfExists", "default": "fail"},
                "loop": {"$ref": "#/$defs/Loop"},
            },
            "required": ["role_name"],
            "additionalProperties": false,
            "$defs": {
                "IfExists": {"oneOf": [{"const": "fail"}, {"const": "adopt"}]},
                "Vpc": {
                    "type": "object",
                    "properties": {"subnet_ids": {"description": "Where.", "type": "array", "items": {"type": "string"}}},
                    "required": ["subnet_ids"],
                    "additionalProperties": false,
                },
                "Code": {"anyOf": [{"type": "string", "x-file": true}, {"$ref": "#/$defs/Cargo"}]},
                "Cargo": {
                    "type": "object",
                    "properties": {"bin": {"description": "Its name.", "type": "string"}},
                    "required": ["bin"],
                    "additionalProperties": false,
                },
                "Loop": {"$ref": "#/$defs/Loop"},
            },
        }),
        output: json!({
            "type": "object",
            "properties": {
                "arn": {"description": "Its ARN.", "type": "string"},
                "token": {"type": "string", "x-secret": true},
            },
            "required": ["arn", "token"],
        }),
        secret_inputs: Vec::new(),
        secret_outputs: Vec::new(),
        shorthand: None,
        calls: &["iam:CreateRole", "iam:AttachRolePolicy"],
        calls_on_failure: &["iam:GetRole"],
        permissions: &["iam:CreateRole"],
        undo_permissions: vec!["iam:DeleteRole"],
        makes: vec![
            Creates { type_name: "AWS::IAM::Role", undo: &["iam:DeleteRole"], disposition: Disposition::Removed },
            Creates { type_name: "AWS::IAM::Trust", undo: &[], disposition: Disposition::Restored },
            Creates { type_name: "AWS::IAM::RolePolicyAttachment", undo: &[], disposition: Disposition::Removed },
        ],
        example: "- create-role:\n    role_name: hello\n",
        operation: None,
    })
}

fn print() -> &'static Spec {
    static SPEC: OnceLock<Spec> = OnceLock::new();
    SPEC.get_or_init(|| Spec {
        name: "print",
        summary: "Shows text.".to_owned(),
        details: String::new(),
        input: json!({
            "type": "object",
            "properties": {"message": {"description": "What to show."}},
            "required": ["message"],
            "additionalProperties": false,
        }),
        output: json!({"type": "object"}),
        secret_inputs: Vec::new(),
        secret_outputs: Vec::new(),
        shorthand: Some("message"),
        calls: &[],
        permissions: &[],
        calls_on_failure: &[],
        undo_permissions: Vec::new(),
        makes: Vec::new(),
        example: "- print: Hello\n",
        operation: None,
    })
}

impl Kinds for Two {
    fn names(&self) -> Vec<&'static str> {
        vec!["create-role", "print"]
    }

    fn spec(&self, name: &str) -> Option<&'static Spec> {
        match name {
            "create-role" => Some(create_role()),
            "print" => Some(print()),
            _ => None,
        }
    }
}

#[test]
fn the_list_is_aligned() {
    assert_eq!(
        list(&Two),
        "\
Steps:
  create-role  Creates an IAM role that a service can assume
  print        Shows text

Steps around other steps:
  block        Runs steps that belong together
  repeat       Runs steps again and again until something is true
  parallel     Runs steps at the same time
  include      Runs another playbook, with inputs and outputs of its own
  cleanup      Removes everything the run has made, in reverse order

`playbook steps KIND` shows what a kind takes, returns, calls and leaves behind. Any operation of AWS is a kind, too:
`playbook steps --service sqs` lists those of a service, `playbook steps sqs:CreateQueue` shows one.
"
    );
}

#[test]
fn a_page_says_all_there_is() {
    let expected = "\
create-role: Creates an IAM role that a service can assume.

A role of that name that is there already is an error, unless `if_exists: adopt`: then
it is used as it is.

Inputs:
  role_name: string, required
      The role's name, unique in the account.
  template: file
  code: file or map
      Its code.
      bin: string, required
          Its name.
  policies: list of strings
      ARNs of policies.
  document: any value
      Any document.
  tags: map of strings
  vpc: map
      subnet_ids: list of strings, required
          Where.
  if_exists: `fail` or `adopt`, default `fail`
      What to do.
  loop: any value

Outputs:
  arn: string
      Its ARN.
  token: string, secret

AWS calls:
  iam:CreateRole, iam:AttachRolePolicy

AWS calls that tell why it failed:
  iam:GetRole

IAM actions:
  iam:CreateRole

IAM actions of the clean-up:
  iam:DeleteRole

Leaves behind:
  AWS::IAM::Role and AWS::IAM::RolePolicyAttachment, until the clean-up removes them;
  AWS::IAM::Trust, changed, until the clean-up puts back what was there before

Example:
  - create-role:
      role_name: hello
";
    assert_eq!(page(&Two, "create-role").as_deref(), Ok(expected));
}

#[test]
fn a_page_leaves_out_what_there_is_not() {
    let expected = "\
print: Shows text.

Inputs:
  message: any value, required
      What to show.

`print: VALUE` is short for `print: {message: VALUE}`.

Example:
  - print: Hello
";
    assert_eq!(page(&Two, "print").as_deref(), Ok(expected));
}

#[test]
fn control_kinds_have_pages() {
    for control in &CONTROLS {
        let page = page(&Two, control.name).unwrap_or_default();
        assert!(page.starts_with(&format!("{}: {}\n", control.name, control.summary)), "{page}");
        assert!(page.contains("\nKeys:\n") && page.contains("\nExample:\n"), "{page}");
    }
}

#[test]
fn an_unknown_kind_is_guessed_at() {
    let error = page(&Two, "create-rol").expect_err("no such kind");
    assert_eq!(error.to_string(), "there is no step kind `create-rol`");
    assert_eq!(error.help(), "did you mean `create-role`?");
    assert_eq!(
        page(&Two, "xyzzy").map_err(|error| error.help()),
        Err("`playbook steps` lists the kinds there are".to_owned())
    );
    assert_eq!(
        page(&Two, "blok").map_err(|error| error.help()),
        Err("did you mean `block`?".to_owned())
    );
}
