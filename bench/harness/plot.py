"""Draws the young process: CPU since the start against requests, both in powers of ten."""

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

from harness.contenders import FLOOR
from harness.environments import OURS
from harness.life_rows import MARKS, YoungRow, at
from harness.results import Results
from harness.rows import Sample

WIDTH, HEIGHT = 420, 340  # of a row's field
LEFT, TOP, RIGHT, BOTTOM = 50, 40, 90, 45  # margins
SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
COLOURS = {
    FLOOR: "#999999",
    "asyncio": "#4477aa",
    "uvloop": "#228833",
    "zuvloop": "#aa3377",
    "rloop-rust": "#ccbb44",
    OURS: "#ee6677",
}
OTHER_COLOUR = "#66ccee"
LABEL_PIXELS = 13  # labels of lines that end side by side


def draw_young(path: Path, results: Results) -> None:
    """An SVG with a field for each row."""
    rows = list(dict.fromkeys(row for row, _ in results.cells if isinstance(row, YoungRow)))
    fields = []
    for index, row in enumerate(rows):
        curves = {
            loop: cell.median()
            for (other, loop), cell in results.cells.items()
            if other == row and cell.samples
        }
        fields.append(f'<g transform="translate({index * WIDTH} 0)">{field(row, curves)}</g>')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * len(rows)} {HEIGHT}" '
        'font-family="sans-serif" font-size="11">\n'
        '<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(fields) + "\n</svg>\n"
    )


def field(row: YoungRow, curves: dict[str, Sample]) -> str:
    values = [sample[at(mark)] for sample in curves.values() for mark in MARKS]
    low, high = bounds(values)
    parts = [text(LEFT, TOP - 20, f"{row.label}: CPU seconds since the start, by requests")]
    for seconds in SECONDS:
        if low <= seconds <= high:
            y = vertical(seconds, low, high)
            parts.append(line(LEFT, y, WIDTH - RIGHT, y))
            parts.append(text(LEFT - 5, y + 4, f"{seconds:g}", anchor="end"))
    for mark in MARKS:
        if math.log10(mark).is_integer():
            x = horizontal(mark)
            parts.append(line(x, TOP, x, HEIGHT - BOTTOM))
            parts.append(text(x, HEIGHT - BOTTOM + 16, f"{mark:,}", anchor="middle"))
    ends = {loop: vertical(sample[at(MARKS[-1])], low, high) for loop, sample in curves.items()}
    places = apart(sorted(ends, key=lambda loop: ends[loop]), ends)
    for loop, sample in curves.items():
        points = " ".join(
            f"{horizontal(mark):.1f},{vertical(sample[at(mark)], low, high):.1f}" for mark in MARKS
        )
        colour = COLOURS.get(loop, OTHER_COLOUR)
        width = 2.5 if loop == OURS else 1.5
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
        )
        parts.append(text(WIDTH - RIGHT + 5, places[loop] + 4, loop, colour=colour))
    return "\n".join(parts)


def bounds(values: Sequence[float]) -> tuple[float, float]:
    low = max((s for s in SECONDS if s <= min(values)), default=SECONDS[0])
    high = min((s for s in SECONDS if s >= max(values)), default=SECONDS[-1])
    return low, high


def horizontal(requests: float) -> float:
    share = math.log(requests / MARKS[0]) / math.log(MARKS[-1] / MARKS[0])
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def vertical(seconds: float, low: float, high: float) -> float:
    share = math.log(seconds / low) / math.log(high / low)
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def apart(loops: Sequence[str], ends: dict[str, float]) -> dict[str, float]:
    """Where labels go that would else lie on each other; from top to bottom."""
    places: dict[str, float] = {}
    lowest = -math.inf
    for loop in loops:
        lowest = places[loop] = max(ends[loop], lowest + LABEL_PIXELS)
    return places


def text(x: float, y: float, content: str, anchor: str = "start", colour: str = "#333333") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">'
        f"{escape(content)}</text>"
    )


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#dddddd"/>'
