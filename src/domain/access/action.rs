//! The table of actions: everything that can be done, one row each, with who may do it, by which scope of a key, what it is
//! about and who hears of it. Rights, the closed list of events, the API document and the notices are all read from here.

use super::ApiScope::{
    BillingRead, BillingWrite, BookingsRead, BookingsWrite, CatalogRead, CatalogWrite, EventsRead,
    UsageRead, UsageWrite,
};
use super::holders::*;
use super::{ApiScope, Role};

/// What an action does, as far as unverified organizations and auditors are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Reads or prices, and changes nothing.
    Read,
    /// Concerns the caller's own account.
    Account,
    /// Edits the caller's own organization.
    Organization,
    /// Changes anything else.
    Change,
    /// A right of its own within another action: it has no route and no event.
    Part,
    /// Follows from another action or from time: an event, never a request.
    Consequence,
}

/// What the rights to an action depend on, besides the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectKind {
    /// The role alone decides.
    Nothing,
    /// The caller's own account and sessions.
    Account,
    /// An organization, its members and its related parties.
    Organization,
    /// An instrument, with its rules, closures, services and tariffs.
    Instrument,
    Booking,
    UsageRecord,
    Charge,
    Evaluation,
    SubsidyRun,
    /// One award of a subsidy run.
    Award,
    Finding,
}

/// Who hears of an action, besides whoever did it: active members at the time of telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    Nobody,
    /// Who booked, and the using unit's administrators.
    UsingUnit,
    /// The managers of the instrument who can act; where it has none, the host's administrators.
    Host,
    /// Both of these.
    BothSides,
    /// The people who became managers.
    NewManagers,
    /// The host's administrators.
    HostAdmins,
    /// The administrators of the organization, as host and as using unit.
    Heads,
    /// The administration that supervises the organization, when this is to be verified again; where the administration
    /// itself did it, the administrators of the organization.
    HeadsOrSupervisor,
    /// The administrators of both using units of a relation.
    UnitAdmins,
    /// The person it happened to, as long as the account is active.
    Member,
    /// The evaluator of an assignment, as long as the account is active.
    Evaluator,
    /// Who raised an objection, as long as the account is active.
    Objector,
    /// The administration that supervises the organization.
    Supervisor,
    /// The province's administration.
    Province,
    /// The host's finance, else its administrators.
    HostMoney,
    /// The host's finance, else its administrators; and the administrators of whoever pays.
    Money,
}

/// One row of the table.
struct Row {
    holders: Holders,
    scope: Option<ApiScope>,
    kind: Kind,
    subject: SubjectKind,
    audience: Audience,
}

