"""The files of a workspace agree: every name that one uses another defines, and nothing that is said goes unused."""

import datetime
from collections.abc import Iterable, Iterator

from forecast.config import OPTIONS, ModelSettings, can_have
from forecast.months import month_end, month_of
from forecast.rules import check_streams
from forecast.streams import MEASURES, Coverage, StreamDefinition
from forecast.workspace.catalogue import EVERYTHING, MODELS, needs
from forecast.workspace.contents import Workspace
from priors.crosscheck import check as check_priors
from priors.refusal import Refusal, nearest

POOLING = ("pooling.fronts", "pooling.levels")
FORECAST, SCENARIOS, LABELS, DRIVERS = "forecast.toml", "scenarios.toml", "labels.toml", "drivers.csv"


def check(workspace: Workspace) -> None:
    """Refuse a workspace whose files contradict each other.

    Raises:
        Refusal: for the first mistake found, naming file and key.
    """
    _check_clock(workspace)
    _check_models(workspace)
    for stream in workspace.streams:
        _check_stream(workspace, stream)
    check_streams(workspace.scenarios, workspace.streams, file=SCENARIOS)
    _check_coders(workspace)
    _check_labels(workspace)
    _check_drivers(workspace)
    _check_priors(workspace)


def _unknown(file: str, where: str, got: str, what: str, known: Iterable[str]) -> Refusal:
    names = tuple(known)
    remedy = nearest(got, names) if names else "none is declared"
    return Refusal(file=file, where=where, got=got, wanted=what, remedy=remedy)


def _last_month(workspace: Workspace) -> str | None:
    """The last month a statement can be about; None where only the wall clock knows."""
    time = workspace.config.time
    return time.window.to or (None if time.as_of == "today" else month_of(time.as_of))


def _check_clock(workspace: Workspace) -> None:
    time = workspace.config.time
    if time.as_of == "today":
        return
    last = time.window.to or time.window.from_
    if time.as_of < month_end(last):
        wanted = f"a date after {last}, which the window holds"
        raise Refusal(file=FORECAST, where="time.as_of", got=time.as_of.isoformat(), wanted=wanted)


def _check_models(workspace: Workspace) -> None:
    models = workspace.config.models
    for key in ("use", "compare"):
        for name in getattr(models, key):
            if name not in MODELS:
                raise _unknown(FORECAST, f"models.{key}", name, "a model of the catalogue", MODELS)
    if models.latent_from is not None:
        where = "models.latent_from"
        if models.latent_from not in models.fitted:
            raise _unknown(FORECAST, where, models.latent_from, "a model of use or compare", models.fitted)
        if not MODELS[models.latent_from].regimes:
            with_regimes = [name for name in models.fitted if MODELS[name].regimes]
            raise _unknown(FORECAST, where, models.latent_from, "a model that has regimes", with_regimes)
    if models.chain == "front":
        _check_fronts(workspace)
    for name in models.settings:
        if name not in models.fitted:
            raise _unknown(FORECAST, f"models.{name}", name, "a model of use or compare", models.fitted)
        _check_settings(workspace, name)


def _check_fronts(workspace: Workspace) -> None:
    """One chain per front: of the model that regimes are reported from, for fronts that are declared."""
    name = workspace.latent_from
    if name is None or not MODELS[name].fronts:
        able = " or ".join(model for model in MODELS if MODELS[model].fronts)
        wanted = (
            f'chain = "theatre", or latent_from = {able}: {name or "no model in use"} has no chain per front'
        )
        raise Refusal(file=FORECAST, where="models.chain", got="front", wanted=wanted)
    if not workspace.config.fronts:
        raise Refusal(
            file=FORECAST, where="models.chain", got="front", wanted="a table [fronts.<id>] for each front"
        )


def _check_settings(workspace: Workspace, model: str) -> None:
    settings, ids = workspace.config.models.settings[model], workspace.scenarios.ids
    can = MODELS[model]
    if settings.basis is not None and (can.drifts or not can.walks):
        why = "have a wave for each step" if can.walks else "never wander"
        where, wanted = f"models.{model}.basis", f"no basis: its levels {why}"
        raise Refusal(file=FORECAST, where=where, got=settings.basis, wanted=wanted)
    _check_options(workspace, model)
    if settings.regimes is None:
        return
    where = f"models.{model}.regimes"
    if not MODELS[model].regimes:
        raise Refusal(
            file=FORECAST, where=where, got=list(settings.regimes), wanted="none: it has no regimes"
        )
    for name in settings.regimes:
        if name not in ids:
            raise _unknown(FORECAST, where, name, "a scenario", ids)
    if list(settings.regimes) != [name for name in ids if name in settings.regimes]:
        wanted = f"each once, in the order of scenarios.toml: {', '.join(ids)}"
        raise Refusal(file=FORECAST, where=where, got=list(settings.regimes), wanted=wanted)
    if workspace.scenarios.reference not in settings.regimes:
        wanted = f"the reference scenario {workspace.scenarios.reference!r} among them"
        raise Refusal(file=FORECAST, where=where, got=list(settings.regimes), wanted=wanted)


