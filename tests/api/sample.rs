//! The instruments of the sample province with some that real laboratories have, and what people look for among them.

use yiqi::domain::organization::{OrganizationFacts, OrganizationKind, OrganizationState};
use yiqi::domain::service::ServiceFacts;
use yiqi::domain::{Fen, Uscc};
use yiqi::store;
use yiqi::store::organization::NewOrganization;

use crate::given;
use crate::world::*;

const INSTRUMENTS: &str = include_str!("../../seeds/province-2025/instruments.csv");
const ORGANIZATIONS: &str = include_str!("../../seeds/province-2025/organizations.csv");

/// Name, model, maker, class, region, services as item and standard.
type Real = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

#[rustfmt::skip]
const REAL: &[Real] = &[
    ("场发射扫描电子显微镜", "JSM-7900F", "JEOL", "010102", "130602", &[("形貌观察", "GB/T 16594-2008"), ("热场发射SEM", "JY/T 0584-2020")]),
    ("场发射扫描电子显微镜", "SU8600", "Hitachi", "010102", "130102", &[("SEM+EDS", "JY/T 0584-2020")]),
    ("透射电子显微镜", "JEM-2100F", "JEOL", "010101", "130602", &[("选区电子衍射", "JY/T 0581-2020")]),
    ("气相色谱-质谱联用仪", "GCMS-QP2020 NX", "岛津", "010201", "130403", &[("有机成分测试-定性分析", "GB/T 6041-2020")]),
    ("液相色谱-串联质谱仪", "LCMS-8060", "岛津", "010201", "130602", &[]),
    ("电感耦合等离子体质谱仪", "Agilent 7900", "Agilent", "010202", "130102", &[("痕量元素含量测试", "GB/T 30903-2014")]),
    ("电感耦合等离子体发射光谱仪", "Avio 200", "PerkinElmer", "010499", "130602", &[("微量元素含量测试", "GB/T 30902-2014")]),
    ("X射线衍射仪", "D8 ADVANCE", "Bruker", "010301", "130602", &[("残余奥氏体分析", "YB/T 5338-2019")]),
    ("差示扫描量热仪", "DSC 214 Polyma", "NETZSCH", "010902", "130102", &[("熔融与结晶", "GB/T 19466.3-2004")]),
    ("超导核磁共振波谱仪", "AVANCE NEO 600", "Bruker", "010601", "130602", &[]),
    ("傅里叶变换红外光谱仪", "Nicolet iS50", "Thermo Fisher", "010409", "130602", &[]),
    ("电子万能材料试验机", "INSTRON 5982", "Instron", "020101", "130203", &[("金属室温拉伸", "GB/T 228.1-2021")]),
    ("原子吸收光谱仪", "AA-7000", "岛津", "010403", "130602", &[("微量及痕量元素含量测试", "GB/T 15337-2008")]),
    ("激光共聚焦显微镜", "LSM 880", "Zeiss", "010802", "130602", &[]),
    ("X射线光电子能谱仪", "ESCALAB 250Xi", "Thermo Fisher", "010104", "130102", &[]),
];

/// The rows of a table without quotes, by the names of its columns.
fn rows(table: &str) -> impl Iterator<Item = impl Fn(&str) -> String> {
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let names = rows.headers().unwrap().clone();
    let all: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    all.into_iter().map(move |row| {
        let names = names.clone();
        move |name: &str| row[names.iter().position(|known| known == name).unwrap()].to_owned()
    })
}

