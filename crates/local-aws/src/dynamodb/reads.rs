//! `GetItem`, `Query`, `Scan`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::capacity::{self, Capacity};
use super::error::{VALIDATION, at_the_front, invalid_values, validation};
use super::expression::{
    Condition, Path, Placeholders, parse_condition, parse_projection, project,
};
use super::key_condition::{KeyCondition, Resolved};
use super::keys::{Key, KeySchema};
use super::legacy::{self, LegacyCondition};
use super::table::{Index, Projection, Table};
use super::value::{Item, item_size, read_item, write_item};
use super::{Context, State};
use crate::protocol::{AwsError, Constraints};

const LARGEST_PAGE: usize = 1024 * 1024;

/// What a read is asked for, whichever it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ReadRequest {
    pub(super) table_name: Option<String>,
    index_name: Option<String>,
    pub(super) key: Option<Map<String, Value>>,
    key_condition_expression: Option<String>,
    filter_expression: Option<String>,
    projection_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    expression_attribute_values: Option<Map<String, Value>>,
    select: Option<String>,
    limit: Option<i64>,
    exclusive_start_key: Option<Map<String, Value>>,
    scan_index_forward: Option<bool>,
    consistent_read: Option<bool>,
    segment: Option<i64>,
    total_segments: Option<i64>,
    return_consumed_capacity: Option<String>,
    attributes_to_get: Option<Vec<String>>,
    key_conditions: Option<BTreeMap<String, LegacyCondition>>,
    query_filter: Option<BTreeMap<String, LegacyCondition>>,
    scan_filter: Option<BTreeMap<String, LegacyCondition>>,
    conditional_operator: Option<String>,
}

/// A read whose expressions have been parsed.
struct Read {
    keys: Option<KeyCondition>,
    filter: Option<Condition>,
    projection: Option<Vec<Path>>,
}

impl ReadRequest {
    /// What says the same as expressions, in the way of old.
    fn parse_legacy(&self) -> Result<Option<Read>, AwsError> {
        legacy::check_not_both(
            &[
                ("AttributesToGet", self.attributes_to_get.is_some()),
                ("KeyConditions", self.key_conditions.is_some()),
                ("QueryFilter", self.query_filter.is_some()),
                ("ScanFilter", self.scan_filter.is_some()),
                ("ConditionalOperator", self.conditional_operator.is_some()),
            ],
            &[
                ("KeyConditionExpression", self.key_condition_expression.is_some()),
                ("FilterExpression", self.filter_expression.is_some()),
                ("ProjectionExpression", self.projection_expression.is_some()),
            ],
        )?;
        let operator = self.conditional_operator.as_deref();
        let filter = self.query_filter.as_ref().or(self.scan_filter.as_ref());
        let read = Read {
            keys: self.key_conditions.as_ref().map(legacy::key_conditions).transpose()?,
            filter: filter.map(|filter| legacy::filter(filter, operator)).transpose()?.flatten(),
            projection: self.attributes_to_get.as_deref().map(legacy::projection),
        };
        let is_given = self.conditional_operator.is_some()
            || read.keys.is_some()
            || filter.is_some()
            || read.projection.is_some();
        Ok(is_given.then_some(read))
    }

    fn parse(&self) -> Result<Read, AwsError> {
        if let Some(read) = self.parse_legacy()? {
            return Ok(read);
        }
        let expressions =
            [&self.key_condition_expression, &self.filter_expression, &self.projection_expression];
        let placeholders = Placeholders::read(
            self.expression_attribute_names.as_ref(),
            self.expression_attribute_values.as_ref(),
            expressions.iter().any(|expression| expression.is_some()),
        )?;
        let keys = self.key_condition_expression.as_deref();
        let filter = self.filter_expression.as_deref();
        let projection = self.projection_expression.as_deref();
        let read = Read {
            filter: filter
                .map(|text| parse_condition("FilterExpression", text, &placeholders))
                .transpose()?,
            keys: keys.map(|text| KeyCondition::parse(text, &placeholders)).transpose()?,
            projection: projection.map(|text| parse_projection(text, &placeholders)).transpose()?,
        };
        placeholders.check_used()?;
        Ok(read)
    }

    fn is_query(&self) -> bool {
        self.key_condition_expression.is_some() || self.key_conditions.is_some()
    }

    fn consistent(&self) -> bool {
        self.consistent_read.unwrap_or_default()
    }

    fn limit(&self) -> Result<usize, AwsError> {
        let Some(limit) = self.limit else {
            return Ok(usize::MAX);
        };
        Constraints::new().range("limit", limit, 1, i64::MAX).check(VALIDATION)?;
        Ok(usize::try_from(limit).unwrap_or(usize::MAX))
    }

