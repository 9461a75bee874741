"""How the steps of a run are executed, which NNS_EXECUTOR decides."""

import dagster as dg

from pipelines import settings


def executor() -> dg.ExecutorDefinition:
    """All steps in the process of the run or, where asked for, each in a container of its own.

    Containers start one at a time: every step takes the lock of the home folder. Image, folders and
    environment are those of the run launcher (deploy/dagster.yaml).
    """
    if settings.from_environment().executor == "docker":
        from dagster_docker import docker_executor  # here: only the group `deploy` installs it

        return docker_executor.configured({"max_concurrent": 1})
    return dg.in_process_executor
