//! Conditions and what is left out, as sentences that stand beside an official text: every key and every word of theirs.

use std::fmt::Display;

use super::condition::{ProjectLevel, Range, ServiceClass, YesNo};
use super::words::{amount, customers, grade, joined};
use super::{Condition, Exclusion, Test};
use crate::domain::Fen;
use crate::domain::booking::{BookingMode, BookingPurpose};
use crate::domain::certification::SMALL;
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::{FundingSource, PurposeType};
use crate::domain::organization::OrganizationKind;
use crate::domain::sentence::Sentence;
use crate::domain::usage::Evidence;

/// What is left out.
pub(super) fn exclusion(exclusion: &Exclusion) -> Sentence {
    match exclusion {
        Exclusion::Statutory => ("法定检测", "statutory testing").into(),
        Exclusion::WeakEvidence => ("证据不足的记录", "records with weak evidence").into(),
        Exclusion::RelatedParty => ("关联单位", "related parties").into(),
        Exclusion::Class(class) => service_class(*class),
        Exclusion::Condition(condition) => self::condition(condition),
    }
}

/// For what a condition holds.
pub(super) fn condition(condition: &Condition) -> Sentence {
    let alternatives: Vec<Sentence> = condition
        .0
        .iter()
        .map(|tests| {
            let tests: Vec<Sentence> = tests.iter().map(test).collect();
            joined(&tests, "，且", " and ")
        })
        .collect();
    joined(&alternatives, "；或", "; or ")
}

fn test(test: &Test) -> Sentence {
    match test {
        Test::ValueFen(of) => about(
            ("仪器原值 ", "an original value"),
            range(*of, |fen| amount(Fen::new(fen))),
        ),
        Test::Instruments(of) => {
            let count = |number| (format!("{number} 台"), format!("{number}")).into();
            about(("计入的仪器 ", "counted instruments"), range(*of, count))
        }
        Test::Category(codes) => begins(("仪器分类代码", "the category"), codes),
        Test::HostRegion(codes) => begins(("管理单位所在地代码", "the host's region"), codes),
        Test::UserRegion(codes) => begins(("使用单位所在地代码", "the using unit's region"), codes),
        Test::PurposeType(words) => any(("", ""), words, purpose_type),
        Test::Funding(words) => any(("购置经费来自", "bought with"), words, funding),
        Test::ShareMode(words) => any(("", ""), words, share_mode),
        Test::IsSet(words) => yes_no(words, ("成套仪器", "a set"), ("非成套仪器", "no set")),
        Test::AwardedBefore(words) => yes_no(
            words,
            ("以前补助过", "paid before"),
            ("以前未补助过", "never paid before"),
        ),
        Test::Related(words) => yes_no(
            words,
            ("使用单位是关联单位", "a using unit related to the host"),
            (
                "使用单位不是关联单位",
                "a using unit not related to the host",
            ),
        ),
        Test::Statutory(words) => yes_no(
            words,
            ("法定检测", "statutory testing"),
            ("非法定检测", "no statutory testing"),
        ),
        Test::HostKind(words) => any(("管理单位为", "a host that is"), words, kind),
        Test::UserKind(words) => any(("使用单位为", "a using unit that is"), words, kind),
        Test::HostIs(words) => certified(("管理单位是", "a host certified as"), words),
        Test::UserIs(words) => certified(("使用单位是", "a using unit certified as"), words),
        Test::User(words) => any(("用户为", "used by"), words, customers),
        Test::Purpose(words) => any(("用途为", "used for"), words, purpose),
        Test::Mode(words) => any(("服务方式为", "served as"), words, mode),
        Test::ServiceClass(words) => any(("服务类别为", "a service of"), words, service_class),
        Test::ProjectLevel(words) => any(("项目为", "a project of"), words, project_level),
        Test::Evidence(words) => any(("机时凭据为", "hours"), words, evidence),
        Test::Grade(words) => any(("等级为", "graded"), words, grade),
    }
}

fn about((zh, en): (&str, &str), what: Sentence) -> Sentence {
    let en = format!("{en} {}", what.en);
    (format!("{zh}{}", what.zh), en.trim().to_owned()).into()
}

