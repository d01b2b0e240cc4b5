"""Trusts one authority, whatever the environment says, and tries until it gets through."""
import http.client
import json
import os
import ssl
import sys
import time
from urllib.parse import unquote, urlsplit
from base64 import b64encode

host, authority = sys.argv[1], sys.argv[2]
proxy = urlsplit(os.environ["HTTPS_PROXY"])
user = f"{unquote(proxy.username or '')}:{unquote(proxy.password or '')}"
said = []
deadline = time.monotonic() + 20
while 200 not in said and time.monotonic() < deadline:
    connection = http.client.HTTPSConnection(proxy.hostname, proxy.port, timeout=20,
                                             context=ssl.create_default_context(cafile=authority))
    connection.set_tunnel(host, 443, {"Proxy-Authorization": "Basic " + b64encode(user.encode()).decode()})
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps({
            "model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}],
        }), {"Content-Type": "application/json"})
        said.append(connection.getresponse().status)
    except ssl.SSLError as error:
        said.append(error.reason)
        time.sleep(0.05)
    finally:
        connection.close()
print(json.dumps(said))
