//! Tables of migration `0048_duties`.

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
