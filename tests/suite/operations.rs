//! Any operation of AWS as a step: what editors are told of them.

use std::process::Command;

use crate::harness::peers::peer;
use crate::harness::sandbox::{Sandbox, finish, repository};

/// Reads a schema and playbooks; each of these is right, and each wrong once the first member of its first operation is misspelt.
const HOLDS: &str = r#"
import copy, json, sys, jsonschema, yaml
schema = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))
jsonschema.Draft202012Validator.check_schema(schema.schema)
for file in sys.argv[2:]:
    playbook = yaml.safe_load(open(file))
    schema.validate(playbook)
    steps = playbook["steps"]
    place, kind = next((place, kind) for place, step in enumerate(steps) for kind in step if ":" in kind)
    misspelt = copy.deepcopy(playbook)
    members = misspelt["steps"][place][kind]
    name = next(iter(members))
    members[name[:-1]] = members.pop(name)
    errors = [error.message for error in schema.iter_errors(misspelt)]
    assert any(f"'{name[:-1]}' was unexpected" in error for error in errors), errors
    unheard_of = copy.deepcopy(playbook)
    unheard_of["steps"][place] = {kind[:-1]: {}}
    assert not schema.is_valid(unheard_of), kind[:-1]
    wrong_type = copy.deepcopy(playbook)
    wrong_type["steps"][place][kind][name] = {"a": "map"}
    assert not schema.is_valid(wrong_type), name
    print(file.rpartition("/")[2])
"#;

#[test]
fn the_schema_with_services_holds_playbooks_against_their_models() {
    let Some(python) = peer("python") else { return };
    let sandbox = Sandbox::new();
    let services = "ssm,dynamodb,logs,iam,cognito-idp,s3";
    let schema = sandbox.run(["schema", "--service", services]).exited(0).stdout;
    sandbox.write("playbook.schema.json", &schema);
    let mut command = Command::new(python);
    command.arg("-c").arg(HOLDS).arg(sandbox.work().join("playbook.schema.json"));
    command.arg(repository().join("playbooks/examples/operations.yaml"));
    command.arg(repository().join("tests/adversary/playbooks/operations.yaml"));
    let checked = finish(&mut command, "").exited(0).stdout;
    assert_eq!(checked, "operations.yaml\noperations.yaml\n");
}
