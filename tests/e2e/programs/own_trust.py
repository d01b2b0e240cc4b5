"""A call that has something of its own, or nothing: the arguments are which, the address, and files with authorities and
a client's certificate. Whether it succeeds is not told."""

import asyncio
import ssl
import sys

import certifi

which, url, authorities, certificate = sys.argv[1:5]
BODY = b'{"model":"m","messages":[{"role":"user","content":"hooked"}]}'


def context(file=None, own=False):
    made = ssl.create_default_context(cafile=file or certifi.where())
    if own:
        made.load_cert_chain(certificate)
    return made


def httpx(**options):
    import httpx

    with httpx.Client(**options) as client:
        client.post(url, content=BODY)


def requests(adapter=None, **options):
    import requests

    class Own(requests.adapters.HTTPAdapter):
        def init_poolmanager(self, *args, **kwargs):
            super().init_poolmanager(*args, ssl_context=adapter, **kwargs)

    with requests.Session() as session:
        if adapter is not None:
            session.mount("https://", Own())
        session.post(url, data=BODY, **options)


def aiohttp(connector=None, **options):
    import aiohttp

    async def main():
        plain = aiohttp.TCPConnector(ssl=connector) if connector else None
        async with aiohttp.ClientSession(connector=plain) as session, session.post(url, data=BODY, **options) as answer:
            await answer.read()

    asyncio.run(main())


def fingerprint():
    import aiohttp

    return aiohttp.Fingerprint(b"0" * 32)


def botocore(**options):
    from botocore.awsrequest import AWSRequest
    from botocore.httpsession import URLLib3Session

    URLLib3Session(**options).send(AWSRequest("POST", url, data=BODY, headers={}).prepare())


def double():
    sys.modules["respx"] = sys
    httpx()


CALLS = {
    "httpx": httpx,
    "httpx-usual": lambda: httpx(verify=context()),
    "httpx-authorities": lambda: httpx(verify=context(authorities)),
    "httpx-certificate": lambda: httpx(verify=context(own=True)),
    "httpx-cert": lambda: httpx(cert=certificate),
    "httpx-unchecked": lambda: httpx(verify=False),
    "httpx-double": double,
    "requests": requests,
    "requests-usual": lambda: requests(adapter=context()),
    "requests-authorities": lambda: requests(verify=authorities),
    "requests-certificate": lambda: requests(adapter=context(own=True)),
    "requests-unchecked": lambda: requests(verify=False),
    "aiohttp": aiohttp,
    "aiohttp-usual": lambda: aiohttp(connector=context()),
    "aiohttp-certificate": lambda: aiohttp(connector=context(own=True)),
    "aiohttp-authorities": lambda: aiohttp(ssl=context(authorities)),
    "aiohttp-fingerprint": lambda: aiohttp(ssl=fingerprint()),
    "botocore": botocore,
    "botocore-authorities": lambda: botocore(verify=authorities),
}

try:
    CALLS[which]()
except Exception:
    pass
