//! What parameters mean: one text and one schema per name, because a name means the same wherever it stands.

use serde_json::{Value, json};

use crate::domain::booking::Affected;
use crate::http::route::Route;

/// Names, numbers, schemas and meanings of query parameters, alphabetically.
const IN_QUERY: &[(&str, Count, Kind, &str)] = &[
    (
        "accepted_from",
        Count::One,
        Kind::Date,
        "Accepted on this day or later.",
    ),
    (
        "accepted_until_on",
        Count::One,
        Kind::Date,
        "Accepted on this day or earlier.",
    ),
    (
        "action",
        Count::Any,
        Kind::Text,
        "What was done, `noun_verb`.",
    ),
    ("actor", Count::Any, Kind::Id, "Actions of this user."),
    (
        "accept_warnings",
        Count::One,
        Kind::Flag,
        "`true`: what is probably wrong in the pack is meant so; without it such a pack is 422 `policy_warning`.",
    ),
    (
        "affected",
        Count::One,
        Kind::Affected,
        "What becomes of the bookings that the change hits: `keep` (they stand, with a problem) or `cancel` (those not begun).",
    ),
    (
        "after",
        Count::One,
        Kind::Place,
        "Only what comes after this id; the last id of a page asks for the next.",
    ),
    (
        "assigned_to",
        Count::One,
        Kind::Text,
        "`me`: instruments that the caller manages.",
    ),
    ("booking_id", Count::Any, Kind::Id, "Of this booking."),
    ("by", Count::One, Kind::Text, "By what figures are grouped."),
    (
        "category",
        Count::Any,
        Kind::Text,
        "A category code, with its subtree.",
    ),
    ("cause", Count::Any, Kind::Text, "For this cause."),
    ("charge_id", Count::Any, Kind::Id, "Of this charge."),
    (
        "client_reference",
        Count::Any,
        Kind::Text,
        "The client's own name of the record.",
    ),
    ("code", Count::One, Kind::Text, "Of this code."),
    (
        "cursor",
        Count::One,
        Kind::Text,
        "`next_cursor` of the page before; opaque.",
    ),
    (
        "declared",
        Count::One,
        Kind::Flag,
        "`true`: the payer declared a payment that the host has neither received nor refused.",
    ),
    (
        "detail",
        Count::Any,
        Kind::Text,
        "What is seen in the use of an instrument: `idle` or `underused`.",
    ),
    ("due_before", Count::One, Kind::Date, "Due before this day."),
    (
        "dry_run",
        Count::One,
        Kind::Flag,
        "`true`: tell what would happen and change nothing.",
    ),
    (
        "empty",
        Count::One,
        Kind::Text,
        "What an empty cell means in a column that the table has, of an entry that is changed: `keep` the field as it is (the default), or `clear` it. Columns that the table has not stay as they are.",
    ),
    (
        "evaluator_user_id",
        Count::Any,
        Kind::Id,
        "Of this evaluator.",
    ),
    (
        "evidence",
        Count::Any,
        Kind::Text,
        "How the record is proved.",
    ),
    ("facet", Count::Any, Kind::Text, "Counted by this."),
    (
        "format",
        Count::One,
        Kind::Text,
        "The file format of the answer.",
    ),
    (
        "from",
        Count::One,
        Kind::Instant,
        "From this moment on, inclusive.",
    ),
    (
        "from_others",
        Count::One,
        Kind::Flag,
        "`true`: asked for by a unit other than the host; `false`: by the host itself.",
    ),
    (
        "host_organization_id",
        Count::Any,
        Kind::Id,
        "Of instruments of this host.",
    ),
    ("indicator", Count::Any, Kind::Text, "Of this indicator."),
    ("instrument_id", Count::Any, Kind::Id, "Of this instrument."),
    (
        "invoice_no",
        Count::Any,
        Kind::Text,
        "Of this number, or taken back under it.",
    ),
    (
        "invoiced",
        Count::One,
        Kind::Flag,
        "Whether an invoice was issued.",
    ),
    (
        "incomplete_on",
        Count::One,
        Kind::Date,
        "What an evaluation counts as complete (technical text, functions, service content, user notice, public contact, \
         location, a price for others) is not all there on this day.",
    ),
    (
        "invoiced",
        Count::One,
        Kind::Flag,
        "`true`: an invoice stands for it; `false`: none does, though it costs something.",
    ),
    (
        "is_host",
        Count::One,
        Kind::Flag,
        "Whether the organization shares instruments.",
    ),
    ("kind", Count::Any, Kind::Text, "Of this kind."),
    ("level", Count::One, Kind::Text, "province, city or county."),
    (
        "lacks_admin",
        Count::One,
        Kind::Flag,
        "`true`: no active account administers it as a host.",
    ),
    (
        "limit",
        Count::One,
        Kind::Limit,
        "How many items at most, 1 to 200; 50 when absent.",
    ),
    (
        "max_price_fen",
        Count::One,
        Kind::Integer,
        "At most this price per hour, in fen.",
    ),
    (
        "method",
        Count::Any,
        Kind::Text,
        "Offers a service by this method standard, or one that has this text in its name; at most 100 characters and five values.",
    ),
    (
        "metric",
        Count::One,
        Kind::Text,
        "Only the records behind this metric.",
    ),
    (
        "left_out",
        Count::One,
        Kind::Text,
        "Only the records left out of the base for this reason: one of the reasons in `left_out`.",
    ),
    (
        "mode",
        Count::One,
        Kind::Text,
        "How it is done: a mode of use, or of an import `create` or `upsert`.",
    ),
    (
        "missing",
        Count::One,
        Kind::Flag,
        "`true`: nobody gave points yet, or an evaluator is still to give them; `false`: all is there.",
    ),
    (
        "near",
        Count::One,
        Kind::Text,
        "Latitude and longitude (WGS 84) with a comma between them: each instrument has its `distance_km` from there.",
    ),
    (
        "open",
        Count::One,
        Kind::Flag,
        "`true`: something is still owed; `false`: nothing.",
    ),
    (
        "organization",
        Count::Any,
        Kind::Id,
        "Of this organization.",
    ),
    (
        "original_value_from_fen",
        Count::One,
        Kind::Integer,
        "Of instruments with this original value or a higher one, in fen.",
    ),
    (
        "organization_id",
        Count::Any,
        Kind::Id,
        "Of this organization.",
    ),
    (
        "paid",
        Count::One,
        Kind::Flag,
        "Whether it is paid in full.",
    ),
    (
        "parent",
        Count::Any,
        Kind::Text,
        "Directly below this code.",
    ),
    (
        "payer_organization_id",
        Count::Any,
        Kind::Id,
        "Owed by this organization.",
    ),
    (
        "policy",
        Count::One,
        Kind::Text,
        "A policy: its code, or `code@version`.",
    ),
    (
        "public_notice_id",
        Count::Any,
        Kind::Id,
        "To this public notice.",
    ),
    ("purpose", Count::One, Kind::Text, "For this purpose."),
    (
        "q",
        Count::Any,
        Kind::Text,
        "A text to look for, of at most 100 characters, at most five. Of instruments every word of it is met in names, model, maker, functions, services, standards, unit or place; width, case and hyphens do not matter, two Chinese characters are a word, and synonyms count as the word.",
    ),
    ("radius_km", Count::One, Kind::Kilometers, "Of `near`."),
    (
        "region",
        Count::Any,
        Kind::Text,
        "A region code, with its subtree.",
    ),
    ("role", Count::One, Kind::Text, "With this role."),
    ("rule", Count::Any, Kind::Text, "Found by this rule."),
    ("severity", Count::Any, Kind::Text, "Of this weight."),
    ("share_mode", Count::Any, Kind::Text, "Shared this far."),
    (
        "sort",
        Count::One,
        Kind::Text,
        "Field to sort by; `-` before it reverses.",
    ),
    ("state", Count::Any, Kind::Text, "In this state."),
    ("status", Count::Any, Kind::Text, "In this state."),
    (
        "subject_id",
        Count::Any,
        Kind::Id,
        "The id of what the event is about.",
    ),
    (
        "subject_type",
        Count::Any,
        Kind::Text,
        "The noun of what the event is about.",
    ),
    (
        "type",
        Count::Any,
        Kind::Text,
        "Of this type: the action that is told, `noun_verb`.",
    ),
    (
        "unpriced",
        Count::One,
        Kind::Flag,
        "`true`: a unit of others used the instrument and there is no charge.",
    ),
    (
        "unread",
        Count::One,
        Kind::Flag,
        "`true`: not read yet; `false`: read already.",
    ),
    (
        "until",
        Count::One,
        Kind::Instant,
        "Before this moment, exclusive.",
    ),
    (
        "updated_since",
        Count::One,
        Kind::Instant,
        "Changed at this moment or later; send `as_of` of the answer next time.",
    ),
    (
        "usage_record_id",
        Count::Any,
        Kind::Id,
        "Of this usage record.",
    ),
    (
        "usage_state",
        Count::Any,
        Kind::Text,
        "What the two sides say about the service.",
    ),
    (
        "uscc",
        Count::Any,
        Kind::Text,
        "Of this unified social credit code.",
    ),
    (
        "with",
        Count::One,
        Kind::Id,
        "What to compare with: `before` is the one of the path, `after` this one.",
    ),
    (
        "year",
        Count::Any,
        Kind::Integer,
        "Of this year: a service by its end, a charge by that of its service, a booking by the day it was asked for.",
    ),
];

