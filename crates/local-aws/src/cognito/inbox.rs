//! The mail that AWS would have sent.

use std::fmt::Write;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::protocol::timestamp::iso8601;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// When it was sent.
    pub time: SystemTime,
    /// The pool that sent it.
    pub user_pool_id: String,
    /// Whom it is about.
    pub username: String,
    /// An e-mail address or a phone number.
    pub to: String,
    /// `EMAIL` or `SMS`.
    pub medium: &'static str,
    /// Such as `CustomMessage_SignUp`: why it was sent.
    pub reason: String,
    /// Nothing, in an SMS.
    pub subject: String,
    /// The text.
    pub body: String,
    /// The code, or temporary password, in the text.
    pub code: String,
}

impl Message {
    fn render(&self) -> Value {
        json!({
            "time": iso8601(self.time),
            "userPoolId": self.user_pool_id,
            "username": self.username,
            "to": self.to,
            "medium": self.medium,
            "reason": self.reason,
            "subject": self.subject,
            "body": self.body,
            "code": self.code,
        })
    }
}

/// The messages as JSON, the oldest first.
pub(super) fn as_json(messages: &[Message]) -> Value {
    let shown: Vec<Value> = messages.iter().map(Message::render).collect();
    json!({"messages": shown})
}

/// The messages as a page to look at, the newest first.
pub(super) fn as_html(messages: &[Message]) -> String {
    let mut rows = String::new();
    for message in messages.iter().rev() {
        let cells = [
            iso8601(message.time),
            message.to.clone(),
            message.medium.to_owned(),
            message.subject.clone(),
            message.body.clone(),
            message.code.clone(),
            message.user_pool_id.clone(),
        ];
        let row: String = cells.iter().fold(String::new(), |mut row, cell| {
            let _ = write!(row, "<td>{}</td>", escape(cell));
            row
        });
        let _ = writeln!(rows, "<tr>{row}</tr>");
    }
    if rows.is_empty() {
        rows.push_str("<tr><td colspan=\"7\">Nothing has been sent yet.</td></tr>\n");
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Inbox</title><style>\
         body{{font:16px/1.5 sans-serif;margin:2rem}}table{{border-collapse:collapse}}\
         td,th{{border:1px solid #ccc;padding:.3rem .6rem;text-align:left;vertical-align:top;white-space:pre-wrap}}\
         </style></head><body><h1>Inbox</h1><p>What Cognito would have sent, the newest first.</p><table><thead><tr>\
         <th>Time</th><th>To</th><th>Medium</th><th>Subject</th><th>Text</th><th>Code</th><th>User pool</th></tr></thead>\
         <tbody>\n{rows}</tbody></table></body></html>\n"
    )
}

fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn what_a_message_says_is_text_and_nothing_else() {
        let message = Message {
            time: UNIX_EPOCH,
            user_pool_id: "us-east-1_a".to_owned(),
            username: "u".to_owned(),
            to: "<script>@x.com".to_owned(),
            medium: "EMAIL",
            reason: "CustomMessage_SignUp".to_owned(),
            subject: "a & b".to_owned(),
            body: "\"quoted\"".to_owned(),
            code: "123456".to_owned(),
        };
        let page = as_html(std::slice::from_ref(&message));
        assert!(page.contains("<td>&lt;script&gt;@x.com</td>"));
        assert!(page.contains("<td>a &amp; b</td><td>&quot;quoted&quot;</td><td>123456</td>"));
        assert!(!page.contains("<script>"));
        assert_eq!(as_json(&[message])["messages"][0]["code"], "123456");
        assert!(as_html(&[]).contains("Nothing has been sent yet."));
    }
}
