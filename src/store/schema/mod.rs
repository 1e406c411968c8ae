//! The tables as diesel sees them, equal in both databases, one file for each migration; a test compares them with both
//! migrated schemas.

mod adopted_grades;
mod award_payments;
mod bookings;
mod duties;
mod experts;
mod findings;
mod foundation;
mod left_out_money;
mod long_work;
mod notices;
mod public_notices;
mod registry;
mod staged;
mod terms;
mod usage;
mod yearly_run;

pub use adopted_grades::*;
pub use award_payments::*;
pub use bookings::*;
pub use duties::*;
pub use experts::*;
pub use findings::*;
pub use foundation::*;
pub use left_out_money::*;
pub use long_work::*;
pub use notices::*;
pub use public_notices::*;
pub use registry::*;
pub use staged::*;
pub use terms::*;
pub use usage::*;
pub use yearly_run::*;

diesel::allow_tables_to_appear_in_same_query!(
    adopted_grade,
    adopted_grade_year,
    api_key,
    asset_ledger,
    award,
    award_adjustment,
    award_hold,
    award_money,
    award_payment,
    award_step,
    counted_span,
    subsidy_run_freeze,
    subsidy_run_input,
    booking,
    booking_rules,
    calendar,
    calendar_token,
    category,
    certification,
    charge,
    closure,
    consumer,
    duty,
    duty_basis,
    evaluation,
    evaluation_input,
    evaluation_money,
    evaluation_unit,
    event,
    event_personal,
    expert_assignment,
    expert_assignment_unit,
    expert_point,
    expert_score,
    finding,
    finding_record,
    finding_scan,
    holiday_year,
    idempotency_key,
    instrument,
    instrument_manager,
    instrument_service,
    instrument_terms,
    instrument_version,
    invitation,
    invoice,
    invoice_line,
    job,
    login_failure,
    notice,
    objection,
    organization,
    organization_booking_rules,
    payment,
    payment_line,
    policy,
    public_holiday,
    public_notice,
    rectification,
    refresh_token,
    region,
    related_party,
    reported_metric,
    reported_metric_version,
    review,
    session,
    sharing_exemption,
    stats_snapshot,
    subject,
    subsidy_run,
    tariff,
    test_item,
    trail,
    usage_record,
    usage_record_version,
    user_account,
);

diesel::joinable!(session -> user_account (user_id));
diesel::joinable!(user_account -> organization (organization_id));
diesel::joinable!(api_key -> user_account (user_id));
diesel::joinable!(instrument_manager -> user_account (user_id));
diesel::joinable!(instrument_manager -> instrument (instrument_id));
diesel::joinable!(instrument -> organization (organization_id));
diesel::joinable!(booking -> instrument (instrument_id));
diesel::joinable!(usage_record -> instrument (instrument_id));
diesel::joinable!(usage_record -> organization (organization_id));
diesel::joinable!(charge -> usage_record (usage_record_id));
diesel::joinable!(invoice_line -> invoice (invoice_id));
diesel::joinable!(invoice_line -> charge (charge_id));
diesel::joinable!(payment_line -> payment (payment_id));
diesel::joinable!(payment_line -> charge (charge_id));
