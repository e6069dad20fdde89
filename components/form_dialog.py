"""A dialog with a form: fields with their hints, and what is wrong said at the field itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from nicegui import events, html, ui
from nicegui.element import Element

from components.code_scanner import CodeScanner
from components.text import Text, sentence

Values = dict[str, str]
# One event with all values; the browser keeps them until then, so typing costs nothing here.
_GATHER = (
    "(e) => { e.preventDefault(); emit(Object.fromEntries(new FormData(e.target.closest('form'))));"
    " }"
)
_LIMIT = 5_000


@dataclass(frozen=True, slots=True)
class Field:
    """One question: `kind` is an input's type, `textarea`, or with options `select` or `choice`.

    Of `ticks` any number may be picked; each that is comes as a value `name.option`.

    With `when`, it is asked only while the option of that value is picked; with `scans`, a code
    can be scanned into it.
    """

    name: str
    label: str
    kind: str = "text"
    hint: str = ""
    value: str = ""
    placeholder: str = ""
    options: tuple[tuple[str, str], ...] = ()
    is_wide: bool = True
    when: str = ""
    scans: bool = False


class FormDialog:
    """Asks, hands over what was filled in, and stays open while something is wrong."""

    def __init__(
        self, title: str, submit: str, on_submit: Callable[[Values], Awaitable[bool]]
    ) -> None:
        self._title = title
        self._submit = submit
        self._on_submit = on_submit
        self._is_busy = False
        self._inputs: dict[str, Element] = {}
        self._errors: dict[str, Text] = {}
        with ui.dialog() as self._dialog, html.form().classes("fp-modal fp-form") as self._form:
            self._form.props.update({"novalidate": "", "role": "dialog", "aria-label": title})
        self._form.on("submit", self._submitted, js_handler=_GATHER)

    def open(
        self, fields: tuple[Field, ...], *, title: str = "", text: str = "", submit: str = ""
    ) -> None:
        """Ask these questions, under other words if some are given."""
        self._form.clear()
        self._inputs, self._errors = {}, {}
        self._form.props["aria-label"] = title or self._title
        with self._form:
            with html.header().classes("fp-modal-head"):
                html.h2(title or self._title).classes("fp-form-title")
                close = html.button("✕").classes("fp-button quiet")
                close.props('type=button aria-label="Close"').on("click", self._dialog.close)
            with html.div().classes("fp-modal-body fp-fields"):
                if text:
                    html.p(text).classes("fp-note wide")
                for field in fields:
                    self._field(field)
                self._errors[""] = Text("p").classes("fp-field-error wide").props("role=alert")
            with html.footer().classes("fp-modal-foot"):
                cancel = Text("button", "Cancel").classes("fp-button").props("type=button")
                cancel.on("click", self._dialog.close)
                Text("button", submit or self._submit).classes("fp-button primary").props(
                    "type=submit"
                )
        self._dialog.open()

    def close(self) -> None:
        """Close the dialog."""
        self._dialog.close()

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Say what is wrong at each field; what belongs to none stands below all."""
        known = {name if name in self._errors else "": words for name, words in errors.items()}
        for name, place in self._errors.items():
            words = known.get(name, "")
            place.set_text(sentence(words))
            shown = self._inputs.get(name)
            if shown is not None:
                shown.props["aria-invalid"] = "true" if words else "false"
        first = next((name for name in known if name in self._inputs), None)
        if first is not None:
            self._inputs[first].run_method("focus")

    def _field(self, field: Field) -> None:
        is_group = field.kind in {"choice", "ticks"}
        tag = html.fieldset if is_group else html.label
        only = f" when-{field.when}" if field.when else ""
        with tag().classes(f"fp-field{' wide' if field.is_wide else ''}{only}"):
            if is_group:
                html.legend(field.label).classes("fp-field-name")
            else:
                html.span(field.label).classes("fp-field-name")
                self._inputs[field.name] = self._input(field)
            if field.kind == "choice":
                self._choice(field)
            if field.hint:
                html.span(field.hint).classes("fp-field-hint")
            if field.kind == "ticks":  # so many that their hint comes first
                with html.div().classes("fp-picks"):
                    self._choice(field)
            self._errors[field.name] = Text("span").classes("fp-field-error")
            self._errors[field.name].props("aria-live=polite")
        if field.scans:
            CodeScanner(field.name)

    def _input(self, field: Field) -> Element:
        if field.kind == "select":
            select: Element = html.select().classes("fp-control")
            select.props["name"] = field.name
            with select:
                for value, word in field.options:
                    option = html.option(word)
                    option.props["value"] = value
                    if value == field.value:
                        option.props["selected"] = ""
            return select
        if field.kind == "textarea":
            area: Element = html.textarea(field.value).classes("fp-control fp-area")
            area.props.update({"name": field.name, "rows": "3", "placeholder": field.placeholder})
            area.props.update({"maxlength": str(_LIMIT), "spellcheck": "false"})
            if not self._inputs:
                area.props["autofocus"] = ""
            return area
        shown: Element = html.input_().classes("fp-control")
        shown.props.update({"name": field.name, "type": field.kind, "autocomplete": "off"})
        # As an attribute it is where typing begins; as a property every update of the page would
        # put it back over what was typed.
        shown.props.update({"placeholder": field.placeholder, "^value": field.value})
        if field.kind == "text":
            shown.props["maxlength"] = "200"
        if not self._inputs:
            shown.props["autofocus"] = ""
        return shown

    def _choice(self, field: Field) -> None:
        for value, word in field.options:
            with html.label().classes("fp-pick"):
                pick = html.input_()
                if field.kind == "ticks":
                    pick.props.update({"type": "checkbox", "name": f"{field.name}.{value}"})
                else:
                    pick.props.update({"type": "radio", "name": field.name, "value": value})
                if value == field.value:
                    pick.props["checked"] = ""
                html.span(word)

    async def _submitted(self, event: events.GenericEventArguments) -> None:
        given = event.args if isinstance(event.args, dict) else {}
        values = {str(name): str(value)[:_LIMIT] for name, value in given.items()}
        # A password is what it is, with the spaces around it.
        values = {
            name: kept if name == "password" else kept.strip() for name, kept in values.items()
        }
        if self._is_busy:
            return
        self._is_busy = True
        try:
            if await self._on_submit(values):
                self._dialog.close()
        finally:
            self._is_busy = False
