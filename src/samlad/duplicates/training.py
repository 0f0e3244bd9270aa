"""Learning from a shop's own people how much it says that two have the same name, address or number: Splink on DuckDB.

Nothing is labelled: ``u`` comes from random pairs, who are nearly never one person, ``m`` by expectation maximisation
among pairs that have something in common. Measured choices and traps are in `docs/decisions/probable-duplicates.md`.

Splink is imported where it is needed: a server that trains nothing starts without it.
"""

import csv
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from samlad.duplicates.comparing import BLOCKS, CERTAIN, CERTAIN_RECALL, DEFAULT, LARGEST_BLOCK, TRAINING
from samlad.duplicates.model import Comparison, Condition, Level, Model, Record, Test
from samlad.duplicates.rules import frequent_fields, largest_block

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from splink import Linker

RANDOM_PAIRS = 10_000_000
"""From which ``u`` is estimated."""
SEED = 1
FEW = 5
"""A value that no more people have is rare: its share is taken for this many."""
UNSEEN = 0.1
"""What no pair had that was learnt from is rarer than it is taken for at first."""
LEAST, MOST = 1e-9, 1 - 1e-9
MEMORY = "2GB"
MOST_PAIRS = 20_000_000
"""Pairs that one block may compare: of a million people a block of names could make five times as many."""
STRIDE = 10_000
"""Pairs that are handed on at once."""

