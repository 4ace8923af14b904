"""What one process knows of the replicas: each promise by itself. `test_fleet_model.py` tries them in any order."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

import pytest

from serve_app.domain.generation import Generate, LoadReport, Sampling
from serve_app.domain.routing import Decision
from serve_app.fleet import REPORT_TTL_S, TOKENS_PER_STREAM, Fleet

REPLICAS = ("r1", "r2", "r3")


class Time:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Tally:
    """`Counts` that can be asked."""

    def __init__(self) -> None:
        self.routes: Counter[str] = Counter()
        self.ejections = 0

    def decided(self, route: str) -> None:
        self.routes[route] += 1

    def ejected(self) -> None:
        self.ejections += 1


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
def fleet(time: Time, tally: Tally) -> Fleet:
    fleet = Fleet(time, counts=tally)
    fleet.renew(REPLICAS)
    return fleet


def a_request(name: str, session: str | None = "s", tokens: int = 0, join_key: str | None = None) -> Generate:
    return Generate(name, [1] * 2000, Sampling(), session, "demo", 30, uncached_tokens=tokens, join_key=join_key)


def sent(fleet: Fleet, request: Generate, avoid: tuple[str, ...] = ()) -> Decision:
    fleet.expect(request.request_id)
    decision = fleet.route(request, avoid)
    assert decision is not None
    return decision


def total(fleet: Fleet) -> float:
    return sum(fleet.loads().values())


def test_a_burst_sees_itself(fleet: Fleet) -> None:
    replicas = Counter(sent(fleet, a_request(f"{number}", session=None)).replica_id for number in range(30))
    assert replicas == dict.fromkeys(REPLICAS, 10)


def test_a_burst_from_many_threads_sees_itself(fleet: Fleet) -> None:
    threads = [
        threading.Thread(target=lambda n=number: [sent(fleet, a_request(f"{n}.{i}", session=None)) for i in range(30)])
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fleet.loads() == dict.fromkeys(REPLICAS, 80.0)


def test_a_session_goes_home_and_its_overflow_is_sticky(fleet: Fleet) -> None:
    decisions = [sent(fleet, a_request(f"{number}")) for number in range(50)]
    home = decisions[0]
    assert home.route == "home"
    by_route = {route: {d.replica_id for d in decisions if d.route == route} for route in ("home", "spilled")}
    assert by_route["home"] == {home.replica_id}
    assert len(by_route["spilled"]) == 1
    assert by_route["spilled"] != by_route["home"]


def test_what_waits_weighs_until_the_first_token(fleet: Fleet) -> None:
    sent(fleet, a_request("a", tokens=3 * TOKENS_PER_STREAM))
    assert total(fleet) == 4
    fleet.has_begun("a")
    fleet.has_begun("a")
    assert total(fleet) == 1
    fleet.ended("a")
    fleet.ended("a")
    assert total(fleet) == 0


def test_what_was_sent_already_waits_too(fleet: Fleet) -> None:
    sent(fleet, replace(a_request("a", tokens=TOKENS_PER_STREAM), sent_token_ids=(7,) * TOKENS_PER_STREAM))
    assert total(fleet) == 3


def test_a_heavy_request_goes_home_in_an_idle_fleet(fleet: Fleet) -> None:
    for number in range(6):
        assert sent(fleet, a_request(f"{number}", f"s{number}", tokens=50_000)).route == "home"
        fleet.ended(f"{number}")


def test_a_request_whose_caller_has_left_leaves_no_load(fleet: Fleet) -> None:
    """Its router, on a thread of its own, may come to it afterwards."""
    fleet.expect("late")
    fleet.ended("late")
    assert fleet.route(a_request("late")) is None
    fleet.routed("late", "r1")
    fleet.has_begun("late")
    assert total(fleet) == 0
    assert fleet.decision("late") is None


def test_asked_again_it_decides_anew_and_counts_once(fleet: Fleet, tally: Tally) -> None:
    home = sent(fleet, a_request("a"))
    again = fleet.route(a_request("a"), avoid=(home.replica_id,))
    assert again is not None
    assert again.replica_id != home.replica_id
    assert fleet.loads() == {**dict.fromkeys(REPLICAS, 0.0), again.replica_id: 1.0}
    assert fleet.decision("a") == again
    fleet.routed("a", again.replica_id)
    assert tally.routes == {"spilled": 1}


def test_it_was_sent_when_it_was_decided_last(fleet: Fleet, time: Time) -> None:
    home = sent(fleet, a_request("a")).replica_id
    time.now_s = 3.0
    assert fleet.sent_to("a", before=1.0) == home
    fleet.route(a_request("a"))
    assert fleet.sent_to("a", before=1.0) is None
    assert fleet.sent_to("a", before=3.0) == home
    fleet.ended("a")
    assert fleet.sent_to("a", before=3.0) is None


def test_with_all_avoided_there_is_none_and_then_there_is(fleet: Fleet) -> None:
    fleet.expect("a")
    assert fleet.route(a_request("a"), avoid=REPLICAS) is None
    fleet.renew((*REPLICAS, "r4"))
    assert fleet.route(a_request("a"), avoid=REPLICAS) == Decision("r4", "spilled")


def test_a_replica_without_a_slot_passes_it_on(fleet: Fleet, tally: Tally) -> None:
    home = sent(fleet, a_request("a", tokens=TOKENS_PER_STREAM)).replica_id
    other = next(replica for replica in REPLICAS if replica != home)
    fleet.routed("a", other)
    assert fleet.decision("a") == Decision(other, "spilled")
    assert fleet.loads() == {**dict.fromkeys(REPLICAS, 0.0), other: 2.0}
    fleet.ended("a")
    assert total(fleet) == 0
    assert tally.routes == {"spilled": 1}


def test_an_ejected_replica_gets_nothing_until_it_is_readmitted(fleet: Fleet, tally: Tally) -> None:
    home = sent(fleet, a_request("a")).replica_id
    fleet.eject(home)
    fleet.eject(home)
    assert tally.ejections == 1
    assert fleet.ejected() == {home}
    assert fleet.admitted() == set(REPLICAS) - {home}
    assert sent(fleet, a_request("b")).replica_id != home
    fleet.readmit(home)
    assert not fleet.ejected()
    assert fleet.loads()[home] == 1
    assert sent(fleet, a_request("c")) == Decision(home, "home")


def test_an_ejected_replica_that_is_replaced_is_forgotten(fleet: Fleet) -> None:
    sent(fleet, a_request("a", session=None))
    for replica in REPLICAS:
        fleet.eject(replica)
    fleet.renew(("r2", "r3", "r4"))
    assert fleet.ejected() == {"r2", "r3"}
    assert fleet.admitted() == {"r4"}
    fleet.renew(REPLICAS)
    assert fleet.ejected() == {"r2", "r3"}, "one that comes back begins anew"
    fleet.eject("r9")
    assert fleet.ejected() == {"r2", "r3"}, "nobody knows it"


def test_streams_at_a_replica_that_is_gone_for_a_while_are_not_forgotten(fleet: Fleet) -> None:
    home = sent(fleet, a_request("a")).replica_id
    fleet.renew(set(REPLICAS) - {home})
    assert total(fleet) == 0
    fleet.renew(REPLICAS)
    assert fleet.loads()[home] == 1
    fleet.ended("a")
    assert total(fleet) == 0


def test_what_others_sent_counts_until_it_is_old(fleet: Fleet, time: Time) -> None:
    fleet.report(LoadReport("r1", seq=5, streams=3, waiting_tokens=2 * TOKENS_PER_STREAM))
    assert fleet.loads()["r1"] == 5
    fleet.report(LoadReport("r1", seq=4, streams=9, waiting_tokens=0))
    fleet.report(LoadReport("r1", seq=5, streams=9, waiting_tokens=0))
    assert fleet.loads()["r1"] == 5
    time.now_s = REPORT_TTL_S / 2
    fleet.report(LoadReport("r2", seq=1, streams=1, waiting_tokens=0))
    time.now_s = REPORT_TTL_S + 1
    assert fleet.loads() == {"r1": 0, "r2": 1, "r3": 0}
    fleet.report(LoadReport("r1", seq=3, streams=9, waiting_tokens=0))
    assert fleet.loads()["r1"] == 0, "a late one stays old"
    fleet.report(LoadReport("r1", seq=6, streams=2, waiting_tokens=0))
    assert fleet.loads()["r1"] == 2


def test_a_report_of_a_replica_that_is_gone_says_nothing(fleet: Fleet) -> None:
    fleet.report(LoadReport("r9", seq=1, streams=3, waiting_tokens=0))
    fleet.report(LoadReport("r1", seq=1, streams=3, waiting_tokens=0))
    fleet.renew(("r2", "r3"))
    fleet.renew((*REPLICAS, "r9"))
    assert total(fleet) == 0


def test_a_join_weighs_nothing_and_follows_its_generation(fleet: Fleet, tally: Tally) -> None:
    first = sent(fleet, a_request("0", "q", tokens=TOKENS_PER_STREAM, join_key="q"))
    for number in range(1, 500):
        assert sent(fleet, a_request(f"{number}", "q", tokens=TOKENS_PER_STREAM, join_key="q")) == Decision(
            first.replica_id, "joined"
        )
        fleet.routed(f"{number}", first.replica_id)
    assert total(fleet) == 2
    assert tally.routes == {"joined": 499}


def test_a_generation_weighs_until_its_last_sharer_has_ended(fleet: Fleet) -> None:
    """Its leader's client may leave first."""
    for name in "abc":
        sent(fleet, a_request(name, "q", tokens=TOKENS_PER_STREAM, join_key="q"))
    fleet.ended("a")
    assert total(fleet) == 2
    fleet.has_begun("b")
    assert total(fleet) == 1
    fleet.ended("c")
    assert total(fleet) == 1
    fleet.ended("b")
    assert total(fleet) == 0
    sent(fleet, a_request("d", "q", tokens=TOKENS_PER_STREAM, join_key="q"))
    assert total(fleet) == 2, "it begins anew"


def test_a_generation_at_a_replica_that_was_left_is_not_joined(fleet: Fleet) -> None:
    home = sent(fleet, a_request("a", "q", join_key="q")).replica_id
    sent(fleet, a_request("b", "q", join_key="q"))
    fleet.eject(home)
    heir = sent(fleet, a_request("c", "q", join_key="q")).replica_id
    assert heir != home
    assert sent(fleet, a_request("d", "q", join_key="q")).replica_id == heir
    fleet.ended("a")
    fleet.ended("b")
    assert sent(fleet, a_request("e", "q", join_key="q")).replica_id == heir
    assert total(fleet) == 1


def test_a_join_without_a_slot_leads_where_it_arrives(fleet: Fleet, tally: Tally) -> None:
    home = sent(fleet, a_request("a", "q", join_key="q")).replica_id
    sent(fleet, a_request("b", "q", join_key="q"))
    other = next(replica for replica in REPLICAS if replica != home)
    fleet.routed("b", other)
    assert fleet.loads()[other] == 1
    assert tally.routes == {"spilled": 1}
    fleet.ended("b")
    fleet.ended("a")
    assert total(fleet) == 0
