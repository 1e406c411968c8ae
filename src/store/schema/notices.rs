//! The order of the trail, who follows it, and what they tell.

diesel::table! {
    trail (id) {
        id -> BigInt,
        epoch -> BigInt,
    }
}

diesel::table! {
    consumer (name) {
        name -> Text,
        epoch -> BigInt,
        transaction_id -> BigInt,
        event_id -> BigInt,
        leased_by -> Nullable<Text>,
        leased_until -> Nullable<Timestamp>,
    }
}

diesel::table! {
    notice (id) {
        id -> BigInt,
        recipient_user_id -> BigInt,
        action -> Text,
        subject_type -> Text,
        subject_id -> BigInt,
        event_id -> BigInt,
        request_id -> Nullable<Text>,
        created_at -> Timestamp,
        read_at -> Nullable<Timestamp>,
    }
}
