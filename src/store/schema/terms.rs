//! Tables of migration `0015_terms`.

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
