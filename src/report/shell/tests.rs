use serde_json::{Value, json};

use super::*;
use crate::report::sample::{self, Captured, begun, ended, in_step, of, resource, step};
use engine::event::{Effect, Mode, ResourceRef, UndoStatus};

fn sources() -> Sources {
    let source =
        |call: &str, query: &str| Source { call: call.to_owned(), query: query.to_owned() };
    let role = [
        ("arn", source("iam:CreateRole", "Role.Arn")),
        ("role_id", source("iam:CreateRole", "Role.RoleId")),
    ];
    let pool = [("user_pool_id", source("cognito-idp:CreateUserPool", "UserPool.Id"))];
    let stack = [(
        "outputs",
        source(
            "cloudformation:DescribeStacks",
            "Stacks[0].Outputs[?OutputKey=='KEY'].OutputValue|[0]",
        ),
    )];
    let kind = |name: &str, fields: &[(&str, Source)]| {
        let fields = fields.iter().map(|(field, source)| ((*field).to_owned(), source.clone()));
        (name.to_owned(), fields.collect())
    };
    [kind("create-role", &role), kind("create-user-pool", &pool), kind("deploy-stack", &stack)]
        .into()
}

fn script(events: &[Event]) -> (String, String) {
    let (out, err) = (Captured::default(), Captured::default());
    let mut reporter =
        ShellReporter::new(out.stream(), err.stream(), sources(), PathBuf::from("/home/ada"));
    sample::feed(&mut reporter, events);
    (out.text(), err.text())
}

/// The script without its head and the blank lines.
fn body(events: &[Event]) -> String {
    let mut all = vec![sample::started(Mode::DryRun)];
    all.extend_from_slice(events);
    all.push(sample::planned().pop().expect("a run ends"));
    let (out, err) = script(&all);
    assert_eq!(err, "");
    let body = out.split_once("DEFAULT_REGION=eu-central-1\n").expect("a head").1.to_owned();
    body.lines().filter(|line| !line.is_empty()).flat_map(|line| [line, "\n"]).collect()
}

fn identified(path: &str, id: &str, kind: &str) -> StepRef {
    StepRef { id: Some(id.to_owned()), ..step(path, id, kind) }
}

fn call(step: &StepRef, service: &str, operation: &str, parameters: Value) -> Event {
    call_of(Owner::Step(step.clone()), service, operation, parameters)
}

fn call_of(owner: Owner, service: &str, operation: &str, parameters: Value) -> Event {
    let mut event = sample::call(owner, service, operation, ("POST", "/"), Value::Null);
    if let What::Called { call, .. } = &mut event.what {
        call.parameters = parameters;
    }
    event
}

fn undone(resource: &ResourceRef, calls: &[(&str, &str, Value)]) -> Vec<Event> {
    let owner = Owner::Undo(resource.clone());
    let mut events = vec![of(owner.clone(), What::UndoStarted)];
    let calls = calls.iter().map(|(service, operation, parameters)| {
        call_of(owner.clone(), service, operation, parameters.clone())
    });
    events.extend(calls);
    let what = What::UndoFinished { status: UndoStatus::Planned, reason: None, millis: 0 };
    events.push(of(owner, what));
    events
}

#[test]
fn a_plan() {
    let (out, err) = script(&sample::planned());
    assert_eq!(out, include_str!("../expected/plan.sh"));
    assert_eq!(err, "");
}

#[test]
fn an_answer_is_kept_where_it_is_used_later() {
    let role = identified("1", "role", "create-role");
    let invoke = identified("2", "one", "invoke");
    let text = body(&[
        begun(&role),
        call(&role, "iam", "CreateRole", json!({"RoleName": "r"})),
        begun(&invoke),
        call(&invoke, "lambda", "GetFunction", json!({"FunctionName": "⟨steps.role.arn⟩"})),
    ]);
    assert_eq!(
        text,
        "\
# 1 role
ROLE_ARN=$(aws iam create-role --role-name r --query Role.Arn --output text)
# 2 one
aws lambda get-function --function-name \"$ROLE_ARN\"
"
    );
}

