"""Where a photo's time went: the steps of its job, for operators who ask which link is slow."""

from dataclasses import dataclass, field

from ingest.pipeline.order import Order
from providers.traffic import Traffic

# In the order in which they happen. ``answer`` is known when the booth has taken the picture:
# what still lies in the system's network buffers then is not in it.
STEPS = ("upload", "prepare", "send", "provider", "receive", "store", "answer")


@dataclass(slots=True)
class Stopwatch:
    """The moments of one job between its steps, in the event loop's time; None: not reached."""

    traffic: Traffic = field(default_factory=Traffic)
    calls_from: float | None = None
    calls_until: float | None = None

    def note_call(self, started: float, ended: float) -> None:
        self.calls_from = started if self.calls_from is None else self.calls_from
        self.calls_until = ended

    def measure(self, order: Order, closed: float) -> dict[str, int]:
        """Milliseconds by step, as far as the job came; pauses between calls count as the
        provider's, who made them necessary."""
        arrived = order.deadline.arrived_at
        received = order.received_at or arrived
        seconds = {"upload": received - arrived}
        if self.calls_from is None or self.calls_until is None:
            seconds["prepare"] = closed - received
        else:
            on_the_way = self.traffic.send_s + self.traffic.receive_s
            seconds |= {
                "prepare": self.calls_from - received,
                "send": self.traffic.send_s,
                "provider": self.calls_until - self.calls_from - on_the_way,
                "receive": self.traffic.receive_s,
                "store": closed - self.calls_until,
            }
        return {step: max(0, round(1000 * took)) for step, took in seconds.items()}
