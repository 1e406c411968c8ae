//! Names beside ids: wherever an answer has the id of an organization, an instrument or a person, what people call
//! it follows. One rule for every route: the name of the field says what it is an id of. A booking's people come with their
//! telephone numbers for its two sides. The trail names people by id alone.

mod scan;

use std::collections::BTreeSet;
use std::fmt::Write;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::web::Bytes;
use serde_json::{Map, Value};

use self::scan::{Place, places};
use super::answer::Answer;
use crate::app::App;
use crate::domain::OrganizationId;
use crate::error::AppError;
use crate::store::names::{self, Named, Names};

/// What an id is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Organization,
    Instrument,
    Person,
}

/// What the field of an id is of, and what the field of its name is called.
pub fn named(field: &str) -> Option<(Kind, String)> {
    let before = |suffix: &str| field.strip_suffix(suffix);
    if field == "manager_ids" {
        return Some((Kind::Person, "manager_names".to_owned()));
    }
    // In the trail people stand by id, so that a person can be forgotten; who cancelled is a side, not a person.
    if matches!(field, "actor_user_id" | "cancelled_by") {
        return None;
    }
    let kinds = [
        ("organization_id", Kind::Organization),
        ("instrument_id", Kind::Instrument),
        ("user_id", Kind::Person),
    ];
    let kind = kinds.iter().find(|(suffix, _)| field.ends_with(suffix));
    match (kind, before("_id")) {
        (Some((_, kind)), Some(base)) => Some((*kind, format!("{base}_name"))),
        _ => before("_by").map(|_| (Kind::Person, format!("{field}_name"))),
    }
}

/// The field of a person's telephone number beside that of the name.
fn phone_beside(name: &str) -> String {
    let base = name.strip_suffix("_name").unwrap_or(name);
    format!("{base}_phone")
}

/// The fields that stand beside those of an answer.
pub fn beside(answer: &Map<String, Value>) -> BTreeSet<String> {
    let names = answer.keys().filter_map(|field| named(field));
    names
        .flat_map(|(_, name)| [phone_beside(&name), name])
        .collect()
}

/// The answer with the names of what it tells ids of, as `reader` may know them. Without them what is only read is not answered.
pub async fn add(
    app: &App,
    (reader, is_read): (Option<OrganizationId>, bool),
    answer: Answer,
) -> Answer {
    let (head, body) = answer?.into_parts();
    let is_json = head.status().is_success()
        && head
            .headers()
            .get("content-type")
            .is_some_and(|kind| kind.as_bytes() == b"application/json");
    let bytes = match body.try_into_bytes() {
        Ok(bytes) => bytes,
        Err(stream) => return Ok(head.set_body(stream)),
    };
    let named = match std::str::from_utf8(&bytes) {
        Ok(text) if is_json => match with_names(app, reader, text).await {
            Err(error) if is_read => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "an answer goes without names");
                None
            }
            named => named?,
        },
        _ => None,
    };
    let bytes = named.map_or(bytes, Bytes::from);
    Ok(head.set_body(BoxBody::new(bytes)))
}

/// None where it names nothing.
async fn with_names(
    app: &App,
    reader: Option<OrganizationId>,
    text: &str,
) -> Result<Option<String>, AppError> {
    let places = places(text);
    let mut wanted = Named::default();
    for place in &places {
        let ids = match place.kind {
            Kind::Organization => &mut wanted.organizations,
            Kind::Instrument => &mut wanted.instruments,
            Kind::Person => &mut wanted.people,
        };
        ids.extend(&place.ids);
    }
    if wanted.is_empty() {
        return Ok(None);
    }
    let known = app.store.read(move |conn| names::list(conn, &wanted));
    let known = known.await.map_err(AppError::from)?;
    let reader = reader.map(OrganizationId::number);
    Ok(Some(written(text, &places, &known, reader)?))
}

/// The text with the names in their places, which come in its order.
fn written(
    text: &str,
    places: &[Place],
    known: &Names,
    reader: Option<i64>,
) -> Result<String, AppError> {
    let mut whole = String::with_capacity(text.len() + places.len() * 48);
    let mut done = 0;
    for place in places {
        whole.push_str(text.get(done..place.end).unwrap_or_default());
        done = place.end;
        let names: Vec<Option<&str>> = place
            .ids
            .iter()
            .map(|id| name(known, place.kind, *id))
            .collect();
        let value = match place.is_list {
            true => serde_json::to_string(&names)?,
            false => serde_json::to_string(&names.first())?,
        };
        write!(whole, ",\"{}\":{value}", place.name).map_err(AppError::internal)?;
        let is_of_a_side = reader.is_some_and(|reader| place.sides.contains(&reader));
        if place.kind == Kind::Person && is_of_a_side {
            let contact = place.ids.first().and_then(|id| known.people.get(id));
            let phone = serde_json::to_string(&contact.and_then(|contact| contact.phone.as_ref()))?;
            let field = phone_beside(&place.name);
            write!(whole, ",\"{field}\":{phone}").map_err(AppError::internal)?;
        }
    }
    whole.push_str(text.get(done..).unwrap_or_default());
    Ok(whole)
}

