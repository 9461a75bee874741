"""The expectations as blocking asset checks, one per raw table, by round.

Dagster knows two ends of a failed blocking check: ERROR holds back all that is downstream, WARN
lets it go on. A stop concerns one delivery and the others are to be built, so:

- a table's check with stops or errors fails with WARN: yellow, and the build goes on;
- beside them `every_delivery_is_in`, which does not block, fails with ERROR: the run is seen red;
- a suite that cannot be run raises, the step fails, and nothing downstream is built.

Metadata names places and rules and never a cell's value: it is kept in Dagster's storage.
"""

import warnings
from collections.abc import Iterable, Iterator
from functools import partial

import dagster as dg

from pipelines import (
    checking,
    instrument,
    lake,
    lock,
    outcomes,
    progress,
    quality,
    receipts,
    register,
    settings,
)
from pipelines.defs.ingest import rounds
from pipelines.findings import Finding, Severity, by_severity
from pipelines.swedish import current_day

_ROWS_SHOWN = 100

with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.PreviewWarning)  # partitioned checks are new in 1.13
    _SUITES = [
        dg.AssetCheckSpec(f"{table}_suite", asset=table, blocking=True, partitions_def=rounds)
        for table in quality.TABLES
    ]
    _ALL_IN = dg.AssetCheckSpec("every_delivery_is_in", asset="deliveries", partitions_def=rounds)

_OUTCOME_SUITES = [
    dg.AssetCheckSpec(f"{table}_suite", asset=table, blocking=True) for table in outcomes.TABLES
]


@dg.multi_asset_check(specs=[*_SUITES, _ALL_IN])
def expectations(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """Holds the suites against the run's rounds, once for all tables."""
    folders = settings.from_environment()
    known, registered = instrument.load(), register.read(folders.raw)
    years = [int(key) for key in context.partition_keys]
    report = partial(progress.report, "Prövar")
    with lock.alone(folders, lock.PATIENCE):
        found = checking.check_rounds(folders, years, known, registered, current_day(), report)
        checking.write_status_page(folders, known, registered, current_day())
    where = {f"receipts_{y}": dg.MetadataValue.path(folders.receipts / str(y)) for y in years}
    tables = quality.table_of()
    for table, spec in zip(quality.TABLES, _SUITES, strict=True):
        yield _result(spec, [f for f in found if tables[f.rule_id] == table], where)
    yield _all_in(folders, years)


@dg.multi_asset_check(specs=_OUTCOME_SUITES)
def outcome_expectations(
    context: dg.AssetCheckExecutionContext,
) -> Iterator[dg.AssetCheckResult]:
    """Holds the suites against all outcome files; the rows that are sound are what dbt reads."""
    folders = settings.from_environment()
    known, registered = instrument.load(), register.read(folders.raw)
    with lock.alone(folders, lock.PATIENCE):
        found = outcomes.check(folders, known, registered)
        checking.write_status_page(folders, known, registered, current_day())
    where = {"receipts": dg.MetadataValue.path(folders.receipts / outcomes.RECEIPTS)}
    tables = {f.file: f.likely_table for f in outcomes.read_state(folders).files}
    for table, spec in zip(outcomes.TABLES, _OUTCOME_SUITES, strict=True):
        of_table = [f for file, own in found.items() if tables[file] == table for f in own]
        yield _result(spec, of_table, where)


def _all_in(folders: settings.Settings, years: list[int]) -> dg.AssetCheckResult:
    """Whether no delivery waits to be mended; else what stops each, and its receipt."""
    manifest = lake.read_manifest(folders)
    pages = {f: p for y in years for f, p in receipts.pages_of(folders, manifest, y).items()}
    waiting = [d for d in manifest.deliveries if d.state == "stopped" and d.round in years]
    stops = [
        f for d in waiting for f in lake.findings_of(folders, d) if f.severity is Severity.STOP
    ]
    told = {f"receipt_{pages[d.file].stem}": dg.MetadataValue.path(pages[d.file]) for d in waiting}
    return dg.AssetCheckResult(
        asset_key=_ALL_IN.asset_key,
        check_name=_ALL_IN.name,
        passed=not waiting,
        metadata={
            "stopped": len(waiting),
            "findings": dg.MetadataValue.md(_table(stops)),
            **told,
        },
    )


def _result(
    spec: dg.AssetCheckSpec,
    found: list[Finding],
    where: dict[str, dg.PathMetadataValue],
) -> dg.AssetCheckResult:
    counts = by_severity(found)
    return dg.AssetCheckResult(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=not counts[Severity.STOP] and not counts[Severity.ERROR],
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "findings": dg.MetadataValue.md(_table(found)),
            **{severity.value: n for severity, n in counts.items()},
            **where,
        },
    )


def _table(found: Iterable[Finding]) -> str:
    """The findings without their values, as Markdown."""
    rows = [(f.severity.value, f.rule_id, f.file, f.sheet, f.cell, f.question) for f in found]
    lines = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows[:_ROWS_SHOWN]]
    if len(rows) > _ROWS_SHOWN:
        lines.append(f"… {len(rows) - _ROWS_SHOWN} more")
    head = ["level | rule | file | sheet | cell | question", "--- | --- | --- | --- | --- | ---"]
    return "\n".join([*head, *lines])
