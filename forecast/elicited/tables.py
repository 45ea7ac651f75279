"""What `priors check` and `priors show` print: tables and sentences made from the records, never printed here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from forecast.terminal import table
from reports import words

type Json = Mapping[str, Any]


def check_table(record: Json) -> str:
    """What a prior set could see, and which months it holds all but impossible.

    Args:
        record: ``priors`` (its name), ``statements`` (how many), ``visibility`` and ``surprises`` as the functions of
            these names return them; without regimes ``visibility`` is empty.
    """
    lines = [f"{record['priors']}: {record['statements']} statements, each valid and of use"]
    if record["visibility"]:
        lines += ["", *_seen(record["visibility"])]
    odd = {stream: one for stream, one in record["surprises"].items() if one["alarm"]}
    lines += ["", *(_alarm(stream, one) for stream, one in odd.items())] if odd else []
    return "\n".join(lines)


def implied_table(record: Json) -> str:
    """What a prior set implies, before any data.

    Args:
        record: ``priors`` (its name), ``implied`` as the function of this name returns it or None without regimes, and
            ``before`` as ``prior_predictive`` returns it.
    """
    parts = [f"{record['priors']}: what it implies, with every driver at its reference"]
    if record["implied"] is not None:
        parts += _chain(record["implied"])
    parts += [_counts(record["before"]["streams"]), _headline(record["before"]["quarters"])]
    odd = {stream: told["surprise"] for stream, told in record["before"]["streams"].items()}
    parts += [_alarm(stream, one) for stream, one in odd.items() if one and one["alarm"]]
    return "\n\n".join(parts)


def _seen(visibility: Json) -> Iterable[str]:
    told = {regime: one for regime, one in visibility.items() if one is not None}
    lengths = [point["months"] for point in next(iter(told.values()))["expected_log_bayes_factor"]]
    rows = [
        (
            regime,
            *(f"{point['value']:.1f}" for point in one["expected_log_bayes_factor"]),
            f"{one['at_median_dwell']:.1f} ({one['median_dwell_months']:.1f})",
        )
        for regime, one in told.items()
    ]
    yield "expected log Bayes factor of a spell, by its months (3 and more: seen)"
    yield table(("regime", *(str(n) for n in lengths), "usual spell (months)"), rows)
    for regime, one in told.items():
        strongest = max(one["by_stream"], key=one["by_stream"].get)
        yield f"{regime}: {one['sentence']}; most of it from {strongest}"


def _alarm(stream: str, one: Json) -> str:
    return (
        f"ALARM {stream}: {one['value']:g} in {one['month']} has probability {one['tail']:.0e} under the priors; "
        "look at its level, spread and unit"
    )


def _chain(told: Json) -> Iterable[str]:
    names = told["regimes"]
    rows = [
        (
            name,
            _months(both["average"]),
            _months(both["one_spell"]),
            words.percent(both["within_a_month"]),
        )
        for name, both in told["dwell"].items()
    ]
    yield table(("months it lasts", "average spell", "one spell", "over in a month"), rows)
    for key, title in (("transitions", "in a month"), ("transitions_quarter", "in a quarter, end to end")):
        yield table((title, *names), _matrix(told[key], names))
    start = "stated" if told["start_stated"] else "stationary"
    laws = {"in the long run": told["stationary"], f"at the start ({start})": told["start"]}
    yield table(("share", *names), [(title, *(_share(law[n]) for n in names)) for title, law in laws.items()])


def _matrix(told: Json, names: Sequence[str]) -> list[tuple[str, ...]]:
    return [
        (
            f"from {origin}",
            *(_share({key: told[key][i][j] for key in ("mean", "q05", "q95")}) for j in range(len(names))),
        )
        for i, origin in enumerate(names)
    ]


def _counts(streams: Json) -> str:
    rows = [
        (
            stream,
            *(f"{told['month'][q]:.4g}" for q in ("q05", "q50", "q95")),
            *(f"{told['observed'][q]:.4g}" if told["observed"] else "–" for q in ("low", "median", "high")),
        )
        for stream, told in streams.items()
    ]
    return table(("a month, by the priors", "5 %", "half", "95 %", "observed: low", "half", "high"), rows)


def _headline(quarters: Sequence[Json]) -> str:
    names = list(quarters[0]["resolved"])
    rows = [
        (
            words.quarter(told["quarter"]) + (" (running)" if told["running"] else ""),
            *(_share(told["resolved"][name]) if told["resolved"][name] else "–" for name in names),
        )
        for told in quarters
    ]
    return table(("before any data", *names), rows)


def _share(told: Json) -> str:
    return f"{words.percent(told['mean'])} ({words.interval(told['q05'], told['q95'])})"


def _months(quantiles: Json) -> str:
    return f"{quantiles['q50']:.3g} ({quantiles['q05']:.3g}–{quantiles['q95']:.3g})"
