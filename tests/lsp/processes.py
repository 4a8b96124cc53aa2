"""Processor time and states of a process, from Linux."""

import os
import time
from pathlib import Path


def resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_seconds(pid: int) -> float:
    """The processor time of all current threads, in nanoseconds."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / 1e9


def seconds_until_idle(pid: int, timeout: float = 10, window: float = 0.02, share: float = 0.1) -> float:
    """The time until a window in which the process uses less than a share of one processor."""
    start = time.monotonic()
    while (begin := time.monotonic()) - start < timeout:
        used = cpu_seconds(pid)
        time.sleep(window)
        if cpu_seconds(pid) - used < share * window:
            return begin - start
    raise AssertionError(f"process {pid} is busy for {timeout} s")


def wait_busy(pid: int, seconds: float = 0.03, timeout: float = 10) -> None:
    """Waits until the process has used this much more processor time."""
    used, end = cpu_seconds(pid), time.monotonic() + timeout
    while cpu_seconds(pid) - used < seconds:
        assert time.monotonic() < end, f"process {pid} is idle"
        time.sleep(0.001)


def is_running(pid: int) -> bool:
    """Whether a thread of the process runs or waits for a processor."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            if (task / "stat").read_text().rpartition(")")[2].split()[0] == "R":
                return True
        except (FileNotFoundError, ProcessLookupError):
            continue
    return False


def last_running(pid: int, idle: float = 0.1, timeout: float = 10) -> float:
    """The last time at which the process ran before it was idle for this long."""
    last = start = time.monotonic()
    while (now := time.monotonic()) - last < idle:
        assert now - start < timeout, f"process {pid} runs for {timeout} s"
        if is_running(pid):
            last = time.monotonic()
        time.sleep(0.0005)
    return last
