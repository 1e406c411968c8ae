"""A company books, uses and pays through the generated client alone: story.py URL PASSWORDS.

Every answer is what the document says it is, or its class would not be what is asked for here. What the story leaves
behind (a service, a closure, an invoice …) is there for whoever tries the service next."""

import datetime
import sys
import time

from people import password
from yiqi_client import AuthenticatedClient, Client
from yiqi_client.api.auth import session_open
from yiqi_client.api.bookings import (
    booking_check,
    booking_finish,
    booking_get,
    booking_list,
    booking_request,
    booking_start,
)
from yiqi_client.api.charges import charge_get, charge_list, charge_pay
from yiqi_client.api.instruments import (
    booking_rules_get,
    booking_rules_update,
    closure_create,
    instrument_list,
    service_create,
)
from yiqi_client.api.invoices import invoice_create
from yiqi_client.api.me import me_read
from yiqi_client.api.organizations import member_invite
from yiqi_client.api.payments import payment_receive
from yiqi_client.api.usage_records import usage_record_list
from yiqi_client.models import (
    BookingMode,
    BookingPurpose,
    BookingShape,
    BookingState,
    ChargeShape,
    ChargeState,
    CheckShape,
    ClosureBody,
    ClosureKind,
    EmptyBody,
    FinishBody,
    InviteBody,
    InvoiceBody,
    LoginBody,
    PaymentBody,
    PaymentSource,
    Problem,
    RequestBody,
    Role,
    ServiceBody,
)

URL, PASSWORDS = sys.argv[1:]
FIVE = datetime.timedelta(minutes=5)


def sign_in(email):
    body = LoginBody(email=email, password=password(PASSWORDS, email))
    tokens = session_open.sync(client=Client(URL), body=body)
    return AuthenticatedClient(URL, token=tokens.access_token, raise_on_unexpected_status=True)


def expect(kind, answer):
    if not isinstance(answer, kind):
        raise SystemExit("expected %s, got %r" % (kind.__name__, answer))
    return answer


def prepare(head, instrument_id):
    """The host sets up in the five minutes before each booking, offers a service, announces a closure, invites."""
    rules = booking_rules_get.sync(instrument_id, client=head)
    rules.slot_minutes = rules.setup_minutes = 5
    booking_rules_update.sync(instrument_id, client=head, if_match="*", body=rules)
    service = ServiceBody(test_item="能谱分析", unit="样品", price_fen=40000)
    service_create.sync(instrument_id, client=head, body=service)
    starts_at = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(days=200)
    closure = ClosureBody(
        kind=ClosureKind.MAINTENANCE, starts_at=starts_at, ends_at=starts_at + datetime.timedelta(days=2)
    )
    closure_create.sync(instrument_id, client=head, body=closure)
    own = me_read.sync(client=head).organization_id
    invitation = InviteBody(email="new@host.example", roles=[Role.INSTRUMENT_MANAGER])
    member_invite.sync(own, client=head, body=invitation)


def book(engineer, instrument_id):
    now = datetime.datetime.now(datetime.UTC)
    starts_at = now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0) + FIVE
    wish = RequestBody(
        instrument_id=instrument_id,
        starts_at=starts_at,
        ends_at=starts_at + 6 * FIVE,
        mode=BookingMode.SELF_OPERATED,
        purpose=BookingPurpose.RESEARCH,
    )
    check = expect(CheckShape, booking_check.sync(client=engineer, body=wish))
    if not check.bookable or check.quote is None:
        raise SystemExit("not bookable or without a price: %r" % check)
    send = lambda: booking_request.sync(client=engineer, body=wish, idempotency_key="story-1")
    booking = expect(BookingShape, send())
    if send().id != booking.id:
        raise SystemExit("the same request made two bookings")
    taken = expect(Problem, booking_request.sync(client=engineer, body=wish))
    if taken.code != "slot_taken" or taken.clash.starts_at != booking.blocked_from or len(taken.next_free) != 3:
        raise SystemExit("no clash and next free times: %r" % taken)
    return booking


def use(engineer, booking):
    started = booking_start.sync(booking.id, client=engineer, body=EmptyBody())
    if expect(BookingShape, started).state != BookingState.IN_PROGRESS:
        raise SystemExit("not started: %r" % started)
    # The shortest use there is: a whole minute.
    time.sleep(61)
    expect(BookingShape, booking_finish.sync(booking.id, client=engineer, body=FinishBody(samples=3)))
    finished = expect(BookingShape, booking_get.sync(booking.id, client=engineer))
    records = usage_record_list.sync(client=engineer, booking_id=[booking.id]).items
    if finished.state != BookingState.COMPLETED or finished.usage_record_ids != [records[0].id]:
        raise SystemExit("not recorded: %r, %r" % (finished, records))
    listed = booking_list.sync(client=engineer, state=[BookingState.COMPLETED]).items
    if [one.id for one in listed] != [booking.id]:
        raise SystemExit("not listed: %r" % listed)
    return records[0]


def pay(boss, finance, record):
    charges = charge_list.sync(client=finance, instrument_id=[record.instrument_id], limit=1).items
    charge = expect(ChargeShape, charges[0])
    if charge.usage_record_id != record.id or charge.amount_fen <= 0:
        raise SystemExit("not charged: %r" % charge)
    today = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).date()
    invoice = InvoiceBody(invoice_no="26132000000012345678", issued_on=today, charge_ids=[charge.id])
    invoice_create.sync(client=finance, body=invoice)
    payment = PaymentBody(amount_fen=charge.amount_fen, paid_on=today, source=PaymentSource.PAYER)
    declared = expect(ChargeShape, charge_pay.sync(charge.id, client=boss, body=payment))
    payment_receive.sync(declared.payments[0].id, client=finance, body=EmptyBody())
    paid = expect(ChargeShape, charge_get.sync(charge.id, client=boss))
    if paid.state != ChargeState.PAID or paid.outstanding_fen != 0:
        raise SystemExit("not paid: %r" % paid)


def main():
    engineer, boss = sign_in("engineer@company.example"), sign_in("boss@company.example")
    head, finance = sign_in("head@host.example"), sign_in("finance@host.example")
    host = me_read.sync(client=head).organization_id
    found = instrument_list.sync(client=engineer, organization=[host], limit=200).items
    instrument = [one for one in found if one.share_mode == "external"][0]
    prepare(head, instrument.id)
    record = use(engineer, book(engineer, instrument.id))
    pay(boss, finance, record)
    print("story: booked, used and paid %s" % instrument.name)


main()