pub fn insert(app: &World) {
    let now = app.now();
    for row in rows(ORGANIZATIONS).filter(|row| row("role") == "host") {
        let uscc = Uscc::parse(&row("uscc")).unwrap();
        let is_known = app.read({
            let uscc = uscc.clone();
            move |conn| Ok(store::organization::find_by_uscc(conn, &uscc)?.is_some())
        });
        if is_known {
            continue;
        }
        let facts = OrganizationFacts {
            name: row("name"),
            kind: OrganizationKind::University,
            uscc,
            region_code: row("region_code").parse().unwrap(),
            supervising_region_code: "130000".parse().unwrap(),
            is_host: true,
            address: None,
            public_contact: None,
        };
        app.write(move |tx| {
            let new = NewOrganization {
                facts: facts.clone(),
                uscc_confirmed: true,
                is_sme: false,
                state: OrganizationState::Verified,
                now,
            };
            Ok(store::organization::insert(tx, &new)?)
        });
    }
    for row in rows(INSTRUMENTS) {
        let host: &'static str = row("host_uscc").leak();
        let instrument = given::instrument(app).of(host).with(|facts| {
            facts.name = row("name");
            facts.asset_no = row("asset_no").parse().unwrap();
            facts.model = Some(row("model"));
            facts.manufacturer = Some(row("manufacturer"));
            facts.category_code = row("category_code").parse().unwrap();
            facts.region_code = row("region_code").parse().ok();
            facts.location = Some(row("location"));
            facts.description.functions = Some(row("functions"));
            facts.description.service_content = Some(row("service_content"));
        });
        instrument.insert();
    }
    for (name, model, maker, class, region, services) in REAL {
        let instrument = given::instrument(app).with(|facts| {
            facts.name = (*name).to_owned();
            facts.model = Some((*model).to_owned());
            facts.manufacturer = Some((*maker).to_owned());
            facts.category_code = class.parse().unwrap();
            facts.region_code = region.parse().ok();
        });
        let id = instrument.insert();
        for (item, standard) in *services {
            app.write(move |tx| {
                let facts = ServiceFacts {
                    test_item: (*item).to_owned(),
                    test_condition: None,
                    method_standard: Some((*standard).to_owned()),
                    unit: "样".to_owned(),
                    price_fen: Fen::new(100),
                };
                Ok(store::service::insert(tx, id, &facts, now)?)
            });
        }
    }
}