def _check_options(workspace: Workspace, model: str) -> None:
    """A season, a trend or outlying months are for a model that knows them, and for streams that can have them."""
    settings, streams = workspace.config.models.settings[model], workspace.config.streams
    for option in OPTIONS:
        said = getattr(settings, option)
        where = f"models.{model}.{option}"
        if said and not MODELS[model].options:
            able = " or ".join(name for name in MODELS if MODELS[name].options)
            got = list(said) if isinstance(said, tuple) else said
            raise Refusal(file=FORECAST, where=where, got=got, wanted=f"no {option}: it is for {able}")
        for name in said if isinstance(said, tuple) else ():
            if name not in streams:
                raise _unknown(FORECAST, where, name, "a stream of this file", streams)
            if not can_have(option, streams[name]):
                wanted = 'a stream with level = "walk"' if option == "trend" else "a stream that has a level"
                raise Refusal(file=FORECAST, where=where, got=name, wanted=wanted)


def _check_stream(workspace: Workspace, stream: StreamDefinition) -> None:
    where = f"streams.{stream.id}"
    source = workspace.config.sources.get(stream.source)
    if source is None:
        sources = workspace.config.sources
        raise _unknown(FORECAST, f"{where}.source", stream.source, "a source of this file", sources)
    if stream.measure not in MEASURES[source.format]:
        wanted = f"a measure of the format {source.format}: {' | '.join(MEASURES[source.format])}"
        raise Refusal(file=FORECAST, where=f"{where}.measure", got=stream.measure, wanted=wanted)
    _check_yes_or_no(stream, where)
    walkers = [name for name in workspace.config.models.fitted if MODELS[name].walks]
    if stream.level is None and walkers and stream.family != "bernoulli":
        remedy = f'add level = "walk" or level = "constant": the level can wander in {walkers[0]}'
        raise Refusal(file=FORECAST, where=f"{where}.level", wanted="level", remedy=remedy)
    for number, mask in enumerate(stream.masks, start=1):
        _check_months(workspace, mask.months, FORECAST, f"{where}.masks {number}.months", known=mask.known)
    _check_covered(workspace, source.coverage, stream, where)


def _check_yes_or_no(stream: StreamDefinition, where: str) -> None:
    """A stream of yes and no has chances, stated regime by regime; it has no level and no direction."""
    if (stream.measure == "in-force") and stream.family != "bernoulli":
        wanted = 'family = "bernoulli": in-force is yes or no'
        raise Refusal(file=FORECAST, where=f"{where}.family", got=stream.family, wanted=wanted)
    if stream.family != "bernoulli":
        return
    if stream.level == "walk":
        wanted = "no walk: the chances of a yes-or-no stream stand still"
        raise Refusal(file=FORECAST, where=f"{where}.level", got="walk", wanted=wanted)
    if stream.effect in ("increasing", "decreasing"):
        wanted = '"free" or "none": the priors state a chance for each scenario'
        raise Refusal(file=FORECAST, where=f"{where}.effect", got=stream.effect, wanted=wanted)


def _check_covered(
    workspace: Workspace, coverage: Coverage | str, stream: StreamDefinition, where: str
) -> None:
    window = workspace.config.time.window
    if not isinstance(coverage, Coverage):
        return
    too_early = coverage.to is not None and coverage.to < window.from_
    too_late = window.to is not None and coverage.from_ > window.to
    if too_early or too_late:
        wanted = f"a source that covers some month of the window from {window.from_}"
        covers = f"{coverage.from_} to {coverage.to}" if coverage.to else f"{coverage.from_} and later"
        remedy = f"{stream.source} covers {covers}"
        raise Refusal(file=FORECAST, where=f"{where}.source", wanted=wanted, remedy=remedy)


def _check_months(
    workspace: Workspace, months: tuple[str, ...], file: str, where: str, *, known: datetime.date
) -> None:
    """Months are in order, and inside the window; what is not known yet at `as_of` has no effect and may lie ahead."""
    if list(months) != sorted(set(months)):
        raise Refusal(file=file, where=where, got=list(months), wanted="months in order, each once")
    first, last = workspace.config.time.window.from_, _last_month(workspace)
    as_of = workspace.config.time.as_of
    if as_of != "today" and known > as_of:
        last = None
    for month in months:
        if month < first or (last is not None and month > last):
            wanted = f"a month of the window, {first} to {last or 'the last covered month'}"
            raise Refusal(file=file, where=where, got=month, wanted=wanted, remedy="it would have no effect")


