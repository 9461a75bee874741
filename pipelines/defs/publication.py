"""The releases as a Dagster asset: one partition per round, each a folder of files."""

import dagster as dg

from pipelines import instrument, lake, lock, settings
from pipelines.defs import ingest, warehouse
from pipelines.release import due
from pipelines.swedish import current_day


class Delivery(dg.Config):
    """What may be delivered."""

    allow_synthetic: bool = False


@dg.multi_asset(
    specs=[
        dg.AssetSpec("releases", group_name="release", kinds={"file"}, deps=[warehouse.snapshot])
    ],
    partitions_def=ingest.rounds,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def releases(context: dg.AssetExecutionContext, config: Delivery) -> dg.MaterializeResult[None]:
    """Protects the rounds that are due, audits them and makes their releases."""
    from pipelines.release import assemble, publish  # with it come duckdb, pyarrow and a solver

    folders, known = settings.from_environment(), instrument.load()
    made: dict[str, str] = {}
    with lock.alone(folders, lock.PATIENCE):
        manifest = lake.read_manifest(folders)
        for round_ in due.rounds(
            manifest, known, [int(key) for key in context.partition_keys], current_day()
        ):
            if config.allow_synthetic or not due.is_current(folders, [round_]):
                plan = publish.plan(folders, round_)
                allowed = config.allow_synthetic
                release = publish.release(folders, plan, manifest, allow_synthetic=allowed)
                made[str(round_)] = str(release.folder)
            elif assemble.releases(folders, round_):  # restored from a backup there are no links
                assemble.point(folders, round_)
    return dg.MaterializeResult(
        metadata={f"release_{round_}": dg.MetadataValue.path(path) for round_, path in made.items()}
    )
