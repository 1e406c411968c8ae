//! Tables of migrations `0048_duties`, `0049_rectifications` and
//! `0050_stats_snapshots`.

diesel::table! {
    asset_ledger (id) {
        id -> BigInt,
        organization_id -> BigInt,
        asset_no -> Text,
        asset_no_key -> Text,
        name -> Text,
        original_value_fen -> BigInt,
        accepted_on -> Date,
        disposed_on -> Nullable<Date>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    duty (id) {
        id -> BigInt,
        organization_id -> BigInt,
        kind -> Text,
        year -> BigInt,
        asset_no -> Text,
        asset_no_key -> Text,
        name -> Text,
        instrument_id -> Nullable<BigInt>,
        due_on -> Date,
        met_on -> Nullable<Date>,
        ended_on -> Nullable<Date>,
        state -> Text,
        detail -> Nullable<Text>,
        told -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    duty_basis (organization_id) {
        organization_id -> BigInt,
        basis -> Text,
    }
}

diesel::table! {
    rectification (id) {
        id -> BigInt,
        organization_id -> BigInt,
        cause -> Text,
        text -> Text,
        due_on -> Date,
        state -> Text,
        report -> Nullable<Text>,
        reported_by -> Nullable<BigInt>,
        reported_at -> Nullable<Timestamp>,
        acceptance -> Nullable<Text>,
        accepted_by -> Nullable<BigInt>,
        accepted_at -> Nullable<Timestamp>,
        created_by -> BigInt,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    stats_snapshot (evaluation_id) {
        evaluation_id -> BigInt,
        content -> Text,
        created_at -> Timestamp,
    }
}
