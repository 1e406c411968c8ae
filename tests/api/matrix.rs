//! Every action of the table by every role, of the own unit, of another one and of nobody's: past HTTP, where an action is
//! admitted, and through every route. What is expected is said here in words of its own, not asked of the rights.

mod by_key;

use serde_json::json;
use ureq::http::Method;
use yiqi::domain::access::{Action, Caller, Kind, Role, SubjectKind};
use yiqi::domain::organization::{OrganizationFacts, OrganizationKind, OrganizationState};
use yiqi::domain::{Instant, Uscc};
use yiqi::error::AppError;
use yiqi::http::route::{BASE, Route};
use yiqi::http::routes;
use yiqi::operations::actor::Actor;
use yiqi::operations::booking::BookingContext;
use yiqi::operations::charge::ChargeContext;
use yiqi::operations::instrument::InstrumentContext;
use yiqi::operations::run::{admit, may};
use yiqi::operations::session::caller_of_login;
use yiqi::operations::usage::UsageContext;
use yiqi::store::finding::Finding;
use yiqi::store::organization::{NewOrganization, Organization};
use yiqi::store::user::NewUser;
use yiqi::store::yearly_run::{evaluation::Evaluation, subsidy};
use yiqi::store::{self, Conn};

use crate::bad_input::{Stage, method, stage};
use crate::both;
use crate::world::*;

/// The administration of another city, which supervises neither the host nor the company.
const OTHER_CITY: &str = "11130400000000003R";

/// Roles that nobody of the template has: in another unit, and the evaluators'.
const MORE_PEOPLE: [Person; 5] = [
    person("evaluator@province.example", PROVINCE, &[Role::Evaluator]),
    person("admin@other-city.example", OTHER_CITY, &[Role::RegionAdmin]),
    person(
        "finance@other-host.example",
        OTHER_HOST,
        &[Role::HostFinance],
    ),
    person(
        "manager@other-host.example",
        OTHER_HOST,
        &[Role::InstrumentManager],
    ),
    person("member@other.example", OTHER_COMPANY, &[Role::UnitMember]),
];

const fn person(login: &'static str, organization: &'static str, roles: &'static [Role]) -> Person {
    Person {
        login,
        organization,
        roles,
    }
}

/// What becomes of somebody who asks for an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Admitted,
    Unauthenticated,
    Forbidden,
    /// Not theirs to see.
    Hidden,
}

/// What the world of this test has one of, and whose it is: the university's instrument, which its manager looks after; a
/// booking, a usage record and a charge of the company, booked by its administrator; a run that is not published; a finding that is shown
/// to the university.
fn expected(who: Option<Person>, action: Action, noun: SubjectKind) -> Answer {
    let Some(who) = who else {
        return match action.is_open_to_visitors() {
            true => Answer::Admitted,
            false => Answer::Unauthenticated,
        };
    };
    let draft_run = matches!(
        noun,
        SubjectKind::Evaluation | SubjectKind::SubsidyRun | SubjectKind::Award
    );
    let sees = match noun {
        SubjectKind::Booking => is_reached(who, Action::BookingGet, noun),
        SubjectKind::UsageRecord => is_reached(who, Action::UsageRecordGet, noun),
        SubjectKind::Charge => is_reached(who, Action::ChargeGet, noun),
        SubjectKind::Finding => is_reached(who, Action::FindingGet, noun),
        _ => !draft_run || who.organization == PROVINCE && !who.roles.contains(&Role::Evaluator),
    };
    match is_reached(who, action, noun) {
        _ if !sees => Answer::Hidden,
        true => Answer::Admitted,
        false => Answer::Forbidden,
    }
}

fn is_reached(who: Person, action: Action, noun: SubjectKind) -> bool {
    let by_visitors = action.is_open_to_visitors();
    by_visitors
        || who
            .roles
            .iter()
            .any(|role| reaches(who, *role, action, noun))
}

