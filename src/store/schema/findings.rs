//! Tables of migration `0038_findings`, with the columns of `0042_finding_decisions`.

diesel::table! {
    finding (id) {
        id -> BigInt,
        year -> BigInt,
        rule -> Text,
        subject -> Text,
        organization_id -> BigInt,
        counterpart_organization_id -> Nullable<BigInt>,
        instrument_id -> Nullable<BigInt>,
        records -> BigInt,
        minutes -> BigInt,
        income_fen -> BigInt,
        record_ids -> Text,
        facts_digest -> Text,
        state -> Text,
        decision -> Nullable<Text>,
        effect -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}