macro_rules! actions {
    ($($(#[$meta:meta])* $action:ident = $name:literal: $holders:expr, $scope:expr, $kind:ident, $subject:ident, $audience:ident;)+) => {
        $crate::vocabulary! {
            /// Everything that can be done, `noun_verb`: the operationId of its route and the name of its event.
            Action { $($(#[$meta])* $action = $name),+ }
        }

        impl Action {
            const fn row(self) -> Row {
                match self {
                    $(Action::$action => Row {
                        holders: $holders,
                        scope: $scope,
                        kind: Kind::$kind,
                        subject: SubjectKind::$subject,
                        audience: Audience::$audience,
                    }),+
                }
            }
        }
    };
}

actions! {
    // Accounts and organizations.
    AccountRegister = "account_register": VISITORS, None, Account, Nothing, Supervisor;
    InvitationAccept = "invitation_accept": VISITORS, None, Account, Nothing, Nobody;
    SessionOpen = "session_open": VISITORS, None, Account, Account, Nobody;
    /// A wrong password for somebody's login.
    SessionRefuse = "session_refuse": NOBODY, None, Consequence, Account, Nobody;
    SessionRefresh = "session_refresh": VISITORS, None, Account, Account, Nobody;
    SessionClose = "session_close": VISITORS, None, Account, Account, Nobody;
    SessionList = "session_list": EVERYBODY, None, Read, Account, Nobody;
    SessionRevoke = "session_revoke": EVERYBODY, None, Account, Account, Nobody;
    SessionRevokeAll = "session_revoke_all": EVERYBODY, None, Account, Account, Nobody;
    /// A refresh token came twice: its whole family ends.
    SessionRevokeReused = "session_revoke_reused": NOBODY, None, Consequence, Account, Nobody;
    /// An invitation by the own unit gave an account a new password.
    PasswordReset = "password_reset": NOBODY, None, Consequence, Account, Nobody;
    /// An account that no verified unit has gave up its address to somebody else.
    LoginRelease = "login_release": NOBODY, None, Consequence, Account, Nobody;
    PasswordChange = "password_change": EVERYBODY, None, Account, Account, Nobody;
    MeRead = "me_read": EVERYBODY, None, Read, Account, Nobody;
    MeUpdate = "me_update": EVERYBODY, None, Account, Account, Nobody;
    NoticeList = "notice_list": EVERYBODY, None, Read, Account, Nobody;
    NoticeMarkRead = "notice_mark_read": EVERYBODY, None, Account, Account, Nobody;
    ApiKeyList = "api_key_list": UNIT, None, Read, Nothing, Nobody;
    ApiKeyCreate = "api_key_create": UNIT, None, Change, Nothing, Nobody;
    ApiKeyRevoke = "api_key_revoke": UNIT, None, Change, Nothing, Nobody;
    CalendarTokenList = "calendar_token_list": EVERYBODY, None, Read, Account, Nobody;
    CalendarTokenCreate = "calendar_token_create": EVERYBODY, None, Account, Account, Nobody;
    CalendarTokenRevoke = "calendar_token_revoke": EVERYBODY, None, Account, Account, Nobody;
    /// By the token in its path alone.
    CalendarGet = "calendar_get": VISITORS, None, Read, Nothing, Nobody;
    OrganizationList = "organization_list": EVERYBODY.and_visitors(), Some(CatalogRead), Read, Organization, Nobody;
    OrganizationRead = "organization_read": EVERYBODY.and_visitors(), Some(CatalogRead), Read, Organization, Nobody;
    OrganizationUpdate = "organization_update": HEADS, None, Organization, Organization, HeadsOrSupervisor;
    /// What was verified and is so no longer: the seat, the kind, the code. A part of `organization_update`.
    OrganizationCorrect = "organization_correct": ADMINISTRATION, None, Part, Organization, Nobody;
    /// Who supervises it, whatever the seat. A part of `organization_update`.
    OrganizationHandOver = "organization_hand_over": PROVINCE, None, Part, Organization, Nobody;
    OrganizationVerify = "organization_verify": ADMINISTRATION, None, Change, Organization, Heads;
    OrganizationRefuse = "organization_refuse": ADMINISTRATION, None, Change, Organization, Heads;
    OrganizationSuspend = "organization_suspend": ADMINISTRATION, None, Change, Organization, Heads;
    OrganizationResume = "organization_resume": ADMINISTRATION, None, Change, Organization, Heads;
    /// The installation's first administration, from the command line.
    OrganizationEstablish = "organization_establish": SYSTEM, None, Change, Organization, Nobody;
    MemberList = "member_list": MEMBER_READERS, None, Read, Organization, Nobody;
    MemberInvite = "member_invite": MEMBER_EDITORS, None, Change, Organization, Nobody;
    /// An administrator for a unit that has none, by whoever supervises it or the command line. A part of `member_invite`.
    UnitAdminInvite = "unit_admin_invite": ADMINISTRATION.and_system(), None, Part, Organization, Nobody;
    InvitationList = "invitation_list": INVITERS, None, Read, Organization, Nobody;
    InvitationWithdraw = "invitation_withdraw": INVITERS, None, Change, Organization, Nobody;
    /// A person became a member, by registering, by an invitation or as the first administrator.
    MemberJoin = "member_join": NOBODY, None, Consequence, Organization, Nobody;
    MemberUpdate = "member_update": MEMBER_EDITORS, None, Change, Organization, Member;
    MemberRemove = "member_remove": MEMBER_EDITORS, None, Change, Organization, Member;
    CertificationList = "certification_list": RELATED_PARTY_READERS, None, Read, Organization, Nobody;
    CertificationUpdate = "certification_update": ADMINISTRATION, None, Change, Organization, Heads;
    CertificationImport = "certification_import": ADMINISTRATION, None, Change, Nothing, Nobody;
    CertificationTemplateGet = "certification_template_get": ADMINISTRATION, None, Read, Nothing, Nobody;
    /// A certification began or ended by date: it is a small enterprise from now on, or no longer.
    OrganizationReclassify = "organization_reclassify": SYSTEM, None, Consequence, Organization, Heads;
    RelatedPartyList = "related_party_list": RELATED_PARTY_READERS, None, Read, Organization, Nobody;
    RelatedPartyAdd = "related_party_add": RELATED_PARTY_EDITORS, None, Change, Organization, UnitAdmins;

    // Registry.
    CategoryList = "category_list": VISITORS, None, Read, Nothing, Nobody;
    RegionList = "region_list": VISITORS, None, Read, Nothing, Nobody;
    HolidayGet = "holiday_get": VISITORS, None, Read, Nothing, Nobody;
    HolidayUpdate = "holiday_update": PROVINCE, None, Change, Nothing, Nobody;
    /// Regions, categories and holidays of a release, by `yiqi seed`.
    ReferenceLoad = "reference_load": SYSTEM, None, Change, Nothing, Nobody;
    /// A province's year from a folder, by `yiqi import province`.
    ProvinceImport = "province_import": SYSTEM, None, Change, Nothing, Nobody;
    InstrumentList = "instrument_list": INSTRUMENT_READERS.and_visitors(), Some(CatalogRead), Read, Instrument, Nobody;
    InstrumentGet = "instrument_get": INSTRUMENT_READERS.and_visitors(), Some(CatalogRead), Read, Instrument, Nobody;
    InstrumentVersionList = "instrument_version_list": INSTRUMENT_READERS, Some(CatalogRead), Read, Instrument, Nobody;
    InstrumentSimilarList = "instrument_similar_list": INSTRUMENT_READERS.and_visitors(), Some(CatalogRead), Read, Instrument, Nobody;
    InstrumentCreate = "instrument_create": HOST, Some(CatalogWrite), Change, Instrument, Nobody;
    InstrumentChange = "instrument_change": DESK, Some(CatalogWrite), Change, Instrument, Nobody;
    /// All facts of an entry; the texts alone are the desk's, too. A part of `instrument_change`.
    InstrumentUpdate = "instrument_update": HOST, Some(CatalogWrite), Part, Instrument, Nobody;
    InstrumentSubmit = "instrument_submit": HOST, Some(CatalogWrite), Change, Instrument, Supervisor;
    /// Several at once, each told as a submission of its own; so with every action that ends in `_all`.
    InstrumentSubmitAll = "instrument_submit_all": HOST, Some(CatalogWrite), Change, Nothing, Nobody;
    InstrumentApprove = "instrument_approve": ADMINISTRATION, None, Change, Instrument, HostAdmins;
    InstrumentApproveAll = "instrument_approve_all": ADMINISTRATION, None, Change, Nothing, Nobody;
    InstrumentReturn = "instrument_return": ADMINISTRATION, None, Change, Instrument, HostAdmins;
    InstrumentSuspend = "instrument_suspend": ADMINISTRATION, None, Change, Instrument, HostAdmins;
    InstrumentResume = "instrument_resume": ADMINISTRATION, None, Change, Instrument, HostAdmins;
    InstrumentRetire = "instrument_retire": HOST, Some(CatalogWrite), Change, Instrument, Supervisor;
    /// A draft that nobody else has seen.
    InstrumentDelete = "instrument_delete": HOST, Some(CatalogWrite), Change, Instrument, Nobody;
    InstrumentAssignManagers = "instrument_assign_managers": HOST, None, Change, Instrument, NewManagers;
    InstrumentAssignManagersAll = "instrument_assign_managers_all": HOST, None, Change, Nothing, Nobody;
    InstrumentImport = "instrument_import": HOST.and_system(), Some(CatalogWrite), Change, Nothing, Nobody;
    InstrumentTemplateGet = "instrument_template_get": HOST, Some(CatalogWrite), Read, Nothing, Nobody;
    InstrumentExport = "instrument_export": INSTRUMENT_READERS, Some(CatalogRead), Read, Instrument, Nobody;
    ServiceList = "service_list": INSTRUMENT_READERS.and_visitors(), Some(CatalogRead), Read, Instrument, Nobody;
    ServiceCreate = "service_create": HOST, Some(CatalogWrite), Change, Instrument, Nobody;
    ServiceCreateAll = "service_create_all": HOST, Some(CatalogWrite), Change, Nothing, Nobody;
    ServiceChange = "service_change": HOST, Some(CatalogWrite), Change, Instrument, Nobody;
    ServiceDelete = "service_delete": HOST, Some(CatalogWrite), Change, Instrument, Nobody;
    ExemptionRequest = "exemption_request": HOST, None, Change, Instrument, Province;
    ExemptionApprove = "exemption_approve": PROVINCE, None, Change, Instrument, HostAdmins;
    ExemptionRefuse = "exemption_refuse": PROVINCE, None, Change, Instrument, HostAdmins;

    // Time and bookings.
    BookingRulesGet = "booking_rules_get": INSTRUMENT_READERS.and_visitors(), Some(CatalogRead), Read, Instrument, Nobody;
    BookingRulesUpdate = "booking_rules_update": DESK, Some(CatalogWrite), Change, Instrument, Nobody;
    BookingRulesUpdateAll = "booking_rules_update_all": DESK, Some(CatalogWrite), Change, Nothing, Nobody;
    /// What a unit's instruments inherit.
    OrganizationBookingRulesGet = "organization_booking_rules_get": HOST, Some(CatalogRead), Read, Organization, Nobody;
    OrganizationBookingRulesUpdate = "organization_booking_rules_update": HOST, Some(CatalogWrite), Change, Organization, Nobody;
    ClosureList = "closure_list": INSTRUMENT_READERS.and_visitors(), Some(CatalogRead), Read, Instrument, Nobody;
    ClosureCreate = "closure_create": DESK, Some(CatalogWrite), Change, Instrument, Nobody;
    /// Several instruments of a host at once; each is told as a closure of its own.
    OrganizationClosureCreate = "organization_closure_create": HOST, Some(CatalogWrite), Change, Organization, Nobody;
    ClosureUpdate = "closure_update": DESK, Some(CatalogWrite), Change, Instrument, Nobody;
    ClosureDelete = "closure_delete": DESK, Some(CatalogWrite), Change, Instrument, Nobody;
    InstrumentCalendarGet = "instrument_calendar_get": INSTRUMENT_READERS.and_visitors(), Some(CatalogRead), Read, Instrument, Nobody;
    AvailabilityGet = "availability_get": INSTRUMENT_READERS.and_visitors(), Some(CatalogRead), Read, Instrument, Nobody;
    BookingList = "booking_list": BOOKING_READERS, Some(BookingsRead), Read, Booking, Nobody;
    BookingGet = "booking_get": BOOKING_READERS, Some(BookingsRead), Read, Booking, Nobody;
    BookingCheck = "booking_check": CUSTOMERS, Some(BookingsRead), Read, Instrument, Nobody;
    BookingRequest = "booking_request": CUSTOMERS, Some(BookingsWrite), Change, Instrument, Host;
    /// A slot is held for who will ask for it, or for nobody.
    BookingHold = "booking_hold": NOBODY, None, Consequence, Booking, Nobody;
    BookingSubmit = "booking_submit": CUSTOMERS, Some(BookingsWrite), Change, Booking, Host;
    BookingApprove = "booking_approve": DESK, Some(BookingsWrite), Change, Booking, UsingUnit;
    BookingApproveAll = "booking_approve_all": DESK, Some(BookingsWrite), Change, Nothing, Nobody;
    BookingReject = "booking_reject": DESK, Some(BookingsWrite), Change, Booking, UsingUnit;
    BookingCancel = "booking_cancel": CANCELLERS, Some(BookingsWrite), Change, Booking, BothSides;
    BookingReschedule = "booking_reschedule": RESCHEDULERS, Some(BookingsWrite), Change, Booking, BothSides;
    BookingStart = "booking_start": DESK_AND_OPERATOR, Some(BookingsWrite), Change, Booking, Nobody;
    BookingFinish = "booking_finish": DESK_AND_OPERATOR, Some(BookingsWrite), Change, Booking, UsingUnit;
    BookingNoShow = "booking_no_show": DESK, Some(BookingsWrite), Change, Booking, UsingUnit;
    /// The last working day in which a request can be decided has begun.
    BookingRemind = "booking_remind": SYSTEM, None, Consequence, Booking, HostAdmins;
    /// Nobody decided in time.
    BookingExpire = "booking_expire": SYSTEM, None, Consequence, Booking, BothSides;
    /// Nobody submitted what was held.
    BookingRelease = "booking_release": SYSTEM, None, Consequence, Booking, UsingUnit;
    /// Nobody came and nobody said so.
    BookingLapse = "booking_lapse": SYSTEM, None, Consequence, Booking, BothSides;
    /// Nobody finished it in time.
    BookingClose = "booking_close": SYSTEM, None, Consequence, Booking, BothSides;
    /// A change of its instrument hit it or hits it no longer.
    BookingAffect = "booking_affect": NOBODY, None, Consequence, Booking, UsingUnit;
    /// Another channel of the same instrument, to make room.
    BookingMove = "booking_move": SYSTEM, None, Consequence, Booking, Nobody;

    // Usage.
    UsageRecordList = "usage_record_list": USAGE_READERS, Some(UsageRead), Read, UsageRecord, Nobody;
    UsageRecordGet = "usage_record_get": USAGE_READERS, Some(UsageRead), Read, UsageRecord, Nobody;
    UsageRecordVersionList = "usage_record_version_list": USAGE_READERS, Some(UsageRead), Read, UsageRecord, Nobody;
    UsageRecordExport = "usage_record_export": USAGE_READERS, Some(UsageRead), Read, UsageRecord, Nobody;
    UsageRecordCreate = "usage_record_create": DESK, Some(UsageWrite), Change, Instrument, UsingUnit;
    /// A finished booking has its usage record.
    UsageRecordOpen = "usage_record_open": NOBODY, None, Consequence, UsageRecord, Nobody;
    UsageRecordImport = "usage_record_import": DESK, Some(UsageWrite), Change, Instrument, UsingUnit;
    UsageRecordTemplateGet = "usage_record_template_get": DESK, Some(UsageWrite), Read, Nothing, Nobody;
    UsageRecordCorrect = "usage_record_correct": DESK, Some(UsageWrite), Change, UsageRecord, UsingUnit;
    UsageRecordVoid = "usage_record_void": DESK, Some(UsageWrite), Change, UsageRecord, UsingUnit;
    /// The desk saw what its operator started or finished himself.
    UsageRecordAttest = "usage_record_attest": DESK, Some(UsageWrite), Change, UsageRecord, UsingUnit;
    UsageRecordConfirm = "usage_record_confirm": UNIT, Some(UsageWrite), Change, UsageRecord, Host;
    UsageRecordDispute = "usage_record_dispute": UNIT, Some(UsageWrite), Change, UsageRecord, Host;
    ReviewGet = "review_get": USAGE_READERS, Some(UsageRead), Read, UsageRecord, Nobody;
    ReviewCreate = "review_create": CUSTOMERS, Some(UsageWrite), Change, UsageRecord, Host;

    // Money.
    TariffList = "tariff_list": INSTRUMENT_READERS.and_visitors(), Some(CatalogRead), Read, Instrument, Nobody;
    TariffCreate = "tariff_create": HOST, Some(CatalogWrite), Change, Instrument, Host;
    TariffCreateAll = "tariff_create_all": HOST, Some(CatalogWrite), Change, Nothing, Nobody;
    TariffImport = "tariff_import": HOST, Some(CatalogWrite), Change, Nothing, Nobody;
    TariffTemplateGet = "tariff_template_get": HOST, Some(CatalogWrite), Read, Nothing, Nobody;
    TariffEnd = "tariff_end": HOST, Some(CatalogWrite), Change, Instrument, Host;
    QuoteCreate = "quote_create": EVERYBODY, Some(CatalogRead), Read, Instrument, Nobody;
    ChargeList = "charge_list": CHARGE_READERS, Some(BillingRead), Read, Charge, Nobody;
    ChargeGet = "charge_get": CHARGE_READERS, Some(BillingRead), Read, Charge, Nobody;
    /// A usage record has a price.
    ChargeOpen = "charge_open": NOBODY, None, Consequence, Charge, Nobody;
    /// Its usage record was voided or priced anew.
    ChargeVoid = "charge_void": NOBODY, None, Consequence, Charge, Nobody;
    ChargeInvoice = "charge_invoice": FINANCE, Some(BillingWrite), Change, Charge, Money;
    ChargeExport = "charge_export": CHARGE_READERS, Some(BillingRead), Read, Charge, Nobody;
    ChargeReprice = "charge_reprice": FINANCE, Some(BillingWrite), Change, Charge, Money;
    /// A price was made after the service: its charge is opened.
    UsageRecordCharge = "usage_record_charge": FINANCE, Some(BillingWrite), Change, UsageRecord, Money;
    /// A unit of others used an instrument at no price; of a table once, with the number of its `records`.
    UsageRecordLackPrice = "usage_record_lack_price": NOBODY, None, Consequence, UsageRecord, HostMoney;
    InvoiceList = "invoice_list": CHARGE_READERS, Some(BillingRead), Read, Charge, Nobody;
    InvoiceGet = "invoice_get": CHARGE_READERS, Some(BillingRead), Read, Charge, Nobody;
    InvoiceCreate = "invoice_create": FINANCE, Some(BillingWrite), Change, Charge, Money;
    InvoiceAnnul = "invoice_annul": FINANCE, Some(BillingWrite), Change, Charge, Money;
    /// By the host received, by the payer declared.
    ChargePay = "charge_pay": PAYMENT_EDITORS, Some(BillingWrite), Change, Charge, Money;
    PaymentReceive = "payment_receive": FINANCE, Some(BillingWrite), Change, Charge, Money;
    PaymentRefuse = "payment_refuse": FINANCE, Some(BillingWrite), Change, Charge, Money;
    PaymentReverse = "payment_reverse": FINANCE, Some(BillingWrite), Change, Charge, Money;

    // Yearly run.
    /// Drafts are the province's and the auditors'.
    PolicyList = "policy_list": VISITORS.and_system(), None, Read, Nothing, Nobody;
    PolicyGet = "policy_get": VISITORS.and_system(), None, Read, Nothing, Nobody;
    PolicyExplain = "policy_explain": VISITORS.and_system(), None, Read, Nothing, Nobody;
    PolicyCompare = "policy_compare": VISITORS.and_system(), None, Read, Nothing, Nobody;
    PolicyCheck = "policy_check": OVERSEERS, None, Read, Nothing, Nobody;
    PolicyCreate = "policy_create": PROVINCE.and_system(), None, Change, Nothing, Nobody;
    PolicyUpdate = "policy_update": PROVINCE, None, Change, Nothing, Nobody;
    PolicyDelete = "policy_delete": PROVINCE, None, Change, Nothing, Nobody;
    PolicyPutInForce = "policy_put_in_force": PROVINCE, None, Change, Nothing, Nobody;
    PolicyWithdraw = "policy_withdraw": PROVINCE, None, Change, Nothing, Nobody;
    EvaluationList = "evaluation_list": EVERYBODY.and_system(), None, Read, Evaluation, Nobody;
    EvaluationGet = "evaluation_get": EVERYBODY.and_system(), None, Read, Evaluation, Nobody;
    EvaluationScoreList = "evaluation_score_list": EVERYBODY.and_system(), None, Read, Evaluation, Nobody;
    EvaluationRun = "evaluation_run": PROVINCE.and_system(), None, Change, Nothing, Nobody;
    EvaluationScore = "evaluation_score": PROVINCE.and_system(), None, Change, Evaluation, Nobody;
    ExpertPointList = "expert_point_list": OVERSEERS, None, Read, Nothing, Nobody;
    /// Experts' assignments: which ones somebody reads or fills in, the assignment itself decides.
    ExpertAssignmentList = "expert_assignment_list": ASSIGNMENT_READERS, None, Read, Nothing, Nobody;
    ExpertAssignmentGet = "expert_assignment_get": ASSIGNMENT_READERS, None, Read, Nothing, Nobody;
    ExpertAssignmentCreate = "expert_assignment_create": PROVINCE, None, Change, Nothing, Evaluator;
    ExpertAssignmentScore = "expert_assignment_score": EVALUATORS, None, Change, Nothing, Nobody;
    ExpertAssignmentSubmit = "expert_assignment_submit": EVALUATORS, None, Change, Nothing, Province;
    ExpertAssignmentWithdraw = "expert_assignment_withdraw": PROVINCE, None, Change, Nothing, Evaluator;
    ExpertPointImport = "expert_point_import": PROVINCE, None, Change, Nothing, Nobody;
    ExpertPointTemplateGet = "expert_point_template_get": PROVINCE, None, Read, Nothing, Nobody;
    /// Grades that others gave, for packs that adopt them.
    AdoptedGradeGet = "adopted_grade_get": OVERSEERS, None, Read, Nothing, Nobody;
    AdoptedGradeUpdate = "adopted_grade_update": PROVINCE, None, Change, Nothing, Nobody;
    EvaluationPublish = "evaluation_publish": PROVINCE, None, Change, Evaluation, HostAdmins;
    EvaluationFinalize = "evaluation_finalize": PROVINCE, None, Change, Evaluation, HostAdmins;
    EvaluationDiscard = "evaluation_discard": PROVINCE.and_system(), None, Change, Evaluation, Nobody;
    /// Takes what came after the grading into a draft.
    EvaluationRegrade = "evaluation_regrade": PROVINCE.and_system(), None, Change, Evaluation, Nobody;
    /// A what-if alone.
    EvaluationDelete = "evaluation_delete": PROVINCE.and_system(), None, Change, Evaluation, Nobody;
    EvaluationCompare = "evaluation_compare": OVERSEERS.and_system(), None, Read, Evaluation, Nobody;
    /// The grades of a run are there.
    EvaluationComplete = "evaluation_complete": SYSTEM, None, Consequence, Evaluation, Nobody;
    /// A run ended without grades.
    EvaluationFail = "evaluation_fail": SYSTEM, None, Consequence, Evaluation, Nobody;
    /// What of a year would be lost as things stand.
    PreflightGet = "preflight_get": AWARD_READERS.and_system(), None, Read, Nothing, Nobody;
    /// How the grade of one unit came about.
    EvaluationExplain = "evaluation_explain": EXPLANATION_READERS.and_system(), None, Read, Award, Nobody;
    EvaluationArchive = "evaluation_archive": OVERSEERS.and_system(), None, Read, Evaluation, Nobody;
    EvaluationExport = "evaluation_export": OVERSEERS.and_system(), None, Read, Evaluation, Nobody;
    EvaluationPreflight = "evaluation_preflight": OVERSEERS.and_system(), None, Read, Evaluation, Nobody;
    /// What looks wrong in a year.
    FindingList = "finding_list": AWARD_READERS, None, Read, Nothing, Nobody;
    FindingGet = "finding_get": AWARD_READERS, None, Read, Finding, Nobody;
    FindingRecordList = "finding_record_list": AWARD_READERS, None, Read, Finding, Nobody;
    FindingScan = "finding_scan": PROVINCE, None, Change, Nothing, Nobody;
    FindingScanGet = "finding_scan_get": OVERSEERS, None, Read, Nothing, Nobody;
    /// It was found, for the first time or with other facts.
    FindingFind = "finding_find": SYSTEM, None, Consequence, Finding, Nobody;
    FindingAssign = "finding_assign": PROVINCE, None, Change, Finding, HostAdmins;
    FindingExplain = "finding_explain": HOST, None, Change, Finding, Province;
    FindingClear = "finding_clear": PROVINCE, None, Change, Finding, HostAdmins;
    FindingUphold = "finding_uphold": PROVINCE, None, Change, Finding, HostAdmins;
    FindingReopen = "finding_reopen": PROVINCE, None, Change, Finding, HostAdmins;
    SubsidyList = "subsidy_list": EVERYBODY.and_system(), None, Read, SubsidyRun, Nobody;
    SubsidyGet = "subsidy_get": EVERYBODY.and_system(), None, Read, SubsidyRun, Nobody;
    SubsidyAwardList = "subsidy_award_list": EVERYBODY.and_system(), None, Read, SubsidyRun, Nobody;
    /// One award, with what became of it after its run was final.
    AwardGet = "award_get": EVERYBODY.and_system(), None, Read, SubsidyRun, Nobody;
    AwardPaymentCreate = "award_payment_create": PROVINCE, None, Change, SubsidyRun, Heads;
    AwardAdjustmentCreate = "award_adjustment_create": PROVINCE, None, Change, SubsidyRun, Province;
    AwardAdjustmentApprove = "award_adjustment_approve": PROVINCE, None, Change, SubsidyRun, Heads;
    AwardAdjustmentRefuse = "award_adjustment_refuse": PROVINCE, None, Change, SubsidyRun, Nobody;
    AwardHold = "award_hold": PROVINCE, None, Change, SubsidyRun, Heads;
    AwardRelease = "award_release": PROVINCE, None, Change, SubsidyRun, Heads;
    SubsidyExplain = "subsidy_explain": EXPLANATION_READERS.and_system(), None, Read, Award, Nobody;
    SubsidyArchive = "subsidy_archive": OVERSEERS.and_system(), None, Read, SubsidyRun, Nobody;
    SubsidyExport = "subsidy_export": OVERSEERS.and_system(), None, Read, SubsidyRun, Nobody;
    SubsidyRun = "subsidy_run": PROVINCE.and_system(), None, Change, Nothing, Nobody;
    SubsidyPublish = "subsidy_publish": PROVINCE, None, Change, SubsidyRun, HostAdmins;
    SubsidyFinalize = "subsidy_finalize": PROVINCE, None, Change, SubsidyRun, HostAdmins;
    SubsidyDiscard = "subsidy_discard": PROVINCE.and_system(), None, Change, SubsidyRun, Nobody;
    /// A what-if alone.
    SubsidyDelete = "subsidy_delete": PROVINCE.and_system(), None, Change, SubsidyRun, Nobody;
    SubsidyCompare = "subsidy_compare": OVERSEERS.and_system(), None, Read, SubsidyRun, Nobody;
    /// The awards of a run are there.
    SubsidyComplete = "subsidy_complete": SYSTEM, None, Consequence, SubsidyRun, Nobody;
    /// A run ended without awards.
    SubsidyFail = "subsidy_fail": SYSTEM, None, Consequence, SubsidyRun, Nobody;
    /// What a publication printed, for everybody.
    PublicNoticeList = "public_notice_list": VISITORS, None, Read, Nothing, Nobody;
    PublicNoticeGet = "public_notice_get": VISITORS, None, Read, Nothing, Nobody;
    /// Objections: which ones somebody reads or ends, the objection itself decides.
    ObjectionList = "objection_list": EVERYBODY, None, Read, Nothing, Nobody;
    ObjectionGet = "objection_get": EVERYBODY, None, Read, Nothing, Nobody;
    ObjectionCreate = "objection_create": OBJECTORS, None, Change, Nothing, Province;
    ObjectionUphold = "objection_uphold": PROVINCE, None, Change, Nothing, Objector;
    ObjectionDismiss = "objection_dismiss": PROVINCE, None, Change, Nothing, Objector;
    ObjectionWithdraw = "objection_withdraw": OBJECTORS, None, Change, Nothing, Province;
    // Open-sharing duty.
    AssetLedgerList = "asset_ledger_list": DUTY_READERS, None, Read, Organization, Nobody;
    AssetLedgerImport = "asset_ledger_import": HOST, None, Change, Organization, Nobody;
    /// Numbers of a year by which packs grade, of the unit and of its instruments.
    ReportedNumberList = "reported_number_list": DUTY_READERS, None, Read, Organization, Nobody;
    ReportedNumberEnter = "reported_number_enter": HOST, None, Change, Organization, Nobody;
    /// Whose duties are told, their reach decides.
    DutyList = "duty_list": DUTY_READERS, None, Read, Nothing, Nobody;
    /// Something is due in ten or in three working days.
    DutyRemind = "duty_remind": SYSTEM, None, Consequence, Organization, HostAdmins;
    /// Something was not done by its last day.
    DutyLapse = "duty_lapse": SYSTEM, None, Consequence, Organization, HostAdmins;
    /// Of which host, its reach decides.
    RectificationList = "rectification_list": DUTY_READERS, None, Read, Nothing, Nobody;
    RectificationGet = "rectification_get": DUTY_READERS, None, Read, Nothing, Nobody;
    RectificationCreate = "rectification_create": ADMINISTRATION, None, Change, Nothing, HostAdmins;
    RectificationUpdate = "rectification_update": ADMINISTRATION, None, Change, Nothing, HostAdmins;
    RectificationReport = "rectification_report": HOST, None, Change, Nothing, Supervisor;
    RectificationAccept = "rectification_accept": ADMINISTRATION, None, Change, Nothing, HostAdmins;
    /// Whose rows are shown before they are public, the right to their duties decides.
    ComplianceGet = "compliance_get": VISITORS, None, Read, Nothing, Nobody;
    StatsGet = "stats_get": VISITORS, None, Read, Nothing, Nobody;

    // Trail.
    EventList = "event_list": EVENT_READERS, Some(EventsRead), Read, Nothing, Nobody;
}

impl Action {
    /// The roles that may do this, as far as the role alone decides. Of an action that is open to visitors: the roles that
    /// see more than they do.
    pub const fn roles(self) -> &'static [Role] {
        self.row().holders.roles
    }

    /// Whoever is not signed in may do it, too.
    pub const fn is_open_to_visitors(self) -> bool {
        self.row().holders.visitors
    }

    /// The installation itself may do it: its command line without a named person, its jobs and time.
    pub const fn is_done_by_system(self) -> bool {
        self.row().holders.system
    }

    /// The scope an API key needs; `None`: never by key.
    pub const fn scope(self) -> Option<ApiScope> {
        self.row().scope
    }

    pub const fn kind(self) -> Kind {
        self.row().kind
    }

    /// What is looked at to decide whether somebody may do it.
    pub const fn subject(self) -> SubjectKind {
        self.row().subject
    }

    pub const fn audience(self) -> Audience {
        self.row().audience
    }

    /// Until verified, an organization's people look, price and edit their organization.
    pub const fn needs_verified_organization(self) -> bool {
        matches!(self.kind(), Kind::Change | Kind::Part | Kind::Consequence)
    }

    /// An auditor changes nothing but the own account.
    pub const fn is_denied_to_auditors(self) -> bool {
        !matches!(self.kind(), Kind::Read | Kind::Account)
    }

    /// Of a self-operated booking, the person who runs the instrument may do it; nobody else of the using unit.
    pub const fn is_done_by_operator(self) -> bool {
        matches!(self, Self::BookingStart | Self::BookingFinish)
    }

    /// The action reads or prices and changes nothing.
    pub const fn is_read(self) -> bool {
        matches!(self.kind(), Kind::Read)
    }
}
