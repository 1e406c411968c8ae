//! Tables of migration `0001_foundation`.

diesel::table! {
    region (code) {
        code -> Text,
        parent -> Nullable<Text>,
        level -> Text,
        name -> Text,
        gbt2260 -> Bool,
    }
}

diesel::table! {
    category (code) {
        code -> Text,
        parent -> Nullable<Text>,
        name -> Text,
    }
}

diesel::table! {
    subject (code) {
        code -> Text,
        name -> Text,
    }
}

diesel::table! {
    public_holiday (holiday_on) {
        holiday_on -> Date,
        kind -> Text,
        festival -> Text,
    }
}

diesel::table! {
    test_item (name, test_condition) {
        name -> Text,
        test_condition -> Text,
        code -> Nullable<Text>,
        method_standard -> Nullable<Text>,
        price_fen -> BigInt,
    }
}

diesel::table! {
    organization (id) {
        id -> BigInt,
        name -> Text,
        kind -> Text,
        uscc -> Text,
        uscc_confirmed -> Bool,
        region_code -> Text,
        supervising_region_code -> Text,
        is_host -> Bool,
        is_sme -> Bool,
        state -> Text,
        state_reason -> Nullable<Text>,
        address -> Nullable<Text>,
        public_contact -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    user_account (id) {
        id -> BigInt,
        organization_id -> Nullable<BigInt>,
        login -> Text,
        name -> Text,
        phone -> Nullable<Text>,
        language -> Nullable<Text>,
        password_hash -> Text,
        roles -> Text,
        state -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        former_organization_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    session (id) {
        id -> BigInt,
        user_id -> BigInt,
        user_agent -> Nullable<Text>,
        created_at -> Timestamp,
        last_used_at -> Timestamp,
        expires_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    refresh_token (token_hash) {
        token_hash -> Text,
        session_id -> BigInt,
        issued_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    login_failure (login, place) {
        login -> Text,
        place -> Text,
        failures -> BigInt,
        last_failed_at -> Timestamp,
        locked_until -> Nullable<Timestamp>,
        succeeded_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    invitation (id) {
        id -> BigInt,
        organization_id -> BigInt,
        login -> Text,
        roles -> Text,
        token_hash -> Text,
        invited_by -> Nullable<BigInt>,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        accepted_at -> Nullable<Timestamp>,
        withdrawn_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    calendar_token (id) {
        id -> BigInt,
        user_id -> BigInt,
        name -> Text,
        kind -> Text,
        token_hash -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    api_key (id) {
        id -> BigInt,
        organization_id -> BigInt,
        user_id -> BigInt,
        name -> Text,
        hint -> Text,
        secret_hash -> Text,
        scopes -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        last_used_at -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    related_party (id) {
        id -> BigInt,
        organization_id -> BigInt,
        related_organization_id -> BigInt,
        relation -> Nullable<Text>,
        since -> Timestamp,
        until -> Nullable<Timestamp>,
        verified_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    certification (id) {
        id -> BigInt,
        organization_id -> BigInt,
        code -> Text,
        valid_from_on -> Nullable<Date>,
        valid_until_on -> Nullable<Date>,
        document_no -> Nullable<Text>,
    }
}

diesel::table! {
    event (id) {
        id -> BigInt,
        epoch -> BigInt,
        transaction_id -> BigInt,
        happened_at -> Timestamp,
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
    }
}

diesel::table! {
    event_personal (event_id) {
        event_id -> BigInt,
        salt -> Text,
        content -> Text,
    }
}

diesel::table! {
    idempotency_key (caller, key) {
        caller -> Text,
        key -> Text,
        fingerprint -> Text,
        result -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    policy (id) {
        id -> BigInt,
        code -> Text,
        version -> BigInt,
        title -> Text,
        content -> Text,
        digest -> Text,
        created_at -> Timestamp,
        created_by -> Nullable<BigInt>,
        state -> Text,
        from_on -> Nullable<Date>,
        put_in_force_by -> Nullable<BigInt>,
        withdraw_reason -> Nullable<Text>,
        row_version -> BigInt,
    }
}
