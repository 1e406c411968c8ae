//! Tables of migration `0003_booking`, with `details` of `0016_booking_details`, `reminded_of` of `0025_reminders` and
//! `person_id` of `0060_quotas` and `held_until` of `0061_holds`.

diesel::table! {
    booking (id) {
        id -> BigInt,
        booking_no -> Text,
        instrument_id -> BigInt,
        organization_id -> BigInt,
        host_organization_id -> BigInt,
        booked_by -> BigInt,
        channel -> BigInt,
        state -> Text,
        starts_at -> Timestamp,
        ends_at -> Timestamp,
        blocked_from -> Timestamp,
        blocked_until -> Timestamp,
        mode -> Text,
        purpose -> Text,
        client_reference -> Nullable<Text>,
        client_reference_key -> Nullable<Text>,
        approval_due_at -> Nullable<Timestamp>,
        answered_at -> Nullable<Timestamp>,
        first_answered_at -> Nullable<Timestamp>,
        started_at -> Nullable<Timestamp>,
        ended_at -> Nullable<Timestamp>,
        cancelled_by -> Nullable<Text>,
        reason_code -> Nullable<Text>,
        problem -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        details -> Text,
        reminded_of -> Nullable<Timestamp>,
        person_id -> Nullable<BigInt>,
        held_until -> Nullable<Timestamp>,
    }
}
