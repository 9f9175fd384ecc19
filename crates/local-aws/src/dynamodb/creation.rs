//! `CreateTable`: what a table is asked to be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{VALIDATION, in_use, invalid_values, unsupported, validation};
use super::keys::{Attribute, KeySchema};
use super::names::check_new_name;
use super::readiness::{EncryptionRequest, WarmThroughput};
use super::table::{Index, Projection, Settings, Table};
use super::tags::{Tag, check_tags};
use super::{Context, State, TABLE};
use crate::ids::uuid;
use crate::protocol::{AwsError, Constraints};

/// How long AWS takes to create a table.
const CREATION: Duration = Duration::from_secs(5);
/// How long it may take AWS to list the tags that a table was made with: `ListTagsOfResource` is consistent in the end.
const TAGS: Duration = Duration::from_secs(2);
const MOST_GLOBAL: usize = 20;
const MOST_LOCAL: usize = 5;
/// What every table is ready for: read and write units a second.
const LEAST_WARM: (u64, u64) = (12_000, 4_000);
/// How many attributes the partition key of a global index may have, and how many its sort key.
const MOST_ATTRIBUTES: usize = 4;

/// What `CreateTable` is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CreateTable {
    table_name: Option<String>,
    attribute_definitions: Option<Vec<AttributeDefinition>>,
    key_schema: Option<Vec<KeySchemaElement>>,
    billing_mode: Option<String>,
    provisioned_throughput: Option<Throughput>,
    global_secondary_indexes: Option<Vec<IndexRequest>>,
    local_secondary_indexes: Option<Vec<IndexRequest>>,
    stream_specification: Option<StreamSpecification>,
    #[serde(rename = "SSESpecification")]
    sse_specification: Option<EncryptionRequest>,
    warm_throughput: Option<WarmThroughput>,
    on_demand_throughput: Option<Value>,
    resource_policy: Option<Value>,
    global_table_source_arn: Option<Value>,
    global_table_settings_replication_mode: Option<Value>,
    table_class: Option<String>,
    deletion_protection_enabled: Option<bool>,
    tags: Option<Vec<Tag>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct AttributeDefinition {
    pub(super) attribute_name: String,
    attribute_type: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct KeySchemaElement {
    attribute_name: String,
    key_type: String,
}

/// Capacity of a table or index.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Throughput {
    read_capacity_units: i64,
    write_capacity_units: i64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct IndexRequest {
    pub(super) index_name: String,
    key_schema: Vec<KeySchemaElement>,
    projection: ProjectionRequest,
    provisioned_throughput: Option<Throughput>,
    warm_throughput: Option<WarmThroughput>,
    on_demand_throughput: Option<Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ProjectionRequest {
    projection_type: Option<String>,
    non_key_attributes: Option<Vec<String>>,
}

/// What a table's stream is asked to be.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct StreamSpecification {
    stream_enabled: bool,
    stream_view_type: Option<String>,
}

impl State {
    /// `CreateTable`
    pub fn create_table(
        &mut self,
        request: &CreateTable,
        context: &Context,
    ) -> Result<Value, AwsError> {
        let name = check_new_name(request.table_name.as_deref())?;
        let tags = request.tags.clone().unwrap_or_default();
        let table = Table {
            id: uuid(),
            created: context.now,
            active_at: context.now + context.latency.scale(CREATION),
            deleted_at: None,
            key: request.key()?,
            indexes: request.indexes()?,
            settings: request.settings(context)?,
            tags: check_tags(BTreeMap::new(), tags)?,
            tags_late_until: context.now + context.latency.scale(TAGS),
            items: BTreeMap::new(),
        };
        request.check_attributes(&table)?;
        if self.tables.contains_key(&name) {
            return Err(in_use(format!("Table already exists: {name}")));
        }
        let mut shown = table.describe(&name, context);
        // The response comes before anything has happened, however fast it happens.
        shown["TableStatus"] = json!("CREATING");
        self.outbox.created(TABLE, &name);
        self.tables.insert(name, table);
        Ok(json!({"TableDescription": shown}))
    }
}

impl CreateTable {
    /// What one index is asked to be, beside a table that is there.
    pub(super) fn added_index(
        table: &super::table::Table,
        request: &IndexRequest,
        definitions: &[AttributeDefinition],
        on_demand: bool,
    ) -> Result<Index, AwsError> {
        let element = |attribute: &Attribute| KeySchemaElement {
            attribute_name: attribute.name.clone(),
            key_type: "HASH".to_owned(),
        };
        let context = Self {
            attribute_definitions: Some(definitions.to_vec()),
            key_schema: Some(table.key.hash.iter().map(element).collect()),
            billing_mode: on_demand.then(|| "PAY_PER_REQUEST".to_owned()),
            ..Self::default()
        };
        context.index("globalSecondaryIndexUpdates.1.member.create", request, true)
    }
    fn key(&self) -> Result<KeySchema, AwsError> {
        Constraints::new()
            .present("keySchema", self.key_schema.is_some())
            .present("attributeDefinitions", self.attribute_definitions.is_some())
            .check(VALIDATION)?;
        self.schema("keySchema", self.key_schema.as_deref().unwrap_or_default(), 1)
    }

    /// A key of at most so many attributes of each kind; `member` is where it stands.
    fn schema(
        &self,
        member: &str,
        elements: &[KeySchemaElement],
        most: usize,
    ) -> Result<KeySchema, AwsError> {
        let mut constraints = Constraints::new();
        if !(1..=most * 2).contains(&elements.len()) {
            constraints = constraints.count(member, &listed(elements), elements.len(), 1, most * 2);
        }
        for (place, element) in elements.iter().enumerate() {
            let member = format!("{member}.{}.member.keyType", place + 1);
            constraints = constraints.one_of(&member, &element.key_type, &["HASH", "RANGE"]);
        }
        constraints.check(VALIDATION)?;
        let attribute = |element: &KeySchemaElement| {
            let name = &element.attribute_name;
            let defined = self.definitions().find(|one| one.attribute_name == *name);
            let defined = defined.ok_or_else(|| self.undefined(elements))?;
            Constraints::new()
                .one_of(
                    "attributeDefinitions.1.member.attributeType",
                    &defined.attribute_type,
                    &["B", "N", "S"],
                )
                .check(VALIDATION)?;
            Ok(Attribute { name: name.clone(), kind: defined.attribute_type.clone() })
        };
        let ranges_from = elements
            .iter()
            .position(|element| element.key_type == "RANGE")
            .unwrap_or(elements.len());
        let (hashes, ranges) = elements.split_at(ranges_from);
        if hashes.is_empty() {
            return Err(validation(
                "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
            ));
        }
        if ranges.iter().any(|element| element.key_type != "RANGE") {
            return Err(validation(
                "Invalid KeySchema: The HASH elements must come before the RANGE elements",
            ));
        }
        if elements.len() > 1 && most == 1 && ranges.is_empty() {
            return Err(validation(
                "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
            ));
        }
        let mut names: Vec<&str> =
            elements.iter().map(|element| element.attribute_name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(validation(
                "Both the Hash Key and the Range Key element in the KeySchema have the same name",
            ));
        }
        if hashes.len() > most || ranges.len() > most {
            return Err(validation("Invalid KeySchema"));
        }
        let all = |elements: &[KeySchemaElement]| {
            elements.iter().map(attribute).collect::<Result<Vec<_>, _>>()
        };
        Ok(KeySchema { hash: all(hashes)?, range: all(ranges)? })
    }

    fn definitions(&self) -> impl Iterator<Item = &AttributeDefinition> {
        self.attribute_definitions.iter().flatten()
    }

    fn undefined(&self, elements: &[KeySchemaElement]) -> AwsError {
        let keys: Vec<&str> =
            elements.iter().map(|element| element.attribute_name.as_str()).collect();
        let defined: Vec<&str> =
            self.definitions().map(|one| one.attribute_name.as_str()).collect();
        invalid_values(&format!(
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], AttributeDefinitions: [{}]",
            keys.join(", "),
            defined.join(", ")
        ))
    }

    /// Every attribute that is defined must be part of a key.
    fn check_attributes(&self, table: &Table) -> Result<(), AwsError> {
        let schemas = table.indexes.values().map(|index| &index.key);
        let used: BTreeSet<&str> = schemas
            .chain([&table.key])
            .flat_map(KeySchema::attributes)
            .map(|attribute| attribute.name.as_str())
            .collect();
        let defined: BTreeSet<&str> =
            self.definitions().map(|one| one.attribute_name.as_str()).collect();
        if used == defined && defined.len() == self.definitions().count() {
            return Ok(());
        }
        Err(invalid_values(
            "Number of attributes in KeySchema does not exactly match number of attributes defined in \
             AttributeDefinitions",
        ))
    }

    fn indexes(&self) -> Result<BTreeMap<String, Index>, AwsError> {
        let mut indexes = BTreeMap::new();
        for (requests, global, most) in [
            (&self.global_secondary_indexes, true, MOST_GLOBAL),
            (&self.local_secondary_indexes, false, MOST_LOCAL),
        ] {
            let Some(requests) = requests else { continue };
            let kind = if global { "Global" } else { "Local" };
            if requests.is_empty() {
                return Err(invalid_values(&format!("List of {kind}SecondaryIndexes is empty")));
            }
            if requests.len() > most {
                return Err(invalid_values(&format!(
                    "{kind}SecondaryIndex count exceeds the per-table limit of {most}"
                )));
            }
            for (place, request) in requests.iter().enumerate() {
                let member =
                    format!("{}SecondaryIndexes.{}.member", kind.to_lowercase(), place + 1);
                let index = self.index(&member, request, global)?;
                if indexes.insert(request.index_name.clone(), index).is_some() {
                    let name = &request.index_name;
                    return Err(invalid_values(&format!("Duplicate index name: {name}")));
                }
            }
        }
        Ok(indexes)
    }

    fn index(&self, member: &str, request: &IndexRequest, global: bool) -> Result<Index, AwsError> {
        let name = &request.index_name;
        Constraints::new()
            .length("indexName", name, 3, 255)
            .pattern("indexName", name, "[a-zA-Z0-9_.-]+", super::names::is_plain(name))
            .check(VALIDATION)?;
        let most = if global { MOST_ATTRIBUTES } else { 1 };
        let key = self.schema(&format!("{member}.keySchema"), &request.key_schema, most)?;
        let own = self.key_schema.iter().flatten().next();
        let hash = key.hash.first().map_or("", |hash| hash.name.as_str());
        if !global && own.is_none_or(|own| own.attribute_name != hash) {
            return Err(invalid_values(&format!(
                "Index KeySchema does not have the same leading hash key as table KeySchema for index: {name}. index \
                 hash key: {hash}, table hash key: {}",
                own.map_or("", |own| &own.attribute_name)
            )));
        }
        if !global && key.range.is_empty() {
            return Err(invalid_values(&format!(
                "Index KeySchema does not have a range key for index: {name}"
            )));
        }
        if request.on_demand_throughput.is_some() {
            return Err(unsupported("OnDemandThroughput"));
        }
        let projection = match request.projection.projection_type.as_deref() {
            Some("ALL") => Projection::All,
            Some("KEYS_ONLY") => Projection::KeysOnly,
            Some("INCLUDE") => Projection::Include(
                request.projection.non_key_attributes.clone().unwrap_or_default(),
            ),
            _ => {
                let given = request.projection.projection_type.as_deref().unwrap_or("null");
                return Err(invalid_values(&format!("Unknown ProjectionType: {given}")));
            }
        };
        Ok(Index {
            key,
            global,
            projection,
            throughput: if global {
                self.throughput(request.provisioned_throughput)?
            } else {
                (0, 0)
            },
            warm_throughput: match request.warm_throughput {
                Some(warm) if global => warm.checked(LEAST_WARM)?,
                _ => LEAST_WARM,
            },
        })
    }

    fn on_demand(&self) -> Result<bool, AwsError> {
        let mode = self.billing_mode.as_deref().unwrap_or("PROVISIONED");
        Constraints::new()
            .one_of("billingMode", mode, &["PROVISIONED", "PAY_PER_REQUEST"])
            .check(VALIDATION)?;
        Ok(mode == "PAY_PER_REQUEST")
    }

    fn throughput(&self, given: Option<Throughput>) -> Result<(u64, u64), AwsError> {
        provisioned(self.on_demand()?, given)
    }

    fn settings(&self, context: &Context) -> Result<Settings, AwsError> {
        for (given, what) in [
            (&self.on_demand_throughput, "OnDemandThroughput"),
            (&self.resource_policy, "ResourcePolicy"),
            (&self.global_table_source_arn, "GlobalTableSourceArn"),
            (&self.global_table_settings_replication_mode, "GlobalTableSettingsReplicationMode"),
        ] {
            if given.is_some() {
                return Err(unsupported(what));
            }
        }
        if let Some(class) = &self.table_class {
            check_class(class)?;
        }
        Ok(Settings {
            on_demand: self.on_demand()?,
            throughput: self.throughput(self.provisioned_throughput)?,
            deletion_protection: self.deletion_protection_enabled.unwrap_or_default(),
            class: self.table_class.clone(),
            stream: stream_view(self.stream_specification.as_ref())?,
            time_to_live: None,
            point_in_time_recovery: None,
            warm_throughput: match self.warm_throughput {
                Some(warm) => warm.checked(LEAST_WARM)?,
                None => LEAST_WARM,
            },
            encryption: match &self.sse_specification {
                Some(encryption) => encryption.key(context)?,
                None => None,
            },
        })
    }
}

