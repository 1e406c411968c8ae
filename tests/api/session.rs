//! Signing in and out.

use serde_json::json;

use crate::both;
use crate::world::*;

both! {
    fn a_refresh_token_works_once_and_its_second_use_ends_the_session(app: &TestApp) {
        let visitor = app.visitor();
        let first = visitor
            .post("/api/v1/auth/login", json!({"email": "Boss@Company.example", "password": PASSWORD}))
            .expect_status(200);
        let refresh = |token: &serde_json::Value| visitor.post("/api/v1/auth/refresh", json!({"refresh_token": token}));
        let second = refresh(&first["refresh_token"]).expect_status(200);
        refresh(&first["refresh_token"]).expect_code(401, "session_revoked");
        refresh(&second["refresh_token"]).expect_code(401, "session_revoked");
        let signed_in = app.visitor().with_token(second["access_token"].as_str().unwrap());
        signed_in.get("/api/v1/events").expect_code(401, "session_revoked");
    }

    fn repeated_failures_lock_a_login_for_a_while(app: &TestApp) {
        let login = |password: &str| {
            app.visitor().post("/api/v1/auth/login", json!({"email": BOSS.login, "password": password}))
        };
        for _ in 0..5 {
            login("wrong").expect_code(401, "wrong_credentials");
        }
        let locked = login(PASSWORD).expect_code(429, "locked_out");
        assert_eq!(locked.header("retry-after"), Some("900"));
        app.advance(15);
        login(PASSWORD).expect_status(200);
    }

    fn a_login_that_can_be_nobody_s_is_not_counted(app: &TestApp) {
        let email = format!("{}@long.example", "a".repeat(16_000));
        for _ in 0..6 {
            app.visitor().post("/api/v1/auth/login", json!({"email": email, "password": "x"})).expect_code(401, "wrong_credentials");
        }
        assert_eq!(app.read(move |conn| Ok(yiqi::store::session::find_failures(conn, &email)?)), None);
    }

    fn an_old_token_is_no_obstacle_to_a_new_one(app: &TestApp) {
        let old = app.visitor().with_token("x");
        let tokens = old.post("/api/v1/auth/login", json!({"email": BOSS.login, "password": PASSWORD})).expect_status(200);
        let again = json!({"refresh_token": tokens["refresh_token"]});
        let tokens = old.post("/api/v1/auth/refresh", again).expect_status(200);
        let end = json!({"refresh_token": tokens["refresh_token"]});
        old.post("/api/v1/auth/logout", end).expect_status(204);
        old.post("/api/v1/auth/register", crate::account::application(1)).expect_status(201);
        old.get("/api/v1/instruments").expect_code(401, "invalid_token");
    }

    fn the_trail_is_read_by_those_who_may(app: &TestApp) {
        app.visitor().get("/api/v1/events").expect_code(401, "unauthenticated");
        app.as_person(ENGINEER).get("/api/v1/events").expect_code(403, "forbidden");
        app.settle();
        let all = app.as_person(AUDITOR).get("/api/v1/events?limit=3").expect_status(200);
        assert_eq!(all["items"].as_array().unwrap().len(), 3);
        let unknown = app.as_person(AUDITOR).get("/api/v1/events?subjct_type=x").expect_code(400, "unknown_parameter");
        assert_eq!(unknown["errors"][0]["did_you_mean"], "subject_type");
    }
}
