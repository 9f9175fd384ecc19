//! What AWS's own clients do not show: they run where they are installed, these run everywhere.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use hyper::Method;

use super::address::{Address, address, operation};
use super::{Context, State, routes};
use crate::account::latency::LatencyProfile;
use crate::http::{Request, Response};
use crate::protocol::AwsError;

fn request(method: Method, target: &str, headers: &[(&'static str, &str)], body: &str) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let whole = path.trim_start_matches('/');
    let inner = whole.strip_suffix('/').unwrap_or(whole);
    let segments = inner.split('/').filter(|_| !inner.is_empty()).map(str::to_owned);
    let value = |text: &str| hyper::header::HeaderValue::from_str(text).expect("a header");
    Request {
        method,
        target: String::new(),
        path: segments.collect(),
        trailing_slash: path.ends_with('/'),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: headers
            .iter()
            .map(|(name, text)| (hyper::header::HeaderName::from_static(name), value(text)))
            .collect(),
        body: Bytes::from(body.to_owned()),
        request_id: "id".to_owned(),
        credential: None,
        on_behalf_of: None,
    }
}

fn context(region: &str) -> Context {
    Context {
        account_id: "123456789012".to_owned(),
        region: region.to_owned(),
        now: UNIX_EPOCH + Duration::from_secs(1_800_000_000),
        latency: LatencyProfile::None,
    }
}

struct S3 {
    state: State,
    region: &'static str,
}

impl S3 {
    fn new(region: &'static str) -> Self {
        Self { state: State::default(), region }
    }

    fn call(
        &mut self,
        method: Method,
        target: &str,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> Result<Response, AwsError> {
        let request = request(method, target, headers, body);
        routes::route(&mut self.state, &request, &context(self.region))
    }

    fn text(&mut self, target: &str) -> String {
        let response = self.call(Method::GET, target, &[], "").expect(target);
        String::from_utf8_lossy(&response.body).into_owned()
    }
}

fn location(region: &str) -> String {
    format!(
        "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
    )
}

#[test]
fn a_request_names_a_bucket_in_its_path_or_in_its_host() {
    let of =
        |target: &str, host: &str| address(&request(Method::GET, target, &[("host", host)], ""));
    let object = |bucket: &str, key: &str| Address::Object(bucket.to_owned(), key.to_owned());
    let plain = "127.0.0.1:4566";
    assert_eq!(of("/", plain), Address::Service);
    assert_eq!(of("/b", plain), Address::Bucket("b".to_owned()));
    assert_eq!(of("/b/", plain), Address::Bucket("b".to_owned()));
    assert_eq!(of("/b/k", "localhost:1"), object("b", "k"));
    assert_eq!(of("/b/k/", "localhost:1"), object("b", "k/"));
    assert_eq!(of("/b//k", "localhost"), object("b", "/k"));
    assert_eq!(of("/", "b.c.localhost:1"), Address::Bucket("b.c".to_owned()));
    assert_eq!(of("/k/1/", "b.s3.localhost"), object("b", "k/1/"));
    assert_eq!(of("/b/k", "s3.localhost:1"), object("b", "k"));
}

#[test]
fn operations_are_told_apart() {
    let of = |method, target| operation(&request(method, target, &[], ""));
    assert_eq!(of(Method::PUT, "/b"), "CreateBucket");
    assert_eq!(of(Method::PUT, "/b?tagging"), "PutBucketTagging");
    assert_eq!(of(Method::PUT, "/b/k?x-id=PutObject"), "PutObject");
    assert_eq!(of(Method::POST, "/b/k?uploadId=1"), "CompleteMultipartUpload");
    assert_eq!(of(Method::PUT, "/b/k?acl"), "");
    assert_eq!(of(Method::PATCH, "/b/k"), "");
}

#[test]
fn only_the_first_region_lets_a_bucket_be_made_again() {
    let mut first = S3::new("us-east-1");
    assert!(first.call(Method::PUT, "/bucket", &[], "").is_ok());
    assert!(first.call(Method::PUT, "/bucket", &[], "").is_ok());
    let mut other = S3::new("eu-west-1");
    let refused = other.call(Method::PUT, "/bucket", &[], "").expect_err("no location");
    assert_eq!(refused.code, "IllegalLocationConstraintException");
    assert!(other.call(Method::PUT, "/bucket", &[], &location("eu-west-1")).is_ok());
    let again = other.call(Method::PUT, "/bucket", &[], &location("eu-west-1"));
    assert_eq!(again.expect_err("it is there").code, "BucketAlreadyOwnedByYou");
    assert!(other.text("/bucket?location").contains(">eu-west-1</LocationConstraint>"));
}

#[test]
fn a_snapshot_shows_what_differs() {
    let mut s3 = S3::new("us-east-1");
    assert_eq!(s3.state.snapshot(), serde_json::json!({}));
    s3.call(Method::PUT, "/bucket", &[], "").expect("made");
    let empty = s3.state.snapshot();
    s3.call(Method::PUT, "/bucket/k", &[("x-amz-meta-a", "b")], "one").expect("written");
    let one = s3.state.snapshot();
    s3.call(Method::PUT, "/bucket/k", &[("x-amz-meta-a", "b")], "two").expect("written");
    let two = s3.state.snapshot();
    assert!(empty != one && one != two);
    s3.call(Method::PUT, "/bucket/k", &[("x-amz-meta-a", "b")], "one").expect("written");
    assert_eq!(s3.state.snapshot(), one, "the time is no part of it");
    s3.call(Method::DELETE, "/bucket/k", &[], "").expect("deleted");
    assert_eq!(s3.state.snapshot(), empty);
}

#[test]
fn a_group_is_listed_once_also_where_a_page_ends_in_it() {
    let mut s3 = S3::new("us-east-1");
    s3.call(Method::PUT, "/bucket", &[], "").expect("made");
    for key in ["a/1", "a/2", "b", "c/1"] {
        s3.call(Method::PUT, &format!("/bucket/{key}"), &[], "").expect("written");
    }
    let list = "/bucket?list-type=2&delimiter=/&max-keys=1";
    let (mut target, mut names) = (list.to_owned(), Vec::new());
    let inside = |text: &str, tag: &str| -> Option<String> {
        let rest = text.split_once(&format!("<{tag}>"))?.1;
        Some(rest.split_once('<')?.0.to_owned())
    };
    loop {
        let page = s3.text(&target);
        let line = page.split_once("<CommonPrefixes>").map(|(_, rest)| rest);
        names.extend(line.and_then(|line| inside(line, "Prefix")).or_else(|| inside(&page, "Key")));
        match inside(&page, "NextContinuationToken") {
            Some(token) => target = format!("{list}&continuation-token={token}"),
            None => break,
        }
    }
    assert_eq!(names, ["a/", "b", "c/"]);
}

#[test]
fn no_body_brings_it_down() {
    let mut s3 = S3::new("us-east-1");
    s3.call(Method::PUT, "/bucket", &[], "").expect("made");
    let chunked = [("content-encoding", "aws-chunked")];
    for body in [
        "",
        "\r\n",
        "zz\r\n",
        "ffffffffffffffffff\r\n",
        "ffffffffffffffff\r\na",
        "5\r\nabc",
        "1\r\nab\r\n0\r\n\r\n",
    ] {
        let refused = s3.call(Method::PUT, "/bucket/k", &chunked, body).expect_err(body);
        assert_eq!(refused.code, "IncompleteBody", "{body}");
    }
    for range in
        ["bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "lines=1-2", "bytes=1-2,4-5", "bytes=0-0"]
    {
        s3.call(Method::PUT, "/bucket/k", &[], "abc").expect("written");
        let got = s3.call(Method::GET, "/bucket/k", &[("range", range)], "").expect(range);
        assert_eq!(got.status, if range == "bytes=0-0" { 206 } else { 200 }, "{range}");
    }
    for range in ["bytes=3-", "bytes=-0", "bytes=99999999999999999-"] {
        let refused = s3.call(Method::GET, "/bucket/k", &[("range", range)], "").expect_err(range);
        assert_eq!((refused.status, refused.code.as_str()), (416, "InvalidRange"), "{range}");
    }
    let last = s3.call(Method::GET, "/bucket/k", &[("range", "bytes=1-18446744073709551615")], "");
    assert_eq!(last.expect("to the end").body, "bc");
}

#[test]
fn tags_that_a_bucket_is_made_with_show_up_late() {
    let mut state = State::default();
    let mut context = Context { latency: LatencyProfile::Real, ..context("us-east-1") };
    let tags = "<Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags>";
    let body = format!("<CreateBucketConfiguration>{tags}</CreateBucketConfiguration>");
    let create = request(Method::PUT, "/demo", &[], &body);
    routes::route(&mut state, &create, &context).expect("made");
    let look = request(Method::GET, "/demo?tagging", &[], "");
    let refused = routes::route(&mut state, &look, &context).expect_err("not seen yet");
    assert_eq!(refused.code, "NoSuchTagSet");
    context.now += Duration::from_secs(2);
    let seen = routes::route(&mut state, &look, &context).expect("seen");
    assert!(String::from_utf8_lossy(&seen.body).contains("<Key>a</Key>"));
}

#[test]
fn what_s3_keeps_with_an_object_is_said_and_not_copied() {
    let mut s3 = S3::new("us-east-1");
    s3.call(Method::PUT, "/bucket", &[], "").expect("a bucket");
    let put = [("x-amz-storage-class", "STANDARD_IA"), ("x-amz-server-side-encryption", "aws:kms")];
    s3.call(Method::PUT, "/bucket/k", &put, "text").expect("an object");
    let header = |response: &Response, name: &str| {
        let found = response.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone())
    };
    let got =
        s3.call(Method::GET, "/bucket/k?response-content-disposition=x", &[], "").expect("it");
    assert_eq!(header(&got, "x-amz-storage-class").as_deref(), Some("STANDARD_IA"));
    assert_eq!(header(&got, "content-disposition").as_deref(), Some("x"));
    let copied = [("x-amz-copy-source", "/bucket/k")];
    s3.call(Method::PUT, "/bucket/copy", &copied, "").expect("a copy");
    let got = s3.call(Method::GET, "/bucket/copy", &[], "").expect("the copy");
    assert_eq!(header(&got, "x-amz-storage-class"), None);
    assert_eq!(header(&got, "x-amz-server-side-encryption").as_deref(), Some("AES256"));
    for (headers, code) in [
        (("x-amz-storage-class", "ATTIC"), "InvalidStorageClass"),
        (("x-amz-acl", "public-read"), "AccessControlListNotSupported"),
        (("x-amz-object-lock-mode", "GOVERNANCE"), "InvalidRequest"),
        (("x-amz-server-side-encryption-customer-algorithm", "AES256"), "NotImplemented"),
    ] {
        let error = s3.call(Method::PUT, "/bucket/no", &[headers], "x").expect_err(code);
        assert_eq!(error.code, code);
    }
}

#[test]
fn times_are_conditions_too() {
    let mut s3 = S3::new("us-east-1");
    s3.call(Method::PUT, "/bucket", &[], "").expect("a bucket");
    s3.call(Method::PUT, "/bucket/k", &[], "text").expect("an object");
    // The object was written on the fifteenth.
    let (before, after) = ("Thu, 14 Jan 2027 08:00:00 GMT", "Sat, 16 Jan 2027 08:00:00 GMT");
    let mut status = |name: &'static str, date: &str| {
        s3.call(Method::GET, "/bucket/k", &[(name, date)], "")
            .map_or_else(|error| error.status, |ok| ok.status)
    };
    assert_eq!(status("if-modified-since", before), 200);
    assert_eq!(status("if-modified-since", after), 304);
    assert_eq!(status("if-unmodified-since", before), 412);
    assert_eq!(status("if-unmodified-since", after), 200);
    assert_eq!(status("if-unmodified-since", "yesterday"), 200);
}
