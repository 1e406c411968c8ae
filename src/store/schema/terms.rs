//! Tables of migrations `0015_terms` and `0027_holiday_years`.

diesel::table! {
    instrument_terms (instrument_id) {
        instrument_id -> BigInt,
        version -> BigInt,
        content -> Text,
    }
}

diesel::table! {
    calendar (id) {
        id -> BigInt,
        version -> BigInt,
        content -> Text,
    }
}

diesel::table! {
    holiday_year (year) {
        year -> BigInt,
        version -> BigInt,
        updated_at -> Timestamp,
    }
}
