//! The facts of an instrument as one group of columns, listed once: rows, changes, versions and the staged rows of an import
//! read and write the whole group.

use chrono::NaiveDate;
use diesel::backend::Backend;
use diesel::deserialize::{self, Queryable};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::Instrument;
use super::description::{ContactDocument, DescriptionDocument};
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::{InstrumentFacts, InstrumentState, PurposeType};
use crate::domain::{
    CategoryCode, EventId, Fen, Instant, InstrumentId, OrganizationId, RegionCode, TypedKey,
};
use crate::store::schema::{instrument, staged_instrument};
use crate::store::{Json, Result, StoreError};

macro_rules! fact_columns {
    ($($name:ident: $kind:ty),+ $(,)?) => {
        /// The columns that a host's facts fill; what is `None` is NULL. A version's document has them as its members.
        #[derive(
            Debug, Clone, Queryable, Selectable, AsChangeset, Serialize, Deserialize,
        )]
        #[diesel(table_name = instrument, treat_none_as_null = true)]
        pub struct FactColumns {
            $($name: $kind),+
        }

        /// A whole row on its way in. COPY takes no groups, so the columns of the groups stand one by one.
        #[derive(Debug, Insertable)]
        #[diesel(table_name = instrument, treat_none_as_default_value = false)]
        pub struct NewInstrument {
            id: InstrumentId,
            organization_id: OrganizationId,
            asset_no_key: String,
            $($name: $kind,)+
            state: InstrumentState,
            state_reason: Option<String>,
            submitted_at: Option<Instant>,
            listed_at: Option<Instant>,
            suspended_at: Option<Instant>,
            retired_on: Option<NaiveDate>,
            version: i64,
            event_id: EventId,
            created_at: Instant,
            updated_at: Instant,
        }

        impl NewInstrument {
            pub fn of(whole: &Instrument) -> Result<Self> {
                let (facts, standing) = (FactColumns::of(&whole.facts)?, whole.standing.clone());
                Ok(Self {
                    id: whole.id,
                    organization_id: whole.organization_id,
                    asset_no_key: whole.facts.asset_no.folded(),
                    $($name: facts.$name,)+
                    state: standing.state,
                    state_reason: standing.state_reason,
                    submitted_at: standing.submitted_at,
                    listed_at: standing.listed_at,
                    suspended_at: standing.suspended_at,
                    retired_on: standing.retired_on,
                    version: whole.version,
                    event_id: whole.event_id,
                    created_at: whole.created_at,
                    updated_at: whole.updated_at,
                })
            }
        }

        /// A version in finished form on its way in. What an import never changes (the state and its moments) is not staged.
        #[derive(Debug, Insertable)]
        #[diesel(table_name = staged_instrument, treat_none_as_default_value = false)]
        pub struct StagedInstrument {
            import_id: i64,
            position: i64,
            instrument_id: InstrumentId,
            organization_id: OrganizationId,
            state: InstrumentState,
            asset_no_key: String,
            $($name: $kind,)+
            version: i64,
            content_head: String,
            content_tail: String,
        }

        impl StagedInstrument {
            /// The version made by the event at a position of an import, with its document around that event's id.
            pub fn around(
                (import_id, position): (i64, i64),
                whole: &Instrument,
                (content_head, content_tail): (String, String),
            ) -> Result<Self> {
                let facts = FactColumns::of(&whole.facts)?;
                Ok(Self {
                    import_id,
                    position,
                    instrument_id: whole.id,
                    organization_id: whole.organization_id,
                    state: whole.standing.state,
                    asset_no_key: whole.facts.asset_no.folded(),
                    $($name: facts.$name,)+
                    version: whole.version,
                    content_head,
                    content_tail,
                })
            }
        }

        /// Their names.
        pub const FACT_COLUMNS: &[&str] = &[$(stringify!($name)),+];
    };
}

fact_columns! {
    asset_no: TypedKey,
    name: String,
    category_code: CategoryCode,
    purpose_type: PurposeType,
    original_value_fen: Fen,
    share_mode: Option<ShareMode>,
    model: Option<String>,
    manufacturer: Option<String>,
    country: Option<String>,
    region_code: RegionCode,
    location: Option<String>,
    public_contact: Option<Json<ContactDocument>>,
    channels: i64,
    acquired_on: Option<NaiveDate>,
    accepted_on: Option<NaiveDate>,
    enabled_on: Option<NaiveDate>,
    description: Json<DescriptionDocument>,
}

impl FactColumns {
    /// The columns of an entry, which stands somewhere.
    pub fn of(facts: &InstrumentFacts) -> Result<Self> {
        let nowhere = || serde::ser::Error::custom("an instrument stands nowhere");
        let region_code = facts
            .region_code
            .ok_or_else(|| StoreError::Content(nowhere()))?;
        let facts = facts.clone();
        let contact = facts.public_contact.map(ContactDocument::from);
        Ok(Self {
            asset_no: facts.asset_no,
            name: facts.name,
            category_code: facts.category_code,
            purpose_type: facts.purpose_type,
            original_value_fen: facts.original_value_fen,
            share_mode: facts.share_mode,
            model: facts.model,
            manufacturer: facts.manufacturer,
            country: facts.country,
            region_code,
            location: facts.location,
            public_contact: contact.map(Json::of).transpose()?,
            channels: facts.channels,
            acquired_on: facts.acquired_on,
            accepted_on: facts.accepted_on,
            enabled_on: facts.enabled_on,
            description: Json::of(facts.description.into())?,
        })
    }
}

impl From<FactColumns> for InstrumentFacts {
    fn from(columns: FactColumns) -> Self {
        Self {
            name: columns.name,
            asset_no: columns.asset_no,
            original_value_fen: columns.original_value_fen,
            category_code: columns.category_code,
            purpose_type: columns.purpose_type,
            model: columns.model,
            manufacturer: columns.manufacturer,
            country: columns.country,
            acquired_on: columns.acquired_on,
            accepted_on: columns.accepted_on,
            enabled_on: columns.enabled_on,
            share_mode: columns.share_mode,
            region_code: Some(columns.region_code),
            location: columns.location,
            public_contact: columns
                .public_contact
                .map(|stored| stored.into_inner().into()),
            channels: columns.channels,
            description: columns.description.into_inner().into(),
        }
    }
}

impl<DB: Backend> Selectable<DB> for InstrumentFacts {
    type SelectExpression = <FactColumns as Selectable<DB>>::SelectExpression;

    fn construct_selection() -> Self::SelectExpression {
        <FactColumns as Selectable<DB>>::construct_selection()
    }
}

impl<DB: Backend, ST> Queryable<ST, DB> for InstrumentFacts
where
    FactColumns: Queryable<ST, DB>,
{
    type Row = <FactColumns as Queryable<ST, DB>>::Row;

    fn build(row: Self::Row) -> deserialize::Result<Self> {
        Ok(FactColumns::build(row)?.into())
    }
}
