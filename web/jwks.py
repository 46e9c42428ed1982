"""JWKS: the public keys of whoever issues our tokens, from a file or over https, never older than a minute."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from eventlog.errors import Unavailable

FRESH = 60.0
PATIENCE = 5.0


class Keys:
    """The issuer's keys by their id. ``source``: a path, a ``file:`` URL or an ``https:`` URL.

    Read again after a minute, or for an unknown id, but then at most every five seconds.
    """

    def __init__(
        self,
        source: str,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        url = urlsplit(source)
        if url.scheme not in {"", "file", "https"}:
            raise ValueError("keys come from a file or over https")
        self._path = None if url.scheme == "https" else Path(unquote(url.path) if url.scheme else source)
        self._url = source
        self._transport = transport
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._read_at = -FRESH
        self._failed_at = -PATIENCE
        self._reading = asyncio.Lock()

    async def get(self, kid: str) -> Key | None:
        """Return the key with this id. Raises Unavailable when the issuer cannot be asked."""
        if self._stale(kid):
            async with self._reading:
                if self._stale(kid):
                    await self._read()
        return self._keys.get(kid)

    def _stale(self, kid: str) -> bool:
        return self._clock() - self._read_at >= (FRESH if kid in self._keys else PATIENCE)

    async def _read(self) -> None:
        if self._clock() - self._failed_at < PATIENCE:
            raise Unavailable("the issuer's keys could not be read a moment ago")
        try:
            found = KeySet.import_key_set(json.loads(await self._fetch()))
        except (OSError, httpx2.HTTPError, JoseError, ValueError, KeyError, TypeError) as error:
            self._failed_at = self._clock()
            raise Unavailable(f"the issuer's keys: {type(error).__name__}") from None
        self._keys = {key.kid: key for key in found.keys if key.kid is not None}
        self._read_at = self._clock()

    async def _fetch(self) -> str:
        if self._path is not None:
            return await asyncio.to_thread(self._path.read_text, "utf-8")
        async with httpx2.AsyncClient(transport=self._transport, timeout=PATIENCE) as client:
            response = await client.get(self._url)
            return response.raise_for_status().text