logging.getLogger("splink").setLevel(logging.ERROR)


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared, and how it is learnt: of customers as `comparing` has it; a benchmark brings its own.

    Attributes:
        model: the comparisons, with figures for what nothing can be learnt of.
        blocks: only who has the same in all fields of one of these is compared.
        training: what pairs have in common from which ``m`` is learnt.
        certain: who agrees in one of these is one person, and ``recall`` of those who are one do.
    """

    model: Model = DEFAULT
    blocks: Sequence[Sequence[str]] = BLOCKS
    training: Sequence[Sequence[str]] = TRAINING
    certain: Sequence[Sequence[str]] = CERTAIN
    recall: float = CERTAIN_RECALL

    @property
    def fields(self) -> list[str]:
        """Every field that is compared or blocked by."""
        named = {field for block in (*self.blocks, *self.training, *self.certain) for field in block}
        for comparison in self.model.comparisons:
            named.add(comparison.field)
            named |= {level.frequency for level in comparison.levels if level.frequency}
            tests = [test for level in comparison.levels for test in level.conditions]
            named |= {test.field for test in tests} | {test.other for test in tests if test.other}
        return sorted(named)


SHAPE = Shape()


class Learnt(msgspec.Struct, frozen=True):
    """What came of a training. ``untrained``: levels of which nothing could be learnt."""

    model: Model
    shares: dict[str, dict[str, float]]
    untrained: list[str]
    people: int
    seconds: float


def open_people(folder: Path, threads: int = 2) -> "DuckDBPyConnection":
    """A database in memory that may spill into a folder."""
    import duckdb

    return duckdb.connect(
        config={"threads": threads, "memory_limit": MEMORY, "temp_directory": str(folder / "spill")}
    )


def write_people(file: Path, fields: Sequence[str], people: Iterable[tuple[str, Record]]) -> int:
    """Append people to a file that `load_people` reads; how many."""
    count = 0
    with file.open("a", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        for key, record in people:
            writer.writerow([key, *(record.get(field) for field in fields)])
            count += 1
    return count


def load_people(base: "DuckDBPyConnection", file: Path, shape: Shape = SHAPE) -> int:
    """Make the table of people, with a column by which each block is found; how many there are.

    What more than `LARGEST_BLOCK` have in common finds nobody, as in process.
    """
    names = ", ".join(f"'{name}': 'VARCHAR'" for name in ("unique_id", *shape.fields))
    # Said and not guessed: of a file without people nothing can be guessed.
    base.execute(
        f"""CREATE TABLE told AS SELECT * FROM read_csv(?, auto_detect = false, header = false, delim = ',', quote = '"',
                                                        escape = '"', nullstr = '', columns = {{{names}}})""",
        [str(file)],
    )
    keys = [
        f"CASE WHEN {' AND '.join(f'{field} IS NOT NULL' for field in block)} THEN concat_ws('|', {', '.join(block)}) END AS k{place}"
        for place, block in enumerate(shape.blocks)
    ]
    base.execute(f"CREATE TABLE keyed AS SELECT *, {', '.join(keys)} FROM told")
    base.execute("DROP TABLE told")
    capped = []
    for place in range(len(shape.blocks)):
        # One block at a time: windows over all of them at once would hold everybody in memory as often as there are blocks.
        largest = _largest(base, place)
        base.execute(
            f"""CREATE TABLE wide{place} AS SELECT k{place} FROM keyed WHERE k{place} IS NOT NULL
                GROUP BY 1 HAVING count(*) BETWEEN 2 AND {largest}"""
        )
        capped.append(
            f"CASE WHEN k{place} IN (SELECT k{place} FROM wide{place}) THEN k{place} END AS b{place}"
        )
    base.execute(
        f"CREATE TABLE people AS SELECT unique_id, {', '.join(shape.fields)}, {', '.join(capped)} FROM keyed"
    )
    for place in range(len(shape.blocks)):
        base.execute(f"DROP TABLE wide{place}")
    base.execute("DROP TABLE keyed")
    return _one(base, "SELECT count(*) FROM people")


def _largest(base: "DuckDBPyConnection", place: int, most: int = MOST_PAIRS) -> int:
    """How many people may have a key of a block in common: `LARGEST_BLOCK`, or fewer where that made too many pairs."""
    sizes = base.execute(
        f"""SELECT size, count(*) FROM (SELECT count(*) AS size FROM keyed WHERE k{place} IS NOT NULL GROUP BY k{place})
            WHERE size BETWEEN 2 AND {LARGEST_BLOCK} GROUP BY 1 ORDER BY 1"""
    ).fetchall()
    return largest_block(sizes, most)


def learn(base: "DuckDBPyConnection", shape: Shape = SHAPE, random_pairs: int = RANDOM_PAIRS) -> Learnt:
    """Learn a model from the table of people."""
    began = time.monotonic()
    people = _one(base, "SELECT count(*) FROM people")
    rare = {field: _rare(base, field) for field in frequent_fields(shape.model)}
    plain = _with_rare(shape.model, rare)
    linker = _linker(base, plain, shape, is_trained=False)
    certain: list[Any] = [_equal(fields) for fields in shape.certain]
    linker.training.estimate_probability_two_random_records_match(certain, recall=shape.recall)
    linker.training.estimate_u_using_random_sampling(max_pairs=random_pairs, seed=SEED)
    for fields in shape.training:
        if _one(base, f"SELECT count(*) FROM ({_pairs_sql(fields)} LIMIT 100)") >= FEW:
            linker.training.estimate_parameters_using_expectation_maximisation(
                _equal(fields), max_pairs=random_pairs
            )
    model, untrained = _learnt(linker.misc.save_model_to_json(), plain)
    shares = {field: _shares(base, field, rare[field]) for field in sorted(rare)}
    return Learnt(model, shares, untrained, people, time.monotonic() - began)


def predict(
    base: "DuckDBPyConnection", model: Model, shape: Shape = SHAPE, least: float = 0.9
) -> "Iterator[list[tuple[str, str, float]]]":
    """All pairs that are at least so probable, `STRIDE` at once: both ids, and the weight in bits."""
    linker = _linker(base, model, shape, is_trained=True)
    found = linker.inference.predict(threshold_match_probability=least)
    told = base.execute(f"SELECT unique_id_l, unique_id_r, match_weight FROM {found.physical_name}")
    while rows := told.fetchmany(STRIDE):
        yield rows


def _linker(base: "DuckDBPyConnection", model: Model, shape: Shape, *, is_trained: bool) -> "Linker":
    from splink import DuckDBAPI, Linker

    people = DuckDBAPI(connection=base).register("people", dataset_display_name="people")
    return Linker(people, settings_of(model, shape, is_trained=is_trained), log_level=None)


def settings_of(model: Model, shape: Shape = SHAPE, *, is_trained: bool = True) -> dict[str, Any]:
    """A model as Splink's settings."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": model.prior,
        "comparisons": [_comparison(each, is_trained=is_trained) for each in model.comparisons],
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": f"l.b{place} = r.b{place}", "sql_dialect": "duckdb"}
            for place in range(len(shape.blocks))
        ],
        "max_iterations": 20,
        "em_convergence": 0.001,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
    }


