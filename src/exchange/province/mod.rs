//! One year of a province as a folder of CSVs: typed rows with row-and-column faults. The caller opens the files and decides
//! what the rows do.
//!
//! Every function answers a [`Stream`](super::sheet::Stream): row by row in constant memory, with the SHA-256 of the file at
//! the end; `collect_all` gathers the small ones.

mod instruments;
mod organizations;
mod reported;
mod usage;
mod year;

pub use instruments::instruments;
pub use organizations::organizations;
pub use reported::{expert_columns, expert_scores, reported, requests};
pub use usage::usage;
pub use year::{Open, ProvinceYear, Unfit};

/// The year in the digits that end a folder's name: `province-2025` tells 2025.
pub fn year_of(folder: &str) -> Option<i32> {
    let name = folder.trim_end_matches(['/', '\\']);
    let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let year = name.get(name.len() - digits..)?.parse().ok()?;
    (digits == 4 && (1900..=2199).contains(&year)).then_some(year)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Code;
    use crate::domain::Fen;
    use crate::domain::usage::{Evidence, UsageState};
    use crate::exchange::sheet::Encoding;
    use crate::operations::province::OrganizationRole;

    macro_rules! file {
        ($name:literal) => {
            &include_bytes!(concat!("../../../seeds/province-2025/", $name))[..]
        };
    }

    #[test]
    fn the_year_stands_at_the_end_of_the_name() {
        for (folder, year) in [
            ("province-2025", Some(2025)),
            ("seeds/province-2025/", Some(2025)),
            ("2024", Some(2024)),
            ("province", None),
            ("province-12025", None),
            ("province-0001", None),
            ("", None),
        ] {
            assert_eq!(year_of(folder), year, "{folder}");
        }
    }

    #[test]
    fn the_small_files_of_the_package_are_whole() {
        let (rows, sha256) = organizations(file!("organizations.csv"), Encoding::Utf8)
            .unwrap()
            .collect_all()
            .unwrap();
        assert_eq!((rows.len(), sha256.len()), (126, 64));
        let hosts = rows
            .iter()
            .filter(|row| row.value.role == OrganizationRole::Host);
        assert_eq!(hosts.count(), 18);
        let (rows, _) = instruments(file!("instruments.csv"), Encoding::Utf8)
            .unwrap()
            .collect_all()
            .unwrap();
        let unpriced = rows
            .iter()
            .filter(|row| row.value.public_price_fen_per_hour.is_none());
        assert_eq!(unpriced.count(), 9);
        let (rows, _) = requests(file!("requests.csv"), Encoding::Utf8)
            .unwrap()
            .collect_all()
            .unwrap();
        assert_eq!((rows.len(), rows[0].value.received), (18, 30));
        let (rows, _) = expert_scores(
            file!("expert_scores.csv"),
            Encoding::Utf8,
            expert_columns(&["A4".to_owned(), "B3".to_owned()]),
        )
        .unwrap()
        .collect_all()
        .unwrap();
        assert_eq!(rows[1].value.points[0], ("A4".to_owned(), "3.5".to_owned()));
    }

    #[test]
    fn usage_streams_with_its_digest() {
        let mut stream = usage(file!("usage.csv"), Encoding::Utf8).unwrap();
        let rows: Vec<_> = stream.by_ref().map(Result::unwrap).collect();
        assert_eq!((rows.len(), rows[0].row), (21_815, 2));
        let charged = &rows[3].value;
        assert_eq!(charged.fee_fen, Fen::new(137_500));
        assert_eq!(charged.invoice_no.as_deref(), Some("202500004506"));
        let manual = rows
            .iter()
            .filter(|row| row.value.evidence == Evidence::Manual);
        let confirmed = rows
            .iter()
            .filter(|row| row.value.state == UsageState::Confirmed);
        assert_eq!((manual.count(), confirmed.count()), (4_315, 21_151));
        let expected = {
            use sha2::Digest;
            sha2::Sha256::digest(file!("usage.csv"))
        };
        let hex: String = expected.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(stream.sha256(), hex);
    }

    #[test]
    fn a_cut_row_is_a_fault_and_the_rest_is_still_read() {
        let text = "host_uscc,received,answered_in_time\nA,1,2\nB,3\nC,-1,x\nD,4,4\n";
        let mut stream = requests(text.as_bytes(), Encoding::Utf8).unwrap();
        let mut seen = Vec::new();
        for row in stream.by_ref() {
            match row {
                Ok(row) => assert_eq!(row.row, 5),
                Err(faults) => {
                    seen.extend(
                        faults
                            .into_iter()
                            .map(|f| (f.row(), f.name().to_owned(), f.code)),
                    );
                }
            }
        }
        assert_eq!(
            seen,
            [
                (2, "answered_in_time".to_owned(), Code::out_of_range),
                (3, String::new(), Code::uneven_row),
                (4, "received".to_owned(), Code::out_of_range),
                (4, "answered_in_time".to_owned(), Code::not_an_integer),
            ]
        );
        let faults = requests(&b"host_uscc,received\n"[..], Encoding::Utf8).unwrap_err();
        assert_eq!(faults[0].code, Code::missing_column);
        let faults = requests(
            &b"host_uscc,received,answered_in_time\n\xff,1,1\n"[..],
            Encoding::Utf8,
        )
        .unwrap()
        .collect_all()
        .unwrap_err();
        let seen = (faults[0].row(), faults[0].code);
        assert_eq!(seen, (2, Code::unknown_encoding));
    }
}
