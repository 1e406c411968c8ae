//! A public notice as pages: what a publication shows to everybody, or a draft of it, marked so.

use super::{factor_words, state_word};
use crate::domain::Fen;
use crate::domain::objection::ObjectionState;
use crate::domain::public_notice::NoticeState;
use crate::error::text::Language;
use crate::exchange::awards::grade_word;
use crate::exchange::document::{Block, Cell, Column, Document, Table};
use crate::operations::public_notice::{Content, Pool, PrintedNotice, Unit, WholeNotice};

/// How to object, for pages and for the answer of the notice.
pub const fn how_to_object(language: Language) -> &'static str {
    match language {
        Language::Chinese => {
            "公示期内，登录本平台后可对本公示提出异议，写明事实和理由；异议在规定的工作日内答复，处理结果附于本公示"
        }
        Language::English => {
            "Until the last day of the notice, sign in and object to it with facts and reasons (POST …/objections). It is decided within the working days of the policy, and the decision stands here"
        }
    }
}

const fn notice_word(state: NoticeState) -> &'static str {
    match state {
        NoticeState::Open => "公示中",
        NoticeState::Ended => "公示期满",
        NoticeState::Final => "已确定",
        NoticeState::Discarded => "已作废",
    }
}

/// The pages of a notice, in Chinese.
pub fn document(printed: &PrintedNotice) -> Document {
    let draft = match printed.whole {
        Some(_) => "",
        None => "（草稿）",
    };
    let number = match &printed.whole {
        Some(whole) => format!("公示编号 {}", whole.notice.document_no),
        None => "草稿，尚未公示".to_owned(),
    };
    let mut blocks = vec![Block::Facts(facts(printed))];
    let remark = printed
        .whole
        .as_ref()
        .and_then(|it| it.notice.remark.clone());
    blocks.extend(remark.map(Block::Paragraph));
    for pool in &printed.content.pools {
        blocks.push(Block::Facts(pool_facts(pool)));
    }
    blocks.push(Block::Table(units(&printed.content)));
    if let Some(whole) = &printed.whole {
        blocks.push(Block::Heading("异议".to_owned()));
        blocks.push(Block::Paragraph(format!(
            "{}。",
            how_to_object(Language::Chinese)
        )));
        blocks.extend(objections(whole));
    }
    blocks.push(Block::Heading("核对".to_owned()));
    blocks.push(Block::Facts(digests(printed)));
    Document {
        title: format!("{}{draft}", printed.title),
        number,
        language: Language::Chinese,
        blocks,
    }
}

fn fact(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

/// What the notice is about; the first facts of the workbook, too.
pub fn facts(printed: &PrintedNotice) -> Vec<(String, String)> {
    let (pack, lifecycle) = (&printed.pack, &printed.lifecycle);
    let policy = format!("{}（{}，第 {} 版）", pack.title, pack.code, pack.version);
    let mut facts = vec![
        fact("年度", format!("{} 年", lifecycle.year)),
        fact("政策依据", policy),
    ];
    match &printed.whole {
        Some(whole) => {
            let notice = &whole.notice;
            let span = format!("{} 至 {}", notice.notice_from_on, notice.notice_until_on);
            facts.push(fact("公示编号", notice.document_no.as_str()));
            facts.push(fact("公示期", span));
            facts.push(fact("状态", notice_word(whole.state)));
        }
        None => facts.push(fact("状态", state_word(lifecycle.state))),
    }
    facts
}

/// What a pool was and came to.
pub fn pool_facts(pool: &Pool) -> Vec<(String, String)> {
    let yuan = |fen: Fen| format!("{} 元", Cell::Yuan(fen.number().into()).printed());
    let mut facts = Vec::new();
    facts.extend(pool.pool.as_ref().map(|name| fact("资金池", name.as_str())));
    facts.push(fact("预算", yuan(pool.budget_fen)));
    let factor = pool.factor.as_deref();
    facts.extend(factor.map(|factor| fact("折算系数", factor_words(factor))));
    facts.extend(pool.awarded_fen.map(|fen| fact("补助合计", yuan(fen))));
    facts.extend(pool.unspent_fen.map(|fen| fact("未分配", yuan(fen))));
    facts
}

/// The policy and the results, so that anybody can tell that these pages are about them.
pub fn digests(printed: &PrintedNotice) -> Vec<(String, String)> {
    let lifecycle = &printed.lifecycle;
    let result = lifecycle.result_digest.as_deref().unwrap_or_default();
    vec![
        fact("政策摘要（SHA-256）", lifecycle.policy_digest.as_str()),
        fact("结果摘要（SHA-256）", result),
    ]
}

fn units(content: &Content) -> Table {
    let mut units: Vec<&Unit> = content.units.iter().collect();
    units.sort_by_key(|unit| (unit.place.unwrap_or(i64::MAX), unit.organization_id));
    let is_awarded = units.iter().any(|unit| unit.award_fen.is_some());
    let mut columns = vec![
        Column::new("位次", 3.0),
        Column::new("单位名称", 16.0),
        Column::new("总分", 4.0),
        Column::new("等次", 4.0),
    ];
    let mut rows: Vec<Vec<Cell>> = units.iter().map(|unit| row(unit, is_awarded)).collect();
    if is_awarded {
        columns.push(Column::new("补助金额（元）", 8.0));
        let awards = units.iter().filter_map(|unit| unit.award_fen);
        let total = awards.map(|fen| i128::from(fen.number())).sum();
        let empty = || Cell::Empty;
        let label = Cell::Text("合计".to_owned());
        rows.push(vec![empty(), label, empty(), empty(), Cell::Yuan(total)]);
    }
    Table {
        name: match is_awarded {
            true => "补助结果".to_owned(),
            false => "评价结果".to_owned(),
        },
        columns,
        rows,
        has_total: is_awarded,
        is_detail: false,
    }
}

fn row(unit: &Unit, is_awarded: bool) -> Vec<Cell> {
    let number = |text: Option<String>| text.map_or(Cell::Empty, Cell::Number);
    let mut row = vec![
        number(unit.place.map(|place| place.to_string())),
        Cell::Text(unit.name.clone()),
        number(unit.total.clone()),
        Cell::Text(unit.grade.map(grade_word).unwrap_or_default().to_owned()),
    ];
    if is_awarded {
        let award = unit.award_fen.map(|fen| Cell::Yuan(fen.number().into()));
        row.push(award.unwrap_or(Cell::Empty));
    }
    row
}

fn objections(whole: &WholeNotice) -> Vec<Block> {
    let counts = format!(
        "待处理 {} 件，成立 {} 件，不成立 {} 件。",
        whole.open, whole.upheld, whole.dismissed
    );
    let decided = whole.decided.iter().map(|objection| {
        let on = objection.decided_at.map(|at| at.local_date().to_string());
        let word = match objection.state {
            ObjectionState::Upheld => "成立",
            _ => "不成立",
        };
        let text = objection.decision.as_deref().unwrap_or_default();
        Block::Paragraph(format!("{}　{word}：{text}", on.unwrap_or_default()))
    });
    std::iter::once(Block::Paragraph(counts))
        .chain(decided)
        .collect()
}
