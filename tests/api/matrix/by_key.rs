//! Every action and every route by API keys: each with one scope, of a host, of a company and of whoever else is there.

use yiqi::domain::access::{ApiKeyGrant, ApiScope};

use super::*;

/// What a campus system does for its host. Neither people's rights nor what the administration decides is among it.
const CATALOG_WRITE: &[Action] = &[
    Action::InstrumentCreate,
    Action::InstrumentChange,
    Action::InstrumentUpdate,
    Action::InstrumentSubmit,
    Action::InstrumentSubmitAll,
    Action::InstrumentRetire,
    Action::InstrumentDelete,
    Action::InstrumentImport,
    Action::InstrumentTemplateGet,
    Action::ServiceCreate,
    Action::ServiceCreateAll,
    Action::ServiceChange,
    Action::ServiceDelete,
    Action::BookingRulesUpdate,
    Action::BookingRulesUpdateAll,
    Action::OrganizationBookingRulesUpdate,
    Action::ClosureCreate,
    Action::OrganizationClosureCreate,
    Action::ClosureUpdate,
    Action::ClosureDelete,
    Action::TariffCreate,
    Action::TariffCreateAll,
    Action::TariffImport,
    Action::TariffTemplateGet,
    Action::TariffEnd,
];

/// What no key ever does, whatever else is added: people, their rights and keys, and decisions over others.
const NEVER: &[&str] = &[
    "account_",
    "api_key_",
    "certification_",
    "invitation_",
    "me_",
    "member_",
    "notice_",
    "password_",
    "session_",
    "unit_admin_",
    "related_party_",
    "instrument_approve",
    "instrument_assign_managers",
    "instrument_return",
    "instrument_suspend",
    "instrument_resume",
    "organization_update",
    "organization_verify",
    "exemption_",
    "evaluation_run",
    "subsidy_run",
];

/// What becomes of a key: `admitted`, or the code of its refusal.
fn wanted(who: Person, action: Action, noun: SubjectKind, scope: ApiScope) -> &'static str {
    let public = action.is_open_to_visitors() && action.is_read();
    // What everybody sees of what is listed and verified, no scope is needed for.
    let is_seen = public
        && (action.scope().is_none()
            || noun != SubjectKind::Nothing && noun != SubjectKind::Account);
    match expected(Some(who), action, noun) {
        Answer::Hidden => "not_found",
        Answer::Forbidden => "forbidden",
        Answer::Unauthenticated => "unauthenticated",
        Answer::Admitted if is_seen || action.scope() == Some(scope) => "admitted",
        Answer::Admitted if action.scope().is_none() => "not_by_api_key",
        Answer::Admitted => "scope_missing",
    }
}

#[test]
fn the_scopes_of_a_host_s_writes_and_of_the_trail() {
    let of = |scope| {
        let all = Action::ALL.iter().copied();
        all.filter(|action| action.scope() == Some(scope))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(ApiScope::EventsRead), [Action::EventList]);
    let mut wanted = CATALOG_WRITE.to_vec();
    wanted.sort();
    assert_eq!(of(ApiScope::CatalogWrite), wanted);
    for action in Action::ALL {
        let is_never = NEVER.iter().any(|name| action.as_str().starts_with(name));
        assert!(!is_never || action.scope().is_none(), "{action}");
    }
}

both! {
    fn every_action_by_every_scope_of_a_key(app: &TestApp) {
        let stage = stage(app);
        assign(app, &stage);
        let (mut counts, mut wrong) = ([0, 0], Vec::new());
        for who in people(app) {
            let person = app.block_on(caller_of_login(&app.app, who.login)).unwrap();
            for scope in ApiScope::ALL {
                let grant = ApiKeyGrant { id: 1.try_into().unwrap(), scopes: vec![*scope] };
                let caller = Caller { api_key: Some(grant), ..person.clone() };
                let actor = Actor::caller_at(caller, app.now());
                for action in Action::ALL.iter().filter(|action| action.kind() != Kind::Consequence) {
                    let found = match app.block_on(ask(app, &stage, &actor, *action)) {
                        Ok(()) => "admitted",
                        Err(AppError::NotFound) => "not_found",
                        Err(AppError::Denied(code)) => code.as_str(),
                        Err(other) => panic!("{action} by {who:?} with {scope}: {other}"),
                    };
                    let wanted = wanted(who, *action, action.subject(), *scope);
                    if found != wanted {
                        wrong.push(format!("{action} by {} with {scope}: {found}, not {wanted}", who.login));
                    }
                    counts[usize::from(found == "admitted")] += 1;
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(counts[0] > 8_000 && counts[1] > 300, "refused and admitted: {counts:?}");
    }

    /// Keys as their owners make them; those of scopes that their owners cannot give do not exist.
    fn every_route_by_every_scope_of_a_key(app: &TestApp) {
        let stage = stage(app);
        let mut keys = Vec::new();
        for (who, refused) in [(HOST, 0), (BOSS, 1)] {
            let owner = app.as_person(who);
            let made: Vec<_> = ApiScope::ALL.iter().filter_map(|scope| {
                let made = owner.post("/api/v1/api-keys", json!({"name": scope, "scopes": [scope]}));
                if made.status == 422 {
                    made.expect_code(422, "scope_not_grantable");
                    return None;
                }
                let secret = made.expect_status(201)["secret"].as_str().unwrap().to_owned();
                Some((who, *scope, app.visitor().with_token(secret)))
            }).collect();
            assert_eq!(made.len(), ApiScope::ALL.len() - refused, "{who:?}");
            keys.extend(made);
        }
        let before = stage.events();
        let (mut admitted, mut wrong) = (0, Vec::new());
        let routes = routes::all().iter().filter(|route| !route.ignores_caller);
        for route in routes.filter(|route| !route.path.starts_with("/api-keys/{id}") && !route.path.starts_with("/calendar-tokens/")) {
            let path = stage.path(route);
            for (who, scope, key) in &keys {
                let mut wanted = wanted(*who, route.action, noun_of(route), *scope);
                // A list shows a key without its scope what the public sees.
                if wanted == "scope_missing" && route.action.is_open_to_visitors() {
                    wanted = "admitted";
                }
                if wanted == "admitted" && method(route) == Method::DELETE {
                    continue;
                }
                let sent = key.request(method(route), &path).json(json!({"no_such_field": 1})).send();
                let names_nothing = path.contains("999999") || route.action == Action::ReviewGet;
                let is_absent = names_nothing && sent.status == 404;
                let found = match sent.status {
                    401 | 403 | 404 => sent["code"].as_str().unwrap_or_default(),
                    _ => "admitted",
                };
                if found != wanted && !is_absent {
                    wrong.push(format!("{route:?} by {} with {scope}: {found}, not {wanted}", who.login));
                }
                admitted += u32::from(found == "admitted");
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(admitted > 150, "only {admitted} were admitted");
        assert_eq!(stage.events(), before);
    }
}
