//! JSON schemas of domain values, which know nothing of OpenAPI: ids and amounts are integers, instants and dates are
//! texts, word lists are enumerations.

use std::borrow::Cow;

use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::*;
use crate::exchange::{document, sheet};
use crate::operations::instrument::{Empty, ImportMode};
use crate::store::instrument::{Sort, SortField};

macro_rules! schemas {
    ($($type:ty => $name:expr, $schema:expr);+ $(;)?) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                RefOr::T(Schema::Object($schema.build()))
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    )+};
}

fn integer(about: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .description(Some(about))
}

fn id() -> ObjectBuilder {
    integer("A positive integer below 2^53.")
        .minimum(Some(1))
        .maximum(Some(MAX_SAFE_INTEGER))
}

fn text(about: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(about))
}

/// As it is, or null.
fn or_null(schema: ObjectBuilder, kind: Type) -> ObjectBuilder {
    schema.schema_type(SchemaType::from_iter([kind, Type::Null]))
}

fn text_or_null(about: &str) -> ObjectBuilder {
    or_null(text(about), Type::String)
}

macro_rules! ids {
    ($($type:ident),+ $(,)?) => { schemas!($($type => stringify!($type), id());+); };
}
ids!(
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
    FindingId,
    FindingScanId,
    EventId,
    ExpertAssignmentId,
    InstrumentId,
    InvitationId,
    InvoiceId,
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

schemas!(
    Fen => "Fen", integer("An amount in fen, 1 yuan = 100 fen, tax included.");
    Minutes => "Minutes", integer("A duration in minutes.");
    Instant => "Instant", text("A moment in whole seconds with its offset: 2026-03-01T09:00:00+08:00.")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    TypedKey => "TypedKey", text("A key that people type: without blanks around it, in NFC, without control or invisible characters. Two that differ in case, width or blanks are the same.");
    Uscc => "Uscc", text("A unified social credit code, 18 characters (GB 32100-2015).");
    RegionCode => "RegionCode", text("A region code of six digits (GB/T 2260).");
    contact::PublicContact => "PublicContact", ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("name", text("Whom to ask."))
        .property("phone", text("A telephone number."))
        .property("email", text_or_null("An e-mail address."))
        .required("name")
        .required("phone");
    CategoryCode => "CategoryCode", text("An instrument category of six digits.");
    SubjectCode => "SubjectCode", text("A first-level discipline of three digits (GB/T 13745).");
    instrument::Customs => "Customs", ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("supervised", ObjectBuilder::new().schema_type(Type::Boolean)
            .description(Some("Still within the years of customs supervision.")))
        .property("declaration_no", text_or_null("The import declaration: 18 digits."))
        .property("item_no", text_or_null("The line of the declaration."))
        .property("declared_name", text_or_null("The name of the goods on the declaration."))
        .property("exemption_no", text_or_null("The certificate of duty exemption: 12 characters."))
        .property("released_on", text_or_null("The release from which the years count.")
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))));
);

fn sorts() -> impl Iterator<Item = String> {
    let fields = SortField::ALL.iter().map(|field| field.as_str());
    fields.flat_map(|field| [field.to_owned(), format!("-{field}")])
}

schemas!(
    Sort => "Sort", text("A field; `-` before it reverses the order.").enum_values(Some(sorts()));
);

schemas!(
    Operator => "Operator",
        text("")
            .schema_type(Type::Object)
            .description(Some("Who ran the instrument: a person of the platform by id, or anybody by name."))
            .property("user_id", or_null(id(), Type::Integer))
            .property("name", text_or_null("1 to 50 characters."))
            .property("phone", text_or_null("5 to 30 characters."));
);

macro_rules! words {
    ($($type:path => $name:literal),+ $(,)?) => {
        schemas!($($type => $name, text("One of a list of words; the list may grow.").enum_values(Some(<$type>::ALL.iter().map(|word| word.as_str()))));+);
    };
}
words!(
    access::Action => "Action",
    access::SubjectType => "SubjectType",
    access::Role => "Role",
    account::UserState => "UserState",
    access::ApiScope => "ApiScope",
    instrument::FundingSource => "FundingSource",
    instrument::InstrumentSource => "InstrumentSource",
    instrument::InstrumentState => "InstrumentState",
    instrument::PurposeType => "PurposeType",
    booking::BookingMode => "BookingMode",
    booking::BookingPurpose => "BookingPurpose",
    policy::ProjectLevel => "ProjectLevel",
    policy::ServiceClass => "ServiceClass",
    charge::ChargeState => "ChargeState",
    charge::InvoiceState => "InvoiceState",
    charge::PaymentSource => "PaymentSource",
    charge::PaymentState => "PaymentState",
    booking::BookingAction => "BookingAction",
    booking::BookingState => "BookingState",
    booking::RejectReason => "RejectReason",
    calendar_feed::FeedKind => "FeedKind",
    closure::ClosureKind => "ClosureKind",
    booking_rules::Approval => "Approval",
    booking_rules::Holidays => "Holidays",
    booking_rules::QuotaOver => "QuotaOver",
    booking_rules::QuotaPer => "QuotaPer",
    booking_rules::QuotaPeriod => "QuotaPeriod",
    booking_rules::RuleField => "RuleField",
    calendar::DayKind => "DayKind",
    organization::OrganizationKind => "OrganizationKind",
    organization::OrganizationState => "OrganizationState",
    review::Satisfaction => "Satisfaction",
    tariff::CustomerClass => "CustomerClass",
    usage::Evidence => "Evidence",
    usage::UsageState => "UsageState",
    preflight::Lack => "Lack",
    preflight::Weight => "Weight",
    region::RegionLevel => "RegionLevel",
    exemption::ExemptionState => "ExemptionState",
    finding::FindingEffect => "FindingEffect",
    finding::FindingRule => "FindingRule",
    finding::FindingState => "FindingState",
    finding::ScanState => "ScanState",
    finding::Severity => "Severity",
    exemption::ShareMode => "ShareMode",
);
words!(
    super::booking::Assigned => "Assigned",
    sheet::Format => "Format",
    document::Format => "DocumentFormat",
    document::PageFormat => "PageFormat",
    Empty => "EmptyCell",
    ImportMode => "ImportMode",
    expert::AssignmentState => "AssignmentState",
    award::AdjustmentReason => "AdjustmentReason",
    award::AdjustmentState => "AdjustmentState",
    policy::Grade => "Grade",
    policy::Recipient => "Recipient",
    crate::exchange::comparison::Format => "ComparisonFormat",
    policy::PolicyState => "PolicyState",
    duty::DutyDetail => "DutyDetail",
    duty::DutyKind => "DutyKind",
    duty::DutyState => "DutyState",
    rectification::RectificationCause => "RectificationCause",
    rectification::RectificationState => "RectificationState",
    stats::StatsBy => "StatsBy",
    crate::exchange::stats::FigureFormat => "FigureFormat",
    objection::ObjectionState => "ObjectionState",
    public_notice::NoticeState => "NoticeState",
    crate::domain::search::Facet => "Facet",
    run::RunKind => "RunKind",
    run::RunPhase => "RunPhase",
    run::PointSource => "PointSource",
    run::RunState => "RunState",
);
