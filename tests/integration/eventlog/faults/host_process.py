"""A leader on a host of its own that loses its power; prints after how many seconds another leads.

To be run with no network but its own (``unshare --net``). The leader has another, at the other end of a cable, which is
cut before it is killed: nothing that could be said about its end arrives.
"""

import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import asyncpg

from deploy.local import ports
from deploy.local import postgres as server
from deploy.local.home import Home
from deploy.local.postgres import PostgresServer
from eventlog.connections import pool_of
from eventlog.election import elected

WORK = "relay/test"
PATIENCE = 60.0


def sh(command: str) -> None:
    subprocess.run(command, shell=True, check=True, capture_output=True)  # noqa: S602  # our own words


async def lead(dsn: str) -> None:
    sys.stdin.readline()
    async with pool_of(dsn, 2) as pool, elected(pool, WORK) as connection:
        sys.stdout.write("leads\n" if connection else "does not lead\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


async def fall(home: Home) -> None:
    sh("ip link set lo up")
    vars(server)["_SETTINGS"]["listen_addresses"] = "*"
    with home.locked(), ports.claimed(home) as given:
        postgres = PostgresServer(home, given["postgres"])
        try:
            await postgres.start()
            await postgres.ready()
            dsn = postgres.databases.admin_dsn("postgres")
            await admit_all(dsn)
            await cut(dsn)
        finally:
            await postgres.stop()


async def admit_all(dsn: str) -> None:
    owner = await asyncpg.connect(dsn)
    hba = Path(await owner.fetchval("show hba_file"))
    hba.write_text(hba.read_text() + "host all all 10.9.9.0/24 scram-sha-256\n")  # noqa: ASYNC240  # once, a line
    await owner.execute("select pg_reload_conf()")
    await owner.close()


async def cut(dsn: str) -> None:
    far = dsn.replace("127.0.0.1", "10.9.9.1")
    words = ["unshare", "--net", sys.executable, "-m", __spec__.name, far]
    leader = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220  # ours
    if leader.stdin is None or leader.stdout is None:
        raise TypeError("a pipe was asked for")
    await asyncio.sleep(1)
    sh("ip link add here type veth peer name there && ip addr add 10.9.9.1/24 dev here && ip link set here up")
    sh(f"ip link set there netns {leader.pid}")
    sh(f"nsenter -t {leader.pid} -n sh -c 'ip addr add 10.9.9.2/24 dev there; ip link set there up'")
    leader.stdin.write("\n")
    leader.stdin.flush()
    if leader.stdout.readline() != "leads\n":
        raise RuntimeError("it does not lead")
    sh("ip link del here")
    leader.kill()
    leader.wait()
    fell = time.monotonic()
    async with pool_of(dsn, 2) as pool:
        while time.monotonic() < fell + PATIENCE:
            async with elected(pool, WORK) as connection:
                if connection is not None:
                    break
            await asyncio.sleep(0.2)
    sys.stdout.write(f"{time.monotonic() - fell}\n")


def main() -> None:
    if len(sys.argv) > 1:
        asyncio.run(lead(sys.argv[1]))
        return
    directory = Path(tempfile.mkdtemp(prefix="shangyi-tests-"))
    directory.chmod(0o711)
    try:
        asyncio.run(fall(Home(directory / "home")))
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
