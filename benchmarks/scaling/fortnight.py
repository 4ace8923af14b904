"""A shop's fortnight, second by second: 2 to 15 November, with everything that a policy has to live through.

| what | when (+08:00) | how much |
|---|---|---|
| day and night | every day | peak to trough 6:1, at most about 900 questions/s; 35 % of them reach the model |
| weekends | Saturdays, Sundays | 15 % more, the morning later and flatter |
| wandering | always | 4 % (standard deviation), for about a quarter of an hour; each day 4 % of its own |
| a sale, announced | Friday 6th, 20:00 to 22:00 | 1.8 times |
| a day announced too small | Wednesday 11th | from midnight 6 times, an hour later 1.6 times; in truth 1.4 times that |
| a sale, announced | Saturday 14th, 10:00 to 12:00 | 1.7 times |
| a flushed cache, not announced | Tuesday 10th, 15:00 | the hit rate falls from 0.65 to 0; 63 % of it is back in 5 minutes |

Customers come within two minutes of a campaign's stroke. Questions are Poisson, hits binomial.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import numpy as np
from numpy.typing import NDArray

from serve_app.domain.scaling_policy import Occasion
from serve_app.scaling_simulation import Trace

Values = NDArray[np.float64]

ZONE = timezone(timedelta(hours=8))
STARTS = datetime(2026, 11, 2, tzinfo=ZONE)
DAYS = 14
SEED = 11
PEAK_PER_S = 900.0
HIT_RATE = 0.65
FLUSHED_AT = datetime(2026, 11, 10, 15, tzinfo=ZONE)
REFILL_S = 300.0
RAMP_S = 120.0
# Of the peak, at each full hour.
WORKDAY = (
    *(0.42, 0.28, 0.20, 0.17, 0.167, 0.18, 0.25, 0.38, 0.55, 0.72, 0.85, 0.90),
    *(0.82, 0.78, 0.80, 0.82, 0.80, 0.74, 0.72, 0.82, 0.95, 1.00, 0.88, 0.65),
)
WEEKEND = (
    *(0.46, 0.34, 0.25, 0.20, 0.18, 0.18, 0.21, 0.27, 0.38, 0.55, 0.72, 0.82),
    *(0.84, 0.82, 0.84, 0.86, 0.86, 0.82, 0.80, 0.86, 0.95, 1.00, 0.90, 0.68),
)


@dataclass(frozen=True)
class Campaign:
    """`times` the usual questions were announced; `surprise` times that many come."""

    starts: datetime
    ends: datetime
    times: float
    surprise: float = 1.0
    note: str = ""


SINGLES_DAY = datetime(2026, 11, 11, tzinfo=ZONE)
CAMPAIGNS = (
    Campaign(datetime(2026, 11, 6, 20, tzinfo=ZONE), datetime(2026, 11, 6, 22, tzinfo=ZONE), 1.8, note="Friday's sale"),
    Campaign(SINGLES_DAY, SINGLES_DAY + timedelta(hours=1), 6.0, 1.4, "Singles' Day, midnight"),
    Campaign(SINGLES_DAY + timedelta(hours=1), SINGLES_DAY + timedelta(hours=24), 1.6, 1.4, "Singles' Day"),
    Campaign(datetime(2026, 11, 14, 10, tzinfo=ZONE), datetime(2026, 11, 14, 12, tzinfo=ZONE), 1.7, note="Saturday's sale"),
)


def fortnight(days: int = DAYS, seed: int = SEED, step_s: int = 1) -> Trace:
    """Drawn second by second, whatever `step_s` is."""
    random = np.random.default_rng(seed)
    usual = _usual(days)
    wandering = _wandering(days, random)
    campaigns = np.ones(len(usual))
    for campaign in CAMPAIGNS:
        campaigns = np.maximum(campaigns, _effect(campaign, len(usual), campaign.times * campaign.surprise))
    questions = random.poisson(PEAK_PER_S * usual * wandering * campaigns)
    hits = random.binomial(questions, _hit_rate(len(usual)))
    questions, hits = questions.reshape(-1, step_s).mean(axis=1), hits.reshape(-1, step_s).mean(axis=1)
    rate = np.divide(hits, questions, out=np.zeros(len(questions)), where=questions > 0)
    return Trace(STARTS, questions.tolist(), rate.tolist(), step_s)


def calendar(answers_per_s: float) -> tuple[Occasion, ...]:
    """What an operator writes down beforehand: for each campaign the replicas for its busiest second, as announced."""
    usual = _usual(DAYS)
    return tuple(
        Occasion(
            campaign.starts,
            campaign.ends,
            math.ceil(PEAK_PER_S * (1.0 - HIT_RATE) * float(_announced(campaign, usual).max()) / answers_per_s),
            campaign.note,
        )
        for campaign in CAMPAIGNS
    )


def _announced(campaign: Campaign, usual: Values) -> Values:
    return (usual * _effect(campaign, len(usual), campaign.times))[_second(campaign.starts) : _second(campaign.ends)]


def _second(at: datetime) -> int:
    return int((at - STARTS).total_seconds())


def _usual(days: int) -> Values:
    """Of the peak, each second."""
    hours = [share for day in range(days) for share in _day(STARTS + timedelta(days=day))]
    hours.append(hours[0])
    return np.interp(np.arange(days * 86_400) / 3600, np.arange(len(hours)), hours)


def _day(day: datetime) -> tuple[float, ...]:
    is_weekend = day.weekday() >= 5
    return tuple(1.15 * share for share in WEEKEND) if is_weekend else WORKDAY


def _wandering(days: int, random: np.random.Generator) -> Values:
    minutes = days * 1440
    keep = math.exp(-1 / 15)
    steps = random.normal(0.0, 0.04 * math.sqrt(1 - keep * keep), minutes)
    level, levels = 0.0, np.empty(minutes)
    for minute, step in enumerate(steps.tolist()):
        level = keep * level + step
        levels[minute] = level
    day = np.repeat(random.normal(0.0, 0.04, days), 1440)
    return np.exp(np.interp(np.arange(minutes * 60) / 60, np.arange(minutes), levels + day))


def _effect(campaign: Campaign, seconds: int, times: float) -> Values:
    """From 1 to `times` within the ramp; back as slowly."""
    since = np.arange(seconds) - _second(campaign.starts)
    until = _second(campaign.ends) + RAMP_S - np.arange(seconds)
    return 1.0 + (times - 1.0) * np.clip(np.minimum(since, until) / RAMP_S, 0.0, 1.0)


def _hit_rate(seconds: int) -> Values:
    since = np.arange(seconds) - _second(FLUSHED_AT)
    return np.where(since < 0, HIT_RATE, HIT_RATE * (1.0 - np.exp(-np.maximum(since, 0) / REFILL_S)))
