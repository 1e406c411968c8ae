//! Tables of migration `0047_award_payments`.

diesel::table! {
    award_payment (id) {
        id -> BigInt,
        award_id -> BigInt,
        amount_fen -> BigInt,
        paid_on -> Date,
        document_no -> Text,
        created_by -> Nullable<BigInt>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    award_adjustment (id) {
        id -> BigInt,
        award_id -> BigInt,
        amount_fen -> BigInt,
        reason_code -> Text,
        reason -> Text,
        decision_no -> Nullable<Text>,
        state -> Text,
        proposed_by -> Nullable<BigInt>,
        decided_by -> Nullable<BigInt>,
        decided_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    award_hold (id) {
        id -> BigInt,
        award_id -> BigInt,
        is_held -> Bool,
        reason -> Text,
        created_by -> Nullable<BigInt>,
        created_at -> Timestamp,
    }
}
