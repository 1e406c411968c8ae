//! Every code a client can meet, with its status. Codes are a promise: they are added, never renamed.

macro_rules! codes {
    ($($status:literal: $($code:ident)+;)+) => {
        /// A stable, machine-readable name of what is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(non_camel_case_types, reason = "the variants are the codes, to the letter")]
        pub enum Code { $($($code),+),+ }

        impl Code {
            pub const ALL: &'static [Code] = &[$($(Code::$code),+),+];

            pub const fn as_str(self) -> &'static str {
                match self { $($(Code::$code => stringify!($code)),+),+ }
            }

            /// The HTTP status of an answer whose first entry has this code.
            pub const fn status(self) -> u16 {
                match self { $($(Code::$code => $status),+),+ }
            }

            /// The code of this name.
            pub fn find(name: &str) -> Option<Code> {
                Code::ALL.iter().copied().find(|code| code.as_str() == name)
            }
        }
    };
}

codes! {
    400: malformed_json wrong_type missing_field duplicate_field unknown_field unknown_parameter invalid_value
         duplicate_parameter invalid_cursor invalid_idempotency_key;
    401: unauthenticated invalid_token token_expired session_revoked wrong_credentials;
    403: forbidden organization_not_verified organization_suspended account_suspended scope_missing;
    404: not_found;
    405: method_not_allowed;
    409: slot_taken invalid_state channel_in_use usage_overlaps period_locked organization_exists login_taken
         client_reference_used request_in_progress invoice_no_used already_invoiced asset_no_used tariff_overlaps
         policy_version_exists final_exists already_reviewed exemption_exists related_party_exists relation_in_use
         last_admin run_not_ready already_member row_differs;
    412: version_mismatch;
    413: body_too_large;
    415: unsupported_media_type;
    422: read_only idempotency_key_reused uscc_malformed uscc_check_failed unknown_region unknown_category unknown_reference
         below_registration_threshold policy_mistake too_long_text too_short_text out_of_range empty not_a_date not_an_instant
         outside_opening_hours closed_for_maintenance public_holiday not_aligned too_short too_long too_soon too_far_ahead
         in_the_past instrument_not_bookable not_externally_shared mode_not_offered
         reason_required required password_too_weak invalid_login invalid_phone;
    428: version_required;
    429: locked_out too_many_requests;
    500: internal;
    503: unavailable;
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