fn any<T: Copy>(of: (&str, &str), words: &[T], say: fn(T) -> Sentence) -> Sentence {
    let parts: Vec<Sentence> = words.iter().copied().map(say).collect();
    about(of, joined(&parts, "或", " or "))
}

fn yes_no(words: &[YesNo], yes: (&str, &str), no: (&str, &str)) -> Sentence {
    let say = |word: &YesNo| match word {
        YesNo::Yes => yes.into(),
        YesNo::No => no.into(),
    };
    let parts: Vec<Sentence> = words.iter().map(say).collect();
    joined(&parts, "或", " or ")
}

fn range(range: Range, say: impl Fn(i64) -> Sentence) -> Sentence {
    let from = range.from.map(|from| {
        let from = say(from);
        (format!("{}及以上", from.zh), format!("from {}", from.en)).into()
    });
    let until = range.until.map(|until| {
        let until = say(until);
        (format!("低于 {}", until.zh), format!("below {}", until.en)).into()
    });
    let parts: Vec<Sentence> = from.into_iter().chain(until).collect();
    about(("", ""), joined(&parts, "、", ", "))
}

fn begins<T: Display>((zh, en): (&str, &str), codes: &[T]) -> Sentence {
    let codes: Vec<String> = codes.iter().map(T::to_string).collect();
    (
        format!("{zh}以 {} 开头", codes.join("、")),
        format!("{en} begins with {}", codes.join(" or ")),
    )
        .into()
}

fn certified(of: (&str, &str), words: &[String]) -> Sentence {
    let parts: Vec<Sentence> = words.iter().map(|word| certification(word)).collect();
    about(of, joined(&parts, "或", " or "))
}

/// Packs and provinces may name others, which are said as they are written.
fn certification(word: &str) -> Sentence {
    match word {
        SMALL => ("中小微企业", "a small or medium enterprise").into(),
        "tech_sme" => (
            "科技型中小企业",
            "a technology-based small or medium enterprise",
        )
            .into(),
        "high_tech" => ("高新技术企业", "a high-tech enterprise").into(),
        "network_member" => ("协作网成员单位", "a member of the sharing network").into(),
        "reported_last_year" => ("上一年度已报送单位", "a unit that reported last year").into(),
        other => Sentence::same(other),
    }
}

fn purpose_type(word: PurposeType) -> Sentence {
    match word {
        PurposeType::General => ("通用仪器", "general instruments"),
        PurposeType::Special => ("专用仪器", "special instruments"),
    }
    .into()
}

fn funding(word: FundingSource) -> Sentence {
    match word {
        FundingSource::Central => ("中央财政", "central funds"),
        FundingSource::Local => ("地方财政", "local funds"),
        FundingSource::Own => ("单位自有资金", "the unit's own money"),
        FundingSource::Other => ("其他资金", "other money"),
    }
    .into()
}

fn share_mode(word: ShareMode) -> Sentence {
    match word {
        ShareMode::External => ("对外共享", "shared outside"),
        ShareMode::Internal => ("仅内部共享", "shared inside only"),
        ShareMode::None => ("不共享", "not shared"),
    }
    .into()
}

fn kind(word: OrganizationKind) -> Sentence {
    match word {
        OrganizationKind::University => ("高等学校", "a university"),
        OrganizationKind::Institute => ("科研院所", "an institute"),
        OrganizationKind::Hospital => ("医疗机构", "a hospital"),
        OrganizationKind::Enterprise => ("企业", "an enterprise"),
        OrganizationKind::Agency => ("行政机关", "an agency"),
        OrganizationKind::Other => ("其他单位", "another unit"),
    }
    .into()
}

fn purpose(word: BookingPurpose) -> Sentence {
    match word {
        BookingPurpose::Research => ("科学研究", "research"),
        BookingPurpose::Development => ("技术研发", "development"),
        BookingPurpose::Teaching => ("教学", "teaching"),
        BookingPurpose::Other => ("其他用途", "other purposes"),
    }
    .into()
}

fn mode(word: BookingMode) -> Sentence {
    match word {
        BookingMode::SelfOperated => ("自主上机", "self-operated use"),
        BookingMode::Guided => ("指导上机", "guided use"),
        BookingMode::Entrusted => ("委托测试", "entrusted tests"),
    }
    .into()
}

