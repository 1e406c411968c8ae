//! Which instruments a list shows: what the caller may see, narrowed by filters. None of its conditions chooses an index.

use chrono::NaiveDate;
use diesel::dsl::{exists, sql};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::sort::{Position, Sort};
use crate::domain::access::Reach;
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::InstrumentState;
use crate::domain::tariff::CustomerClass;
use crate::domain::{CategoryCode, Fen, InstrumentId, OrganizationId, RegionCode};
use crate::store::Conn;
use crate::store::case_fold::CaseFold;
use crate::store::page::ROWS_MAX;
use crate::store::schema::{
    instrument, instrument_manager, instrument_service, organization, tariff,
};

type Backend = <Conn as diesel::Connection>::Backend;
pub(super) type Condition = Box<dyn BoxableExpression<instrument::table, Backend, SqlType = Bool>>;

/// Which instruments to list. An empty list and `None` mean all; several values of one filter mean OR.
#[derive(Debug, Clone)]
pub struct Filter {
    /// What the caller reaches beside the public ones.
    pub reach: Reach,
    /// Listed instruments too, whoever asks.
    pub is_public: bool,
    /// What is looked for; the index of instruments finds it, so that `among` says which they are.
    pub texts: Vec<String>,
    /// These instruments alone.
    pub among: Option<Vec<InstrumentId>>,
    pub categories: Vec<CategoryCode>,
    pub regions: Vec<RegionCode>,
    pub organizations: Vec<OrganizationId>,
    /// Part of the method standard of a service.
    pub methods: Vec<String>,
    pub share_modes: Vec<ShareMode>,
    pub states: Vec<InstrumentState>,
    /// A price for all customers or for enterprises is in force on the day and at most this, in fen an hour.
    pub price_max: Option<(Fen, NaiveDate)>,
    /// Accepted on this day or later …
    pub accepted_from: Option<NaiveDate>,
    /// … up to this one.
    pub accepted_until: Option<NaiveDate>,
    pub original_value_from: Option<Fen>,
    /// What makes an entry complete is not all there on this day.
    pub incomplete_on: Option<NaiveDate>,
    pub sort: Sort,
    pub after: Option<Position>,
    pub limit: i64,
}

impl Filter {
    /// Whether a text is looked for in every row.
    pub fn is_search(&self) -> bool {
        !self.texts.is_empty() || !self.methods.is_empty()
    }

    /// Whether the instruments that alone are asked for are no more than half of what a page may look at.
    pub(super) fn are_few(&self) -> bool {
        let most = usize::try_from(ROWS_MAX / 2).unwrap_or(usize::MAX);
        self.among.as_ref().is_some_and(|ids| ids.len() <= most)
    }
}

/// One of them holds; nothing when there is none.
fn any(conditions: impl IntoIterator<Item = Condition>) -> Option<Condition> {
    conditions
        .into_iter()
        .reduce(|all, next| Box::new(all.or(next)))
}

/// What the caller may see at all. No part of it is ever NULL, so it can be negated.
pub(super) fn seen(filter: &Filter) -> Condition {
    let reach = &filter.reach;
    if reach.everything {
        return Box::new(instrument::id.is_not_null());
    }
    let mut ways: Vec<Condition> = Vec::new();
    if filter.is_public {
        ways.push(Box::new(state().eq(InstrumentState::Listed)));
    }
    if let Some(region) = reach.region {
        let supervised = organization::table
            .filter(organization::supervising_region_code.like(format!("{}%", region.prefix())))
            .select(organization::id);
        ways.push(Box::new(organization_id().eq_any(supervised)));
    }
    if let Some(host) = reach.host {
        ways.push(Box::new(organization_id().eq(host)));
    }
    if let Some((host, user)) = reach.managed {
        let managed = instrument_manager::table
            .filter(instrument_manager::user_id.eq(user))
            .select(instrument_manager::instrument_id);
        let own = organization_id().eq(host);
        ways.push(Box::new(own.and(instrument::id.eq_any(managed))));
    }
    any(ways).unwrap_or_else(|| Box::new(instrument::id.is_null()))
}

/// The filters that were given, each holding for one of its values.
pub(super) fn conditions(filter: &Filter, letters: CaseFold) -> Vec<Condition> {
    let categories = filter.categories.iter().map(|code| -> Condition {
        Box::new(instrument::category_code.like(format!("{}%", code.prefix())))
    });
    let regions = filter.regions.iter().map(|code| -> Condition {
        Box::new(instrument::region_code.like(format!("{}%", code.prefix())))
    });
    let mut all: Vec<Condition> = [
        filter
            .among
            .as_deref()
            .map(|ids| among(ids, filter.are_few(), letters)),
        any(categories),
        any(regions),
        any(filter
            .methods
            .iter()
            .map(|method| with_method(method, letters))),
        filter
            .price_max
            .map(|(price, on)| with_price_below(price, on)),
    ]
    .into_iter()
    .flatten()
    .collect();
    all.extend(organized(filter));
    if !filter.states.is_empty() {
        all.push(Box::new(state().eq_any(filter.states.clone())));
    }
    if !filter.share_modes.is_empty() {
        let modes = filter.share_modes.clone();
        let shared = instrument::share_mode.assume_not_null().eq_any(modes);
        all.push(Box::new(shared));
    }
    all.extend(registered(filter, letters));
    all
}

