//! What a test takes as given, put straight into the store: `given::instrument(&app).named("SEM").insert()`.

use yiqi::domain::booking_rules::{BookingRules, SaidRules};
use yiqi::domain::exemption::ShareMode;
use yiqi::domain::instrument::{InstrumentFacts, InstrumentState, PurposeType};
use yiqi::domain::{Fen, InstrumentId, OrganizationId};
use yiqi::store;
use yiqi::store::event::{NewEvent, Subject};
use yiqi::store::instrument::{Standing, Version};

use crate::client::Client;
use crate::world::{PROVINCE, Person, TestApp, UNIVERSITY, World};
use yiqi::domain::access::Role;

/// A listed, externally shared instrument of the university, open all hours, confirmed at once; each word changes that.
pub struct Instrument<'a> {
    app: &'a World,
    facts: InstrumentFacts,
    standing: Standing,
    host: OrganizationId,
    rules: serde_json::Value,
}

pub fn instrument(app: &World) -> Instrument<'_> {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);
    let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let asset_no = format!("A{number:06}");
    let named = ("场发射扫描电子显微镜", asset_no.as_str());
    let category = "010102".parse().unwrap();
    let value = Fen::new(120_000_000);
    let facts = InstrumentFacts {
        model: Some("SU8600".to_owned()),
        manufacturer: Some("Hitachi".to_owned()),
        country: Some("日本".to_owned()),
        accepted_on: "2024-05-06".parse().ok(),
        enabled_on: "2024-06-01".parse().ok(),
        share_mode: Some(ShareMode::External),
        location: Some("实验楼 101".to_owned()),
        ..InstrumentFacts::new(named, value, category, PurposeType::General)
    };
    let standing = Standing {
        state: InstrumentState::Listed,
        submitted_at: Some(app.now()),
        listed_at: Some(app.now()),
        ..Standing::draft()
    };
    let rules = serde_json::json!({
        "approval": "automatic",
        "weekly_hours": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "from": "00:00", "until": "24:00"}],
        "holidays": "open",
        "lead_minutes": 0,
    });
    Instrument {
        app,
        facts,
        standing,
        host: app.organization_id(UNIVERSITY),
        rules,
    }
}

impl Instrument<'_> {
    /// Changes what the host declares.
    pub fn with(mut self, change: impl FnOnce(&mut InstrumentFacts)) -> Self {
        change(&mut self.facts);
        self
    }

    pub fn channels(self, channels: i64) -> Self {
        self.with(|facts| facts.channels = channels)
    }

    /// Owned by another host.
    pub fn of(mut self, uscc: &'static str) -> Self {
        self.host = self.app.organization_id(uscc);
        self
    }

    pub fn in_state(mut self, state: InstrumentState) -> Self {
        self.standing.state = state;
        self
    }

    /// Overrides single booking rules; the others stay.
    pub fn rules(mut self, overrides: serde_json::Value) -> Self {
        let all = self.rules.as_object_mut().unwrap();
        for (name, value) in overrides.as_object().unwrap() {
            all.insert(name.clone(), value.clone());
        }
        self
    }

    /// Open every day at these hours.
    pub fn open(self, from: &str, until: &str) -> Self {
        self.rules(serde_json::json!({
            "weekly_hours": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "from": from, "until": until}],
        }))
    }

    pub fn insert(self) -> InstrumentId {
        let rules: BookingRules = serde_json::from_value(self.rules).unwrap();
        rules.validate().unwrap();
        let rules = SaidRules::from(rules).over(&BookingRules::default());
        let (facts, standing, host, now) = (self.facts, self.standing, self.host, self.app.now());
        self.app.write(move |tx| {
            let region = store::organization::get(tx, host)?.region_code;
            let first = Version {
                facts: &facts,
                region: Some(region),
                standing: &standing,
                now,
            };
            let id = store::instrument::reserve_id(tx)?;
            let subject = Subject::new("instrument", id);
            let event = NewEvent::new(now, yiqi::domain::access::Action::InstrumentCreate, subject)
                .of(host, None);
            let event = store::event::append(tx, &event)?;
            store::instrument::insert(tx, &first.first(id, host, event))?;
            store::booking_rules::insert(tx, &[id], &rules, now)?;
            Ok(id)
        })
    }
}

