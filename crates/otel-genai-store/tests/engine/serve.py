"""Runs the engine of ClickHouse as a server, until whoever started it is gone.

    serve.py LIBRARY FOLDER HTTP_PORT TCP_PORT [OPTION...]

The library has clickhouse-local in it, which can listen since 26.5. There is no end of input that it heeds, so the process
ends itself when its standard input is closed, and takes the folder with it if that has a file named `temporary`.
"""

import ctypes
import os
import shutil
import sys
import threading

library, folder, http, tcp, *options = sys.argv[1:]
os.makedirs(folder, exist_ok=True)


def end_with_the_parent(pipe: int) -> None:
    while os.read(pipe, 4096):
        pass
    if os.path.exists(os.path.join(folder, "temporary")):
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


pipe = os.dup(0)
nothing = os.open(os.devnull, os.O_RDONLY)
os.dup2(nothing, 0)
threading.Thread(target=end_with_the_parent, args=(pipe,), daemon=True).start()

arguments = [
    "clickhouse",
    "--path", os.path.join(folder, "data"),
    "--http_port", http,
    "--tcp_port", tcp,
    "--listen_host", "127.0.0.1",
    *options,
    "--query",
    "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP;"
    " SELECT sleepEachRow(1) FROM system.numbers SETTINGS max_block_size = 1 FORMAT Null",
]
engine = ctypes.CDLL(library)
engine.chdb_query_cmdline.argtypes = [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]
vector = (ctypes.c_char_p * (len(arguments) + 1))(*[argument.encode() for argument in arguments], None)
sys.exit(engine.chdb_query_cmdline(len(arguments), vector))
