"""What a workspace must know of each model without loading one: what it can do, and which beliefs it asks for.

A test holds this table against the catalogue of `models`, which takes seconds to import.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from forecast.streams import StreamDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """What a model does with what a workspace declares."""

    regimes: bool  # a latent regime for each month
    walks: bool  # levels may wander
    fronts: bool = False  # one chain of regimes per front


MODELS: Mapping[str, Capability] = MappingProxyType(
    {
        "regimes": Capability(regimes=True, walks=False),
        "switching-level": Capability(regimes=True, walks=True),
        "local-level": Capability(regimes=False, walks=True),
    }
)

FAMILIES = ("negative-binomial", "poisson", "bernoulli", "gaussian")
"""The families that every model of the catalogue can emit."""


def needs(
    model: str, *, scenarios: Sequence[str], reference: str, streams: Sequence[StreamDefinition]
) -> tuple[str, ...]:
    """The keys of priors that a model cannot do without.

    Args:
        model: a name of `MODELS`.
        scenarios: the regimes, in their order.
        reference: the regime that effects are stated against.
        streams: the streams, in panel order.
    """
    chain = _chain(scenarios) if MODELS[model].regimes else ()
    return (*chain, *(key for stream in streams for key in _of_stream(model, stream, scenarios, reference)))


def _chain(scenarios: Sequence[str]) -> Iterator[str]:
    yield from (f"dwell.{name}" for name in scenarios)
    if len(scenarios) > 2:
        yield from (f"exits.{name}" for name in scenarios)


def _of_stream(
    model: str, stream: StreamDefinition, scenarios: Sequence[str], reference: str
) -> Iterator[str]:
    can = MODELS[model]
    if stream.family == "bernoulli":
        if can.regimes:
            yield from (f"chance.{stream.id}.{name}" for name in scenarios)
        else:
            yield from (f"persist.{stream.id}.on", f"persist.{stream.id}.off")
        return
    yield f"level.{stream.id}"
    if stream.family != "poisson":
        yield f"spread.{stream.id}"
    if can.walks and stream.level == "walk":
        yield f"wander.{stream.id}"
    if can.regimes and stream.effect != "none":
        yield from (f"effect.{stream.id}.{name}" for name in scenarios if name != reference)
