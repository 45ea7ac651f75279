"""The tables of a backtest's page: what was gained, stream by stream and origin by origin, and how the fits went."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from forecast.backtest.pooling import ENSEMBLE
from forecast.backtest.telling import Told
from reports import words
from reports.document import Block, Column, Heading, Paragraph, Table
from reports.text import Sentence, Span, sentence

MAIN, MAIN_COUNTS = "markov-chain", "last-value-negative-binomial"  # the references to beat
SCORES: Mapping[str, str] = {
    "ign": "ignorance, bits",
    "rps": "ranked probability score",
    "brier": "Brier score",
    "crps_log": "CRPS of log counts",
    "twcrps_log": "CRPS of log counts above the threshold of bad months",
    "crps": "CRPS of counts",
    "ign_binned": "ignorance of binned counts, bits",
    "energy": "energy score of log counts",
    "variogram": "variogram score of log counts",
}


def by_horizon(found: Mapping[str, Any], name: str, what: str, scores: Sequence[str]) -> Iterator[Block]:
    """Mean scores of all, then what the ensemble gained, for each score."""
    for score in scores:
        yield from _means(found, name, what, score)
        yield from gains(found, name, what, score)


def _means(found: Mapping[str, Any], name: str, what: str, score: str) -> Iterator[Block]:
    """Mean scores of every forecaster by horizon, over all targets."""
    own = [m for m in found["means"] if m["what"] == what and m["score"] == score]
    if not own:
        return
    horizons = sorted({m["horizon"] for m in own})
    sums: dict[str, dict[int, tuple[float, int]]] = {}
    for m in own:
        total, n = sums.setdefault(m["model"], {}).get(m["horizon"], (0.0, 0))
        sums[m["model"]][m["horizon"]] = (total + m["mean"] * m["n"], n + m["n"])
    kinds = {m["model"]: m["kind"] for m in own}
    order = sorted(sums, key=lambda model: (("ensemble", "model", "reference").index(kinds[model]), model))
    rows = [
        (
            sentence(model),
            *(
                _cell(sums[model][h][0] / sums[model][h][1], decimals=3, note=f" ({sums[model][h][1]})")
                if h in sums[model]
                else sentence("–")
                for h in horizons
            ),
        )
        for model in order
    ]
    yield Table(
        key=f"{name}-{what}-{score}-means".replace(" ", "-"),
        caption=f"Mean {SCORES[score]}, lower is better (number of targets)",
        columns=(Column(title="Forecast"), *(Column(title=_ahead(h), numeric=True) for h in horizons)),
        rows=tuple(rows),
    )


def gains(found: Mapping[str, Any], name: str, what: str, score: str) -> Iterator[Block]:
    """What the ensemble gained over each reference, and each model over the main one: a column for each horizon."""
    every = [c for c in found["comparisons"] if (c["what"], c["score"], c["target"]) == (what, score, "all")]
    told = SCORES[score] if what in ("scenario", "counts") else f"{SCORES[score]}, {what}"
    ours = [(c["reference_name"], c) for c in every if c["model_name"] == ENSEMBLE]
    yield from _matrix(
        ours,
        f"{name}-{what}-{score}-gains",
        "Reference",
        f"What the ensemble gains over each reference: {told}",
    )
    for main in (MAIN, MAIN_COUNTS):
        singles = [
            (c["model_name"], c) for c in every if c["model_name"] != ENSEMBLE and c["reference_name"] == main
        ]
        yield from _matrix(
            singles, f"{name}-{what}-{score}-models", "Model", f"What each model gains over {main}: {told}"
        )


def _matrix(
    cells: Sequence[tuple[str, Mapping[str, Any]]], key: str, head: str, caption: str
) -> Iterator[Block]:
    """Gains in rows by name and columns by horizon, in the unit of the score; bold where the interval excludes nought."""
    if not cells:
        return
    horizons = sorted({c["horizon"] for _, c in cells})
    rows = {row: {c["horizon"]: c for name, c in cells if name == row} for row, _ in cells}
    numbers = {h: {c["n"] for _, c in cells if c["horizon"] == h} for h in horizons}
    yield Table(
        key=key.replace(" ", "-"),
        caption=caption,
        columns=(Column(title=head), *(Column(title=_ahead(h), numeric=True) for h in horizons)),
        rows=tuple(
            (sentence(row), *(_gain(found[h]) if h in found else sentence("–") for h in horizons))
            for row, found in rows.items()
        ),
        note="Targets: "
        + "; ".join(
            f"{_ahead(h)} {' or '.join(map(str, sorted(numbers[h], reverse=True)))}" for h in horizons
        )
        + ". No interval: too few origins for one.",
    )


def _gain(c: Mapping[str, Any]) -> Sentence:
    clear = c["low"] is not None and (c["low"] > 0 or c["high"] < 0)
    return sentence(replace(signed(c["gain"]), strong=clear), between(c["low"], c["high"]))


def streams(found: Mapping[str, Any], told: Told, name: str) -> Iterator[Block]:
    """Each stream three months ahead, against two references."""
    own = [
        c
        for c in found["comparisons"]
        if (c["what"], c["score"], c["horizon"], c["model_name"]) == ("counts", "crps_log", 3, ENSEMBLE)
        and c["target"] != "all"
        and c["reference_name"] in ("last-value-negative-binomial", "conflictology", "random-walk")
    ]
    if own:
        yield Table(
            key=f"{name}-streams",
            caption="Each stream three months ahead: CRPS of log counts",
            columns=(
                Column(title="Stream"),
                Column(title="Reference"),
                Column(title="Targets", numeric=True),
                Column(title="Skill", numeric=True),
                Column(title="The ensemble is"),
            ),
            rows=tuple(
                (
                    sentence(told.streams[c["target"]]),
                    sentence(c["reference_name"]),
                    sentence(Span(text=str(c["n"]), value=c["n"])),
                    sentence(signed(c["skill"]), between(c["skill_low"], c["skill_high"])),
                    sentence(c["sentence"]),
                )
                for c in own
            ),
        )


def bias(found: Mapping[str, Any], told: Told, name: str) -> Iterator[Block]:
    """How much likelier each scenario was said to be than it was."""
    own = [b for b in found["bias"] if b["model"] == ENSEMBLE]
    if own:
        yield Table(
            key=f"{name}-bias",
            caption="Mean probability of the ensemble less how often the scenario came",
            columns=(
                Column(title="Scenario"),
                Column(title="Ahead"),
                Column(title="Said", numeric=True),
                Column(title="Came", numeric=True),
                Column(title="Difference", numeric=True),
            ),
            rows=tuple(
                (
                    sentence(told.scenarios[b["scenario"]]),
                    sentence(_ahead(b["horizon"])),
                    _cell(b["mean"]),
                    _cell(b["frequency"]),
                    sentence(signed(b["difference"]), between(b["low"], b["high"])),
                )
                for b in own
            ),
            note="Fewer than fifty targets show no curve of calibration.",
        )


def coverage(found: Mapping[str, Any], name: str) -> Iterator[Block]:
    """How often intervals of counts held."""
    own = [c for c in found["coverage"] if c["model"] == ENSEMBLE]
    if own:
        yield Table(
            key=f"{name}-coverage",
            caption="How often the ensemble's intervals held the count that came, all streams",
            columns=(
                Column(title="Ahead"),
                Column(title="Interval", numeric=True),
                Column(title="Held", numeric=True),
                Column(title="Limits of chance", numeric=True),
                Column(title="Targets", numeric=True),
                Column(title="Worth", numeric=True),
            ),
            rows=tuple(
                (
                    sentence(_ahead(c["horizon"])),
                    _cell(c["stated"]),
                    _cell(c["share"]),
                    sentence(f"{c['low']:.2f} to {c['high']:.2f}"),
                    sentence(Span(text=str(c["n"]), value=c["n"])),
                    _cell(c["effective"], decimals=0),
                )
                for c in own
            ),
            note="Limits are binomial at 99 %, for as many independent targets as the overlapping ones are worth. An interval of a count covers at least its mass.",
        )


def origins(told: Told, name: str) -> Iterator[Block]:
    """What came in the next quarter at each origin, and the probability it had been given."""
    frame = told.origins
    ours = frame[(frame["priors"] == name) & (frame["model"] == ENSEMBLE)]
    theirs = frame[(frame["priors"] == "") & (frame["model"] == MAIN)].set_index("origin")
    weights: dict[str, list[str]] = {}
    for w in told.summary["sets"][name]["weights"]:
        weights.setdefault(w["origin"], []).append(f"{w['model']} {w['weight']:.2f}")
    rows = [
        (
            sentence(words.month(str(row["origin"]))),
            sentence(words.date(str(row["as_of"]))),
            sentence(told.scenarios[str(row["outcome"])]),
            _cell(float(row[f"p.{row['outcome']}"])),
            _cell(float(theirs.loc[row["origin"], f"p.{row['outcome']}"])),
            _cell(float(row["ign"])),
            sentence(", ".join(weights.get(str(row["origin"]), []))),
        )
        for row in ours.sort_values("origin").to_dict("records")
    ]
    yield Table(
        key=f"{name}-origins",
        caption="The three months after each origin",
        columns=(
            Column(title="Origin"),
            Column(title="Known on"),
            Column(title="What came"),
            Column(title="Ensemble gave it", numeric=True),
            Column(title="Markov chain gave it", numeric=True),
            Column(title="Ignorance, bits", numeric=True),
            Column(title="Weights"),
        ),
        rows=tuple(rows),
    )


def fits(found: Mapping[str, Any], name: str) -> Iterator[Block]:
    """How the fits at the origins went."""
    yield Heading(text="How the fits went")
    yield Table(
        key=f"{name}-fits",
        caption="Refits at the origins; none was left out",
        columns=(
            Column(title="Model"),
            *(
                Column(title=title, numeric=True)
                for title in (
                    "Fits",
                    "Seconds each",
                    "Slowest",
                    "With divergences",
                    "Worst R-hat",
                    "Least ESS",
                )
            ),
        ),
        rows=tuple(
            (
                sentence(f["model"]),
                _cell(f["fits"], decimals=0),
                _cell(f["seconds"]),
                _cell(f["slowest"]),
                _cell(f["divergent"], decimals=0),
                _cell(f["worst_rhat"], decimals=3) if f["worst_rhat"] is not None else sentence("–"),
                _cell(f["least_ess"], decimals=0) if f["least_ess"] is not None else sentence("–"),
            )
            for f in found["fits"]
        ),
    )
    yield Paragraph(spans=sentence("Fits are short, and start from the prior at every origin."), tone="note")


def _ahead(months: int) -> str:
    return f"{months} month{'' if months == 1 else 's'}"


def _cell(value: float, *, decimals: int = 2, note: str = "") -> Sentence:
    return sentence(Span(text=f"{value:.{decimals}f}".replace("-", "−"), value=float(value)), note)


def signed(value: float | None) -> Span:
    """A difference with its sign."""
    if value is None:
        return Span(text="–")
    return Span(text=_written(value), value=value)


def between(low: float | None, high: float | None) -> str:
    """An interval in brackets, or nothing where there is none."""
    if low is None or high is None:
        return ""
    return f" ({_written(low)}{words.GAP}to{words.GAP}{_written(high)})"


def _written(value: float) -> str:
    """Two decimals with a sign, three below a tenth; nought has none."""
    text = f"{value:+.{2 if abs(value) >= 0.0995 else 3}f}"
    return "0" if float(text) == 0 else text.replace("-", "−")
