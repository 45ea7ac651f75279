"""A backtest in words and tables: by horizon, by target, by origin, each set of priors under its own title."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from forecast.backtest.exhibits import (
    MAIN,
    between,
    bias,
    by_horizon,
    coverage,
    fits,
    gains,
    origins,
    signed,
    streams,
)
from forecast.backtest.pooling import ENSEMBLE
from forecast.backtest.telling import Told
from reports import words
from reports.backtest import BacktestPage
from reports.document import Banner, Block, Listing, Section
from reports.text import Sentence, capitalised, read, sentence

TITLES: Mapping[str, str] = {"hindsight": "with hindsight priors", "blank": "with the blank prior set"}
type Rows = Sequence[Mapping[str, Any]]


def page(told: Told) -> BacktestPage:
    """The page of a backtest."""
    summary = told.summary
    sets, plan = summary["sets"], summary["plan"]
    parts = [part for name in sets for part in _set(told, name)]
    return BacktestPage(
        language=told.language,
        title=f"{summary['title']}: backtest {words.quarter(plan['first'])} to {words.quarter(plan['last'])}",
        dateline=_dateline(plan),
        banners=_banners(summary),
        headline=_headlines(summary),
        sections=tuple(
            Section(key=f"part-{number}", number=number, title=title, blocks=tuple(blocks))
            for number, (title, blocks) in enumerate(
                [("What to know first", _notes(summary)), *parts], start=1
            )
        ),
        footer=sentence(
            "Gains are mean score of the reference less that of the forecast, on common targets: above zero the forecast is "
            "better. Intervals hold 90 %, from blocks of origins; bold: the interval excludes nought. Tests and skill scores are in backtest.json."
        ),
    )


def lines(summary: Mapping[str, Any]) -> list[str]:
    """The same in a few lines for a terminal."""
    return [
        f"{summary['title']}: {_dateline(summary['plan'])}",
        *(read(said) for said in _headlines(summary)),
        *(f"note: {text}" for text in summary["notes"]),
    ]


def titled(name: str, summary: Mapping[str, Any]) -> str:
    """The title of a prior set; the workspace's own are without hindsight where no origin is older than they are."""
    if name == "hindsight" and not summary["origins_with_hindsight"]:
        return "with the priors as known at each origin"
    return TITLES[name]


def _dateline(plan: Mapping[str, Any]) -> str:
    every = "quarterly" if plan["every"] == "quarter" else "monthly"
    window = "an expanding window" if plan["window"] is None else f"a window of {plan['window']} months"
    return f"{len(plan['origins'])} {every} origins, {words.month(plan['origins'][0])} to {words.month(plan['origins'][-1])}, on {window}"


def _banners(summary: Mapping[str, Any]) -> tuple[Banner, ...]:
    said = [sentence("Nothing here was issued at the time: it counts in no track record.")]
    earlier, n = summary["origins_with_hindsight"], len(summary["plan"]["origins"])
    if "hindsight" in summary["sets"] and earlier:
        said.append(sentence(f"{earlier} of {n} origins are older than the priors: hindsight."))
    return (Banner(kind="retrospective", title="Made afterwards", sentences=tuple(said)),)


def _headlines(summary: Mapping[str, Any]) -> tuple[Sentence, ...]:
    """One sentence for each prior set: the quarter ahead against the reference to beat."""
    return tuple(
        _headline(capitalised(titled(name, summary)), found["comparisons"])
        for name, found in summary["sets"].items()
    )


def _headline(title: str, comparisons: Rows) -> Sentence:
    wanted = ("ign", 3, ENSEMBLE, MAIN)
    found = [
        c for c in comparisons if (c["score"], c["horizon"], c["model_name"], c["reference_name"]) == wanted
    ]
    if not found:
        return sentence(f"{title}: no quarter ahead was resolved.")
    line = found[0]
    return sentence(
        f"{title}, three months ahead: ",
        signed(line["gain"]),
        " bits against the empirical Markov chain",
        between(line["low"], line["high"]),
        f" over {words.plural(line['n'], 'origin')}: {line['sentence']}.",
    )


def _notes(summary: Mapping[str, Any]) -> list[Block]:
    tried = summary["configurations_tried"]
    told = [
        *summary["notes"],
        f"{capitalised(words.plural(tried, 'configuration'))} {'was' if tried == 1 else 'were'} tried in this folder, this "
        "one included; what was tried elsewhere is not known here.",
        "The blank prior set is the same for every theatre but for the scale of the first 24 months, as known at each origin.",
        "Weights of the ensemble rest on densities of months that were known at each origin, and are equal until there are any.",
        "The threshold of bad months is, for each stream, what nine of ten months known at the origin do not exceed.",
        "A reference's first passage takes its quarters for independent.",
    ]
    return [Listing(lead="", items=tuple(sentence(text) for text in told))]


def _set(told: Told, name: str) -> Iterator[tuple[str, list[Block]]]:
    """The sections of one prior set."""
    found, title = told.summary["sets"][name], titled(name, told.summary)
    scenario = [*by_horizon(found, name, "scenario", ("ign", "rps")), *bias(found, told, name)]
    passages = gains(found, name, "first passage", "brier")
    yield f"Scenarios, {title}", [*scenario, *passages]
    counts = [
        *by_horizon(found, name, "counts", ("crps_log", "twcrps_log")),
        *streams(found, told, name),
        *coverage(found, name),
        *gains(found, name, "paths", "energy"),
    ]
    yield f"Counts, {title}", counts
    yield f"Origin by origin, {title}", [*origins(told, name), *fits(found, name)]
