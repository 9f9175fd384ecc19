#!/usr/bin/env bash
# get-started: Create a function and invoke it.
#
# The calls of `playbook run playbooks/get-started.yaml` as commands of the AWS CLI,
# in order, as its dry run tells them. Nothing here cleans up after a failure: the
# commands that clean up stand at the end.
set -euo pipefail
export AWS_PAGER=
export AWS_REGION=eu-central-1 AWS_DEFAULT_REGION=eu-central-1
aws sts get-caller-identity

# 1 Create a role
aws iam create-role --action CreateRole --role-name playbook-k3x9

# 2 Calculate until told to stop
# repeats until not steps.again.answer

# 2.1 invoke
# lambda:Invoke: no command is known for it: POST /2015-03-31/functions/⟨steps.function.arn⟩/invocations
# says: Result: ⟨steps.invoke.payload⟩

# 3 Send a code
# skipped

# Clean-up
# AWS::IAM::Role playbook-k3x9
aws iam delete-role --action DeleteRole --role-name playbook-k3x9
