//! The rows of a folder of facts: the layout of a province's year, of which only what money or points depend on is required,
//! and the files and columns that finer policies ask for.

use std::io::Read;

use chrono::NaiveDate;

use super::FactsFile;
use crate::domain::booking::{BookingMode, BookingPurpose};
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::{FundingSource, PurposeType};
use crate::domain::organization::OrganizationKind;
use crate::domain::policy::{Grade, ProjectLevel, ServiceClass};
use crate::domain::review::Satisfaction;
use crate::domain::usage::{Evidence, UsageState};
use crate::domain::{Code, Fault, Fen, Instant, Minutes, certification};
use crate::exchange::sheet::{Column, Kind, Row, Stream};
use crate::exchange::words;
use crate::operations::province::OrganizationRole;

/// What a file is opened as.
pub(super) type Opened = Box<dyn Read>;

/// The rows of one file.
pub(super) type Rows<T> = Stream<Opened, T>;

const fn text(name: &'static str) -> Column {
    Column::plain(name, Kind::Text)
}

const fn date(name: &'static str) -> Column {
    Column::plain(name, Kind::Date)
}

const fn minutes(name: &'static str) -> Column {
    Column::plain(name, Kind::Integer)
}

/// The titles of a file's columns.
pub(super) fn titles(file: FactsFile) -> impl Iterator<Item = &'static str> {
    let columns = match file {
        FactsFile::Organizations => ORGANIZATIONS,
        FactsFile::Instruments => INSTRUMENTS,
        FactsFile::Usage => USAGE,
        FactsFile::Requests => REQUESTS,
        // And one for each indicator of the policy.
        FactsFile::ExpertScores => EXPERTS,
        FactsFile::Reported => REPORTED,
        FactsFile::Certifications => CERTIFICATIONS,
        FactsFile::Awarded => AWARDED,
        FactsFile::AdoptedGrades => ADOPTED,
    };
    columns.iter().map(|column| column.name)
}

const EXPERTS: &[Column] = &[text("host_uscc").required()];

pub(super) struct OrganizationRow {
    pub uscc: String,
    pub name: String,
    pub kind: OrganizationKind,
    pub region_code: String,
    pub is_sme: bool,
    pub role: OrganizationRole,
    pub related_to: Option<String>,
}

const ORGANIZATIONS: &[Column] = &[
    text("uscc").required(),
    text("name").required(),
    text("kind").required(),
    text("region_code").required(),
    Column::plain("is_sme", Kind::Truth).or_absent(),
    text("role").required(),
    text("related_to").or_absent(),
];

pub(super) fn organizations(input: Opened) -> Result<Rows<OrganizationRow>, Vec<Fault>> {
    Stream::open(input, ORGANIZATIONS, |row| {
        let (uscc, name, kind) = (row.text("uscc"), row.text("name"), row.word("kind"));
        let (region_code, is_sme) = (row.text("region_code"), row.truth("is_sme"));
        let (role, related_to) = (row.word("role"), row.text("related_to"));
        Some(OrganizationRow {
            uscc: uscc?,
            name: name?,
            kind: kind?,
            region_code: region_code?,
            is_sme: is_sme.unwrap_or(false),
            role: role?,
            related_to,
        })
    })
}

pub(super) struct InstrumentRow {
    pub host_uscc: String,
    pub asset_no: String,
    pub original_value_fen: Fen,
    pub category_code: Option<String>,
    pub purpose_type: PurposeType,
    pub accepted_on: Option<NaiveDate>,
    pub enabled_on: Option<NaiveDate>,
    pub submitted_on: Option<NaiveDate>,
    pub retired_on: Option<NaiveDate>,
    pub share_mode: Option<ShareMode>,
    pub exempted: bool,
    pub is_complete: bool,
    pub funding: Option<FundingSource>,
    pub is_set: Option<bool>,
}

