//! Changes of a table's items. <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>

use aws_sdk_dynamodb::types::AttributeValue;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::setting::{Made, Patch, Setting, Time, seconds};
use crate::resources::items::attribute_value::{Item, Plain, Unfit, item, plain};
use engine::step::StepError;

/// Changes of a DynamoDB table's items.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    /// The changes, in order.
    records: Vec<Record>,
    /// The table's name.
    #[serde(default = "table")]
    table: String,
    /// The attributes that make the table's key.
    key: Vec<String>,
    /// When the stream was enabled, which is its name.
    stream_label: Option<String>,
    /// What the stream holds of each change.
    #[serde(default)]
    stream_view_type: View,
    /// Whether items are written in DynamoDB's own notation, such as `{id: {S: a}}`.
    #[serde(default)]
    typed: bool,
}

fn table() -> String {
    "my-table".to_owned()
}

/// What a stream holds of a change.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum View {
    /// The item before and after.
    #[default]
    NewAndOldImages,
    /// The item after.
    NewImage,
    /// The item before.
    OldImage,
    /// Its key alone.
    KeysOnly,
}

impl View {
    fn name(self) -> &'static str {
        match self {
            Self::NewAndOldImages => "NEW_AND_OLD_IMAGES",
            Self::NewImage => "NEW_IMAGE",
            Self::OldImage => "OLD_IMAGE",
            Self::KeysOnly => "KEYS_ONLY",
        }
    }
}

/// A change: an item that is new, one that is gone, or one before and after.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Record {
    /// The item after the change.
    new_image: Option<Plain>,
    /// The item before the change.
    old_image: Option<Plain>,
    /// The change's number; made from the table and its place when left out.
    sequence_number: Option<String>,
    /// Its id; made from the table, the item and its place when left out.
    event_id: Option<String>,
    /// When it was made.
    time: Option<Time>,
    /// What the record is to have beside or otherwise, as a merge patch: null removes.
    #[serde(default)]
    patch: Patch,
}

impl super::Source for Given {
    fn event(self, setting: &Setting) -> Result<Made, StepError> {
        let label = self
            .stream_label
            .clone()
            .unwrap_or_else(|| setting.time(None).strftime("%Y-%m-%dT%H:%M:%S.%3f").to_string());
        let arn = setting.arn("dynamodb", &format!("table/{}/stream/{label}", self.table));
        let shape = Shape { key: &self.key, view: self.stream_view_type, typed: self.typed };
        let mut made = Made { event: Value::Null, identifiers: Vec::new() };
        let mut records = Vec::new();
        for (at, record) in self.records.into_iter().enumerate() {
            let (number, record) = change(setting, record, at, &arn, &shape)?;
            made.identifiers.push(number);
            records.push(record);
        }
        made.event = json!({"Records": records});
        Ok(made)
    }
}

/// What the table and its stream are like.
struct Shape<'g> {
    key: &'g [String],
    view: View,
    typed: bool,
}