const IN_PATH: &[(&str, &str)] = &[
    ("adjustment_id", "The id of the adjustment."),
    ("award_id", "The id of the award."),
    (
        "id",
        "The id; what is absent or not yours to see is answered 404.",
    ),
    ("invitation_id", "The id of the invitation."),
    ("organization_id", "The id of the organization."),
    ("service_id", "The id of the service."),
    ("tariff_id", "The id of the price."),
    ("token", "The token of the calendar."),
    ("user_id", "The id of the user."),
    ("year", "A year."),
];

/// Whether a parameter may be repeated, which means or.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Count {
    One,
    Any,
}

#[derive(Clone, Copy)]
enum Kind {
    Affected,
    Date,
    Flag,
    Id,
    Instant,
    Integer,
    Kilometers,
    Limit,
    /// An id, or 0 for the beginning.
    Place,
    Text,
}

impl Kind {
    fn schema(self) -> Value {
        match self {
            Kind::Affected => json!({"type": "string", "enum": Affected::ALL}),
            Kind::Date => json!({"type": "string", "format": "date"}),
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Id => json!({"type": "integer", "format": "int64", "minimum": 1}),
            Kind::Instant => json!({"type": "string", "format": "date-time"}),
            Kind::Integer => json!({"type": "integer", "format": "int64"}),
            Kind::Kilometers => json!({"type": "number", "exclusiveMinimum": 0, "maximum": 20_040}),
            Kind::Limit => json!({"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
            Kind::Place => json!({"type": "integer", "format": "int64", "minimum": 0}),
            Kind::Text => json!({"type": "string"}),
        }
    }
}

/// A query parameter of a route.
pub fn in_query(route: &Route, name: &str) -> Value {
    let known = IN_QUERY.iter().find(|(known, ..)| *known == name);
    let (count, kind, about) = known
        .map_or((Count::One, Kind::Text, ""), |(_, count, kind, about)| {
            (*count, *kind, *about)
        });
    let is_required = route.required_parameters.contains(&name);
    // What a route cannot do without is one value.
    let count = if is_required { Count::One } else { count };
    let words = route.words.iter().find(|(known, _)| *known == name);
    let one = words.map_or_else(|| kind.schema(), |(_, schema)| json!(schema()));
    let (schema, about) = match count {
        Count::One => (one, about.to_owned()),
        Count::Any => (
            json!({"type": "array", "items": one}),
            format!("{about} Repeated: one or another."),
        ),
    };
    json!({
        "name": name,
        "in": "query",
        "required": is_required,
        "description": about,
        "schema": schema,
    })
}

/// What a variable of the path means.
pub fn in_path(name: &str) -> &'static str {
    let known = IN_PATH.iter().find(|(known, _)| *known == name);
    known.map_or("", |(_, about)| about)
}

/// The header parameters that many operations share.
pub fn components() -> Value {
    let header = |name: &str, required: bool, about: &str| {
        json!({
            "name": name,
            "in": "header",
            "required": required,
            "description": about,
            "schema": {"type": "string"},
        })
    };
    let version = "The version the change is made to: the ETag of the answer it was read from, `\"v3\"`, or several of them, \
        `\"v3\", \"v4\"`; `*` is any. 412 when none is the present one; weak tags never are";
    json!({
        "AcceptLanguage": header("Accept-Language", false, "`zh-CN` (default) or `en`: the language of problem texts."),
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Makes repeating the request safe for 14 days: the stored answer comes again, with `Idempotency-Replayed: true`. Not kept where tokens are given: signing in, refreshing and signing out know no such keys, and a secret is not shown again.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        },
        "IfMatch": header("If-Match", true, &format!("{version}; 428 without it.")),
        "IfNoneMatch": header("If-None-Match", false, "Versions that are known: 304 when it is one of them."),
        "IfMatchOptional": header("If-Match", false, &format!("{version}. Honored when sent.")),
    })
}
