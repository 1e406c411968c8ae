//! Typed ids: positive integers below 2^53 (so that every JSON client can hold them), one type per noun, never mixed up.

/// The largest id and the largest amount that a JSON number carries exactly.
pub const MAX_SAFE_INTEGER: i64 = 9_007_199_254_740_991;

/// The text is no id: not a positive integer below 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is a positive integer below 2^53")]
pub struct NotAnId;

macro_rules! typed_id {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name(i64);

        impl $name {
            /// The bare number, for storage and output.
            pub const fn number(self) -> i64 {
                self.0
            }
        }

        impl AsRef<i64> for $name {
            fn as_ref(&self) -> &i64 {
                &self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = NotAnId;
            fn try_from(number: i64) -> Result<Self, NotAnId> {
                if (1..=MAX_SAFE_INTEGER).contains(&number) { Ok(Self(number)) } else { Err(NotAnId) }
            }
        }

        impl From<&$name> for $crate::domain::fault::FaultValue {
            fn from(id: &$name) -> Self {
                id.0.into()
            }
        }

        impl From<$name> for $crate::domain::fault::FaultValue {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> i64 {
                id.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(NotAnId);
                }
                Self::try_from(text.parse::<i64>().map_err(|_| NotAnId)?)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

typed_id!(
    ApiKeyId,
    CalendarTokenId,
    AssetId,
    AwardAdjustmentId,
    AwardId,
    AwardPaymentId,
    BookingId,
    ChargeId,
    ClosureId,
    DutyId,
    EvaluationId,
    EventId,
    ExpertAssignmentId,
    FindingId,
    FindingScanId,
    InstrumentId,
    InvitationId,
    InvoiceId,
    JobId,
    NoticeId,
    ObjectionId,
    OrganizationId,
    PaymentId,
    PolicyId,
    PublicNoticeId,
    RectificationId,
    RelatedPartyId,
    ReviewId,
    ServiceId,
    SessionId,
    SubsidyRunId,
    TariffId,
    UsageRecordId,
    UserId,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_positive_integers_below_two_to_the_53_are_ids() {
        for bad in [
            "",
            "0",
            "-1",
            "+1",
            " 1",
            "1.0",
            "abc",
            "9007199254740992",
            "99999999999999999999",
        ] {
            assert_eq!(bad.parse::<BookingId>(), Err(NotAnId), "{bad:?}");
        }
        assert_eq!(
            "9007199254740991".parse::<BookingId>().map(i64::from),
            Ok(MAX_SAFE_INTEGER)
        );
    }
}
