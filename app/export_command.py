"""What `flash-payouts export` does: one file of payouts, or nothing at all."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from app.commands import opened
from app.container import Container
from app.http.filters import FilterQuery, read_filter
from app.settings import load_settings
from models.errors import InvalidField, UnavailableError
from models.export import ExportFormat, ExportOrder
from models.store import Actor, ActorKind, Store

STDOUT = "-"
_CONSOLE = Actor(ActorKind.SYSTEM, "console")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, and where to."""

    rows: int
    file: str
    total_sats: int

    @property
    def fields(self) -> dict[str, object]:
        """Return it as JSON has it."""
        return {"rows": self.rows, "file": self.file, "total_sats": self.total_sats}

    @property
    def sentence(self) -> str:
        """Return it as a person reads it."""
        return f"{self.rows:,} payouts, {self.total_sats:,} sats: {self.file}"


async def export(
    form: ExportFormat,
    fields: Mapping[str, str | None],
    store_id: str | None,
    output: str,
    *,
    for_excel: bool,
) -> Exported:
    """Write the payouts of a filter into a file; whoever has the console sees everything.

    Raises:
        InvalidField: A store, filter or file that cannot be.
    """
    query = _query(fields)
    async with opened(load_settings()) as container:
        store = await _store(container, store_id)
        order = ExportOrder(
            store=store,
            wanted=read_filter(query, store),
            format=form,
            actor=_CONSOLE,
            shows_all=True,
            for_excel=for_excel,
        )
        with _written(output) as file:
            async with container.exports.start(order) as export_:
                await export_.prepare()
                async for chunk in export_.chunks():
                    file.write(chunk)
        total = export_.total
        return Exported(total.count, output, total.amount_sats)


def _query(fields: Mapping[str, str | None]) -> FilterQuery:
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return FilterQuery.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InvalidField(str(first["loc"][0]), str(first["msg"])) from None


async def _store(container: Container, store_id: str | None) -> Store:
    stores = await container.stores.all()
    if store_id is not None:
        stores = [store for store in stores if store.id == store_id]
    if not stores:
        raise InvalidField("store", "there is no such store")
    if len(stores) > 1:
        raise InvalidField("store", f"say which: {', '.join(store.id for store in stores)}")
    return stores[0]


@contextmanager
def _written(output: str) -> Iterator[BinaryIO]:
    """Open what is written to; a file appears under its name only when it is whole."""
    path = Path(output).resolve()
    try:
        if output == STDOUT:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        elif path.exists() and not path.is_file():  # a pipe or device is written as it is
            with path.open("wb") as file:
                yield file
        else:
            with _replaced(path) as file:
                yield file
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise UnavailableError(f"{output} cannot be written: {reason}.") from None


@contextmanager
def _replaced(path: Path) -> Iterator[BinaryIO]:
    """Write beside a file and take its place in the end; only its owner may read it."""
    if not path.parent.is_dir():
        raise InvalidField("output", "there is no such folder")
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
