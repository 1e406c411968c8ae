//! Pages of the invoices a caller may see, newest first, each with its lines.

use diesel::prelude::*;

use super::{Invoice, WholeInvoice, lines_of};
use crate::domain::access::Reach;
use crate::domain::charge::{InvoiceNo, InvoiceState};
use crate::domain::{ChargeId, InvoiceId, OrganizationId};
use crate::store::drive::{Asked, Branch, Drive, Driver, hidden, own_unit};
use crate::store::page::{Found, Key, Ordered, Range, first, in_range, load_keys, walk};
use crate::store::schema::{invoice, invoice_line};
use crate::store::two_sided::two_sided_list;
use crate::store::{Conn, Result};

two_sided_list!(
    Invoice of invoice,
    host: host_organization_id,
    unit: payer_organization_id in payers
);

/// Which invoices to list. Absent means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub hosts: Vec<OrganizationId>,
    pub payers: Vec<OrganizationId>,
    pub states: Vec<InvoiceState>,
    /// Of this number, or taken back under it.
    pub numbers: Vec<InvoiceNo>,
    /// With a line of these charges, annulled or not.
    pub charges: Vec<ChargeId>,
    pub below: Option<i64>,
    pub limit: i64,
}

/// One page of what the caller reaches.
pub fn list(conn: &mut Conn, reach: &Reach, filter: &Filter) -> Result<Found<WholeInvoice>> {
    let asked = Asked {
        reach,
        instruments: &[],
        assigned_to: None,
        hosts: &filter.hosts,
        units: &filter.payers,
        has_instrument_order: false,
        is_host_narrow: false,
    };
    let drive = Drive::of(conn, asked)?;
    let list = List {
        filter,
        reach,
        drive,
    };
    let found = list.page(conn, Range::of(None, filter.below))?;
    let ids: Vec<InvoiceId> = found.rows.iter().map(|invoice| invoice.id).collect();
    let mut lines = lines_of(conn, &ids)?;
    let whole = |invoice: Invoice| WholeInvoice {
        lines: lines.remove(&invoice.id).unwrap_or_default(),
        invoice,
    };
    Ok(Found {
        rows: found.rows.into_iter().map(whole).collect(),
        rest: found.rest,
    })
}

impl List<'_> {
    /// The places of all rows, when numbers or charges leave few.
    fn few(&self, conn: &mut Conn, range: Range) -> Result<Option<Vec<Key>>> {
        let filter = self.filter;
        if filter.numbers.is_empty() && filter.charges.is_empty() {
            return Ok(None);
        }
        let drive = Drive::undriven(self.reach);
        let mut query = List { drive, ..*self }.narrowed(invoice::table.into_boxed());
        if !filter.numbers.is_empty() {
            let numbers: Vec<String> = filter.numbers.iter().map(ToString::to_string).collect();
            query = query.filter(
                invoice::invoice_no
                    .eq_any(numbers.clone())
                    .or(invoice::red_letter_no.assume_not_null().eq_any(numbers)),
            );
        }
        if !filter.charges.is_empty() {
            let with_line = invoice_line::table
                .filter(invoice_line::charge_id.eq_any(filter.charges.clone()))
                .select(invoice_line::invoice_id)
                .load::<InvoiceId>(conn)?;
            query = query.filter(invoice::id.eq_any(with_line));
        }
        Ok(Some(load_keys!(query, invoice, range, conn)))
    }

    fn is_filtered_besides(&self) -> bool {
        !self.filter.states.is_empty()
    }

    fn narrowed_besides<'q>(&self, query: Query<'q>) -> Query<'q> {
        let asked = |state: InvoiceState| self.filter.states.contains(&state);
        match (asked(InvoiceState::Issued), asked(InvoiceState::Annulled)) {
            (true, false) => query.filter(invoice::annulled_at.is_null()),
            (false, true) => query.filter(invoice::annulled_at.is_not_null()),
            _ => query,
        }
    }
}
