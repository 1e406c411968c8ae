//! Policy packs over HTTP: stored once, never changed, every mistake told.

use ureq::http::Method;

use crate::both;
use yiqi::operations::policy_pack::HEBEI_2026;

both! {
    fn a_pack_is_stored_once_and_its_mistakes_are_told(app: &TestApp) {
        let admin = app.as_admin();
        let send = |path: &str, text: &str| {
            admin.request(Method::POST, path).bytes("application/toml", text.as_bytes()).send()
        };
        let second = HEBEI_2026.replacen("version = 1", "version = 2", 1);
        let stored = send("/api/v1/policies", &second).expect_status(201);
        send("/api/v1/policies", &second).expect_code(409, "policy_version_exists");
        let one = admin.get(&format!("/api/v1/policies/{}", stored.id())).expect_status(200);
        assert_eq!(one["version"], 2);
        assert_eq!(one["content"], second);
        let wrong = HEBEI_2026
            .replacen("version = 1", "version = 0", 1)
            .replacen("full_at = \"0.20\"", "full_at = 0.20", 1);
        let refused = send("/api/v1/policies", &wrong).expect_code(422, "policy_mistake");
        let errors = refused["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 2);
        assert_eq!(errors[0]["field"], "version");
        assert_eq!(errors[0]["actual"], 6);
        let told = send("/api/v1/policies/check", &wrong).expect_status(200);
        assert_eq!(told["mistakes"][1]["key"], "scores[7].full_at");
        let company = app.as_company();
        let company = company.request(Method::POST, "/api/v1/policies");
        company.bytes("application/toml", "").send().expect_code(403, "forbidden");
    }
}
