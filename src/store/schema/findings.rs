//! Tables of migrations `0038_findings` and `0043_finding_records`, with the columns of `0042_finding_decisions`.

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
        is_cut -> Bool,
        state -> Text,
        due_on -> Nullable<Date>,
        explanation -> Nullable<Text>,
        decision -> Nullable<Text>,
        effect -> Nullable<Text>,
        grade -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    finding_record (finding_id, usage_record_id) {
        finding_id -> BigInt,
        usage_record_id -> BigInt,
        is_affected -> Bool,
    }
}

diesel::table! {
    finding_scan (id) {
        id -> BigInt,
        year -> BigInt,
        state -> Text,
        found -> Nullable<BigInt>,
        changed -> Nullable<BigInt>,
        failure -> Nullable<Text>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}