fn change(
    setting: &Setting,
    record: Record,
    at: usize,
    arn: &str,
    shape: &Shape<'_>,
) -> Result<(String, Value), StepError> {
    let read = |name: &str, image: Option<&Plain>| {
        let unfit = |unfit: Unfit| unfit.within(&name).within(&at).of("records");
        image.map(|image| item(image, shape.typed)).transpose().map_err(unfit)
    };
    let new = read("new_image", record.new_image.as_ref())?;
    let old = read("old_image", record.old_image.as_ref())?;
    let (name, any) = match (&new, &old) {
        (Some(new), None) => ("INSERT", new),
        (Some(new), Some(_)) => ("MODIFY", new),
        (None, Some(old)) => ("REMOVE", old),
        (None, None) => return Err(no_image(at)),
    };
    let keys = keys(shape.key, any, at)?;
    let number = record.sequence_number.unwrap_or_else(|| {
        let field = format!("Records[{at}].dynamodb.SequenceNumber");
        // 23 digits that grow.
        setting.derived(&[arn], &field, |it| (it.number(23) + at as u128).to_string())
    });
    let content = Value::Object(plain(any, true)).to_string();
    let id = record.event_id.unwrap_or_else(|| {
        let seed = [arn, &at.to_string(), name, &content];
        setting.derived(&seed, &format!("Records[{at}].eventID"), |it| it.hex(32))
    });
    let new = new.filter(|_| matches!(shape.view, View::NewAndOldImages | View::NewImage));
    let old = old.filter(|_| matches!(shape.view, View::NewAndOldImages | View::OldImage));
    let mut of_table = Map::new();
    let mut set = |name: &str, value: Value| of_table.insert(name.to_owned(), value);
    set("ApproximateCreationDateTime", seconds(setting.time(record.time)));
    set("Keys", Value::Object(plain(&keys, true)));
    for (name, image) in [("NewImage", &new), ("OldImage", &old)] {
        if let Some(image) = image {
            set(name, Value::Object(plain(image, true)));
        }
    }
    set("SequenceNumber", json!(number));
    let bytes: usize =
        [Some(&keys), new.as_ref(), old.as_ref()].into_iter().flatten().map(size).sum();
    set("SizeBytes", json!(bytes));
    set("StreamViewType", json!(shape.view.name()));
    let whole = json!({
        "eventID": id,
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": setting.region,
        "dynamodb": of_table,
        "eventSourceARN": arn,
    });
    Ok((number, record.patch.apply(whole)))
}

fn no_image(at: usize) -> StepError {
    StepError::input(
        &format!("records.{at}"),
        format!("record {at} has neither `new_image` nor `old_image`"),
        "write `new_image` for an item that is new, `old_image` for one that is gone, both for one that has changed",
    )
}

fn keys(names: &[String], image: &Item, at: usize) -> Result<Item, StepError> {
    let one = |name: &String| match image.get(name) {
        Some(value) => Ok((name.clone(), value.clone())),
        None => Err(StepError::input(
            &format!("records.{at}"),
            format!("the item of record {at} has no `{name}`, which is in the table's key"),
            format!("give the item a `{name}`, or name other attributes under `key`"),
        )),
    };
    names.iter().map(one).collect()
}

/// How DynamoDB counts the bytes of an item.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + size_of(value)).sum()
}

fn size_of(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => size_of_number(number),
        AttributeValue::B(blob) => blob.as_ref().len(),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Ns(numbers) => numbers.iter().map(|number| size_of_number(number)).sum(),
        AttributeValue::Bs(blobs) => blobs.iter().map(|blob| blob.as_ref().len()).sum(),
        AttributeValue::L(values) => {
            3 + values.iter().map(|value| 1 + size_of(value)).sum::<usize>()
        }
        AttributeValue::M(fields) => 3 + fields.len() + size(fields),
        // `Null`, true and false.
        _ => 1,
    }
}

/// A byte for every two digits that count, and one more.
fn size_of_number(number: &str) -> usize {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let significant = digits.trim_start_matches('0');
    let significant = significant.trim_end_matches('0').len();
    significant.div_ceil(2) + 1 + usize::from(number.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_large_as_dynamodb_says() {
        for (number, bytes) in
            [("0", 1), ("101", 3), ("100", 2), ("-1", 3), ("3.14159", 4), ("1e5", 2)]
        {
            assert_eq!(size_of_number(number), bytes, "{number}");
        }
    }

    #[test]
    fn the_items_of_awss_sample_are_as_large_as_it_says() {
        let typed =
            |fields: Value| item(fields.as_object().expect("a map"), true).expect("an item");
        let key = size(&typed(json!({"Id": {"N": "101"}})));
        let new = size(&typed(json!({"Id": {"N": "101"}, "Message": {"S": "New item!"}})));
        let text = json!({"Id": {"N": "101"}, "Message": {"S": "This item has changed"}});
        let changed = size(&typed(text));
        assert_eq!([key + new, key + changed + new, key + changed], [26, 59, 38]);
    }
}
