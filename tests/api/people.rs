//! The organizations and people of every test's world.

use yiqi::domain::Uscc;
use yiqi::domain::access::Role;
use yiqi::domain::organization::{OrganizationFacts, OrganizationKind};

/// A person of the template world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    pub login: &'static str,
    pub organization: &'static str,
    pub roles: &'static [Role],
}

macro_rules! people {
    ($($constant:ident = $login:literal of $organization:ident: $($role:ident)+;)+) => {
        $(pub const $constant: Person = Person { login: $login, organization: $organization, roles: &[$(Role::$role),+] };)+
        pub const PEOPLE: &[Person] = &[$($constant),+];
    };
}

/// The organizations of the template world, by their codes.
pub const PROVINCE: &str = "11130000000000001P";
pub const CITY: &str = "11130600000000002T";
pub const UNIVERSITY: &str = "12130602FJ6WTC2F75";
pub const COMPANY: &str = "91131102B4RXGFN4K4";
pub const OTHER_COMPANY: &str = "91130503J3P9BAYB07";
pub const OTHER_HOST: &str = "12130403GM2RWUGXNJ";

people! {
    ADMIN = "admin@province.example" of PROVINCE: PlatformAdmin;
    AUDITOR = "auditor@province.example" of PROVINCE: Auditor;
    CITY_ADMIN = "admin@city.example" of CITY: RegionAdmin;
    HOST = "host@university.example" of UNIVERSITY: HostAdmin UnitAdmin;
    FINANCE = "finance@university.example" of UNIVERSITY: HostFinance;
    MANAGER = "manager@university.example" of UNIVERSITY: InstrumentManager;
    RESEARCHER = "researcher@university.example" of UNIVERSITY: UnitMember;
    BOSS = "boss@company.example" of COMPANY: UnitAdmin;
    ENGINEER = "engineer@company.example" of COMPANY: UnitMember;
    COLLEAGUE = "colleague@company.example" of COMPANY: UnitMember;
    STRANGER = "stranger@other.example" of OTHER_COMPANY: UnitAdmin UnitMember;
    OTHER_HOST_ADMIN = "host@other-host.example" of OTHER_HOST: HostAdmin UnitAdmin;
}

pub fn organizations() -> Vec<(OrganizationFacts, bool)> {
    let of = |uscc: &str,
              name: &str,
              kind: OrganizationKind,
              region: &str,
              supervising: &str,
              is_host: bool,
              is_sme: bool| {
        let facts = OrganizationFacts {
            name: name.to_owned(),
            kind,
            uscc: Uscc::parse(uscc).unwrap(),
            region_code: region.parse().unwrap(),
            supervising_region_code: supervising.parse().unwrap(),
            is_host,
            address: None,
            public_contact: None,
        };
        (facts, is_sme)
    };
    use OrganizationKind::{Agency, Enterprise, Institute, University};
    vec![
        of(
            PROVINCE,
            "河北省科学技术厅",
            Agency,
            "130000",
            "130000",
            false,
            false,
        ),
        of(
            CITY,
            "保定市科学技术局",
            Agency,
            "130600",
            "130000",
            false,
            false,
        ),
        of(
            UNIVERSITY,
            "太行农业大学",
            University,
            "130602",
            "130600",
            true,
            false,
        ),
        of(
            COMPANY,
            "太行新能源科技有限公司",
            Enterprise,
            "131102",
            "131100",
            false,
            true,
        ),
        of(
            OTHER_COMPANY,
            "冀东智能装备科技有限公司",
            Enterprise,
            "130503",
            "130500",
            false,
            false,
        ),
        of(
            OTHER_HOST,
            "碣石能源研究所",
            Institute,
            "130403",
            "130400",
            true,
            false,
        ),
    ]
}
