//! When an instrument is free, busy and closed, as anybody may see it.

mod agreement;

use serde_json::json;

use crate::{both, given};

both! {
    fn free_busy_and_closed_without_who(app: &TestApp) {
        let sem = given::instrument(app).open("09:00", "18:00").insert();
        let on = |time: &str| format!("2026-03-03T{time}:00+08:00");
        let booking = json!({
            "instrument_id": sem, "starts_at": on("10:00"), "ends_at": on("12:00"),
            "mode": "self_operated", "purpose": "research",
        });
        app.as_company().post("/api/v1/bookings", booking).expect_status(201);
        let closure = json!({"starts_at": on("15:00"), "ends_at": on("16:00"), "kind": "calibration", "public_reason": "校准"});
        app.as_host().post(&format!("/api/v1/instruments/{sem}/closures"), closure).expect_status(201);
        let ask = |from: &str, until: &str| {
            let query = format!("from={from}&until={until}").replace('+', "%2B");
            app.visitor().get(&format!("/api/v1/instruments/{sem}/availability?{query}"))
        };
        let day = ask(&on("00:00"), "2026-03-04T00:00:00+08:00").expect_status(200);
        let span = |from: &str, until: &str| json!({"starts_at": on(from), "ends_at": on(until)});
        assert_eq!(day["free"], json!([span("09:00", "10:00"), span("12:00", "15:00"), span("16:00", "18:00")]));
        assert_eq!(day["busy"], json!([span("10:00", "12:00")]));
        let mut closed = span("15:00", "16:00");
        closed["kind"] = json!("calibration");
        closed["public_reason"] = json!("校准");
        assert_eq!(day["closed"], json!([closed]));

        ask(&on("00:00"), "2026-06-03T00:00:00+08:00").expect_status(200);
        ask(&on("00:00"), "2026-06-03T00:00:01+08:00").expect_code(422, "interval_too_long");
        ask(&on("00:00"), &on("00:00")).expect_code(422, "not_after_start");
        app.visitor().get(&format!("/api/v1/instruments/{sem}/availability")).expect_code(400, "missing_field");
        app.visitor().get("/api/v1/instruments/999999/availability?from=2026-03-03T00:00:00Z&until=2026-03-04T00:00:00Z").expect_code(404, "not_found");
    }
}
