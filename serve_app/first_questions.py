"""Understanding as a process of ours does it: with the packaged classifier and language detector, each tenant's ids and day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from serve_app.adapters.language import FastTextDetector
from serve_app.adapters.linear_classifier import LinearClassifier, load_utterances
from serve_app.domain.id_formats import Formats, IdFormat
from serve_app.domain.question import Focus, Understanding
from serve_app.domain.understanding import RememberingUnderstander, Understander
from serve_app.domain.wording import today
from serve_app.tenant_settings import TenantSettings


def make_understander() -> Understander:
    """Trains the classifier, which takes a second or two."""
    classifier = LinearClassifier.train(load_utterances())
    return RememberingUnderstander(classifier.classify, FastTextDetector().detect)


def formats_of(settings: TenantSettings) -> Formats:
    return Formats(IdFormat(settings.shop.order_id_pattern), IdFormat(settings.shop.sku_id_pattern))


class FirstQuestions:
    """Understands a text as a tenant's customer is understood who begins with it. `make` is called when there is something to
    understand; `now` gives aware instants."""

    def __init__(
        self, tenants: Mapping[str, TenantSettings], make: Callable[[], Understander], now: Callable[[], datetime]
    ) -> None:
        self._tenants = tenants
        self._make = make
        self._now = now
        self._made: Understander | None = None

    def __call__(self, tenant: str, text: str) -> Understanding:
        self._made = self._made or self._make()
        settings = self._tenants[tenant]
        day = today(self._now(), settings.shop.time_zone)
        return self._made.understand(text, Focus(), day, formats=formats_of(settings))