    /// `(segment, segments)` of a parallel scan.
    fn segment(&self) -> Result<Option<(u64, u64)>, AwsError> {
        match (self.segment, self.total_segments) {
            (None, None) => Ok(None),
            (Some(segment), Some(total)) => {
                Constraints::new()
                    .range("segment", segment, 0, 999_999)
                    .range("totalSegments", total, 1, 1_000_000)
                    .check(VALIDATION)?;
                if segment >= total {
                    return Err(validation(format!(
                        "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: \
                         {segment} is not less than TotalSegments: {total}"
                    )));
                }
                Ok(Some((segment.unsigned_abs(), total.unsigned_abs())))
            }
            (Some(_), None) => Err(validation(
                "The TotalSegments parameter is required but was not present in the request when Segment parameter \
                 is present",
            )),
            (None, Some(_)) => Err(validation(
                "The Segment parameter is required but was not present in the request when parameter TotalSegments \
                 is present",
            )),
        }
    }
}

/// The table or one of its indexes, as rows in their order.
struct Source<'t> {
    table: &'t Table,
    index: Option<&'t Index>,
}

impl<'t> Source<'t> {
    fn new(table: &'t Table, request: &ReadRequest) -> Result<Self, AwsError> {
        let Some(name) = &request.index_name else {
            return Ok(Self { table, index: None });
        };
        let index = table.indexes.get(name).ok_or_else(|| {
            validation(format!("The table does not have the specified index: {name}"))
        })?;
        if index.global && request.consistent() {
            return Err(validation(
                "Consistent reads are not supported on global secondary indexes",
            ));
        }
        Ok(Self { table, index: Some(index) })
    }

    fn key(&self) -> &'t KeySchema {
        self.index.map_or(&self.table.key, |index| &index.key)
    }

    /// Each item with where it sorts: by the index's key, then by the table's.
    fn rows(&self) -> Vec<((Key, Key), &'t Item)> {
        let key = self.key();
        let mut rows: Vec<_> = self
            .table
            .items
            .iter()
            .filter_map(|(own, item)| Some(((key.find(item)?, own.clone()), item)))
            .collect();
        rows.sort_by(|(left, _), (right, _)| left.cmp(right));
        rows
    }

    /// What identifies a row for the next page.
    fn page_key(&self, item: &Item) -> Item {
        let mut key = self.table.key.cut(item);
        key.extend(self.key().cut(item));
        key
    }

    fn start(&self, given: &Map<String, Value>) -> Result<(Key, Key), AwsError> {
        let given = read_item(given)?;
        let refused = || validation("The provided starting key is invalid");
        let own = self.table.key.of_key(&self.table.key.cut(&given)).map_err(|_| refused())?;
        let key = self.key().of_key(&self.key().cut(&given)).map_err(|_| refused())?;
        if self.page_key(&given).len() != given.len() {
            return Err(refused());
        }
        Ok((key, own))
    }

    /// Where a page begins, which has to be where its rows are.
    fn start_within(
        &self,
        request: &ReadRequest,
        wanted: Option<&Resolved<'_>>,
    ) -> Result<Option<(Key, Key)>, AwsError> {
        let Some(given) = &request.exclusive_start_key else { return Ok(None) };
        let start = self.start(given)?;
        let item = read_item(given)?;
        if wanted.is_some_and(|wanted| !wanted.holds(&item)) {
            return Err(validation(
                "The provided starting key is outside query boundaries based on provided conditions",
            ));
        }
        Ok(Some(start))
    }

    /// The part of an item that is there: an index may not hold everything.
    fn project(&self, item: &Item) -> Item {
        match self.index.map(|index| &index.projection) {
            None | Some(Projection::All) => item.clone(),
            Some(Projection::KeysOnly) => self.page_key(item),
            Some(Projection::Include(names)) => {
                let mut shown = self.page_key(item);
                for name in names {
                    if let Some(value) = item.get(name) {
                        shown.insert(name.clone(), value.clone());
                    }
                }
                shown
            }
        }
    }
}

impl State {
    /// `GetItem`
    pub fn get_item(&self, request: &ReadRequest, context: &Context) -> Result<Value, AwsError> {
        Constraints::new()
            .present("tableName", request.table_name.is_some())
            .present("key", request.key.is_some())
            .check(VALIDATION)?;
        let capacity = Capacity::read(request.return_consumed_capacity.as_deref())?;
        let (name, item) = self.find_item(request, context)?;
        let mut shown = json!({});
        let size = item.as_ref().map_or(0, item_size);
        if let Some(item) = item {
            shown["Item"] = write_item(&item);
        }
        let units = capacity::of_read(size, request.consistent());
        if let Some(consumed) = capacity.consumed(&name, units) {
            shown["ConsumedCapacity"] = consumed;
        }
        Ok(shown)
    }

    /// The item that a request names by its key, as much of it as the request asks for.
    pub(super) fn find_item(
        &self,
        request: &ReadRequest,
        context: &Context,
    ) -> Result<(String, Option<Item>), AwsError> {
        let read = request.parse()?;
        let key = read_item(request.key.as_ref().unwrap_or(&Map::new()))?;
        let (name, table) = self.active(request.table_name.as_deref(), context)?;
        let item = table.items.get(&table.key.of_key(&key)?);
        let shown = item.map(|item| match &read.projection {
            Some(paths) => project(item, paths),
            None => item.clone(),
        });
        Ok((name, shown))
    }

