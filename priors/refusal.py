"""A user's mistake is told in one line: where, what came, what was wanted, what to do."""

from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches

LONGEST = 80  # characters of a file's text that a message repeats


class Refusal(ValueError):  # noqa: N818  a refusal is an answer to its owner, not a fault of the program
    """An input that cannot be used, named so that its owner can mend it."""

    def __init__(
        self,
        *,
        file: str | None = None,
        where: str | None = None,
        got: object = None,
        wanted: str | None = None,
        remedy: str | None = None,
    ) -> None:
        """All parts may be absent; those present are told in this order.

        Args:
            file: the file as its owner knows it (as given, or relative to the workspace).
            where: the entry, key or line in it.
            got: what stood there; shown shortened, with control characters escaped.
            wanted: what would have been accepted.
            remedy: what to do about it.
        """
        self.file = file
        self.where = where
        self.got = None if got is None else shown(got)
        self.wanted = wanted
        self.remedy = remedy
        super().__init__(str(self))

    def within(self, file: str, where: str | None) -> "Refusal":
        """The same mistake, told by someone who knows the file and the place in it."""
        return _retold(file, where, self.got, self.wanted, self.remedy)

    def __reduce__(self) -> tuple[object, ...]:
        """A refusal in a worker process reaches the parent unchanged."""
        return _retold, (self.file, self.where, self.got, self.wanted, self.remedy)

    def __str__(self) -> str:
        """``file: where: got …; wanted …; remedy`` without the parts that are absent."""
        happened = [
            None if self.got is None else f"got {self.got}",
            None if self.wanted is None else f"wanted {self.wanted}",
            self.remedy,
        ]
        parts = [self.file, self.where, "; ".join(part for part in happened if part)]
        return ": ".join(_one_line(part) for part in parts if part)


def shown(value: object) -> str:
    """A value from a file much as it stood there, cut to `LONGEST` characters.

    A file may hold control characters, or a megabyte in one cell; a terminal must survive both.
    """
    if isinstance(value, str):
        text = repr(value[: 2 * LONGEST])
    elif isinstance(value, float) and value.is_integer():
        text = f"{value:.0f}"
    elif isinstance(value, tuple | list):
        text = f"[{', '.join(shown(inner) for inner in value)}]"
    else:
        text = str(value) if isinstance(value, date) else repr(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def nearest(name: str, valid: Iterable[str]) -> str:
    """``did you mean 'x'?`` when something valid is near, otherwise what is known."""
    names = sorted(valid)
    if close := get_close_matches(name, names, n=1, cutoff=0.6):
        return f"did you mean {close[0]!r}?"
    if not names:
        return "none is known"
    listed = ", ".join(names[:12])
    return f"known: {listed}" + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _retold(
    file: str | None, where: str | None, got: str | None, wanted: str | None, remedy: str | None
) -> Refusal:
    refusal = Refusal(file=file, where=where, wanted=wanted, remedy=remedy)
    refusal.got = got  # shown already
    refusal.args = (str(refusal),)
    return refusal


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
