"""The right password is let in at once whatever others try; wrong ones come to an end."""

import asyncio
from collections import Counter
from unittest import mock

import bcrypt
from django.test import override_settings

from ingest.pipeline import password as under_test
from ingest.pipeline.password import MAX_WAITING, WrongTries, check_password
from ingest.tests.support import PASSWORD, IngestTestCase
from photochanger.db import in_db
from photochanger.errors import AppError, InvalidPassword, RateLimited
from photochanger.testing.marks import both_databases
from slots.models import Setting, Slot
from slots.passwords import PASSWORD_KEY
from slots.secrets import add_keyed_hash, hash_password, match_keyed_hash

HERE = "192.0.2.7"


async def try_password(password: str, hashed: str, address: str = HERE) -> str:
    try:
        await check_password(password, hashed, address=address)
    except AppError as exc:
        return exc.reason
    return ""


class PasswordTestCase(IngestTestCase):
    async def stored(self) -> str:
        return str((await Setting.objects.aget(pk=PASSWORD_KEY)).value)


class GuessingTests(PasswordTestCase):
    async def test_of_many_at_once_only_ten_are_tried(self) -> None:
        hashed = await self.stored()
        tries = [try_password(f"guess {number}", hashed) for number in range(64)]
        self.assertEqual(
            Counter(await asyncio.gather(*tries)), {"invalid_password": 10, "rate_limited": 54}
        )

    async def test_of_many_at_once_only_ten_are_tried_by_bcrypt(self) -> None:
        hashed = bcrypt.hashpw(b"another", bcrypt.gensalt(4)).decode()
        found = Counter(await asyncio.gather(*(try_password(f"{n}", hashed) for n in range(64))))
        self.assertLessEqual(found["invalid_password"], 10)
        self.assertEqual(found["invalid_password"] + found["rate_limited"], 64)

    async def test_an_ipv6_network_is_one_address(self) -> None:
        hashed = await self.stored()
        for number in range(10):
            await try_password("guess", hashed, f"2001:db8:1:2::{number + 1:x}")
        self.assertEqual(await try_password("guess", hashed, "2001:db8:1:2:a::1"), "rate_limited")
        self.assertEqual(await try_password("guess", hashed, "2001:db8:1:3::1"), "invalid_password")

    async def test_the_right_password_is_let_in_from_the_guessers_address(self) -> None:
        hashed = await self.stored()
        for number in range(20):
            await try_password(f"guess {number}", hashed)
        self.assertEqual(await try_password(PASSWORD, hashed), "")

    async def test_it_costs_no_bcrypt_on_a_process_that_has_just_started(self) -> None:
        with mock.patch("bcrypt.checkpw", side_effect=AssertionError):
            self.assertEqual(await try_password(PASSWORD, await self.stored()), "")
            self.assertEqual(await try_password("guess", await self.stored()), "invalid_password")

    def test_an_address_is_forgotten_when_its_minute_is_over_and_many_are_bounded(self) -> None:
        tries, clock = WrongTries(), mock.Mock(return_value=100.0)
        with (
            mock.patch.object(under_test, "MAX_ADDRESSES", 3),
            mock.patch.object(under_test.time, "monotonic", clock),
        ):
            self.assertEqual([tries.count("a") for _ in range(3)], [1, 2, 3])
            clock.return_value = 161.0
            self.assertEqual(tries.count("a"), 1)
            for address in "bcd":
                tries.count(address)
            self.assertEqual(tries.count("a"), 1)  # the oldest of four had to go


@both_databases
class KeyedHashTests(PasswordTestCase):
    """What an earlier release stored, or a key that was changed since, costs bcrypt once."""

    async def test_a_hash_without_a_keyed_one_gets_it_with_the_first_right_password(self) -> None:
        plain = (await self.stored()).partition(":")[0]
        await Setting.objects.filter(pk=PASSWORD_KEY).aupdate(value=plain)
        self.assertEqual((await self.post(password="wrong")).status_code, 401)
        self.assertEqual(await self.stored(), plain)
        self.assertEqual((await self.post()).status_code, 200)
        self.assertTrue(match_keyed_hash(PASSWORD, await self.stored()))

    async def test_a_slots_own_gets_it_too(self) -> None:
        plain = (await in_db(hash_password, "of-this-slot")).partition(":")[0]
        await Slot.objects.filter(pk="slot-001").aupdate(ingest_password_hash=plain)
        self.assertEqual((await self.post(password="of-this-slot")).status_code, 200)
        slot = await Slot.objects.aget(pk="slot-001")
        self.assertTrue(match_keyed_hash("of-this-slot", slot.ingest_password_hash))
        self.assertEqual(slot.version, self.slot.version)

    async def test_a_forgotten_key_is_no_wrong_password(self) -> None:
        hashed = await self.stored()
        with override_settings(SECRET_KEY="a" * 50, SECRET_KEY_FALLBACKS=[]):
            self.assertIsNone(match_keyed_hash(PASSWORD, hashed))
            self.assertEqual((await self.post()).status_code, 200)
            self.assertTrue(match_keyed_hash(PASSWORD, await self.stored()))

    def test_an_earlier_key_still_tells(self) -> None:
        with override_settings(SECRET_KEY="an-earlier-key"):
            hashed = hash_password("secret-1")
        with override_settings(SECRET_KEY_FALLBACKS=["an-earlier-key"]):
            self.assertIs(match_keyed_hash("secret-1", hashed), True)
            self.assertIs(match_keyed_hash("secret-2", hashed), False)

    def test_equal_passwords_look_different_and_fit_their_column(self) -> None:
        one, two = hash_password("secret-1"), hash_password("secret-1")
        self.assertNotEqual(one.rpartition(":")[2], two.rpartition(":")[2])
        self.assertLessEqual(len(one), 100)

    async def test_the_password_of_the_environment_needs_no_bcrypt(self) -> None:
        hashed = add_keyed_hash("", "of-the-environment")
        with mock.patch("bcrypt.checkpw", side_effect=AssertionError):
            self.assertEqual(await try_password("of-the-environment", hashed), "")
            self.assertEqual(await try_password("another", hashed), "invalid_password")

    async def test_few_wait_for_bcrypt_and_the_rest_hear_it_at_once(self) -> None:
        hashed = bcrypt.hashpw(b"another", bcrypt.gensalt(4)).decode()
        with (
            mock.patch.object(under_test, "_waiting", MAX_WAITING),
            self.assertRaises(RateLimited) as refused,
        ):
            await check_password("x", hashed, address=HERE)
        self.assertEqual(refused.exception.retry_after_s, 3)
        with self.assertRaises(InvalidPassword):
            await check_password("x", hashed, address=HERE)
