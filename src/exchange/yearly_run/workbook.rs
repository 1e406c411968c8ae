//! A yearly run as a workbook: what it was made by and of, then a sheet for each table. Of an evaluation the grades come first, of
//! a subsidy run the awards.

use super::notice;
use super::sheets;
use crate::error::text::Language;
use crate::exchange::document::{Block, Document};
use crate::operations::yearly_run::export::Export;

pub fn document(export: &Export) -> Document {
    let printed = &export.notice;
    let mut facts = notice::facts(printed);
    for pool in &printed.content.pools {
        facts.extend(notice::pool_facts(pool));
    }
    facts.extend(notice::digests(printed));
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    let evaluation = export.evaluation.as_ref();
    if let Some(frozen_at) = evaluation.and_then(|row| row.frozen_at) {
        fact("数据冻结时间", frozen_at.local().to_string());
    }
    if let Some(digest) = evaluation.and_then(|row| row.input_digest.as_ref()) {
        fact("冻结数据摘要（SHA-256）", digest.clone());
    }
    fact("导出日期", export.made_at.local_date().to_string());
    let tables = match &export.awards {
        Some(awards) => vec![
            sheets::awards(export, awards),
            sheets::bases(export, awards),
            sheets::grades(export),
            sheets::scores(export),
            sheets::indicators(export),
            sheets::left_out(export, awards),
        ],
        None => vec![
            sheets::grades(export),
            sheets::scores(export),
            sheets::indicators(export),
            sheets::figures(export),
        ],
    };
    let number = match &printed.whole {
        Some(whole) => whole.notice.document_no.clone(),
        None => "草稿".to_owned(),
    };
    let tables = tables.into_iter().map(Block::Table);
    Document {
        title: printed.title.clone(),
        number,
        language: Language::Chinese,
        blocks: std::iter::once(Block::Facts(facts)).chain(tables).collect(),
    }
}
