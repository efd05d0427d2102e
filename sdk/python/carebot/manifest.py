"""What a plugin says of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, Union

ABI = 1


@dataclass(frozen=True)
class ScoreInfo:
    """Describes a named score."""

    name: str
    summary: str = ""
    min: Optional[float] = None
    max: Optional[float] = None
    higher_is_better: bool = False


@dataclass(frozen=True)
class ConfigKey:
    """Describes a key of the recipe's `with` block. Types are those of JSON Schema."""

    type: Union[str, Sequence[str]]
    summary: str = ""
    default: Any = None


@dataclass(frozen=True)
class Manifest:
    """What a plugin says of itself. It claims; the recipe grants."""

    name: str
    version: str
    summary: str = ""
    kinds: Sequence[str] = ()  # those that the plugin's class has
    columns: Sequence[str] = ()  # input columns wanted; empty means all of the kind
    scores: Sequence[ScoreInfo] = ()  # a scorer's scores, or a reward's parts
    reasons: Sequence[str] = ()  # a filter's reasons
    purity: str = "pure"  # or "seeded", "stateful"
    capabilities: Sequence[str] = ()  # requested: "model:NAME", "network"
    config: Mapping[str, ConfigKey] = field(default_factory=dict)
    required: Sequence[str] = ()  # keys that the recipe must give

    def to_json(self) -> dict[str, Any]:
        """The manifest as the contract writes it."""
        config = {"properties": {name: _key(key) for name, key in self.config.items()}, "required": list(self.required)}
        manifest = {
            "abi": ABI, "name": self.name, "version": self.version, "summary": self.summary, "kinds": list(self.kinds),
            "columns": list(self.columns), "scores": [_score(score) for score in self.scores],
            "reasons": list(self.reasons), "purity": self.purity, "capabilities": list(self.capabilities),
            "config": _present(config, always="properties") if self.config or self.required else None,
        }
        return _present(manifest, always="kinds")


def _score(score: ScoreInfo) -> dict[str, Any]:
    written = {"name": score.name, "summary": score.summary, "min": score.min, "max": score.max}
    written = {name: value for name, value in written.items() if value not in (None, "")}
    return {**written, "higher_is_better": score.higher_is_better}


def _key(key: ConfigKey) -> dict[str, Any]:
    types = [key.type] if isinstance(key.type, str) else list(key.type)
    return _present({"type": types, "summary": key.summary, "default": key.default}, always="default", unless=None)


def _present(values: dict[str, Any], always: str, unless: Any = ()) -> dict[str, Any]:
    """The values without those that are empty."""
    return {name: v for name, v in values.items() if v or (name == always and v != unless)}
