//! Which price applies, what a quote comes to, and what is kept of it.

use super::*;

fn on(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn period(from: &str, until: Option<&str>) -> Period {
    Period {
        valid_from: on(from),
        valid_until: until.map(on),
    }
}

fn tariff(
    number: i64,
    customer_class: Option<CustomerClass>,
    mode: Option<BookingMode>,
    price: i64,
) -> (TariffId, Tariff) {
    let tariff = Tariff {
        customer_class,
        mode,
        period: period("2026-01-01", Some("2026-12-31")),
        price_fen_per_hour: Fen::new(price),
    };
    (number.try_into().unwrap(), tariff)
}

use BookingMode as M;
use CustomerClass as C;

fn guided(class: C, minutes: i64) -> Priced {
    Priced {
        class,
        mode: M::Guided,
        on: on("2026-03-01"),
        minutes: Minutes::new(minutes),
    }
}

fn tensile(quantity: i64) -> ServiceLine {
    let service = ServiceFacts {
        test_item: "拉伸".to_owned(),
        test_condition: None,
        method_standard: None,
        unit: "样".to_owned(),
        price_fen: Fen::new(12_000),
    };
    let item = ServiceItem {
        service_id: 5.try_into().unwrap(),
        quantity,
    };
    ServiceLine::new(item, &service).unwrap()
}

#[test]
fn the_class_follows_kind_and_size() {
    let id = |number: i64| OrganizationId::try_from(number).unwrap();
    for (unit, kind, is_sme, class) in [
        (1, OrganizationKind::University, false, C::Own),
        (1, OrganizationKind::Enterprise, true, C::Own),
        (2, OrganizationKind::University, false, C::PublicResearch),
        (2, OrganizationKind::Institute, true, C::PublicResearch),
        (2, OrganizationKind::Hospital, false, C::PublicResearch),
        (2, OrganizationKind::Agency, false, C::PublicResearch),
        (2, OrganizationKind::Enterprise, false, C::Enterprise),
        (2, OrganizationKind::Enterprise, true, C::Sme),
        (2, OrganizationKind::Other, true, C::Enterprise),
    ] {
        assert_eq!(
            customer_class(id(1), id(unit), kind, is_sme),
            class,
            "{kind}"
        );
    }
}

#[test]
fn the_most_specific_tariff_wins() {
    let tariffs = [
        tariff(1, None, None, 100),
        tariff(2, None, Some(M::Guided), 200),
        tariff(3, Some(C::Sme), None, 300),
        tariff(4, Some(C::Sme), Some(M::Guided), 400),
    ];
    for (class, mode, day, price) in [
        (C::Sme, M::Guided, "2026-01-01", Some(400)),
        (C::Sme, M::Entrusted, "2026-01-01", Some(300)),
        (C::Enterprise, M::Guided, "2026-12-31", Some(200)),
        (C::Enterprise, M::Entrusted, "2026-12-31", Some(100)),
        (C::Own, M::Guided, "2026-12-31", None),
        (C::Sme, M::Guided, "2025-12-31", None),
        (C::Sme, M::Guided, "2027-01-01", None),
    ] {
        let found = select(&tariffs, class, mode, on(day));
        let found = found.map(|(_, tariff)| tariff.price_fen_per_hour.number());
        assert_eq!(found, price, "{class} {mode} {day}");
        let mut turned = tariffs;
        turned.reverse();
        let found = select(&turned, class, mode, on(day));
        let found = found.map(|(_, tariff)| tariff.price_fen_per_hour.number());
        assert_eq!(found, price, "the order of the list decides nothing");
    }
}

#[test]
fn own_people_pay_only_what_names_them() {
    let tariffs = [
        tariff(1, None, None, 100),
        tariff(2, Some(C::Own), None, 20),
    ];
    let day = on("2026-03-01");
    assert!(select(&tariffs[..1], C::Own, M::Guided, day).is_none());
    let (id, _) = select(&tariffs, C::Own, M::Guided, day).unwrap();
    assert_eq!(id.number(), 2);
}

#[test]
fn a_promised_price_holds_for_the_actual_minutes() {
    let tariffs = [tariff(9, None, None, 7_320)];
    let promised = quote(&tariffs, guided(C::Sme, 60), vec![tensile(3)]);
    let promised = promised.unwrap().unwrap();
    assert_eq!(promised.total_fen, Fen::new(7_320 + 36_000));
    let actual = promised.for_minutes(Minutes::new(50)).unwrap().unwrap();
    assert_eq!(actual.total_fen, Fen::new(6_100 + 36_000));
    assert_eq!(actual.priced_on, promised.priced_on);
    let time = promised.clone().without_services().unwrap().unwrap();
    assert_eq!((time.lines.len(), time.total_fen), (1, Fen::new(7_320)));
    let empty = Quote {
        lines: vec![],
        ..promised
    };
    assert_eq!(empty.for_minutes(Minutes::new(50)), Ok(None));
}

#[test]
fn services_are_priced_without_a_tariff_but_not_for_own_people() {
    let total = |class| {
        let found = quote(&[], guided(class, 60), vec![tensile(2)]).unwrap();
        found.map(|quote| {
            let times = quote
                .lines
                .iter()
                .filter(|line| matches!(line, Line::Time(_)));
            (times.count(), quote.total_fen.number())
        })
    };
    assert_eq!(total(C::Enterprise), Some((0, 24_000)));
    assert_eq!(total(C::Own), None);
    let line = || ServiceLine {
        amount_fen: Fen::new(MAX_SAFE_INTEGER),
        ..tensile(1)
    };
    let two = quote(&[], guided(C::Sme, 1), vec![line(), line()]);
    assert_eq!(
        two,
        Err(TooLarge),
        "no total leaves the range of JSON numbers"
    );
}

#[test]
fn class_beats_mode() {
    let tariffs = [
        tariff(1, Some(C::Sme), None, 300),
        tariff(2, None, Some(M::Guided), 200),
    ];
    let (id, _) = select(&tariffs, C::Sme, M::Guided, on("2026-03-01")).unwrap();
    assert_eq!(id.number(), 1);
}

#[test]
fn a_quote_is_rounded_once() {
    let at = |price, minutes| {
        let tariffs = [tariff(9, None, None, price)];
        quote(&tariffs, guided(C::Sme, minutes), Vec::new())
    };
    for (price, minutes, total) in [(3_100, 13, 672), (7_320, 50, 6_100), (0, 60, 0)] {
        let quote = at(price, minutes).unwrap().unwrap();
        assert_eq!(quote.total_fen, Fen::new(total));
    }
    assert_eq!(at(i64::MAX, 61), Err(TooLarge));
    let none = quote(&[], guided(C::Sme, 60), Vec::new());
    assert_eq!(none, Ok(None), "no tariff is no price, not zero");
}

#[test]
fn a_period_includes_its_last_day() {
    for (first, second, overlap) in [
        (
            ("2026-01-01", Some("2026-06-30")),
            ("2026-07-01", None),
            false,
        ),
        (
            ("2026-01-01", Some("2026-07-01")),
            ("2026-07-01", None),
            true,
        ),
        (("2026-01-01", None), ("2027-01-01", None), true),
        (
            ("2026-01-01", None),
            ("2025-01-01", Some("2025-12-31")),
            false,
        ),
        (
            ("2026-01-01", None),
            ("2025-01-01", Some("2026-01-01")),
            true,
        ),
    ] {
        let (a, b) = (period(first.0, first.1), period(second.0, second.1));
        assert_eq!(a.overlaps(&b), overlap, "{first:?} {second:?}");
        assert_eq!(b.overlaps(&a), overlap, "{second:?} {first:?}");
    }
    let year = period("2026-01-01", Some("2026-12-31"));
    assert!(year.contains(on("2026-12-31")) && !year.contains(on("2027-01-01")));
    assert_eq!(year.ends_before(), Some(on("2027-01-01")));
    assert_eq!(Period::half_open(year.valid_from, year.ends_before()), year);
}

#[test]
fn prices_and_periods_have_limits() {
    let codes = |price, until| {
        let (_, valid) = tariff(1, None, None, price);
        let tariff = Tariff {
            period: period("2026-01-01", until),
            ..valid
        };
        let faults = tariff.validate().err().unwrap_or_default();
        faults
            .into_iter()
            .map(|fault| fault.code.as_str())
            .collect::<Vec<_>>()
    };
    assert!(codes(0, None).is_empty());
    assert!(codes(PRICE_FEN_PER_HOUR_MAX, Some("2026-01-01")).is_empty());
    assert_eq!(
        codes(PRICE_FEN_PER_HOUR_MAX + 1, Some("2025-12-31")),
        ["out_of_range", "dates_out_of_order"]
    );
    assert_eq!(codes(-1, None), ["out_of_range"]);
}
