//! Bulk: one action on several things at once. How the items of a request are read, and what is answered: for each of them the
//! status that the single action would have, and its problem document where it was refused.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::answer::reply;
use super::context::RequestContext;
use super::json::Members;
use super::problem;
use crate::error::{AppError, Fault, Location};
use crate::operations::bulk::{Bulk, ITEMS_MAX, Item, Verdict, Verdicts};
use crate::operations::run::Reply;

/// Only for the API document: the body of a bulk with items of this shape.
#[derive(Debug)]
pub struct Items<T>(PhantomData<T>);

impl<T: ToSchema> PartialSchema for Items<T> {
    fn schema() -> RefOr<Schema> {
        let items = ArrayBuilder::new()
            .items(Ref::from_schema_name(T::name()))
            .min_items(Some(1))
            .max_items(Some(ITEMS_MAX))
            .description(Some(
                "Each is judged as if it were sent alone, in this order.",
            ));
        let body = ObjectBuilder::new()
            .property("items", items)
            .required("items")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        RefOr::T(Schema::Object(body.build()))
    }
}

impl<T: ToSchema> ToSchema for Items<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("{}s", T::name()))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

/// What became of each item, in the order in which they were sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkShape {
    items: Vec<BulkItemShape>,
}

#[derive(Debug, Serialize, ToSchema)]
struct BulkItemShape {
    /// As it was sent.
    id: i64,
    /// The HTTP status of the same action on this one alone; below 300 it was done.
    status: u16,
    /// Why it was refused; absent where it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = problem_document)]
    problem: Option<Value>,
}

fn problem_document() -> Ref {
    Ref::from_schema_name("Problem")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    items: Vec<Members>,
}

#[derive(Deserialize)]
struct Named<I> {
    id: I,
}

#[derive(Deserialize)]
struct Versioned {
    version: i64,
}

/// The items of a request: the `id` and the body of the single action, as `into` reads it. What is malformed in any of them
/// is told of all, and nothing is done.
pub fn items<I, B, C>(context: &RequestContext, into: fn(B) -> C) -> Result<Bulk<I, C>, AppError>
where
    I: DeserializeOwned,
    B: DeserializeOwned,
{
    read(context, |sent| {
        let Named { id } = sent.take("id").read()?;
        Ok(Item {
            id,
            version: None,
            body: into(std::mem::take(sent).read()?),
        })
    })
}

/// As [`items`]; each says the `version` it is about.
pub fn versioned_items<I, B, C>(
    context: &RequestContext,
    into: fn(B) -> C,
) -> Result<Bulk<I, C>, AppError>
where
    I: DeserializeOwned,
    B: DeserializeOwned,
{
    read(context, |sent| {
        let Named { id } = sent.take("id").read()?;
        let Versioned { version } = sent.take("version").read()?;
        Ok(Item {
            id,
            version: Some(version),
            body: into(std::mem::take(sent).read()?),
        })
    })
}

fn read<I, C>(
    context: &RequestContext,
    read_one: impl Fn(&mut Members) -> Result<Item<I, C>, AppError>,
) -> Result<Bulk<I, C>, AppError> {
    let Sent { items: sent } = context.body()?;
    let (mut items, mut faults) = (Vec::with_capacity(sent.len()), Vec::new());
    for (at, mut members) in sent.into_iter().enumerate() {
        match read_one(&mut members) {
            Ok(item) => items.push(item),
            Err(AppError::Malformed(wrong)) => {
                faults.extend(wrong.into_iter().map(|fault| within(at, fault)));
            }
            Err(other) => return Err(other),
        }
    }
    if !faults.is_empty() {
        return Err(AppError::Malformed(faults));
    }
    Ok(Bulk {
        items,
        language: context.language,
        path: context.path().to_owned(),
    })
}

/// The fault of an item's field, by the name that it has in the whole body.
fn within(at: usize, fault: Fault) -> Fault {
    let field = match &fault.place {
        Location::Field(field) if !field.is_empty() => format!("items[{at}].{field}"),
        _ => format!("items[{at}]"),
    };
    Fault {
        place: Location::Field(field),
        ..fault
    }
}

/// The answer to a bulk of changes.
pub fn done(verdicts: &Verdicts) -> Result<Reply, AppError> {
    answered(verdicts, 200)
}

/// The answer to a bulk by which each item makes something.
pub fn made(verdicts: &Verdicts) -> Result<Reply, AppError> {
    answered(verdicts, 201)
}

fn answered(verdicts: &Verdicts, status: u16) -> Result<Reply, AppError> {
    let shape = |item: &Verdict| BulkItemShape {
        id: item.id,
        status: item.refusal.as_ref().map_or(status, problem::status),
        problem: item.refusal.as_ref().map(|error| {
            let (path, request_id) = (&verdicts.path, &verdicts.request_id);
            problem::document(error, verdicts.language, path, request_id)
        }),
    };
    let items = verdicts.items.iter().map(shape).collect();
    reply(200, &BulkShape { items })
}