#[test]
fn several_values_come_from_one_answer() {
    let role = identified("1", "role", "create-role");
    let print = identified("2", "print", "print");
    let text = body(&[
        begun(&role),
        call(&role, "iam", "CreateRole", json!({"RoleName": "r"})),
        begun(&print),
        call(&print, "iam", "TagRole", json!({"A": "⟨steps.role.arn⟩/⟨steps.role.role_id⟩"})),
    ]);
    assert!(
        text.contains(
            "answer=$(aws iam create-role --role-name r --query '[Role.Arn, Role.RoleId]' --output text)\n\
             IFS=$'\\t' read -r ROLE_ARN ROLE_ROLE_ID <<<\"$answer\"\n"
        ),
        "{text}"
    );
    assert!(text.contains("--a \"${ROLE_ARN}/${ROLE_ROLE_ID}\"\n"), "{text}");
}

#[test]
fn the_clean_up_takes_names_from_the_step_that_made_it() {
    let pool = identified("1", "pool", "create-user-pool");
    let made = resource(1, "AWS::Cognito::UserPool", "p");
    let mut events = vec![
        begun(&pool),
        call(&pool, "cognito-idp", "CreateUserPool", json!({"PoolName": "p"})),
        in_step(&pool, What::Created { resource: made.clone() }),
        ended(&pool, Status::Planned, 1),
        of(Owner::Run, What::CleanupStarted { count: 1 }),
    ];
    let id = json!({"UserPoolId": "⟨steps.cleanup.user_pool_id⟩"});
    events.extend(undone(
        &made,
        &[("cognito-idp", "DescribeUserPool", id.clone()), ("cognito-idp", "DeleteUserPool", id)],
    ));
    assert_eq!(
        body(&events),
        "\
# 1 pool
POOL_USER_POOL_ID=$(aws cognito-idp create-user-pool --pool-name p --query UserPool.Id --output text)
# Clean-up
# AWS::Cognito::UserPool p
aws cognito-idp delete-user-pool --user-pool-id \"$POOL_USER_POOL_ID\"
"
    );
}

#[test]
fn waits_are_the_clis_own_where_it_has_them() {
    let stack = identified("1", "stack", "deploy-stack");
    let next = identified("2", "next", "get-user");
    let text = body(&[
        begun(&stack),
        call(&stack, "cloudformation", "CreateStack", json!({"StackName": "s"})),
        in_step(&stack, What::Waiting { text: "the stack s".to_owned() }),
        call(&stack, "cloudformation", "DescribeStacks", json!({"StackName": "s"})),
        begun(&next),
        call(&next, "logs", "GetThing", json!({"Pool": "⟨steps.stack.outputs.PoolId⟩"})),
        in_step(&next, What::Waiting { text: "the log".to_owned() }),
        call(&next, "logs", "FilterLogEvents", json!({"logGroupName": "/a"})),
    ]);
    assert_eq!(
        text,
        "\
# 1 stack
aws cloudformation create-stack --stack-name s
aws cloudformation wait stack-create-complete --stack-name s
STACK_OUTPUTS_POOLID=$(aws cloudformation describe-stacks \\
  --stack-name s \\
  --query 'Stacks[0].Outputs[?OutputKey=='\\''PoolId'\\''].OutputValue|[0]' --output text)
# 2 next
aws logs get-thing --pool \"$STACK_OUTPUTS_POOLID\"
# Again until this is over: the log
aws logs filter-log-events --log-group-name /a
"
    );
}

#[test]
fn looks_beside_a_change_are_told_and_not_made() {
    let policy = identified("1", "policy", "put-role-policy");
    let text = body(&[
        begun(&policy),
        in_step(&policy, What::Expects { codes: vec!["A".to_owned()], must: false }),
        call(&policy, "iam", "GetRolePolicy", json!({"RoleName": "r"})),
        call(&policy, "iam", "PutRolePolicy", json!({"RoleName": "r", "Force": true})),
    ]);
    assert_eq!(
        text,
        "\
# 1 policy
# may fail with A
# It looks first: aws iam get-role-policy --role-name r
aws iam put-role-policy --role-name r --force || true
"
    );
}

