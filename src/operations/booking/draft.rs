//! What somebody wants to book, and whether its fields can be meant, the slot's rules apart.

use serde::{Deserialize, Serialize};

use crate::domain::access::Caller;
use crate::domain::account::UserState;
use crate::domain::booking::{BookingMode, BookingPurpose};
use crate::domain::fault::{Faults, FieldFault};
use crate::domain::{InstrumentId, ServiceId, Slot, UserId};
use crate::error::AppError;
use crate::store::{self, Conn, StoreError};

/// The most characters of a description or reason.
pub(super) const TEXT_MAX: usize = 2_000;
const NAME_MAX: usize = 100;
const REFERENCE_MAX: usize = 64;
const SERVICE_ITEMS_MAX: usize = 50;
/// The most samples and the most of one service item.
pub(super) const QUANTITY_MAX: i64 = 1_000_000;

/// Who will run the instrument: a member of the using unit, or a guest by name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Operator {
    Member { user_id: UserId },
    Guest { name: String, phone: String },
}

/// A service of the instrument that is wanted with the time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceItem {
    pub service_id: ServiceId,
    pub quantity: i64,
}

/// A booking that is asked for.
#[derive(Debug, Clone)]
pub struct Draft {
    pub instrument_id: InstrumentId,
    pub slot: Slot,
    pub mode: BookingMode,
    pub purpose: BookingPurpose,
    pub description: Option<String>,
    pub operator: Option<Operator>,
    pub samples: Option<i64>,
    pub service_items: Vec<ServiceItem>,
    pub client_reference: Option<String>,
}

impl Draft {
    /// Everything wrong with the fields; what they refer to is looked up only when it is named.
    pub(super) fn faults(
        &self,
        conn: &mut Conn,
        caller: &Caller,
    ) -> Result<Vec<FieldFault>, AppError> {
        let mut faults = Faults::new();
        faults.optional_text("description", self.description.as_deref(), TEXT_MAX);
        if let Some(reference) = &self.client_reference {
            faults.text("client_reference", reference, REFERENCE_MAX);
        }
        if let Some(samples) = self.samples {
            faults.range("samples", samples, 0, QUANTITY_MAX);
        }
        self.operator_faults(conn, caller, &mut faults)?;
        self.service_faults(conn, &mut faults)?;
        Ok(faults.into_vec())
    }

    fn operator_faults(
        &self,
        conn: &mut Conn,
        caller: &Caller,
        faults: &mut Faults,
    ) -> Result<(), AppError> {
        match &self.operator {
            None => {}
            Some(Operator::Guest { name, phone }) => {
                faults.text("operator.name", name, NAME_MAX);
                faults.text("operator.phone", phone, NAME_MAX);
            }
            Some(Operator::Member { user_id }) if *user_id == caller.user_id => {}
            Some(Operator::Member { user_id }) => {
                let colleague = match store::user::get(conn, *user_id) {
                    Ok(user) => {
                        user.organization_id == Some(caller.organization_id)
                            && user.state == UserState::Active
                    }
                    Err(StoreError::NotFound) => false,
                    Err(other) => return Err(other.into()),
                };
                if !colleague {
                    let fault = FieldFault::new("operator.user_id", "unknown_reference");
                    faults.push(fault.actual(user_id));
                }
            }
        }
        Ok(())
    }

    fn service_faults(&self, conn: &mut Conn, faults: &mut Faults) -> Result<(), AppError> {
        if self.service_items.is_empty() {
            return Ok(());
        }
        if self.service_items.len() > SERVICE_ITEMS_MAX {
            let fault = FieldFault::new("service_items", "too_many").limit(SERVICE_ITEMS_MAX);
            faults.push(fault.actual(self.service_items.len()));
            return Ok(());
        }
        let offered = store::booking::list_service_ids(conn, self.instrument_id)?;
        for (at, item) in self.service_items.iter().enumerate() {
            let field = format!("service_items[{at}]");
            faults.range(&format!("{field}.quantity"), item.quantity, 1, QUANTITY_MAX);
            if !offered.contains(&item.service_id) {
                let field = format!("{field}.service_id");
                faults.push(FieldFault::new(field, "unknown_reference").actual(item.service_id));
            }
        }
        Ok(())
    }
}
