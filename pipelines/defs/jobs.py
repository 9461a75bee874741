"""The jobs: each step by itself, the two that follow each other by night, and all of it."""

import dagster as dg

from pipelines.defs import checks, ingest, publication, warehouse

_LOAD = dg.AssetSelection.assets(
    ingest.registration_workbooks, ingest.landing_register, ingest.outcome_files
)
_CHECK = dg.AssetSelection.checks(checks.expectations, checks.outcome_expectations)
_BUILD = dg.AssetSelection.assets(warehouse.dbt_models, warehouse.snapshot)

# What happens in a run is kept and shown by Dagster; in the terminal it would bury what is told.
SILENT = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

load = dg.define_asset_job("load", _LOAD.without_checks(), config=SILENT)
check = dg.define_asset_job("check", _CHECK, config=SILENT)
load_and_check = dg.define_asset_job("load_and_check", _LOAD | _CHECK, config=SILENT)
check_and_build = dg.define_asset_job("check_and_build", _CHECK | _BUILD, config=SILENT)
build = dg.define_asset_job("build", _BUILD, config=SILENT)
publish = dg.define_asset_job(
    "publish", dg.AssetSelection.assets(publication.releases), config=SILENT
)
run = dg.define_asset_job("run", dg.AssetSelection.all(), config=SILENT)
