//! The money of a unit's year in an explanation: what is in the base, what is left out by reason, and the records of one reason.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::sentence::Sentence;
use crate::domain::subsidy::YearMoney;
use crate::domain::{ChargeId, Fen, InstrumentId, Minutes, OrganizationId, UsageRecordId};
use crate::error::AppError;
use crate::error::text::Language;
use crate::http::params::cursor_text;
use crate::operations::yearly_run::explain::{LeftOutPage, LeftOutRecord};

/// Every charge of the unit that was served or paid in the year: `base_fen` and the amounts of `left_out` sum to `charges_fen`.
#[derive(Serialize, ToSchema)]
pub struct MoneyShape {
    charges_fen: Fen,
    charges_yuan: String,
    base_fen: Fen,
    base_yuan: String,
    left_out: Vec<LeftOutShape>,
    /// The records of the reason asked for with `left_out`; `cursor` asks for the next ones.
    left_out_records: Vec<LeftOutRecordShape>,
    next_cursor: Option<String>,
}

/// What is left out for one reason, the first that applies to it.
#[derive(Serialize, ToSchema)]
struct LeftOutShape {
    reason: String,
    /// In the language that the client accepts.
    sentence: String,
    records: i64,
    minutes: i64,
    amount_fen: Fen,
    amount_yuan: String,
}

/// A record at the version that was frozen, and what of its charge is left out for the reason.
#[derive(Serialize, ToSchema)]
struct LeftOutRecordShape {
    usage_record_id: UsageRecordId,
    version: i64,
    charge_id: ChargeId,
    instrument_id: InstrumentId,
    organization_id: OrganizationId,
    effective_minutes: Minutes,
    amount_fen: Fen,
    amount_yuan: String,
}

impl MoneyShape {
    pub fn new(
        money: YearMoney,
        page: Option<LeftOutPage>,
        language: Language,
    ) -> Result<Self, AppError> {
        let left_out = money.left_out.into_iter();
        let left_out = left_out.map(|(reason, sum)| LeftOutShape {
            reason: reason.to_string(),
            sentence: said(reason.sentence(), language),
            records: sum.records,
            minutes: sum.minutes,
            amount_fen: sum.amount,
            amount_yuan: sum.amount.to_string(),
        });
        let page = page.unwrap_or_default();
        Ok(Self {
            charges_fen: money.charges,
            charges_yuan: money.charges.to_string(),
            base_fen: money.base,
            base_yuan: money.base.to_string(),
            left_out: left_out.collect(),
            left_out_records: page.records.into_iter().map(Into::into).collect(),
            next_cursor: page.next.map(|next| cursor_text(&next)).transpose()?,
        })
    }
}

impl From<LeftOutRecord> for LeftOutRecordShape {
    fn from(record: LeftOutRecord) -> Self {
        Self {
            usage_record_id: record.usage_record_id,
            version: record.version,
            charge_id: record.charge_id,
            instrument_id: record.instrument_id,
            organization_id: record.organization_id,
            effective_minutes: record.effective_minutes,
            amount_fen: record.amount,
            amount_yuan: record.amount.to_string(),
        }
    }
}

/// A sentence in one language.
pub fn said(sentence: Sentence, language: Language) -> String {
    match language {
        Language::Chinese => sentence.zh,
        Language::English => sentence.en,
    }
}
