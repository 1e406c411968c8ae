//! Tables of migration `0013_staged_imports`.

diesel::table! {
    staged_import (id) {
        id -> BigInt,
        began_at -> Timestamp,
    }
}

diesel::table! {
    staged_event (import_id, position) {
        import_id -> BigInt,
        position -> BigInt,
        action -> Text,
        subject_type -> Text,
        subject_id -> BigInt,
        actor_user_id -> Nullable<BigInt>,
        actor_api_key_id -> Nullable<BigInt>,
        actor_organization_id -> Nullable<BigInt>,
        organization_id -> Nullable<BigInt>,
        counterpart_organization_id -> Nullable<BigInt>,
        request_id -> Nullable<Text>,
        before -> Nullable<Text>,
        after -> Nullable<Text>,
        personal_digest -> Nullable<Text>,
        personal_salt -> Nullable<Text>,
        personal_content -> Nullable<Text>,
    }
}

diesel::table! {
    staged_instrument (import_id, position) {
        import_id -> BigInt,
        position -> BigInt,
        instrument_id -> BigInt,
        organization_id -> BigInt,
        asset_no -> Text,
        asset_no_key -> Nullable<Text>,
        name -> Text,
        state -> Text,
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
        version -> BigInt,
        content_head -> Text,
        content_tail -> Text,
    }
}

diesel::table! {
    staged_usage_record (import_id, position) {
        import_id -> BigInt,
        position -> BigInt,
        usage_record_id -> BigInt,
        instrument_id -> BigInt,
        organization_id -> BigInt,
        channel -> BigInt,
        started_at -> Timestamp,
        ended_at -> Timestamp,
        prepare_minutes -> BigInt,
        run_minutes -> BigInt,
        post_minutes -> BigInt,
        samples -> BigInt,
        mode -> Text,
        purpose -> Text,
        statutory -> Bool,
        operator -> Nullable<Text>,
        client_reference -> Nullable<Text>,
        client_reference_key -> Nullable<Text>,
        state -> Text,
        evidence -> Text,
        entered_by -> Nullable<BigInt>,
        service_class -> Nullable<Text>,
        project -> Nullable<Text>,
        project_level -> Nullable<Text>,
    }
}

diesel::table! {
    staged_charge (import_id, position) {
        import_id -> BigInt,
        position -> BigInt,
        charge_id -> BigInt,
        usage_record_id -> BigInt,
        host_organization_id -> BigInt,
        payer_organization_id -> BigInt,
        amount_fen -> BigInt,
        lines -> Text,
    }
}
