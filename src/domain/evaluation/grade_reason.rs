//! Why a unit has the grade it has: the threshold that its total reached, the quota of the best grade, its place, a veto, an upheld
//! finding, a result from outside; and why it has none.

use super::grade::{at_best, capped, quota};
use super::judge::Judge;
use crate::domain::policy::{Grade, Grades, grade_words};
use crate::domain::sentence::Sentence;
use crate::domain::{OrganizationId, ratio};
use num_rational::BigRational;

/// The reason for a grade, in numbers and in a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct GradeReason {
    pub grade: Option<Grade>,
    /// Of the grade that the total alone would give; for the worst, what it did not reach.
    pub threshold: Option<BigRational>,
    /// How many may be excellent, where the pack limits them.
    pub quota: Option<usize>,
    /// How many were evaluated.
    pub evaluated: usize,
    pub place: Option<usize>,
    pub sentence: Sentence,
}

/// What an evaluation found.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    pub total: &'a BigRational,
    pub place: usize,
    pub grade: Option<Grade>,
}

/// Of a unit in an evaluation of so many; `placed` is none for one that was not evaluated.
pub fn grade_reason(
    judge: &Judge,
    unit: OrganizationId,
    placed: Option<Placed<'_>>,
    evaluated: usize,
) -> GradeReason {
    let policy = judge.policy;
    let mut reason = GradeReason {
        grade: placed.and_then(|placed| placed.grade),
        threshold: None,
        quota: None,
        evaluated,
        place: placed.map(|placed| placed.place),
        sentence: not_evaluated(judge, unit),
    };
    let Some(placed) = placed else {
        return reason;
    };
    let total = printed(policy.grades.as_ref(), placed.total);
    let Some(grades) = &policy.grades else {
        let place = placed.place;
        reason.sentence = (
            format!("总分 {total} 分，列 {evaluated} 家中第 {place}；政策不划分等次"),
            format!("{total} points, place {place} of {evaluated}; the policy gives no grades"),
        )
            .into();
        return reason;
    };
    let by_total = grades.by_threshold(placed.total);
    reason.threshold = Some(threshold(grades, by_total).clone());
    reason.quota = grades.quota.as_ref().map(|_| quota(grades, evaluated));
    let why = why(judge, grades, unit, &reason, by_total);
    reason.sentence = (
        format!("总分 {total} 分；{}", why.zh),
        format!("{total} points; {}", why.en),
    )
        .into();
    reason
}

/// A total with two decimals; whole, where these would seem to reach another grade than it does.
fn printed(grades: Option<&Grades>, total: &BigRational) -> String {
    let text = ratio::decimal(total, 2);
    let misleads = |grades: &Grades| {
        let rounded = ratio::parse(&text);
        rounded.is_ok_and(|rounded| grades.by_threshold(&rounded) != grades.by_threshold(total))
    };
    match grades.is_some_and(misleads) {
        true => ratio::plain(total),
        false => text,
    }
}

fn not_evaluated(judge: &Judge, unit: OrganizationId) -> Sentence {
    match judge.hosts().any(|host| host.organization_id == unit) {
        true => (
            "未划分等次：政策不对该单位考核",
            "no grade: the policy exempts the unit",
        ),
        false => (
            "未划分等次：该单位没有计入本年度的仪器；请核对仪器登记",
            "no grade: no instrument of the unit is counted in this year; check their registration",
        ),
    }
    .into()
}

/// What the total must reach for a grade; for the worst, what it missed.
fn threshold(grades: &Grades, grade: Grade) -> &BigRational {
    match grade {
        Grade::Excellent => &grades.excellent,
        Grade::Good => &grades.good,
        Grade::Pass | Grade::Fail => &grades.pass,
    }
}

/// The part of the sentence after the points.
fn why(
    judge: &Judge,
    grades: &Grades,
    unit: OrganizationId,
    reason: &GradeReason,
    by_total: Grade,
) -> Sentence {
    let given = reason.grade.unwrap_or(by_total);
    let (is, of) = (grade_words(given), grade_words(by_total));
    let from = ratio::plain(threshold(grades, by_total));
    let host = judge
        .inputs
        .units()
        .find(|host| host.organization_id == unit);
    let by_finding = host.map_or(Grade::Excellent, |host| capped(judge, host));
    let adopted = host.and_then(|host| host.adopted);
    if let Some(adopted) = adopted.filter(|_| grades.adopt) {
        return outside(adopted, by_finding, given);
    }
    let best = host.map_or(Grade::Excellent, |host| at_best(judge, host));
    if best > by_total {
        let (zh, en) = match best == by_finding {
            true => ("因核查认定的问题", "an upheld finding"),
            false => ("按政策的否决条款", "a veto of the policy"),
        };
        let best = grade_words(best);
        return (
            format!("{from} 分起为{}，但{zh}最高为{}：{}", of.zh, best.zh, is.zh),
            format!(
                "{} from {from}, but {en} leaves at most {}: {}",
                of.en, best.en, is.en
            ),
        )
            .into();
    }
    if by_total == Grade::Excellent
        && let (Some(quota), Some(place)) = (reason.quota, reason.place)
    {
        let evaluated = reason.evaluated;
        return (
            format!(
                "{from} 分起为{}，{evaluated} 家单位中限 {quota} 家，本单位列第 {place}：{}",
                of.zh, is.zh
            ),
            format!(
                "{} from {from}, for {quota} of {evaluated}, this unit is {}: {}",
                of.en,
                ordinal(place),
                is.en
            ),
        )
            .into();
    }
    match by_total {
        Grade::Fail => {
            let pass = grade_words(Grade::Pass);
            (
                format!("{from} 分起为{}：{}", pass.zh, is.zh),
                format!("{} from {from}: {}", pass.en, is.en),
            )
        }
        _ => (
            format!("{from} 分起为{}：{}", of.zh, is.zh),
            format!("{} from {from}: {}", of.en, is.en),
        ),
    }
    .into()
}

