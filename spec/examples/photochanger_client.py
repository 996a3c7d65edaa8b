"""A client of PhotoChanger's API, to copy from: needs Python 3.11 and httpx, nothing of ours.

export PHOTOCHANGER_PASSWORD=...
python photochanger_client.py http://127.0.0.1:8000 --user serg slots
python photochanger_client.py http://127.0.0.1:8000 --user serg prompt slot-001 "As a watercolour"
python photochanger_client.py http://127.0.0.1:8000 --user serg try slot-001 PHOTO.jpg out.jpg
python photochanger_client.py http://127.0.0.1:8000 --user serg stats --minutes 60
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import httpx


class Refused(Exception):
    """What the server answered instead: a word for programs, a sentence for people."""

    def __init__(self, answer: httpx.Response) -> None:
        body: dict[str, Any] = answer.json()
        self.reason = str(body["failure_reason"])
        wrong = "".join(f"\n  {name}: {say}" for name, say in (body.get("fields") or {}).items())
        super().__init__(f"{answer.status_code} {self.reason}: {body['details']}{wrong}")


class PhotoChanger:
    """One administrator's session; it is good for hours, and then Refused("unauthorized")."""

    def __init__(self, url: str, username: str, password: str) -> None:
        # A test run waits for the AI service, up to a minute.
        headers = {"Accept-Language": "en"}
        self._http = httpx.Client(base_url=url, timeout=90, headers=headers)
        token = self._json("POST", "/api/login", json={"username": username, "password": password})
        self._http.headers["Authorization"] = f"Bearer {token['access_token']}"

    def slots(self) -> list[dict[str, Any]]:
        return list(self._json("GET", "/api/slots"))

    def set_prompt(self, slot_id: str, prompt: str) -> dict[str, Any]:
        """Raises Refused("version_conflict") when somebody else has just changed the slot."""
        slot = self._json("GET", f"/api/slots/{slot_id}")
        change = {
            "version": slot["version"],
            "settings": {**slot["settings"], "prompt": prompt},
        }
        return dict(self._json("PUT", f"/api/slots/{slot_id}", json=change))

    def try_photo(self, slot_id: str, photo: Path) -> tuple[dict[str, Any], bytes]:
        """How the test run went, and its picture."""
        with photo.open("rb") as file:
            path, files = f"/api/slots/{slot_id}/test-run", {"test_image": file}
            told = self._json("POST", path, params={"as": "json"}, files=files)
        return dict(told), self._ask("GET", f"/public/results/{told['job_id']}").content

    def statistics(self, minutes: int = 60) -> dict[str, Any]:
        return dict(self._json("GET", "/api/stats/overview", params={"window_minutes": minutes}))

    def _json(self, method: str, path: str, **more: Any) -> Any:
        return self._ask(method, path, **more).json()

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = self._http.request(method, path, **more)
        if answer.is_error:
            raise Refused(answer)
        return answer


def main() -> int:
    parser = argparse.ArgumentParser(description="Talk to a PhotoChanger server.")
    parser.add_argument("url", help="like http://127.0.0.1:8000")
    parser.add_argument("--user", required=True, help="password: $PHOTOCHANGER_PASSWORD")
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("slots", help="list the slots")
    prompt = what.add_parser("prompt", help="change a slot's prompt")
    prompt.add_argument("slot", help="like slot-001")
    prompt.add_argument("text", help="the new prompt")
    attempt = what.add_parser("try", help="try a slot on a photo")
    attempt.add_argument("slot", help="like slot-001")
    attempt.add_argument("photo", type=Path, help="a file")
    attempt.add_argument("picture", type=Path, help="where to put the new picture")
    what.add_parser("stats", help="read the statistics").add_argument(
        "--minutes", type=int, default=60, help="of the last so many; default 60"
    )
    given = parser.parse_args()
    try:
        run(PhotoChanger(given.url, given.user, os.environ["PHOTOCHANGER_PASSWORD"]), given)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


def run(server: PhotoChanger, given: argparse.Namespace) -> None:
    if given.what == "slots":
        for slot in server.slots():
            state = "on" if slot["is_active"] else "off"
            print(f"{slot['id']}  {state:3}  {slot['display_name']}  {slot['ingest_url']}")
    elif given.what == "prompt":
        print(f"{given.slot} has version {server.set_prompt(given.slot, given.text)['version']}")
    elif given.what == "try":
        told, picture = server.try_photo(given.slot, given.photo)
        given.picture.write_bytes(picture)
        print(f"{given.picture}: {told['duration_ms']} ms, shown at {told['page_url']}")
    else:
        system = server.statistics(given.minutes)["system"]
        print(f"{system['jobs_last_window']} photos, {system['timeouts_last_window']} too late")


if __name__ == "__main__":
    sys.exit(main())
