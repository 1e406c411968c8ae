//! The sheets of a yearly run: awards, bases of instruments, grades, scores, hours of instruments, and money left out.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::domain::award::Standing;
use crate::domain::policy::Grade;
use crate::domain::sentence::Sentence;
use crate::domain::subsidy::LeftOut;
use crate::domain::{Fen, InstrumentId, Minutes, OrganizationId, ratio};
use crate::exchange::awards::grade_word;
use crate::exchange::document::{Cell, Column, Table};
use crate::operations::yearly_run::export::{Award, Export, Host};

fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

fn number(number: impl ToString) -> Cell {
    Cell::Number(number.to_string())
}

/// A stored `p/q`, with so many decimals.
fn decimal(exact: &str, places: usize) -> Cell {
    match ratio::parse_exact(exact) {
        Ok(value) => number(ratio::decimal(&value, places)),
        Err(_) => text(exact),
    }
}

fn table(name: &str, columns: &[(&str, f32)], rows: Vec<Vec<Cell>>) -> Table {
    let columns = columns.iter();
    Table {
        name: name.to_owned(),
        columns: columns
            .map(|(caption, width)| Column::new(*caption, *width))
            .collect(),
        rows,
        has_total: false,
        is_detail: true,
    }
}

/// Adds a last row that sums the amounts of each column; the label stands in `at`.
fn totaled(mut table: Table, at: usize) -> Table {
    let columns = 0..table.columns.len();
    let sums = columns.map(|column| {
        if column == at {
            return text("合计");
        }
        let amounts = table.rows.iter().filter_map(|row| match row.get(column) {
            Some(Cell::Yuan(fen)) => Some(*fen),
            _ => None,
        });
        let amounts: Vec<i128> = amounts.collect();
        match amounts.is_empty() {
            true => Cell::Empty,
            false => Cell::Yuan(amounts.iter().sum()),
        }
    });
    let sums = sums.collect();
    table.rows.push(sums);
    table.has_total = true;
    table
}

fn by_unit(export: &Export) -> BTreeMap<OrganizationId, &Host> {
    let hosts = export.hosts.iter();
    hosts.map(|host| (host.organization_id, host)).collect()
}

fn instrument_name(export: &Export, id: InstrumentId) -> Cell {
    text(export.instruments.get(&id).cloned().unwrap_or_default())
}

/// The greatest award first; by which rule and from which pool, where there are several.
pub fn awards(export: &Export, awards: &[Award]) -> Table {
    let mut sorted: Vec<&Award> = awards.iter().collect();
    sorted.sort_by_key(|award| (Reverse(award.award_fen), award.organization_id));
    let codes: BTreeSet<&str> = awards.iter().map(|it| it.award_code.as_str()).collect();
    let several = (
        codes.len() > 1,
        awards.iter().any(|award| award.pool.is_some()),
    );
    let hosts = by_unit(export);
    let rows = sorted.into_iter().zip(1..).map(|(award, at)| {
        let host = hosts.get(&award.organization_id).copied();
        let mut row = vec![number(at)];
        row.extend(award_row(export, award, host));
        if several.1 {
            row.insert(3, text(award.pool.as_deref().unwrap_or_default()));
        }
        if several.0 {
            row.insert(3, text(award.award_code.as_str()));
        }
        row
    });
    let rows = rows.collect();
    let mut columns = vec![
        ("序号", 3.0),
        ("统一社会信用代码", 11.0),
        ("单位名称", 16.0),
        ("位次", 3.0),
        ("总分", 4.0),
        ("等次", 4.0),
        ("补助基数（元）", 9.0),
        ("按预算折算前（元）", 10.0),
        ("补助金额（元）", 9.0),
        ("调整（元）", 8.0),
        ("已拨付（元）", 9.0),
    ];
    if several.1 {
        columns.insert(3, ("资金池", 8.0));
    }
    if several.0 {
        columns.insert(3, ("补助项目", 8.0));
    }
    totaled(table("补助结果", &columns, rows), 2)
}

