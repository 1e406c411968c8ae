//! Random packs on random facts: what holds for every allocation, and the same money by a slow reference that is written
//! differently: unit by unit, from the pool backwards, without amounts on their way.

use super::super::*;
use super::{cap, pack, pool, step, sum};
use crate::domain::evaluation::sample::{Rows, cell, instrument, organization};
use crate::domain::evaluation::{Judge, Relation, UsageGroup};
use crate::domain::policy::{
    Act, Base, Choose, Condition, Customers, Level, Measure, Rate, RecordFilter, Step, Tally, Test,
    YesNo,
};
use proptest::prelude::*;

/// What a random award does.
#[derive(Debug, Clone)]
struct Plan {
    recipient: Recipient,
    per: Level,
    choose: Choose,
    /// Hundredths, and whether the rate is for statutory services alone.
    rates: Vec<(i64, bool)>,
    first_cap_yuan: Option<i64>,
    last_cap_yuan: Option<i64>,
    least_fen: i64,
    unit_fen: i64,
    in_second_pool: bool,
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let plan = (
        (any::<bool>(), 0..3usize, 0..3usize),
        proptest::collection::vec((0i64..=100, any::<bool>()), 1..4),
        (
            proptest::option::of(0i64..50),
            proptest::option::of(0i64..80),
        ),
        (
            0i64..2_000,
            proptest::sample::select(vec![1i64, 7, 100, 10_000]),
            any::<bool>(),
        ),
    );
    let plan = plan.prop_map(
        |((is_host, per, choose), rates, caps, (least_fen, unit_fen, second))| {
            let per = [Level::Service, Level::Instrument, Level::Organization][per];
            // Only of single services it is asked whether they are statutory.
            let is_asked = per == Level::Service;
            Plan {
                recipient: if is_host {
                    Recipient::Host
                } else {
                    Recipient::User
                },
                per,
                choose: Choose::ALL[choose],
                rates: rates
                    .into_iter()
                    .map(|(rate, own)| (rate, own && is_asked))
                    .collect(),
                first_cap_yuan: caps.0,
                last_cap_yuan: caps.1,
                least_fen,
                unit_fen,
                in_second_pool: second,
            }
        },
    );
    proptest::collection::vec(plan, 1..4)
}

fn name(second: bool) -> Option<String> {
    Some(if second { "second" } else { "first" }.to_owned())
}

fn award_of(at: usize, plan: &Plan) -> Award {
    let rates = plan.rates.iter().map(|(hundredths, is_statutory)| Rate {
        rate: ratio::whole(*hundredths) / ratio::whole(100),
        when: is_statutory.then(|| Condition::of(Test::Statutory(vec![YesNo::Yes]))),
    });
    let mut steps = vec![step(Act::Rate {
        choose: plan.choose,
        rates: rates.collect(),
        times_grade: BTreeMap::new(),
    })];
    steps.extend(plan.first_cap_yuan.map(cap));
    if plan.per != Level::Organization {
        steps.push(sum());
    }
    steps.extend(plan.last_cap_yuan.map(cap));
    steps.push(step(Act::DropBelow {
        min_fen: Fen::new(plan.least_fen),
    }));
    let Step { act, .. } = pool();
    let act = match act {
        Act::Pool { how, .. } => Act::Pool {
            pool: name(plan.in_second_pool),
            how,
        },
        other => other,
    };
    steps.push(step(act));
    steps.push(step(Act::RoundDown {
        unit_fen: Fen::new(plan.unit_fen),
    }));
    Award {
        code: format!("award-{at}"),
        name: None,
        recipient: plan.recipient,
        per: plan.per,
        base: Base::Metric {
            name: "paid".to_owned(),
            measure: Measure::Records(Tally::PayerIncome, RecordFilter::of(Customers::NotHost)),
        },
        only: None,
        exclude: Vec::new(),
        weak_evidence: None,
        user_regions: None,
        once_per_project: false,
        steps,
    }
}

