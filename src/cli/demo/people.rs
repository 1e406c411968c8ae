//! Who is in the demo: one account for each role, and somebody who speaks for each host, so that its booking rules are set
//! by the one who may.

use std::collections::BTreeMap;

use crate::app::App;
use crate::cli::failure::Failure;
use crate::error::{AppError, Code};
use crate::operations::account::{
    self, Applicant, Founder, OrganizationFacts, OrganizationKind, Role, UserFacts,
};
use crate::operations::session;

/// The host and the company of the imported year that the accounts belong to.
pub const HOST: &str = "12130602FJ6WTC2F75";
const COMPANY: &str = "91130602JPEL4PEGP5";
/// The agencies are no part of the imported year.
const PROVINCE: &str = "11130000000000001P";
const CITY: &str = "11130600000000002T";

/// A person of the demo.
#[derive(Debug)]
pub struct Person {
    pub login: String,
    pub name: &'static str,
    pub uscc: String,
    pub role: Role,
}

/// One person for each role, and a second administrator of the province, who makes final what the first one showed.
pub fn one_for_each_role() -> Vec<Person> {
    let people = [
        (
            "admin@province.example",
            "省管理员",
            PROVINCE,
            Role::PlatformAdmin,
        ),
        (
            "deputy@province.example",
            "副管理员",
            PROVINCE,
            Role::PlatformAdmin,
        ),
        (
            "auditor@province.example",
            "审计员",
            PROVINCE,
            Role::Auditor,
        ),
        (
            "expert@province.example",
            "评审专家",
            PROVINCE,
            Role::Evaluator,
        ),
        ("admin@city.example", "市管理员", CITY, Role::RegionAdmin),
        ("head@host.example", "仪器主管", HOST, Role::HostAdmin),
        ("finance@host.example", "财务", HOST, Role::HostFinance),
        (
            "manager@host.example",
            "机组负责人",
            HOST,
            Role::InstrumentManager,
        ),
        (
            "boss@company.example",
            "企业负责人",
            COMPANY,
            Role::UnitAdmin,
        ),
        (
            "engineer@company.example",
            "工程师",
            COMPANY,
            Role::UnitMember,
        ),
    ];
    people
        .into_iter()
        .map(|(login, name, uscc, role)| Person {
            login: login.to_owned(),
            name,
            uscc: uscc.to_owned(),
            role,
        })
        .collect()
}

/// Who speaks for a host.
pub fn head_of(uscc: &str) -> Person {
    let login = match uscc {
        HOST => "head@host.example".to_owned(),
        other => format!("head@{}.example", other.to_lowercase()),
    };
    Person {
        login,
        name: "仪器主管",
        uscc: uscc.to_owned(),
        role: Role::HostAdmin,
    }
}

/// Makes the accounts that are not there yet.
pub async fn settle(
    app: &App,
    people: &[Person],
    passwords: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    for person in people {
        match session::caller_of_login(app, &person.login).await {
            // Somebody who was suspended meanwhile has an account too.
            Ok(_) | Err(AppError::Denied(_)) => {}
            Err(AppError::NotFound) => settle_one(app, person, passwords).await?,
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}

async fn settle_one(
    app: &App,
    person: &Person,
    passwords: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let founder = Founder {
        applicant: Applicant {
            facts: UserFacts {
                name: person.name.to_owned(),
                email: person.login.clone(),
                phone: None,
            },
            password: passwords.get(&person.login).cloned().unwrap_or_default(),
        },
        roles: vec![person.role],
    };
    let now = app.clock.now();
    let settled = match agency(&person.uscc)? {
        Some(facts) => {
            let established = account::establish(app, facts, true, vec![founder], now).await;
            established.map(drop)
        }
        None => {
            let uscc = person.uscc.parse().map_err(wrong_constant)?;
            let added = account::add_members(app, uscc, vec![founder], now).await;
            added.map(drop)
        }
    };
    match settled {
        // Somebody who was removed from the organization keeps the login, and stays removed.
        Err(AppError::Conflict(conflict)) if conflict.code == Code::login_taken => Ok(()),
        settled => Ok(settled?),
    }
}

/// The two agencies; every other organization comes with the imported year.
fn agency(uscc: &str) -> Result<Option<OrganizationFacts>, Failure> {
    let (name, region) = match uscc {
        PROVINCE => ("河北省科学技术厅", "130000"),
        CITY => ("保定市科学技术局", "130600"),
        _ => return Ok(None),
    };
    Ok(Some(OrganizationFacts {
        name: name.to_owned(),
        kind: OrganizationKind::Agency,
        uscc: uscc.parse().map_err(wrong_constant)?,
        region_code: region.parse().map_err(wrong_constant)?,
        supervising_region_code: "130000".parse().map_err(wrong_constant)?,
        is_host: false,
        address: None,
        public_contact: None,
    }))
}

fn wrong_constant(error: impl std::fmt::Display) -> Failure {
    Failure::Internal(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_an_account_and_one_of_them_a_second_person() {
        let mut roles: Vec<Role> = one_for_each_role()
            .iter()
            .map(|person| person.role)
            .collect();
        roles.sort();
        let mut all = Role::ALL.to_vec();
        all.push(Role::PlatformAdmin);
        all.sort();
        assert_eq!(roles, all);
    }
}
