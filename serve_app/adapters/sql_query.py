"""A source's SQL query: which parameters it takes, which columns it must give, and what is said when it fails."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import BigInteger, BindParameter, String, TextClause, bindparam, text

from serve_app.domain.errors import ConfigError, SourceFailed


class SqlQuery:
    """`statement` has its parameters typed; `parameters` are those that it uses."""

    def __init__(
        self,
        source: str,
        query: str,
        *,
        scalars: Mapping[str, type[str] | type[int]],
        lists: Collection[str],
        columns: Collection[str] = (),
        rows_max: int = 1000,
    ) -> None:
        """`scalars` and `lists` (of text) name the parameters that there are; `columns` those that the result must have.

        Raises ConfigError for an unknown parameter.
        """
        self.source = source
        self.rows_max = rows_max
        self._columns = frozenset(columns)
        bare = text(_with_bare_lists(query, lists))
        self.parameters = frozenset(bare.compile().params)
        if unknown := self.parameters - {*scalars, *lists}:
            known = ", ".join(sorted({*scalars, *lists}))
            raise ConfigError(f"source {source}: query: unknown parameter :{', :'.join(sorted(unknown))}; there are {known}")
        self.lists = tuple(sorted(self.parameters.intersection(lists)))
        typed = [_bound(each, str if each in lists else scalars[each], is_list=each in lists) for each in self.parameters]
        self.statement: TextClause = bare.bindparams(*typed)

    def used(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return {name: parameters[name] for name in self.parameters}

    def rows(self, columns: Sequence[str], found: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        """`found` by column; it may hold one row more than `rows_max`. Raises SourceFailed: malformed."""
        if absent := sorted(self._columns.difference(columns)):
            raise SourceFailed(self.source, f"the query gives no column {', '.join(absent)}", "malformed")
        if len(found) > self.rows_max:
            raise SourceFailed(self.source, f"more than {self.rows_max} rows: limit the query", "malformed")
        return [dict(zip(columns, row, strict=True)) for row in found]

    def refused(self, error: BaseException, used: Mapping[str, Any]) -> SourceFailed:
        """The database's own words, without the query and without any value that was asked for."""
        lines = str(error).strip().splitlines()
        words = re.sub(r"<class '[^']*'>: ", "", lines[0])[:200] if lines else type(error).__name__
        values = [each for value in used.values() for each in ([value] if isinstance(value, str) else _items(value))]
        for value in values:
            words = words.replace(value, "…") if value else words
        return SourceFailed(self.source, words)

    def in_use(self) -> SourceFailed:
        return SourceFailed(self.source, "every connection of its pool is in use", "late")


def _with_bare_lists(query: str, lists: Collection[str]) -> str:
    """`IN (:ids)` as `IN :ids`: the parentheses come with the expansion."""
    return re.sub(rf"\(\s*:({'|'.join(map(re.escape, lists))})\s*\)", r":\1", query) if lists else query


def _bound(name: str, kind: type[str] | type[int], *, is_list: bool) -> BindParameter[Any]:
    """Typed: else PostgreSQL would guess a type from the query, and refuse the text in `CAST(:customer_id AS INTEGER)`."""
    return bindparam(name, expanding=is_list, type_=BigInteger() if kind is int else String())


def _items(value: Any) -> list[str]:
    return [str(each) for each in cast("Sequence[Any]", value)] if isinstance(value, list | tuple) else []