/// What an entry that is complete has.
const TOLD: [&str; 7] = [
    "technical",
    "functions",
    "service_content",
    "user_notice",
    "contact_phone",
    "location",
    "public_price_fen_per_hour",
];

const INSTRUMENTS: &[Column] = &[
    text("host_uscc").required(),
    text("asset_no").required(),
    text("name").or_absent(),
    text("model").or_absent(),
    text("manufacturer").or_absent(),
    text("country").or_absent(),
    Column::plain("original_value_fen", Kind::Fen).required(),
    text("category_code").or_absent(),
    Column::plain("purpose_type", Kind::Word(words::PURPOSE_TYPES)).or_absent(),
    date("accepted_on").or_absent(),
    date("enabled_on").or_absent(),
    date("submitted_on").or_absent(),
    date("retired_on").or_absent(),
    Column::plain("share_mode", Kind::Word(words::SHARE_MODES)).or_absent(),
    Column::plain("exempted", Kind::Truth).or_absent(),
    text("region_code").or_absent(),
    text("technical").or_absent(),
    text("functions").or_absent(),
    text("service_content").or_absent(),
    text("user_notice").or_absent(),
    text("contact_name").or_absent(),
    text("contact_phone").or_absent(),
    text("location").or_absent(),
    Column::plain("public_price_fen_per_hour", Kind::Fen).or_absent(),
    Column::plain("funding", Kind::Word(words::FUNDING_SOURCES)).or_absent(),
    Column::plain("is_set", Kind::Truth).or_absent(),
];

pub(super) fn instruments(input: Opened) -> Result<Rows<InstrumentRow>, Vec<Fault>> {
    Stream::open(input, INSTRUMENTS, |row| {
        let (host_uscc, asset_no) = (row.text("host_uscc"), row.text("asset_no"));
        let value = row.fen("original_value_fen");
        let (category_code, purpose_type) = (row.text("category_code"), row.word("purpose_type"));
        let (accepted_on, enabled_on) = (row.date("accepted_on"), row.date("enabled_on"));
        let (submitted_on, retired_on) = (row.date("submitted_on"), row.date("retired_on"));
        let (share_mode, exempted) = (row.word("share_mode"), row.truth("exempted"));
        let (funding, is_set) = (row.word("funding"), row.truth("is_set"));
        let is_complete = TOLD.iter().all(|column| row.text(column).is_some());
        Some(InstrumentRow {
            host_uscc: host_uscc?,
            asset_no: asset_no?,
            original_value_fen: value?,
            category_code,
            purpose_type: purpose_type.unwrap_or(PurposeType::General),
            accepted_on,
            enabled_on,
            submitted_on,
            retired_on,
            share_mode,
            exempted: exempted.unwrap_or(false),
            is_complete,
            funding,
            is_set,
        })
    })
}

pub(super) struct UsageRow {
    pub record_no: String,
    pub host_uscc: String,
    pub asset_no: String,
    pub user_uscc: String,
    pub mode: Option<BookingMode>,
    pub purpose: Option<BookingPurpose>,
    pub ended_at: Instant,
    pub prepare_minutes: Minutes,
    pub run_minutes: Minutes,
    pub post_minutes: Minutes,
    pub samples: i64,
    pub statutory: bool,
    pub evidence: Evidence,
    pub state: UsageState,
    pub fee_fen: Fen,
    pub voucher_fen: Fen,
    pub invoice_no: Option<String>,
    pub invoiced_on: Option<NaiveDate>,
    pub paid_on: Option<NaiveDate>,
    pub satisfaction: Option<Satisfaction>,
    pub service_class: Option<ServiceClass>,
    pub project: Option<String>,
    pub project_level: Option<ProjectLevel>,
}

