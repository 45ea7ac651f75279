"""What a reader must know before the first number, in sentences made from the workspace and its data."""

import datetime
import math
from collections.abc import Sequence

from forecast.fitting import Posterior
from forecast.history import History
from forecast.question import Question
from models import CATALOGUE, durations
from models.levels import dropped
from reports import words


def notes(question: Question, past: History, posteriors: Sequence[Posterior]) -> tuple[str, ...]:
    """The sentences, the weightiest first; ``posteriors`` are those of all models that were fitted."""
    return (
        *_without_precedent(question, past),
        *_without_regime(question),
        *_unknown_yet(question),
        *_hindsight(question),
        *_reporting(question),
        *_waves(question),
        *_shapes(question, posteriors),
    )


def _without_precedent(question: Question, past: History) -> list[str]:
    titles = [question.workspace.scenarios[name].title for name in past.without_precedent]
    return [
        f"No precedent in the data for “{title}”: this probability rests on the priors." for title in titles
    ]


def _without_regime(question: Question) -> list[str]:
    """Scenarios that the model which regimes are reported from cannot tell apart by a regime of their own."""
    workspace = question.workspace
    if workspace.latent_from is None:
        return []
    regimes = workspace.regimes(workspace.latent_from)
    return [
        f"{workspace.latent_from} has no latent regime for “{scenario.title}”: the rules alone say when it comes."
        for scenario in workspace.scenarios.scenarios
        if scenario.id not in regimes
    ]


def _unknown_yet(question: Question) -> list[str]:
    """Streams that end before the origin."""
    names = {stream.id: stream.name for stream in question.panel.definitions}
    late = [names[stream] for stream, tail in question.panel.tails.items() if tail]
    if not late:
        return []
    return [f"Not yet known up to the last month, and drawn with the future: {words.listed(late)}."]


def _hindsight(question: Question) -> list[str]:
    """Beliefs and rules that were written after the date of the forecast."""
    as_of, workspace = question.clock.as_of, question.workspace
    written: dict[str, list[datetime.date]] = {
        "priors": [statement.date for statement in workspace.priors.values()],
        "rules": [rule.date for rule in workspace.scenarios.scenarios if not rule.is_remainder and rule.date],
    }
    later = {what: sum(date > as_of for date in dates) for what, dates in written.items()}
    told = [f"{count} of {len(written[what])} {what}" for what, count in later.items() if count]
    if not told:
        return []
    were = "was" if sum(later.values()) == 1 else "were"
    return [f"With hindsight: {words.listed(told)} {were} written after {as_of.isoformat()}."]


def _waves(question: Question) -> list[str]:
    """How much of a walking level its waves leave out."""
    told = {}
    for name in question.workspace.config.models.fitted:
        seen = CATALOGUE[name].view(question.setting(name))
        if any(stream.level == "walk" for stream in seen.streams):
            told[seen.basis] = dropped(len(question.panel.months) + seen.horizon, seen.basis)
    return [
        f"Levels that walk are carried by {waves} waves, which leave {words.percent(share)} of a random walk's "
        "variance out: its quickest turns."
        for waves, share in told.items()
    ]


def _reporting(question: Question) -> list[str]:
    """Streams whose provisional figures are held against the final ones."""
    told = []
    names = {stream.id: stream.name for stream in question.panel.definitions}
    for stream, factor in question.reporting.items():
        splice = question.panel.splices[stream]
        if splice is None:
            continue
        middle = [math.exp(mean) for mean in factor.mean]
        told.append(
            f"{names[stream]}: figures from {words.month(splice)} on are provisional and count as "
            f"{words.listed([f'{x:.2f}' for x in middle])} times the final ones."
        )
    return told


def _shapes(question: Question, posteriors: Sequence[Posterior]) -> list[str]:
    """Whether the data say anything about how a regime's chance to end changes with its age."""
    titles = {scenario.id: scenario.title for scenario in question.workspace.scenarios.scenarios}
    return [
        f"Spells of “{titles[regime]}” under {one.model}: "
        + (silent or f"the data made the shape {words.percent(found)} surer than the priors had it")
        + "."
        for one in posteriors
        if one.model == durations.MODEL.name
        for regime, (found, silent) in durations.contraction(one.draws, one.priors, one.setting).items()
    ]