/// Of a result from outside, and of what an upheld finding leaves of it.
fn outside(adopted: Grade, by_finding: Grade, given: Grade) -> Sentence {
    let is = grade_words(given);
    if by_finding > adopted {
        let (outside, best) = (grade_words(adopted), grade_words(by_finding));
        return (
            format!(
                "外部评价结果为{}，但因核查认定的问题最高为{}：{}",
                outside.zh, best.zh, is.zh
            ),
            format!(
                "an evaluation outside says {}, but an upheld finding leaves at most {}: {}",
                outside.en, best.en, is.en
            ),
        )
            .into();
    }
    (
        format!("采用外部评价结果：{}", is.zh),
        format!("the result of an evaluation outside stands: {}", is.en),
    )
        .into()
}

/// A place in English.
fn ordinal(place: usize) -> String {
    const WORDS: [&str; 10] = [
        "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
        "tenth",
    ];
    let word = place.checked_sub(1).and_then(|at| WORDS.get(at));
    match (word, place % 10, place % 100) {
        (Some(word), _, _) => (*word).to_owned(),
        (None, _, 11..=13) => format!("{place}th"),
        (None, 1, _) => format!("{place}st"),
        (None, 2, _) => format!("{place}nd"),
        (None, 3, _) => format!("{place}rd"),
        _ => format!("{place}th"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Rows, instrument, organization, policy};
    use super::*;
    use crate::domain::policy::Quota;

    fn said(total: &str, place: usize, grade: Grade, evaluated: usize) -> GradeReason {
        let mut rows = Rows::of(2);
        rows.add(1, instrument(11), &[]);
        let (inputs, mut policy) = (rows.assemble().unwrap(), policy());
        policy.grades.as_mut().unwrap().quota = Some(Quota {
            share: ratio::parse("0.15").unwrap(),
            at_least: 1,
        });
        let total = ratio::parse(total).unwrap();
        let placed = Placed {
            total: &total,
            place,
            grade: Some(grade),
        };
        let judge = Judge::new(&inputs, &policy);
        grade_reason(&judge, organization(1), Some(placed), evaluated)
    }

    #[test]
    fn a_grade_is_told_by_threshold_quota_and_place() {
        for (total, place, grade, en, zh) in [
            (
                "90.25",
                3,
                Grade::Good,
                "90.25 points; excellent from 90, for 2 of 18, this unit is third: good",
                "总分 90.25 分；90 分起为优秀，18 家单位中限 2 家，本单位列第 3：良好",
            ),
            (
                "95",
                1,
                Grade::Excellent,
                "95.00 points; excellent from 90, for 2 of 18, this unit is first: excellent",
                "总分 95.00 分；90 分起为优秀，18 家单位中限 2 家，本单位列第 1：优秀",
            ),
            (
                "75",
                12,
                Grade::Good,
                "75.00 points; good from 75: good",
                "总分 75.00 分；75 分起为良好：良好",
            ),
            (
                "59.999",
                18,
                Grade::Fail,
                "59.999 points; pass from 60: fail",
                "总分 59.999 分；60 分起为合格：不合格",
            ),
        ] {
            let reason = said(total, place, grade, 18);
            assert_eq!(reason.sentence.en, en);
            assert_eq!(reason.sentence.zh, zh);
            assert_eq!(reason.quota, Some(2));
        }
    }

    #[test]
    fn who_has_no_grade_is_told_why() {
        let mut rows = Rows::of(2);
        rows.add(1, instrument(11), &[]);
        let (inputs, mut policy) = (rows.assemble().unwrap(), policy());
        let judge = Judge::new(&inputs, &policy);
        let none = |unit| {
            grade_reason(&judge, organization(unit), None, 0)
                .sentence
                .en
        };
        assert!(none(1).contains("exempts"));
        assert!(none(2).contains("no instrument"));
        policy.grades = None;
        let judge = Judge::new(&inputs, &policy);
        let total = ratio::whole(80);
        let placed = Placed {
            total: &total,
            place: 2,
            grade: None,
        };
        let reason = grade_reason(&judge, organization(1), Some(placed), 5);
        assert_eq!(
            reason.sentence.en,
            "80.00 points, place 2 of 5; the policy gives no grades"
        );
    }

    #[test]
    fn places_are_said_in_english() {
        for (place, word) in [
            (1, "first"),
            (10, "tenth"),
            (11, "11th"),
            (21, "21st"),
            (112, "112th"),
            (123, "123rd"),
        ] {
            assert_eq!(ordinal(place), word);
        }
    }
}