/// A query with the names and models of the first three that it finds.
#[rustfmt::skip]
pub const QUERIES: &[(&str, &[&str])] = &[
    ("扫描电镜", &["扫描电镜 M-716", "场发射扫描电子显微镜 JSM-7900F", "场发射扫描电子显微镜 SU8600"]),
    ("SEM", &["扫描电镜 M-716", "场发射扫描电子显微镜 JSM-7900F", "场发射扫描电子显微镜 SU8600"]),
    ("sem", &["扫描电镜 M-716", "场发射扫描电子显微镜 JSM-7900F", "场发射扫描电子显微镜 SU8600"]),
    ("ＳＥＭ", &["扫描电镜 M-716", "场发射扫描电子显微镜 JSM-7900F", "场发射扫描电子显微镜 SU8600"]),
    ("扫描电子显微镜", &["扫描电镜 M-716", "场发射扫描电子显微镜 JSM-7900F", "场发射扫描电子显微镜 SU8600"]),
    ("scanning electron microscope", &["扫描电镜 M-716", "场发射扫描电子显微镜 JSM-7900F", "场发射扫描电子显微镜 SU8600"]),
    ("电镜", &["透射电镜 M-5237", "扫描电镜 M-716", "透射电子显微镜 JEM-2100F"]),
    ("透射电镜", &["透射电镜 M-5237", "透射电子显微镜 JEM-2100F"]),
    ("TEM", &["透射电镜 M-5237", "透射电子显微镜 JEM-2100F"]),
    ("透射电子显微镜", &["透射电子显微镜 JEM-2100F", "透射电镜 M-5237"]),
    ("原子力显微镜", &["原子力显微镜 M-7072"]),
    ("AFM", &["原子力显微镜 M-7072"]),
    ("扫描隧道显微镜", &["扫描隧道显微镜 M-5624"]),
    ("STM", &["扫描隧道显微镜 M-5624"]),
    ("质谱", &["同位素质谱仪 M-6511", "气相色谱-质谱联用仪 GCMS-QP2020 NX", "液相色谱-串联质谱仪 LCMS-8060"]),
    ("MS", &["同位素质谱仪 M-6511", "液相色谱-串联质谱仪 LCMS-8060", "电感耦合等离子体质谱仪 Agilent 7900"]),
    ("同位素质谱", &["同位素质谱仪 M-6511"]),
    ("IRMS", &["同位素质谱仪 M-6511"]),
    ("离子探针", &["离子探针 M-817"]),
    ("SIMS", &["离子探针 M-817"]),
    ("气质联用", &["气相色谱-质谱联用仪 GCMS-QP2020 NX"]),
    ("GC-MS", &["气相色谱-质谱联用仪 GCMS-QP2020 NX"]),
    ("GCMS", &["气相色谱-质谱联用仪 GCMS-QP2020 NX"]),
    ("气相色谱", &["气相色谱-质谱联用仪 GCMS-QP2020 NX"]),
    ("液质", &["液相色谱-串联质谱仪 LCMS-8060"]),
    ("LC-MS", &["液相色谱-串联质谱仪 LCMS-8060"]),
    ("LCMS-8060", &["液相色谱-串联质谱仪 LCMS-8060"]),
    ("液相色谱", &["液相色谱-串联质谱仪 LCMS-8060"]),
    ("ICP-MS", &["电感耦合等离子体质谱仪 Agilent 7900"]),
    ("电感耦合等离子体质谱", &["电感耦合等离子体质谱仪 Agilent 7900"]),
    ("ICPOES", &["电感耦合等离子体发射光谱仪 Avio 200"]),
    ("离子色谱", &["离子色谱仪 M-3119"]),
    ("XRD", &["X射线衍射仪 D8 ADVANCE"]),
    ("X射线衍射", &["X射线衍射仪 D8 ADVANCE"]),
    ("X-ray diffraction", &["X射线衍射仪 D8 ADVANCE"]),
    ("XPS", &["X射线光电子能谱仪 ESCALAB 250Xi"]),
    ("ESCALAB 250", &["X射线光电子能谱仪 ESCALAB 250Xi"]),
    ("红外", &["红外光谱仪 M-4591", "近红外漫反射比副基准 M-1159", "傅里叶变换红外光谱仪 Nicolet iS50"]),
    ("FTIR", &["红外光谱仪 M-4591", "傅里叶变换红外光谱仪 Nicolet iS50"]),
    ("红外光谱仪", &["红外光谱仪 M-4591", "傅里叶变换红外光谱仪 Nicolet iS50"]),
    ("核磁", &["超导核磁共振波谱仪 AVANCE NEO 600"]),
    ("NMR", &["超导核磁共振波谱仪 AVANCE NEO 600"]),
    ("核磁共振", &["超导核磁共振波谱仪 AVANCE NEO 600"]),
    ("DSC", &["示差扫描量热计 M-7625", "差示扫描量热仪 DSC 214 Polyma"]),
    ("示差扫描量热", &["示差扫描量热计 M-7625", "差示扫描量热仪 DSC 214 Polyma"]),
    ("差示扫描量热仪", &["差示扫描量热仪 DSC 214 Polyma", "示差扫描量热计 M-7625"]),
    ("AAS", &["原子吸收光谱仪 AA-7000"]),
    ("原子吸收", &["原子吸收光谱仪 AA-7000"]),
    ("直读光谱", &["光电直读光谱仪 M-8462", "光电直读光谱仪 M-5148"]),
    ("OES", &["光电直读光谱仪 M-8462", "光电直读光谱仪 M-5148"]),
    ("PCR", &["PCR仪 M-1371"]),
    ("PCR仪", &["PCR仪 M-1371"]),
    ("COD", &["COD分析仪 M-6135"]),
    ("BOD分析仪", &["BOD分析仪 M-1566"]),
    ("微波消解", &["微波消解装置 M-8334"]),
    ("激光跟踪仪", &["激光跟踪仪 M-2058", "激光跟踪仪 M-7963"]),
    ("laser tracker", &["激光跟踪仪 M-2058", "激光跟踪仪 M-7963"]),
    ("共聚焦", &["激光共聚焦显微镜 LSM 880"]),
    ("拉力机", &["电子万能材料试验机 INSTRON 5982"]),
    ("万能试验机", &["电子万能材料试验机 INSTRON 5982"]),
    ("集成电路测试", &["集成电路测试仪 M-2621"]),
    ("EMC", &["EMI/EMC测试系统 M-5963"]),
    ("逻辑分析仪", &["逻辑分析仪 M-9383"]),
    ("氢钟", &["氢原子钟 M-3127"]),
    ("心电图", &["心电图机 M-423"]),
    ("雷达高度计", &["雷达高度计 M-7966", "雷达高度计 M-7608"]),
    ("齿轮渐开线", &["齿轮渐开线标准装置 M-8887", "齿轮渐开线标准装置 M-4168", "齿轮渐开线标准装置 M-959"]),
    ("图像分析", &["图像分析仪 M-6961", "图像分析仪 M-4067"]),
    ("旋转蒸发", &["旋转薄膜蒸发仪 M-9342"]),
    ("声发射", &["压力管道泄漏声发射检测仪器 M-498"]),
    ("GB/T 16594", &["场发射扫描电子显微镜 JSM-7900F"]),
    ("GB/T16594-2008", &["场发射扫描电子显微镜 JSM-7900F"]),
    ("gbt 16594", &["场发射扫描电子显微镜 JSM-7900F"]),
    ("JY/T 0584", &["场发射扫描电子显微镜 JSM-7900F", "场发射扫描电子显微镜 SU8600"]),
    ("JYT0581-2020", &["透射电子显微镜 JEM-2100F"]),
    ("GB/T 30903", &["电感耦合等离子体质谱仪 Agilent 7900"]),
    ("16594", &["场发射扫描电子显微镜 JSM-7900F"]),
    ("JSM-7900F", &["场发射扫描电子显微镜 JSM-7900F"]),
    ("JSM7900F", &["场发射扫描电子显微镜 JSM-7900F"]),
    ("jsm 7900f", &["场发射扫描电子显微镜 JSM-7900F"]),
    ("JSM-7900G", &["场发射扫描电子显微镜 JSM-7900F"]),
    ("JSM-9700F", &["场发射扫描电子显微镜 JSM-7900F"]),
    ("SU8600", &["场发射扫描电子显微镜 SU8600"]),
    ("SU-8600", &["场发射扫描电子显微镜 SU8600"]),
    ("D8 Advance", &["X射线衍射仪 D8 ADVANCE"]),
    ("M-716", &["扫描电镜 M-716"]),
    ("M716", &["扫描电镜 M-716"]),
    ("M 5237", &["透射电镜 M-5237"]),
    ("iS50", &["傅里叶变换红外光谱仪 Nicolet iS50"]),
    ("SEM 保定", &["场发射扫描电子显微镜 JSM-7900F"]),
    ("保定 SEM", &["场发射扫描电子显微镜 JSM-7900F"]),
    ("石家庄 ICP-MS", &["电感耦合等离子体质谱仪 Agilent 7900"]),
    ("廊坊 扫描电镜", &["扫描电镜 M-716"]),
    ("保定扫描电镜", &["场发射扫描电子显微镜 JSM-7900F"]),
    ("太行农业大学", &["掩星大气探测仪 M-8626", "流星雷达 M-8448", "密度测试仪 M-3711"]),
    ("燕赵理工", &["集成电路测试仪 M-2621", "（273.15-692.677）K一等温度标准装置 M-812", "离子色谱仪 M-3119"]),
    ("燕赵理工大学 离子色谱", &["离子色谱仪 M-3119"]),
    ("碣石能源 超导", &["超导磁力仪 M-220"]),
    ("狼牙山医院 扫描隧道", &["扫描隧道显微镜 M-5624"]),
    ("岛津 质谱", &["气相色谱-质谱联用仪 GCMS-QP2020 NX", "液相色谱-串联质谱仪 LCMS-8060"]),
    ("丹东浩元 红外", &["红外光谱仪 M-4591", "近红外漫反射比副基准 M-1159"]),
    ("Thermo Fisher", &["集成电路测试仪 M-2621", "微波消解装置 M-8334", "原子力显微镜 M-7072"]),
    ("thermofisher 光谱", &["傅里叶变换红外光谱仪 Nicolet iS50"]),
    ("成分分析", &["气相色谱-质谱联用仪 GCMS-QP2020 NX", "集成电路测试仪 M-2621", "（273.15-692.677）K一等温度标准装置 M-812"]),
    ("成分与结构分析 电镜", &["透射电镜 M-5237", "扫描电镜 M-716"]),
    ("成分分析 JEOL", &["离子色谱仪 M-3119", "信号开发和截获测量系统 M-1937", "扫描电镜 M-716"]),
    ("形貌观察", &["场发射扫描电子显微镜 JSM-7900F"]),
    ("选区电子衍射", &["透射电子显微镜 JEM-2100F"]),
    ("拉伸", &["电子万能材料试验机 INSTRON 5982"]),
    ("秦皇岛 透射", &["透射电镜 M-5237"]),
    ("张家口 图像", &["图像分析仪 M-4067"]),
    ("电 镜", &["透射电镜 M-5237", "扫描电镜 M-716", "透射电子显微镜 JEM-2100F"]),
];