const USAGE: &[Column] = &[
    text("record_no").required(),
    text("host_uscc").required(),
    text("asset_no").required(),
    text("user_uscc").required(),
    Column::plain("mode", Kind::Word(words::MODES)).or_absent(),
    Column::plain("purpose", Kind::Word(words::PURPOSES)).or_absent(),
    Column::plain("started_at", Kind::Instant).or_absent(),
    Column::plain("ended_at", Kind::Instant).required(),
    minutes("prepare_minutes").or_absent(),
    minutes("run_minutes").or_absent(),
    minutes("post_minutes").or_absent(),
    Column::plain("samples", Kind::Integer).or_absent(),
    Column::plain("statutory", Kind::Truth).or_absent(),
    text("evidence").or_absent(),
    text("status").or_absent(),
    Column::plain("fee_fen", Kind::Fen).or_absent(),
    Column::plain("voucher_fen", Kind::Fen).or_absent(),
    text("invoice_no").or_absent(),
    date("invoiced_on").or_absent(),
    date("paid_on").or_absent(),
    text("satisfaction").or_absent(),
    Column::plain("service_class", Kind::Word(words::SERVICE_CLASSES)).or_absent(),
    text("project").or_absent(),
    Column::plain("project_level", Kind::Word(words::PROJECT_LEVELS)).or_absent(),
];

pub(super) fn usage(input: Opened) -> Result<Rows<UsageRow>, Vec<Fault>> {
    Stream::open(input, USAGE, read_usage)
}

fn read_usage(row: &mut Row<'_>) -> Option<UsageRow> {
    let (record_no, host_uscc) = (row.text("record_no"), row.text("host_uscc"));
    let (asset_no, user_uscc) = (row.text("asset_no"), row.text("user_uscc"));
    let (mode, purpose) = (row.word("mode"), row.word("purpose"));
    let (started_at, ended_at) = (row.instant("started_at"), row.instant("ended_at"));
    if let (Some(started_at), Some(ended_at)) = (started_at, ended_at)
        && ended_at <= started_at
    {
        row.refuse("ended_at", Code::not_after_start);
    }
    let mut minutes = |name| row.minutes(name).unwrap_or(Minutes::ZERO);
    let (prepare, run, post) = (
        minutes("prepare_minutes"),
        minutes("run_minutes"),
        minutes("post_minutes"),
    );
    let (samples, statutory) = (row.count("samples"), row.truth("statutory"));
    let (evidence, state) = (row.word("evidence"), row.word("status"));
    let (fee_fen, voucher_fen) = (row.fen("fee_fen"), row.fen("voucher_fen"));
    let (fee_fen, voucher_fen) = (
        fee_fen.unwrap_or(Fen::ZERO),
        voucher_fen.unwrap_or(Fen::ZERO),
    );
    if voucher_fen > fee_fen {
        row.refuse("voucher_fen", Code::out_of_range);
    }
    let (invoice_no, invoiced_on) = (row.text("invoice_no"), row.date("invoiced_on"));
    let (paid_on, satisfaction) = (row.date("paid_on"), row.word("satisfaction"));
    let (service_class, project) = (row.word("service_class"), row.text("project"));
    let project_level = row.word("project_level");
    Some(UsageRow {
        record_no: record_no?,
        host_uscc: host_uscc?,
        asset_no: asset_no?,
        user_uscc: user_uscc?,
        mode,
        purpose,
        ended_at: ended_at?,
        prepare_minutes: prepare,
        run_minutes: run,
        post_minutes: post,
        samples: i64::from(samples.unwrap_or(0)),
        statutory: statutory.unwrap_or(false),
        evidence: evidence.unwrap_or(Evidence::Confirmed),
        state: state.unwrap_or(UsageState::Confirmed),
        fee_fen,
        voucher_fen,
        invoice_no,
        invoiced_on,
        paid_on,
        satisfaction,
        service_class,
        project,
        project_level,
    })
}

pub(super) struct RequestsRow {
    pub host_uscc: String,
    pub received: i64,
    pub answered_in_time: i64,
}

const REQUESTS: &[Column] = &[
    text("host_uscc").required(),
    Column::plain("received", Kind::Integer).required(),
    Column::plain("answered_in_time", Kind::Integer).required(),
];