def _comparison(comparison: Comparison, *, is_trained: bool) -> dict[str, Any]:
    field = comparison.field
    unknown = {
        "sql_condition": f"{field}_l IS NULL OR {field}_r IS NULL",
        "label_for_charts": "unknown",
        "is_null_level": True,
    }
    levels = [_level(level, is_trained=is_trained) for level in comparison.levels]
    return {"output_column_name": comparison.name, "comparison_levels": [unknown, *levels]}


def _level(level: Level, *, is_trained: bool) -> dict[str, Any]:
    said = " AND ".join(_sql(condition) for condition in level.conditions) or "ELSE"
    found: dict[str, Any] = {"sql_condition": said, "label_for_charts": level.name}
    if level.frequency and level.rare:
        found |= {"tf_adjustment_column": level.frequency, "tf_minimum_u_value": level.rare}
    if is_trained:
        found |= {"m_probability": level.m, "u_probability": level.u}
    return found


def _sql(condition: Condition) -> str:
    left, right = f"{condition.field}_l", f"{condition.field}_r"
    if condition.test is Test.SAME:
        return f"{left} = {right}"
    if condition.test is Test.SIMILAR:
        return f"jaro_winkler_similarity({left}, {right}) >= {condition.limit}"
    if condition.test is Test.NEAR:
        return f"levenshtein({left}, {right}) <= {condition.limit:g}"
    return f"({left} = {condition.other}_r AND {right} = {condition.other}_l)"


def _equal(fields: Sequence[str]) -> str:
    return " AND ".join(f"l.{field} = r.{field}" for field in fields)


def _pairs_sql(fields: Sequence[str]) -> str:
    return f"SELECT 1 FROM people l JOIN people r ON {_equal(fields)} AND l.unique_id < r.unique_id"


def _learnt(settings: Mapping[str, Any], plain: Model) -> tuple[Model, list[str]]:
    """Splink's settings as a model. Levels that it has not seen keep their figures; their ``m`` counts for less."""
    untrained = []
    comparisons = []
    for comparison, told in zip(plain.comparisons, settings["comparisons"], strict=True):
        learnt = told["comparison_levels"][1:]
        ms = [each.get("m_probability") for each in learnt]
        us = [each.get("u_probability") for each in learnt]
        names = [f"{comparison.name}:{level.name}" for level in comparison.levels]
        untrained += [name for name, m, u in zip(names, ms, us, strict=True) if m is None or u is None]
        share = 1.0 if all(m is None for m in ms) else UNSEEN
        given = [
            level.m * share if m is None else float(m) for m, level in zip(ms, comparison.levels, strict=True)
        ]
        levels = tuple(
            msgspec.structs.replace(
                level, m=_within(m / sum(given)), u=_within(level.u if u is None else float(u))
            )
            for level, m, u in zip(comparison.levels, given, us, strict=True)
        )
        comparisons.append(msgspec.structs.replace(comparison, levels=levels))
    prior = _within(float(settings["probability_two_random_records_match"]))
    return Model(prior=prior, comparisons=tuple(comparisons)), untrained


def _within(value: float) -> float:
    return min(max(value, LEAST), MOST)


def _with_rare(model: Model, rare: Mapping[str, float]) -> Model:
    return msgspec.structs.replace(
        model,
        comparisons=tuple(
            msgspec.structs.replace(
                comparison,
                levels=tuple(
                    msgspec.structs.replace(level, rare=rare[level.frequency]) if level.frequency else level
                    for level in comparison.levels
                ),
            )
            for comparison in model.comparisons
        ),
    )


def _rare(base: "DuckDBPyConnection", field: str) -> float:
    return min(1.0, FEW / max(1, _one(base, f"SELECT count({field}) FROM people")))


def _shares(base: "DuckDBPyConnection", field: str, rare: float) -> dict[str, float]:
    """As Splink computes them: of those of whom the field is known."""
    rows = base.execute(
        f"""SELECT {field}, count(*) / (SELECT count({field}) FROM people) AS share FROM people
            WHERE {field} IS NOT NULL GROUP BY 1 HAVING share > ?""",
        [rare],
    ).fetchall()
    return dict(rows)


def _one(base: "DuckDBPyConnection", sql: str) -> int:
    [row] = base.execute(sql).fetchall()  # to the end: another statement would wait for the rest
    return int(row[0])
