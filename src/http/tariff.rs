//! `/instruments/{id}/tariffs`: public, dated prices.

mod table;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page, reply};
use super::bulk::{self, BulkShape, Items};
use super::context::RequestContext;
use super::route::{BASE, Route, get, post};
use crate::domain::access::Action;
use crate::domain::booking::BookingMode;
use crate::domain::tariff::{CustomerClass, Period, Tariff};
use crate::domain::time::{read_date, read_optional_date};
use crate::domain::{Fen, InstrumentId, TariffId};
use crate::error::AppError;
use crate::operations::run::Reply;
use crate::operations::tariff::{self, TariffView};

pub fn routes() -> Vec<Route> {
    let mut routes = single();
    routes.extend(table::routes());
    routes
}

fn single() -> Vec<Route> {
    vec![
        get(
            "/instruments/{id}/tariffs",
            Action::TariffList,
            "Every price an instrument ever had, by its first day",
            list,
        )
        .parameters(&["limit", "cursor"])
        .answers::<Page<TariffShape>>(200),
        post(
            "/instruments/{id}/tariffs",
            Action::TariffCreate,
            "Make a price; the most specific one of a day applies",
            create,
        )
        .takes::<TariffBody>()
        .answers::<TariffShape>(201)
        .ignores_version(),
        post(
            "/instruments/tariffs",
            Action::TariffCreateAll,
            "Make prices of several instruments, each as if it were made alone",
            create_all,
        )
        .takes::<Items<TariffItem>>()
        .answers::<BulkShape>(200)
        .ignores_version(),
        post(
            "/instruments/{id}/tariffs/{tariff_id}/end",
            Action::TariffEnd,
            "End an open-ended price, today at the earliest",
            end,
        )
        .ignores_version()
        .takes::<EndBody>()
        .answers::<TariffShape>(200),
    ]
}

/// A price for a class of customers and a mode (null: all) on the days from `valid_from` to `valid_until`, that day
/// included (null: until further notice): a year is 1 January to 31 December.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TariffBody {
    customer_class: Option<CustomerClass>,
    mode: Option<BookingMode>,
    #[serde(deserialize_with = "read_date")]
    valid_from: NaiveDate,
    #[serde(default, deserialize_with = "read_optional_date")]
    valid_until: Option<NaiveDate>,
    price_fen_per_hour: Fen,
}

/// Only for the API document: a price of one of several instruments.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code, reason = "says what an item looks like")]
struct TariffItem {
    /// The instrument.
    id: InstrumentId,
    #[serde(flatten)]
    tariff: TariffBody,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EndBody {
    /// The last day on which the price holds.
    #[serde(deserialize_with = "read_date")]
    valid_until: NaiveDate,
}

impl From<TariffBody> for Tariff {
    fn from(body: TariffBody) -> Self {
        Self {
            customer_class: body.customer_class,
            mode: body.mode,
            period: Period {
                valid_from: body.valid_from,
                valid_until: body.valid_until,
            },
            price_fen_per_hour: body.price_fen_per_hour,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct TariffShape {
    id: TariffId,
    instrument_id: InstrumentId,
    customer_class: Option<CustomerClass>,
    mode: Option<BookingMode>,
    valid_from: NaiveDate,
    valid_until: Option<NaiveDate>,
    price_fen_per_hour: Fen,
}

impl From<TariffView> for TariffShape {
    fn from(view: TariffView) -> Self {
        let tariff = view.tariff;
        Self {
            id: view.id,
            instrument_id: view.instrument_id,
            customer_class: tariff.customer_class,
            mode: tariff.mode,
            valid_from: tariff.period.valid_from,
            valid_until: tariff.period.valid_until,
            price_fen_per_hour: tariff.price_fen_per_hour,
        }
    }
}

fn created(view: &TariffView) -> Result<Reply, AppError> {
    let location = format!("{BASE}/instruments/{}/tariffs", view.instrument_id);
    Ok(reply(201, &TariffShape::from(*view))?.at(location))
}

fn shown(view: &TariffView) -> Result<Reply, AppError> {
    reply(200, &TariffShape::from(*view))
}

async fn list(context: RequestContext) -> Answer {
    let (id, params) = (context.id("id")?, context.params()?);
    let tariffs = tariff::list(&context.app, &context.reader(), id).await?;
    let by_first_day = |view: &TariffView| (view.tariff.period.valid_from, view.id);
    context.ok(Page::of(tariffs, &params, by_first_day, TariffShape::from)?)
}

async fn create(context: RequestContext) -> Answer {
    let new = context.body::<TariffBody>().map(Into::into);
    let done = tariff::create(&context.run(created)?, context.id("id")?, new).await?;
    context.answer(done, created)
}

async fn create_all(context: RequestContext) -> Answer {
    let items = bulk::items(&context, |body: TariffBody| Tariff::from(body));
    let done = tariff::create_all(&context.run(bulk::made)?, items).await?;
    context.answer(done, bulk::made)
}

async fn end(context: RequestContext) -> Answer {
    let id = (context.id("id")?, context.id("tariff_id")?);
    let valid_until = context.body().map(|body: EndBody| body.valid_until);
    let done = tariff::end(&context.run(shown)?, id, valid_until).await?;
    context.answer(done, shown)
}
