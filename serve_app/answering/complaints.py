"""How many answers one customer may have set aside: a thumb down takes an answer away from everybody, so it is rationed."""

from __future__ import annotations

import logging

from cachetools import TTLCache

from serve_app.domain.aside import Complaint
from serve_app.domain.messages import Caller
from serve_app.ports import Clock, SetAsides

logger = logging.getLogger(__name__)

WINDOW_S = 3600.0
OF_A_CUSTOMER_MAX = 10
# Whoever names no customer can begin as many conversations as he likes, so all of them have one ration together.
OF_STRANGERS_MAX = 100
# Of so many customers a process knows what they complained of.
CUSTOMERS_KNOWN = 10_000


class Complaints:
    """Takes complaints to the record, within this process's rations of an hour. Ratings are kept in any case."""

    def __init__(self, set_asides: SetAsides, clock: Clock) -> None:
        self._set_asides = set_asides
        self._heard: TTLCache[tuple[str, str | None], set[str]] = TTLCache(CUSTOMERS_KNOWN, WINDOW_S, timer=clock.monotonic)

    async def hear(self, caller: Caller, answer_id: str, complaint: Complaint) -> bool:
        """Whether it was taken. The same answer, rated again, is one complaint. Raises StoreFailed: it may be told again."""
        heard = self._heard.setdefault((caller.tenant, caller.customer_id), set())
        if answer_id in heard:
            return False
        if len(heard) >= (OF_STRANGERS_MAX if caller.customer_id is None else OF_A_CUSTOMER_MAX):
            logger.warning(
                "tenant %s: more complaints than one customer may have, %s is not set aside", caller.tenant, answer_id
            )
            return False
        heard.add(answer_id)
        try:
            taken = await self._set_asides.complain(caller.tenant, complaint)
        except BaseException:
            heard.discard(answer_id)
            raise
        if not taken:
            logger.warning(
                "tenant %s: as much is set aside as may be, look at it: zerowait knowledge aside list", caller.tenant
            )
        return taken
