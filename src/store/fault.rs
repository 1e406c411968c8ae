//! What can go wrong in the database, by name: one table maps every constraint of both databases to a [`Constraint`].

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};

use super::first_locks::KEY_HELD;
use super::not_now;

macro_rules! constraints {
    ($($(#[$meta:meta])* $variant:ident = $name:literal $(on $($columns:literal)|+)?),+ $(,)?) => {
        /// A rule the database itself keeps. Names are equal in both databases.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Constraint { $($(#[$meta])* $variant),+ }

        impl Constraint {
            pub const ALL: &'static [Constraint] = &[$(Constraint::$variant),+];

            pub const fn name(self) -> &'static str {
                match self { $(Constraint::$variant => $name),+ }
            }

            /// The columns by which SQLite reports a unique constraint, which it never names; a table may keep an older one.
            pub const fn sqlite_columns(self) -> &'static [&'static str] {
                match self { $($(Constraint::$variant => &[$($columns),+],)?)+ _ => &[] }
            }
        }
    };
}

constraints! {
    ApiKeySecret = "api_key_secret_unique" on "api_key.secret_hash",
    AssetLedgerAssetNo = "asset_ledger_asset_no_unique" on "asset_ledger.organization_id, asset_ledger.asset_no_key",
    AwardUnique = "award_unique" on "award.subsidy_run_id, award.organization_id",
    BookingClientReference = "booking_client_reference_unique" on "booking.organization_id, booking.client_reference_key",
    BookingNo = "booking_no_unique" on "booking.booking_no",
    BookingOverlap = "booking_overlap",
    ChargeUsageRecord = "charge_usage_record_unique" on "charge.usage_record_id",
    DutyUnique = "duty_unique" on "duty.organization_id, duty.kind, duty.year, duty.asset_no_key",
    EvaluationFinal = "evaluation_final",
    EvaluationFinalUnique = "evaluation_final_unique" on "evaluation.year, evaluation.policy_code",
    EventAppendOnly = "event_append_only",
    ExemptionOpen = "sharing_exemption_open_unique" on "sharing_exemption.instrument_id",
    ExpertAssignmentUnit = "expert_assignment_unit_unique" on "expert_assignment_unit.year, expert_assignment_unit.indicator, expert_assignment_unit.evaluator_user_id, expert_assignment_unit.organization_id",
    IdempotencyKey = "idempotency_key_unique" on "idempotency_key.caller, idempotency_key.key",
    InstrumentAssetNo = "instrument_asset_no_unique" on "instrument.organization_id, instrument.asset_no_key" | "instrument.organization_id, instrument.asset_no",
    InstrumentManager = "instrument_manager_unique" on "instrument_manager.instrument_id, instrument_manager.user_id",
    InvitationToken = "invitation_token_unique" on "invitation.token_hash",
    InvoiceLineCharge = "invoice_line_charge_unique" on "invoice_line.charge_id",
    InvoiceNo = "invoice_no_unique" on "invoice.invoice_no",
    InvoiceRedLetterNo = "invoice_red_letter_no_unique" on "invoice.red_letter_no",
    OrganizationUscc = "organization_uscc_unique" on "organization.uscc",
    PaymentAboveCharge = "payment_above_charge",
    PolicyUsed = "policy_used",
    PolicyVersion = "policy_version_unique" on "policy.code, policy.version",
    PublicNoticeNo = "public_notice_document_no_unique" on "public_notice.document_no",
    PublicNoticeSubject = "public_notice_subject_unique" on "public_notice.kind, public_notice.subject_id",
    RelatedParty = "related_party_unique" on "related_party.organization_id, related_party.related_organization_id, related_party.since",
    ReviewUsageRecord = "review_usage_record_unique" on "review.usage_record_id",
    StatsSnapshot = "stats_snapshot_unique" on "stats_snapshot.evaluation_id",
    SubsidyRunFinal = "subsidy_run_final",
    SubsidyRunFinalUnique = "subsidy_run_final_unique" on "subsidy_run.year, subsidy_run.policy_code",
    TariffOverlap = "tariff_overlap",
    UsageClientReference = "usage_record_client_reference_unique" on "usage_record.organization_id, usage_record.client_reference_key",
    UsageOverlap = "usage_overlap",
    UsageRecordNo = "usage_record_no_unique" on "usage_record.record_no",
    UserLogin = "user_account_login_unique" on "user_account.login",
}

/// Why a query failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A rule of the database said no.
    #[error("the database refused: {}", .0.name())]
    Violated(Constraint),
    /// The row is not there.
    #[error("no such row")]
    NotFound,
    /// Another transaction was in the way (deadlock or serialization failure): the whole action may be tried again.
    #[error("another transaction was in the way")]
    Contended,
    /// Another request holds the idempotency key.
    #[error("another request holds the idempotency key")]
    KeyHeld,
    /// The database cannot be reached or cannot write now.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Anything else: a defect or a broken database.
    #[error("database error: {0}")]
    Database(#[source] DieselError),
    /// A query or an action panicked.
    #[error("a query or an action panicked: {0}")]
    Panicked(String),
    /// A stored text is not what it should be.
    #[error("stored text is not valid: {0}")]
    Content(#[from] serde_json::Error),
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => StoreError::NotFound,
            DieselError::DatabaseError(kind, ref info) => match classify(&kind, info.as_ref()) {
                Some(known) => known,
                None => StoreError::Database(error),
            },
            // Why it did not commit says more than that it could not be rolled back either.
            DieselError::RollbackErrorOnCommit { commit_error, .. } => Self::from(*commit_error),
            DieselError::BrokenTransactionManager => {
                StoreError::Unavailable("the connection was lost".to_owned())
            }
            other => StoreError::Database(other),
        }
    }
}