pub(super) fn requests(input: Opened) -> Result<Rows<RequestsRow>, Vec<Fault>> {
    Stream::open(input, REQUESTS, |row| {
        let (host_uscc, received) = (row.text("host_uscc"), row.count("received"));
        let answered = row.count("answered_in_time");
        if received < answered && received.is_some() {
            row.refuse("answered_in_time", Code::out_of_range);
        }
        Some(RequestsRow {
            host_uscc: host_uscc?,
            received: i64::from(received?),
            answered_in_time: i64::from(answered?),
        })
    })
}

pub(super) struct ReportedRow {
    pub uscc: String,
    pub asset_no: Option<String>,
    pub name: String,
    pub value: i64,
}

const REPORTED: &[Column] = &[
    text("uscc").required(),
    text("asset_no").or_absent(),
    text("name").required(),
    Column::plain("value", Kind::Integer).required(),
];

pub(super) fn reported(input: Opened) -> Result<Rows<ReportedRow>, Vec<Fault>> {
    Stream::open(input, REPORTED, |row| {
        let (uscc, asset_no) = (row.text("uscc"), row.text("asset_no"));
        let (name, value) = (row.text("name"), row.integer("value"));
        if value.is_some_and(|value| value < 0) {
            row.refuse("value", Code::out_of_range);
        }
        Some(ReportedRow {
            uscc: uscc?,
            asset_no,
            name: name?,
            value: value?,
        })
    })
}

pub(super) struct CertificationRow {
    pub uscc: String,
    pub certification: String,
    /// Both days included; an absent one is open.
    pub valid_from: Option<NaiveDate>,
    pub valid_until: Option<NaiveDate>,
}

const CERTIFICATIONS: &[Column] = &[
    text("uscc").required(),
    text("certification").required(),
    date("valid_from").or_absent(),
    date("valid_until").or_absent(),
];

pub(super) fn certifications(input: Opened) -> Result<Rows<CertificationRow>, Vec<Fault>> {
    Stream::open(input, CERTIFICATIONS, |row| {
        let (uscc, word) = (row.text("uscc"), row.text("certification"));
        let (from, until) = (row.date("valid_from"), row.date("valid_until"));
        if word
            .as_deref()
            .is_some_and(|word| !certification::is_name(word))
        {
            row.refuse("certification", Code::malformed);
        }
        if let (Some(from), Some(until)) = (from, until)
            && until < from
        {
            row.refuse("valid_until", Code::dates_out_of_order);
        }
        Some(CertificationRow {
            uscc: uscc?,
            certification: word?,
            valid_from: from,
            valid_until: until,
        })
    })
}

pub(super) struct AwardedRow {
    pub award_code: String,
    pub uscc: String,
    pub asset_no: Option<String>,
    pub project: Option<String>,
}

const AWARDED: &[Column] = &[
    text("award_code").required(),
    text("uscc").required(),
    text("asset_no").or_absent(),
    text("project").or_absent(),
];

pub(super) fn awarded(input: Opened) -> Result<Rows<AwardedRow>, Vec<Fault>> {
    Stream::open(input, AWARDED, |row| {
        let (award_code, uscc) = (row.text("award_code"), row.text("uscc"));
        let (asset_no, project) = (row.text("asset_no"), row.text("project"));
        Some(AwardedRow {
            award_code: award_code?,
            uscc: uscc?,
            asset_no,
            project,
        })
    })
}

pub(super) struct AdoptedRow {
    pub host_uscc: String,
    pub grade: Grade,
}

const ADOPTED: &[Column] = &[text("host_uscc").required(), text("grade").required()];

pub(super) fn adopted(input: Opened) -> Result<Rows<AdoptedRow>, Vec<Fault>> {
    Stream::open(input, ADOPTED, |row| {
        let (host_uscc, grade) = (row.text("host_uscc"), row.word("grade"));
        Some(AdoptedRow {
            host_uscc: host_uscc?,
            grade: grade?,
        })
    })
}
