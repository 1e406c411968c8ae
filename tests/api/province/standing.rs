//! What was frozen, computed and made final stands, and is explained down to its records.

use super::*;

#[test]
fn what_is_written_under_one_clock_is_frozen() {
    on_both(|world| {
        run(world);
        import(world, shipped()).unwrap();
        let second = run(world);
        assert_is_the_year(&printed(world, second));
        // Whoever joins the family later stands in the year's relations by the next freeze.
        let relation = world.read(move |conn| {
            let run = store::yearly_run::subsidy::get(conn, second)?;
            let row = store::yearly_run::evaluation::get(conn, run.evaluation_id.unwrap())?;
            let scope = freeze::scope(
                &freeze::calendar_year(2025)?,
                row.frozen_at.unwrap(),
                row.frozen_event_id,
            )?;
            Ok(yearly_input::list_related(conn, &scope)?.len())
        });
        assert_eq!(relation, 2);
        assert!(verify(world, second).verified);
    });
}

/// Runs a statement; the rule that refused it, if one did.
pub(super) fn forced(world: &World, statement: String) -> Option<store::Constraint> {
    let forced = world.block_on(world.app.store.write(move |tx| {
        let done = diesel::sql_query(statement.as_str()).execute(tx);
        Ok::<_, AppError>(done.map_err(store::StoreError::from).err())
    }));
    match forced {
        Ok(Some(store::StoreError::Violated(constraint))) => Some(constraint),
        Ok(None) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn stored_results_changed_by_hand_do_not_verify() {
    on_both_imported(|world| {
        let id = run(world);
        let verified = || verify(world, id).verified;
        assert!(verified());
        for (there, back) in [
            (
                "award SET award_fen = award_fen + 1",
                "award SET award_fen = award_fen - 1",
            ),
            (
                "award_step SET position = -position",
                "award_step SET position = -position",
            ),
            (
                "award_step SET after_fen = after_fen || '0'",
                "award_step SET after_fen = substr(after_fen, 1, length(after_fen) - 1)",
            ),
            (
                "subsidy_run SET policy_digest = policy_digest || '0'",
                "subsidy_run SET policy_digest = substr(policy_digest, 1, length(policy_digest) - 1)",
            ),
            (
                "evaluation SET policy_digest = policy_digest || '0'",
                "evaluation SET policy_digest = substr(policy_digest, 1, length(policy_digest) - 1)",
            ),
            (
                "evaluation_unit SET place = place + 1",
                "evaluation_unit SET place = place - 1",
            ),
            (
                "evaluation_unit SET uscc = uscc || '0'",
                "evaluation_unit SET uscc = substr(uscc, 1, length(uscc) - 1)",
            ),
        ] {
            assert_eq!(forced(world, format!("UPDATE {there}")), None);
            assert!(!verified(), "{there}");
            assert_eq!(forced(world, format!("UPDATE {back}")), None);
            assert!(verified(), "{back}");
        }
    });
}

#[test]
fn what_is_beneath_a_final_run_stands() {
    on_both_imported(|world| {
        let (id, other) = (run(world), run(world));
        for decision in [RunDecision::Publish, RunDecision::Finalize] {
            decide(world, id, decision).unwrap();
        }
        let before = printed(world, id);
        let awards = "(SELECT id FROM award WHERE subsidy_run_id = {run})";
        let beneath = "(SELECT evaluation_id FROM subsidy_run WHERE id = {run})";
        let statements = |run: SubsidyRunId| {
            [
                format!("UPDATE award_step SET after_fen = '1' WHERE award_id IN {awards}"),
                format!("DELETE FROM award_step WHERE award_id IN {awards}"),
                format!("INSERT INTO award_step SELECT award_id, 99, instrument_id, step, operands, before_fen, after_fen \
                     FROM award_step WHERE position = 1 AND award_id IN {awards}"),
                format!("UPDATE evaluation_unit SET place = 1 WHERE evaluation_id = {beneath}"),
                format!("UPDATE expert_score SET points = '4' WHERE evaluation_id = {beneath}"),
                format!("INSERT INTO evaluation_input SELECT evaluation_id, 1000000, line FROM evaluation_input \
                     WHERE position = 1 AND evaluation_id = {beneath}"),
                format!("DELETE FROM expert_score WHERE evaluation_id = {beneath}"),
                format!("DELETE FROM evaluation_unit WHERE evaluation_id = {beneath}"),
                format!("DELETE FROM evaluation_input WHERE evaluation_id = {beneath}"),
            ]
            .map(|text| text.replace("{run}", &run.to_string()))
        };
        for statement in statements(id) {
            let rule = match statement.contains("award_step") {
                true => store::Constraint::SubsidyRunFinal,
                false => store::Constraint::EvaluationFinal,
            };
            assert_eq!(forced(world, statement.clone()), Some(rule), "{statement}");
        }
        for statement in statements(other) {
            assert_eq!(forced(world, statement.clone()), None, "{statement}");
        }
        assert_eq!(
            forced(world, "UPDATE organization SET name = 'new'".to_owned()),
            None
        );
        assert_eq!(printed(world, id), before);
    });
}

#[test]
fn nothing_is_half_imported() {
    on_both(|world| {
        let unknown = source(|file, text| match file {
            ProvinceFile::ExpertScores => format!("{text}91130000000000000X,1,1\n"),
            _ => text,
        });
        let refused = import(world, unknown).unwrap_err();
        assert!(matches!(refused, AppError::Refused(_)), "{refused:?}");
        let members = world.read(|conn| Ok(store::yearly_input::list_members(conn)?));
        assert!(members.is_empty());
    });
}

#[test]
fn one_run_a_year_is_final_and_then_stands() {
    on_both_imported(|world| {
        let (first, second) = (run(world), run(world));
        let decide = |id, decision| decide(world, id, decision);
        let early = decide(first, RunDecision::Finalize).unwrap_err();
        assert_eq!(conflict(early), Code::invalid_state);
        for id in [first, second] {
            decide(id, RunDecision::Publish).unwrap();
        }
        decide(first, RunDecision::Finalize).unwrap();
        let twice = decide(second, RunDecision::Finalize).unwrap_err();
        assert_eq!(conflict(twice), Code::final_exists);
        let discarded = decide(first, RunDecision::Discard).unwrap_err();
        assert_eq!(conflict(discarded), Code::invalid_state);
        let locked = world.block_on(
            world
                .app
                .store
                .read(|conn| yearly_run::refuse_locked_year(conn, 2025)),
        );
        assert_eq!(conflict(locked.unwrap_err()), Code::period_locked);
        let now = world.now();
        let forced = world.block_on(world.app.store.write(move |tx| {
            let present = store::yearly_run::get(tx, first.into())?;
            Ok(store::yearly_run::update_state(
                tx,
                &present,
                yiqi::domain::run::RunState::Draft,
                None,
                now,
            )?)
        }));
        assert!(forced.is_err());

        let late = source(|file, text| match file {
            ProvinceFile::Usage => format!(
                "{text}U20259999999,12130203930RQCAT52,25006887,12130203930RQCAT52,entrusted,research,2025-12-31T23:00:00+08:00,\
                 2025-12-31T23:30:00+08:00,0,30,0,1,false,manual,recorded,0,0,,,,\n"
            ),
            _ => text,
        });
        let refused = import(world, late).unwrap_err();
        assert_eq!(conflict(refused), Code::period_locked);
    });
}

#[test]
fn an_award_is_explained_down_to_its_records() {
    on_both_imported(|world| {
        let id = run(world);
        let uscc = Uscc::parse("12130302BYC46N1249").unwrap();
        let mut choice = Choice {
            metric: Some("paid_external_income_fen".to_owned()),
            limit: 100,
            ..Choice::default()
        };
        let (mut income, mut base, mut voucher, mut records) = (0, 0, 0, 0);
        let award = loop {
            let explanation = explained(world, id, &uscc, choice.clone());
            let page = &explanation.unit.metrics[0];
            for record in &page.records {
                income += record.payer_fen.number();
                voucher += record.voucher_fen.number();
                if record.left_out.is_none() {
                    base += record.payer_fen.number();
                }
            }
            records += page.records.len();
            choice.after = page.next;
            if page.next.is_none() {
                assert_eq!(page.value, income);
                break explanation;
            }
        };
        assert!(records > 100);
        // What a related party or another province paid is income of the metric and left out of the base.
        let bases: i64 = award
            .award
            .instruments
            .iter()
            .map(|i| i.base_fen.number())
            .sum();
        assert_eq!(base, bases);
        assert!(voucher > 0 && base < income);
        let names: Vec<&str> = award
            .steps
            .iter()
            .map(|step| step.step.step.as_str())
            .collect();
        let last: Vec<&str> = names.iter().rev().take(5).rev().copied().collect();
        assert_eq!(last, ["sum", "cap", "drop_below", "pool", "round"]);
        assert_eq!(award.award.award_fen, Fen::new(4_530_000));
        assert_eq!(award.steps.last().unwrap().step.after_fen, "4530000");
        assert_eq!(award.unit.scores.len(), 12);

        let explained = |metric: Option<&str>| {
            let choice = Choice {
                metric: metric.map(str::to_owned),
                limit: 100,
                ..Choice::default()
            };
            super::explained(world, id, &uscc, choice)
        };
        let page = &explained(Some("effective_minutes")).unit.metrics[0];
        assert_eq!(page.records.len(), 100);
        assert!(page.next.is_some());
        let all = explained(None);
        assert_eq!(
            all.unit
                .total
                .as_ref()
                .unwrap()
                .split('.')
                .nth(1)
                .map(str::len),
            Some(2)
        );
        assert!(all.unit.total_exact.as_ref().unwrap().contains('/'));
        // Nothing is counted that is not told of.
        for metric in &all.unit.metrics {
            let told = !metric.records.is_empty() || !metric.instruments.is_empty();
            let is_told = metric.value == 0 || told || metric.note.is_some();
            assert!(is_told, "{metric:?}");
        }
        let of = |name: &str| all.unit.metrics.iter().find(|metric| metric.metric == name);
        let counted = of("instruments_counted").unwrap();
        let sum: i64 = counted.instruments.iter().map(|share| share.value).sum();
        assert_eq!(sum, counted.value);
        let answers = of("satisfaction").unwrap();
        assert!(
            answers
                .records
                .iter()
                .all(|record| record.satisfaction.is_some())
        );
    });
}

/// Each payment fits in 64 bits; what they sum to does not, and the run that fails says where.
#[test]
fn income_that_no_number_holds_names_its_instrument() {
    on_both_imported(|world| {
        let id = run(world);
        let awards = world.read(move |conn| Ok(store::yearly_run::subsidy::list_awards(conn, id)?));
        let bases = awards.iter().flat_map(|award| award.instruments.iter());
        let most = bases.max_by_key(|base| base.base_fen).unwrap();
        let instrument = most.instrument_id;
        let whole = format!(
            "SELECT c.id FROM charge c JOIN usage_record u ON u.id = c.usage_record_id WHERE u.instrument_id = {instrument} \
             AND c.id IN (SELECT charge_id FROM payment_line GROUP BY charge_id HAVING count(*) = 1)"
        );
        for (table, key) in [("charge", "id"), ("payment_line", "charge_id")] {
            let raise = format!(
                "UPDATE {table} SET amount_fen = 9200000000000000000 WHERE {key} IN ({whole})"
            );
            assert_eq!(forced(world, raise), None, "{table}");
        }
        let failed = try_run(world).unwrap_err().to_string();
        assert!(
            failed.contains(&format!("instrument {instrument} ")),
            "{failed}"
        );
    });
}