def _check_coders(workspace: Workspace) -> None:
    """A rule may look at a chronology only if the workspace says who goes on coding it."""
    for name in workspace.scenarios.streams:
        source = workspace.config.sources[workspace.config.streams[name].source]
        if source.format == "chronology" and source.coded_by is None:
            where = f"sources.{source.id}.coded_by"
            wanted = f"who codes it, by when, from which sources: a rule looks at {name!r}"
            raise Refusal(file=FORECAST, where=where, wanted=wanted, remedy="add coded_by")


def _check_labels(workspace: Workspace) -> None:
    met: dict[str, int] = {}
    fitted = workspace.config.models.fitted
    regimes = {name for model in fitted if MODELS[model].regimes for name in workspace.regimes(model)}
    if workspace.labels and workspace.latent_from is None:
        wanted = "no labels: no model in use has regimes"
        raise Refusal(file=LABELS, wanted=wanted, remedy="remove the file, or use switching-level")
    for number, label in enumerate(workspace.labels, start=1):
        where = f"label {number}"
        if label.scenario not in workspace.scenarios.ids:
            ids = workspace.scenarios.ids
            raise _unknown(LABELS, f"{where}.scenario", label.scenario, "a scenario", ids)
        if label.scenario not in regimes:
            wanted = "a regime of some model: it would have no effect"
            raise _unknown(LABELS, f"{where}.scenario", label.scenario, wanted, regimes)
        _check_months(workspace, label.months, LABELS, f"{where}.months", known=label.known)
        for month in label.months:
            if month in met:
                wanted = f"one label for a month: label {met[month]} speaks of it too"
                raise Refusal(file=LABELS, where=f"{where}.months", got=month, wanted=wanted)
            met[month] = number


def _check_drivers(workspace: Workspace) -> None:
    config, stated = workspace.config, {row.driver for row in workspace.drivers}
    counted = set(_counted(workspace))
    odds = {key.split(".")[1] for key in workspace.priors if key.startswith("odds.")}
    for driver in config.drivers.values():
        where = f"drivers.{driver.id}"
        if driver.use == "history" and driver.id in counted:
            wanted = 'use = "what-if": a stream counts it already, and it would be counted twice'
            raise Refusal(file=FORECAST, where=f"{where}.use", got="history", wanted=wanted)
        if driver.use == "history" and driver.id not in stated:
            remedy = 'add its months, or write use = "what-if"'
            raise Refusal(file=DRIVERS, wanted=f"the history of {driver.id!r}: it has no row", remedy=remedy)
        if driver.id not in odds:
            remedy = f"add [odds.{driver.id}.leave.<scenario>], or take the driver out"
            raise Refusal(
                file=workspace.priors.source, wanted=f"what {driver.id!r} does to the odds", remedy=remedy
            )
    for lever in config.levers.values():
        for name, value in lever.drivers.items():
            where = f"levers.{lever.id}.drivers"
            if name not in config.drivers:
                raise _unknown(FORECAST, where, name, "a driver of this file", config.drivers)
            try:
                config.drivers[name].check(value)
            except ValueError as error:
                raise Refusal(file=FORECAST, where=f"{where}.{name}", remedy=str(error)) from None


def _counted(workspace: Workspace) -> Iterator[str]:
    """Names of what streams count: the streams themselves and the values they filter for."""
    for stream in workspace.streams:
        yield stream.id
        for values in stream.where.values():
            yield from values


def _check_priors(workspace: Workspace) -> None:
    streams, models = workspace.streams, workspace.config.models.fitted
    reference = workspace.scenarios.reference
    if any(MODELS[name].regimes for name in models) and all(stream.effect == "none" for stream in streams):
        wanted = "an effect on some stream: nothing tells the regimes apart"
        raise Refusal(file=FORECAST, where="streams", wanted=wanted)

    config = workspace.config
    pooled = POOLING if config.models.chain == "front" and len(config.fronts) > 1 else ()

    def wanted_by(model: str, regimes: tuple[str, ...], settings: ModelSettings | None) -> tuple[str, ...]:
        own = needs(model, scenarios=regimes, reference=reference, streams=streams, settings=settings)
        return own + (pooled if model == workspace.latent_from else ())

    check_priors(
        workspace.priors,
        scenarios=workspace.scenarios.ids,
        reference=reference,
        streams=workspace.config.streams,
        drivers=workspace.config.drivers,
        needs={
            model: wanted_by(model, workspace.regimes(model), workspace.config.models.settings.get(model))
            for model in models
        },
        usable=[
            *POOLING,
            *(key for model in MODELS for key in wanted_by(model, workspace.scenarios.ids, EVERYTHING)),
        ],
    )
