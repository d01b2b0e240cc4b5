"""A program without a model: what a launcher must pass on. The first argument says what it does."""
import json
import os
import signal
import sys
import time

what = sys.argv[1]
if what == "exit":
    sys.exit(int(sys.argv[2]))
elif what == "die":
    if int(sys.argv[2]) != signal.SIGKILL:
        signal.signal(int(sys.argv[2]), signal.SIG_DFL)
    os.kill(os.getpid(), int(sys.argv[2]))
    time.sleep(30)
elif what == "cat":
    # Standard input to standard output, and a mark to standard error, without a text layer between.
    total = 0
    while data := sys.stdin.buffer.read(1 << 16):
        total += len(data)
        sys.stdout.buffer.write(data)
    sys.stderr.buffer.write(b"\xff\x00bytes:%d\n" % total)
elif what == "env":
    print(json.dumps({name: os.environ.get(name) for name in sys.argv[2:]}))
elif what == "arguments":
    print(json.dumps(sys.argv[2:]))
elif what == "signals":
    # Tells each signal as it comes; ends a moment after the first, so that a doubled one would be seen.
    seen = []

    def note(number, _frame):
        seen.append(signal.Signals(number).name)
        signal.setitimer(signal.ITIMER_REAL, 0.4)

    def end(_number, _frame):
        print(json.dumps(seen), flush=True)
        sys.stdout.flush()
        os._exit(5)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, note)
    signal.signal(signal.SIGALRM, end)
    print("ready", flush=True)
    while True:
        signal.pause()
elif what == "tty":
    print(json.dumps([os.isatty(fd) for fd in (0, 1, 2)]))
elif what == "slow_reader":
    # Asks for a large answer, waits until nothing more can be in flight, and never reads it.
    import socket
    from urllib.parse import urlsplit

    base = urlsplit(os.environ["OPENAI_BASE_URL"])
    peer = socket.create_connection((base.hostname, base.port))
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}]})
    peer.sendall((f"POST {base.path}/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                  f"Content-Length: {len(body)}\r\n\r\n{body}").encode())
    peer.recv(1)
    time.sleep(1.5)  # nothing tells when a provider is held back; this only has to be long enough to see it is not
    print("reading nothing", flush=True)
    sys.stdin.read()