fn evidence(word: Evidence) -> Sentence {
    match word {
        Evidence::Automatic => ("设备自动", "recorded by the instrument"),
        Evidence::Confirmed => ("平台确认", "confirmed by the user"),
        Evidence::Manual => ("人工录入", "entered by hand"),
    }
    .into()
}

fn service_class(word: ServiceClass) -> Sentence {
    match word {
        ServiceClass::StatutoryCertification => ("法定认证", "statutory certification"),
        ServiceClass::Enforcement => ("执法检查", "enforcement"),
        ServiceClass::CommercialInspection => ("商业验货", "commercial inspection"),
        ServiceClass::CommercialFilming => ("商业摄制", "commercial filming"),
        ServiceClass::Medical => ("医疗服务", "medical services"),
        ServiceClass::TelecomBilling => ("电信计费", "telecom billing"),
        ServiceClass::BulkInspection => ("大批量验货", "bulk inspection"),
    }
    .into()
}

fn project_level(word: ProjectLevel) -> Sentence {
    match word {
        ProjectLevel::Own => ("单位自立项目", "the unit's own"),
        ProjectLevel::County => ("县级项目", "a county"),
        ProjectLevel::Municipal => ("市级项目", "a municipality"),
        ProjectLevel::Provincial => ("省级项目", "a province"),
        ProjectLevel::National => ("国家级项目", "the nation"),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::policy::condition::ConditionKey;

    /// A key whose test a pack can hold, for each.
    fn all() -> Vec<Test> {
        let every = Range {
            from: Some(30_000_000),
            until: Some(100_000_000),
        };
        let codes = vec!["13".to_owned()];
        let known = ["sme", "tech_sme", "high_tech", "network_member"];
        let known: Vec<String> = known.map(str::to_owned).to_vec();
        vec![
            Test::ValueFen(every),
            Test::Category(codes.clone()),
            Test::PurposeType(PurposeType::ALL.to_vec()),
            Test::Funding(FundingSource::ALL.to_vec()),
            Test::ShareMode(ShareMode::ALL.to_vec()),
            Test::IsSet(YesNo::ALL.to_vec()),
            Test::AwardedBefore(YesNo::ALL.to_vec()),
            Test::HostKind(OrganizationKind::ALL.to_vec()),
            Test::HostRegion(codes.clone()),
            Test::HostIs(known.clone()),
            Test::Instruments(every),
            Test::User(vec![super::super::Customers::External]),
            Test::UserKind(OrganizationKind::ALL.to_vec()),
            Test::UserRegion(codes),
            Test::UserIs(known),
            Test::Related(YesNo::ALL.to_vec()),
            Test::Purpose(BookingPurpose::ALL.to_vec()),
            Test::Mode(BookingMode::ALL.to_vec()),
            Test::ServiceClass(ServiceClass::ALL.to_vec()),
            Test::ProjectLevel(ProjectLevel::ALL.to_vec()),
            Test::Evidence(Evidence::ALL.to_vec()),
            Test::Statutory(YesNo::ALL.to_vec()),
            Test::Grade(super::super::Grade::ALL.to_vec()),
        ]
    }

    #[test]
    fn every_key_and_word_is_said_in_chinese_without_latin_and_in_english_without_codes() {
        let tests = all();
        assert_eq!(tests.len(), ConditionKey::ALL.len());
        for one in &tests {
            let said = test(one);
            let latin = said.zh.chars().any(|sign| sign.is_ascii_alphabetic());
            assert!(!latin, "{:?}: {}", one.key(), said.zh);
            assert!(!said.en.contains('_'), "{:?}: {}", one.key(), said.en);
        }
    }

    #[test]
    fn a_condition_reads_like_a_sentence() {
        let alternative = |value: i64, set: YesNo| {
            let from = Range {
                from: Some(value),
                until: None,
            };
            vec![Test::ValueFen(from), Test::IsSet(vec![set])]
        };
        let both = Condition(vec![
            alternative(30_000_000, YesNo::No),
            alternative(100_000_000, YesNo::Yes),
        ]);
        let said = condition(&both);
        assert_eq!(
            said.zh,
            "仪器原值 300000 元及以上，且非成套仪器；或仪器原值 1000000 元及以上，且成套仪器"
        );
        assert_eq!(
            said.en,
            "an original value from 300000 yuan and no set; or an original value from 1000000 yuan and a set"
        );
    }
}