/// A second person of the province's administration, who makes final what the first one showed.
pub const DEPUTY: Person = Person {
    login: "deputy@province.example",
    organization: PROVINCE,
    roles: &[Role::PlatformAdmin],
};

/// Signs the second person in, who is not in every world: whoever counts who is told counts one administrator.
pub fn deputy(app: &TestApp) -> Client {
    let known = app.read(|conn| Ok(store::user::find_password(conn, DEPUTY.login)?.is_some()));
    if !known {
        let (now, organization) = (app.now(), app.organization_id(PROVINCE));
        app.write(move |tx| {
            let user = store::user::NewUser {
                organization_id: organization,
                login: DEPUTY.login.to_owned(),
                name: "副处长".to_owned(),
                phone: None,
                password_hash: String::new(),
                roles: DEPUTY.roles.to_vec(),
                now,
            };
            Ok(store::user::insert(tx, &user)?)
        });
    }
    app.as_person(DEPUTY)
}

/// Moves the clock behind the last day of every notice that begins now by default.
pub fn notice_over(app: &World) {
    app.advance(8 * 24 * 60);
}

/// Points of the year for the university by every indicator of the shipped pack, as the province enters them.
pub fn expert_points(app: &World, year: i64) {
    let (unit, now) = (app.organization_id(UNIVERSITY), app.now());
    app.write(move |tx| {
        for indicator in ["A4", "B3"] {
            let point = store::yearly_run::expert::ExpertPoint {
                year,
                organization_id: unit,
                indicator: indicator.to_owned(),
                points: "3".to_owned(),
                entered_by: None,
                entered_at: now,
            };
            store::yearly_run::expert::update(tx, &point)?;
        }
        Ok(())
    });
}

/// Evaluators of the province, who are not in every world.
pub const EVALUATORS: [Person; 3] = [
    evaluator("expert1@province.example", PROVINCE),
    evaluator("expert2@province.example", PROVINCE),
    evaluator("expert3@university.example", UNIVERSITY),
];

const fn evaluator(login: &'static str, organization: &'static str) -> Person {
    Person {
        login,
        organization,
        roles: &[Role::Evaluator],
    }
}

/// Signs the evaluators in: two of the province's, and one who belongs to the university.
pub fn evaluators(app: &TestApp) -> [Client; 3] {
    let known =
        app.read(|conn| Ok(store::user::find_password(conn, EVALUATORS[0].login)?.is_some()));
    for person in EVALUATORS.iter().filter(|_| !known) {
        let (now, organization) = (app.now(), app.organization_id(person.organization));
        app.write(move |tx| {
            let user = store::user::NewUser {
                organization_id: organization,
                login: person.login.to_owned(),
                name: "专家".to_owned(),
                phone: None,
                password_hash: String::new(),
                roles: person.roles.to_vec(),
                now,
            };
            Ok(store::user::insert(tx, &user)?)
        });
    }
    EVALUATORS.map(|person| app.as_person(person))
}

/// An assignment of the university for the first evaluator, by the first indicator of the shipped pack.
pub fn assignment(app: &TestApp) -> i64 {
    evaluators(app);
    let body = serde_json::json!({
        "year": 2025, "indicator": "A4", "evaluator_user_id": app.user_id(EVALUATORS[0]),
        "organization_ids": [app.organization_id(UNIVERSITY)], "due_on": "2026-03-31",
    });
    let made = app.as_admin().post("/api/v1/expert-assignments", body);
    made.expect_status(201).id()
}
