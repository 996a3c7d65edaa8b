"""Shapes of our own secrets that detect-secrets does not know."""

import re
from typing import ClassVar

from detect_secrets.plugins.base import RegexBasedDetector


class OwnSecretDetector(RegexBasedDetector):  # type: ignore[misc]
    secret_type = "Secret of this product"  # noqa: S105
    denylist: ClassVar = [
        re.compile(r"AIza[\w-]{35}(?![\w-])"),  # a Gemini key
        re.compile(r"(?<![\w+/-])[\w-]{43}=(?![\w=])"),  # a Fernet key
        # Hashes of passwords, of administrators and of booths: short ones can be found from them.
        re.compile(r"(?:pbkdf2_sha\d+|scrypt|argon2)\$[^\s\"']{40,}"),
        # Without its first sign: what begins with a dollar is taken for the name of a variable.
        re.compile(r"(?<=\$)2[aby]\$\d\d\$[./\w]{53}"),
    ]
