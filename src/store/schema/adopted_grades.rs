//! Tables of migration `0046_adopted_grades`.

diesel::table! {
    adopted_grade (year, organization_id) {
        year -> BigInt,
        organization_id -> BigInt,
        grade -> Text,
        issuer -> Text,
        document_no -> Text,
    }
}

diesel::table! {
    adopted_grade_year (year) {
        year -> BigInt,
        version -> BigInt,
        updated_at -> Timestamp,
    }
}
