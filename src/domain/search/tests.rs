//! The index over some instruments: what is found, in which order, and what counts as the same.

use super::*;
use crate::domain::search::index::Matches;

fn synonyms() -> Synonyms {
    let text = include_str!("../../../config/synonyms.toml");
    let table: toml::Table = text.parse().unwrap();
    let groups = table["groups"].as_array().unwrap().iter();
    let words = |group: &toml::Value| {
        let words = group.as_array().unwrap().iter();
        words
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    };
    Synonyms::new(groups.map(words)).unwrap()
}

fn document(id: i64, name: &str, texts: &[(Field, &str)]) -> Document {
    let texts = texts
        .iter()
        .map(|(field, text)| (*field, (*text).to_owned()));
    Document {
        id: id.try_into().unwrap(),
        organization: Named {
            value: 1.try_into().unwrap(),
            name: "燕赵理工大学".to_owned(),
        },
        category: Named {
            value: "010102".parse().unwrap(),
            name: "扫描电镜".to_owned(),
        },
        region: Named {
            value: "130602".parse().unwrap(),
            name: "竞秀区".to_owned(),
        },
        share_mode: Some(ShareMode::External),
        modes: BookingMode::ALL.to_vec(),
        methods: vec!["GB/T 16594-2008".to_owned()],
        point: None,
        texts: [(Field::Name, name.to_owned())]
            .into_iter()
            .chain(texts)
            .collect(),
    }
}

fn index(documents: &[Document]) -> Index {
    let mut index = Index::default();
    documents.iter().for_each(|document| index.put(document));
    index
}

fn found(index: &Index, synonyms: &Synonyms, text: &str) -> Vec<i64> {
    let Matches { hits, .. } = index.find(&[text.to_owned()], synonyms);
    hits.iter().map(|hit| hit.id.number()).collect()
}

#[test]
fn every_word_is_met_and_the_best_come_first() {
    let synonyms = synonyms();
    let index = index(&[
        document(
            1,
            "场发射扫描电子显微镜",
            &[
                (Field::Model, "JSM-7900F"),
                (Field::Place, "河北省 保定市"),
                (Field::Functions, "成分与结构分析"),
            ],
        ),
        document(
            2,
            "透射电镜",
            &[
                (Field::Model, "JEM-2100"),
                (Field::Place, "保定市"),
                (Field::Functions, "与扫描电镜联用"),
            ],
        ),
        document(
            3,
            "扫描电镜",
            &[
                (Field::Model, "JSM-7800F"),
                (Field::Place, "石家庄市"),
                (Field::Maker, "Thermo Fisher"),
            ],
        ),
        document(
            4,
            "气相色谱-质谱联用仪",
            &[
                (Field::Model, "MS-2000"),
                (Field::Standard, "GB/T 16594-2008"),
            ],
        ),
    ]);
    for (text, expected) in [
        ("扫描电镜", &[3, 1, 2][..]),
        ("SEM", &[3, 1, 2]),
        ("scanning  electron-microscope", &[3, 1, 2]),
        ("SEM 保定", &[1, 2]),
        ("保定扫描电镜仪", &[1, 2]),
        ("电镜", &[2, 3, 1]),
        ("质谱", &[4]),
        ("MS", &[4]),
        ("GCMS", &[4]),
        ("JSM-7900F", &[1, 3]),
        ("jsm7900f", &[1, 3]),
        ("ＪＳＭ　７９００Ｆ", &[1, 3]),
        ("7900", &[1, 3]),
        ("JSM-9700F", &[1]),
        ("JSM-790F", &[1]),
        ("gbt16594", &[4]),
        ("GB/T 16594", &[4]),
        ("gb/t16594-2008", &[4]),
        ("成分分析", &[1]),
        ("thermo", &[3]),
        ("Thermofisher", &[3]),
        ("fisher sem", &[3]),
        ("sem 唐山", &[]),
        ("%", &[]),
        (" ", &[1, 2, 3, 4]),
        ("镜", &[2, 3, 1]),
    ] {
        assert_eq!(found(&index, &synonyms, text), expected, "{text}");
    }
}

#[test]
fn a_change_replaces_what_was_known() {
    let synonyms = Synonyms::default();
    let mut index = index(&[document(1, "扫描电镜", &[]), document(2, "透射电镜", &[])]);
    for round in 0..3_000 {
        index.put(&document(1, &format!("质谱仪 {round}"), &[]));
    }
    assert_eq!(found(&index, &synonyms, "扫描"), Vec::<i64>::new());
    assert_eq!(found(&index, &synonyms, "质谱"), [1]);
    assert_eq!(found(&index, &synonyms, "透射"), [2]);
    assert!(index.entries.len() < 1_010, "{}", index.entries.len());
    index.remove(2.try_into().unwrap());
    assert_eq!(
        (found(&index, &synonyms, "透射"), index.count_instruments()),
        (vec![], 1)
    );
}

