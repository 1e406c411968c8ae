//! The step that tells people what happened: the consumer of the trail that writes notices.

use crate::app::App;
use crate::domain::Instant;
use crate::error::AppError;
use crate::operations::notice::{self, Told};

/// Tells everything that is settled; answers how many notices that made.
pub async fn tick(app: &App, now: Instant) -> Result<usize, AppError> {
    let mut count = 0;
    while let Told::Notices(more) = notice::tell(app, now).await? {
        count += more;
    }
    Ok(count)
}
