//! State machines as tables of moves: what an action makes of a state, and which actions a state allows. The tables stand with
//! their nouns; who may do an action is decided by `access`.

/// One move: in this state, this action leads to that state.
pub type Move<S, A> = (S, A, S);

/// The present state forbids the action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the state {state} does not allow this, only: {}", allowed.join(", "))]
pub struct InvalidState {
    /// The word of the present state.
    pub state: &'static str,
    /// The actions it allows, in the order of the machine's table.
    pub allowed: Vec<&'static str>,
}

/// The state after `action`, or what `state` allows instead.
pub fn after<S, A>(moves: &[Move<S, A>], state: S, action: A) -> Result<S, InvalidState>
where
    S: Copy + PartialEq + Into<&'static str>,
    A: Copy + PartialEq + Into<&'static str>,
{
    moves
        .iter()
        .find(|(from, by, _)| *from == state && *by == action)
        .map(|(_, _, to)| *to)
        .ok_or_else(|| InvalidState {
            state: state.into(),
            allowed: allowed(moves, state).into_iter().map(Into::into).collect(),
        })
}

/// The actions `state` allows, in the order of the table.
pub fn allowed<S, A>(moves: &[Move<S, A>], state: S) -> Vec<A>
where
    S: Copy + PartialEq,
    A: Copy,
{
    moves
        .iter()
        .filter(|(from, _, _)| *from == state)
        .map(|(_, by, _)| *by)
        .collect()
}

/// The whole machine, `action × state → state`, one line per move: the text its test compares.
#[cfg(test)]
pub(crate) fn printed<S, A>(moves: &[Move<S, A>]) -> Vec<String>
where
    S: std::fmt::Display,
    A: std::fmt::Display,
{
    moves
        .iter()
        .map(|(from, by, to)| format!("{from} --{by}--> {to}"))
        .collect()
}
