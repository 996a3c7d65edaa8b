"""What a guest's link gives, before and after its time."""

import hashlib
import io
import uuid
from datetime import timedelta
from unittest import mock

from django.core.files.storage import default_storage
from django.test import override_settings
from django.utils.http import http_date
from PIL import Image

from media.deletion import delete_result
from media.models import MediaObject
from media.previews import _upsert_preview, write_preview
from media.tests.support import ResultsTestCase, make_picture
from photochanger.errors import ResultExpired
from photochanger.testing.marks import both_databases

pytestmark = both_databases

Kind = MediaObject.Kind


class DownloadTests(ResultsTestCase):
    def test_the_file_comes_as_a_download_with_its_name_type_and_length(self) -> None:
        for mime, suffix in (("image/jpeg", "jpg"), ("image/png", "png"), ("image/webp", "webp")):
            result = make_picture(mime)
            media = self.store_result(result)
            answer = self.get(media)
            self.assertEqual((answer.status_code, answer.body), (200, result.body))
            self.assertEqual(answer["Content-Type"], mime)
            self.assertEqual(answer["Content-Length"], str(len(result.body)))
            self.assertEqual(
                answer["Content-Disposition"],
                f'attachment; filename="photo-{media.job_id}.{suffix}"',
            )
            self.assertEqual(answer["ETag"], f'"{result.sha256}"')
            self.assertEqual(answer["Last-Modified"], http_date(media.created_at.timestamp()))
            self.assertEqual(answer["Accept-Ranges"], "bytes")
            self.assertEqual(answer["Cache-Control"], "private, no-cache")
            self.assertEqual(answer["X-Content-Type-Options"], "nosniff")
            self.assertEqual(answer["X-Robots-Tag"], "noindex")
            self.assertFalse(answer.cookies)

    def test_inline_shows_it_instead(self) -> None:
        media = self.store_result()
        for query, manner in (("?inline=1", "inline"), ("?inline=0", "attachment")):
            said = self.get(media, query)["Content-Disposition"]
            self.assertTrue(said.startswith(f"{manner}; filename="), said)

    def test_head_has_the_headers_of_get_and_no_body(self) -> None:
        media = self.store_result()
        full, head = self.get(media), self.get(media, method="head")
        self.assertEqual((head.status_code, head.body), (200, b""))
        self.assertEqual(dict(head.headers), dict(full.headers))
        self.assertEqual(self.get(uuid.uuid4(), method="head").status_code, 404)

    def test_an_unknown_or_malformed_id_is_404_in_json(self) -> None:
        for job_id in (uuid.uuid4(), "x", "1", "slot-001", "..", "%00"):
            for tail in ("", "/preview"):
                answer = self.get(job_id, tail)
                self.assertEqual(answer.status_code, 404)
                self.assertEqual(answer["Content-Type"], "application/json; charset=utf-8")
                body = answer.json()
                self.assertEqual(
                    (body["status"], body["failure_reason"]), ("error", "result_not_found")
                )
                self.assertTrue(body["details"])
                self.assertEqual(answer["Cache-Control"], "no-store")

    def test_a_malformed_job_id_is_404_in_json(self) -> None:
        answer = self.request("/api/jobs/nonsense")
        self.assertEqual(
            (answer.status_code, answer.json()["failure_reason"]), (404, "job_not_found")
        )

    def test_a_preview_has_no_link_of_its_own_as_a_result(self) -> None:
        self.store_result()
        preview = MediaObject.objects.get(kind=Kind.PREVIEW)
        self.assertEqual(self.get(preview.pk).status_code, 404)

    def test_a_file_lost_from_the_disk_is_404(self) -> None:
        media = self.store_result()
        default_storage.delete(media.path)
        for method in ("get", "head"):
            self.assertEqual(self.get(media, method=method).status_code, 404)


class ConditionTests(ResultsTestCase):
    def test_a_matching_validator_gets_304(self) -> None:
        media = self.store_result()
        etag, date = f'"{media.sha256}"', http_date(media.created_at.timestamp())
        for headers in (
            {"If_None_Match": etag},
            {"If_None_Match": f'"other", W/{etag}'},
            {"If_None_Match": "*"},
            {"If_Modified_Since": date},
        ):
            for method in ("get", "head"):
                answer = self.get(media, method=method, **headers)
                self.assertEqual((answer.status_code, answer.body), (304, b""), headers)
                self.assertEqual(answer["ETag"], etag)
                self.assertNotIn("Content-Type", answer)

    def test_another_validator_gets_the_whole_picture(self) -> None:
        media = self.store_result()
        date = http_date(media.created_at.timestamp())
        earlier = http_date(media.created_at.timestamp() - 1)
        for headers in (
            {"If_None_Match": '"other"'},
            {"If_None_Match": '"other"', "If_Modified_Since": date},  # the ETag outweighs
            {"If_Modified_Since": earlier},
            {"If_Modified_Since": "yesterday"},
        ):
            self.assertEqual(self.get(media, **headers).status_code, 200, headers)

    def test_an_expired_picture_is_410_also_for_a_matching_validator(self) -> None:
        media = self.store_result(ttl=timedelta(seconds=-1))
        answer = self.get(media, If_None_Match=f'"{media.sha256}"')
        self.assertEqual(answer.status_code, 410)


