//! Which instruments a list shows: what the caller may see, narrowed by filters, in a stable order from a place on.

use chrono::NaiveDate;
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::Instrument;
use super::sort::{Key, Position, Sort, SortField};
use crate::domain::access::Reach;
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::InstrumentState;
use crate::domain::tariff::CustomerClass;
use crate::domain::{CategoryCode, Fen, Instant, InstrumentId, OrganizationId, RegionCode};
use crate::store::case_fold::CaseFold;
use crate::store::schema::{
    instrument, instrument_manager, instrument_service, organization, tariff,
};
use crate::store::{Conn, Result};

type Backend = <Conn as diesel::Connection>::Backend;
type Condition = Box<dyn BoxableExpression<instrument::table, Backend, SqlType = Bool>>;

/// Which instruments to list. An empty list and `None` mean all; several values of one filter mean OR.
#[derive(Debug, Clone)]
pub struct Filter {
    /// What the caller reaches beside the public ones.
    pub reach: Reach,
    /// Listed instruments too, whoever asks.
    pub is_public: bool,
    /// Part of a name, model, manufacturer or asset number.
    pub texts: Vec<String>,
    pub categories: Vec<CategoryCode>,
    pub regions: Vec<RegionCode>,
    pub organizations: Vec<OrganizationId>,
    /// Part of the method standard of a service.
    pub methods: Vec<String>,
    pub share_modes: Vec<ShareMode>,
    pub states: Vec<InstrumentState>,
    /// A price for all customers or for enterprises is in force on the day and at most this, in fen an hour.
    pub price_max: Option<(Fen, NaiveDate)>,
    /// Only what changed after this place of (`updated_at`, `id`), in that order, whatever `sort` says.
    pub changed_after: Option<(Instant, i64)>,
    pub sort: Sort,
    pub after: Option<Position>,
    pub limit: i64,
}

/// The instruments the filter admits, in its order.
pub fn list(conn: &mut Conn, filter: &Filter) -> Result<Vec<Instrument>> {
    let mut query = instrument::table
        .select(Instrument::as_select())
        .filter(seen(filter))
        .limit(filter.limit)
        .into_boxed();
    for condition in conditions(filter, CaseFold::of(conn)) {
        query = query.filter(condition);
    }
    if let Some(place) = filter.changed_after {
        return Ok(query
            .filter(changed(place))
            .order((instrument::updated_at, instrument::id))
            .load(conn)?);
    }
    macro_rules! sorted {
        ($column:expr, $key:expr) => {{
            let after = filter.after.as_ref().zip($key);
            match (after, filter.sort.is_descending) {
                (Some((after, key)), false) => {
                    let equal = $column.eq(key.clone()).and(instrument::id.gt(after.id));
                    query = query.filter($column.gt(key).or(equal));
                }
                (Some((after, key)), true) => {
                    let equal = $column.eq(key.clone()).and(instrument::id.lt(after.id));
                    query = query.filter($column.lt(key).or(equal));
                }
                (None, _) => {}
            }
            if filter.sort.is_descending {
                query.order(($column.desc(), instrument::id.desc()))
            } else {
                query.order(($column.asc(), instrument::id.asc()))
            }
        }};
    }
    macro_rules! key {
        ($kind:ident) => {
            match filter.after.as_ref().map(|after| &after.key) {
                Some(Key::$kind(key)) => Some(key.clone()),
                _ => None,
            }
        };
    }
    let query = match filter.sort.field {
        SortField::Id => sorted!(instrument::id, filter.after.as_ref().map(|after| after.id)),
        SortField::Name => sorted!(instrument::name, key!(Name)),
        SortField::AssetNo => sorted!(instrument::asset_no, key!(AssetNo)),
        SortField::OriginalValue => {
            sorted!(instrument::original_value_fen, key!(OriginalValue))
        }
        SortField::CreatedAt => sorted!(instrument::created_at, key!(CreatedAt)),
        SortField::UpdatedAt => sorted!(instrument::updated_at, key!(UpdatedAt)),
    };
    Ok(query.load(conn)?)
}

/// An instrument that was public and no longer is.
#[derive(Debug, Clone, Queryable)]
pub struct Withdrawn {
    pub id: InstrumentId,
    pub updated_at: Instant,
}

/// Instruments that left the public list and are not the caller's to see, in the order of (`updated_at`, `id`). Only the
/// organization narrows them: what a mirror kept may have had other values than the row has now.
pub fn list_withdrawn(conn: &mut Conn, filter: &Filter) -> Result<Vec<Withdrawn>> {
    let mut query = instrument::table
        .select((instrument::id, instrument::updated_at))
        .filter(instrument::listed_at.is_not_null())
        .filter(instrument::state.ne(InstrumentState::Listed))
        .filter(not(seen(filter)))
        .order((instrument::updated_at.asc(), instrument::id.asc()))
        .limit(filter.limit)
        .into_boxed();
    if !filter.organizations.is_empty() {
        query = query.filter(instrument::organization_id.eq_any(filter.organizations.clone()));
    }
    if let Some(place) = filter.changed_after {
        query = query.filter(changed(place));
    }
    Ok(query.load(conn)?)
}

