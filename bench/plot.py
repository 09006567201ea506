"""Draws the CPU of each request from a result file: python bench/plot.py RESULTS.json PLOT.svg

With --throughput: how many requests a second.

One group of bars for each row of the benchmark, one bar for each loop, user and kernel time apart.
The pages of docs/ show what it draws.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

WIDTH = 720
LABELS_END = 150
FIGURES_START = 650
BAR_HEIGHT = 14
BAR_GAP = 3
GROUP_GAP = 22
TOP = 56
BOTTOM = 34
TEXT = "#222222"
QUIET = "#777777"
COLOURS = {"rloop": "#c2571a", "tokio": "#c2571a", "rloop+aiofastnet": "#dd9a5f"}
COLOUR_OF_OTHERS = "#6f8fb5"
KERNEL_OPACITY = 0.45


@dataclass(frozen=True)
class Bar:
    """One loop in one row, in microseconds of CPU for each request, or in requests a second."""

    loop: str
    total: float  # the median of its own, so not quite the sum of these, which may be unknown
    user: float = 0
    kernel: float = 0

    @property
    def length(self) -> float:
        return self.user + self.kernel or self.total


def throughputs(results: dict[str, Any]) -> dict[str, list[Bar]]:
    found: dict[str, list[Bar]] = {}
    for cell in results["cells"]:
        median = cell["median"]
        if median and "requests_per_second" in median:
            bar = Bar(cell["loop"], median["requests_per_second"])
            found.setdefault(cell["row"], []).append(bar)
    return found


def groups(results: dict[str, Any]) -> dict[str, list[Bar]]:
    found: dict[str, list[Bar]] = {}
    for cell in results["cells"]:
        median = cell["median"]
        if median and "total_us" in median:
            times = (median.get(f"{kind}_us", 0) for kind in ("total", "user", "kernel"))
            bar = Bar(cell["loop"], *times)
            found.setdefault(cell["row"], []).append(bar)
    return found


def text(x: float, y: float, content: str, **attributes: object) -> str:
    given = {"fill": TEXT, "font_size": 12, **attributes}
    options = " ".join(f'{name.replace("_", "-")}="{value}"' for name, value in given.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" {options}>{escape(content)}</text>'


def box(x: float, y: float, width: float, colour: str, opacity: float = 1) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{BAR_HEIGHT}" '
        f'fill="{colour}" fill-opacity="{opacity}"/>'
    )


def draw_group(row: str, bars: Sequence[Bar], top: float, unit: str) -> Iterator[str]:
    """Each group has a scale of its own: rows differ by a factor of ten."""
    scale = (FIGURES_START - LABELS_END - 10) / max(bar.length for bar in bars)
    yield text(12, top, row, font_weight="bold")
    for index, bar in enumerate(bars):
        y = top + 8 + index * (BAR_HEIGHT + BAR_GAP)
        baseline = y + BAR_HEIGHT - 3
        colour = COLOURS.get(bar.loop, COLOUR_OF_OTHERS)
        yield text(LABELS_END - 8, baseline, bar.loop, text_anchor="end")
        dark = bar.length - bar.kernel
        yield box(LABELS_END, y, dark * scale, colour)
        yield box(LABELS_END + dark * scale, y, bar.kernel * scale, colour, KERNEL_OPACITY)
        yield text(FIGURES_START, baseline, unit.format(bar.total))


def draw(results: dict[str, Any], throughput: bool) -> str:
    python = next(v["python"] for v in results["versions"].values() if "python" in v)
    machine = results["machine"]
    top: float = TOP
    found = throughputs(results) if throughput else groups(results)
    is_split = any(bar.kernel for bars in found.values() for bar in bars)
    title = "Requests a second" if throughput else "CPU of the server for each request"
    unit = "{:,.0f}" if throughput else "{:.1f} µs"
    shades = "dark: user, light: kernel" if is_split else "user and kernel together"
    better = "longer is better" if throughput else f"{shades}; shorter is better"
    parts = [
        text(12, 24, f"{title}, {python}", font_size=15),
        text(12, 40, better, fill=QUIET, font_size=11),
    ]
    for row, bars in found.items():
        parts += draw_group(row, bars, top + 12, unit)
        top += 8 + len(bars) * (BAR_HEIGHT + BAR_GAP) + GROUP_GAP
    note = (
        f"{results['date'][:10]}, {machine['processor']}, {machine['cores']} cores, median of turns"
    )
    parts.append(text(12, top + 12, note, fill=QUIET, font_size=11))
    height = top + BOTTOM
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
            'font-family="sans-serif" role="img">',
            f'<rect width="{WIDTH}" height="{height:.0f}" rx="6" fill="#ffffff"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("plot", type=Path)
    parser.add_argument("--throughput", action="store_true")
    options = parser.parse_args()
    options.plot.write_text(draw(json.loads(options.results.read_text()), options.throughput))


if __name__ == "__main__":
    main()