/// Whether one role reaches the subject of this world.
fn reaches(who: Person, role: Role, action: Action, noun: SubjectKind) -> bool {
    use SubjectKind::{Account, Award, Evaluation, Nothing, Organization, SubsidyRun};
    if !action.roles().contains(&role) {
        return false;
    }
    let role_decides = matches!(noun, Nothing | Account | Evaluation | SubsidyRun);
    let is_host = who.organization == UNIVERSITY;
    let is_user = match noun {
        Organization => is_host,
        SubjectKind::Instrument => true,
        _ => who.organization == COMPANY,
    };
    role_decides
        || match role {
            Role::PlatformAdmin | Role::Auditor => true,
            Role::RegionAdmin => who.organization == CITY && noun != Award,
            Role::HostAdmin | Role::HostFinance => is_host,
            Role::InstrumentManager => who == MANAGER,
            Role::UnitAdmin => is_user,
            Role::UnitMember if action.is_read() => is_user,
            Role::UnitMember => is_user && noun == SubjectKind::Instrument,
            Role::Evaluator => noun == SubjectKind::Instrument,
        }
}

fn people(app: &TestApp) -> Vec<Person> {
    let now = app.now();
    app.write(move |tx| Ok(add_people(tx, now)?));
    PEOPLE.iter().chain(&MORE_PEOPLE).copied().collect()
}

fn add_people(tx: &mut Conn, now: Instant) -> Result<(), AppError> {
    let facts = OrganizationFacts {
        name: "邯郸市科学技术局".to_owned(),
        kind: OrganizationKind::Agency,
        uscc: Uscc::parse(OTHER_CITY).unwrap(),
        region_code: "130400".parse().unwrap(),
        supervising_region_code: "130000".parse().unwrap(),
        is_host: false,
        address: None,
        public_contact: None,
    };
    store::organization::insert(
        tx,
        &NewOrganization {
            facts,
            uscc_confirmed: true,
            is_sme: false,
            state: OrganizationState::Verified,
            now,
        },
    )?;
    for person in MORE_PEOPLE {
        let uscc = Uscc::parse(person.organization).unwrap();
        let user = NewUser {
            organization_id: store::organization::find_by_uscc(tx, &uscc)?.unwrap().id,
            login: person.login.to_owned(),
            name: person.login.to_owned(),
            phone: None,
            password_hash: "none".to_owned(),
            roles: person.roles.to_vec(),
            now,
        };
        store::user::insert(tx, &user)?;
    }
    Ok(())
}

/// The manager looks after the instrument.
fn assign(app: &TestApp, stage: &Stage<'_>) {
    let instrument = id_of(stage, "instruments");
    let host = app.as_host();
    let path = format!("{BASE}/instruments/{instrument}");
    let present = host.get(&path).expect_status(200);
    let body = json!({"manager_ids": [app.user_id(MANAGER)]});
    let put = host.request(Method::PUT, &format!("{path}/managers"));
    put.header("if-match", present.etag())
        .json(body)
        .send()
        .expect_status(200);
}

fn id_of(stage: &Stage<'_>, noun: &str) -> i64 {
    let (_, id) = stage.ids.iter().find(|(known, _)| *known == noun).unwrap();
    *id
}

/// What a route is about: its action's subject where the path names one.
fn noun_of(route: &Route) -> SubjectKind {
    match (route.path.contains("id}"), route.action.subject()) {
        (false, _) => SubjectKind::Nothing,
        (true, subject) => subject,
    }
}