#[test]
fn what_may_not_have_been_made_may_not_be_there() {
    let script = |must: bool| {
        let twice = identified("1", "twice", "admin-create-user");
        let made = resource(2, "AWS::Cognito::UserPoolUser", "ada");
        let mut events = vec![
            begun(&twice),
            in_step(&twice, What::Expects { codes: vec!["Exists".to_owned()], must }),
            call(&twice, "cognito-idp", "AdminCreateUser", json!({"Username": "ada"})),
            in_step(&twice, What::Created { resource: made.clone() }),
            ended(&twice, Status::Planned, 1),
            of(Owner::Run, What::CleanupStarted { count: 1 }),
        ];
        let delete = ("cognito-idp", "AdminDeleteUser", json!({"Username": "ada"}));
        events.extend(undone(&made, &[delete]));
        body(&events)
    };
    let (may, must) = (script(false), script(true));
    assert!(may.contains("aws cognito-idp admin-create-user --username ada || true\n"), "{may}");
    assert!(may.ends_with("aws cognito-idp admin-delete-user --username ada || true\n"), "{may}");
    let end = "# AWS::Cognito::UserPoolUser ada: not made, since its step must fail\n";
    assert!(must.ends_with(end) && must.contains("--username ada || true\n"), "{must}");
}

#[test]
fn what_cannot_be_taken_from_an_answer_is_asked_for() {
    let sign_in = identified("1", "sign_in", "sign-in");
    let mut events = vec![sample::started(Mode::DryRun), begun(&sign_in)];
    let auth = json!({"PASSWORD": "⟨inputs.password⟩", "HASH": "⟨a + 'b'⟩", "TOKEN": "***"});
    events.push(call(&sign_in, "cognito-idp", "InitiateAuth", json!({"AuthParameters": auth})));
    events.push(sample::planned().pop().expect("a run ends"));
    let (out, _) = script(&events);
    for expected in [
        "# PLAYBOOK_INPUT_PASSWORD: the input password of the playbook\n: \"${PLAYBOOK_INPUT_PASSWORD?}\"\n",
        "# SECRETS_TOKEN: what the playbook has as TOKEN; a secret is not written here\n: \"${SECRETS_TOKEN?}\"\n",
        "# Set VALUE first; it stands for: a + 'b'\n: \"${VALUE?}\"\n",
        "'{\"PASSWORD\":\"'\"$(json \"$PLAYBOOK_INPUT_PASSWORD\")\"'\",\"HASH\":\"'\"$(json \"$VALUE\")\"'\",\"TOKEN\":\"'\"$(json \"$SECRETS_TOKEN\")\"'\"}'",
    ] {
        assert!(out.contains(expected), "{expected}\n{out}");
    }
}

#[test]
fn packages_are_made_as_a_person_would() {
    let function = identified("1", "f", "create-function");
    let packed = |path: &str, form: CodeForm| {
        let parameters = json!({"FunctionName": "f", "Code": {"ZipFile": "zip, 3 bytes"}});
        body(&[
            begun(&function),
            in_step(&function, What::Packed { code: "x".to_owned(), path: path.to_owned(), form }),
            call(&function, "lambda", "CreateFunction", parameters),
        ])
    };
    let file = packed("/home/ada/a b.py", CodeForm::File);
    assert_eq!(
        file,
        "work=$(mktemp -d)\n# 1 f\nzip -qj \"$work/f.zip\" 'a b.py'\n\
         aws lambda create-function --function-name f --zip-file \"fileb://$work/f.zip\"\n"
    );
    let directory = packed("/srv/code", CodeForm::Directory);
    assert!(directory.contains("(cd /srv/code && zip -qr \"$work/f.zip\" .)\n"), "{directory}");
    let zip = packed("/home/ada/f.zip", CodeForm::Zip);
    assert!(zip.contains("--zip-file fileb://f.zip\n"), "{zip}");
    let program = packed("/home/ada/handlers", CodeForm::Program("hello".to_owned()));
    assert!(
        program.contains(
            "cargo lambda build --release --manifest-path handlers/Cargo.toml --bin hello"
        ),
        "{program}"
    );
}

