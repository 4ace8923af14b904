"""Replicas over time, as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from serve_app.scaling_simulation import Run

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 1000, 320, 44, 34, 28
COLOURS = ("#0b62d6", "#d9822b", "#8a8a8a", "#1f9d55")
# A point on the line.
MINUTES = 30


def svg(runs: Mapping[str, Run]) -> str:
    """Paid replicas, means of half hours; the first is drawn last, on top."""
    series = {name: _means(run) for name, run in runs.items()}
    most = 5 * (int(max(max(values) for values in series.values())) // 5 + 1)
    days = len(next(iter(runs.values())).minutes) // 1440
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *(_across(level, most) for level in range(0, most + 1, 10)),
        *(_day(day, days) for day in range(days)),
        *(_line(values, most, colour) for values, colour in reversed(list(zip(series.values(), COLOURS, strict=True)))),
        *(_name(index, name) for index, name in enumerate(series)),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _means(run: Run) -> list[float]:
    paid = [minute.paid for minute in run.minutes]
    return [fmean(paid[at : at + MINUTES]) for at in range(0, len(paid), MINUTES)]


def _y(value: float, most: int) -> float:
    return HEIGHT - BOTTOM - value / most * (HEIGHT - TOP - BOTTOM)


def _across(level: int, most: int) -> str:
    y = _y(level, most)
    return (
        f'<path d="M{LEFT} {y:.1f}H{WIDTH - 8}" stroke="#ddd"/>'
        f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#444">{level}</text>'
    )


def _day(day: int, days: int) -> str:
    width = (WIDTH - 8 - LEFT) / days
    return f'<text x="{LEFT + width * (day + 0.5):.1f}" y="{HEIGHT - 9}" text-anchor="middle" fill="#444">day {day + 1}</text>'


def _line(values: list[float], most: int, colour: str) -> str:
    width = (WIDTH - 8 - LEFT) / len(values)
    points = " ".join(f"{LEFT + width * (index + 0.5):.1f},{_y(value, most):.1f}" for index, value in enumerate(values))
    return f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{points}"/>'


def _name(index: int, name: str) -> str:
    x = LEFT + 230 * index
    return (
        f'<path d="M{x} 16h24" stroke="{COLOURS[index]}" stroke-width="3"/><text x="{x + 30}" y="20" fill="#222">{name}</text>'
    )
