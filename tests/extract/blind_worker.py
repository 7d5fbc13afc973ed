"""A warm process as it would be on a kernel that knows no filters of system calls."""

from __future__ import annotations

from gateway.extract import worker
from tests.extract import faulty_worker

worker.seccomp_works = lambda: False


if __name__ == "__main__":
    faulty_worker.main()
