//! Every code a client can meet when something is wrong. Codes are a promise: they are added, never renamed. What status an
//! answer with a code has is told in `error`, what a code says to people in `config/locales/`.

macro_rules! codes {
    ($($code:ident)+) => {
        /// A stable, machine-readable name of what is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(non_camel_case_types, reason = "the variants are the codes, to the letter")]
        pub enum Code { $($code),+ }

        impl Code {
            pub const ALL: &'static [Code] = &[$(Code::$code),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$code => stringify!($code)),+ }
            }
        }
    };
}

codes! {
    malformed_json wrong_type missing_field duplicate_field unknown_field unknown_parameter invalid_value
    duplicate_parameter invalid_cursor invalid_idempotency_key unauthenticated invalid_token token_expired
    session_revoked wrong_credentials forbidden not_by_api_key scope_missing organization_not_verified
    organization_suspended account_suspended membership_ended second_person_required
    not_found method_not_allowed slot_taken invalid_state channel_in_use
    usage_overlaps period_locked organization_exists login_taken client_reference_used request_in_progress
    invoice_no_used already_invoiced charge_exists no_price asset_no_used tariff_overlaps policy_version_exists final_exists already_reviewed
    year_not_over already_published evaluation_not_published notice_running notice_ended objections_open findings_open notice_too_short scenario_not_publishable policy_not_in_force expert_points_missing
    award_held already_assigned assignment_closed not_an_evaluator related_to_evaluator
    exemption_exists related_party_exists relation_in_use last_admin last_policy unit_has_admin too_many_keys
    run_not_ready pdf_font_missing row_differs bookings_affected version_mismatch
    body_too_large unsupported_media_type read_only idempotency_key_reused required text_too_long control_character
    invisible_character out_of_range dates_out_of_order too_many duplicate malformed not_a_phone not_an_email unknown_region
    unknown_category unknown_reference of_another_host reason_required uscc_check_failed not_a_supervising_region related_to_itself
    password_too_short password_too_long password_too_simple password_is_login
    password_contains_name password_too_common wrong_password invitation_invalid
    role_not_grantable organization_is_no_host incompatible_roles scope_not_grantable below_registration_threshold
    exemption_required locked_while_listed not_divisor_of_day not_multiple_of_slot min_above_max lead_beyond_horizon
    empty_span reversed overlapping missing policy_mistake policy_warning policy_not_kept outside_opening_hours closed_for_maintenance public_holiday holidays_unknown
    not_aligned too_short too_long too_soon too_far_ahead in_the_past channel_withdrawn instrument_not_bookable not_externally_shared
    mode_not_offered quota_exceeded gap_too_short change_locked operator_required no_holds too_many_holds minutes_exceed_interval no_effective_minutes in_the_future interval_too_long not_reviewable
    overpaid not_with_effect no_vouchers not_one_payer_and_host not_a_spreadsheet unknown_encoding unreadable file_too_large too_many_rows too_many_columns no_header
    unknown_column missing_column duplicate_column cell_without_header uneven_row unclosed_quote formula_not_allowed
    merged_cells error_value digits_lost not_text not_an_integer not_an_amount not_a_date not_an_instant not_a_boolean
    not_a_decimal unknown_word not_after_start more_faults wrong_separator header_not_first data_on_other_sheet empty_table version_required locked_out internal unavailable
    malformed_request invalid_entity_tag request_timeout uri_too_long headers_too_large too_many_requests
}

impl Code {
    /// The code of this name, for who asks what a code means.
    pub fn find(name: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
