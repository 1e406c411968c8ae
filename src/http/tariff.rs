//! `/instruments/{id}/tariffs`: public, dated prices.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::context::RequestContext;
use super::route::{Route, get, post};
use crate::domain::access::Action;
use crate::domain::booking::BookingMode;
use crate::domain::tariff::{CustomerClass, Period, Tariff};
use crate::domain::time::{read_date, read_optional_date};
use crate::domain::{Fen, InstrumentId, TariffId};
use crate::error::AppError;
use crate::operations::tariff;
use crate::store;

pub fn routes() -> Vec<Route> {
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
            "/instruments/{id}/tariffs/{tariff_id}/end",
            Action::TariffEnd,
            "End an open-ended price, tomorrow at the earliest",
            end,
        )
        .ignores_version()
        .takes::<EndBody>()
        .answers::<TariffShape>(200),
    ]
}

/// A price for a class of customers and a mode (null: all) on the days from `valid_from` until before `valid_until` (null:
/// until further notice).
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

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EndBody {
    /// The first day on which the price no longer holds.
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

impl TariffShape {
    fn of(instrument_id: InstrumentId, id: TariffId, tariff: Tariff) -> Self {
        Self {
            id,
            instrument_id,
            customer_class: tariff.customer_class,
            mode: tariff.mode,
            valid_from: tariff.period.valid_from,
            valid_until: tariff.period.valid_until,
            price_fen_per_hour: tariff.price_fen_per_hour,
        }
    }
}

async fn list(context: RequestContext) -> Answer {
    let id: InstrumentId = context.id("id")?;
    let caller = context.visitor().cloned();
    let params = context.params()?;
    let read = move |conn: &mut store::Conn| {
        tariff::admit(conn, caller.as_ref(), id, None)?;
        Ok::<_, AppError>(store::tariff::list(conn, id)?)
    };
    let tariffs = context.app.store.read(read).await?;
    let by_first_day = |(number, tariff): &(TariffId, Tariff)| (tariff.period.valid_from, *number);
    let shape = |(number, tariff)| TariffShape::of(id, number, tariff);
    context.ok(Page::of(tariffs, &params, by_first_day, shape)?)
}

async fn create(context: RequestContext) -> Answer {
    let id = admitted(&context, Action::TariffCreate).await?;
    let new: Tariff = context.json::<TariffBody>()?.into();
    let number = tariff::create(&context.app, &context.actor()?, id, new).await?;
    context.created(
        format!("/api/v1/instruments/{id}/tariffs"),
        TariffShape::of(id, number, new),
    )
}

async fn end(context: RequestContext) -> Answer {
    let id = admitted(&context, Action::TariffEnd).await?;
    let number: TariffId = context.id("tariff_id")?;
    let find = move |conn: &mut store::Conn| tariff::find(conn, id, number).map(|_| ());
    context.app.store.read(find).await?;
    let body: EndBody = context.json()?;
    let ended = tariff::end(
        &context.app,
        &context.actor()?,
        (id, number),
        body.valid_until,
    )
    .await?;
    context.ok(TariffShape::of(id, number, ended))
}

/// The instrument of the path: 404 and 403 before anything else is looked at.
async fn admitted(context: &RequestContext, action: Action) -> Result<InstrumentId, AppError> {
    let caller = context.caller()?.clone();
    let id: InstrumentId = context.id("id")?;
    let admit = move |conn: &mut store::Conn| {
        tariff::admit(conn, Some(&caller), id, Some(action)).map(|_| ())
    };
    context.app.store.read(admit).await?;
    Ok(id)
}
