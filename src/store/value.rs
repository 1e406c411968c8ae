//! How domain values stand in columns: numbers as BIGINT, words as TEXT, instants as TIMESTAMP, structures as JSON text.

use chrono::NaiveDateTime;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{BigInt, Text, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::*;

macro_rules! stored {
    ($($type:ty),+ $(,)? as $sql:ident through $inner:ty, $wrap:expr) => {$(
        const _: () = {
            #[allow(dead_code, reason = "only carries the derives for a type of another room")]
            #[derive(AsExpression, FromSqlRow)]
            #[diesel(foreign_derive)]
            #[diesel(sql_type = $sql)]
            struct Proxy($type);

            impl<DB: Backend> ToSql<$sql, DB> for $type
            where
                $inner: ToSql<$sql, DB>,
            {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                    let inner: &$inner = self.as_ref();
                    inner.to_sql(out)
                }
            }

            impl<DB: Backend> FromSql<$sql, DB> for $type
            where
                $inner: FromSql<$sql, DB>,
            {
                fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
                    let wrap: fn($inner) -> deserialize::Result<$type> = $wrap;
                    wrap(<$inner>::from_sql(bytes)?)
                }
            }
        };
    )+};
}

stored!(
    ApiKeyId, CalendarTokenId, AwardAdjustmentId, AwardId, AwardPaymentId, BookingId, ChargeId, ClosureId, EvaluationId, EventId, ExpertAssignmentId, FindingId, FindingScanId, InstrumentId, InvitationId,
    InvoiceId, JobId, NoticeId, ObjectionId, OrganizationId,
    PaymentId, PolicyId, PublicNoticeId, RelatedPartyId, ReviewId, ServiceId, SessionId, SubsidyRunId, TariffId, UsageRecordId, UserId
    as BigInt through i64, |number| Ok(number.try_into()?)
);
stored!(AssetId, DutyId, RectificationId as BigInt through i64, |number| Ok(number.try_into()?));
stored!(Fen as BigInt through i64, |number| Ok(Fen::new(number)));
stored!(Minutes as BigInt through i64, |number| Ok(Minutes::new(number)));
stored!(Instant as Timestamp through NaiveDateTime, |moment| Ok(Instant::from_naive_utc(moment)));

/// Stores words of closed lists and codes of a fixed form as they are written.
macro_rules! stored_words {
    ($($type:ty),+ $(,)?) => {$(
        const _: () = {
            #[allow(dead_code, reason = "only carries the derives for a type of another room")]
            #[derive(AsExpression, FromSqlRow)]
            #[diesel(foreign_derive)]
            #[diesel(sql_type = Text)]
            struct Proxy($type);

            impl<DB: Backend> ToSql<Text, DB> for $type
            where
                str: ToSql<Text, DB>,
            {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                    self.as_str().to_sql(out)
                }
            }

            impl<DB: Backend> FromSql<Text, DB> for $type
            where
                String: FromSql<Text, DB>,
            {
                fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
                    Ok(String::from_sql(bytes)?.parse()?)
                }
            }
        };
    )+};
}

stored_words!(
    account::UserState,
    award::AdjustmentReason,
    award::AdjustmentState,
    booking::BookingMode,
    booking::BookingPurpose,
    booking::BookingState,
    calendar::DayKind,
    charge::ChargeState,
    charge::PaymentSource,
    charge::PaymentState,
    calendar_feed::FeedKind,
    closure::ClosureKind,
    instrument::InstrumentState,
    instrument::PurposeType,
    expert::AssignmentState,
    finding::FindingEffect,
    finding::FindingRule,
    finding::FindingState,
    finding::ScanState,
    job::JobKind,
    job::JobState,
    objection::ObjectionState,
    organization::OrganizationKind,
    organization::OrganizationState,
    region::RegionLevel,
    policy::Grade,
    policy::IncomeBy,
    policy::Recipient,
    policy::PolicyState,
    policy::ProjectLevel,
    policy::ServiceClass,
    public_notice::NoticeState,
    review::Satisfaction,
    run::RunKind,
    run::RunPhase,
    run::RunState,
    exemption::ExemptionState,
    exemption::ShareMode,
    subsidy::StepName,
    tariff::CustomerClass,
    usage::Evidence,
    usage::UsageState,
    CategoryCode,
    RegionCode,
    TypedKey,
    Uscc,
);

stored_words!(
    duty::DutyDetail,
    duty::DutyKind,
    duty::DutyState,
    rectification::RectificationCause,
    rectification::RectificationState
);

/// A structure kept as JSON text in one column.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct Json<T> {
    value: T,
    text: String,
}

impl<T: Serialize> Json<T> {
    /// Fails only for values JSON cannot say (a map with keys that are no text).
    pub fn of(value: T) -> Result<Self, serde_json::Error> {
        let text = serde_json::to_string(&value)?;
        Ok(Self { value, text })
    }
}

impl<T> Json<T> {
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> std::ops::Deref for Json<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T, DB: Backend> ToSql<Text, DB> for Json<T>
where
    T: std::fmt::Debug,
    String: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.text.to_sql(out)
    }
}

impl<T: DeserializeOwned, DB: Backend> FromSql<Text, DB> for Json<T>
where
    String: FromSql<Text, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let text = String::from_sql(bytes)?;
        Ok(Self {
            value: serde_json::from_str(&text)?,
            text,
        })
    }
}

impl<T: Serialize> Serialize for Json<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned + Serialize> Deserialize<'de> for Json<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Json::of(T::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
