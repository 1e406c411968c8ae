//! The HTTP status of every code. The match is exhaustive: a new code does not compile until it has one.

use crate::domain::code::Code;

macro_rules! statuses {
    ($($status:literal: $($code:ident)+;)+) => {
        impl Code {
            /// The status of an answer whose first entry has this code.
            pub const fn status(self) -> u16 {
                match self { $($(Code::$code)|+ => $status),+ }
            }
        }
    };
}
statuses! {
    400: malformed_json wrong_type missing_field duplicate_field unknown_field unknown_parameter invalid_value
         duplicate_parameter invalid_cursor invalid_idempotency_key malformed_request invalid_entity_tag;
    401: unauthenticated invalid_token token_expired session_revoked wrong_credentials;
    403: forbidden not_by_api_key scope_missing organization_not_verified organization_suspended account_suspended
         membership_ended second_person_required;
    404: not_found;
    405: method_not_allowed;
    408: request_timeout;
    409: slot_taken invalid_state channel_in_use usage_overlaps period_locked organization_exists login_taken
         client_reference_used request_in_progress invoice_no_used already_invoiced charge_exists no_price asset_no_used tariff_overlaps
         policy_version_exists final_exists already_reviewed exemption_exists related_party_exists relation_in_use
         last_admin last_policy unit_has_admin too_many_keys run_not_ready pdf_font_missing row_differs bookings_affected
         year_not_over already_published evaluation_not_published notice_running notice_ended objections_open findings_open scenario_not_publishable expert_points_missing
         award_held already_assigned assignment_closed;
    412: version_mismatch;
    413: body_too_large;
    414: uri_too_long;
    415: unsupported_media_type;
    422: read_only idempotency_key_reused required text_too_long control_character invisible_character out_of_range dates_out_of_order too_many
         duplicate malformed not_a_phone not_an_email unknown_region unknown_category unknown_reference of_another_host reason_required
         uscc_check_failed not_a_supervising_region related_to_itself
         password_too_short password_too_long password_too_simple password_is_login password_contains_name
         password_too_common wrong_password invitation_invalid
         role_not_grantable organization_is_no_host incompatible_roles scope_not_grantable
         below_registration_threshold exemption_required locked_while_listed
         not_divisor_of_day not_multiple_of_slot min_above_max lead_beyond_horizon empty_span reversed overlapping missing
         policy_mistake policy_warning policy_not_kept notice_too_short policy_not_in_force not_an_evaluator related_to_evaluator
         outside_opening_hours closed_for_maintenance public_holiday holidays_unknown not_aligned too_short too_long too_soon too_far_ahead
         in_the_past channel_withdrawn instrument_not_bookable not_externally_shared mode_not_offered
         quota_exceeded gap_too_short change_locked operator_required no_holds too_many_holds
         minutes_exceed_interval no_effective_minutes in_the_future interval_too_long not_reviewable overpaid not_with_effect no_vouchers not_one_payer_and_host
         not_a_spreadsheet unknown_encoding unreadable file_too_large too_many_rows too_many_columns no_header
         unknown_column missing_column duplicate_column cell_without_header uneven_row unclosed_quote formula_not_allowed
         merged_cells error_value digits_lost not_text not_an_integer not_an_amount not_a_date not_an_instant not_a_boolean
         not_a_decimal unknown_word not_after_start more_faults wrong_separator header_not_first data_on_other_sheet empty_table;
    428: version_required;
    429: locked_out too_many_requests;
    431: headers_too_large;
    500: internal;
    503: unavailable;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::text::{self, Language};

    #[test]
    fn every_code_has_its_status_and_texts() {
        let line = |code: &Code| {
            let text = |language| text::of(*code, language);
            format!(
                "{} {code}\n    {}\n    {}",
                code.status(),
                text(Language::Chinese),
                text(Language::English)
            )
        };
        let table: Vec<_> = Code::ALL.iter().map(line).collect();
        insta::assert_snapshot!(table.join("\n"));
    }
}