both! {
    fn every_route_by_every_role(app: &TestApp) {
        let stage = stage(app);
        assign(app, &stage);
        let people = people(app);
        let asking: Vec<_> = people
            .iter()
            .map(|person| (Some(*person), app.as_person(*person)))
            .chain([(None, app.visitor())])
            .collect();
        let before = stage.events();
        let (mut admitted, mut wrong) = (0, Vec::new());
        for route in routes::all().iter().filter(|route| !route.path.starts_with("/api-keys/{id}") && !route.path.starts_with("/calendar-tokens/")) {
            let path = stage.path(route);
            for (who, client) in &asking {
                let actions = [Some(route.action), route.other_action];
                let wanted: Vec<_> = actions
                    .into_iter()
                    .flatten()
                    .map(|action| expected(*who, action, noun_of(route)))
                    .collect();
                let wanted = match wanted.contains(&Answer::Admitted) {
                    true => Answer::Admitted,
                    false => wanted[0],
                };
                if wanted == Answer::Admitted && method(route) == Method::DELETE {
                    // It has no body that could be wrong: it would be done.
                    continue;
                }
                // A body that no route takes: whoever is admitted is told of it, and nothing happens.
                let sent = client.request(method(route), &path).json(json!({"no_such_field": 1})).send();
                // What this world has none of: nobody reviewed the record.
                let names_nothing = path.contains("999999") || route.action == Action::ReviewGet;
                let is_absent = names_nothing && sent.status == 404;
                let found = match sent.status {
                    401 if !route.ignores_caller => Answer::Unauthenticated,
                    403 => Answer::Forbidden,
                    404 if !is_absent => Answer::Hidden,
                    _ => Answer::Admitted,
                };
                let is_right = found == wanted || (is_absent && wanted != Answer::Unauthenticated);
                if !is_right {
                    let who = who.map_or("nobody", |who| who.login);
                    wrong.push(format!("{route:?} by {who}: {found:?}, not {wanted:?}: {}", sent.status));
                }
                admitted += u32::from(found == Answer::Admitted);
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(admitted > 300, "only {admitted} were admitted");
        assert_eq!(stage.events(), before);
    }

    fn every_action_by_every_role(app: &TestApp) {
        let stage = stage(app);
        assign(app, &stage);
        let (mut counts, mut wrong) = ([0, 0], Vec::new());
        for who in people(app).into_iter().map(Some).chain([None]) {
            let actor = match who {
                Some(who) => {
                    let caller = app.block_on(caller_of_login(&app.app, who.login)).unwrap();
                    Actor::caller_at(caller, app.now())
                }
                None => Actor::visitor(app.now()),
            };
            for action in Action::ALL.iter().filter(|action| action.kind() != Kind::Consequence) {
                let found = match app.block_on(ask(app, &stage, &actor, *action)) {
                    Ok(()) => Answer::Admitted,
                    Err(AppError::NotFound) => Answer::Hidden,
                    Err(AppError::Denied(_)) => Answer::Forbidden,
                    Err(AppError::Unauthenticated(_)) => Answer::Unauthenticated,
                    Err(other) => panic!("{action} by {who:?}: {other}"),
                };
                let wanted = expected(who, *action, action.subject());
                if found != wanted {
                    let who = who.map_or("nobody", |who| who.login);
                    wrong.push(format!("{action} by {who}: {found:?}, not {wanted:?}"));
                }
                counts[usize::from(found == Answer::Admitted)] += 1;
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(counts[0] > 800 && counts[1] > 300, "refused and admitted: {counts:?}");
    }

    /// What the installation does of itself is what the table gives it; nobody signs for it.
    fn the_installation_approves_publishes_and_finalizes_nothing(app: &TestApp) {
        let stage = stage(app);
        let system = Actor::system(app.now());
        for action in Action::ALL {
            let asked = app.block_on(ask(app, &stage, &system, *action));
            assert_eq!(asked.is_ok(), action.is_done_by_system(), "{action}: {asked:?}");
            let signs = ["approve", "publish", "finalize", "verify", "refuse", "suspend"];
            let is_signed = signs.iter().any(|verb| action.as_str().ends_with(verb));
            assert!(!is_signed || asked.is_err(), "{action}");
        }
    }
}

/// Asks for an action on the one subject of its kind, as the runner does.
async fn ask(
    app: &TestApp,
    stage: &Stage<'_>,
    actor: &Actor,
    action: Action,
) -> Result<(), AppError> {
    let id = |noun| id_of(stage, noun);
    let app = &app.app;
    match action.subject() {
        SubjectKind::Nothing | SubjectKind::Account => may(actor, action),
        SubjectKind::Organization => {
            admit::<Organization>(app, actor, action, id("organizations").try_into().unwrap()).await
        }
        SubjectKind::Instrument => {
            admit::<InstrumentContext>(app, actor, action, id("instruments").try_into().unwrap())
                .await
        }
        SubjectKind::Booking => {
            admit::<BookingContext>(app, actor, action, id("bookings").try_into().unwrap()).await
        }
        SubjectKind::UsageRecord => {
            admit::<UsageContext>(app, actor, action, id("usage-records").try_into().unwrap()).await
        }
        SubjectKind::Charge => {
            admit::<ChargeContext>(app, actor, action, id("charges").try_into().unwrap()).await
        }
        SubjectKind::Finding => {
            admit::<Finding>(app, actor, action, id("findings").try_into().unwrap()).await
        }
        SubjectKind::Evaluation => {
            admit::<Evaluation>(app, actor, action, id("evaluations").try_into().unwrap()).await
        }
        SubjectKind::SubsidyRun | SubjectKind::Award => {
            admit::<subsidy::SubsidyRun>(app, actor, action, id("subsidy-runs").try_into().unwrap())
                .await
        }
    }
}
