"""What a workspace must know of each model without loading one: what it can do, and which beliefs it asks for.

A test holds this table against the catalogue of `models`, which takes seconds to import.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from forecast.config import OPTIONS, ModelSettings
from forecast.streams import StreamDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """What a model does with what a workspace declares."""

    regimes: bool  # a latent regime for each month
    walks: bool  # levels may wander
    options: bool = False  # levels may have seasons and trends, and months be outlying
    fronts: bool = False  # one chain of regimes per front
    ages: bool = False  # regimes know how long they have lasted
    drifts: bool = False  # regimes say where a walking level goes; it has a wave for each step of the window


MODELS: Mapping[str, Capability] = MappingProxyType(
    {
        "regimes": Capability(regimes=True, walks=False, fronts=True),
        "switching-level": Capability(regimes=True, walks=True, fronts=True),
        "local-level": Capability(regimes=False, walks=True, options=True),
        "durations": Capability(regimes=True, walks=True, ages=True),
        "switching-drift": Capability(regimes=True, walks=True, drifts=True),
    }
)

EVERYTHING = ModelSettings(season=True, trend=True, outliers=True)


def needs(
    model: str,
    *,
    scenarios: Sequence[str],
    reference: str,
    streams: Sequence[StreamDefinition],
    settings: ModelSettings | None = None,
) -> tuple[str, ...]:
    """The keys of priors that a model cannot do without.

    Args:
        model: a name of `MODELS`.
        scenarios: the regimes, in their order.
        reference: the regime that effects are stated against.
        streams: the streams, in panel order.
        settings: the model's own, if it has any; `EVERYTHING` for all that it could use.
    """
    can = MODELS[model]
    chosen = settings if settings is not None and can.options else ModelSettings()
    chain = _chain(scenarios) if can.regimes else ()
    ages = (f"shape.{name}" for name in scenarios) if can.ages else ()
    swings = (f"swing.{name}" for name in scenarios if name != reference) if can.drifts else ()
    return (
        *chain,
        *ages,
        *swings,
        *(key for stream in streams for key in _of_stream(model, stream, scenarios, reference)),
        *(key for stream in streams for key in _of_options(stream, chosen)),
    )


def _of_options(stream: StreamDefinition, chosen: ModelSettings) -> Iterator[str]:
    keys = {"season": ("season",), "trend": ("trend", "damping"), "outliers": ("outlier",)}
    for option in OPTIONS:
        if chosen.gives(option, stream):
            yield from (f"{key}.{stream.id}" for key in keys[option])


def _chain(scenarios: Sequence[str]) -> Iterator[str]:
    yield from (f"dwell.{name}" for name in scenarios)
    if len(scenarios) > 2:
        yield from (f"exits.{name}" for name in scenarios)


def _of_stream(
    model: str, stream: StreamDefinition, scenarios: Sequence[str], reference: str
) -> Iterator[str]:
    can, name, family = MODELS[model], stream.id, stream.family
    follows = can.regimes and stream.effect != "none"
    if family == "bernoulli":
        if follows:
            yield from (f"chance.{name}.{scenario}" for scenario in scenarios)
        else:
            yield from (f"persist.{name}.on", f"persist.{name}.off")
        return
    yield f"level.{name}"
    if not family.endswith("poisson"):
        yield f"spread.{name}"
    if family.startswith(("zero-inflated", "hurdle")):
        yield f"zero.{name}"
    if can.walks and stream.level == "walk":
        yield f"wander.{name}"
        if can.drifts:
            yield from (f"drift.{name}.{scenario}" for scenario in scenarios)
    if follows:
        yield from (f"effect.{name}.{scenario}" for scenario in scenarios if scenario != reference)
