//! What a run was begun with and its budgets, as documents: every form in which they were ever stored is read, and the newest is
//! written.

use std::collections::BTreeMap;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::domain::Fen;
use crate::store::form::Form;

/// What a run was begun with besides its year, pack and budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    #[serde(default)]
    pub format: Form<1>,
    /// What the pack leaves open, by name, as decimals.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The run of the same kind that this one was made to replace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces_id: Option<i64>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            format: Form::PRESENT,
            parameters: BTreeMap::new(),
            name: None,
            replaces_id: None,
        }
    }
}

/// A budget, and what became of it once the run has results. Fractions are exact, as `p/q`; `factor` is none where first come is
/// first served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// None: the only one, which has no name.
    pub pool: Option<String>,
    pub budget_fen: Fen,
    pub sum_before_pool_fen: Option<String>,
    pub factor: Option<String>,
    pub awarded_fen: Option<Fen>,
    pub unspent_fen: Option<Fen>,
}

/// The budgets of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "AnyPools")]
pub struct Pools {
    format: Form<1>,
    pools: Vec<Pool>,
}

/// Before forms had numbers, the list stood alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnyPools {
    Numbered {
        #[serde(rename = "format")]
        _format: Form<1>,
        pools: Vec<Pool>,
    },
    Plain(Vec<Pool>),
}

impl From<AnyPools> for Pools {
    fn from(any: AnyPools) -> Self {
        match any {
            AnyPools::Numbered { pools, .. } | AnyPools::Plain(pools) => pools.into(),
        }
    }
}

impl From<Vec<Pool>> for Pools {
    fn from(pools: Vec<Pool>) -> Self {
        Self {
            format: Form::PRESENT,
            pools,
        }
    }
}

impl From<Pools> for Vec<Pool> {
    fn from(stored: Pools) -> Self {
        stored.pools
    }
}

impl Deref for Pools {
    type Target = Vec<Pool>;

    fn deref(&self) -> &Vec<Pool> {
        &self.pools
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every form in which these were ever stored, oldest first. These files never change.
    const TERMS: [&str; 2] = [
        include_str!("../../../tests/golden/run_terms.v0.json"),
        include_str!("../../../tests/golden/run_terms.v1.json"),
    ];
    const POOLS: [&str; 2] = [
        include_str!("../../../tests/golden/run_pools.v0.json"),
        include_str!("../../../tests/golden/run_pools.v1.json"),
    ];

    fn terms() -> Terms {
        Terms {
            parameters: [("host_rate".to_owned(), "0.12".to_owned())].into(),
            name: Some("第二稿".to_owned()),
            replaces_id: Some(7),
            ..Terms::default()
        }
    }

    fn pools() -> Pools {
        let decided = Pool {
            pool: Some("hosts".to_owned()),
            budget_fen: Fen::new(500),
            sum_before_pool_fen: Some("1000/3".to_owned()),
            factor: Some("1/1".to_owned()),
            awarded_fen: Some(Fen::new(333)),
            unspent_fen: Some(Fen::new(167)),
        };
        let open = Pool {
            pool: None,
            budget_fen: Fen::new(1),
            sum_before_pool_fen: None,
            factor: None,
            awarded_fen: None,
            unspent_fen: None,
        };
        vec![decided, open].into()
    }

    #[test]
    fn every_form_is_read_and_the_newest_is_written() {
        for stored in TERMS {
            let read: Terms = serde_json::from_str(stored).unwrap();
            let format = Form::PRESENT;
            assert_eq!(Terms { format, ..read }, terms(), "{stored}");
        }
        for stored in POOLS {
            let read: Pools = serde_json::from_str(stored).unwrap();
            assert_eq!(read, pools(), "{stored}");
        }
        let written = [
            serde_json::to_string(&terms()).unwrap(),
            serde_json::to_string(&pools()).unwrap(),
        ];
        let newest = [TERMS[1].trim_end(), POOLS[1].trim_end()];
        assert_eq!(written, newest.map(str::to_owned));
        // Without anything, as columns are when they are added.
        assert!(serde_json::from_str::<Terms>("{}").is_ok());
        assert!(serde_json::from_str::<Pools>("[]").unwrap().is_empty());
    }

    #[test]
    fn a_later_form_is_not_read() {
        assert!(serde_json::from_str::<Terms>(r#"{"format":2}"#).is_err());
        assert!(serde_json::from_str::<Pools>(r#"{"format":2,"pools":[]}"#).is_err());
    }
}
