"""Facts as lines of name and value, in groups, and parts that stay folded until one asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import events, html

from components.copy_button import quiet_copy
from components.text import Text

LONG = 60


@contextmanager
def group(name: str) -> Iterator[None]:
    """Place facts under a name."""
    with html.section().classes("fp-group"):
        html.h3(name).classes("fp-h3")
        with html.dl():
            yield


def fact(name: str, value: str | None, *, copy: bool = False, look: str = "") -> None:
    """Place a line, with a button that copies its value; nothing where there is no value."""
    if not value:
        return
    with fact_line(name):
        # What can be copied need not be read to its end; the rest wraps.
        cut = "clip" if copy or (len(value) > LONG and " " not in value) else "fp-whole"
        Text("span", value).classes(f"num {cut} {look}").props["title"] = value
        if copy:
            quiet_copy(value, f"Copy {name.lower()}")


@contextmanager
def fact_line(name: str) -> Iterator[None]:
    """Place a line whose value is placed within."""
    with html.div().classes("fp-fact"):
        Text("dt", name).classes("soft")
        with html.dd():
            yield


class Folds:
    """The folded parts of one thing; what was opened stays open when it is drawn anew."""

    def __init__(self) -> None:
        self._open: set[str] = set()

    def begin(self, opened: frozenset[str] = frozenset()) -> None:
        """Forget what was open: another thing is shown now."""
        self._open = set(opened)

    @contextmanager
    def part(self, name: str, aside: str = "", look: str = "") -> Iterator[None]:
        """Place a part, with its gist beside its name."""
        with html.details().classes("fp-fold") as box:
            if name in self._open:
                box.props["open"] = ""
            box.on("toggle", lambda e: self._toggled(name, e), js_handler=_IS_OPEN)
            with html.summary():
                Text("span", name).classes("fp-fold-name")
                if aside:
                    Text("span", aside).classes(f"fp-fold-aside num {look}")
            with html.div().classes("fp-fold-body"):
                yield

    def _toggled(self, name: str, event: events.GenericEventArguments) -> None:
        (self._open.add if event.args is True else self._open.discard)(name)


_IS_OPEN = "(e) => emit(e.target.open)"
