//! Charges: what a payer owes for a service, its invoice and its payments. An invoice number is valid once on the whole
//! platform, which the database guards; the arithmetic is here.

use chrono::NaiveDate;

use super::Fen;
use super::fault::Faults;
use super::state::{self, InvalidState, Move};
use crate::domain::{Code, Fault, TypedKey};

crate::vocabulary! {
    /// Where the money of a payment came from; a voucher's part earns no subsidy.
    PaymentSource {
        Payer = "payer",
        Voucher = "voucher",
    }
}

crate::vocabulary! {
    /// What has happened to a charge; derived, never stored.
    ChargeState {
        /// Neither invoiced nor paid in full.
        Open = "open",
        /// Invoiced, not yet paid in full.
        Invoiced = "invoiced",
        /// Paid in full, invoiced or not.
        Paid = "paid",
        /// Its usage record was voided.
        Voided = "voided",
    }
}

crate::vocabulary! {
    /// What has become of a payment. Only a received one counts, anywhere.
    PaymentState {
        /// The payer says that it was paid; the host has not said that it came.
        Declared = "declared",
        Received = "received",
        /// What was declared did not come.
        Refused = "refused",
        /// It was received and went back, or was entered by mistake.
        Reversed = "reversed",
    }
}

crate::vocabulary! {
    /// What the host says of a payment.
    PaymentAction {
        Receive = "receive",
        Refuse = "refuse",
        Reverse = "reverse",
    }
}

const PAYMENT_MOVES: &[Move<PaymentState, PaymentAction>] = &[
    (
        PaymentState::Declared,
        PaymentAction::Receive,
        PaymentState::Received,
    ),
    (
        PaymentState::Declared,
        PaymentAction::Refuse,
        PaymentState::Refused,
    ),
    (
        PaymentState::Received,
        PaymentAction::Reverse,
        PaymentState::Reversed,
    ),
];

impl PaymentState {
    pub fn after(self, action: PaymentAction) -> Result<Self, InvalidState> {
        state::after(PAYMENT_MOVES, self, action)
    }
}

crate::vocabulary! {
    /// Whether an invoice stands; derived, never stored.
    InvoiceState {
        Issued = "issued",
        /// Its charges are free again; its number stays used.
        Annulled = "annulled",
    }
}

/// The most charges that stand on one invoice.
pub const INVOICE_CHARGES_MAX: usize = 500;

/// The money of one charge. Every amount lies between 0 and 2^53, payments never exceed the amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    pub amount_fen: Fen,
    pub paid_fen: Fen,
    pub is_invoiced: bool,
    pub is_voided: bool,
}

impl Balance {
    pub fn state(&self) -> ChargeState {
        if self.is_voided {
            ChargeState::Voided
        } else if self.paid_fen >= self.amount_fen {
            ChargeState::Paid
        } else if self.is_invoiced {
            ChargeState::Invoiced
        } else {
            ChargeState::Open
        }
    }

    /// What is still owed.
    pub fn outstanding(&self) -> Fen {
        match self.amount_fen.checked_sub(self.paid_fen) {
            Ok(rest) if rest > Fen::ZERO && !self.is_voided => rest,
            _ => Fen::ZERO,
        }
    }

    /// The balance after a payment of `amount`: positive, and at most what is outstanding (`overpaid`).
    pub fn after_payment(self, amount: Fen) -> Result<Self, Fault> {
        let mut faults = Faults::new();
        faults.amount("amount_fen", amount, 1);
        if let Some(fault) = faults.into_vec().pop() {
            return Err(fault);
        }
        let overpaid = Fault::field("amount_fen", Code::overpaid)
            .limit(self.outstanding().number())
            .actual(amount.number());
        match self.paid_fen.checked_add(amount) {
            Ok(paid_fen) if amount <= self.outstanding() => Ok(Self { paid_fen, ..self }),
            _ => Err(overpaid),
        }
    }
}

/// The number of an invoice: 1 to 64 letters, digits and `-_/`, in upper case, so that one invoice has one spelling, in which
/// it is kept and answered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvoiceNo(String);

