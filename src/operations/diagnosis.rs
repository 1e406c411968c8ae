//! What an installation still lacks before people can work with it: told to whoever runs it, and never in the way of anything.

use chrono::Days;
use serde::Serialize;

use super::{policy, session};
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::booking_rules::BookingRules;
use crate::error::AppError;
use crate::store;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub check: &'static str,
    pub is_fine: bool,
    /// What is the case, and what to do about it.
    pub hint: String,
}

impl Finding {
    fn new(check: &'static str, lack: Option<String>) -> Self {
        Self {
            check,
            is_fine: lack.is_none(),
            hint: lack.unwrap_or_default(),
        }
    }
}

/// Everything that is looked at, whether or not it is fine.
pub async fn findings(app: &App) -> Result<Vec<Finding>, AppError> {
    let codes = app.store.read(store::reference::list_codes).await?;
    let is_seeded = !codes.regions.is_empty() && !codes.categories.is_empty();
    let unseeded = "no regions or categories: run `yiqi seed`".to_owned();
    let able = session::list_able(app, Action::HolidayUpdate).await?;
    let nobody = "nobody administers the platform: run `yiqi admin create`".to_owned();
    let today = app.clock.now().local_date();
    let ruling = move |conn: &mut store::Conn| policy::active(conn, today);
    let unruled = match app.store.read(ruling).await {
        Ok(_) => None,
        Err(AppError::Unavailable(why)) => Some(why),
        Err(other) => return Err(other),
    };
    Ok(vec![
        Finding::new("reference", (!is_seeded).then_some(unseeded)),
        Finding::new("administrator", able.is_empty().then_some(nobody)),
        Finding::new("policy", unruled),
        Finding::new("holidays", unknown_holidays(app).await?),
    ])
}

/// The years without a list that bookings by the usual rules can already reach.
async fn unknown_holidays(app: &App) -> Result<Option<String>, AppError> {
    let today = app.clock.now().local_date();
    let horizon = Days::new(BookingRules::default().horizon_days.into());
    let last = today.checked_add_days(horizon).unwrap_or(today);
    let unknown = app.calendar().await?.unknown_years(today, last);
    let years: Vec<_> = unknown.iter().map(ToString::to_string).collect();
    let hint = |years: &[String]| {
        format!(
            "no holidays of {}, so only weekends are known: enter them by PUT /api/v1/holidays/{{year}}",
            years.join(", ")
        )
    };
    Ok((!years.is_empty()).then(|| hint(&years)))
}
