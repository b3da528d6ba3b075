"""Stands in for the converter's child: does what the order's scheme says, without TensorFlow."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path


def main() -> None:
    """Serves orders; "scheme" is what goes wrong."""
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        match order["scheme"]:
            case "float32":
                Path(order["output"]).write_bytes(str(os.getpid()).encode())
                print(json.dumps({"output": order["output"]}), flush=True)
            case "float16":
                message = "Traceback\n  File x\nValueError: no kernel for Foo\nDetails:\n"
                print(json.dumps({"error": message}), flush=True)
                print("Some ops: an earlier failure", file=sys.stderr, flush=True)
            case "dynamic_range":
                print("F0000 check failed: rank > 0", file=sys.stderr, flush=True)
                os.kill(os.getpid(), signal.SIGABRT)
            case "int8":
                time.sleep(60)
            case "int16x8":
                hog = bytearray(200_000_000)
                time.sleep(60)
                del hog


if __name__ == "__main__":
    main()
