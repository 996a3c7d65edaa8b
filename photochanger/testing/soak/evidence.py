"""What a soak leaves behind for its judge, as it was seen from outside."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one photo came to; times are seconds of one monotonic clock."""

    number: int
    slot_id: str
    sent_at: float
    took_s: float
    status: int | None = None  # None: no answer came
    reason: str = ""  # the product's word for what went wrong
    job_id: str = ""
    number_read: int | None = None  # in the picture of the answer
    broken: str = ""  # what the booth's own client said instead of an answer

    @property
    def ended_at(self) -> float:
        return self.sent_at + self.took_s


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault, while it lasted. ``kills`` are those which no process can answer through."""

    name: str
    begun_at: float
    ended_at: float
    kills: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """What a monitor asked for; ``took_s`` is None where nobody answered."""

    path: str
    at: float
    took_s: float | None


@dataclass(slots=True, kw_only=True)
class Evidence:
    """Times of ``jobs`` are Unix seconds of the database; ids are hexadecimal without dashes."""

    answers: list[Answer]
    troubles: list[Trouble] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    jobs: list[Row] = field(default_factory=list)
    media: list[Row] = field(default_factory=list)
    files: list[str] = field(default_factory=list)  # below the media folder
    logs: str = ""
    secrets: dict[str, str] = field(default_factory=dict)
    statistics: dict[str, int] = field(default_factory=dict)
    t_sync_s: float
    slot_limit: int
    provider_limit: int

    def write_journal(self, file: Path) -> None:
        """One line of JSON for each answer, fault, probe and job, for who wants to look closer."""
        file.parent.mkdir(parents=True, exist_ok=True)
        seen: list[Answer | Trouble | Probe] = [*self.answers, *self.troubles, *self.probes]
        lines: list[dict[str, Any]] = [{type(one).__name__: asdict(one)} for one in seen]
        lines += [{"Job": job} for job in self.jobs]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
