//! Tables of migration `0040_public_notices`.

diesel::table! {
    public_notice (id) {
        id -> BigInt,
        kind -> Text,
        subject_id -> BigInt,
        year -> BigInt,
        title -> Text,
        document_no -> Text,
        notice_from_on -> Date,
        notice_until_on -> Date,
        remark -> Nullable<Text>,
        content -> Text,
        state -> Text,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    objection (id) {
        id -> BigInt,
        public_notice_id -> BigInt,
        organization_id -> Nullable<BigInt>,
        text -> Text,
        state -> Text,
        due_on -> Date,
        created_by -> BigInt,
        decision -> Nullable<Text>,
        decided_by -> Nullable<BigInt>,
        decided_at -> Nullable<Timestamp>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}
