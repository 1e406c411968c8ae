//! Tables of migration `0004_usage_and_money`, with what `0021_payments_received` and `0022_invoices_annulled` added; the host of a
//! usage record is kept by triggers of `0012_lists_by_index`, its class and project, and the voucher's part of a charge, came
//! with `0051_service_context`.

diesel::table! {
    usage_record (id) {
        id -> BigInt,
        record_no -> Nullable<Text>,
        instrument_id -> BigInt,
        organization_id -> BigInt,
        booking_id -> Nullable<BigInt>,
        channel -> BigInt,
        started_at -> Timestamp,
        ended_at -> Timestamp,
        prepare_minutes -> BigInt,
        run_minutes -> BigInt,
        post_minutes -> BigInt,
        samples -> BigInt,
        mode -> Text,
        purpose -> Text,
        statutory -> Bool,
        operator -> Nullable<Text>,
        client_reference -> Nullable<Text>,
        client_reference_key -> Nullable<Text>,
        state -> Text,
        reason -> Nullable<Text>,
        evidence -> Text,
        entered_at -> Nullable<Timestamp>,
        entered_by -> Nullable<BigInt>,
        version -> BigInt,
        event_id -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        host_organization_id -> Nullable<BigInt>,
        service_class -> Nullable<Text>,
        project -> Nullable<Text>,
        project_level -> Nullable<Text>,
    }
}

diesel::table! {
    usage_record_version (usage_record_id, version) {
        usage_record_id -> BigInt,
        version -> BigInt,
        content -> Text,
        event_id -> BigInt,
        replaced_by_event_id -> BigInt,
        replaced_at -> Timestamp,
    }
}

diesel::table! {
    charge (id) {
        id -> BigInt,
        usage_record_id -> BigInt,
        host_organization_id -> BigInt,
        payer_organization_id -> BigInt,
        amount_fen -> BigInt,
        lines -> Text,
        state -> Text,
        event_id -> BigInt,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        voucher_fen -> BigInt,
    }
}

diesel::table! {
    invoice (id) {
        id -> BigInt,
        invoice_no -> Text,
        host_organization_id -> BigInt,
        payer_organization_id -> BigInt,
        issued_on -> Date,
        event_id -> BigInt,
        created_at -> Timestamp,
        version -> BigInt,
        updated_at -> Timestamp,
        annulled_at -> Nullable<Timestamp>,
        annul_reason -> Nullable<Text>,
        red_letter_no -> Nullable<Text>,
    }
}

diesel::table! {
    invoice_line (invoice_id, charge_id) {
        charge_id -> BigInt,
        invoice_id -> BigInt,
        amount_fen -> BigInt,
        annulled_event_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    payment (id) {
        id -> BigInt,
        payer_organization_id -> BigInt,
        source -> Text,
        paid_on -> Date,
        amount_fen -> BigInt,
        event_id -> BigInt,
        created_at -> Timestamp,
        state -> Text,
        reason -> Nullable<Text>,
        received_event_id -> Nullable<BigInt>,
        ended_event_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    payment_line (payment_id, charge_id) {
        payment_id -> BigInt,
        charge_id -> BigInt,
        amount_fen -> BigInt,
    }
}

diesel::table! {
    review (id) {
        id -> BigInt,
        usage_record_id -> BigInt,
        organization_id -> BigInt,
        satisfaction -> Text,
        comment -> Nullable<Text>,
        event_id -> BigInt,
        created_at -> Timestamp,
    }
}
