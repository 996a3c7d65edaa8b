"""The simulator as a programme: its options, and serving until it is told to stop.

Without Django, whose start takes longer than the simulator's: ``python -m providers.simulator``.
"""

import contextlib
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace

import uvicorn

from providers.simulator.options import Options
from providers.simulator.server import Simulator, make_config

HOW_TO = """\
Gemini: GEMINI_BASE_URL={url}  with any key that does not begin with "bad-key".
A scenario is chosen by a marker in the prompt, [sim:no-image] or [sim:slow=5], by the model's
name, sim-no-image, or by the key, sim-no-image. [sim:latency=3] sets only the time.
Turbotext: TURBOTEXT_BASE_URL={url}/api_ai  with any such key. It gets the pictures from the links
it is given. A marker stands in `content`; the key serves the methods without one.
All scenarios: simulate_providers --list. Counters: {url}/_sim/state
POST {url}/_sim/hold keeps all answers back until POST {url}/_sim/release."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen at; default 127.0.0.1"
    )
    parser.add_argument("--port", type=int, default=9911, help="default 9911")
    parser.add_argument(
        "--latency", type=float, default=2.0, help="seconds until a good result is there"
    )
    parser.add_argument("--jitter", type=float, default=0.0, help="plus or minus so many")
    parser.add_argument(
        "--plain", action="store_true", help="one prepared picture, nothing checked: for benchmarks"
    )
    parser.add_argument(
        "--fail-share",
        type=_read_share,
        default=0.0,
        help="this share of the calls gets no picture",
    )
    parser.add_argument("--seed", type=int, default=0, help="order of the failures")
    parser.add_argument("--max-request-mb", type=float, default=20.0, help="a larger body is a 413")


def _read_share(text: str) -> float:
    if not 0 <= (share := float(text)) <= 1:
        raise ArgumentTypeError("it is between 0 and 1")
    return share


def serve(given: Namespace) -> None:
    names = ("latency", "jitter", "plain", "fail_share", "seed", "max_request_mb")
    chosen = Options(**{name: getattr(given, name) for name in names})
    url = f"http://{given.host}:{given.port}"
    config = make_config(Simulator(chosen, url=url), host=given.host, port=given.port)
    sys.stdout.write(HOW_TO.format(url=url) + "\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run()


def main() -> None:
    parser = ArgumentParser(prog="providers.simulator")
    add_arguments(parser)
    serve(parser.parse_args())
