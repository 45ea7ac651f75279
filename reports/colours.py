"""One hue per scenario from calm blue to severe brick, the same in every chart, readable on paper and screen."""

from reports.parts import Scenario

THREE = ("#3B6EA5", "#C08A2B", "#8C2226")  # of grey values 101, 143 and 66: apart on grey paper too
ANCHORS = ("#3B6EA5", "#6F9FA0", "#C08A2B", "#B8623A", "#A63D40")
LIGHTEST, DARKEST = 135.0, 65.0  # grey values of the calmest and the most severe
INK, MUTED, FAINT = "#333333", "#6B6B6B", "#D9D9D9"
SHAPES = (
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "cross",
)  # a second sign beside the hue, for grey prints
PAPER, NIGHT = "#FFFFFF", "#16191D"
READABLE = 4.5  # contrast of small text against its ground, WCAG 2.2


def palette(count: int) -> tuple[str, ...]:
    """One colour per scenario, calm first.

    Any other number than three runs along the same hues while the grey value falls in equal steps, so that a
    grey print keeps them apart.
    """
    if count == len(THREE):
        return THREE
    steps = [i / (count - 1) for i in range(count)]
    return tuple(_with_grey(_along(t), LIGHTEST + (DARKEST - LIGHTEST) * t) for t in steps)


def hues(scenarios: tuple[Scenario, ...]) -> dict[str, str]:
    """The colour of every scenario by its id."""
    return dict(zip((s.id for s in scenarios), palette(len(scenarios)), strict=True))


def for_text(colour: str, ground: str = PAPER) -> str:
    """The colour moved just far enough from its ground to be read as small text."""
    goal = (0, 0, 0) if _luminance(ground) > 0.5 else (255, 255, 255)
    for step in range(21):
        moved = _hex(_mix(_rgb(colour), goal, step / 20))
        if contrast(moved, ground) >= READABLE:
            return moved
    raise AssertionError("black or white is always readable")


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((_luminance(a), _luminance(b)))
    return (high + 0.05) / (low + 0.05)


def grey(colour: str) -> float:
    """Grey value 0 to 255 as a black-and-white print shows it (ITU-R BT.601)."""
    r, g, b = _rgb(colour)
    return 0.299 * r + 0.587 * g + 0.114 * b


def _along(t: float) -> tuple[float, float, float]:
    place = t * (len(ANCHORS) - 1)
    i = min(int(place), len(ANCHORS) - 2)
    return _mix(_rgb(ANCHORS[i]), _rgb(ANCHORS[i + 1]), place - i)


def _with_grey(rgb: tuple[float, float, float], value: float) -> str:
    """The colour scaled towards black or mixed towards white until its grey value is `value`."""
    now = grey(_hex(rgb))
    return _hex(
        _mix(rgb, (0, 0, 0), 1 - value / now)
        if value < now
        else _mix(rgb, (255, 255, 255), (value - now) / (255 - now))
    )


def _mix(
    a: tuple[float, float, float], b: tuple[float, float, float], t: float
) -> tuple[float, float, float]:
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t)


def _rgb(colour: str) -> tuple[float, float, float]:
    return (int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16))


def _hex(rgb: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(part):02X}" for part in rgb)


def _luminance(colour: str) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    parts = [part / 255 for part in _rgb(colour)]
    r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