#[test]
fn what_the_cli_has_no_known_words_for_is_said() {
    let odd = identified("1", "odd", "odd");
    let text = body(&[
        begun(&odd),
        sample::call(Owner::Step(odd.clone()), "s3", "PutObject", ("PUT", "/b/k"), Value::Null),
    ]);
    assert_eq!(text, "# 1 odd\n# s3:PutObject: no command is known for it: PUT /b/k\n");
    assert_eq!(Effect::of("PutObject"), Effect::Change);
}

#[test]
fn a_plan_that_ends_early_says_so() {
    let (out, err) = script(&sample::failing());
    assert!(out.contains("# the plan ends here: "), "{out}");
    assert!(err.contains("error[FunctionError]"), "{err}");
}

#[test]
fn nothing_hostile_gets_through() {
    let (out, err) = script(&sample::hostile());
    let all = out + &err;
    assert!(!all.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\r']), "{all:?}");
}

#[test]
fn no_value_is_read_as_a_file() {
    let tag = identified("1", "tag", "create-log-group");
    let text = body(&[
        begun(&tag),
        call(
            Some(&tag),
            "logs",
            "CreateLogGroup",
            json!({"logGroupName": "/a", "kmsKeyId": "file:///etc/hostname", "x": "fileb://⟨inputs.x⟩", "y": ["file://z"]}),
        ),
    ]);
    assert!(
        text.contains("--cli-input-json '{\"kmsKeyId\":\"file:///etc/hostname\",\"x\":\"fileb://'\"$(json \"$PLAYBOOK_INPUT_X\")\"'\"}'"),
        "{text}"
    );
    assert!(text.contains("--log-group-name /a"), "{text}");
    assert!(text.contains("--y '[\"file://z\"]'"), "{text}");
}

#[test]
fn no_path_is_an_option() {
    let function = identified("1", "f", "create-function");
    for (form, expected) in [
        (CodeForm::File, "zip -qj \"$work/f.zip\" ./-x.py\n"),
        (CodeForm::Directory, "(cd ./-x.py && zip -qr \"$work/f.zip\" .)\n"),
    ] {
        let text = body(&[
            begun(&function),
            Event::Packed { code: "-x.py".to_owned(), path: "/home/ada/-x.py".to_owned(), form },
            call(
                Some(&function),
                "lambda",
                "CreateFunction",
                json!({"FunctionName": "f", "Code": {"ZipFile": "zip"}}),
            ),
        ]);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_secret_within_json_is_escaped_when_the_script_runs() {
    let invoke = identified("1", "i", "invoke");
    let (text, _) = script(&[
        sample::started(Mode::DryRun),
        begun(&invoke),
        call(
            Some(&invoke),
            "lambda",
            "Invoke",
            json!({"FunctionName": "f", "Payload": {"password": "***"}}),
        ),
        sample::planned().pop().expect("a run ends"),
    ]);
    assert!(text.contains("printf %s '{\"password\":\"'\"$(json \"$SECRETS_PASSWORD\")\"'\"}' >\"$work/i-payload.json\""), "{text}");
    let function =
        text.split_once("json() {").expect("a function").1.split_once("\n}").expect("its end").0;
    let script = format!("json() {{{function}\n}}\njson \"$1\"");
    let secret = "a\"b\\c\nd\t'$(x)` e\n";
    let out = std::process::Command::new("bash")
        .args(["-c", &script, "bash", secret])
        .output()
        .expect("bash runs");
    let written: String =
        serde_json::from_str(&format!("\"{}\"", String::from_utf8_lossy(&out.stdout)))
            .expect("JSON");
    assert_eq!(written, secret);
}
