"""Numbers as people read them: 12.1 KB is 12,100 bytes, 98.5 %, 10.4×; a missing one is a dash."""

from __future__ import annotations

import math
from typing import Any

MISSING = "–"
MINUS = "−"


def is_number(value: Any) -> bool:
    """True for a finite int or float; None, NaN, ±Inf, text and bool are no numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def format_bytes(count: float | None) -> str:
    """Bytes with decimal units: 812 B, 12.1 KB (1,000 bytes each), 3.4 MB."""
    if count is None or not is_number(count):
        return MISSING
    if count < 1000:
        return f"{count:.0f} B"
    for power, unit in ((1, "KB"), (2, "MB")):
        # 999,960 bytes would round to "1000.0 KB": it belongs to the next unit.
        if round(count / 1000**power, 1) < 1000:
            return f"{count / 1000**power:.1f} {unit}"
    return f"{count / 1e9:.1f} GB"


def format_count(count: int) -> str:
    """A count in at most seven characters: 1,536, 62,400, 10.8 M, 3.1 G."""
    if count < 1_000_000:
        return f"{count:,}"
    millions = round(count / 1e6, 1)
    return f"{millions:.1f} M" if millions < 1000 else f"{count / 1e9:.1f} G"


def format_percent(fraction: float | None, decimals: int = 1) -> str:
    """A fraction as per cent: 0.985 is 98.5 %."""
    if fraction is None or not is_number(fraction):
        return MISSING
    return f"{100 * fraction:.{decimals}f} %"


def accuracy_decimals(samples: int | None) -> int:
    """Decimals of a percentage at which one sample more or less can be seen, 1 to 3.

    360 samples: 1 (a sample is 0.28 points); 10,000 samples: 2.
    """
    if samples is None or samples < 1:
        return 1
    return min(3, max(1, math.ceil(math.log10(samples)) - 2))


def format_points(difference: float | None, decimals: int = 1) -> str:
    """A signed difference of two fractions in percentage points, without the word: −1.1, +0.3."""
    if difference is None or not is_number(difference):
        return MISSING
    text = f"{abs(100 * difference):.{decimals}f}"
    if float(text) == 0:
        return text
    return (MINUS if difference < 0 else "+") + text


def format_ratio(ratio: float | None) -> str:
    """How many times: 3.4×, 12.0×, 123×."""
    if ratio is None or not is_number(ratio):
        return MISSING
    return f"{ratio:.0f}×" if ratio >= 99.95 else f"{ratio:.1f}×"


def format_seconds(seconds: float | None) -> str:
    """A duration: 0.42 s, 34.1 s, 4 min 05 s, 1 h 12 min."""
    if seconds is None or not is_number(seconds):
        return MISSING
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def format_milliseconds(milliseconds: float | None) -> str:
    """A latency with up to three significant digits: 0.0123 ms, 1.25 ms, 340 ms."""
    if milliseconds is None or not is_number(milliseconds):
        return MISSING
    if milliseconds >= 99.95:
        return f"{milliseconds:,.0f} ms"
    return f"{milliseconds:.3g} ms"


def format_probability(p_value: float | None) -> str:
    """A p value with its sign: p = 0.22, p = 0.031, p < 0.001."""
    if p_value is None or not is_number(p_value):
        return MISSING
    if p_value < 0.001:
        return "p < 0.001"
    return f"p = {p_value:.2f}" if p_value >= 0.0995 else f"p = {p_value:.3f}"


def format_figure(value: Any) -> str:
    """Any setting or figure: floats with four significant digits, counts with separators."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else MISSING
    if isinstance(value, list | tuple):
        return ", ".join(format_figure(item) for item in value)
    return str(value)
