"""The headline is written by rule from the first quarter, and knows a leader, a tie, no precedent and a refusal."""

from dataclasses import replace

from reports.brief import Brief
from reports.cells import shares
from reports.document import Banner
from reports.parts import Estimate, Scenario
from reports.text import Sentence, capitalised, joined, lowered, sentence
from reports.trust import Check
from reports.words import date, listed, number, plural, quarter, rated, spelled, spread

TIE = 0.05  # leaders nearer than this are not told apart in words


def headline(brief: Brief) -> tuple[Sentence, ...]:
    """One sentence about the first quarter, and one more where a named scenario has no precedent.

    Args:
        brief: its first quarter is what the sentence is about.

    Returns:
        Sentences; every percent in them is the one that the bars print.
    """
    if refused(brief):
        failed, all_checks = failures(brief), brief.verdict.checks
        return (
            sentence(
                f"No forecast is issued: {spelled(len(failed))} of {plural(len(all_checks), 'check')} failed."
            ),
        )
    first = brief.quarters[0]
    row = zip(brief.scenarios, first.resolved, shares(first.resolved), strict=True)
    told = [(scenario, estimate, share) for scenario, estimate, share in row if estimate is not None]
    if not told:
        return (sentence(f"In no simulated future does a rule decide {quarter(first.quarter)}."),)
    order = sorted(told, key=lambda item: -item[1].mean)
    level = [item for item in order if order[0][1].mean - item[1].mean < TIE]
    if len(level) > 1:
        names = joined((sentence(lowered(s.title), " (", share, ")") for s, _, share in level), ", ", " and ")
        text = sentence(f"No scenario leads in {quarter(first.quarter)}: ", names, " lie within five points.")
        return text, *_without_precedent([s for s, _, _ in level])
    leader = order[0]
    severe = told[-1]
    other = severe if severe[0].id != leader[0].id else order[1]
    text = sentence(
        _claim(*leader, title=capitalised(leader[0].title), when=f" in {quarter(first.quarter)}"),
        "; ",
        _claim(*other, title=lowered(other[0].title)),
        ".",
    )
    return text, *_without_precedent([leader[0], other[0]])


def banners(brief: Brief) -> tuple[Banner, ...]:
    """Refused or forced, then retrospective: what stands before anything else in every format."""
    found: list[Banner] = []
    reasons = tuple(_failure(check) for check in failures(brief))
    if refused(brief):
        lead = sentence(
            "This run did not pass its checks. Its numbers are kept for repair and are not a forecast."
        )
        found.append(Banner(kind="refused", title="REFUSED: not issued", sentences=(lead, *reasons)))
    elif brief.verdict.forced:
        lead = sentence(
            "This run was issued by hand although checks failed. Nothing was widened or replaced."
        )
        found.append(
            Banner(kind="forced", title="FORCED: issued against its checks", sentences=(lead, *reasons))
        )
    if brief.timing == "retrospective":
        text = sentence(
            f"As known on {date(brief.as_of)}; made afterwards. It never counts in the track record."
        )
        found.append(Banner(kind="retrospective", title="Retrospective", sentences=(text,)))
    return tuple(found)


def refused(brief: Brief) -> bool:
    """Whether the gate held the run back."""
    return not brief.verdict.ok and not brief.verdict.forced


def failures(brief: Brief) -> tuple[Check, ...]:
    """The checks of the gate that failed."""
    return tuple(check for check in brief.verdict.checks if not check.ok)


def _claim(
    scenario: Scenario, estimate: Estimate, shown: Sentence, *, title: str, when: str = ""
) -> Sentence:
    """``Contained conflict is likely in 2026 Q3 (74 %, 57–87 %)``."""
    predicate = rated(estimate.words) if estimate.words else "stands"
    strong = tuple(replace(span, strong=True) for span in shown)
    return sentence(f"{title} {predicate}{when} (", strong, ", ", spread(estimate), ")")


def _without_precedent(named: list[Scenario]) -> tuple[Sentence, ...]:
    missing = [lowered(scenario.title) for scenario in named if scenario.precedents == 0]
    if not missing:
        return ()
    rest = "this probability rests" if len(missing) == 1 else "these probabilities rest"
    return (sentence(f"No precedent in the data for {listed(missing)}: {rest} on the priors."),)


def _failure(check: Check) -> Sentence:
    value = "not available" if check.value is None else number(check.value, decimals=4)
    advice = f" {capitalised(check.advice)}" if check.advice else ""
    ending = "" if advice.endswith(".") else "."
    return sentence(
        f"{capitalised(check.name)}: {value}, wanted {check.limit}.", advice, ending if advice else ""
    )