    /// `Query`
    pub fn query(&self, request: &ReadRequest, context: &Context) -> Result<Value, AwsError> {
        if !request.is_query() {
            return Err(validation(
                "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
            ));
        }
        self.page(request, context)
    }

    /// `Scan`
    pub fn scan(&self, request: &ReadRequest, context: &Context) -> Result<Value, AwsError> {
        if request.is_query() {
            return Err(validation("Scan has no KeyConditionExpression: use FilterExpression"));
        }
        self.page(request, context)
    }

    fn page(&self, request: &ReadRequest, context: &Context) -> Result<Value, AwsError> {
        let front = |error| if request.is_query() { at_the_front(error) } else { error };
        let read = request.parse()?;
        let (limit, segment) = (request.limit()?, request.segment()?);
        let capacity = Capacity::read(request.return_consumed_capacity.as_deref())?;
        let counts_only = counts_only(request).map_err(front)?;
        let (name, table) = self.active(request.table_name.as_deref(), context)?;
        let source = Source::new(table, request)?;
        check_all_attributes(&source, request)?;
        let wanted = read.keys.as_ref().map(|keys| keys.resolve(source.key())).transpose()?;
        check_filter(&read, source.key())?;
        let start = source.start_within(request, wanted.as_ref())?;
        let mut rows = source.rows();
        let descending = request.scan_index_forward == Some(false);
        if descending {
            rows.reverse();
        }
        rows.retain(|(place, item)| {
            let (key, _) = place;
            segment.is_none_or(|(segment, total)| key.segment(total) == segment)
                && wanted.as_ref().is_none_or(|wanted| wanted.holds(item))
                && start.as_ref().is_none_or(
                    |start| {
                        if descending { place < start } else { place > start }
                    },
                )
        });
        let (mut shown, mut bytes, mut last) = (Vec::new(), 0, None);
        let mut scanned = 0_usize;
        for (_, item) in rows {
            scanned += 1;
            let item = source.project(item);
            bytes += item_size(&item);
            if read.filter.as_ref().is_none_or(|filter| filter.holds(&item)) {
                shown.push(match &read.projection {
                    Some(paths) => write_item(&project(&item, paths)),
                    None => write_item(&item),
                });
            }
            // As in AWS, a page that is full is not the last one, whether or not anything follows.
            if scanned >= limit || bytes >= LARGEST_PAGE {
                last = Some(source.page_key(&item));
                break;
            }
        }
        let mut page = json!({"Count": shown.len(), "ScannedCount": scanned});
        if !counts_only {
            page["Items"] = Value::Array(shown);
        }
        if let Some(last) = last {
            page["LastEvaluatedKey"] = write_item(&last);
        }
        let units = capacity::of_read(bytes, request.consistent());
        if let Some(consumed) = capacity.consumed(&name, units) {
            page["ConsumedCapacity"] = consumed;
        }
        Ok(page)
    }
}

fn counts_only(request: &ReadRequest) -> Result<bool, AwsError> {
    let Some(select) = request.select.as_deref() else {
        return Ok(false);
    };
    let allowed = ["SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"];
    Constraints::new().one_of("select", select, &allowed).check(VALIDATION)?;
    let given = if request.projection_expression.is_some() {
        Some("ProjectionExpression")
    } else {
        request.attributes_to_get.as_ref().map(|_| "AttributesToGet")
    };
    match (select, given) {
        ("SPECIFIC_ATTRIBUTES", None) => {
            return Err(validation(
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
            ));
        }
        ("SPECIFIC_ATTRIBUTES", Some(_)) | (_, None) => {}
        (_, Some(given)) => {
            let shown = if select == "COUNT" { "only the Count" } else { select };
            return Err(validation(format!(
                "Cannot specify the {given} when choosing to get {shown}"
            )));
        }
    }
    if select == "ALL_PROJECTED_ATTRIBUTES" && request.index_name.is_none() {
        return Err(validation(
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
        ));
    }
    Ok(select == "COUNT")
}

/// A global index has no more than is projected into it.
fn check_all_attributes(source: &Source<'_>, request: &ReadRequest) -> Result<(), AwsError> {
    let partial = source.index.filter(|index| index.global && index.projection != Projection::All);
    match (partial, request.select.as_deref()) {
        (Some(_), Some("ALL_ATTRIBUTES")) => Err(invalid_values(&format!(
            "Select type ALL_ATTRIBUTES is not supported for global secondary index {} because its projection type is \
             not ALL",
            request.index_name.as_deref().unwrap_or_default()
        ))),
        _ => Ok(()),
    }
}

/// A query's filter cannot be about the key, which the key condition is for.
fn check_filter(read: &Read, key: &KeySchema) -> Result<(), AwsError> {
    let (Some(_), Some(filter)) = (&read.keys, &read.filter) else {
        return Ok(());
    };
    match key.attributes().find(|attribute| filter.mentions(&attribute.name)) {
        Some(attribute) => Err(validation(format!(
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: {}",
            attribute.name
        ))),
        None => Ok(()),
    }
}