/// A key as messages show it.
fn listed(elements: &[KeySchemaElement]) -> String {
    let shown = elements.iter().map(|element| {
        format!(
            "KeySchemaElement(attributeName={}, keyType={})",
            element.attribute_name, element.key_type
        )
    });
    format!("[{}]", shown.collect::<Vec<_>>().join(", "))
}

pub(super) fn check_class(class: &str) -> Result<(), AwsError> {
    Constraints::new()
        .one_of("tableClass", class, &["STANDARD", "STANDARD_INFREQUENT_ACCESS"])
        .check(VALIDATION)
}

/// Read and write capacity; a table that is paid per request has none.
pub(super) fn provisioned(
    on_demand: bool,
    given: Option<Throughput>,
) -> Result<(u64, u64), AwsError> {
    match (on_demand, given) {
        (true, None) => Ok((0, 0)),
        (true, Some(_)) => Err(invalid_values(
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
        )),
        (false, None) => Err(invalid_values(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        )),
        (false, Some(given)) => {
            let (read, write) = (given.read_capacity_units, given.write_capacity_units);
            Constraints::new()
                .range("provisionedThroughput.readCapacityUnits", read, 1, i64::MAX)
                .range("provisionedThroughput.writeCapacityUnits", write, 1, i64::MAX)
                .check(VALIDATION)?;
            Ok((read.unsigned_abs(), write.unsigned_abs()))
        }
    }
}

/// What the records of the stream show, where there is to be one.
pub(super) fn stream_view(
    specification: Option<&StreamSpecification>,
) -> Result<Option<String>, AwsError> {
    let Some(specification) = specification.filter(|one| one.stream_enabled) else {
        return Ok(None);
    };
    let view = specification.stream_view_type.as_deref().ok_or_else(|| {
        validation("One or more parameter values were invalid: StreamViewType must be specified when StreamEnabled is true")
    })?;
    let views = ["NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"];
    Constraints::new()
        .one_of("streamSpecification.streamViewType", view, &views)
        .check(VALIDATION)?;
    Ok(Some(view.to_owned()))
}