class RangeTests(ResultsTestCase):
    def test_a_single_range_gets_206(self) -> None:
        media = self.store_result()
        body, size = self.get(media).body, media.size_bytes
        for asked, first, last in (
            ("bytes=0-0", 0, 0),
            ("bytes=0-999", 0, 999),
            ("bytes=1000-", 1000, size - 1),
            ("bytes=-10", size - 10, size - 1),
            (f"bytes=-{size + 5}", 0, size - 1),
            (f"bytes=5-{size + 5}", 5, size - 1),
            ("Bytes=7-8", 7, 8),
        ):
            answer = self.get(media, Range=asked)
            self.assertEqual((answer.status_code, answer.body), (206, body[first : last + 1]))
            self.assertEqual(answer["Content-Range"], f"bytes {first}-{last}/{size}")
            self.assertEqual(answer["Content-Length"], str(last - first + 1))
            self.assertEqual(answer["Content-Type"], "image/jpeg")

    def test_a_range_longer_than_a_chunk_is_complete(self) -> None:
        result = make_picture("image/png", side_px=1000)
        self.assertGreater(len(result.body), 600_000)
        media = self.store_result(result)
        answer = self.get(media, Range="bytes=100-550000")
        self.assertEqual(answer.body, result.body[100:550_001])

    def test_a_range_behind_the_end_is_416_with_the_length(self) -> None:
        media = self.store_result()
        for asked in (f"bytes={media.size_bytes}-", "bytes=99999999-", "bytes=-0"):
            answer = self.get(media, Range=asked)
            self.assertEqual(answer.status_code, 416)
            self.assertEqual(answer["Content-Range"], f"bytes */{media.size_bytes}")
            self.assertEqual(answer.json()["failure_reason"], "range_not_satisfiable")

    def test_anything_but_a_single_range_gets_the_whole_picture(self) -> None:
        media = self.store_result()
        for asked in ("bytes=0-1,5-6", "bytes=9-3", "bytes=-", "lines=1-2", "bytes=x", ""):
            self.assertEqual(self.get(media, Range=asked).status_code, 200, asked)
        head = self.get(media, method="head", Range="bytes=0-1")
        self.assertEqual((head.status_code, head["Content-Length"]), (200, str(media.size_bytes)))

    def test_if_range_of_another_file_gets_the_whole_picture(self) -> None:
        media = self.store_result()
        date = http_date(media.created_at.timestamp())
        for condition, status in (
            (f'"{media.sha256}"', 206),
            (date, 206),
            ('"other"', 200),
            (f'W/"{media.sha256}"', 200),
            (http_date(0), 200),
        ):
            answer = self.get(media, Range="bytes=0-1", If_Range=condition)
            self.assertEqual(answer.status_code, status, condition)


class TimeTests(ResultsTestCase):
    def test_a_result_is_served_until_the_second_it_expires(self) -> None:
        media = self.store_result()
        assert media.expires_at
        just_before = media.expires_at - timedelta(seconds=1)
        with mock.patch("django.utils.timezone.now", return_value=just_before):
            self.assertEqual(self.get(media).status_code, 200)
            self.assertEqual(self.get(media, "/preview").status_code, 200)
            self.assertEqual(len(self.list_result_files()), 2)
        with mock.patch("django.utils.timezone.now", return_value=media.expires_at):
            answer = self.get(media)
        self.assertEqual(
            (answer.status_code, answer.json()["failure_reason"]), (410, "result_expired")
        )

    def test_an_expired_result_is_deleted_when_it_is_requested(self) -> None:
        for tail, method in (("", "get"), ("", "head"), ("/preview", "get"), ("", "delete")):
            media = self.store_result(ttl=timedelta(seconds=-1))
            self.assertEqual(self.get(media, tail, method).status_code, 410)
            if method != "delete":
                self.assertEqual(self.list_result_files(), [])
                rows = MediaObject.objects.filter(job_id=media.job_id)
                self.assertEqual([row.cleaned_at is None for row in rows], [False, False])
            self.assertEqual(self.get(media).status_code, 410)

    def test_a_previews_max_age_ends_with_its_result(self) -> None:
        long, short = self.store_result(), self.store_result(ttl=timedelta(seconds=60))
        said = self.get(long, "/preview")["Cache-Control"]
        self.assertEqual(said, "private, max-age=300, must-revalidate")
        seconds = int(self.get(short, "/preview")["Cache-Control"].split("=")[1].split(",")[0])
        self.assertLessEqual(seconds, 60)


