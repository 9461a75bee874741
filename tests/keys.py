"""The primary keys of the marts as the dbt project states them, by a constraint or by a test."""

import json
from pathlib import Path

from pipelines import settings, warehouse


def primary_keys(home: Path) -> dict[str, list[str]]:
    """By table the columns of its key, sorted; the marts only, of seeds there is none."""
    manifest = warehouse.ensure_manifest(settings.Settings(home / "raw", home))
    models = json.loads(manifest.read_text(encoding="utf-8"))["nodes"].values()
    return {
        node["alias"]: node["primary_key"]
        for node in models
        if node["resource_type"] == "model" and node["schema"] == "marts"
    }
