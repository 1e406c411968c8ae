//! `yiqi doctor`: what this installation still lacks, and what to do about it.

use super::failure::Failure;
use super::output::{self, Format};
use crate::config::Config;
use crate::operations::diagnosis;

pub async fn run(config: Config, format: Format) -> Result<(), Failure> {
    let app = super::open(config).await?;
    let findings = diagnosis::findings(&app).await?;
    match format {
        Format::Json => output::json(&findings),
        Format::Table => {
            let rows: Vec<_> = findings
                .into_iter()
                .map(|finding| {
                    let state = if finding.is_fine { "ok" } else { "warning" };
                    [finding.check.to_owned(), state.to_owned(), finding.hint]
                })
                .collect();
            output::table(["check", "state", "what to do"], &rows)
        }
    }
}