fn changed((moment, id): (Instant, i64)) -> Condition {
    let same = instrument::updated_at.eq(moment).and(instrument::id.gt(id));
    Box::new(instrument::updated_at.gt(moment).or(same))
}

/// One of them holds; nothing when there is none.
fn any(conditions: impl IntoIterator<Item = Condition>) -> Option<Condition> {
    conditions
        .into_iter()
        .reduce(|all, next| Box::new(all.or(next)))
}

/// What the caller may see at all. No part of it is ever NULL, so it can be negated.
fn seen(filter: &Filter) -> Condition {
    let reach = &filter.reach;
    if reach.everything {
        return Box::new(instrument::id.is_not_null());
    }
    let mut ways: Vec<Condition> = Vec::new();
    if filter.is_public {
        ways.push(Box::new(instrument::state.eq(InstrumentState::Listed)));
    }
    if let Some(region) = reach.region {
        let supervised = organization::table
            .filter(organization::supervising_region_code.like(format!("{}%", region.prefix())))
            .select(organization::id);
        ways.push(Box::new(instrument::organization_id.eq_any(supervised)));
    }
    if let Some(host) = reach.host {
        ways.push(Box::new(instrument::organization_id.eq(host)));
    }
    if let Some((host, user)) = reach.managed {
        let managed = instrument_manager::table
            .filter(instrument_manager::user_id.eq(user))
            .select(instrument_manager::instrument_id);
        let own = instrument::organization_id.eq(host);
        ways.push(Box::new(own.and(instrument::id.eq_any(managed))));
    }
    any(ways).unwrap_or_else(|| Box::new(instrument::id.is_null()))
}

/// The filters that were given, each holding for one of its values.
fn conditions(filter: &Filter, letters: CaseFold) -> Vec<Condition> {
    let categories = filter.categories.iter().map(|code| -> Condition {
        Box::new(instrument::category_code.like(format!("{}%", code.prefix())))
    });
    let regions = filter.regions.iter().map(|code| -> Condition {
        Box::new(instrument::region_code.like(format!("{}%", code.prefix())))
    });
    let mut all: Vec<Condition> = [
        any(filter.texts.iter().map(|text| with_text(text, letters))),
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
    if !filter.organizations.is_empty() {
        let organizations = filter.organizations.clone();
        all.push(Box::new(instrument::organization_id.eq_any(organizations)));
    }
    if !filter.states.is_empty() {
        all.push(Box::new(instrument::state.eq_any(filter.states.clone())));
    }
    if !filter.share_modes.is_empty() {
        let modes = filter.share_modes.clone();
        let shared = instrument::share_mode.assume_not_null().eq_any(modes);
        all.push(Box::new(shared));
    }
    all
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

/// The English name begins the JSON of the description, and a quote within a JSON text is escaped, so that the pattern
/// cannot reach into another field.
fn english_name_containing(text: &str) -> String {
    let json = serde_json::Value::from(text.to_ascii_lowercase()).to_string();
    let within = json.trim_start_matches('"');
    let within = within.strip_suffix('"').unwrap_or(within);
    format!("{{\"name\\_en\":\"%{}%\",\"funding\":%", escaped(within))
}

fn with_text(text: &str, letters: CaseFold) -> Condition {
    let pattern = containing(text);
    let name = letters
        .lower("instrument.name")
        .like(pattern.clone())
        .escape('\\');
    let asset_no = letters
        .lower("instrument.asset_no")
        .like(pattern.clone())
        .escape('\\');
    let model = letters
        .lower("instrument.model")
        .like(pattern.clone())
        .escape('\\');
    let manufacturer = letters
        .lower("instrument.manufacturer")
        .like(pattern)
        .escape('\\');
    let english = letters
        .lower("instrument.description")
        .like(english_name_containing(text))
        .escape('\\');
    Box::new(name.or(asset_no).or(model).or(manufacturer).or(english))
}

fn with_method(method: &str, letters: CaseFold) -> Condition {
    let standard = letters.lower("instrument_service.method_standard");
    let offering = instrument_service::table
        .filter(standard.like(containing(method)).escape('\\'))
        .filter(instrument_service::withdrawn_at.is_null())
        .select(instrument_service::instrument_id);
    Box::new(instrument::id.eq_any(offering))
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

    #[test]
    fn the_english_name_is_found_where_the_description_keeps_it() {
        use crate::domain::instrument::InstrumentDescription;
        let description = InstrumentDescription {
            name_en: Some("a \"b\"".to_owned()),
            ..InstrumentDescription::default()
        };
        let json = serde_json::to_string(&description).unwrap();
        assert!(json.starts_with("{\"name_en\":\"a \\\"b\\\"\",\"funding\":"));
        assert_eq!(
            english_name_containing("\"B\""),
            "{\"name\\_en\":\"%\\\\\"b\\\\\"%\",\"funding\":%"
        );
    }
}
