"""Everything Dagster knows, and nothing else: assets, jobs, schedules, resources."""
