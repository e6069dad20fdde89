"""The rules of the house, each a function from one source file to what it finds wrong in it."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.rules.calls import (
    logs_take_fields_and_no_formatted_text,
    only_the_clock_reads_the_time,
    only_the_supervisor_starts_tasks,
)
from tests.support.rules.imports import (
    adapters_store_nothing,
    imports_follow_the_layers,
    libraries_stay_where_they_belong,
    pure_modules_know_no_world,
    sql_stays_in_storage,
)
from tests.support.rules.numbers import (
    money_is_never_a_float,
    nothing_is_divided_with_a_slash,
)
from tests.support.rules.rights import pages_act_as_whoever_may_now
from tests.support.rules.shape import (
    error_codes_are_unique,
    files_are_named_after_one_noun,
    files_are_short,
    functions_are_short,
    public_names_have_docstrings,
)
from tests.support.rules.source import Finding, Source, read_sources

__all__ = ["RULES", "Finding", "Rule", "Source", "read_sources"]

Rule = Callable[[Source], list[Finding]]

RULES: tuple[Rule, ...] = (
    imports_follow_the_layers,
    libraries_stay_where_they_belong,
    sql_stays_in_storage,
    pure_modules_know_no_world,
    adapters_store_nothing,
    only_the_supervisor_starts_tasks,
    only_the_clock_reads_the_time,
    logs_take_fields_and_no_formatted_text,
    nothing_is_divided_with_a_slash,
    money_is_never_a_float,
    files_are_named_after_one_noun,
    files_are_short,
    functions_are_short,
    public_names_have_docstrings,
    error_codes_are_unique,
    pages_act_as_whoever_may_now,
)
