//! What the document says in words and tables: the ground rules, who may do what, which codes there are; and the schema of
//! problem documents.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::domain::access::{Action, Role};
use crate::error::Code;
use crate::error::text::{self, Language};

const GROUND_RULES: &str = "\
Instants are RFC 3339 with offset, dates `YYYY-MM-DD`, durations whole minutes (`…_minutes`), money whole fen (`…_fen`, 1 yuan = 100 fen, \
tax included), ids positive integers below 2^53. Intervals are half-open. Unknown body fields and query parameters are refused by name.

Lists answer `{items, next_cursor}`; send `next_cursor` as `cursor` for the next page. A page looks at no more than 10,000 rows \
and may have fewer items than `limit`, even none: without `next_cursor` the list ends, not before. `updated_since` answers what changed, with `as_of`, the \
value to send next time; organizations, instruments, their closures and services, bookings, usage records, charges, findings, evaluations, subsidy \
runs, experts' assignments, public notices, objections, duties and rectifications have it. A what-if that is deleted leaves \
its list without a trace; the event of its deletion tells it. A repeated parameter means or; a request has at most 100 parameters.

Every POST that changes something takes an `Idempotency-Key`, but for `/auth/login`, `/auth/refresh` and `/auth/logout`: tokens are never stored, \
so their answers cannot come again.

Errors are problem documents (RFC 9457) that name everything that is wrong at once, in the order 401, 404, 403, 400, 412, 422, 409.

Operations that end in `_all` do one action on several things: each of the `items` is judged and written as if it were sent alone, one that is \
refused undoes nothing of the others, and the answer tells for each its `status` and, where it was refused, its `problem`. A body that is \
malformed in one item is 400, and nothing is done.

Beside the ids of organizations, instruments and people an answer, but that to a request for a booking, has what people call them (`organization_id`, `organization_name`); \
a booking's people come with their telephone numbers (`booked_by_phone`) for its two sides. The trail names people by id alone.

Another system of an organization signs in by an API key (`/api-keys`), which does what its scopes say, as far as the roles of whoever \
made it go, and only for that organization: `catalog:write` keeps a host's instruments, services, booking rules, closures and prices, \
`events:read` follows its trail. Without a scope it reads what the public reads; all else is 403 `not_by_api_key`.

Clients ignore what they do not know: fields, words and codes may be added.
";

/// The markdown text at the head of the document.
pub fn whole() -> String {
    let mut text = GROUND_RULES.to_owned();
    // Writing to a String cannot fail.
    let _ = rights(&mut text).and_then(|()| codes(&mut text));
    text
}

fn rights(text: &mut String) -> std::fmt::Result {
    write!(
        text,
        "\n<details><summary>Who may do what</summary>\n\n| action | scope of an API key |"
    )?;
    for role in Role::ALL {
        write!(text, " {role} |")?;
    }
    writeln!(text, "\n|---|---|{}", ":-:|".repeat(Role::ALL.len()))?;
    for action in Action::ALL {
        let scope = action.scope().map_or("", |scope| scope.as_str());
        write!(text, "| `{action}` | {scope} |")?;
        for role in Role::ALL {
            let mark = if action.roles().contains(role) {
                "✓"
            } else {
                ""
            };
            write!(text, " {mark} |")?;
        }
        writeln!(text)?;
    }
    writeln!(text, "\n</details>")
}

fn codes(text: &mut String) -> std::fmt::Result {
    writeln!(
        text,
        "\n<details><summary>Codes of problems</summary>\n\n| code | usual status | 中文 | English |\n|---|---|---|---|"
    )?;
    for code in Code::ALL {
        let chinese = text::of(*code, Language::Chinese);
        let english = text::of(*code, Language::English);
        let status = code.status();
        writeln!(
            text,
            "| [`{code}`](/docs/problems/{code}) | {status} | {chinese} | {english} |"
        )?;
    }
    writeln!(text, "\n</details>")
}