class PreviewTests(ResultsTestCase):
    def test_a_preview_is_a_small_inline_webp(self) -> None:
        media = self.store_result()
        answer = self.get(media, "/preview")
        self.assertEqual((answer.status_code, answer["Content-Type"]), (200, "image/webp"))
        self.assertTrue(answer["Content-Disposition"].startswith("inline;"))
        self.assertEqual(max(Image.open(io.BytesIO(answer.body)).size), 512)
        etag = answer["ETag"]
        self.assertEqual(etag, f'"{hashlib.sha256(answer.body).hexdigest()}"')
        self.assertEqual(self.get(media, "/preview", If_None_Match=etag).status_code, 304)
        part = self.get(media, "/preview", Range="bytes=0-3")
        self.assertEqual((part.status_code, part.body), (206, b"RIFF"))
        head = self.get(media, "/preview", "head")
        self.assertEqual(head["Content-Length"], str(len(answer.body)))

    def test_a_missing_preview_is_made_once_and_recorded(self) -> None:
        media = self.store_result(has_preview=False)
        first = self.get(media, "/preview")
        row = MediaObject.objects.get(kind=Kind.PREVIEW)
        self.assertEqual((first.status_code, row.size_bytes), (200, len(first.body)))
        self.assertEqual((row.job_id, row.expires_at), (media.job_id, media.expires_at))
        self.assertEqual(len(self.list_result_files()), 2)
        with mock.patch("media.previews.make_preview", side_effect=AssertionError):
            self.assertEqual(self.get(media, "/preview").body, first.body)

    def test_a_preview_without_a_row_or_a_file_is_restored(self) -> None:
        no_row, no_file = self.store_result(), self.store_result()
        MediaObject.objects.filter(job_id=no_row.job_id, kind=Kind.PREVIEW).delete()
        lost = MediaObject.objects.get(job_id=no_file.job_id, kind=Kind.PREVIEW)
        default_storage.delete(lost.path)
        for media in (no_row, no_file):
            answer = self.get(media, "/preview")
            self.assertEqual(answer.status_code, 200)
            row = MediaObject.objects.get(job_id=media.job_id, kind=Kind.PREVIEW)
            self.assertEqual(row.size_bytes, len(answer.body))

    def test_the_preview_of_a_rotated_picture_is_upright(self) -> None:
        out, exif = io.BytesIO(), Image.Exif()
        exif[0x0112] = 6
        Image.effect_noise((600, 300), 40).convert("RGB").save(out, "JPEG", exif=exif)
        body = out.getvalue()
        media = self.store_result(has_preview=False)
        with default_storage.open(media.path, "wb") as file:
            file.write(body)
        shown = Image.open(io.BytesIO(self.get(media, "/preview").body))
        self.assertGreater(shown.height, shown.width)

    def test_no_preview_is_made_of_a_lost_or_expired_result(self) -> None:
        lost = self.store_result(has_preview=False)
        default_storage.delete(lost.path)
        self.assertEqual(self.get(lost, "/preview").status_code, 404)
        over = self.store_result(has_preview=False, ttl=timedelta(seconds=-1))
        self.assertEqual(self.get(over, "/preview").status_code, 410)
        self.assertFalse(MediaObject.objects.filter(kind=Kind.PREVIEW).exists())

    def test_a_result_deleted_while_its_preview_is_made_leaves_no_file(self) -> None:
        media = self.store_result(has_preview=False)
        with self.assertRaises(ResultExpired):
            stored = write_preview(media.slot_id, media.job_id, make_picture().image)
            delete_result(media.job_id, by="guest")
            _upsert_preview(media, stored)
        self.assertEqual(self.list_result_files(), [])
        self.assertFalse(MediaObject.objects.filter(kind=Kind.PREVIEW).exists())


class HandOffTests(ResultsTestCase):
    def test_a_front_server_gets_the_path_in_x_accel_redirect(self) -> None:
        media = self.store_result()
        direct = self.get(media)
        for prefix in ("/protected-media/", "/protected-media"):
            with override_settings(SENDFILE_PREFIX=prefix):
                answer = self.get(media, Range="bytes=0-1")
            self.assertEqual((answer.status_code, answer.body), (200, b""))
            self.assertEqual(answer["X-Accel-Redirect"], f"/protected-media/{media.path}")
            for name in ("Content-Type", "Content-Disposition", "Cache-Control", "ETag"):
                self.assertEqual(answer[name], direct[name])
            self.assertNotIn("Content-Range", answer)

    @override_settings(SENDFILE_PREFIX="/protected-media/")
    def test_the_path_is_escaped(self) -> None:
        media = self.store_result()
        odd = "results/slot-001/ü #?%/payload.jpg"
        default_storage.save(odd, default_storage.open(media.path))
        MediaObject.objects.filter(pk=media.pk).update(path=odd)
        told = self.get(media)["X-Accel-Redirect"]
        self.assertEqual(told, "/protected-media/results/slot-001/%C3%BC%20%23%3F%25/payload.jpg")

    @override_settings(SENDFILE_PREFIX="/protected-media/")
    def test_expired_lost_and_unknown_results_are_not_handed_off(self) -> None:
        over, lost = self.store_result(ttl=timedelta(seconds=-1)), self.store_result()
        default_storage.delete(lost.path)
        statuses = [self.get(media).status_code for media in (over, lost, uuid.uuid4())]
        self.assertEqual(statuses, [410, 404, 404])

    def test_without_the_setting_nothing_is_handed_off(self) -> None:
        self.assertNotIn("X-Accel-Redirect", self.get(self.store_result()))