fn award_row(export: &Export, award: &Award, host: Option<&Host>) -> [Cell; 10] {
    let of_host = |cell: fn(&Host) -> Cell| host.map_or(Cell::Empty, cell);
    let uscc = export.uscc.get(&award.organization_id);
    let base = award.instruments.iter();
    let base: i128 = base.map(|it| i128::from(it.base_fen.number())).sum();
    let before_pool = ratio::parse_exact(&award.before_pool_fen);
    let standing = export.standings.get(&award.id);
    let became = |amount: fn(&Standing) -> Fen| {
        let amount = standing.map(|standing| amount(standing).number().into());
        amount.map_or(Cell::Empty, Cell::Yuan)
    };
    [
        text(uscc.cloned().unwrap_or_default()),
        text(award.name.as_str()),
        of_host(|host| number(host.place)),
        of_host(|host| decimal(&host.total, 2)),
        grade(award.grade),
        Cell::Yuan(base),
        before_pool.map_or(Cell::Empty, |fen| {
            number(ratio::decimal(&(fen / ratio::whole(100)), 4))
        }),
        Cell::Yuan(award.award_fen.number().into()),
        became(|standing| standing.adjusted),
        became(|standing| standing.paid),
    ]
}

fn grade(grade: Option<Grade>) -> Cell {
    grade.map_or(Cell::Empty, |grade| text(grade_word(grade)))
}

/// What each instrument brought to the base, with its hours.
pub fn bases(export: &Export, awards: &[Award]) -> Table {
    let hosts = export.hosts.iter();
    let figures = hosts.flat_map(|host| host.instruments.iter());
    let figures: BTreeMap<InstrumentId, _> = figures.map(|one| (one.instrument_id, one)).collect();
    let bases = awards
        .iter()
        .flat_map(|award| award.instruments.iter().map(move |base| (award, base)));
    let rows = bases.map(|(award, base)| {
        let figures = figures.get(&base.instrument_id);
        let minutes = |of: Option<Minutes>| of.map_or(Cell::Empty, |it| number(it.number()));
        let left_out = base.left_out_fen.values();
        vec![
            text(award.name.as_str()),
            text(base.asset_no.as_str()),
            instrument_name(export, base.instrument_id),
            minutes(figures.map(|one| one.effective_minutes)),
            minutes(figures.map(|one| one.external_minutes)),
            Cell::Yuan(base.base_fen.number().into()),
            Cell::Yuan(left_out.map(|fen| i128::from(fen.number())).sum()),
        ]
    });
    let columns = [
        ("单位名称", 16.0),
        ("资产编号", 9.0),
        ("仪器名称", 16.0),
        ("有效机时（分钟）", 8.0),
        ("对外机时（分钟）", 8.0),
        ("补助基数（元）", 9.0),
        ("未计入（元）", 9.0),
    ];
    totaled(table("仪器", &columns, rows.collect()), 0)
}

