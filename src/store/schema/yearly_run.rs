//! Tables of migrations `0005_evaluation_and_subsidy`, `0007_yearly_guards`,
//! `0029_finality`, `0031_expert_points` and `0041_runs_of_any_pack`; what they print is in `0040_public_notices`.

diesel::table! {
    reported_metric (organization_id, year, metric) {
        organization_id -> BigInt,
        year -> BigInt,
        metric -> Text,
        value -> Text,
        event_id -> BigInt,
    }
}

diesel::table! {
    reported_metric_version (organization_id, year, metric, event_id) {
        organization_id -> BigInt,
        year -> BigInt,
        metric -> Text,
        value -> Text,
        event_id -> BigInt,
        replaced_by_event_id -> BigInt,
    }
}

diesel::table! {
    evaluation (id) {
        id -> BigInt,
        year -> BigInt,
        policy_id -> BigInt,
        policy_digest -> Text,
        state -> Text,
        progress -> BigInt,
        failure -> Nullable<Text>,
        frozen_at -> Nullable<Timestamp>,
        frozen_event_id -> Nullable<BigInt>,
        input_digest -> Nullable<Text>,
        result_digest -> Nullable<Text>,
        created_by -> Nullable<BigInt>,
        published_by -> Nullable<BigInt>,
        finalized_by -> Nullable<BigInt>,
        published_at -> Nullable<Timestamp>,
        finalized_at -> Nullable<Timestamp>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        policy_code -> Text,
        notice_until_on -> Nullable<Date>,
        notice_remark -> Nullable<Text>,
        discard_reason -> Nullable<Text>,
        public_notice_id -> Nullable<BigInt>,
        terms -> Text,
        is_scenario -> Bool,
        is_stale -> Bool,
        facts_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    evaluation_input (evaluation_id, position) {
        evaluation_id -> BigInt,
        position -> BigInt,
        line -> Text,
    }
}

diesel::table! {
    expert_score (evaluation_id, organization_id, indicator) {
        evaluation_id -> BigInt,
        organization_id -> BigInt,
        indicator -> Text,
        points -> Text,
        entered_by -> Nullable<BigInt>,
        entered_at -> Timestamp,
    }
}

diesel::table! {
    expert_point (year, organization_id, indicator) {
        year -> BigInt,
        organization_id -> BigInt,
        indicator -> Text,
        points -> Text,
        entered_by -> Nullable<BigInt>,
        entered_at -> Timestamp,
    }
}

diesel::table! {
    evaluation_unit (evaluation_id, organization_id) {
        evaluation_id -> BigInt,
        organization_id -> BigInt,
        total -> Text,
        grade -> Nullable<Text>,
        place -> BigInt,
        scores -> Text,
        instruments -> Text,
        uscc -> Text,
        name -> Text,
    }
}

diesel::table! {
    subsidy_run (id) {
        id -> BigInt,
        year -> BigInt,
        policy_id -> BigInt,
        policy_digest -> Text,
        evaluation_id -> Nullable<BigInt>,
        budget_fen -> BigInt,
        state -> Text,
        progress -> BigInt,
        failure -> Nullable<Text>,
        factor -> Nullable<Text>,
        sum_before_pool_fen -> Nullable<Text>,
        awarded_fen -> Nullable<BigInt>,
        unspent_fen -> Nullable<BigInt>,
        result_digest -> Nullable<Text>,
        created_by -> Nullable<BigInt>,
        published_by -> Nullable<BigInt>,
        finalized_by -> Nullable<BigInt>,
        published_at -> Nullable<Timestamp>,
        finalized_at -> Nullable<Timestamp>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        policy_code -> Text,
        notice_until_on -> Nullable<Date>,
        notice_remark -> Nullable<Text>,
        discard_reason -> Nullable<Text>,
        public_notice_id -> Nullable<BigInt>,
        terms -> Text,
        is_scenario -> Bool,
        is_stale -> Bool,
        claim -> Nullable<Text>,
        pools -> Text,
    }
}

diesel::table! {
    award (id) {
        id -> BigInt,
        subsidy_run_id -> BigInt,
        organization_id -> BigInt,
        grade -> Nullable<Text>,
        before_pool_fen -> Text,
        award_fen -> BigInt,
        instruments -> Text,
        name -> Text,
        award_code -> Text,
        recipient -> Text,
        pool -> Nullable<Text>,
    }
}

diesel::table! {
    award_step (award_id, position) {
        award_id -> BigInt,
        position -> BigInt,
        instrument_id -> Nullable<BigInt>,
        step -> Text,
        operands -> Text,
        before_fen -> Text,
        after_fen -> Text,
    }
}

diesel::table! {
    subsidy_run_freeze (subsidy_run_id) {
        subsidy_run_id -> BigInt,
        frozen_at -> Timestamp,
        frozen_event_id -> Nullable<BigInt>,
        input_digest -> Nullable<Text>,
    }
}

diesel::table! {
    subsidy_run_input (subsidy_run_id, position) {
        subsidy_run_id -> BigInt,
        position -> BigInt,
        line -> Text,
    }
}

diesel::table! {
    counted_span (kind, run_id) {
        kind -> Text,
        run_id -> BigInt,
        year -> BigInt,
        first_on -> Date,
        last_on -> Date,
        income_by -> Text,
    }
}
