//! Tables of migration `0011_jobs`.

diesel::table! {
    job (id) {
        id -> BigInt,
        kind -> Text,
        subject_id -> BigInt,
        state -> Text,
        phase -> Text,
        percent -> BigInt,
        leased_by -> Nullable<Text>,
        leased_until -> Nullable<Timestamp>,
        attempts -> BigInt,
        failure -> Nullable<Text>,
        actor_user_id -> Nullable<BigInt>,
        actor_organization_id -> Nullable<BigInt>,
        request_id -> Nullable<Text>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}
