"""What templates may be written in: types, names, the sandbox."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.domain.errors import ConfigError
from serve_app.domain.messages import Language
from serve_app.domain.slots import compiled_choice, compiled_text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{parcel.etta}", "there is no slot parcel.etta: did you mean eta?"),
        ("{order.eta}", "there is no slot order.eta: an order has "),
        ("{parcl.eta}", "there is no 'parcl' here: did you mean parcel?"),
        ("{xyzzy}", "a template may name customer, order"),
        ("{% if parcel.is_late %}x{% else %}{parcel.typo}{% endif %}", "there is no slot parcel.typo"),
        ("{order.parcels}", "cannot print a list of parcels, as order.parcels is: go through it with {% for %}"),
        ("{order.parcels.label}", "order.parcels is a list of parcels"),
        ("{parcel}", "cannot print a parcel, as parcel is: print one of its slots, such as {parcel.label}"),
        ("{parcel.is_late}", "cannot print a condition"),
        ("{lost}", "cannot print a condition"),
        ("{order.total.minor}", "order.total is money and has no slots of its own"),
        ("{% for one in order.lines %}{one.eta}{% endfor %}", "there is no slot one.eta: a line has"),
        ("{% for one in order.title %}x{% endfor %}", "order.title is a text: {% for %} goes through a list"),
        ("{% for a, b in order.lines %}x{% endfor %}", "one name for each"),
        ("{% for one in order.lines %}{loop.length}{% endfor %}", "there is no slot loop.length"),
        ("{one.title}{% for one in order.lines %}x{% endfor %}", "there is no 'one' here"),
        ("{order.total | length}", "`length` takes a list, and order.total is money"),
        ("{order.total | on}", "`on` takes a date or an instant, and order.total is money"),
        ("{parcel.eta | time}", "`time` takes an instant, and parcel.eta is a date"),
        ("{order.total_minor | money}", "`money` takes money, and order.total_minor is a number"),
        ("{order.parcels | plural('parcel')}", "`plural` takes a number, and order.parcels is a list of parcels"),
        ("{order.total_minor | plural}", "write `plural` as in"),
        ("{order.total_minor | plural(order.id)}", "write `plural` as in"),
        ("{order.parcels | length | plural(one='x')}", "write `plural` as in"),
        ("{order.lines | join}", "say which of their slots, such as {order.lines | join('title')}"),
        ("{order.lines | join('nothing')}", "there is no 'nothing' in order.lines"),
        ("{order.lines | join('after_sales')}", "`join` cannot print a list of after_sales"),
        ("{parcel.eta | shout}", "there is no filter 'shout': use length"),
        ("{order.id if order.is_open}", "say after `else`"),
        ("{order.total_minor / 'a'}", "may not stand in a template"),
        ("{order.total - order.deposit}", "order.total is money; only numbers are added"),
        ("{order.id ~ 'a'}", "may not stand in a template"),
        ("{% if order.id %}x{% endif %}", "order.id is a text, which is neither true nor false"),
        ("{% if order_count %}x{% endif %}", "write `order_count > 0`"),
        ("{% if order %}x{% endif %}", "write `order is defined`"),
        ("{parcel.eta", "unexpected"),
        ("{% if order.is_open %}x", "unexpected end"),
    ],
)
def test_a_slip_in_a_text_is_named(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as error:
        compiled_text(text, "en")
    assert complaint.lower() in str(error.value).lower()


@pytest.mark.parametrize(
    ("when", "complaint"),
    [
        ("order.total > 100", "order.total is money and 100 is a number: they cannot be compared so; order.total_minor is"),
        ("parcel.eta < '2026-11-22'", "parcel.eta is a date and '2026-11-22' is a text"),
        ("parcel.eta == parcel.delivered_at", "parcel.eta is a date and parcel.delivered_at is an instant"),
        ("order.state == 'shiped'", "order.state is never 'shiped': did you mean shipped?"),
        ("order.state in ('paid', 'gone')", "order.state is never 'gone'"),
        ("order.state < 'paid'", "cannot be compared so"),
        ("order.state == parcel.state", "order.state is a state and parcel.state is a state: they cannot be compared so"),
        ("order.state == 3", "order.state is a state and 3 is a number"),
        ("order.id == 3", "order.id is a text and 3 is a number"),
        ("order.is_open == 'yes'", "order.is_open is a condition and 'yes' is a text"),
        ("order.lines == order.parcels", "cannot be compared so"),
        ("order.state in order.parcels", "after `in` stands a list of values"),
        ("order.paid_at == none", "None may not stand here"),
        ("order.paid_at is none", "there is no test `is none`"),
        ("order_count > 1.5", "1.5 may not stand here"),
        ("parcel.stat == 'x'", "there is no slot parcel.stat: did you mean state?"),
        ("order.state ==", "condition"),
        ("order.is_open %}{% endif %}{% if order.is_open", "condition"),
        ("order.is_open %}x{% else %}y", "condition"),
    ],
)
def test_a_slip_in_a_condition_is_named(when: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as error:
        compiled_choice((when,))
    assert complaint in str(error.value)


@pytest.mark.parametrize(
    "when",
    [
        "lost",
        "late and not several_parcels",
        "partly_shipped or order.is_waiting_to_ship",
        "order.state in ('paid', 'shipped')",
        "order.freight_minor > 0 and order.freight < order.total",
        "parcel.estimated_date != parcel.promised_date",
        "order.parcels and order.parcels | length > 1",
        "'SF' in parcel.carrier",
        "orders_seen + 1 > order_count",
        "customer.points > -1",
        "parcel.latest.place is defined",
    ],
)
def test_what_fits_is_taken(when: str) -> None:
    compiled_choice((when,))


def test_chinese_needs_no_plural() -> None:
    with pytest.raises(ConfigError, match="Chinese has no plural"):
        compiled_text("{order.parcels | length | plural('parcel')}", "zh")


@pytest.mark.parametrize(
    "text",
    [
        "{order['id']}",
        "{order.id.upper()}",
        "{order.__class__}",
        "{order._fact}",
        "{order.id.__class__.__mro__}",
        "{order.model_dump()}",
        "{_scope}",
        "{_taken(1)}",
        "{self}",
        "{self.__dict__}",
        "{loop}",
        "{range(10)}",
        "{cycler.__init__.__globals__}",
        "{lipsum()}",
        "{namespace()}",
        "{'a' * 1000000000}",
        "{9 ** 9 ** 9}",
        "{'%s' % order.id}",
        "{'{0.__class__}'.format(order)}",
        "{order.id | attr('__class__')}",
        "{order.id | map('upper')}",
        "{order.lines | join('__class__')}",
        "{order.lines | join('_fact')}",
        "{order.lines | join('model_dump')}",
        "{[1, 2]}",
        "{ {'a': 1} }",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{% set order = 1 %}",
        "{% macro x() %}{% endmacro %}",
        "{% block x %}{% endblock %}",
        "{% filter length %}{% endfilter %}",
        "{% call x() %}{% endcall %}",
        "{% with x = 1 %}{% endwith %}",
        "{% for x in order.lines recursive %}{loop(x)}{% endfor %}",
        "{% for loop in order.lines %}x{% endfor %}",
        "{% for _scope in order.lines %}x{% endfor %}",
        "{% for a in orders %}{% for b in orders %}{% for c in orders %}{% for d in orders %}x" + "{% endfor %}" * 4,
        "{" + "(" * 5000 + "1" + ")" * 5000 + "}",
        "{" + "9" * 10_000 + "}",
        "{% if order.is_open %}" * 300 + "{% endif %}" * 300,
        "x" * 20_001,
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_but_slots_conditions_and_loops_may_stand_in_a_template(text: str, language: Language) -> None:
    with pytest.raises(ConfigError):
        compiled_text(text, language)


_WORDS = """
    { } {% %} {# #} if elif else endif for in endfor recursive is not defined none and or set raw endraw block macro include
    order parcel orders after_sale loop lost .state .eta .total .lines .parcels .__class__ .is_late | length join plural on
    ( ) [ ] , . - + * ** / % ~ : == != < > = 'paid' 'title' " ' 0 1 1.5 true false x _taken _scope 您
"""


@given(st.lists(st.sampled_from(_WORDS.split()), max_size=25).map(" ".join), st.sampled_from(["zh", "en"]))
def test_whatever_is_written_is_taken_or_refused_and_nothing_else_happens(text: str, language: Language) -> None:
    with contextlib.suppress(ConfigError):
        compiled_text(text, language)
    with contextlib.suppress(ConfigError):
        compiled_choice((text,))