fn policy_of(plans: &[Plan]) -> Policy {
    let awards: Vec<Award> = plans
        .iter()
        .enumerate()
        .map(|(at, plan)| award_of(at, plan))
        .collect();
    let mut policy = pack(awards[0].clone());
    policy.awards = awards;
    policy.pools = vec!["first".to_owned(), "second".to_owned()];
    policy.grades = None;
    policy
}

/// Host, instrument of it, using unit, fen, statutory, own use.
type Service = (i64, i64, i64, i64, bool, bool);

fn services() -> impl Strategy<Value = Vec<Service>> {
    let service = (
        1i64..4,
        0i64..2,
        901i64..906,
        0i64..900_000,
        any::<bool>(),
        any::<bool>(),
    );
    proptest::collection::vec(service, 0..25)
}

fn rows_of(services: &[Service]) -> Rows {
    let mut rows = Rows::of(3);
    for host in 1..4 {
        for number in 0..2 {
            let id = host * 10 + number;
            let cells: Vec<UsageGroup> = services
                .iter()
                .filter(|service| (service.0, service.1) == (host, number))
                .map(|(_, _, user, fen, statutory, own)| {
                    let mut cell = cell(*user, 60, *fen);
                    cell.key.statutory = *statutory;
                    cell.key.relation = if *own {
                        Relation::Host
                    } else {
                        Relation::External
                    };
                    cell
                })
                .collect();
            rows.add(host, instrument(id), &cells);
        }
    }
    rows
}

/// Fen by host, instrument, using unit and whether it is statutory.
type Parts = BTreeMap<(i64, i64, i64, bool), i64>;

/// The money by a way of its own: for each recipient the sum of what its parts bring, from the plan alone.
fn slow(plan: &Plan, services: &[Service]) -> BTreeMap<i64, BigRational> {
    // Cells of one class of one instrument are one service, as in the inputs.
    let mut classes = Parts::new();
    for (host, number, user, fen, statutory, own) in services {
        if !own {
            *classes
                .entry((*host, *number, *user, *statutory))
                .or_default() += fen;
        }
    }
    let rate = |statutory: bool| {
        let holding: Vec<i64> = plan
            .rates
            .iter()
            .filter(|(_, only_statutory)| !only_statutory || statutory)
            .map(|(rate, _)| *rate)
            .collect();
        match plan.choose {
            Choose::First => holding.first().copied().unwrap_or(0),
            Choose::Highest => holding.iter().copied().max().unwrap_or(0),
            Choose::Sum => holding.iter().sum(),
        }
    };
    let mut parts: BTreeMap<i64, Parts> = BTreeMap::new();
    for ((host, number, user, statutory), fen) in classes {
        let recipient = if plan.recipient == Recipient::Host {
            host
        } else {
            user
        };
        let part = match plan.per {
            Level::Service => (host, number, user, statutory),
            Level::Instrument => (host, number, 0, false),
            Level::Organization => (0, 0, 0, false),
        };
        *parts.entry(recipient).or_default().entry(part).or_default() += fen;
    }
    let at_most = |value: BigRational, yuan: Option<i64>| match yuan {
        Some(yuan) if value > ratio::whole(yuan * 100) => ratio::whole(yuan * 100),
        _ => value,
    };
    let of_parts = |own: Parts| {
        let mut total = BigRational::zero();
        for ((_, _, _, statutory), fen) in own {
            let brought = ratio::whole(fen * rate(statutory)) / ratio::whole(100);
            total += at_most(brought, plan.first_cap_yuan);
        }
        let total = at_most(total, plan.last_cap_yuan);
        if total < ratio::whole(plan.least_fen) {
            BigRational::zero()
        } else {
            total
        }
    };
    parts
        .into_iter()
        .map(|(recipient, own)| (recipient, of_parts(own)))
        .collect()
}

