"""Rate against the 99th percentile of the times to the first token, as an SVG file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 860, 480
LEFT, RIGHT, TOP, BOTTOM = 70, 210, 50, 60
LOWEST_MS, HIGHEST_MS = 50.0, 20_000.0
TICKS_MS = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)
COLOURS = ("#c2410c", "#1d4ed8", "#047857", "#6d28d9", "#a16207", "#be185d", "#475569", "#0e7490")


def plot(title: str, curves: Mapping[str, Sequence[tuple[float, float]]], objective_ms: float) -> str:
    """`curves`: by name, points of questions a second and milliseconds; what is infinite is drawn at the top."""
    rates = [rate for points in curves.values() for rate, _ in points]
    lowest, highest = min(rates), max(rates)

    def x(rate: float) -> float:
        return LEFT + (rate - lowest) / ((highest - lowest) or 1.0) * (WIDTH - LEFT - RIGHT)

    def y(ms: float) -> float:
        ms = min(max(ms, LOWEST_MS), HIGHEST_MS)
        return HEIGHT - BOTTOM - math.log(ms / LOWEST_MS) / math.log(HIGHEST_MS / LOWEST_MS) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="24" font-size="15">{escape(title)}</text>',
    ]
    for tick in TICKS_MS:
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#e5e7eb"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for number in range(6):
        rate = lowest + (highest - lowest) * number / 5
        parts.append(f'<text x="{x(rate):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{rate:.0f}</text>')
    at = y(objective_ms)
    parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="#111" stroke-dasharray="5 4"/>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 14}" text-anchor="middle">questions a second, whole fleet</text>')
    parts.append(f'<text x="{LEFT}" y="{TOP - 8}">TTFT p99, ms</text>')
    for points, colour in zip(curves.values(), COLOURS, strict=False):
        line = " ".join(f"{x(rate):.1f},{y(ms):.1f}" for rate, ms in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
    for number, (name, colour) in enumerate(zip(curves, COLOURS, strict=False)):
        top = TOP + 20 * number
        parts.append(f'<rect x="{WIDTH - RIGHT + 16}" y="{top}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 34}" y="{top + 11}">{escape(name)}</text>')
    return "\n".join((*parts, "</svg>\n"))
