"""The dbt models as Dagster assets, built in this process, and the analysts' snapshot after them.

Alone knows the two non-public modules of dagster-dbt that make this possible; that is why the
minor version is pinned.
"""

import queue
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.asset_utils import get_updated_cli_invocation_params_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from pipelines import audit, checking, instrument, lock, progress, register, settings, warehouse
from pipelines.swedish import current_day

_MANIFEST = warehouse.ensure_manifest(settings.from_environment())
_RESULTS = ("LogModelResult", "LogSeedResult", "LogTestResult")
_DONE = object()


class _Translator(DagsterDbtTranslator):
    """Groups the models by what they are for."""

    def get_asset_spec(self, manifest: Any, unique_id: str, project: Any) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = manifest["nodes"].get(unique_id) or manifest["sources"][unique_id]
        group = "instrument" if node["resource_type"] == "seed" else node["fqn"][1]
        return spec.replace_attributes(group_name=group)


# several tables of the lake are one asset: what one load reads
_TRANSLATOR = _Translator(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))


@dbt_assets(manifest=_MANIFEST, dagster_dbt_translator=_TRANSLATOR)
def dbt_models(context: dg.AssetExecutionContext) -> Iterator[Any]:
    """Builds and tests the models of the run's selection."""
    selected = get_updated_cli_invocation_params_for_context(context, {}, _TRANSLATOR)
    selection = [] if not context.is_subset else list(selected.selection_args)
    for done, event in enumerate(_events(selection), start=1):
        node = event["data"]
        progress.report("Bygger", done, node.get("total") or node["num_models"])
        message = DbtCoreCliEventMessage(raw_event=dict(event), event_history_metadata={})
        yield from message.to_default_asset_events(
            manifest=selected.manifest, dagster_dbt_translator=_TRANSLATOR, context=context
        )


def _events(selection: list[str]) -> Iterator[Mapping[str, Any]]:
    """The results of dbt's nodes as they come, from a build in a thread of its own.

    Raises:
        BuildError: a model failed or a test found something.
        Exception: whatever else ended the build, as a disk that is full.
    """
    from google.protobuf.json_format import MessageToDict

    events: queue.Queue[Any] = queue.Queue()
    failure: list[Exception] = []

    def build() -> None:
        folders = settings.from_environment()
        try:
            with lock.alone(folders, lock.PATIENCE):
                warehouse.build(folders, selection, keep)
        except Exception as error:  # raised where the build is waited for: no thread fails unseen
            failure.append(error)
        finally:
            events.put(_DONE)

    def keep(event: Any) -> None:
        if event.info.name in _RESULTS:
            events.put(MessageToDict(event, preserving_proto_field_name=True))

    thread = threading.Thread(target=build, name="dbt")
    thread.start()
    while (event := events.get()) is not _DONE:
        yield event
    thread.join()
    if failure:
        raise failure[0]


@dg.asset(
    group_name="marts",
    kinds={"duckdb"},
    # not of the seeds, which it holds too: a build passes over those that are as they were
    deps=[key for key, spec in dbt_models.specs_by_key.items() if spec.group_name == "marts"],
)
def snapshot(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Swaps in the analysts' copy of the marts."""
    folders = settings.from_environment()
    known, registered = instrument.load(), register.read(folders.raw)
    with lock.alone(folders, lock.PATIENCE):
        tables = warehouse.swap_snapshot(folders)
        source = warehouse.made_from(folders)
        audit.append(folders, [audit.Act("build", sha256=source, counts={"tables": tables})])
        checking.write_status_page(folders, known, registered, current_day())  # with its new step
    return dg.MaterializeResult(
        metadata={"path": dg.MetadataValue.path(str(folders.snapshot)), "tables": tables}
    )