impl InvoiceNo {
    /// The number as a folded key, its letters upper case.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        Self::parse_field("invoice_no", text)
    }

    /// The number of the red-letter invoice that takes another back: one of its own, written the same way.
    pub fn parse_red_letter(text: &str) -> Result<Self, Fault> {
        Self::parse_field("red_letter_no", text)
    }

    fn parse_field(field: &str, text: &str) -> Result<Self, Fault> {
        let number = TypedKey::new(text).folded().to_ascii_uppercase();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_/".contains(c);
        if number.is_empty() {
            Err(Fault::required(field))
        } else if number.len() > 64 || !number.chars().all(plain) {
            Err(Fault::field(field, Code::malformed)
                .limit("1..64")
                .actual(text))
        } else {
            Ok(Self(number))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for InvoiceNo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The day of a payment: not before the service began, not in the future.
pub fn check_paid_on(
    paid_on: NaiveDate,
    served_on: NaiveDate,
    today: NaiveDate,
) -> Result<(), Fault> {
    let mut faults = Faults::new();
    faults.date("paid_on", Some(paid_on), served_on, today);
    faults.into_vec().pop().map_or(Ok(()), Err)
}

/// Vouchers are not issued here yet, so nothing can be paid by one.
pub fn check_source(source: PaymentSource) -> Result<(), Fault> {
    match source {
        PaymentSource::Payer => Ok(()),
        PaymentSource::Voucher => Err(Fault::field("source", Code::no_vouchers)
            .limit(PaymentSource::Payer.as_str())
            .actual(source.as_str())),
    }
}

/// The day of an invoice (`field`): from 1990 to today.
pub fn check_day(field: &str, day: NaiveDate, today: NaiveDate) -> Result<(), Fault> {
    let mut faults = Faults::new();
    let first = NaiveDate::from_ymd_opt(1990, 1, 1).unwrap_or(today);
    faults.date(field, Some(day), first, today);
    faults.into_vec().pop().map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn balance(amount: i64, paid: i64) -> Balance {
        Balance {
            amount_fen: Fen::new(amount),
            paid_fen: Fen::new(paid),
            is_invoiced: false,
            is_voided: false,
        }
    }

    #[test]
    fn a_charge_is_paid_when_nothing_is_owed() {
        let invoiced = |balance| Balance {
            is_invoiced: true,
            ..balance
        };
        let voided = |balance| Balance {
            is_voided: true,
            ..balance
        };
        for (balance, state, owed) in [
            (balance(100, 0), ChargeState::Open, 100),
            (balance(100, 99), ChargeState::Open, 1),
            (invoiced(balance(100, 0)), ChargeState::Invoiced, 100),
            (invoiced(balance(100, 100)), ChargeState::Paid, 0),
            (balance(100, 100), ChargeState::Paid, 0),
            (balance(0, 0), ChargeState::Paid, 0),
            (voided(balance(100, 0)), ChargeState::Voided, 0),
        ] {
            assert_eq!(balance.state(), state, "{balance:?}");
            assert_eq!(balance.outstanding(), Fen::new(owed), "{balance:?}");
        }
    }

    #[test]
    fn a_payment_is_positive_and_at_most_what_is_owed() {
        for (paid, amount, outcome) in [
            (0, 100, Ok(100)),
            (60, 40, Ok(100)),
            (60, 41, Err("overpaid")),
            (100, 1, Err("overpaid")),
            (0, 0, Err("out_of_range")),
            (0, -5, Err("out_of_range")),
            (0, i64::MAX, Err("out_of_range")),
        ] {
            let found = balance(100, paid)
                .after_payment(Fen::new(amount))
                .map(|balance| balance.paid_fen.number())
                .map_err(|fault| fault.code.as_str());
            assert_eq!(found, outcome, "{paid} + {amount}");
        }
        let voided = Balance {
            is_voided: true,
            ..balance(100, 0)
        };
        assert!(voided.after_payment(Fen::new(1)).is_err());
    }

    #[test]
    fn an_invoice_has_one_spelling() {
        for (text, number) in [
            (" fp-2025/000123 ", Ok("FP-2025/000123")),
            ("12345678", Ok("12345678")),
            ("ｆｐ－２５", Ok("FP-25")),
            (" ", Err("required")),
            ("12 34", Err("malformed")),
            ("=1+1", Err("malformed")),
        ] {
            let found = InvoiceNo::parse(text);
            let found = found
                .as_ref()
                .map(InvoiceNo::as_str)
                .map_err(|fault| fault.code.as_str());
            assert_eq!(found, number, "{text:?}");
        }
        assert!(InvoiceNo::parse(&"1".repeat(64)).is_ok());
        assert!(InvoiceNo::parse(&"1".repeat(65)).is_err());
    }

    #[test]
    fn a_payment_is_decided_by_the_host_once() {
        assert_eq!(
            state::printed(PAYMENT_MOVES),
            [
                "declared --receive--> received",
                "declared --refuse--> refused",
                "received --reverse--> reversed",
            ]
        );
    }

    #[test]
    fn money_comes_between_the_service_and_today_and_by_no_voucher() {
        let on = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (day, fits) in [
            ("2026-02-09", false),
            ("2026-02-10", true),
            ("2026-03-01", true),
            ("2026-03-02", false),
        ] {
            let checked = check_paid_on(on(day), on("2026-02-10"), on("2026-03-01"));
            assert_eq!(checked.is_ok(), fits, "{day}");
        }
        assert!(check_source(PaymentSource::Payer).is_ok());
        assert!(check_source(PaymentSource::Voucher).is_err());
    }

    #[test]
    fn nobody_invoices_tomorrow() {
        let on = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (day, fits) in [
            ("2026-03-01", true),
            ("2026-03-02", false),
            ("1990-01-01", true),
            ("1989-12-31", false),
        ] {
            assert_eq!(
                check_day("issued_on", on(day), on("2026-03-01")).is_ok(),
                fits,
                "{day}"
            );
        }
    }

    proptest! {
        #[test]
        fn payments_never_exceed_the_amount(amount in 0i64..1_000, payments in proptest::collection::vec(-10i64..300, 0..20)) {
            let mut state = balance(amount, 0);
            for payment in payments {
                state = state.after_payment(Fen::new(payment)).unwrap_or(state);
                prop_assert!(state.paid_fen <= state.amount_fen);
            }
            prop_assert_eq!(state.paid_fen.number() + state.outstanding().number(), amount);
        }
    }
}
