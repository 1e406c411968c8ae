//! What somebody wants to book, and whether its fields can be meant, the slot's rules apart.

use crate::domain::access::Caller;
use crate::domain::account::UserState;
use crate::domain::booking::{BookingMode, BookingPurpose};
use crate::domain::fault::Faults;
use crate::domain::service::ServiceItem;
use crate::domain::{InstrumentId, Operator, Slot, TypedKey};
use crate::error::{AppError, Code, Fault};
use crate::operations::service::check_items;
use crate::store::terms::Terms;
use crate::store::{self, Conn, StoreError};

/// The most characters of a description.
const TEXT_MAX: usize = 2_000;
const REFERENCE_MAX: usize = 64;
/// The most samples.
pub(super) const SAMPLES_MAX: i64 = 1_000_000;

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
    pub client_reference: Option<TypedKey>,
    /// Only to keep the slot for a while.
    pub is_hold: bool,
}

impl Draft {
    /// Everything wrong with the fields; what they refer to is looked up only when it is named.
    pub(super) fn faults(
        &self,
        conn: &mut Conn,
        caller: &Caller,
        terms: &Terms,
    ) -> Result<Vec<Fault>, AppError> {
        let mut faults = Faults::new();
        faults.optional_text("description", self.description.as_deref(), TEXT_MAX);
        if let Some(reference) = &self.client_reference {
            faults.key("client_reference", reference, REFERENCE_MAX);
        }
        if let Some(samples) = self.samples {
            faults.range("samples", samples, 0, SAMPLES_MAX);
        }
        let rules = &terms.rules;
        if caller.api_key.is_some()
            && self.operator.is_none()
            && rules.looks_at_person(Some(self.mode))
        {
            faults.push(Fault::field("operator", Code::operator_required));
        }
        self.operator_faults(conn, caller, &mut faults)?;
        check_items(&terms.services, &self.service_items, &mut faults);
        Ok(faults.into_vec())
    }

    fn operator_faults(
        &self,
        conn: &mut Conn,
        caller: &Caller,
        faults: &mut Faults,
    ) -> Result<(), AppError> {
        let Some(operator) = &self.operator else {
            return Ok(());
        };
        operator.check_expected(faults);
        let Some(user_id) = operator.user_id.filter(|id| *id != caller.user_id) else {
            return Ok(());
        };
        let is_colleague = match store::user::get(conn, user_id) {
            Ok(user) => {
                user.organization_id == Some(caller.organization_id)
                    && user.state == UserState::Active
            }
            Err(StoreError::NotFound) => false,
            Err(other) => return Err(other.into()),
        };
        if !is_colleague {
            let fault = Fault::field("operator.user_id", Code::unknown_reference);
            faults.push(fault.actual(user_id));
        }
        Ok(())
    }
}
