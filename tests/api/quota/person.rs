//! Rules that look at who asks: the gap between a person's bookings, the lock before the start, what differs for a class of
//! customers, and who the person is.

use super::*;

fn to(from: &str, until: &str) -> Value {
    json!({"starts_at": at(from), "ends_at": at(until)})
}

both! {
    fn a_person_keeps_the_gap_wherever_a_slot_is_won(app: &TestApp) {
        let (boss, engineer) = (app.as_company(), app.as_person(ENGINEER));
        let rules = json!({"gap_minutes": 60});
        let sem = given::instrument(app).channels(2).rules(rules.clone()).insert();
        let elsewhere = given::instrument(app).rules(rules).insert();
        let mine = book(&boss, sem, "03-10T10:00", "03-10T11:00").expect_status(201).id();
        for (from, until, minutes) in [("03-10T11:00", "03-10T12:00", 0), ("03-10T11:30", "03-10T12:00", 30), ("03-10T09:00", "03-10T09:30", 30), ("03-10T10:00", "03-10T11:00", 0)] {
            let checked = boss.post("/api/v1/bookings/check", wish(sem, from, until)).expect_status(200);
            assert_eq!((&checked["bookable"], &checked["errors"][0]["code"]), (&json!(false), &json!("gap_too_short")));
            let next: Vec<_> = checked["next_free"].as_array().unwrap().iter().map(|slot| slot["starts_at"].as_str().unwrap() >= at("03-10T12:00").as_str()).collect();
            assert!(!next.is_empty() && next.iter().all(|later| *later) || from < "03-10T09:30", "{}", checked.text());
            let refused = book(&boss, sem, from, until).expect_code(422, "gap_too_short");
            assert_eq!((&refused["errors"][0]["limit"], &refused["errors"][0]["actual"]), (&json!(60), &json!(minutes)));
        }
        book(&engineer, sem, "03-10T11:00", "03-10T12:00").expect_status(201);
        let there = book(&boss, elsewhere, "03-10T11:00", "03-10T12:00").expect_status(201).id();
        let later = book(&boss, sem, "03-10T12:00", "03-10T13:00").expect_status(201).id();
        action(&boss, later, "reschedule", to("03-10T11:30", "03-10T12:30")).expect_code(422, "gap_too_short");
        let mut other = to("03-10T11:00", "03-10T11:30");
        other["instrument_id"] = json!(sem);
        action(&boss, there, "reschedule", other).expect_code(422, "gap_too_short");
        // It does not keep a gap to itself.
        action(&boss, mine, "reschedule", to("03-10T10:30", "03-10T11:00")).expect_status(200);
        let query = format!("from={}&until={}", at("03-10T09:00"), at("03-10T15:00")).replace('+', "%2B");
        let seen = boss.get(&format!("/api/v1/instruments/{sem}/availability?{query}")).expect_status(200);
        assert_eq!(seen["free"], json!([to("03-10T09:00", "03-10T09:30"), to("03-10T14:00", "03-10T15:00")]));
    }

    fn near_its_start_a_user_only_extends_and_may_cancel(app: &TestApp) {
        let (boss, host) = (app.as_company(), app.as_host());
        let rules = json!({"change_before_minutes": 1440, "cancel_before_minutes": 0, "lead_minutes": 0});
        let sem = given::instrument(app).rules(rules.clone()).insert();
        let twin = given::instrument(app).rules(rules).insert();
        let mine = book(&boss, sem, "03-03T10:00", "03-03T12:00").expect_status(201).id();
        // 25 hours before, it may move to where 23 are left; from there it may not.
        action(&boss, mine, "reschedule", to("03-03T08:00", "03-03T10:00")).expect_status(200);
        let locked = action(&boss, mine, "reschedule", to("03-03T12:00", "03-03T14:00")).expect_code(422, "change_locked");
        let fault = &locked["errors"][0];
        assert_eq!((&fault["limit"], &fault["actual"]), (&json!(at("03-02T08:00")), &json!(at("03-03T12:00"))));
        action(&boss, mine, "reschedule", to("03-03T08:00", "03-03T09:30")).expect_code(422, "change_locked");
        action(&boss, mine, "reschedule", to("03-03T07:30", "03-03T10:00")).expect_code(422, "change_locked");
        let mut there = to("03-03T08:00", "03-03T10:00");
        there["instrument_id"] = json!(twin);
        action(&boss, mine, "reschedule", there).expect_code(422, "change_locked");
        action(&boss, mine, "reschedule", to("03-03T08:00", "03-03T11:00")).expect_status(200);
        // Its host moves it all the same.
        action(&host, mine, "reschedule", to("03-03T09:00", "03-03T11:00")).expect_status(200);
        action(&boss, mine, "cancel", json!({})).expect_status(200);
        // The lead time was kept when it was booked: whoever keeps the start keeps it.
        let rules = json!({"lead_minutes": 1440, "change_before_minutes": 1440});
        let sem = given::instrument(app).rules(rules).insert();
        let mine = book(&boss, sem, "03-03T10:00", "03-03T12:00").expect_status(201).id();
        app.advance(120);
        action(&boss, mine, "reschedule", to("03-03T10:00", "03-03T13:00")).expect_status(200);
    }

    fn each_class_of_customers_has_its_own_rules(app: &TestApp) {
        let rules = json!({
            "approval": "manual", "lead_minutes": 1440, "horizon_days": 90, "max_minutes": 240,
            "class_rules": {
                "enterprise": {"horizon_days": 30, "max_minutes": 120},
                "sme": {"approval": "automatic", "lead_minutes": 60},
                "own": {"lead_minutes": 0, "max_minutes": 480, "quotas": [{"per": "organization", "period": "day", "max_bookings": 1}]},
            },
        });
        let sem = given::instrument(app).rules(rules).insert();
        let (sme, enterprise) = (app.as_company(), app.as_stranger());
        let (own, institute) = (app.as_person(RESEARCHER), app.as_person(OTHER_HOST_ADMIN));
        let ask = |client: &Client, from: &str, until: &str| {
            let checked = client.post("/api/v1/bookings/check", wish(sem, from, until)).expect_status(200);
            let answer = book(client, sem, from, until);
            let errors: Vec<String> = answer["errors"].as_array().into_iter().flatten().map(|error| error["code"].as_str().unwrap().to_owned()).collect();
            let checks: Vec<String> = checked["errors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap().to_owned()).collect();
            assert_eq!(errors, checks, "{}", answer.text());
            let state = answer["state"].as_str().map(str::to_owned);
            if let Some(id) = answer["id"].as_i64() {
                cancel(client, id);
            }
            state.unwrap_or(errors.join(" "))
        };
        for (client, soon, far, long) in [
            (&sme, "confirmed", "too_far_ahead", "too_long"),
            (&enterprise, "too_soon", "too_far_ahead", "too_long"),
            (&institute, "too_soon", "requested", "requested"),
            (&own, "requested", "requested", "requested"),
        ] {
            assert_eq!(ask(client, "03-02T12:00", "03-02T13:00"), soon);
            assert_eq!(ask(client, "05-02T12:00", "05-02T13:00"), far);
            assert_eq!(ask(client, "03-10T12:00", "03-10T14:30"), long);
        }
        book(&own, sem, "03-10T08:00", "03-10T16:00").expect_status(201);
        assert_eq!(ask(&own, "03-10T18:00", "03-10T19:00"), "quota_exceeded");
        // What is free ends where the class may no longer book.
        let free = |client: &Client| {
            let query = format!("from={}&until={}", at("03-02T00:00"), at("05-30T00:00")).replace('+', "%2B");
            let seen = client.get(&format!("/api/v1/instruments/{sem}/availability?{query}")).expect_status(200);
            let all = seen["free"].as_array().unwrap().clone();
            (all[0]["starts_at"].clone(), all.last().unwrap()["ends_at"].clone())
        };
        assert_eq!(free(&sme), (json!(at("03-02T10:00")), json!(at("04-01T09:30"))));
        assert_eq!(free(&enterprise), (json!(at("03-03T09:00")), json!(at("04-01T09:30"))));
        assert_eq!(free(&app.visitor()), free(&enterprise));
        assert_eq!(free(&institute).1, json!(at("05-30T00:00")));
        // A move and an approval follow the class, too.
        let mine = book(&sme, sem, "03-12T10:00", "03-12T11:00").expect_status(201).id();
        let moved = action(&sme, mine, "reschedule", to("03-02T10:00", "03-02T11:00")).expect_status(200);
        assert_eq!(moved["state"], "confirmed");
        action(&sme, mine, "reschedule", to("03-02T10:00", "03-02T13:00")).expect_code(422, "too_long");
        let asked = book(&institute, sem, "03-12T12:00", "03-12T16:00").expect_status(201);
        let host = app.as_host();
        let request = host.request(ureq::http::Method::POST, &format!("{BOOKINGS}/{}/approve", asked.id()));
        request.header("If-Match", asked.etag()).json(json!({})).send().expect_status(200);
    }

    fn the_person_is_the_operator_and_a_key_names_one(app: &TestApp) {
        let (boss, colleague) = (app.as_company(), app.as_person(COLLEAGUE));
        let quotas = json!([{"per": "person", "period": "week", "max_bookings": 1, "modes": ["guided", "self_operated"]}]);
        let sem = given::instrument(app).rules(json!({"quotas": quotas})).insert();
        let mut hour = 0;
        let mut ask = |client: &Client, operator: Option<Value>, mode: &str| {
            hour += 1;
            let mut body = wish(sem, &format!("03-10T{hour:02}:00"), &format!("03-10T{hour:02}:30"));
            body["mode"] = json!(mode);
            if let Some(operator) = operator {
                body["operator"] = operator;
            }
            let checked = client.post("/api/v1/bookings/check", &body).expect_status(200);
            let answer = client.post(BOOKINGS, &body);
            let codes = |answer: &Answer| answer["errors"].as_array().into_iter().flatten().map(|error| error["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
            assert_eq!(codes(&checked), codes(&answer), "{}", answer.text());
            codes(&answer).join(" ")
        };
        let guest = |name: &str, phone: &str| Some(json!({"name": name, "phone": phone}));
        let member = |person: Person| Some(json!({"user_id": app.user_id(person)}));
        // The member who is named, whoever books and in whichever mode the instrument is run.
        assert_eq!(ask(&boss, member(COLLEAGUE), "self_operated"), "");
        assert_eq!(ask(&colleague, None, "guided"), "quota_exceeded");
        assert_eq!(ask(&colleague, member(ENGINEER), "guided"), "");
        assert_eq!(ask(&boss, member(ENGINEER), "self_operated"), "quota_exceeded");
        assert_eq!(ask(&boss, None, "self_operated"), "");
        // A guest is known by unit, name and telephone number.
        assert_eq!(ask(&boss, guest("王五", "13800000000"), "self_operated"), "");
        assert_eq!(ask(&colleague, guest(" 王五", "13800000000"), "guided"), "quota_exceeded");
        assert_eq!(ask(&boss, guest("王五", "13900000000"), "self_operated"), "");
        assert_eq!(ask(&boss, guest("赵六", "13800000000"), "self_operated"), "");
        assert_eq!(ask(&app.as_stranger(), guest("王五", "13800000000"), "self_operated"), "");
        // A key is nobody: it names who will come, where a rule looks at the person.
        let key = json!({"name": "LIMS", "scopes": ["bookings:read", "bookings:write", "catalog:read"]});
        let key = app.as_person(STRANGER).post("/api/v1/api-keys", key).expect_status(201);
        let key = app.visitor().with_token(key["secret"].as_str().unwrap());
        assert_eq!(ask(&key, None, "self_operated"), "operator_required");
        assert_eq!(ask(&key, None, "entrusted"), "");
        assert_eq!(ask(&key, member(STRANGER), "self_operated"), "");
        assert_eq!(ask(&key, member(STRANGER), "self_operated"), "quota_exceeded");
        let free = given::instrument(app).insert();
        key.post(BOOKINGS, wish(free, "03-10T10:00", "03-10T11:00")).expect_status(201);
        let gap = given::instrument(app).rules(json!({"gap_minutes": 30})).insert();
        let refused = key.post(BOOKINGS, wish(gap, "03-10T10:00", "03-10T11:00")).expect_code(422, "operator_required");
        assert_eq!(refused["errors"][0]["field"], "operator");
    }

    fn contradictions_are_refused_when_saved(app: &TestApp) {
        let host = app.as_host();
        let sem = given::instrument(app).insert();
        let unit = format!("/api/v1/organizations/{}/booking-rules", app.organization_id(UNIVERSITY));
        let paths = [format!("/api/v1/instruments/{sem}/booking-rules"), unit];
        let quota = |more: Value| {
            let mut quota = json!({"per": "person", "period": "day"});
            for (name, value) in more.as_object().unwrap() {
                quota[name] = value.clone();
            }
            quota
        };
        let one = json!({"max_bookings": 1});
        let refused = [
            (json!({"quotas": [quota(json!({}))]}), "missing", "quotas[0].max_bookings"),
            (json!({"quotas": [quota(json!({"max_minutes": 15}))]}), "min_above_max", "quotas[0].max_minutes"),
            (json!({"quotas": [quota(one.clone()), quota(json!({"max_minutes": 60}))]}), "duplicate", "quotas[1]"),
            (json!({"quotas": vec![quota(one.clone()); 21]}), "too_many", "quotas"),
            (json!({"gap_minutes": 43_201}), "out_of_range", "gap_minutes"),
            (json!({"change_before_minutes": -1}), "out_of_range", "change_before_minutes"),
            (json!({"class_rules": {"sme": {"max_minutes": 15}}}), "not_multiple_of_slot", "class_rules.sme.max_minutes"),
            (json!({"min_minutes": 60, "class_rules": {"sme": {"max_minutes": 30}}}), "min_above_max", "class_rules.sme.max_minutes"),
            (json!({"lead_minutes": 2880, "class_rules": {"own": {"horizon_days": 1}}}), "lead_beyond_horizon", "class_rules.own.horizon_days"),
            (json!({"class_rules": {"own": {"quotas": [quota(json!({}))]}}}), "missing", "class_rules.own.quotas[0].max_bookings"),
        ];
        let unread = [
            json!({"quotas": [{"per": "team", "period": "day", "max_bookings": 1}]}),
            json!({"quotas": [{"per": "person", "max_bookings": 1}]}),
            json!({"quotas": [quota(json!({"max_bookings": -1}))]}),
            json!({"class_rules": {"state": {}}}),
            json!({"class_rules": {"sme": {"min_minutes": 30}}}),
        ];
        for path in paths {
            let put = |body: &Value| {
                let present = host.get(&path).expect_status(200);
                let request = host.request(ureq::http::Method::PUT, &path);
                request.header("If-Match", present.etag()).json(body).send()
            };
            for (body, code, field) in &refused {
                let told = put(body).expect_code(422, code);
                let fields: Vec<_> = told["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
                assert!(fields.contains(field), "{}", told.text());
            }
            for body in &unread {
                put(body).expect_status(400);
            }
            let whole = json!({"quotas": [quota(one.clone())], "gap_minutes": 30, "change_before_minutes": 60,
                "class_rules": {"sme": {"quotas": [], "approval": "automatic"}}});
            let saved = put(&whole).expect_status(200);
            for (name, value) in whole.as_object().unwrap() {
                let mut expected = value.clone();
                if name == "quotas" {
                    expected[0]["over"] = json!("instrument");
                }
                assert_eq!(saved[name.as_str()], expected, "{name}");
                assert!(!saved["inherited"].as_array().unwrap().contains(&json!(name)));
            }
        }
    }
}
