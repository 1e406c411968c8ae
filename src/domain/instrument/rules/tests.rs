//! The rules of registry entries as tables of cases.

use super::*;
use crate::domain::Fault;
use crate::domain::contact::PublicContact;
use crate::domain::instrument::PurposeType;

fn on(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn today() -> NaiveDate {
    on("2026-03-01")
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn microscope() -> InstrumentFacts {
    InstrumentFacts {
        model: some("M-2621"),
        manufacturer: some("日立"),
        country: some("日本"),
        acquired_on: Some(on("2021-01-04")),
        accepted_on: Some(on("2021-06-23")),
        enabled_on: Some(on("2021-06-27")),
        share_mode: Some(ShareMode::External),
        location: some("实验楼"),
        public_contact: Some(PublicContact {
            name: "张工".to_owned(),
            phone: "0311-80000000".to_owned(),
            email: None,
        }),
        description: InstrumentDescription {
            technical: some("分辨率 1.0 nm"),
            functions: some("形貌分析"),
            service_content: some("面向校内外测试"),
            user_notice: some("提前一天预约"),
            ..InstrumentDescription::default()
        },
        ..InstrumentFacts::new(
            ("场发射扫描电镜", "25000872"),
            Fen::new(48_000_050),
            "010102".parse().unwrap(),
            PurposeType::General,
        )
    }
}

fn changed(change: impl FnOnce(&mut InstrumentFacts)) -> InstrumentFacts {
    let mut facts = microscope();
    change(&mut facts);
    facts
}

fn names(faults: Vec<Fault>) -> Vec<String> {
    faults
        .into_iter()
        .map(|fault| format!("{} {}", fault.name(), fault.code))
        .collect()
}

fn faults(change: impl FnOnce(&mut InstrumentFacts)) -> Vec<String> {
    names(changed(change).validate(today()).err().unwrap_or_default())
}

#[test]
fn the_threshold_includes_its_number() {
    for (fen, refused) in [(19_999_999, true), (20_000_000, false), (20_000_001, false)] {
        let facts = changed(|f| f.original_value_fen = Fen::new(fen));
        let answer = facts.check_threshold(Fen::new(20_000_000)).err();
        assert_eq!(
            answer.map(|fault| fault.code.as_str()),
            refused.then_some("below_registration_threshold"),
            "{fen}"
        );
    }
}

#[test]
fn fields_hold_what_the_national_message_can_carry() {
    assert!(faults(|_| {}).is_empty());
    assert_eq!(faults(|f| f.name = "仪".repeat(51)), ["name text_too_long"]);
    assert_eq!(faults(|f| f.asset_no = "".into()), ["asset_no required"]);
    let value = |fen| faults(move |f| f.original_value_fen = Fen::new(fen));
    assert_eq!(value(-1), ["original_value_fen out_of_range"]);
    assert_eq!(value(i64::MAX), ["original_value_fen out_of_range"]);
    for (channels, fits) in [(0, false), (1, true), (64, true), (65, false), (-1, false)] {
        assert_eq!(
            faults(|f| f.channels = channels).is_empty(),
            fits,
            "{channels}"
        );
    }
    let long = |most: usize| some(&"字".repeat(most + 1));
    assert_eq!(
        faults(|f| {
            f.model = long(100);
            f.description.technical = long(500);
            f.description.functions = long(300);
            f.description.service_content = long(200);
            f.description.user_notice = long(500);
            f.description.name_en = long(100);
        }),
        [
            "model text_too_long",
            "name_en text_too_long",
            "technical text_too_long",
            "functions text_too_long",
            "service_content text_too_long",
            "user_notice text_too_long",
        ]
    );
}

#[test]
fn subjects_are_at_most_four_and_distinct() {
    let subjects = |codes: &[&str]| codes.iter().map(|code| code.parse().unwrap()).collect();
    let found = |codes: &[&str]| faults(|f| f.description.subjects = subjects(codes));
    assert!(found(&["110", "120", "130", "140"]).is_empty());
    assert_eq!(
        found(&["110", "120", "130", "140", "150"]),
        ["subjects too_many"]
    );
    assert_eq!(found(&["110", "110"]), ["subjects duplicate"]);
}

#[test]
fn dates_are_in_order_and_not_absurd() {
    for (acquired, accepted, enabled, expected) in [
        ("2021-06-23", "2021-06-23", "2021-06-23", vec![]),
        (
            "2021-06-24",
            "2021-06-23",
            "2021-06-24",
            vec!["accepted_on dates_out_of_order"],
        ),
        (
            "2021-06-23",
            "2021-06-23",
            "2021-06-22",
            vec!["enabled_on dates_out_of_order"],
        ),
        (
            "2026-03-01",
            "2026-03-02",
            "2026-03-02",
            vec!["accepted_on out_of_range"],
        ),
        ("2026-03-01", "2026-03-01", "2027-03-02", vec![]),
        (
            "2026-03-01",
            "2026-03-01",
            "2027-03-03",
            vec!["enabled_on out_of_range"],
        ),
        (
            "1949-12-31",
            "2021-06-23",
            "2021-06-23",
            vec!["acquired_on out_of_range"],
        ),
    ] {
        let found = faults(|f| {
            f.acquired_on = Some(on(acquired));
            f.accepted_on = Some(on(accepted));
            f.enabled_on = Some(on(enabled));
        });
        assert_eq!(found, expected, "{acquired} {accepted} {enabled}");
    }
}

#[test]
fn one_coordinate_asks_for_the_other() {
    let found = faults(|f| f.description.latitude = "38.87".parse().ok());
    assert_eq!(found, ["longitude required"]);
}

#[test]
fn customs_numbers_have_the_form_of_the_customs() {
    let customs = |declaration_no: &str, item_no: &str, exemption_no: &str| {
        faults(|f| {
            f.description.customs = Some(Customs {
                supervised: true,
                declaration_no: some(declaration_no),
                item_no: some(item_no),
                exemption_no: some(exemption_no),
                ..Customs::default()
            });
        })
    };
    assert!(customs("020220201000123456", "01", "Z02012000123").is_empty());
    assert_eq!(
        customs("02022020100012345", "001", "Z0201-000123"),
        [
            "customs.declaration_no malformed",
            "customs.item_no malformed",
            "customs.exemption_no malformed"
        ]
    );
}

#[test]
fn a_submission_names_everything_that_is_missing() {
    assert!(microscope().missing_for_submission(None).is_empty());
    let bare = changed(|f| {
        (f.model, f.manufacturer, f.country, f.location) = (None, some(" "), None, None);
        (f.accepted_on, f.enabled_on) = (None, None);
        (f.share_mode, f.public_contact) = (None, None);
    });
    let missing = bare.missing_for_submission(None);
    assert!(missing.iter().all(|fault| fault.code == Code::required));
    let fields: Vec<_> = missing
        .into_iter()
        .map(|fault| fault.name().to_owned())
        .collect();
    assert_eq!(
        fields,
        [
            "model",
            "manufacturer",
            "country",
            "accepted_on",
            "enabled_on",
            "share_mode",
            "location",
            "public_contact"
        ]
    );
}

#[test]
fn not_sharing_needs_an_approved_exemption() {
    let closed = changed(|f| f.share_mode = Some(ShareMode::None));
    for (exemption, refused) in [
        (None, true),
        (Some(ExemptionState::Requested), true),
        (Some(ExemptionState::Refused), true),
        (Some(ExemptionState::Approved), false),
    ] {
        let found = names(closed.missing_for_submission(exemption));
        let expected: &[&str] = if refused {
            &["share_mode exemption_required"]
        } else {
            &[]
        };
        assert_eq!(found, expected, "{exemption:?}");
    }
}

#[test]
fn six_fields_stand_still_while_listed() {
    let other = changed(|f| {
        f.asset_no = "1".into();
        f.original_value_fen = Fen::new(1);
        f.category_code = "020100".parse().unwrap();
        f.purpose_type = PurposeType::Special;
        f.accepted_on = None;
        f.enabled_on = None;
        f.name = "另一台".to_owned();
        f.channels = 2;
    });
    let fields: Vec<_> = microscope()
        .locked_changes(&other)
        .into_iter()
        .map(|fault| fault.name().to_owned())
        .collect();
    assert_eq!(
        fields,
        [
            "asset_no",
            "original_value_fen",
            "category_code",
            "purpose_type",
            "accepted_on",
            "enabled_on"
        ]
    );
    assert!(microscope().locked_changes(&microscope()).is_empty());
}

#[test]
fn complete_means_every_text_contact_location_and_price() {
    assert!(microscope().is_complete(true));
    assert!(!microscope().is_complete(false));
    let lacks: [fn(&mut InstrumentFacts); 6] = [
        |f| f.description.technical = None,
        |f| f.description.functions = some(" "),
        |f| f.description.service_content = None,
        |f| f.description.user_notice = some(""),
        |f| f.public_contact = None,
        |f| f.location = None,
    ];
    for lack in lacks {
        assert!(!changed(lack).is_complete(true));
    }
}

#[test]
fn a_description_survives_its_json() {
    let mut description = microscope().description;
    description.latitude = "38.874512".parse().ok();
    description.longitude = "115.464806".parse().ok();
    description.subjects = vec!["110".parse().unwrap()];
    description.customs = Some(Customs::default());
    let text = serde_json::to_string(&description).unwrap();
    assert_eq!(
        serde_json::from_str::<InstrumentDescription>(&text).unwrap(),
        description
    );
    assert!(serde_json::from_str::<InstrumentDescription>(r#"{"nmae_en": "x"}"#).is_err());
}
