"""The dbt project keeps its own rules, read from the parsed manifest.

Belongs here: what holds for every model and seed. Does not: figures (dbt's unit tests, tests/back).
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from typing import Any

import pytest
import yaml

from pipelines.settings import DBT_PROJECT, SEEDS

BOTH_LANGUAGES = re.compile(r"\S.* \| \S.*", re.DOTALL)
GRAIN = re.compile(r"Grain: a row per ([^.|]+)\. \| En rad per ([^.|]+)\.$")

# A key figure's value is a percentage and its status Kolada's, names given by the contract; a
# spelling's value is a code, a setting's whatever Python's reader makes of it; a release's status
# says more than Kolada's.
TOLERATED_NAMESAKES = {"status", "value"}

# n + n_missing + n_dont_know is everybody who was asked, which returned or the base question tells:
# with two of them a hidden n is computed. mean_index × n is the sum of the answers' codes, which
# narrows n_positive. Of outcomes: of whom something is known, next year's are this year's less the
# ended. Disclosure control protects none of these, nor the units behind a rate.
NEVER_RELEASED = {
    *("n_missing", "n_dont_know", "mean_index"),
    *("handed_out", "returned", "returned_known", "n_questionnaires"),
    *("n_complete", "n_asked", "misregistrations", "active_next", "dropouts"),
    *("years_without_work_n", "years_without_work_mean", "years_without_work_median"),
    *("throughput_months_n", "throughput_months_mean", "throughput_months_median"),
}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from dbt.cli.main import dbtRunner

    made = tmp_path_factory.mktemp("dbt")
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("DBT_TARGET_PATH", "DBT_LOG_PATH"):
            patch.setenv(variable, str(made / variable.lower()))
        folders = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
        parsed = dbtRunner().invoke(["--quiet", "parse", *folders])
    assert parsed.success, parsed.exception
    return parsed.result


def nodes(manifest: Any, resource_type: str, folder: str = "") -> list[Any]:
    found = [
        node
        for node in manifest.nodes.values()
        if node.resource_type == resource_type and node.path.startswith(folder)
    ]
    assert found, f"no {resource_type} in {folder!r}: the test would be empty"
    return found


def described(manifest: Any) -> list[Any]:
    return nodes(manifest, "model") + nodes(manifest, "seed")


def grains(node: Any) -> list[list[str]]:
    """The columns that the grain names, in English and in Swedish."""
    named = (re.findall(r"\w+", words) for words in GRAIN.search(node.description).groups())
    return [sorted(word for word in words if word in node.columns) for words in named]


def released(manifest: Any) -> dict[str, set[str]]:
    """The columns that are opted in, by the table's id in the manifest; tables without are not."""
    opted_in = {
        node.unique_id: {c.name for c in node.columns.values() if c.config.meta.get("released")}
        for node in described(manifest)
    }
    return {table: columns for table, columns in opted_in.items() if columns}


def kinds_of_parents(node: Any) -> set[str]:
    return {parent.split(".")[0] for parent in node.depends_on.nodes}


def test_every_model_has_a_primary_key(manifest: Any) -> None:
    assert [n.name for n in nodes(manifest, "model") if not n.primary_key] == []


def test_every_description_ends_with_the_grain_in_both_languages(manifest: Any) -> None:
    assert [n.name for n in described(manifest) if not GRAIN.search(n.description)] == []


def test_the_grain_names_the_columns_of_the_primary_key(manifest: Any) -> None:
    for model in nodes(manifest, "model"):
        assert grains(model) == [sorted(model.primary_key)] * 2, model.name


def test_marts_never_read_sources(manifest: Any) -> None:
    models = nodes(manifest, "model", "marts/") + nodes(manifest, "model", "intermediate/")
    assert [n.name for n in models if "source" in kinds_of_parents(n)] == []


def test_staging_reads_sources_and_seeds_only(manifest: Any) -> None:
    staging = nodes(manifest, "model", "staging/")
    assert [n.name for n in staging if not kinds_of_parents(n) <= {"source", "seed"}] == []


def test_every_mart_has_an_enforced_contract(manifest: Any) -> None:
    assert [n.name for n in nodes(manifest, "model", "marts/") if not n.contract.enforced] == []


def test_every_column_is_described_in_both_languages(manifest: Any) -> None:
    undescribed = [
        f"{node.name}.{column.name}"
        for node in described(manifest)
        for column in node.columns.values()
        if not BOTH_LANGUAGES.fullmatch(column.description)
    ]
    assert undescribed == []


def test_a_column_is_described_once(manifest: Any) -> None:
    descriptions = defaultdict(set)
    for node in described(manifest):
        for column in node.columns.values():
            descriptions[column.name].add(column.description)
    assert {name for name, found in descriptions.items() if len(found) > 1} == TOLERATED_NAMESAKES


def test_every_column_of_every_seed_is_typed_and_described(manifest: Any) -> None:
    seeds = {n.name: n for n in nodes(manifest, "seed")}
    assert set(seeds) == {path.stem for path in SEEDS.glob("*.csv")} - {"corrections"}
    for name, seed in seeds.items():
        with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file))
        assert list(seed.columns) == header, name
        assert list(seed.config.column_types) == header, name


def test_every_scale_is_a_whole_number_of_parts_of_the_index() -> None:
    """Else sums of scores would be rounded; a longer scale needs a larger `index_parts`."""
    project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    with (SEEDS / "scales.csv").open(encoding="utf-8", newline="") as file:
        codes = Counter(r["scale_id"] for r in csv.DictReader(file) if r["is_answer"] == "true")
    parts = project["vars"]["index_parts"]
    assert {scale: n for scale, n in codes.items() if parts % (n - 1)} == {}


def test_every_model_and_test_stays_within_the_build_s_time(manifest: Any) -> None:
    """A node costs 35 ms of every run; a test that proves little is not worth it."""
    assert len(nodes(manifest, "test")) <= 45


# --- what leaves the house ----------------------------------------------------------------------


def test_the_exposures_are_those_of_a_release_each_described_in_both_languages(
    manifest: Any,
) -> None:
    exposures = {e.name: e.description for e in manifest.exposures.values()}
    assert exposures.keys() == {"open_data", "kolada", "rka", "isf"}
    assert [n for n, text in exposures.items() if not BOTH_LANGUAGES.fullmatch(text)] == []


def test_every_table_of_an_exposure_has_a_released_column(manifest: Any) -> None:
    private = [
        f"{exposure.name}: {table}"
        for exposure in manifest.exposures.values()
        for table in exposure.depends_on.nodes
        if table not in released(manifest)
    ]
    assert private == []


def test_what_is_released_is_what_open_data_lists_and_stands_in_the_marts(manifest: Any) -> None:
    listed = manifest.exposures["exposure.nns.open_data"].depends_on.nodes
    assert sorted(listed) == sorted(released(manifest))
    assert {manifest.nodes[table].schema for table in listed} == {"marts"}


def test_a_released_table_has_its_whole_key(manifest: Any) -> None:
    lacking = {
        table: missing
        for table, columns in released(manifest).items()
        if (missing := set(grains(manifest.nodes[table])[0]) - columns)
    }
    assert lacking == {}


def test_nothing_is_released_that_hidden_figures_follow_from(manifest: Any) -> None:
    known = {column for node in described(manifest) for column in node.columns}
    assert known >= NEVER_RELEASED, "a column was renamed: the test would be empty"
    leaking = {table: columns & NEVER_RELEASED for table, columns in released(manifest).items()}
    assert {table: columns for table, columns in leaking.items() if columns} == {}