#[test]
fn facets_count_with_labels_the_most_frequent_first() {
    let mut third = document(3, "质谱", &[]);
    third.category = Named {
        value: "010203".parse().unwrap(),
        name: "同位素质谱仪".to_owned(),
    };
    third.modes = vec![BookingMode::Guided];
    let index = index(&[
        document(1, "扫描电镜", &[]),
        document(2, "透射电镜", &[]),
        third,
    ]);
    let all = [1, 2, 3].map(|id| id.try_into().unwrap());
    let told = |facet: Facet| {
        let counts = index
            .count(&[facet], &all)
            .remove(&facet)
            .unwrap()
            .into_iter();
        counts
            .map(|one| (one.value, one.label, one.count))
            .collect::<Vec<_>>()
    };
    let label = |text: &str| Some(text.to_owned());
    assert_eq!(
        told(Facet::Category),
        [
            ("010102".to_owned(), label("扫描电镜"), 2),
            ("010203".to_owned(), label("同位素质谱仪"), 1),
        ]
    );
    assert_eq!(
        told(Facet::Organization),
        [("1".to_owned(), label("燕赵理工大学"), 3)]
    );
    assert_eq!(
        told(Facet::Region),
        [("130602".to_owned(), label("竞秀区"), 3)]
    );
    assert_eq!(told(Facet::ShareMode), [("external".to_owned(), None, 3)]);
    assert_eq!(
        told(Facet::Method),
        [("GB/T 16594-2008".to_owned(), label("GB/T 16594-2008"), 3)]
    );
    assert_eq!(told(Facet::Mode)[0], ("guided".to_owned(), None, 3));
}

#[test]
fn the_synonyms_that_come_with_the_program_name_what_people_ask_for() {
    let synonyms = synonyms();
    assert!(synonyms.count() >= 150, "{}", synonyms.count());
    for (abbreviation, name) in [
        ("SEM", "扫描电镜"),
        ("SEM", "扫描电子显微镜"),
        ("TEM", "透射电镜"),
        ("MS", "质谱"),
        ("GC-MS", "气质联用"),
        ("LC-MS", "液质"),
        ("NMR", "核磁"),
        ("ICP-MS", "电感耦合等离子体质谱"),
        ("XRD", "X射线衍射"),
        ("DSC", "差示扫描量热"),
        ("DSC", "示差扫描量热计"),
    ] {
        let index = index(&[document(1, name, &[])]);
        assert_eq!(
            found(&index, &synonyms, abbreviation),
            [1],
            "{abbreviation} {name}"
        );
    }
}

/// By hand: `cargo test --release --lib search_is_fast -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn search_is_fast() {
    let (synonyms, count) = (synonyms(), 20_000);
    let classes: Vec<(&str, &str)> = include_str!("../../../seeds/instrument_categories.csv")
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|row| !row[0].ends_with("00"))
        .map(|row| (row[0], row[2]))
        .collect();
    let makers = [
        "岛津",
        "Thermo Fisher",
        "JEOL",
        "Bruker",
        "Zeiss",
        "Agilent",
    ];
    let documents: Vec<Document> = (1..=count)
        .map(|id: i64| {
            let at = usize::try_from(id).unwrap();
            let (code, name) = classes[at * 7 % classes.len()];
            let mut document = document(id, name, &[
                (Field::Model, &format!("M-{}", id * 37 % 9_000)),
                (Field::Maker, makers[at % makers.len()]),
                (Field::Place, "河北省 保定市 竞秀区 实验楼"),
                (Field::Unit, "燕赵理工大学"),
                (Field::Functions, "成分与结构分析，面向校内外测试，提前一天预约。可测金属、陶瓷、高分子与粉末样品的形貌、粒径与元素分布"),
                (Field::Service, "形貌观察 常规谱图 残余奥氏体分析"),
                (Field::Standard, "GB/T 16594-2008"),
            ]);
            document.category.value = code.parse().unwrap();
            document
        })
        .collect();
    #[allow(clippy::disallowed_methods, reason = "a measurement")]
    let began = std::time::Instant::now();
    let index = index(&documents);
    println!("built {count} in {:?}", began.elapsed());
    for text in [
        "扫描电镜",
        "SEM",
        "电镜 保定",
        "M-2621",
        "GB/T 16594",
        "成分分析",
        "仪",
        "质谱 岛津 燕赵理工大学",
    ] {
        let began = std::time::Instant::now();
        let hits = found(&index, &synonyms, text).len();
        println!("{text}: {hits} in {:?}", began.elapsed());
    }
}

#[test]
fn what_says_the_same_is_wholly_alike() {
    let one = document(
        1,
        "场发射扫描电镜",
        &[(Field::Model, "SU8600"), (Field::Maker, "Hitachi")],
    );
    let twin = document(
        2,
        "场发射扫描电镜",
        &[(Field::Model, "SU-8600"), (Field::Maker, "hitachi")],
    );
    let cousin = document(
        3,
        "钨灯丝扫描电镜",
        &[(Field::Model, "Quanta 250"), (Field::Maker, "FEI")],
    );
    let stranger = document(4, "光盘", &[]);
    assert_eq!((one.likeness(&twin), twin.likeness(&one)), (100, 100));
    let (near, far) = (one.likeness(&cousin), one.likeness(&stranger));
    assert!(near > far && near < 100 && far == 30, "{near} {far}");
    let mut other = document(5, "场发射扫描电镜", &[]);
    other.category.value = "010101".parse().unwrap();
    assert_eq!(one.likeness(&other), 0);
}
