"""Trusts one authority, whatever the environment says, and tries twice."""
import http.client
import json
import os
import ssl
import sys
from urllib.parse import unquote, urlsplit
from base64 import b64encode

host, authority = sys.argv[1], sys.argv[2]
proxy = urlsplit(os.environ["HTTPS_PROXY"])
user = f"{unquote(proxy.username or '')}:{unquote(proxy.password or '')}"
said = []
for _ in range(2):
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
    finally:
        connection.close()
print(json.dumps(said))
