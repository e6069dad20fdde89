"""Reads exported files back, with nothing that wrote them."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_EXCEL_DAY_0 = datetime(1899, 12, 30, tzinfo=UTC)
_PLACE = re.compile(r"([A-Z]+)([0-9]+)")


def csv_rows(file: bytes) -> list[dict[str, str]]:
    """Return the rows of a CSV file by column."""
    return list(csv.DictReader(io.StringIO(file.decode(), newline=""), strict=True))


def json_object(file: bytes) -> dict[str, Any]:
    """Return the object of a JSON file."""
    found = json.loads(file)
    assert isinstance(found, dict)
    return found


def xlsx_parts(file: bytes) -> dict[str, str]:
    """Return the parts of a workbook by name."""
    with zipfile.ZipFile(io.BytesIO(file)) as parts:
        assert parts.testzip() is None
        return {name: parts.read(name).decode() for name in parts.namelist()}


def xlsx_sheets(file: bytes) -> dict[str, list[list[Any]]]:
    """Return the sheets of a workbook as rows of typed cells; an empty cell is None."""
    parts = xlsx_parts(file)
    names = [
        sheet.attrib["name"]
        for sheet in ET.fromstring(parts["xl/workbook.xml"]).iter(f"{_MAIN}sheet")
    ]
    moments = _moment_styles(parts["xl/styles.xml"])
    shared = [_text(item) for item in ET.fromstring(parts["xl/sharedStrings.xml"])]
    return {
        name: _rows(parts[f"xl/worksheets/sheet{number}.xml"], moments, shared)
        for number, name in enumerate(names, start=1)
    }


def _moment_styles(styles: str) -> set[str]:
    """Return the numbers of the styles that show a number as a time."""
    root = ET.fromstring(styles)
    formats = {
        form.attrib["numFmtId"]
        for form in root.iter(f"{_MAIN}numFmt")
        if "yy" in form.attrib["formatCode"]
    }
    (cells,) = root.iter(f"{_MAIN}cellXfs")
    return {str(n) for n, xf in enumerate(cells) if xf.attrib["numFmtId"] in formats}


def _rows(sheet: str, moments: set[str], shared: list[str]) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for row in ET.fromstring(sheet).iter(f"{_MAIN}row"):
        while len(rows) < int(row.attrib["r"]):
            rows.append([])
        for cell in row:
            place = _column(cell.attrib["r"])
            rows[-1] += [None] * (place + 1 - len(rows[-1]))
            rows[-1][place] = _value(cell, moments, shared)
    return rows


def _column(reference: str) -> int:
    found = _PLACE.fullmatch(reference)
    assert found is not None
    number = 0
    for letter in found[1]:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


def _value(cell: ET.Element, moments: set[str], shared: list[str]) -> Any:
    kind = cell.attrib.get("t", "n")
    if kind == "inlineStr":
        return _text(cell)
    (value,) = cell
    assert value.tag == f"{_MAIN}v", "a cell holds a plain value, never a formula"
    text = value.text or ""
    if kind == "s":
        return shared[int(text)]
    if kind == "b":
        return text == "1"
    assert kind == "n"
    if cell.attrib.get("s") in moments:
        return _EXCEL_DAY_0 + timedelta(milliseconds=round(float(text) * 86_400_000))
    assert "E" not in text
    return int(text)


def _text(item: ET.Element) -> str:
    """Return a text, its control characters as they were."""
    text = "".join(part.text or "" for part in item.iter(f"{_MAIN}t"))
    return re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), text)
