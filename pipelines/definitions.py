"""The Dagster entry point: what there is, gathered from `defs/`."""

from __future__ import annotations

import os

import dagster as dg

from pipelines.defs import checks, execution, ingest, jobs, publication, schedules, warehouse
from pipelines.files import UMASK

os.umask(UMASK)  # also of what is started by dagster and not by `nns`

defs = dg.Definitions(
    assets=[
        ingest.registration_workbooks,
        ingest.landing_register,
        ingest.outcome_files,
        warehouse.dbt_models,
        warehouse.snapshot,
        publication.releases,
    ],
    asset_checks=[checks.expectations, checks.outcome_expectations],
    jobs=[
        jobs.load,
        jobs.check,
        jobs.load_and_check,
        jobs.check_and_build,
        jobs.build,
        jobs.publish,
        jobs.run,
    ],
    schedules=[schedules.nightly, schedules.monthly],
    sensors=[
        schedules.landing_zone,
        schedules.changed_lake,
        schedules.went_well,
        schedules.went_wrong,
    ],
    executor=execution.executor(),
)
