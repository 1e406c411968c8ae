//! Tables of migration `0002_registry`.

diesel::table! {
    instrument (id) {
        id -> BigInt,
        organization_id -> BigInt,
        asset_no -> Text,
        asset_no_key -> Nullable<Text>,
        name -> Text,
        state -> Text,
        state_reason -> Nullable<Text>,
        category_code -> Text,
        purpose_type -> Text,
        original_value_fen -> BigInt,
        share_mode -> Nullable<Text>,
        model -> Nullable<Text>,
        manufacturer -> Nullable<Text>,
        country -> Nullable<Text>,
        region_code -> Text,
        location -> Nullable<Text>,
        public_contact -> Nullable<Text>,
        channels -> BigInt,
        acquired_on -> Nullable<Date>,
        accepted_on -> Nullable<Date>,
        enabled_on -> Nullable<Date>,
        description -> Text,
        submitted_at -> Nullable<Timestamp>,
        listed_at -> Nullable<Timestamp>,
        suspended_at -> Nullable<Timestamp>,
        retired_on -> Nullable<Date>,
        version -> BigInt,
        event_id -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    instrument_version (instrument_id, version) {
        instrument_id -> BigInt,
        version -> BigInt,
        content -> Text,
        valid_from -> Timestamp,
        event_id -> BigInt,
    }
}

diesel::table! {
    sharing_exemption (id) {
        id -> BigInt,
        instrument_id -> BigInt,
        reason -> Text,
        state -> Text,
        requested_by -> Nullable<BigInt>,
        requested_at -> Timestamp,
        decided_by -> Nullable<BigInt>,
        decided_at -> Nullable<Timestamp>,
        decision_reason -> Nullable<Text>,
    }
}

diesel::table! {
    instrument_manager (instrument_id, user_id) {
        instrument_id -> BigInt,
        user_id -> BigInt,
    }
}

diesel::table! {
    instrument_service (id) {
        id -> BigInt,
        instrument_id -> BigInt,
        test_item -> Text,
        test_condition -> Nullable<Text>,
        method_standard -> Nullable<Text>,
        unit -> Text,
        price_fen -> BigInt,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        withdrawn_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    booking_rules (instrument_id) {
        instrument_id -> BigInt,
        rules -> Text,
        version -> BigInt,
        updated_at -> Timestamp,
        own -> Text,
    }
}

diesel::table! {
    organization_booking_rules (organization_id) {
        organization_id -> BigInt,
        rules -> Text,
        own -> Text,
        version -> BigInt,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    closure (id) {
        id -> BigInt,
        instrument_id -> BigInt,
        starts_at -> Timestamp,
        ends_at -> Nullable<Timestamp>,
        kind -> Text,
        public_reason -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        withdrawn_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    tariff (id) {
        id -> BigInt,
        instrument_id -> BigInt,
        customer_class -> Nullable<Text>,
        mode -> Nullable<Text>,
        valid_from -> Date,
        valid_until -> Nullable<Date>,
        price_fen_per_hour -> BigInt,
        created_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
    }
}
