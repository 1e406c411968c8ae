//! Tables of migration `0045_expert_assignments`.

diesel::table! {
    expert_assignment (id) {
        id -> BigInt,
        year -> BigInt,
        indicator -> Text,
        max -> Text,
        evaluator_user_id -> BigInt,
        due_on -> Date,
        state -> Text,
        created_by -> Nullable<BigInt>,
        submitted_at -> Nullable<Timestamp>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    expert_assignment_unit (expert_assignment_id, organization_id) {
        expert_assignment_id -> BigInt,
        organization_id -> BigInt,
        year -> BigInt,
        indicator -> Text,
        evaluator_user_id -> BigInt,
        is_withdrawn -> Bool,
        points -> Nullable<Text>,
        text -> Nullable<Text>,
    }
}