fn name(known: &Names, kind: Kind, id: i64) -> Option<&str> {
    match kind {
        Kind::Organization => known.organizations.get(&id).map(String::as_str),
        Kind::Instrument => known.instruments.get(&id).map(String::as_str),
        Kind::Person => known.people.get(&id).map(|contact| contact.name.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::names::Contact;

    fn known() -> Names {
        let contact = Contact {
            name: "王\"五".to_owned(),
            phone: Some("13800000000".to_owned()),
        };
        Names {
            organizations: [(1, "甲大学".to_owned()), (2, "乙公司".to_owned())].into(),
            instruments: [(7, "电镜".to_owned())].into(),
            people: [(5, contact)].into(),
        }
    }

    fn with(text: &str, reader: Option<i64>) -> String {
        written(text, &places(text), &known(), reader).unwrap()
    }

    #[test]
    fn names_follow_the_ids_they_belong_to() {
        for (text, expected) in [
            (
                r#"{"id":3,"instrument_id":7,"x":1}"#,
                r#"{"id":3,"instrument_id":7,"instrument_name":"电镜","x":1}"#,
            ),
            (
                r#"{"items":[{"organization_id":2}]}"#,
                r#"{"items":[{"organization_id":2,"organization_name":"乙公司"}]}"#,
            ),
            (
                r#"{"host_organization_id":1}"#,
                r#"{"host_organization_id":1,"host_organization_name":"甲大学"}"#,
            ),
            (
                r#"{"created_by":5}"#,
                r#"{"created_by":5,"created_by_name":"王\"五"}"#,
            ),
            (
                r#"{"manager_ids":[5,6]}"#,
                r#"{"manager_ids":[5,6],"manager_names":["王\"五",null]}"#,
            ),
            (
                r#"{"manager_ids":[]}"#,
                r#"{"manager_ids":[],"manager_names":[]}"#,
            ),
            // Of nobody there is no name, and of what is no longer there an empty one.
            (
                r#"{"created_by":null}"#,
                r#"{"created_by":null,"created_by_name":null}"#,
            ),
            (
                r#"{"instrument_id":8}"#,
                r#"{"instrument_id":8,"instrument_name":null}"#,
            ),
            // A word is no id, and a text is no key.
            (r#"{"cancelled_by":"host"}"#, r#"{"cancelled_by":"host"}"#),
            (
                r#"{"text":"\"instrument_id\":7"}"#,
                r#"{"text":"\"instrument_id\":7"}"#,
            ),
            // A name that is there already stays the only one.
            (
                r#"{"user_id":5,"user_name":"x"}"#,
                r#"{"user_id":5,"user_name":"x"}"#,
            ),
            // What the trail tells of a thing is told as it was.
            (
                r#"{"actor_user_id":5,"organization_id":1,"after":{"instrument_id":7,"a":[{}]},"before":null}"#,
                r#"{"actor_user_id":5,"organization_id":1,"organization_name":"甲大学","after":{"instrument_id":7,"a":[{}]},"before":null}"#,
            ),
        ] {
            assert_eq!(with(text, None), expected);
        }
    }

    #[test]
    fn telephone_numbers_are_for_the_two_sides_of_a_booking() {
        let booking = r#"{"host_organization_id":1,"organization_id":2,"booked_by":5,"operator":{"user_id":5}}"#;
        for (reader, sees) in [
            (Some(1), true),
            (Some(2), true),
            (Some(3), false),
            (None, false),
        ] {
            let found: serde_json::Value = serde_json::from_str(&with(booking, reader)).unwrap();
            assert_eq!(found["booked_by_phone"].is_string(), sees, "{reader:?}");
            assert_eq!(
                found["operator"]["user_phone"].is_string(),
                sees,
                "{reader:?}"
            );
            assert_eq!(found["operator"]["user_name"], "王\"五");
        }
        let of_another_kind = r#"{"host_organization_id":1,"organization_id":2,"entered_by":5}"#;
        assert!(!with(of_another_kind, Some(1)).contains("phone"));
    }
}
