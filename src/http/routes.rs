//! The table of contents: every route of the service, grouped by noun. The server, the OpenAPI document and the tests of bad
//! input are all made from this one table.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::web::{self, ServiceConfig};

use super::answer::Answer;
use super::route::{BASE, Methods, Route, method_not_allowed};
use super::{
    account, adopted_grade, api_key, asset_ledger, availability, award_payment, booking,
    booking_rules, certification, charge, closure, duty, event, exemption, expert_assignment,
    expert_point, finding, holiday, instrument, invitation, invoice, member, notice, objection,
    organization, policy, preflight, public_notice, quote, reference, related_party, review,
    service, session, stats, tariff, usage, yearly_run,
};
use crate::error::AppError;

/// Every route, in the order of the contract.
pub fn table() -> Vec<Route> {
    let nouns = [
        account::routes(),
        session::routes(),
        api_key::routes(),
        organization::routes(),
        member::routes(),
        invitation::routes(),
        certification::routes(),
        related_party::routes(),
        reference::routes(),
        holiday::routes(),
        instrument::routes(),
        service::routes(),
        exemption::routes(),
        booking_rules::routes(),
        closure::routes(),
        availability::routes(),
        super::calendar::routes(),
        booking::routes(),
        usage::routes(),
        review::routes(),
        tariff::routes(),
        quote::routes(),
        charge::routes(),
        invoice::routes(),
        policy::routes(),
        yearly_run::routes(),
        award_payment::routes(),
        expert_assignment::routes(),
        expert_point::routes(),
        adopted_grade::routes(),
        preflight::routes(),
        finding::routes(),
        public_notice::routes(),
        objection::routes(),
        asset_ledger::routes(),
        duty::routes(),
        super::rectification::routes(),
        super::reported_number::routes(),
        super::compliance::routes(),
        stats::routes(),
        event::routes(),
        notice::routes(),
    ];
    nouns.into_iter().flatten().collect()
}

static ALL: LazyLock<Vec<Route>> = LazyLock::new(table);

/// The table, made once.
pub fn all() -> &'static [Route] {
    &ALL
}

/// Registers the table, in one scope for each first word of a path, so that a request is held against few patterns. Paths
/// without a variable come first, so that `/bookings/check` is no booking's id.
pub fn configure(config: &mut ServiceConfig) {
    let mut nouns: BTreeMap<&str, BTreeMap<(usize, &str), Vec<&'static Route>>> = BTreeMap::new();
    for route in all() {
        let path = route.path.trim_start_matches('/');
        let (noun, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
        let paths = nouns.entry(noun).or_default();
        let order = (rest.matches('{').count(), rest);
        paths.entry(order).or_default().push(route);
    }
    for (noun, paths) in nouns {
        let mut scope = web::scope(&format!("{BASE}/{noun}"));
        for ((_, path), routes) in paths {
            let mut resource = web::resource(path);
            for route in &routes {
                resource = resource.route((route.handler)());
            }
            let resource = resource.app_data(Methods(routes));
            scope = scope.service(resource.default_service(web::route().to(method_not_allowed)));
        }
        config.service(scope);
    }
}

/// The answer to every path that no route has.
pub async fn not_found() -> Answer {
    Err(AppError::NotFound)
}
