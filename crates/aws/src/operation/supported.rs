//! What this client does not call, and why.

use aws_model::Found;

/// Why an operation cannot be called, as the end of a sentence that begins with its name; nothing where it can.
#[must_use]
pub fn unsupported(found: &Found) -> Option<&'static str> {
    let Found { service, operation } = found;
    let streams = |root| service.event_stream_of(root).is_some();
    if streams(operation.input.as_ref()) || streams(operation.output.as_ref()) {
        return Some("streams events, which a step cannot hold");
    }
    if operation.unsigned {
        return None;
    }
    let ways: &[&str] =
        if operation.auth.is_empty() { &service.metadata.auth } else { &operation.auth };
    if !ways.is_empty() && !ways.iter().any(|way| way.ends_with("#sigv4") || is_open(way)) {
        let is_multi_region = ways.iter().any(|way| way.ends_with("#sigv4a"));
        return Some(if is_multi_region {
            "takes a signature for several regions (SigV4a), which is not made here"
        } else {
            "takes a bearer token, which is not had here"
        });
    }
    match service.metadata.signature_version {
        "v4" | "s3" | "s3v4" => None,
        "bearer" => Some("takes a bearer token, which is not had here"),
        _ => Some("takes a signature of an old version, which is not made here"),
    }
}

/// Whether nobody has to say who calls.
pub(super) fn is_open(way: &str) -> bool {
    way.ends_with("#noAuth")
}

#[cfg(test)]
mod tests {
    use super::unsupported;

    #[test]
    fn streams_of_events_and_other_signatures_are_refused() {
        let reason = |name: &str| unsupported(&aws_model::find(name).expect("it is there"));
        assert_eq!(reason("sqs:CreateQueue"), None);
        assert_eq!(reason("s3:PutObject"), None);
        assert_eq!(reason("cognito-idp:SignUp"), None);
        assert_eq!(reason("sts:AssumeRoleWithWebIdentity"), None);
        let streams = Some("streams events, which a step cannot hold");
        assert_eq!(reason("kinesis:SubscribeToShard"), streams);
        assert_eq!(reason("lambda:InvokeWithResponseStream"), streams);
        let bearer = Some("takes a bearer token, which is not had here");
        assert_eq!(reason("codecatalyst:ListSpaces"), bearer);
    }
}
