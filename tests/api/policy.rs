//! Policy packs over HTTP: stored once, never changed, every mistake told.

use crate::both;
use crate::world::TestApp;
use yiqi::operations::policy_pack::HEBEI_2026;

both! {
    fn a_pack_is_stored_once_and_its_mistakes_are_told(app: &TestApp) {
        let admin = app.as_admin();
        let send = |path: &str, text: String| admin.post_bytes(path, "application/toml", text.into_bytes());
        let second = HEBEI_2026.replacen("version = 1", "version = 2", 1);
        let stored = send("/api/v1/policies", second.clone()).expect_status(201);
        let id = stored.json()["id"].as_i64().unwrap();
        send("/api/v1/policies", second).expect_code(409, "policy_version_exists");
        let one = admin.get(&format!("/api/v1/policies/{id}")).expect_status(200);
        assert_eq!(one.json()["version"], 2);
        let wrong = HEBEI_2026.replacen("version = 1", "version = 0", 1).replacen("full_at = \"0.20\"", "full_at = 0.20", 1);
        let refused = send("/api/v1/policies", wrong.clone()).expect_code(422, "policy_mistake");
        let errors = refused.json()["errors"].as_array().unwrap().clone();
        assert_eq!(errors.len(), 2);
        assert_eq!(errors[0]["field"], "version");
        assert_eq!(errors[0]["actual"], 4);
        let told = send("/api/v1/policies/check", wrong).expect_status(200);
        assert_eq!(told.json()["mistakes"][1]["key"], "scores[7].full_at");
        let strangers = app.as_company().post_bytes("/api/v1/policies", "application/toml", Vec::new());
        strangers.expect_status(403);
    }
}
