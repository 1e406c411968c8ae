//! Grades that others gave the units of a year, which packs with `adopt = true` take for the computed ones. A list belongs to a year;
//! a freeze takes it as it stands, and what was frozen stays.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::calendar::Year;
use crate::domain::fault::Faults;
use crate::domain::{Code, Fault, OrganizationId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::operations::subject::{Subject, Ties, load};
use crate::operations::yearly_run::check_year;
pub use crate::store::adopted_grade::AdoptedGrade;
use crate::store::event;
use crate::store::{self, Conn};

/// The most units of a list.
const UNITS_MAX: usize = 5_000;
const ISSUER_CHARS_MAX: usize = 200;
const DOCUMENT_NO_CHARS_MAX: usize = 64;

/// The list of a year, by unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptedYear {
    pub year: Year,
    pub items: Vec<AdoptedGrade>,
    pub version: i64,
}

impl Subject for AdoptedYear {
    type Id = Year;

    fn lock_and_load(tx: &mut Conn, actor: &Actor, year: Year) -> Result<Self, AppError> {
        store::adopted_grade::lock_year(tx, i64::from(year.number()))?;
        Self::load(tx, actor, year)
    }

    fn load(conn: &mut Conn, _: &Actor, year: Year) -> Result<Self, AppError> {
        let number = i64::from(year.number());
        Ok(Self {
            year,
            items: store::adopted_grade::list(conn, number)?,
            version: store::adopted_grade::version_of_year(conn, number)?,
        })
    }

    fn ties(&self) -> Ties {
        Ties::Nobody
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// The list of a year; of most years it is empty.
pub async fn get(app: &App, actor: &Actor, year: Year) -> Result<AdoptedYear, AppError> {
    let actor = actor.clone();
    app.store
        .read_snapshot(move |conn| load::<AdoptedYear>(conn, &actor, Action::AdoptedGradeGet, year))
        .await
}

/// Replaces the list of a year, whose units come in any order: what is not named is adopted no longer.
pub async fn update(
    run: &Run<AdoptedYear>,
    year: Year,
    items: Result<Vec<AdoptedGrade>, AppError>,
) -> Outcome<AdoptedYear> {
    run.on(
        year,
        items,
        move |tx, actor, present: AdoptedYear, items| {
            check(tx, actor, year, items)?;
            let mut items = items.clone();
            items.sort_by_key(|item| item.organization_id);
            if items == present.items {
                return Ok(present);
            }
            let number = i64::from(year.number());
            let known = (number, present.version);
            store::adopted_grade::replace_year(tx, known, &items, actor.now)?;
            store::yearly_run::update_to_stale(tx, number, actor.now)?;
            let event = actor
                .event(
                    Action::AdoptedGradeUpdate,
                    event::Subject::new("adopted_grade", number),
                )
                .before(told(&present.items))?
                .after(told(&items))?;
            event::append(tx, &event)?;
            Ok(AdoptedYear {
                year,
                items,
                version: present.version + 1,
            })
        },
    )
    .await
}

/// Everything that is wrong with a list.
fn check(
    conn: &mut Conn,
    actor: &Actor,
    year: Year,
    items: &[AdoptedGrade],
) -> Result<(), AppError> {
    check_year(year.number(), actor.now)?;
    if items.len() > UNITS_MAX {
        let fault = Fault::field("items", Code::too_many).limit(UNITS_MAX);
        return Err(fault.actual(items.len()).into());
    }
    let ids: Vec<OrganizationId> = items.iter().map(|item| item.organization_id).collect();
    let known = store::expert_assignment::list_hosts_among(conn, &ids)?;
    let known: BTreeMap<OrganizationId, bool> = known.into_iter().collect();
    let (mut faults, mut seen) = (Faults::new(), BTreeSet::new());
    for (at, item) in items.iter().enumerate() {
        let field = |name: &str| format!("items[{at}].{name}");
        let id = item.organization_id;
        let code = match known.get(&id) {
            _ if !seen.insert(id) => Some(Code::duplicate),
            None => Some(Code::unknown_reference),
            Some(false) => Some(Code::organization_is_no_host),
            Some(true) => None,
        };
        if let Some(code) = code {
            let fault = Fault::field(field("organization_id"), code);
            faults.push(fault.actual(id.number()));
        }
        faults.text(&field("issuer"), &item.issuer, ISSUER_CHARS_MAX);
        let document_no = field("document_no");
        faults.text(&document_no, &item.document_no, DOCUMENT_NO_CHARS_MAX);
    }
    AppError::refuse_all(faults.into_vec())
}

/// A list as events tell it.
fn told(items: &[AdoptedGrade]) -> Value {
    let item = |item: &AdoptedGrade| {
        json!({
            "organization_id": item.organization_id,
            "grade": item.grade,
            "issuer": item.issuer,
            "document_no": item.document_no,
        })
    };
    json!({"items": items.iter().map(item).collect::<Vec<_>>()})
}
