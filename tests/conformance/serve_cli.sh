#!/usr/bin/env bash
# The AWS CLI against the embedded AWS, as a person would type it. Needs `aws` on PATH and the environment that
# `playbook serve` prints.
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
name=cli-demo

fail() {
    echo "$*" >&2
    exit 1
}

# Runs a command that must be refused with an error code.
refused() {
    local code=$1 said
    shift
    if said=$("$@" 2>&1); then fail "not refused: $*"; fi
    [[ $said == *"($code)"* ]] || fail "refused otherwise than with $code: $said"
}

[ "$(aws sts get-caller-identity --query Account --output text)" = 000000000000 ] || fail 'whose account is this?'

trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
basic=arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
role=$(aws iam create-role --role-name $name --assume-role-policy-document "$trust" --query Role.Arn --output text)
aws iam attach-role-policy --role-name $name --policy-arn $basic
[ "$(aws iam list-attached-role-policies --role-name $name --query 'AttachedPolicies[].PolicyArn' --output text)" = $basic ] || fail 'not attached'

cat >code.py <<'PYTHON'
def handler(event, context):
    print("adding", event["x"], "and", event["y"])
    return event["x"] + event["y"]
PYTHON
python3 -m zipfile -c code.zip code.py

# A role that was made a moment ago cannot be assumed yet: what everybody writes into their scripts.
for attempt in 1 2 3 4 5; do
    if said=$(aws lambda create-function --function-name $name --runtime python3.13 --handler code.handler --role "$role" \
        --zip-file fileb://code.zip --query State --output text 2>&1); then break; fi
    [[ $said == *'cannot be assumed by Lambda'* && $attempt -lt 5 ]] || fail "$said"
done
[ "$said" = Pending ] || fail "a new function is $said"
aws lambda wait function-active-v2 --function-name $name
refused ResourceConflictException aws lambda create-function --function-name $name --runtime python3.13 --handler code.handler \
    --role "$role" --zip-file fileb://code.zip

tail=$(aws lambda invoke --function-name $name --cli-binary-format raw-in-base64-out --payload '{"x": 2, "y": 3}' --log-type Tail \
    --query LogResult --output text out.json 2>/dev/null || aws lambda invoke --function-name $name --payload '{"x": 2, "y": 3}' \
    --log-type Tail --query LogResult --output text out.json)
[ "$(cat out.json)" = 5 ] || fail "2 + 3 is $(cat out.json)"
[[ $(base64 -d <<<"$tail") == *'adding 2 and 3'* ]] || fail "the tail lacks what was printed: $tail"

aws lambda update-function-configuration --function-name $name --timeout 7 --query LastUpdateStatus --output text >/dev/null
aws lambda wait function-updated-v2 --function-name $name
[ "$(aws lambda get-function-configuration --function-name $name --query Timeout --output text)" = 7 ] || fail 'the timeout is not 7'
aws lambda update-function-code --function-name $name --zip-file fileb://code.zip --query CodeSha256 --output text >/dev/null
aws lambda wait function-updated-v2 --function-name $name
[ "$(aws lambda list-functions --query 'Functions[].FunctionName' --output text)" = $name ] || fail 'not listed'
aws lambda add-permission --function-name $name --statement-id pool --action lambda:InvokeFunction \
    --principal cognito-idp.amazonaws.com --query Statement --output text | grep -q cognito-idp

for attempt in $(seq 50); do
    logged=$(aws logs filter-log-events --log-group-name /aws/lambda/$name --query 'events[].message' --output text)
    if [[ $logged == *'adding 2 and 3'* ]]; then break; fi
    [ "$attempt" -lt 50 ] || fail "the log lacks what was printed: $logged"
done

aws lambda delete-function --function-name $name >/dev/null
refused ResourceNotFoundException aws lambda get-function --function-name $name
aws logs delete-log-group --log-group-name /aws/lambda/$name
refused DeleteConflict aws iam delete-role --role-name $name
aws iam detach-role-policy --role-name $name --policy-arn $basic
aws iam delete-role --role-name $name
refused NoSuchEntity aws iam get-role --role-name $name
echo 'every operation answers as the AWS CLI expects'