/// The schema of a problem document.
pub fn problem() -> Value {
    let mut properties = Map::new();
    let always = ["type", "title", "status", "detail", "instance", "code"];
    let members = always_there().into_iter().chain(in_the_way());
    for (name, schema, about) in members.chain(in_the_way_of_publishing()) {
        let mut schema = schema;
        if let (Some(members), false) = (schema.as_object_mut(), about.is_empty()) {
            members.insert("description".to_owned(), about.into());
        }
        properties.insert(name.to_owned(), schema);
    }
    json!({
        "type": "object",
        "description": "What is wrong (RFC 9457). Conflicts add members that name what is in the way, for example `clash` and `next_free`.",
        "required": always,
        "properties": properties,
        "additionalProperties": true,
    })
}

type Member = (&'static str, Value, &'static str);

fn always_there() -> Vec<Member> {
    let text = || json!({"type": "string"});
    let entries = json!({"type": "array", "items": {"$ref": "#/components/schemas/ProblemEntry"}});
    vec![
        ("type", text(), "`/docs/problems/{code}`"),
        ("title", text(), ""),
        ("status", json!({"type": "integer"}), ""),
        ("detail", text(), ""),
        ("instance", text(), "The path asked."),
        ("code", text(), "Stable name; that of the first entry."),
        ("request_id", text(), ""),
        ("errors", entries, ""),
    ]
}

/// What conflicts name.
fn in_the_way() -> Vec<Member> {
    let text = || json!({"type": "string"});
    let texts = || json!({"type": "array", "items": {"type": "string"}});
    let count = || json!({"type": "integer", "format": "int64"});
    let moment = || json!({"type": "string", "format": "date-time"});
    let day = || json!({"type": "string", "format": "date"});
    let shape = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let shapes = |name: &str| json!({"type": "array", "items": shape(name)});
    vec![
        (
            "state",
            text(),
            "The present state, which forbids the action.",
        ),
        ("allowed", texts(), "The actions that are possible now."),
        (
            "possible_from",
            moment(),
            "From when the action is possible.",
        ),
        (
            "possible_before",
            moment(),
            "Until when the action was possible, exclusive.",
        ),
        ("existing_id", count(), "The record that is there already."),
        ("clash", shape("SlotShape"), "What takes the time."),
        (
            "next_free",
            shapes("SlotShape"),
            "The next free times of that length.",
        ),
        (
            "bookings",
            shapes("HitShape"),
            "The bookings that the change hits, by their start, at most 200.",
        ),
        ("bookings_count", count(), "How many there are."),
        ("limit", count(), "How many there may be."),
        ("charge_id", count(), "The charge in the way."),
        ("invoice_id", count(), "The invoice that the charge is on."),
        ("invoice_no", text(), "The number that is used already."),
        (
            "red_letter_no",
            text(),
            "The number of a red-letter invoice that is used already.",
        ),
        ("instrument_id", count(), "The instrument without a price."),
        ("priced_on", day(), "The day without a price."),
        (
            "valid_until",
            json!({"type": ["string", "null"], "format": "date"}),
            "The last day of the price, which is over.",
        ),
        ("year", count(), "The year that is final."),
        ("evaluation_id", count(), "The evaluation in the way."),
        ("subsidy_run_id", count(), "The run that counted it."),
        (
            "platform_agency",
            text(),
            "The code of the administration there is already.",
        ),
    ]
}

/// What forbids publishing, objecting and making final.
fn in_the_way_of_publishing() -> Vec<Member> {
    let text = || json!({"type": "string"});
    let count = || json!({"type": "integer", "format": "int64"});
    vec![
        ("policy_id", count(), "The policy that is not in force."),
        ("policy_state", text(), "The state of that policy."),
        (
            "due_on",
            json!({"type": "string", "format": "date"}),
            "The last day on which it was possible.",
        ),
        (
            "organization_ids",
            json!({"type": "array", "items": {"type": "integer", "format": "int64"}}),
            "The units for which something is missing.",
        ),
        (
            "missing",
            json!({"type": "array", "items": {
                "type": "object",
                "required": ["organization_id", "indicator"],
                "properties": {"organization_id": count(), "indicator": text()},
            }}),
            "The points that nobody gave yet.",
        ),
        (
            "ids",
            json!({"type": "array", "items": count()}),
            "What is to be decided first.",
        ),
        (
            "notice_until_on",
            json!({"type": "string", "format": "date"}),
            "The last day of the public notice.",
        ),
    ]
}