/// The best first, with the points of every indicator.
pub fn grades(export: &Export) -> Table {
    let mut hosts: Vec<&Host> = export.hosts.iter().collect();
    hosts.sort_by_key(|host| (host.place, host.organization_id));
    let rows = hosts.into_iter().map(|host| {
        let points = export.indicators.iter().map(|(id, _)| {
            let score = host.scores.iter().find(|score| score.id == *id);
            score.map_or(Cell::Empty, |score| number(&score.points_printed))
        });
        let first = [
            number(host.place),
            text(host.uscc.as_str()),
            text(host.name.as_str()),
        ];
        let last = [decimal(&host.total, 2), grade(host.grade)];
        first.into_iter().chain(points).chain(last).collect()
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    let names: Vec<String> = export.indicators.iter().map(named).collect();
    let first = [
        ("位次", 3.0),
        ("统一社会信用代码", 11.0),
        ("单位名称", 16.0),
    ];
    let names = names.iter().map(|name| (name.as_str(), 8.0));
    let last = [("总分", 4.0), ("等次", 4.0)];
    let columns: Vec<_> = first.into_iter().chain(names).chain(last).collect();
    table("评价结果", &columns, rows)
}

/// A name longer than this is no caption.
const CAPTION_CHARS: usize = 12;

/// An indicator by its id, and by its name where that is short.
fn named((id, name): &(String, Sentence)) -> String {
    let is_short = name.zh.chars().count() <= CAPTION_CHARS;
    match is_short && *id != name.zh {
        true => format!("{id} {}", name.zh),
        false => id.clone(),
    }
}

/// What the indicators are called.
pub fn indicators(export: &Export) -> Table {
    let rows = export.indicators.iter();
    let rows = rows.map(|(id, name)| vec![text(id.as_str()), text(name.zh.as_str())]);
    table("指标", &[("编号", 5.0), ("名称", 40.0)], rows.collect())
}

/// What each score was made of.
pub fn scores(export: &Export) -> Table {
    let mut rows = Vec::new();
    for host in &export.hosts {
        for indicator in &export.indicators {
            let score = host.scores.iter().find(|score| score.id == indicator.0);
            let Some(score) = score else { continue };
            let ratio = score.ratio.as_deref();
            rows.push(vec![
                text(host.name.as_str()),
                text(named(indicator)),
                decimal(&score.numerator, 4),
                decimal(&score.denominator, 4),
                ratio.map_or(Cell::Empty, |ratio| decimal(ratio, 4)),
                decimal(&score.full_at, 4),
                number(&score.points_printed),
                decimal(&score.max, 2),
            ]);
        }
    }
    let columns = [
        ("单位名称", 16.0),
        ("指标", 16.0),
        ("分子", 8.0),
        ("分母", 8.0),
        ("比值", 6.0),
        ("满分值", 6.0),
        ("得分", 6.0),
        ("满分", 4.0),
    ];
    table("得分明细", &columns, rows)
}

/// The hours of each instrument.
pub fn figures(export: &Export) -> Table {
    let hosts = export.hosts.iter();
    let figures = hosts.flat_map(|host| host.instruments.iter().map(move |one| (host, one)));
    let rows = figures.map(|(host, one)| {
        let rated = one.rated_minutes;
        vec![
            text(host.name.as_str()),
            text(one.asset_no.as_str()),
            instrument_name(export, one.instrument_id),
            number(one.effective_minutes.number()),
            number(one.external_minutes.number()),
            rated.map_or(Cell::Empty, |minutes| number(minutes.number())),
        ]
    });
    let columns = [
        ("单位名称", 16.0),
        ("资产编号", 9.0),
        ("仪器名称", 16.0),
        ("有效机时（分钟）", 8.0),
        ("对外机时（分钟）", 8.0),
        ("额定机时（分钟）", 8.0),
    ];
    table("仪器", &columns, rows.collect())
}

/// Money of services that is not in the base, by instrument and reason.
pub fn left_out(export: &Export, awards: &[Award]) -> Table {
    let mut rows = Vec::new();
    for award in awards {
        for base in award.instruments.iter() {
            let left_out = base.left_out_fen.iter();
            rows.extend(left_out.map(|(reason, fen)| {
                vec![
                    text(award.name.as_str()),
                    text(base.asset_no.as_str()),
                    instrument_name(export, base.instrument_id),
                    text(reason_words(*reason)),
                    Cell::Yuan(fen.number().into()),
                ]
            }));
        }
    }
    let columns = [
        ("单位名称", 16.0),
        ("资产编号", 9.0),
        ("仪器名称", 16.0),
        ("未计入的原因", 16.0),
        ("金额（元）", 9.0),
    ];
    totaled(table("未计入金额", &columns, rows), 0)
}

const fn reason_words(reason: LeftOut) -> &'static str {
    match reason {
        LeftOut::Customer => "本单位自用或不计入的用户",
        LeftOut::Statutory => "法定检测收入",
        LeftOut::WeakEvidence => "使用证据不足",
        LeftOut::RelatedParty => "用户为关联单位",
        LeftOut::Condition => "不符合政策规定的补助条件",
        LeftOut::AlreadyAwarded => "项目已获补助",
        LeftOut::Region => "用户注册地不在政策规定的地区",
        LeftOut::Voucher => "由创新券支付",
    }
}
