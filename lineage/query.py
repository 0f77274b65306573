"""Column lineage of one query, from its parsed SQL.

A query is read from the inside out: each CTE, subquery and join becomes a `Relation`, whose columns are already traced to
columns of tables, so that each part of a query is read once. What an incremental model reads from its own table is left
out: it says which rows are computed again, not from what, and a full refresh does not read it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import zip_longest

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from lineage.relation import (
    STAMP,
    QueryError,
    Ref,
    Relation,
    Value,
    alias_columns,
    column_of,
    renamed,
    short,
)

LOAD_ID = "_dlt_load_id"

Scope = Mapping[str, Relation]


def resolve(
    sql: str, dialect: str, columns_of: Callable[[str], Iterable[str]], own: str = ""
) -> tuple[Relation, set[str]]:
    """Return what a query gives, and the tables that it reads.

    Args:
        sql: one query.
        dialect: that of dbt's adapter.
        columns_of: returns the known columns of a table, which is named `schema.table`.
        own: the table that the query builds.

    Raises:
        QueryError: it cannot be parsed, or reads a column that no table of it has.
    """
    reader = _Reader(columns_of, own)
    try:
        found = reader.query(sqlglot.parse_one(sql, read=dialect), {}, ())
    except SqlglotError as error:
        raise QueryError(f"sqlglot cannot parse it: {error}") from error
    except RecursionError as error:
        raise QueryError("an expression of it is nested too deeply") from error
    return found, reader.tables - {own}


class _Reader:
    def __init__(self, columns_of: Callable[[str], Iterable[str]], own: str) -> None:
        self._columns_of = columns_of
        self._own = own
        self.tables: set[str] = set()

    def query(self, node: exp.Expr, ctes: Scope, outer: Sequence[Scope]) -> Relation:
        """Return what a query gives; `outer` are the scopes around it, the nearest first."""
        ctes = {**ctes}
        if with_ := node.args.get("with_"):
            for cte in with_.expressions:
                inner = cte.this
                if with_.args.get("recursive") and isinstance(inner, exp.SetOperation):
                    # The first part, which the second one reads, gives the columns their start.
                    ctes[cte.alias] = renamed(self.query(inner.left, ctes, outer), alias_columns(cte))
                ctes[cte.alias] = renamed(self.query(inner, ctes, outer), alias_columns(cte))
        if isinstance(node, (exp.Subquery, exp.Paren)):
            return self.query(node.this, ctes, outer)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, ctes, outer)
        if isinstance(node, exp.Select):
            return _Select(self, node, ctes, outer).relation()
        raise QueryError(f"{node.key} is not read: {node.sql()[:200]}")

    def _set_operation(self, node: exp.SetOperation, ctes: Scope, outer: Sequence[Scope]) -> Relation:
        left, right = self.query(node.left, ctes, outer), self.query(node.right, ctes, outer)
        if left.is_own != right.is_own:
            return right if left.is_own else left
        is_distinct = bool(node.args.get("distinct")) or not isinstance(node, exp.Union)
        found = Relation(is_own=left.is_own, rows=left.rows | right.rows)
        if node.args.get("by_name"):
            pairs = [
                (name, left.columns.get(name), right.columns.get(name))
                for name in {**left.columns, **right.columns}
            ]
        else:
            pairs = [
                (name, *values)
                for name, values in zip(
                    left.columns, zip_longest(left.columns.values(), right.columns.values()), strict=False
                )
            ]
        for name, *values in pairs:
            given = [value for value in values if value]
            refs = frozenset().union(*(value.refs for value in given))
            found.columns[name] = Value(
                refs, short(f"{node.key}({','.join(value.text for value in given)})"), given[0].node
            )
            if is_distinct:
                found.rows |= refs
        columns = ",".join(value.text for value in found.columns.values()) if is_distinct else ""
        found.text = short(f"{node.key}({left.text};{right.text};{columns})")
        return found

    def source(self, node: exp.Expr, ctes: Scope, outer: Sequence[Scope]) -> Relation:
        """Return a table, CTE or subquery of a FROM clause."""
        if isinstance(node, exp.Table):
            if not node.db and node.name in ctes:
                return renamed(ctes[node.name], alias_columns(node))
            name = f"{node.db}.{node.name}"
            self.tables.add(name)

            def of_table(column: str) -> Value:
                return Value(frozenset([(name, column)]), f"{name}.{column}")

            columns = {column: of_table(column) for column in self._columns_of(name)}
            return Relation(columns, text=name, other=of_table, is_own=name == self._own)
        return renamed(self.query(node, ctes, outer), alias_columns(node))


class _Select:
    def __init__(self, reader: _Reader, node: exp.Select, ctes: Scope, outer: Sequence[Scope]) -> None:
        self._reader = reader
        self._node = node
        self._ctes = ctes
        self._sources: dict[str, Relation] = {}
        self._outer = outer
        self._scopes = [self._sources, *outer]
        self._aliases: dict[str, Value] = {}
        self._rows: set[Ref] = set()
        self._texts: list[str] = []

    def relation(self) -> Relation:
        node = self._node
        if from_ := node.args.get("from_"):
            self._add(from_.this)
        for join in node.args.get("joins") or ():
            self._add(join.this)
            self._texts.append(f"{join.side or ''} {join.kind or ''}")
            self._decide(join.args.get("on"))
            for column in join.args.get("using") or ():
                self._decide(exp.column(column.name))
        for lateral in node.args.get("laterals") or ():
            self._add(lateral)
        found = Relation(is_own=any(source.is_own for source in self._sources.values()))
        for column in node.expressions:
            self._aliases.update(found.columns)
            for name, value in self._projected(column):
                # Unions go by position, so columns of one name must not become one.
                taken = name in found.columns
                found.columns[f"{name}:{len(found.columns)}" if taken else name] = value
        self._aliases = found.columns
        if where := node.args.get("where"):
            for condition in where.this.flatten() if isinstance(where.this, exp.And) else [where.this]:
                if not self._only_incremental(condition):
                    self._decide(condition)
        if group := node.args.get("group"):
            for key in group.expressions:
                self._decide(self._by_position(key))
            if group.args.get("all"):
                for key in node.expressions:
                    if not key.find(exp.AggFunc):
                        self._decide(key.unalias())
        for clause in ("having", "qualify"):
            if given := node.args.get(clause):
                self._decide(given.this)
        if distinct := node.args.get("distinct"):
            on = distinct.args.get("on")
            for each in on.expressions if on else node.expressions:
                self._decide_all(value for _, value in self._projected(each))
        if (
            node.args.get("limit")
            or node.args.get("offset")
            or (node.args.get("distinct") and node.args.get("order"))
        ):
            for each in node.args["order"].expressions if node.args.get("order") else ():
                self._decide(self._by_position(each.this))
            self._texts.append(
                "".join(node.args[each].sql() for each in ("limit", "offset") if node.args.get(each))
            )
        found.rows = self._rows.union(*(source.rows for source in self._sources.values()))
        texts = [*(source.text for source in self._sources.values()), *self._texts]
        found.text = short(";".join(sorted({text for text in texts if text.strip()})))
        return found

    def _add(self, node: exp.Expr) -> None:
        """Add a part of the FROM clause."""
        for join in node.args.get("joins") or () if isinstance(node, (exp.Table, exp.Subquery)) else ():
            self._add(join.this)
            self._decide(join.args.get("on"))
        if isinstance(node, exp.Lateral) and isinstance(node.this, (exp.Subquery, exp.Select)):
            relation = self._reader.source(node.this, self._ctes, self._scopes)
        elif isinstance(node, (exp.Subquery, exp.Select, exp.SetOperation)) or (
            isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier)
        ):
            relation = self._reader.source(node, self._ctes, self._outer)
        else:
            relation = self._function(node)
        self._sources[node.alias_or_name or f"#{len(self._sources)}"] = relation

    def _function(self, node: exp.Expr) -> Relation:
        """Return what a function or VALUES gives as a table: all columns come from all that it reads."""
        value = self.value(node.this if isinstance(node, exp.Table) else node)
        names = alias_columns(node) or ([node.alias] if node.alias else [])
        self._rows |= value.refs
        self._texts.append(value.text)
        return Relation(dict.fromkeys(names, value), other=lambda _: value)

    def _projected(self, node: exp.Expr) -> list[tuple[str, Value]]:
        """Return the columns that an expression of the select list gives."""
        inner = node.unalias()
        if isinstance(inner, exp.Columns):
            inner = inner.this
        if isinstance(inner, exp.Star) or (
            isinstance(inner, exp.Column) and isinstance(inner.this, exp.Star)
        ):
            star = inner if isinstance(inner, exp.Star) else inner.this
            table = inner.table if isinstance(inner, exp.Column) else None
            left_out = {each.name for each in star.args.get("except_") or ()}
            replaced = {each.alias: each.this for each in star.args.get("replace") or ()}
            renamed = {each.this.name: each.alias for each in star.args.get("rename") or ()}
            return [
                (renamed.get(name, name), self.value(replaced[name]) if name in replaced else value)
                for name, value in self._all_columns(table)
                if name not in left_out
            ]
        value = self.value(inner)
        if not isinstance(inner, exp.Column) and not value.node:
            value = Value(value.refs, value.text, inner)
        if inner.find(exp.Explode, exp.Unnest, exp.Inline):
            # One row for each element.
            self._decide(inner)
        return [(node.alias_or_name or inner.key, value)]

    def _all_columns(self, table: str | None) -> Iterator[tuple[str, Value]]:
        sources = [self._relation(table)] if table else self._sources.values()
        for source in sources:
            if source is None:
                raise QueryError(f"{table} is not in the query")
            yield from source.columns.items()

    def _relation(self, table: str) -> Relation | None:
        return next((scope[table] for scope in self._scopes if table in scope), None)

    def value(self, node: exp.Expr) -> Value:
        """Return from what columns an expression comes, with its definition."""
        refs: set[Ref] = set()
        text = self._text(node, refs, frozenset())
        computed = None if isinstance(node, exp.Column) else node
        if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
            computed = self._column(node).node
        return Value(frozenset(refs), short(text), computed)

    def _text(self, node: exp.Expr, refs: set[Ref], bound: frozenset[str]) -> str:
        if isinstance(node, exp.Column):
            if isinstance(node.this, exp.Star):
                return self._united(self._all_columns(node.table or None), refs)
            if node.name in bound or node.table in bound:
                return "?"
            if not node.table and not self._has(node.name) and self._relation(node.name):
                # The row as a whole, as in to_json(orders).
                return self._united(self._all_columns(node.name), refs)
            value = self._column(node)
            refs |= value.refs
            return value.text
        if isinstance(node, exp.Query):
            inner = self._reader.query(node, self._ctes, self._scopes)
            # Whether it has rows is the value of EXISTS.
            refs.update(
                inner.rows if isinstance(node.parent, exp.Exists) else (),
                *(value.refs for value in inner.columns.values()),
            )
            self._rows |= inner.rows
            return f"({','.join(value.text for value in inner.columns.values())} of {inner.text})"
        if isinstance(node, exp.Lambda):
            bound |= {each.name for each in node.expressions}
        elif isinstance(node, exp.Literal):
            return f"{STAMP.sub('…', node.name)!r}"
        elif isinstance(node, exp.Paren):
            return self._text(node.this, refs, bound)
        parts = []
        for key, given in node.args.items():
            for each in given if isinstance(given, list) else [given]:
                if isinstance(each, exp.Expr):
                    parts.append(self._text(each, refs, bound))
                elif each not in (None, False):
                    parts.append(f"{key}={each}")
        return f"{node.key}({','.join(parts)})"

    def _united(self, columns: Iterable[tuple[str, Value]], refs: set[Ref]) -> str:
        texts = []
        for name, value in columns:
            refs |= value.refs
            texts.append(f"{name}={value.text}")
        return ",".join(texts)

    def _has(self, name: str) -> bool:
        return any(name in source.columns for scope in self._scopes for source in scope.values())

    def _column(self, node: exp.Column) -> Value:
        name, table = node.name, node.table
        for scope in self._scopes:
            if table:
                if table in scope:
                    return column_of(scope[table], name)
                continue
            given = [source.columns[name] for source in scope.values() if name in source.columns]
            if given:
                # Several for a column of USING.
                return reduce(lambda one, other: Value(one.refs | other.refs, one.text, one.node), given)
            if scope is self._sources and name in self._aliases:
                return self._aliases[name]
            if len(scope) == 1:
                (source,) = scope.values()
                if source.other:
                    return source.other(name)
        if table and (self._has(table) or table in self._aliases):
            # A field of a struct.
            return self._column(exp.column(table))
        raise QueryError(f"no table of the query has the column {node.sql()}")

    def _decide(self, node: exp.Expr | None) -> None:
        if node is not None:
            self._decide_all([self.value(node)])

    def _decide_all(self, values: Iterable[Value]) -> None:
        for value in values:
            self._rows |= value.refs
            self._texts.append(value.text)

    def _by_position(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Literal) and not node.is_string:
            return self._node.expressions[int(node.name) - 1].unalias()
        return node

    def _only_incremental(self, condition: exp.Expr) -> bool:
        """Whether a condition only says which rows an incremental run computes: loads by their ids, or its own rows."""
        if isinstance(condition, exp.In) and not condition.args.get("query"):
            return condition.this.name == LOAD_ID
        if not self._reader._own:
            return False
        if isinstance(condition, exp.Boolean):
            return True
        tables = condition.find_all(exp.Table)
        return any(f"{table.db}.{table.name}" == self._reader._own for table in tables)