impl StoreError {
    pub(super) fn unavailable(why: impl Into<String>) -> Self {
        StoreError::Unavailable(why.into())
    }

    pub(super) fn migration(cause: Box<dyn std::error::Error + Send + Sync>) -> Self {
        StoreError::Unavailable(format!("migration failed: {cause}"))
    }

    /// A panic, as the error it is.
    pub(super) fn panicked(panic: &(dyn std::any::Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        StoreError::Panicked(text.unwrap_or_default())
    }
}

/// What the actions of a store answer when they fail: errors of the rooms above, which hold those of the store.
pub trait ActionError: std::error::Error + From<StoreError> + Send + 'static {
    /// Another transaction was in the way: the whole action may run again.
    fn is_contended(&self) -> bool;
}

/// Whether a connection is better given up after this; a rule that said no, a transaction in the way and a held key
/// tell nothing bad of it.
pub(super) fn leaves_in_doubt(error: &DieselError) -> bool {
    match error {
        DieselError::NotFound => false,
        DieselError::DatabaseError(kind, info) => !matches!(
            classify(kind, info.as_ref()),
            Some(StoreError::Violated(_) | StoreError::Contended | StoreError::KeyHeld)
        ),
        _ => true,
    }
}

/// How PostgreSQL tells of a deadlock (40P01), for which diesel has no kind, in the languages of `lc_messages` in which it
/// does not say "deadlock" beside its own word: German, simplified and traditional Chinese, Japanese, Korean, Russian.
const DEADLOCKS: [&str; 7] = [
    "deadlock",
    "Verklemmung",
    "死锁",
    "死結",
    "デッドロック",
    "데드락",
    "взаимоблокировка",
];

fn classify(kind: &DatabaseErrorKind, info: &dyn DatabaseErrorInformation) -> Option<StoreError> {
    if let Some(constraint) = violated(info) {
        return Some(StoreError::Violated(constraint));
    }
    let message = info.message();
    match kind {
        DatabaseErrorKind::SerializationFailure => Some(StoreError::Contended),
        _ if message.contains(KEY_HELD) => Some(StoreError::KeyHeld),
        _ if DEADLOCKS.iter().any(|word| message.contains(word)) => Some(StoreError::Contended),
        _ if not_now::is_not_now(kind, info) => Some(StoreError::Unavailable(message.to_owned())),
        _ => None,
    }
}

/// PostgreSQL names the constraint; SQLite names a trigger's text or a check in the message, or lists the columns of a
/// unique constraint. The kind says nothing reliable.
fn violated(info: &dyn DatabaseErrorInformation) -> Option<Constraint> {
    let message = info.message();
    let name = info
        .constraint_name()
        .or_else(|| message.strip_prefix("CHECK constraint failed: "))
        .unwrap_or(message);
    let columns = message.strip_prefix("UNIQUE constraint failed: ");
    Constraint::ALL.iter().copied().find(|constraint| {
        constraint.name() == name
            || columns.is_some_and(|columns| constraint.sqlite_columns().contains(&columns))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(kind: DatabaseErrorKind, message: &str) -> DieselError {
        DieselError::DatabaseError(kind, Box::new(message.to_owned()))
    }

    /// What became of an error, and whether its connection is given up.
    fn judged(error: DieselError) -> (&'static str, bool) {
        let in_doubt = leaves_in_doubt(&error);
        let kind = match StoreError::from(error) {
            StoreError::Violated(_) => "violated",
            StoreError::NotFound => "not found",
            StoreError::Contended => "contended",
            StoreError::KeyHeld => "key held",
            StoreError::Unavailable(_) => "unavailable",
            StoreError::Database(_) => "database",
            StoreError::Panicked(_) | StoreError::Content(_) => "other",
        };
        (kind, in_doubt)
    }

    #[test]
    fn contention_is_recognised_in_every_language() {
        for message in [
            "deadlock detected",
            "检测到死锁",
            "偵測到死結",
            "Verklemmung (Deadlock) entdeckt",
            "デッドロックを検出しました",
            "обнаружена взаимоблокировка",
        ] {
            let error = answered(DatabaseErrorKind::Unknown, message);
            assert_eq!(judged(error), ("contended", false), "{message}");
        }
        for message in [
            "could not serialize access due to concurrent update",
            "由于同步更新而无法串行访问",
        ] {
            let error = answered(DatabaseErrorKind::SerializationFailure, message);
            assert_eq!(judged(error), ("contended", false), "{message}");
        }
    }

    #[test]
    fn a_lost_server_is_not_a_defect_and_its_connection_is_given_up() {
        use DatabaseErrorKind::{ClosedConnection, UnableToSendCommand, Unknown};
        let lost = || answered(UnableToSendCommand, "no connection to the server");
        for error in [
            lost(),
            answered(ClosedConnection, "由于管理员命令中断联接"),
            DieselError::BrokenTransactionManager,
            DieselError::RollbackErrorOnCommit {
                rollback_error: Box::new(lost()),
                commit_error: Box::new(lost()),
            },
            answered(Unknown, "database or disk is full"),
        ] {
            assert_eq!(judged(error), ("unavailable", true));
        }
        let defect = answered(Unknown, "column \"x\" does not exist");
        assert_eq!(judged(defect), ("database", true));
        let violated = answered(Unknown, Constraint::BookingOverlap.name());
        assert_eq!(judged(violated), ("violated", false));
        assert_eq!(judged(DieselError::NotFound), ("not found", false));
    }
}
