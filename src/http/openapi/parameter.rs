//! What parameters mean: one text and one schema per name, because a name means the same wherever it stands.

use serde_json::{Value, json};

/// Names, schemas and meanings of query parameters, alphabetically.
const IN_QUERY: &[(&str, Kind, &str)] = &[
    (
        "accepted_from",
        Kind::Date,
        "Accepted on this day or later.",
    ),
    (
        "actor",
        Kind::Id,
        "Actions of this user; repeated means or.",
    ),
    (
        "affected",
        Kind::Text,
        "What becomes of the bookings that the change hits: `keep` (they stand, with a problem) or `cancel` (those not begun).",
    ),
    (
        "after",
        Kind::Id,
        "Only what comes after this id; the last id of a page asks for the next.",
    ),
    (
        "assigned_to",
        Kind::Text,
        "`me`: instruments that the caller manages.",
    ),
    ("booking_id", Kind::Id, "Of this booking."),
    ("category", Kind::Text, "A category code, with its subtree."),
    ("charge_id", Kind::Id, "Of this charge."),
    (
        "client_reference",
        Kind::Text,
        "The client's own name of the record.",
    ),
    ("code", Kind::Text, "Of this code."),
    (
        "cursor",
        Kind::Text,
        "`next_cursor` of the page before; opaque.",
    ),
    (
        "action",
        Kind::Text,
        "What was done, `noun_verb`; repeated means or.",
    ),
    (
        "declared",
        Kind::Flag,
        "`true`: the payer declared a payment that the host has neither received nor refused.",
    ),
    (
        "dry_run",
        Kind::Flag,
        "`true`: tell what would happen and change nothing.",
    ),
    (
        "evidence",
        Kind::Text,
        "How the record is proved; repeated means or.",
    ),
    ("format", Kind::Text, "The file format of the answer."),
    ("from", Kind::Instant, "From this moment on, inclusive."),
    (
        "host_organization_id",
        Kind::Id,
        "Of instruments of this host.",
    ),
    ("instrument_id", Kind::Id, "Of this instrument."),
    (
        "invoice_no",
        Kind::Text,
        "Of this number, or taken back under it; repeated means or.",
    ),
    ("invoiced", Kind::Flag, "Whether an invoice was issued."),
    (
        "is_host",
        Kind::Flag,
        "Whether the organization shares instruments.",
    ),
    ("kind", Kind::Text, "Of this kind; repeated means or."),
    ("level", Kind::Text, "province, city or county."),
    (
        "limit",
        Kind::Limit,
        "How many items at most, 1 to 200; 50 when absent.",
    ),
    (
        "max_price_fen",
        Kind::Integer,
        "At most this price per hour, in fen.",
    ),
    (
        "method",
        Kind::Text,
        "Offers a service by this method standard, or one that has this text in its name; at most 100 characters and five values.",
    ),
    ("metric", Kind::Text, "Only the records behind this metric."),
    (
        "mode",
        Kind::Text,
        "How it is done: a mode of use, or of an import `create` or `upsert`.",
    ),
    (
        "open",
        Kind::Flag,
        "`true`: something is still owed; `false`: nothing.",
    ),
    ("organization", Kind::Id, "Of this organization."),
    ("organization_id", Kind::Id, "Of this organization."),
    ("paid", Kind::Flag, "Whether it is paid in full."),
    (
        "parent",
        Kind::Text,
        "Directly below this code; repeated means or.",
    ),
    (
        "payer_organization_id",
        Kind::Id,
        "Owed by this organization.",
    ),
    (
        "policy",
        Kind::Text,
        "A policy: its code, or `code@version`.",
    ),
    (
        "purpose",
        Kind::Text,
        "For this purpose; repeated means or.",
    ),
    (
        "q",
        Kind::Text,
        "A text to look for, of at most 100 characters; repeated means or, at most five.",
    ),
    ("region", Kind::Text, "A region code, with its subtree."),
    ("role", Kind::Text, "With this role."),
    (
        "share_mode",
        Kind::Text,
        "Shared this far; repeated means or.",
    ),
    (
        "sort",
        Kind::Text,
        "Field to sort by; `-` before it reverses.",
    ),
    ("state", Kind::Text, "In this state; repeated means or."),
    ("status", Kind::Text, "In this state; repeated means or."),
    (
        "subject_id",
        Kind::Id,
        "The id of what the event is about; repeated means or.",
    ),
    (
        "subject_type",
        Kind::Text,
        "The noun of what the event is about; repeated means or.",
    ),
    (
        "type",
        Kind::Text,
        "Of this type: the action that is told, `noun_verb`; repeated means or.",
    ),
    (
        "unread",
        Kind::Flag,
        "`true`: not read yet; `false`: read already.",
    ),
    (
        "unpriced",
        Kind::Flag,
        "`true`: a unit of others used the instrument and there is no charge.",
    ),
    ("usage_record_id", Kind::Id, "Of this usage record."),
    ("uscc", Kind::Text, "Of this unified social credit code."),
    ("until", Kind::Instant, "Before this moment, exclusive."),
    (
        "updated_since",
        Kind::Instant,
        "Changed at this moment or later; send `as_of` of the answer next time.",
    ),
    ("usage_record_id", Kind::Id, "Of this usage record."),
    ("year", Kind::Integer, "Of this year; repeated means or."),
];

const IN_PATH: &[(&str, &str)] = &[
    ("award_id", "The id of the award."),
    (
        "id",
        "The id; what is absent or not yours to see is answered 404.",
    ),
    ("invitation_id", "The id of the invitation."),
    ("service_id", "The id of the service."),
    ("tariff_id", "The id of the price."),
    ("user_id", "The id of the user."),
    ("year", "A year."),
];

#[derive(Clone, Copy)]
enum Kind {
    Date,
    Flag,
    Id,
    Instant,
    Integer,
    Limit,
    Text,
}

impl Kind {
    fn schema(self) -> Value {
        match self {
            Kind::Date => json!({"type": "string", "format": "date"}),
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Id => json!({"type": "integer", "format": "int64", "minimum": 1}),
            Kind::Instant => json!({"type": "string", "format": "date-time"}),
            Kind::Integer => json!({"type": "integer", "format": "int64"}),
            Kind::Limit => json!({"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
            Kind::Text => json!({"type": "string"}),
        }
    }
}

/// A query parameter of an operation.
pub fn in_query(name: &str) -> Value {
    let known = IN_QUERY.iter().find(|(known, ..)| *known == name);
    let (kind, about) = known.map_or((Kind::Text, ""), |(_, kind, about)| (*kind, *about));
    json!({"name": name, "in": "query", "description": about, "schema": kind.schema()})
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
    let version = "The version the change is made to: the ETag of the answer it was read from, `\"v3\"`. \
        412 when it is no longer the present one";
    json!({
        "AcceptLanguage": header("Accept-Language", false, "`zh-CN` (default) or `en`: the language of problem texts."),
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Makes repeating the request safe for 14 days: the stored answer comes again, with `Idempotency-Replayed: true`. Not kept where tokens are given: signing in, refreshing and signing out know no such keys, and a secret is not shown again.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        },
        "IfMatch": header("If-Match", true, &format!("{version}; 428 without it.")),
        "IfMatchOptional": header("If-Match", false, &format!("{version}. Honored when sent.")),
    })
}
