//! Lines of services: cells with what was served and paid, and their finer facts.

use std::sync::Arc;

use super::super::inputs::{RecordFacts, ServiceDetail, UsageGroup, UsageGroupKey, UsageTotals};
use super::super::lines::Format;
use super::fields::Fields;
use crate::domain::{Fen, Minutes};

pub(super) fn read_cell(fields: &mut Fields) -> Option<UsageGroup> {
    let is_facts = fields.format == Format::Facts;
    let key = UsageGroupKey {
        using_unit_id: fields.parsed("using_unit_id")?,
        relation: fields.parsed("relation")?,
        evidence: fields.parsed("evidence")?,
        statutory: fields.flag("statutory")?,
        detail: None,
    };
    let mut minutes = |key| fields.parsed(key).map(Minutes::new);
    let effective_minutes = minutes("effective_minutes")?;
    let (prepare_minutes, post_minutes) = match is_facts {
        true => (minutes("prepare_minutes")?, minutes("post_minutes")?),
        false => (Minutes::ZERO, Minutes::ZERO),
    };
    let service = UsageTotals {
        effective_minutes,
        prepare_minutes,
        post_minutes,
        records: fields.parsed("records")?,
        samples: fields.parsed("samples")?,
        payer_fen: Fen::new(fields.parsed("payer_fen")?),
        voucher_fen: Fen::new(fields.parsed("voucher_fen")?),
    };
    let detail = match is_facts && !fields.words.is_empty() {
        true => Some(Arc::new(read_detail(fields)?)),
        false => None,
    };
    Some(UsageGroup {
        key: UsageGroupKey { detail, ..key },
        service,
    })
}

fn read_detail(fields: &mut Fields) -> Option<ServiceDetail> {
    let record_no = fields.optional_text("record_no")?;
    let record = match record_no {
        Some(record_no) => Some(RecordFacts {
            paid_on: fields.optional("paid_on")?,
            ended_on: fields.parsed("ended_on")?,
            record_no,
        }),
        None => None,
    };
    Some(ServiceDetail {
        purpose: fields.optional("purpose")?,
        mode: fields.optional("mode")?,
        service_class: fields.optional("service_class")?,
        project: fields.optional_text("project")?,
        project_level: fields.optional("project_level")?,
        certifications: fields.words("certifications"),
        record,
    })
}
