"""Schemathesis over the four OpenAPI documents: what they allow is answered as they say, what they forbid is refused.

SHANGYI_OPENAPI_EXAMPLES says how many made-up requests each operation gets beside the planned ones (3 unless told).
"""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from deploy.local.platform import SERVICES, Platform
from deploy.sample.town import Town
from tests.system.places import Place, settle, token
from tests.system.processes import all_ready
from vocabulary.roles import Role

HERE = Path(__file__).parent
CODE = "620761101"
PATIENCE = 1_500


@pytest.fixture(scope="module")
async def place(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that says where somebody with every role is at home, and which ids there name something."""
    await all_ready(platform)
    async with Town(platform.endpoints, platform.issuer, CODE, f"{CODE}701") as town:
        place = Place(town, "戊辰")
        await settle(place, 1)
    file = tmp_path_factory.mktemp("openapi") / "place.json"
    file.write_text(json.dumps({"division": town.village, "organ": town.village_organ, "ids": place.ids}), "utf-8")
    return file


@pytest.mark.timeout(PATIENCE)
@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_keeps_to_its_document(platform: Platform, place: Path, service: str) -> None:
    told = {
        "SHANGYI_TOKEN": token(platform, "fuzzer", CODE[:6], list(Role)),
        "SHANGYI_PLACE": str(place),
        "SCHEMATHESIS_HOOKS": "tests.system.schemathesis_hooks",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli"),
        *("--config-file", str(HERE / "schemathesis.toml")),
        *("run", f"{platform.endpoints.services[service]}/openapi.json", "--no-color"),
        *("--max-examples", os.environ.get("SHANGYI_OPENAPI_EXAMPLES", "3")),
        cwd=HERE.parents[1],
        env={**os.environ, **told},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
