//! Channels: one instrument serves `n` bookings at once. Which channel a new booking takes, and which bookings that have not
//! begun move to make room. The database judges the result; this decides what to try.

use super::id::BookingId;
use super::spans::overlap;
use super::time::Slot;

/// A blocking interval that cannot move: its `blocked_from` has passed, or it is in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fixed {
    pub blocked: Slot,
    pub channel: i64,
}

/// A blocking interval that may take another channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movable {
    pub id: BookingId,
    pub blocked: Slot,
    pub channel: i64,
}

/// The new booking's channel and the moves that make room for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    pub channel: i64,
    pub moves: Vec<(BookingId, i64)>,
}

/// No channel can be had; `clash` is a time that overlaps the new interval and in which all are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("every channel is taken from {} to {}", clash.starts_at(), clash.ends_at())]
pub struct Full {
    pub clash: Slot,
}

/// Gives `new` (set-up and clean-up included) one of the channels 1 to `channels`. A booking that is being rescheduled is left
/// out of the others.
///
/// The lowest channel free of everybody is taken without moves. Else fixed intervals stay, and the others, with the new one,
/// by their start, each take the lowest free channel. When an interval's turn comes, everything placed before it starts no
/// later than it does, so what overlaps it covers its start: a channel is free exactly when fewer than n cover that moment.
/// Hence, if no fixed interval starts after a movable one or the new one (fixed ones have begun, the others have not), the
/// assignment succeeds exactly when the peak within reach is at most n. Only a new interval whose set-up would have begun in
/// the past may be refused below the peak: past bookings cannot be moved out of its way.
pub fn assign(
    channels: i64,
    fixed: &[Fixed],
    movable: &[Movable],
    new: Slot,
) -> Result<Assignment, Full> {
    let everybody = || {
        let moving = movable.iter().map(|m| Fixed {
            blocked: m.blocked,
            channel: m.channel,
        });
        fixed.iter().copied().chain(moving)
    };
    let blocked: Vec<Slot> = everybody().map(|taken| taken.blocked).collect();
    if let Some(clash) = full_spans(channels, &blocked)
        .into_iter()
        .find(|span| span.overlaps(&new))
    {
        return Err(Full { clash });
    }
    if let Some(channel) = lowest_free(channels, everybody(), &new) {
        return Ok(Assignment {
            channel,
            moves: Vec::new(),
        });
    }
    replace(channels, fixed, &within_reach(movable, new), new).map_err(|stuck| Full {
        clash: blocked
            .iter()
            .find_map(|taken| overlap(taken, &stuck))
            .unwrap_or(stuck),
    })
}

/// Places the movable intervals and the new one afresh; the error is the interval that found no channel.
fn replace(
    channels: i64,
    fixed: &[Fixed],
    movable: &[Movable],
    new: Slot,
) -> Result<Assignment, Slot> {
    let mut waiting: Vec<(Slot, Option<&Movable>)> =
        movable.iter().map(|m| (m.blocked, Some(m))).collect();
    waiting.push((new, None));
    waiting.sort_by_key(|(blocked, who)| (blocked.starts_at(), who.is_none(), who.map(|m| m.id)));
    let mut placed = fixed.to_vec();
    let mut assignment = Assignment {
        channel: 0,
        moves: Vec::new(),
    };
    for (blocked, who) in waiting {
        let channel = lowest_free(channels, placed.iter().copied(), &blocked).ok_or(blocked)?;
        placed.push(Fixed { blocked, channel });
        match who {
            None => assignment.channel = channel,
            Some(booking) if booking.channel != channel => {
                assignment.moves.push((booking.id, channel))
            }
            Some(_) => {}
        }
    }
    Ok(assignment)
}

/// The movable intervals connected with `new` by overlaps: nobody else needs to move.
fn within_reach(movable: &[Movable], new: Slot) -> Vec<Movable> {
    let slots = movable.iter().map(|m| m.blocked).chain([new]);
    let mut sorted: Vec<Slot> = slots.collect();
    sorted.sort_unstable();
    let mut reach: Option<Slot> = None;
    for slot in sorted {
        match reach {
            Some(so_far) if so_far.overlaps(&slot) => {
                let until = so_far.ends_at().max(slot.ends_at());
                reach = Slot::new(so_far.starts_at(), until).ok();
            }
            Some(so_far) if so_far.contains(&new) => break,
            _ => reach = Some(slot),
        }
    }
    let reach = reach.unwrap_or(new);
    movable
        .iter()
        .filter(|m| m.blocked.overlaps(&reach))
        .copied()
        .collect()
}

fn lowest_free(channels: i64, taken: impl Iterator<Item = Fixed>, new: &Slot) -> Option<i64> {
    let mut used: Vec<i64> = taken
        .filter(|t| t.blocked.overlaps(new))
        .map(|t| t.channel)
        .collect();
    used.sort_unstable();
    (1..=channels).find(|channel| used.binary_search(channel).is_err())
}

/// When at least `channels` of the intervals run at once: in order, disjoint, split where one follows another.
pub fn full_spans(channels: i64, blocked: &[Slot]) -> Vec<Slot> {
    let starts = blocked.iter().map(|slot| (slot.starts_at(), 1));
    let mut steps: Vec<_> = starts
        .chain(blocked.iter().map(|slot| (slot.ends_at(), -1)))
        .collect();
    steps.sort_unstable();
    let mut full = Vec::new();
    let (mut running, mut full_from) = (0, None);
    for (at, step) in steps {
        running += step;
        match full_from {
            None if running >= channels => full_from = Some(at),
            Some(from) if running < channels => {
                full.extend(Slot::new(from, at));
                full_from = None;
            }
            _ => {}
        }
    }
    full
}

#[cfg(test)]
mod tests;
