#!/usr/bin/env python3
"""Makes one fault after another befall running nodes, and prints one table of what came of it. See run.sh."""

import argparse
import asyncio
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

from cases import clock, descriptors, disk, files, killed, million, rolling, taken, upstreams
from driver.site import Options, Row, Site, Skipped

HERE = pathlib.Path(__file__).resolve().parent
FAULTS = {
    "kill9": killed.kill9,
    "mixed": killed.mixed,
    "power-cut": killed.power_cut,
    "sigterm": killed.sigterm,
    "sigint": killed.sigint,
    "disk-full": disk.disk_full,
    "small-disk": disk.small_disk,
    "fsync-fails": disk.fsync_fails,
    "slow-disk": disk.slow_disk,
    "bad-files": files.bad_files,
    "locked": files.locked,
    "taken-away": taken.taken_away,
    "clock-jumps": clock.clock_jumps,
    "upstream-resets": upstreams.resets,
    "upstream-stalls": upstreams.stalls,
    "upstream-drips": upstreams.drips,
    "upstream-garbage": upstreams.garbage,
    "upstream-429": upstreams.too_many,
    "upstream-5xx": upstreams.unavailable,
    "upstream-hour": upstreams.down_for_an_hour,
    "descriptors": descriptors.descriptors,
    "rolling": rolling.rolling_restart,
}
# Only when named: minutes, and a disk of some size.
LONG = {"million": million.million}
COLUMNS = ["fault", "rounds", "accepted", "delivered", "lost", "requests", "duplicates", "unavailable_ms"]


def compile_shims(directory):
    compiler = next(path for path in map(shutil.which, ("clang", "cc", "gcc")) if path)
    shims = {}
    for name in ("disk", "clock"):
        shims[name] = f"{directory}/{name}_shim.so"
        source = str(HERE / f"{name}_shim.c")
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-pthread", "-o", shims[name], source], check=True)
    return shims


async def befall(name, fault, options):
    """A fault never hangs, and never ends the run."""
    print(f"\r{name:<20}", end="", file=sys.stderr, flush=True)
    try:
        async with Site(name, options) as site:
            try:
                return await asyncio.wait_for(fault(site), 900)
            except Skipped as reason:
                return Row(name, remark=f"skipped: {reason}")
            except Exception as error:
                logs = [node.errors[-500:] + str(node.log()[-3:]) for node in site.nodes if node.process]
                trace = traceback.format_exc(limit=-3)
                return Row(name, wrong=site.wrong + [f"{type(error).__name__}: {error}\n{trace}{logs}"])
    finally:
        print(f"\r{'':<20}\r", end="", file=sys.stderr, flush=True)


def show(rows):
    cells = [COLUMNS + ["remark"]]
    for row in rows:
        cells.append([str(getattr(row, column)) for column in COLUMNS] + [row.remark])
    widths = [max(len(line[index]) for line in cells) for index in range(len(COLUMNS))]
    for line in cells:
        fields = [text.ljust(width) if not index else text.rjust(width)
                  for index, (text, width) in enumerate(zip(line, widths))]
        print("  ".join(fields + [line[-1]]).rstrip())
    for row in rows:
        for words in row.wrong:
            print(f"WRONG: {row.fault}: {words}")


async def main(arguments, options):
    chosen = arguments.fault or list(FAULTS)
    loop, this = asyncio.get_running_loop(), asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, this.cancel)
    rows = []
    try:
        for name in chosen:
            rows.append(await befall(name, {**FAULTS, **LONG}[name], options))
    finally:
        show(rows)
    return 1 if any(row.wrong for row in rows) else 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="fewer rounds, for CI")
    parser.add_argument("fault", nargs="*", help=f"all of these by default: {', '.join(FAULTS)}; or {', '.join(LONG)}")
    arguments = parser.parse_args()
    unknown = set(arguments.fault) - set(FAULTS) - set(LONG)
    if unknown:
        parser.error(f"no such fault: {', '.join(unknown)}")
    return arguments


if __name__ == "__main__":
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="patchbay-faults-") as directory:
        options = Options(
            program=os.environ["PATCHBAY"], shims=compile_shims(directory), is_short=arguments.short,
            can_mount=os.environ.get("CAN_MOUNT") == "1", top=str(HERE.parent.parent))
        try:
            sys.exit(asyncio.run(main(arguments, options)))
        except asyncio.CancelledError:
            sys.exit(130)  # asked to end; the table of what was done is shown already
