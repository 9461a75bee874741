"""The lake as Dagster assets: one partition per round, one run may load several."""

from collections.abc import Iterator
from functools import partial

import dagster as dg

from pipelines import (
    checking,
    instrument,
    lake,
    loading,
    lock,
    outcomes,
    progress,
    register,
    settings,
)
from pipelines.swedish import current_day

rounds = dg.StaticPartitionsDefinition([str(round_) for round_ in instrument.load().rounds])

_LAKE = (*lake.READ, "deliveries", "activities", "activity_categories", "handed_out")
_OUTCOMES = (*outcomes.TABLES, "outcome_settings")
_REGISTER = (
    "associations_register",
    "memberships_register",
    "targets_register",
    "extra_questions_register",
)


@dg.multi_asset(
    specs=[dg.AssetSpec(name, group_name="lake", kinds={"parquet"}) for name in _LAKE],
    partitions_def=rounds,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def registration_workbooks(
    context: dg.AssetExecutionContext,
) -> Iterator[dg.MaterializeResult[None]]:
    """Reads new and changed registration workbooks of the rounds into the lake."""
    folders = settings.from_environment()
    known, registered = instrument.load(), register.read(folders.raw)
    with lock.alone(folders, lock.PATIENCE):
        loaded = loading.load(
            folders,
            map(int, context.partition_keys),
            known,
            registered,
            partial(progress.report, "Läser"),
        )
        checking.write_status_page(folders, known, registered, current_day())
    counting = [d for d in loaded.manifest.counting() if str(d.round) in context.partition_keys]
    metadata = {
        "workbooks_read": len(loaded.read),
        "deliveries": len(counting),
        "questionnaires": sum(d.n_questionnaires for d in counting),
        "findings": len(loaded.findings),
    }
    for name in _LAKE:
        yield dg.MaterializeResult(name, metadata=metadata)


@dg.multi_asset(
    specs=[
        dg.AssetSpec(name, group_name="lake", kinds={"parquet"}, deps=["deliveries"])
        for name in _REGISTER
    ]
)
def landing_register(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """The register as the last load wrote it."""
    read = register.read(settings.from_environment().raw)
    tables = (read.associations, read.memberships, read.targets, read.extra_questions)
    for name, table in zip(_REGISTER, tables, strict=True):
        yield dg.MaterializeResult(name, metadata={"rows": len(table)})


@dg.multi_asset(
    specs=[
        dg.AssetSpec(name, group_name="lake", kinds={"parquet"}, deps=["deliveries"])
        for name in _OUTCOMES
    ]
)
def outcome_files(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Reads new and changed outcome files; their rows count once they are checked."""
    folders = settings.from_environment()
    known, registered = instrument.load(), register.read(folders.raw)
    with lock.alone(folders, lock.PATIENCE):
        report = partial(progress.report, "Utfall")
        loaded = outcomes.load(folders, known, registered, report)
        checking.write_status_page(folders, known, registered, current_day())
    for name in _OUTCOMES:
        of_table = [f for f in loaded.state.files if f.table == name]
        metadata = {"files": len(of_table), "rows": sum(f.n_rows for f in of_table)}
        yield dg.MaterializeResult(name, metadata=metadata)