proptest! {
    #[test]
    fn every_pool_adds_up_and_equals_the_slow_reference(plans in plans(), services in services(), budgets in (0i64..2_000_000, 0i64..2_000_000)) {
        let policy = policy_of(&plans);
        let inputs = rows_of(&services).assemble().unwrap();
        let budgets = Budgets::from([(name(false), Fen::new(budgets.0)), (name(true), Fen::new(budgets.1))]);
        let grades = GradesGiven::default();
        let payout = pay(&budgets, &grades, &inputs, &policy).unwrap();
        prop_assert_eq!(payout.pools.len(), 2);
        let slow: Vec<_> = plans.iter().map(|plan| slow(plan, &services)).collect();
        for pool in &payout.pools {
            let own: Vec<&AwardResult> = payout.awards.iter().filter(|award| award.pool == pool.pool).collect();
            let awarded: i64 = own.iter().flat_map(|award| &award.units).map(|unit| unit.award.number()).sum();
            prop_assert_eq!(awarded, pool.awarded.number());
            prop_assert_eq!(awarded + pool.unspent.number(), pool.budget.number());
            prop_assert_eq!(Some(&pool.budget), budgets.get(&pool.pool));
            let expected = plans.iter().zip(&slow).filter(|(plan, _)| name(plan.in_second_pool) == pool.pool);
            let expected = expected.flat_map(|(_, money)| money.values()).fold(BigRational::zero(), |sum, value| sum + value);
            prop_assert_eq!(&pool.sum_before_pool, &expected);
            let budget = ratio::whole(pool.budget.number());
            let factor = if expected > budget { &budget / &expected } else { BigRational::one() };
            prop_assert_eq!(pool.factor.as_ref(), Some(&factor));
        }
        for ((plan, money), award) in plans.iter().zip(&slow).zip(&payout.awards) {
            let pool = payout.pools.iter().find(|pool| pool.pool == award.pool).unwrap();
            for unit in &award.units {
                let before = money.get(&unit.organization_id.number()).cloned().unwrap_or_else(BigRational::zero);
                prop_assert_eq!(&unit.before_pool, &before);
                let exact = before * pool.factor.as_ref().unwrap();
                let rounded = ratio::floor_to(&exact, &ratio::whole(plan.unit_fen));
                prop_assert_eq!(ratio::whole(unit.award.number()), rounded);
                prop_assert!(unit.award >= Fen::ZERO);
                if let Some(yuan) = plan.last_cap_yuan {
                    prop_assert!(unit.award.number() <= yuan * 100);
                }
            }
        }
    }

    #[test]
    fn the_order_of_rows_changes_nothing(plans in plans(), services in services(), budget in 0i64..2_000_000) {
        let policy = policy_of(&plans);
        let budgets = Budgets::from([(name(false), Fen::new(budget)), (name(true), Fen::new(budget))]);
        let mut turned = rows_of(&services);
        turned.units.reverse();
        turned.instruments.reverse();
        turned.using_units.reverse();
        turned.cells.reverse();
        let pay = |rows: Rows| pay(&budgets, &GradesGiven::default(), &rows.assemble().unwrap(), &policy).unwrap();
        prop_assert_eq!(pay(rows_of(&services)), pay(turned));
    }

    #[test]
    fn base_and_what_is_left_out_are_all_the_money(services in services()) {
        let policy = policy_of(&[Plan {
            recipient: Recipient::Host, per: Level::Instrument, choose: Choose::First, rates: vec![(20, false)],
            first_cap_yuan: None, last_cap_yuan: None, least_fen: 0, unit_fen: 1, in_second_pool: false,
        }]);
        let inputs = rows_of(&services).assemble().unwrap();
        let budgets = Budgets::from([(name(false), Fen::ZERO), (name(true), Fen::ZERO)]);
        let payout = pay(&budgets, &GradesGiven::default(), &inputs, &policy).unwrap();
        let judge = Judge::new(&inputs, &policy);
        for unit in &payout.awards[0].units {
            let host = judge.hosts().find(|host| host.organization_id == unit.organization_id).unwrap();
            for base in &unit.instruments {
                let one = host.instruments.iter().find(|one| one.id == base.instrument_id).unwrap();
                let paid: i64 = one.cells.iter().map(|cell| cell.service.payer_fen.number() + cell.service.voucher_fen.number()).sum();
                prop_assert_eq!(base.income().map(Fen::number), Ok(paid));
            }
        }
        prop_assert_eq!(payout.awards[0].units.first().map(|unit| unit.organization_id), Some(organization(1)));
    }
}
