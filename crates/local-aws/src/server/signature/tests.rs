//! AWS's published examples, and what is refused.

use bytes::Bytes;
use hyper::Method;

use super::*;
use crate::protocol::Protocol;

const IAM_SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const S3_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn secret(key: &str) -> Secret {
    Secret { key: key.to_owned(), token: None }
}

fn request(method: Method, target: &str, headers: &[(&'static str, &str)], body: &[u8]) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let value = |text: &str| hyper::header::HeaderValue::from_str(text).expect("a valid header");
    Request {
        method,
        target: target.to_owned(),
        path: path.split('/').map(str::to_owned).collect(),
        trailing_slash: path.ends_with('/'),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: headers
            .iter()
            .map(|(name, text)| (hyper::header::HeaderName::from_static(name), value(text)))
            .collect(),
        body: Bytes::copy_from_slice(body),
        request_id: "id".to_owned(),
        credential: None,
        on_behalf_of: None,
    }
}

fn at(date: &str) -> SystemTime {
    time(date).expect("a date")
}

/// An example of the page on `Authorization` headers in S3's reference, all of which are signed at this time.
fn of_s3(
    method: Method,
    target: &str,
    more: &[(&'static str, &str)],
    body: &[u8],
    signed: &str,
    signature: &str,
) -> Result<(), Refusal> {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
         SignedHeaders={signed},Signature={signature}"
    );
    let mut headers =
        vec![("x-amz-date", "20130524T000000Z"), ("authorization", authorization.as_str())];
    if more.iter().all(|(name, _)| *name != "host") {
        headers.push(("host", "examplebucket.s3.amazonaws.com"));
    }
    headers.extend(more);
    let request = request(method, target, &headers, body);
    verify(&request, "s3", &secret(S3_SECRET), at("20130524T000000Z"))
}

/// `ListUsers`, as the reference of IAM signs it.
fn list_users(signature: &str) -> Request {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, Signature={signature}"
    );
    request(
        Method::GET,
        "/?Action=ListUsers&Version=2010-05-08",
        &[
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("host", "iam.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
            ("authorization", &authorization),
        ],
        b"",
    )
}

const LIST_USERS: &str = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

#[test]
fn the_example_of_iam_is_verified() {
    let request = list_users(LIST_USERS);
    let now = at("20150830T123600Z");
    assert_eq!(verify(&request, "iam", &secret(IAM_SECRET), now), Ok(()));
    let other = verify(&request, "iam", &secret(S3_SECRET), now);
    assert_eq!(other, Err(Refusal::Mismatch { day: None }));
    let key = signing_key(IAM_SECRET, "20150830/us-east-1/iam/aws4_request");
    assert_eq!(hex(&key), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

#[test]
fn the_examples_of_s3_are_verified() {
    let hash = ("x-amz-content-sha256", EMPTY);
    let plain = "host;x-amz-content-sha256;x-amz-date";
    let range = of_s3(
        Method::GET,
        "/test.txt",
        &[("range", "bytes=0-9"), hash],
        b"",
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    );
    assert_eq!(range, Ok(()));
    let body = b"Welcome to Amazon S3.";
    let put = of_s3(
        Method::PUT,
        "/test%24file.text",
        &[
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("x-amz-content-sha256", &sha256(body)),
        ],
        body,
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    );
    assert_eq!(put, Ok(()));
    for (target, signature) in [
        ("/?lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        (
            "/?prefix=J&max-keys=2",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ] {
        assert_eq!(of_s3(Method::GET, target, &[hash], b"", plain, signature), Ok(()), "{target}");
    }
}

const PRESIGNED: &str = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F\
     us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&\
     X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

fn presigned(target: &str, now: &str) -> Result<(), Refusal> {
    let host = [("host", "examplebucket.s3.amazonaws.com")];
    verify(&request(Method::GET, target, &host, b""), "s3", &secret(S3_SECRET), at(now))
}

#[test]
fn the_presigned_example_is_verified_until_it_has_expired() {
    for good in ["20130524T000000Z", "20130524T235959Z", "20130523T235000Z"] {
        assert_eq!(presigned(PRESIGNED, good), Ok(()), "{good}");
    }
    for over in ["20130525T000001Z", "20130523T234459Z"] {
        let refusal = presigned(PRESIGNED, over).expect_err(over);
        let error = refusal.in_protocol(Protocol::RestXml);
        assert_eq!((error.status, error.code.as_str()), (403, "AccessDenied"), "{over}");
        assert_eq!(error.message, "Request has expired");
    }
    let other = presigned(&PRESIGNED.replace("/test.txt", "/other.txt"), "20130524T000000Z");
    assert_eq!(other, Err(Refusal::Mismatch { day: None }));
    let longer = presigned(&PRESIGNED.replace("=86400", "=604800"), "20130524T000000Z");
    assert_eq!(longer, Err(Refusal::Mismatch { day: None }));
    let too_long = presigned(&PRESIGNED.replace("=86400", "=604801"), "20130524T000000Z");
    assert!(matches!(too_long, Err(Refusal::IncompleteQuery(_))), "{too_long:?}");
}

/// The example of a body in signed chunks: 65 KiB of the letter a.
fn in_chunks(body: &[u8]) -> Result<(), Refusal> {
    of_s3(
        Method::PUT,
        "/examplebucket/chunkObject.txt",
        &[
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
            ("content-encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", "66560"),
            ("content-length", "66824"),
            ("host", "s3.amazonaws.com"),
        ],
        body,
        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;\
         x-amz-storage-class",
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    )
}

#[test]
fn signatures_of_chunks_hang_together() {
    let chunk = |size: usize, signature: &str| {
        format!("{size:x};chunk-signature={signature}\r\n{}\r\n", "a".repeat(size))
    };
    let first = chunk(65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
    let second = chunk(1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
    let end = chunk(0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
    let whole = format!("{first}{second}{end}");
    let mismatch = Err(Refusal::Mismatch { day: None });
    assert_eq!(in_chunks(whole.as_bytes()), Ok(()));
    assert_eq!(in_chunks(format!("{second}{first}{end}").as_bytes()), mismatch);
    assert_eq!(in_chunks(format!("{first}{second}").as_bytes()), mismatch);
    assert_eq!(in_chunks(format!("{first}{end}").as_bytes()), mismatch);
    assert_eq!(in_chunks(whole.replacen("aaaa", "aaab", 1).as_bytes()), mismatch);
    assert_eq!(in_chunks(b"no chunks"), mismatch);
}

#[test]
fn a_signature_is_good_for_fifteen_minutes() {
    let verified = |now| verify(&list_users(LIST_USERS), "iam", &secret(IAM_SECRET), at(now));
    for good in ["20150830T122100Z", "20150830T125100Z"] {
        assert_eq!(verified(good), Ok(()), "{good}");
    }
    let query = |now| verified(now).expect_err(now).in_protocol(Protocol::Query { namespace: "" });
    let late = query("20150830T125101Z");
    assert_eq!((late.status, late.code.as_str()), (403, "SignatureDoesNotMatch"));
    assert_eq!(
        late.message,
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - 15 min.)"
    );
    assert_eq!(
        query("20150830T122059Z").message,
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T122059Z + 15 min.)"
    );
    let s3 = verified("20150830T125101Z").expect_err("late").in_protocol(Protocol::RestXml);
    assert_eq!((s3.status, s3.code.as_str()), (403, "RequestTimeTooSkewed"));
}

#[test]
fn what_is_missing_is_named() {
    let now = at("20150830T123600Z");
    let without = |part: &str, header: &'static str| {
        let mut request = list_users(LIST_USERS);
        let kept = request.header(header).expect("there").replace(part, "");
        request.headers.insert(header, kept.parse().expect("a header"));
        let refusal = verify(&request, "iam", &secret(IAM_SECRET), now).expect_err(part);
        let error = refusal.in_protocol(Protocol::Query { namespace: "" });
        (error.status, error.code, error.message)
    };
    for part in ["SignedHeaders", "Signature", "Credential"] {
        let (status, code, message) = without(&format!(" {part}="), "authorization");
        assert_eq!((status, code.as_str()), (400, "IncompleteSignature"), "{part}: {message}");
        assert!(message.contains(&format!("'{part}'")), "{message}");
    }
    let (_, _, message) = without("host;", "authorization");
    assert!(message.contains("'Host'"), "{message}");
    let (_, _, message) = without("20150830T123600Z", "x-amz-date");
    assert!(message.contains("'X-Amz-Date'"), "{message}");
    let (_, code, message) = without("/20150830/us-east-1", "authorization");
    assert_eq!(code, "IncompleteSignature", "{message}");
}

#[test]
fn a_token_belongs_to_its_key() {
    let now = at("20150830T123600Z");
    let temporary = Secret { key: IAM_SECRET.to_owned(), token: Some("token".to_owned()) };
    let refusal = verify(&list_users(LIST_USERS), "iam", &temporary, now).expect_err("no token");
    assert_eq!(refusal, Refusal::WrongToken);
    let code = |protocol| refusal.in_protocol(protocol).code;
    assert_eq!(code(Protocol::Query { namespace: "" }), "InvalidClientTokenId");
    assert_eq!(code(Protocol::Json10), "UnrecognizedClientException");
    assert_eq!(code(Protocol::RestXml), "InvalidToken");
    let mut with = list_users(LIST_USERS);
    with.headers.insert(TOKEN, "token".parse().expect("a header"));
    assert_eq!(verify(&with, "iam", &temporary, now), Ok(()));
    assert_eq!(verify(&with, "iam", &secret(IAM_SECRET), now), Err(Refusal::WrongToken));
}

#[test]
fn a_scope_is_of_the_day_of_its_request() {
    let mut request = list_users(LIST_USERS);
    request.headers.insert("x-amz-date", "20150831T000000Z".parse().expect("a header"));
    let refusal = verify(&request, "iam", &secret(IAM_SECRET), at("20150831T000000Z"));
    let error = refusal.expect_err("another day").in_protocol(Protocol::Json11);
    assert_eq!((error.status, error.code.as_str()), (400, "InvalidSignatureException"));
    assert!(error.message.contains("'20150830' != '20150831'"), "{}", error.message);
}

#[test]
fn a_body_that_was_not_signed_is_refused() {
    let put = |body: &[u8]| {
        of_s3(
            Method::PUT,
            "/test%24file.text",
            &[
                ("date", "Fri, 24 May 2013 00:00:00 GMT"),
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                ("x-amz-content-sha256", &sha256(b"Welcome to Amazon S3.")),
            ],
            body,
            "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        )
    };
    assert_eq!(put(b"Welcome to Amazon S3."), Ok(()));
    assert_eq!(put(b"Welcome to Amazon S4."), Err(Refusal::WrongPayload));
    let mut request = list_users(LIST_USERS);
    request.body = Bytes::from_static(b"Action=CreateUser");
    let refusal = verify(&request, "iam", &secret(IAM_SECRET), at("20150830T123600Z"));
    assert_eq!(refusal, Err(Refusal::Mismatch { day: None }));
}
