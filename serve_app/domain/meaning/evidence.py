"""The evidence of many wordings: when an entry has been asked for in so many ways that a new one is surely another of them.

The thresholds were chosen within the train parts of Banking77 and CLINC150 (benchmarks/records/cache_truth.md): by folds, and
by questions whose entry was left out, of which at most one in a hundred was to be answered.
"""

from __future__ import annotations

from dataclasses import dataclass

# Wordings of one entry in one language; with fewer, nearness proves nothing.
WORDINGS_MIN = 20
# Entries with so many wordings: a classifier among fewer has nothing to compare.
ENTRIES_MIN = 3
NEAREST = 12  # wordings that must all be the entry's
CHANCE_MIN = 0.9
MARGIN_MIN = 0.02  # of the nearest wording over every other entry's nearest, in cosine
CLOSENESS_MIN = 0.25


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for one entry, apart from the words: those the gates compare, when this is enough."""

    wordings: int  # in the question's language
    nearest: int  # of the wordings nearest to the question, in order, so many are the entry's before the first that is not
    chance: float  # that a classifier over all published wordings gives it
    margin: float  # how much nearer its nearest wording is than that of any other entry
    closeness: float  # of the entry's wordings, such a share lies no nearer to any other of them than the question does


def is_confirmed(evidence: Evidence) -> bool:
    """Whether an entry with a wording of the same words is meant; where a classifier knows better, it has to agree."""
    return evidence.wordings < WORDINGS_MIN or evidence.chance >= CHANCE_MIN


def is_enough(evidence: Evidence, chance_min: float = CHANCE_MIN) -> bool:
    """Whether the entry is meant if one of its wordings near by agrees in every particular."""
    return (
        evidence.wordings >= WORDINGS_MIN
        and evidence.nearest >= NEAREST
        and evidence.chance >= chance_min
        and evidence.margin >= MARGIN_MIN
        and evidence.closeness >= CLOSENESS_MIN
    )