fn registered(filter: &Filter, letters: CaseFold) -> Vec<Condition> {
    let mut all: Vec<Condition> = Vec::new();
    // Nothing compares as true with a day that is not there.
    let accepted_on = || instrument::accepted_on.assume_not_null();
    if let Some(from) = filter.accepted_from {
        all.push(Box::new(accepted_on().ge(from)));
    }
    if let Some(until) = filter.accepted_until {
        all.push(Box::new(accepted_on().le(until)));
    }
    if let Some(from) = filter.original_value_from {
        let value = sql::<BigInt>("+instrument.original_value_fen");
        all.push(Box::new(value.ge(from)));
    }
    if let Some(on) = filter.incomplete_on {
        all.push(Box::new(sql::<Bool>(&is_incomplete(on, letters))));
    }
    all
}

/// The negation of `InstrumentFacts::is_complete`, with a price for others on the day.
pub(in crate::store) fn is_incomplete(on: NaiveDate, letters: CaseFold) -> String {
    let described = ["technical", "functions", "service_content", "user_notice"]
        .map(|name| letters.member("instrument.description", name));
    let texts = described.into_iter();
    let lacking: Vec<String> = texts
        .chain(["instrument.location".to_owned()])
        .map(|text| format!("COALESCE(TRIM({text}), '') = ''"))
        .collect();
    format!(
        "({} OR instrument.public_contact IS NULL OR NOT EXISTS (SELECT 1 FROM tariff t \
         WHERE t.instrument_id = instrument.id AND (t.customer_class IS NULL OR t.customer_class <> 'own') \
         AND t.valid_from <= '{on}' AND (t.valid_until IS NULL OR t.valid_until > '{on}')))",
        lacking.join(" OR ")
    )
}

/// The organizations that are asked for, hidden from the choice of an index.
pub(super) fn organized(filter: &Filter) -> Option<Condition> {
    let asked = || organization_id().eq_any(filter.organizations.clone());
    (!filter.organizations.is_empty()).then(|| -> Condition { Box::new(asked()) })
}

/// Hidden from the choice of an index: an order beats it. Where nothing is asked for but ids, an index that has all of the
/// columns is read in place of the rows.
fn state() -> SqlLiteral<Text> {
    sql("COALESCE(instrument.state, instrument.state)")
}

fn organization_id() -> SqlLiteral<BigInt> {
    sql("+instrument.organization_id")
}

/// `%text%` in lower case as [`CaseFold`] has it, its own wildcards escaped.
fn containing(text: &str) -> String {
    format!("%{}%", escaped(&text.to_ascii_lowercase()))
}

fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escape = matches!(c, '%' | '_' | '\\').then_some('\\');
            escape.into_iter().chain([c])
        })
        .collect()
}

/// One of these instruments: one text, however many they are. Many are hidden from the choice of an index.
fn among(ids: &[InstrumentId], are_few: bool, letters: CaseFold) -> Condition {
    let numbers: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let numbers = format!("[{}]", numbers.join(","));
    let (before, after) = letters.numbers();
    let column = if are_few {
        "instrument.id"
    } else {
        "+instrument.id"
    };
    let listed = sql::<Bool>(&format!("{column} IN ({before}"));
    Box::new(listed.bind::<Text, _>(numbers).sql(&format!("{after})")))
}

fn with_method(method: &str, letters: CaseFold) -> Condition {
    let standard = letters.lower("instrument_service.method_standard");
    let offering = instrument_service::table
        .filter(standard.like(containing(method)).escape('\\'))
        .filter(instrument_service::withdrawn_at.is_null())
        .filter(instrument_service::instrument_id.eq(instrument::id));
    Box::new(exists(offering))
}

fn with_price_below(price: Fen, on: NaiveDate) -> Condition {
    let cheap = tariff::table
        .filter(tariff::instrument_id.eq(instrument::id))
        .filter(tariff::price_fen_per_hour.le(price))
        .filter(tariff::valid_from.le(on))
        .filter(
            tariff::valid_until
                .is_null()
                .or(tariff::valid_until.assume_not_null().gt(on)),
        )
        .filter(
            tariff::customer_class.is_null().or(tariff::customer_class
                .assume_not_null()
                .eq(CustomerClass::Enterprise)),
        );
    Box::new(exists(cheap))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_of_a_text_are_letters() {
        assert_eq!(containing("50%_A\\b"), "%50\\%\\_a\\\\b%");
    }
}
