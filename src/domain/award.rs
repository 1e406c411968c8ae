//! What becomes of an award after its run is final: paid in parts, adjusted by two persons, held and released. The run stays as it
//! was; what is still to be paid is the award, with what was adjusted, without what was paid.

use super::money::TooLarge;
use super::state::{self, InvalidState, Move};
use super::{Code, Fault, Fen};

crate::vocabulary! {
    /// How far an adjustment is.
    AdjustmentState {
        Proposed = "proposed",
        Approved = "approved",
        Refused = "refused",
    }
}

crate::vocabulary! {
    /// What a second person decides of an adjustment.
    AdjustmentDecision {
        Approve = "approve",
        Refuse = "refuse",
    }
}

crate::vocabulary! {
    /// Why an award is adjusted.
    AdjustmentReason {
        Fraud = "fraud",
        Error = "error",
        Court = "court",
        Refund = "refund",
        Other = "other",
    }
}

use AdjustmentDecision as A;
use AdjustmentState as S;

const MOVES: &[Move<S, A>] = &[
    (S::Proposed, A::Approve, S::Approved),
    (S::Proposed, A::Refuse, S::Refused),
];

impl AdjustmentState {
    /// The state after `decision`.
    pub fn after(self, decision: AdjustmentDecision) -> Result<Self, InvalidState> {
        state::after(MOVES, self, decision)
    }
}

/// What an award came to until now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub award: Fen,
    /// Of approved adjustments.
    pub adjusted: Fen,
    pub paid: Fen,
    /// Award and adjustments less what was paid; below 0: to be returned.
    pub due: Fen,
    pub is_held: bool,
}

impl Standing {
    pub fn new(
        award: Fen,
        adjustments: impl IntoIterator<Item = Fen>,
        payments: impl IntoIterator<Item = Fen>,
        is_held: bool,
    ) -> Result<Self, TooLarge> {
        let (adjusted, paid) = (Fen::sum(adjustments)?, Fen::sum(payments)?);
        Ok(Self {
            award,
            adjusted,
            paid,
            due: award.checked_add(adjusted)?.checked_sub(paid)?,
            is_held,
        })
    }

    /// Whether so much may be paid, or below 0, have come back: `overpaid` beyond what is due, `out_of_range` beyond what was paid.
    pub fn check_payment(&self, amount: Fen) -> Result<(), Fault> {
        let (due, paid) = (self.due.number().max(0), self.paid.number().max(0));
        let code = match amount.number() {
            0 => Code::out_of_range,
            number if number > due => Code::overpaid,
            number if number < -paid => Code::out_of_range,
            _ => return Ok(()),
        };
        let fault = Fault::field("amount_fen", code).actual(amount.number());
        Err(match code {
            Code::overpaid => fault.limit(due),
            _ => fault.limit(format!("-{paid}..{due}")),
        })
    }

    /// Whether the award may be adjusted by so much: never below 0.
    pub fn check_adjustment(&self, amount: Fen) -> Result<(), Fault> {
        let adjusted = self.award.checked_add(self.adjusted);
        let after = adjusted.and_then(|present| present.checked_add(amount));
        let is_whole =
            after.is_ok_and(|after| (0..=super::id::MAX_SAFE_INTEGER).contains(&after.number()));
        if is_whole && amount != Fen::ZERO {
            return Ok(());
        }
        let least = adjusted.map_or(0, Fen::number);
        let fault = Fault::field("amount_fen", Code::out_of_range);
        let limit = format!("-{least}..{}", super::id::MAX_SAFE_INTEGER - least);
        Err(fault.limit(limit).actual(amount.number()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fen(amounts: &[i64]) -> Vec<Fen> {
        amounts.iter().copied().map(Fen::new).collect()
    }

    #[test]
    fn an_adjustment_is_decided_once() {
        insta::assert_snapshot!(state::printed(MOVES).join("\n"), @r"
        proposed --approve--> approved
        proposed --refuse--> refused
        ");
        assert!(S::Refused.after(A::Approve).is_err());
    }

    #[test]
    fn what_is_due_is_exact_and_may_be_owed_back() {
        for (award, adjustments, payments, due) in [
            (1_000, &[][..], &[][..], 1_000),
            (1_000, &[-300, 50], &[400], 350),
            (1_000, &[-1_000], &[400, 600, -100], -900),
        ] {
            let found = Standing::new(Fen::new(award), fen(adjustments), fen(payments), false);
            assert_eq!(found.unwrap().due, Fen::new(due));
        }
        let most = Fen::new(i64::MAX);
        assert!(Standing::new(most, [most], [], false).is_err());
    }

    #[test]
    fn nobody_is_paid_more_than_is_due_or_returns_more_than_was_paid() {
        let standing = Standing::new(Fen::new(1_000), fen(&[-100]), fen(&[500]), false).unwrap();
        let code = |amount: i64| {
            standing
                .check_payment(Fen::new(amount))
                .err()
                .map(|fault| fault.code)
        };
        assert_eq!(code(400), None);
        assert_eq!(code(401), Some(Code::overpaid));
        assert_eq!(code(-500), None);
        assert_eq!(code(-501), Some(Code::out_of_range));
        assert_eq!(code(0), Some(Code::out_of_range));
        assert_eq!(code(i64::MIN), Some(Code::out_of_range));
        let code = |amount: i64| {
            standing
                .check_adjustment(Fen::new(amount))
                .err()
                .map(|fault| fault.code)
        };
        assert_eq!(code(-900), None);
        assert_eq!(code(-901), Some(Code::out_of_range));
        assert_eq!(code(0), Some(Code::out_of_range));
        assert_eq!(code(i64::MAX), Some(Code::out_of_range));
        // More was paid than is left: nothing is due.
        let over = Standing::new(Fen::new(1_000), fen(&[-900]), fen(&[500]), false).unwrap();
        assert_eq!(
            over.check_payment(Fen::new(1)).unwrap_err().code,
            Code::overpaid
        );
    }
}
