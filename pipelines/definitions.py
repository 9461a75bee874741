"""The Dagster entry point: what there is, gathered from `defs/`."""

from __future__ import annotations

import dagster as dg

from pipelines.defs import checks, ingest, warehouse

LOAD = [ingest.registration_workbooks, ingest.landing_register]
BUILD = [warehouse.dbt_models, warehouse.snapshot]

defs = dg.Definitions(
    assets=[*LOAD, *BUILD],
    asset_checks=[checks.expectations],
    jobs=[
        dg.define_asset_job("load", dg.AssetSelection.assets(*LOAD).without_checks()),
        dg.define_asset_job("check", dg.AssetSelection.checks(checks.expectations)),
        dg.define_asset_job("build", dg.AssetSelection.assets(*BUILD)),
        dg.define_asset_job(
            "check_and_build",
            dg.AssetSelection.checks(checks.expectations) | dg.AssetSelection.assets(*BUILD),
        ),
        dg.define_asset_job("run", dg.AssetSelection.all()),
    ],
    executor=dg.in_process_executor,
)
