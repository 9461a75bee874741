"""x"""

from pipelines.outcomes.files import State
from pipelines.settings import Settings
from pipelines.register import Register
from pathlib import Path


def write(settings: Settings, state: State, register: Register) -> None: ...


def paths_of(settings: Settings, state: State) -> dict[str, Path]:
    return {}
