"""Every kind of calendar, read by icalendar and by vobject: calendars.py URL PASSWORDS, after the story.

Both find the same events, which are the bookings and closures that the lists tell of."""

import datetime
import json
import sys
import urllib.error
import urllib.request

import icalendar
import vobject
from people import token

URL, PASSWORDS = sys.argv[1:]
STATUS = {
    "held": "TENTATIVE",
    "requested": "TENTATIVE",
    "confirmed": "CONFIRMED",
    "in_progress": "CONFIRMED",
    "completed": "CONFIRMED",
    "unresolved": "CONFIRMED",
}
SINCE = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=30)


def send(path, bearer=None, body=None):
    request = urllib.request.Request(path if path.startswith("http") else URL + "/api/v1" + path)
    if bearer:
        request.add_header("Authorization", "Bearer " + bearer)
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def everything(path, bearer):
    items, cursor = [], ""
    while cursor is not None:
        page = json.loads(send("%s%slimit=200%s" % (path, "&" if "?" in path else "?", cursor), bearer))
        items += page["items"]
        cursor = page["next_cursor"] and "&cursor=" + page["next_cursor"]
    return items


def by_icalendar(text):
    found = {}
    for event in icalendar.Calendar.from_ical(text).walk("VEVENT"):
        texts = [str(event.get(name, "")) for name in ("STATUS", "SUMMARY", "DESCRIPTION", "LOCATION")]
        found[str(event["UID"])] = (event["DTSTART"].dt, event["DTEND"].dt, int(event["SEQUENCE"]), *texts)
    return found


def by_vobject(text):
    found = {}
    for event in vobject.readOne(text.decode()).contents.get("vevent", []):
        said = lambda name: event.contents[name][0].value if name in event.contents else ""
        texts = [said(name) for name in ("status", "summary", "description", "location")]
        found[said("uid")] = (said("dtstart"), said("dtend"), int(said("sequence")), *texts)
    return found


def read(address):
    text = send(address)
    found, again = by_icalendar(text), by_vobject(text)
    if found != again:
        raise SystemExit("%s: icalendar reads %r, vobject %r" % (address, found, again))
    return {uid.split("@")[0]: event for uid, event in found.items()}


def moment(text):
    return datetime.datetime.fromisoformat(text).astimezone(datetime.UTC)


def expect(what, found, bookings, summary):
    wanted = {"booking-%d" % one["id"]: one for one in bookings if moment(one["ends_at"]) > SINCE}
    shown = {uid for uid in found if uid.startswith("booking-")}
    missing = {uid for uid in set(wanted) - shown if wanted[uid]["state"] in STATUS}
    if missing or shown - set(wanted) or not shown:
        raise SystemExit("%s: lacks %r, has %r too" % (what, missing, shown - set(wanted)))
    for uid in shown:
        one = wanted[uid]
        status = STATUS.get(one["state"], "CANCELLED")
        told = moment(one["starts_at"]), moment(one["ends_at"]), one["version"], status, summary(one)
        if found[uid][:5] != told:
            raise SystemExit("%s, %s: %r is not %r" % (what, uid, found[uid], told))


def main():
    people = {name: token(URL, PASSWORDS, name) for name in ("engineer@company.example", "head@host.example")}
    engineer, head = people.values()
    me = json.loads(send("/me", engineer))
    own = [one for one in everything("/bookings", engineer) if one["booked_by"] == me["id"]]
    name = lambda one: one["instrument_name"]
    kinds = [
        ("own", engineer, own),
        ("unit", engineer, everything("/bookings", engineer)),
        ("desk", head, everything("/bookings", head)),
    ]
    for kind, bearer, bookings in kinds:
        address = json.loads(send("/calendar-tokens", bearer, {"name": "手机,日历", "kind": kind}))["url"]
        # The service may be known elsewhere by another name.
        address = URL + "/api" + address.split("/api", 1)[1]
        expect(kind, read(address), bookings, name)
    instrument = own[0]["instrument_id"]
    found = read("/instruments/%d/calendar.ics" % instrument)
    bookings = everything("/bookings?instrument_id=%d" % instrument, head)
    expect("instrument", found, bookings, lambda _: "占用")
    closures = everything("/instruments/%d/closures" % instrument, head)
    if not closures or not {"closure-%d" % one["id"] for one in closures if one["ends_at"]} <= set(found):
        raise SystemExit("closures %r are not all in %r" % (closures, found))
    print("calendars: both readers find the same %d events of an instrument" % len(found))


main()
