#!/usr/bin/env bash
# The AWS CLI against the embedded S3: what people type.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
name=cli-demo
fail() { echo "$*" >&2; exit 1; }
refused() {
    local code=$1 said; shift
    if said=$("$@" 2>&1); then fail "$* is not refused"; fi
    [[ $said == *"($code)"* ]] || fail "$* is refused otherwise: $said"
}

aws s3 mb s3://$name >/dev/null
[ "$(aws s3 ls | cut -d' ' -f3)" = $name ] || fail 'the bucket is not listed'
printf 'naïve\n' >'ä b.txt'
aws s3 cp 'ä b.txt' "s3://$name/dir/ä b.txt" >/dev/null
aws s3 cp "s3://$name/dir/ä b.txt" back.txt >/dev/null
cmp 'ä b.txt' back.txt || fail 'it comes back otherwise'
[[ $(aws s3 ls s3://$name --recursive) == *'7 dir/ä b.txt' ]] || fail "listed: $(aws s3 ls s3://$name --recursive)"
[[ $(aws s3 ls s3://$name) == *'PRE dir/' ]] || fail 'the folder is not shown as one'
[ "$(aws s3api head-object --bucket $name --key 'dir/ä b.txt' --query ContentType --output text)" = text/plain ] || fail 'type'
head -c 9000000 /dev/zero >large
aws s3 cp large s3://$name/large >/dev/null
aws s3 cp s3://$name/large - | cmp - large || fail 'what was sent in parts comes back otherwise'
aws s3 mv s3://$name/large s3://$name/moved >/dev/null
refused 404 aws s3api head-object --bucket $name --key large
mkdir tree && touch tree/{1,2,3}
aws s3 sync tree s3://$name/tree >/dev/null
[ -z "$(aws s3 sync tree s3://$name/tree)" ] || fail 'there is something left to synchronise'
refused NoSuchKey aws s3api get-object --bucket $name --key missing out
refused BucketNotEmpty aws s3api delete-bucket --bucket $name
aws s3 rm s3://$name --recursive >/dev/null
aws s3 rb s3://$name >/dev/null
refused 404 aws s3api head-bucket --bucket $name
echo 'S3 answers as the AWS CLI expects'
