"""What is asked of every model alike: the data as known at a date, and the quarters ahead."""

from collections.abc import Mapping
from dataclasses import dataclass

from forecast import history, scenarios
from forecast.clock import Clock
from forecast.incidents import gather
from forecast.panel import Panel, panel
from forecast.reporting import reporting
from forecast.rules import Bounds, bounds_of
from forecast.setting import setting
from forecast.workspace import Workspace
from models.contract import Reporting, Setting


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
    """A workspace at a date."""

    workspace: Workspace
    clock: Clock
    panel: Panel
    reporting: Mapping[str, Reporting]  # factors of release classes, by stream
    current: str | None  # the running quarter, if the origin is not its last month
    quarters: tuple[str, ...]
    months: int  # to simulate

    @property
    def all_quarters(self) -> tuple[str, ...]:
        """The running quarter, if there is one, and those ahead."""
        return (*([self.current] if self.current else ()), *self.quarters)

    @property
    def bounds(self) -> Mapping[str, Bounds]:
        """What a missing cell of each stream may be."""
        return {stream.id: bounds_of(stream) for stream in self.panel.definitions}

    def setting(self, model: str) -> Setting:
        """What one model is told beside data and beliefs."""
        return setting(
            self.workspace,
            self.panel,
            model=model,
            horizon=self.months,
            as_of=self.clock.as_of,
            reporting=self.reporting,
        )

    def past(self) -> history.History:
        """How the rules resolve the quarters of the window."""
        titles = {stream.id: stream.name for stream in self.panel.definitions}
        return history.history(self.workspace.scenarios, self.panel.counts, titles=titles, bounds=self.bounds)


def ask(workspace: Workspace, at: Clock) -> Question:
    """Read the data as known at a date and say what lies ahead.

    Raises:
        Refusal: for data that cannot be read.
    """
    time = workspace.config.time
    archive = gather(workspace.sources, workspace.streams, root=workspace.root)
    known = panel(
        archive,
        workspace.streams,
        workspace.sources,
        window_from=time.window.from_,
        window_to=time.window.to,
        as_of=at.as_of,
        deciding=workspace.scenarios.streams,
        longest=time.window.months,
    )
    current, quarters = scenarios.quarters_ahead(known.origin, time.quarters)
    months = scenarios.months_ahead(known.origin, time.quarters)
    return Question(
        workspace=workspace,
        clock=at,
        panel=known,
        reporting=reporting(
            known, archive, as_of=at.as_of, horizon=months, release=workspace.scenarios.release
        ),
        current=current,
        quarters=quarters,
        months=months,
    )
