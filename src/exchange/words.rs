//! The words of closed lists as tables of people have them: each as the contract says it, and as one says it in Chinese, the
//! usual word first. A table may use either.

use super::sheet::Word;
use crate::domain::booking::{BookingMode, BookingPurpose};
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::{FundingSource, InstrumentSource, InstrumentState, PurposeType};
use crate::domain::policy::{ProjectLevel, ServiceClass};
use crate::domain::tariff::CustomerClass;

pub const PURPOSE_TYPES: &[Word] = &[
    Word::new(
        PurposeType::General.as_str(),
        &["通用", "通用仪器", "通用型"],
    ),
    Word::new(
        PurposeType::Special.as_str(),
        &["专用", "专用仪器", "专用型"],
    ),
];

pub const SHARE_MODES: &[Word] = &[
    Word::new(
        ShareMode::External.as_str(),
        &["对外共享", "外部共享", "对外开放共享"],
    ),
    Word::new(
        ShareMode::Internal.as_str(),
        &["内部共享", "对内共享", "单位内共享"],
    ),
    Word::new(ShareMode::None.as_str(), &["不共享"]),
];

pub const FUNDING_SOURCES: &[Word] = &[
    Word::new(
        FundingSource::Central.as_str(),
        &["中央财政", "中央财政资金"],
    ),
    Word::new(FundingSource::Local.as_str(), &["地方财政", "地方财政资金"]),
    Word::new(FundingSource::Own.as_str(), &["自有资金", "单位自有资金"]),
    Word::new(FundingSource::Other.as_str(), &["其他", "其它"]),
];

pub const INSTRUMENT_SOURCES: &[Word] = &[
    Word::new(InstrumentSource::Purchased.as_str(), &["购置", "购买"]),
    Word::new(InstrumentSource::Developed.as_str(), &["研制", "自制"]),
    Word::new(
        InstrumentSource::Donated.as_str(),
        &["赠送", "捐赠", "接受捐赠"],
    ),
    Word::new(InstrumentSource::Other.as_str(), &["其他", "其它"]),
];

pub const INSTRUMENT_STATES: &[Word] = &[
    Word::new(InstrumentState::Draft.as_str(), &["草稿"]),
    Word::new(InstrumentState::Submitted.as_str(), &["已提交", "待审核"]),
    Word::new(InstrumentState::Returned.as_str(), &["已退回"]),
    Word::new(InstrumentState::Listed.as_str(), &["已公示", "已上架"]),
    Word::new(InstrumentState::Suspended.as_str(), &["已暂停", "暂停"]),
    Word::new(InstrumentState::Retired.as_str(), &["已退役", "已报废"]),
];

pub const MODES: &[Word] = &[
    Word::new(
        BookingMode::SelfOperated.as_str(),
        &["自主操作", "自主上机", "自行操作"],
    ),
    Word::new(
        BookingMode::Guided.as_str(),
        &["指导操作", "协助操作", "指导"],
    ),
    Word::new(
        BookingMode::Entrusted.as_str(),
        &["委托", "委托测试", "委托检测"],
    ),
];

pub const PURPOSES: &[Word] = &[
    Word::new(BookingPurpose::Research.as_str(), &["科研", "科学研究"]),
    Word::new(BookingPurpose::Development.as_str(), &["研发", "技术开发"]),
    Word::new(BookingPurpose::Teaching.as_str(), &["教学"]),
    Word::new(BookingPurpose::Other.as_str(), &["其他", "其它"]),
];

pub const SERVICE_CLASSES: &[Word] = &[
    Word::new(ServiceClass::StatutoryCertification.as_str(), &["法定认证"]),
    Word::new(ServiceClass::Enforcement.as_str(), &["执法检查"]),
    Word::new(ServiceClass::CommercialInspection.as_str(), &["商业验货"]),
    Word::new(ServiceClass::CommercialFilming.as_str(), &["商业摄制"]),
    Word::new(ServiceClass::Medical.as_str(), &["医疗服务"]),
    Word::new(ServiceClass::TelecomBilling.as_str(), &["电信计费"]),
    Word::new(ServiceClass::BulkInspection.as_str(), &["大批量验货"]),
];

pub const PROJECT_LEVELS: &[Word] = &[
    Word::new(ProjectLevel::Own.as_str(), &["自主立项", "单位自立"]),
    Word::new(ProjectLevel::County.as_str(), &["县级", "区县级"]),
    Word::new(ProjectLevel::Municipal.as_str(), &["市级"]),
    Word::new(ProjectLevel::Provincial.as_str(), &["省级", "省部级"]),
    Word::new(ProjectLevel::National.as_str(), &["国家级"]),
];

pub const CUSTOMER_CLASSES: &[Word] = &[
    Word::new(CustomerClass::Own.as_str(), &["本单位", "校内", "院内"]),
    Word::new(
        CustomerClass::PublicResearch.as_str(),
        &["公共科研机构", "高校院所"],
    ),
    Word::new(CustomerClass::Enterprise.as_str(), &["企业"]),
    Word::new(CustomerClass::Sme.as_str(), &["中小企业", "中小微企业"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Each list says every word of its vocabulary, in its order, and none twice.
    #[test]
    fn every_word_has_a_chinese_one() {
        fn known<T: Copy + Into<&'static str>>(all: &[T]) -> Vec<&'static str> {
            all.iter().map(|word| (*word).into()).collect()
        }
        for (list, all) in [
            (PURPOSE_TYPES, known(PurposeType::ALL)),
            (SHARE_MODES, known(ShareMode::ALL)),
            (FUNDING_SOURCES, known(FundingSource::ALL)),
            (INSTRUMENT_SOURCES, known(InstrumentSource::ALL)),
            (INSTRUMENT_STATES, known(InstrumentState::ALL)),
            (MODES, known(BookingMode::ALL)),
            (PURPOSES, known(BookingPurpose::ALL)),
            (SERVICE_CLASSES, known(ServiceClass::ALL)),
            (PROJECT_LEVELS, known(ProjectLevel::ALL)),
            (CUSTOMER_CLASSES, known(CustomerClass::ALL)),
        ] {
            let words: Vec<_> = list.iter().map(|word| word.word).collect();
            assert_eq!(words, all);
            let mut chinese: Vec<_> = list.iter().flat_map(|word| word.zh).collect();
            let count = chinese.len();
            chinese.sort_unstable();
            chinese.dedup();
            assert_eq!(chinese.len(), count, "{words:?}");
            assert!(list.iter().all(|word| !word.zh.is_empty()), "{words:?}");
        }
    }
}
