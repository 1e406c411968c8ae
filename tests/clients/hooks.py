"""What schemathesis is told of the service: which ids there are, what a policy pack is, and that whoever is signed in
stays so."""

import os

import schemathesis

# How many there are of each at least, by the part of the path before the id; the story beside this made the rare ones.
KNOWN = {
    "awards": 8,
    "charges": 5,
    "instruments": 15,
    "members": 9,
    "organizations": 12,
    "usage-records": 12,
}

# They answer 401 for a wrong password or token in the body.
PROOFS = ["session_open", "session_refresh", "password_change", "invitation_accept"]

ENDED = ["account_suspended", "organization_suspended", "membership_ended"]


@schemathesis.hook
def before_call(context, case, kwargs):
    """Ids that are well-formed name something that is there, or else nearly every answer would be 404."""
    if case.meta is None or case.meta.generation.mode.is_negative:
        return
    parts = case.operation.path.split("/")
    for name, value in list((case.path_parameters or {}).items()):
        if not isinstance(value, int) or isinstance(value, bool):
            continue
        if name == "year":
            case.path_parameters[name] = 2024 + value % 4
        else:
            noun = parts[parts.index("{%s}" % name) - 1]
            case.path_parameters[name] = value % KNOWN.get(noun, 1) + 1


@schemathesis.check
def still_signed_in(context, response, case):
    """Whatever is tried, the caller's own token stays good: else the rest of the run would be refused unread."""
    token = os.environ["TOKEN"]
    if not token or response.request.headers.get("Authorization") != "Bearer " + token:
        return
    name = case.operation.definition.raw["operationId"]
    ended = response.status_code == 403 and response.json()["code"] in ENDED
    if ended or (response.status_code == 401 and name not in PROOFS):
        raise AssertionError("no longer signed in: " + response.text)


@schemathesis.serializer("application/toml")
def toml(context, value):
    """A policy pack is sent as it is."""
    return value if isinstance(value, bytes) else str(value)
