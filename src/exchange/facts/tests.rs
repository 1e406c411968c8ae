//! Folders with mistakes, and with less than everything.

use super::*;
use crate::domain::Code;
use crate::operations::policy_pack;
use std::io::Cursor;

/// A small folder; a file given twice stands as it was given last.
fn folder(changed: &[(FactsFile, &'static str)]) -> BTreeMap<FactsFile, &'static str> {
    let mut files = BTreeMap::from([
        (
            FactsFile::Organizations,
            "uscc,name,kind,region_code,role,related_to\nH,甲,university,130102,host,\nU,乙,enterprise,130102,user,\n",
        ),
        (
            FactsFile::Instruments,
            "host_uscc,asset_no,original_value_fen,is_set\nH,A1,30000000,true\n",
        ),
        (
            FactsFile::Usage,
            "record_no,host_uscc,asset_no,user_uscc,ended_at,run_minutes\nR1,H,A1,U,2026-01-01T00:00:00+08:00,60\nR2,H,A1,U,2025-01-01T00:00:00+08:00,30\n",
        ),
    ]);
    files.extend(changed.iter().copied());
    files
}

fn read_folder(files: &BTreeMap<FactsFile, &'static str>) -> Result<Facts, Unfit> {
    let policy = policy_pack::read(policy_pack::HEBEI_2026).unwrap();
    let question = Question {
        policy: &policy,
        of: policy.year.of(2025, None).unwrap(),
        days: BTreeMap::new(),
    };
    let open = |file: FactsFile| -> std::io::Result<Option<Box<dyn Read>>> {
        let text = files.get(&file);
        Ok(text.map(|text| -> Box<dyn Read> { Box::new(Cursor::new(text.as_bytes())) }))
    };
    read(&open, &question)
}

#[test]
fn what_ends_at_midnight_belongs_to_the_day_before() {
    let facts = read_folder(&folder(&[])).unwrap();
    let host = facts.inputs.units().next().unwrap();
    let cells = &host.instruments[0].cells;
    assert_eq!(cells.len(), 1);
    assert_eq!(cells[0].service.effective_minutes.number(), 60);
    assert_eq!(host.instruments[0].facts.is_set, Some(true));
    assert_eq!(host.instruments[0].days_in_service, 365);
}

#[test]
fn three_files_must_be_there() {
    for file in [
        FactsFile::Organizations,
        FactsFile::Instruments,
        FactsFile::Usage,
    ] {
        let mut files = folder(&[]);
        files.remove(&file);
        let refused = read_folder(&files).unwrap_err();
        assert!(
            matches!(refused, Unfit::Closed(closed, _) if closed == file),
            "{refused:?}"
        );
    }
}

#[test]
fn rows_that_fit_nowhere_are_told_with_file_row_and_column() {
    let cases = [
        (
            FactsFile::Organizations,
            "uscc,name,kind,region_code,role,related_to\nH,甲,university,130102,host,X\nU,乙,enterprise,130102,user,\n",
            "related_to",
            Code::unknown_reference,
        ),
        (
            FactsFile::Organizations,
            "uscc,name,kind,region_code,role\nH,甲,university,130102,host\nH,乙,enterprise,130102,user\nU,乙,enterprise,130102,user\n",
            "uscc",
            Code::duplicate,
        ),
        (
            FactsFile::Instruments,
            "host_uscc,asset_no,original_value_fen\nH,A1,1\nH,A1,1\n",
            "asset_no",
            Code::duplicate,
        ),
        (
            FactsFile::Instruments,
            "host_uscc,asset_no,original_value_fen\nH,A1,1\nU,A2,1\n",
            "host_uscc",
            Code::organization_is_no_host,
        ),
        (
            FactsFile::Usage,
            "record_no,host_uscc,asset_no,user_uscc,ended_at\nR1,H,A9,U,2025-06-01T00:00:00+08:00\n",
            "asset_no",
            Code::unknown_reference,
        ),
        (
            FactsFile::Usage,
            "record_no,host_uscc,asset_no,user_uscc,ended_at\nR1,H,A1,Z,2025-06-01T00:00:00+08:00\n",
            "user_uscc",
            Code::unknown_reference,
        ),
        (
            FactsFile::Usage,
            "record_no,host_uscc,asset_no,user_uscc,ended_at,fee_fen,voucher_fen\nR1,H,A1,U,2025-06-01T00:00:00+08:00,5,6\n",
            "voucher_fen",
            Code::out_of_range,
        ),
        (
            FactsFile::Requests,
            "host_uscc,received,answered_in_time\nU,1,1\n",
            "host_uscc",
            Code::unknown_reference,
        ),
        (
            FactsFile::Reported,
            "uscc,name,value\nH,papers,-1\n",
            "value",
            Code::out_of_range,
        ),
        (
            FactsFile::Reported,
            "uscc,name,value\nH,papers,1\nH,papers,2\n",
            "name",
            Code::duplicate,
        ),
        (
            FactsFile::Certifications,
            "uscc,certification,valid_from,valid_until\nU,SME!,,\n",
            "certification",
            Code::malformed,
        ),
        (
            FactsFile::Certifications,
            "uscc,certification,valid_from,valid_until\nU,sme,2025-02-01,2025-01-01\n",
            "valid_until",
            Code::dates_out_of_order,
        ),
        (
            FactsFile::Awarded,
            "award_code,uscc,asset_no,project\naward,H,A9,\n",
            "asset_no",
            Code::unknown_reference,
        ),
        (
            FactsFile::AdoptedGrades,
            "host_uscc,grade\nU,good\n",
            "host_uscc",
            Code::unknown_reference,
        ),
        (
            FactsFile::ExpertScores,
            "host_uscc,A4,B3\nH,4.5,1\n",
            "A4",
            Code::out_of_range,
        ),
        (
            FactsFile::ExpertScores,
            "host_uscc,A4,B3\nH,many,1\n",
            "A4",
            Code::not_a_decimal,
        ),
        (
            FactsFile::ExpertScores,
            "A4,B3\n1,1\n",
            "host_uscc",
            Code::missing_column,
        ),
    ];
    for (file, text, column, code) in cases {
        let refused = read_folder(&folder(&[(file, text)])).unwrap_err();
        let Unfit::Faults(faults) = refused else {
            panic!("{refused:?}");
        };
        let of_file = faults.iter().find(|(known, _)| *known == file);
        let (_, found) = of_file.unwrap_or_else(|| panic!("{file}: {faults:?}"));
        assert_eq!(
            (found[0].name(), found[0].code),
            (column, code),
            "{file}: {text}"
        );
    }
}
