"""What the phrases of a text come to: a score for each category, in the stretch of text where it is highest.

A person who sells writes what he sells, its price and how to reach him, in a few lines. Who writes about it (a statute,
the news, a report) writes of law, courts and police in the same lines. So phrases count in windows of a few hundred
words, trade beside them adds, and talk of law and order takes away.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from filters._content.hits import LONGEST, Hit
from filters._content.lexicon import Context, Group, Lexicon

WINDOW = 1_600
"""Characters weighed together: three hundred Vietnamese words, a page of a letter."""

STEP = 800

CHARACTERS_A_WORD = 5
"""Of Vietnamese, with the space: `within` is in words."""

FURTHER = 0.5
"""What each further phrase of a group counts of its weight."""

DAMPING = 0.5
"""How much one weight of reporting takes away: the score is divided by 1 + DAMPING times the sum."""


@dataclass(frozen=True, slots=True)
class Score:
    """What a category comes to in one text: its score, and the phrases that made it."""

    lexicon: Lexicon
    value: float
    hits: tuple[Hit, ...]
    reporting: float
    trade: float


def reach(groups: Iterable[Group]) -> int:
    """Characters on each side of a phrase within which anything else matters to its score."""
    return max(WINDOW + STEP, *(group.within * CHARACTERS_A_WORD for group in groups)) + LONGEST


def scores(hits: Sequence[Hit], owners: Mapping[int, Lexicon], context: Context) -> Iterator[Score]:
    """The highest score of each category whose phrases stand in the text. `owners` has each group's lexicon by id;
    phrases of a group that nobody owns are those that others must not stand near."""
    trade_groups, reporting_groups = {id(one) for one in context.trade}, {id(one) for one in context.reporting}
    topics: dict[int, list[Hit]] = defaultdict(list)
    trade: list[Hit] = []
    reporting: list[Hit] = []
    unless: dict[str, list[int]] = defaultdict(list)
    for hit in sorted(hits, key=lambda one: one.start):
        if id(hit.group) in trade_groups:
            trade.append(hit)
        elif id(hit.group) in reporting_groups:
            reporting.append(hit)
        elif id(hit.group) in owners:
            topics[id(owners[id(hit.group)])].append(hit)
        else:
            unless[hit.phrase].append(hit.start)
    trade_at, reporting_at = [hit.start for hit in trade], [hit.start for hit in reporting]
    for topic in topics.values():
        lexicon = owners[id(topic[0].group)]
        found = list(_counted(topic, unless))
        found_at = [hit.start for hit in found]
        best: Score | None = None
        for start in sorted({at // STEP * STEP for place in found_at for at in (place, max(place - STEP, 0))}):
            score = _window(
                lexicon,
                _within(found, found_at, start),
                _within(trade, trade_at, start),
                _within(reporting, reporting_at, start),
            )
            if best is None or score.value > best.value:
                best = score
        if best is not None and best.value > 0:
            yield best


def _window(lexicon: Lexicon, found: list[Hit], trade: list[Hit], reporting: list[Hit]) -> Score:
    value = _sum(found)
    for_trade = _sum(trade) * lexicon.trade if found else 0.0
    against = _sum(reporting) * lexicon.reporting
    return Score(lexicon, (value + for_trade) / (1 + DAMPING * against), tuple(found), against, for_trade)


def _counted(found: list[Hit], unless: Mapping[str, list[int]]) -> Iterator[Hit]:
    """Those that meet the conditions of their groups."""
    places: dict[str, list[int]] = defaultdict(list)
    for hit in found:
        places[hit.group.name].append(hit.start)
    for hit in found:
        reach = hit.group.within * CHARACTERS_A_WORD
        if hit.group.near and not any(_any_within(places[name], hit, reach) for name in hit.group.near):
            continue
        if any(_any_within(unless[phrase], hit, reach) for phrase in hit.group.unless_near if phrase in unless):
            continue
        if hit.group.min_count > 1 and len(places[hit.group.name]) < hit.group.min_count:
            continue
        yield hit


def _any_within(places: list[int], hit: Hit, reach: int) -> bool:
    return bisect_left(places, hit.start - reach) < bisect_right(places, hit.stop + reach)


def _sum(hits: Iterable[Hit]) -> float:
    """Each group's phrases together: the first in full, further different ones by half, up to its most."""
    phrases: dict[int, tuple[Group, set[str]]] = {}
    for hit in hits:
        phrases.setdefault(id(hit.group), (hit.group, set()))[1].add(hit.phrase)
    total = 0.0
    for group, different in phrases.values():
        most = group.most if group.most is not None else 3 * group.weight
        total += min(group.weight * (1 + FURTHER * (len(different) - 1)), most)
    return total


def _within(hits: list[Hit], starts: list[int], start: int) -> list[Hit]:
    return hits[bisect_left(starts, start) : bisect_left(starts, start + WINDOW)]
