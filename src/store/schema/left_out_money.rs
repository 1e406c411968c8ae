//! Tables of migration `0053_left_out_money`.

diesel::table! {
    award_money (award_id, part) {
        award_id -> BigInt,
        part -> Text,
        records -> BigInt,
        minutes -> BigInt,
        amount_fen -> BigInt,
    }
}

diesel::table! {
    evaluation_money (evaluation_id, organization_id, part) {
        evaluation_id -> BigInt,
        organization_id -> BigInt,
        part -> Text,
        records -> BigInt,
        minutes -> BigInt,
        amount_fen -> BigInt,
    }
}
