"""Leads the calls of HTTP clients to known hosts of models by way of the gateway of `otel-genai run`.

    https://api.openai.com/v1/x  ->  http://127.0.0.1:PORT/TOKEN/h/api.openai.com/v1/x

Nothing else of a request changes, but for a `traceparent` where the program is in a trace and sends none. It happens
below redirects, cookies, signing and retries, so that the program sees the address that it asked for. Nothing of this
prints, raises, or imports what the program would not have imported. When the gateway is gone, requests go as before.
"""

import os
import sys

_MARK = "_otel_genai_shim"
_ANY = 512  # so many hosts are remembered


class _Gateway:
    """Where the gateway is, and for which hosts."""

    def __init__(self, environ):
        self.url = environ["OTEL_GENAI_SHIM_GATEWAY"]
        authority = self.url.split("://", 1)[1].split("/", 1)[0]
        self.host, port = authority.rsplit(":", 1)
        self.port = int(port)
        pid, _, self.started = environ.get("OTEL_GENAI_SHIM_PID", "").partition(":")
        self.pid = int(pid or 0)
        # What it trusts, too. Those that the program names later are its own.
        self.bundles = {environ[name] for name in _BUNDLES if environ.get(name) and _is_file(environ[name])}
        entries = [entry for entry in environ.get("OTEL_GENAI_SHIM_HOSTS", "").split(",") if entry]
        self.origins = {entry for entry in entries if "://" in entry}
        self.patterns = [entry for entry in entries if "://" not in entry]
        self.known = {}
        self.usual = None
        self.gone = False

    def lead(self, url):
        """The address at the gateway, or None where the request is to go as it is."""
        scheme, found, rest = url.partition("://")
        scheme = scheme.lower()
        if self.gone or not found or scheme not in ("https", "http") or _has_doubles():
            return None
        cut = min((at for at in (rest.find("/"), rest.find("?"), rest.find("#")) if at >= 0), default=len(rest))
        authority, path = rest[:cut].lower(), rest[cut:].split("#", 1)[0]
        if "@" in authority or not self.is_known(scheme, authority) or not self.is_there():
            return None
        name = authority if scheme == "https" else "http:" + authority
        return "%s/h/%s%s" % (self.url, name, path if path.startswith("/") else "/" + path)

    def is_known(self, scheme, authority):
        key = (scheme, authority)
        known = self.known.get(key)
        if known is None:
            if len(self.known) >= _ANY:
                self.known.clear()
            known = self.known[key] = self.look_up(scheme, authority)
        return known

    def look_up(self, scheme, authority):
        standard = ":443" if scheme == "https" else ":80"
        host = authority[: -len(standard)] if authority.endswith(standard) else authority
        if "%s://%s" % (scheme, host) in self.origins:
            return True
        return scheme == "https" and ":" not in host and any(_fits(host, pattern) for pattern in self.patterns)

    def is_there(self):
        """Its port may be somebody else's once it has ended, and so may its number."""
        if self.pid and not self.gone:
            try:
                if self.started:
                    return _started(self.pid) == self.started
                _kill(self.pid, 0)
            except PermissionError:
                pass
            except OSError:
                self.gone = not self.started
                return False
        return not self.gone

    def trusts(self, verify):
        """Whether it checks a provider as the program would: with the usual authorities or a file of the environment."""
        if verify is True:
            return True
        if not isinstance(verify, (str, os.PathLike)):
            return False
        certifi = sys.modules.get("certifi")
        return str(verify) in self.bundles or (certifi is not None and str(verify) == certifi.where())

    def trusts_context(self, context):
        """Some SDKs make a context of the usual authorities. Those with fewer or more, certificates or no checks stay out.

        What a context trusts cannot be compared but by number.
        """
        import ssl  # who has a context has it

        if _MARK in context.__dict__ or context.verify_mode != ssl.CERT_REQUIRED or not context.check_hostname:
            return False
        if self.usual is None:
            certifi = sys.modules.get("certifi")
            files = self.bundles | ({certifi.where()} if certifi is not None else set())
            contexts = [ssl.create_default_context()] + [ssl.create_default_context(cafile=file) for file in files]
            self.usual = {one.cert_store_stats()["x509_ca"] for one in contexts}
        return context.cert_store_stats()["x509_ca"] in self.usual


# What a program may have changed for itself, as a test does.
_kill, _open, _read, _close, _is_file = os.kill, os.open, os.read, os.close, os.path.isfile
_BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
# These answer below the hooks, and know a request by its address.
_DOUBLES = ("respx", "pytest_httpx", "responses", "vcr", "pook", "httpretty", "mocket")


def _has_doubles():
    return any(name in sys.modules for name in _DOUBLES)


def _started(pid):
    """When a process was started, as Linux counts."""
    file = _open("/proc/%d/stat" % pid, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _read(file, 4096).rsplit(b")", 1)[-1].split()[19].decode()
    finally:
        _close(file)


def _fits(host, pattern):
    """As the gateway decides: a name and what is below it, or a pattern in which an asterisk is any text."""
    if "*" not in pattern:
        return host == pattern or host.endswith("." + pattern)
    start, *rest = pattern.split("*")
    if not host.startswith(start):
        return False
    at, end = len(start), rest.pop()
    for part in rest:
        at = host.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return len(host) - at >= len(end) and host.endswith(end)


_gateway = None


def install():
    """Hooks the clients that are there, and those that will be imported. Twice is once."""
    global _gateway
    off = os.environ.get("OTEL_GENAI_SHIM", "").strip().lower() in ("false", "0", "off", "no")
    if off or not os.environ.get("OTEL_GENAI_SHIM_GATEWAY") or any(hasattr(one, _MARK) for one in sys.meta_path):
        return
    _gateway = _Gateway(os.environ)
    sys.meta_path.insert(0, _Finder())
    for name in _HOOKS:
        if name in sys.modules:
            _hook(name, sys.modules[name])


class _Finder:
    """Finds nothing itself: notices what is imported, and hooks it once it has been executed."""

    _otel_genai_shim = True

    def __init__(self):
        self.looking = set()

    def find_spec(self, name, path=None, target=None):
        if name not in _HOOKS or name in self.looking:
            return None
        self.looking.add(name)
        try:
            spec = None
            for finder in sys.meta_path:
                find = getattr(finder, "find_spec", None)
                spec = find(name, path, target) if find is not None and finder is not self else None
                if spec is not None:
                    break
            if spec is not None and hasattr(spec.loader, "exec_module"):
                _after(spec.loader, name)
            return spec
        finally:
            self.looking.discard(name)


def _after(loader, name):
    execute = loader.exec_module

    def exec_module(module):
        # The loader is as it was before the module can look at it.
        try:
            del loader.exec_module
        except AttributeError:
            pass
        execute(module)
        _hook(name, module)

    try:
        loader.exec_module = exec_module
    except AttributeError:
        pass


def _hook(name, module):
    try:
        _HOOKS[name](module)
    except Exception:
        pass


def _wrap(owner, name, make):
    """Replaces a method by `make(method)`, once, with its name and signature."""
    method = owner.__dict__[name] if name in owner.__dict__ else getattr(owner, name)
    if hasattr(method, _MARK):
        return
    wrapper = make(method)
    for attribute in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(wrapper, attribute, getattr(method, attribute, None))
    wrapper.__wrapped__ = method
    setattr(wrapper, _MARK, True)
    setattr(owner, name, wrapper)


def _trace(has):
    """Headers for the trace that the program is in: none where it has no OpenTelemetry, is in no trace, or sends its own."""
    try:
        trace = sys.modules.get("opentelemetry.trace")
        if trace is None or has("traceparent"):
            return {}
        context = trace.get_current_span().get_span_context()
        if not context.is_valid:
            return {}
        headers = {
            "traceparent": "00-%032x-%016x-%02x" % (context.trace_id, context.span_id, int(context.trace_flags) & 1)
        }
        state = context.trace_state.to_header() if context.trace_state else ""
        if state:
            headers["tracestate"] = state
        return headers
    except Exception:
        return {}


def _is_environments(proxy):
    """Whether the environment names this proxy, so that the gateway uses it too. Others are the program's own business."""
    address = proxy.split("://", 1)[-1].rsplit("@", 1)[-1].rstrip("/").lower()
    names = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    values = (os.environ.get(name, "").split("://", 1)[-1].rsplit("@", 1)[-1].rstrip("/") for name in names)
    return any(value.lower() == address for value in values)


def _note_refusal(error):
    """The gateway is gone where nobody listens. Other reasons not to connect, such as too many open files, pass."""
    for _ in range(8):
        if error is None:
            return
        if isinstance(error, ConnectionRefusedError):
            _gateway.gone = True
            return
        inner = error.args[0] if getattr(error, "args", None) else None
        all = (getattr(error, "reason", None), inner, error.__cause__, error.__context__)
        error = next((one for one in all if isinstance(one, BaseException)), None)


def _ssl(module):
    """Remembers contexts with a certificate of the program's own, which nobody can ask them for."""

    def load(method):
        def load_cert_chain(self, *args, **kwargs):
            method(self, *args, **kwargs)
            try:
                self.__dict__[_MARK] = True
            except Exception:
                pass

        return load_cert_chain

    _wrap(module.SSLContext, "load_cert_chain", load)


# -- httpx and httpx2 -------------------------------------------------------------------------------------------------


def _httpx(module):
    """The transports, which are below the client's redirects, authentication, logs and hooks."""
    refused = module.ConnectError

    def sync(method):
        def handle_request(self, request):
            led = _httpx_request(module, self, request)
            if led is None:
                return method(self, request)
            try:
                return method(_direct(module.HTTPTransport, self), led)
            except refused as error:
                # The body has not been touched yet.
                _note_refusal(error)
            return method(self, request)

        return handle_request

    def asynchronous(method):
        async def handle_async_request(self, request):
            led = _httpx_request(module, self, request)
            if led is None:
                return await method(self, request)
            try:
                return await method(_direct(module.AsyncHTTPTransport, self), led)
            except refused as error:
                _note_refusal(error)
            return await method(self, request)

        return handle_async_request

    def created(method):
        def __init__(self, *args, **kwargs):
            method(self, *args, **kwargs)
            try:
                given = dict(zip(("verify", "cert", "trust_env"), args), **kwargs)
                verify = given.get("verify", True)
                if verify is True and given.get("trust_env", True):
                    # httpx reads it by itself.
                    verify = os.environ.get("SSL_CERT_FILE") or True
                usual = not given.get("cert") and not given.get("local_address")
                usual = usual and (hasattr(verify, "cert_store_stats") or _gateway.trusts(verify))
                # A context is looked at when it is used: it can be changed until then.
                self.__dict__[_TRUST] = (self._pool, verify if hasattr(verify, "cert_store_stats") else None, usual)
            except Exception:
                pass

        return __init__

    def close(method):
        def close(self):
            other = self.__dict__.pop(_MARK, None)
            if other is not None:
                method(other)
            return method(self)

        return close

    def aclose(method):
        async def aclose(self):
            other = self.__dict__.pop(_MARK, None)
            if other is not None:
                await method(other)
            return await method(self)

        return aclose

    # The context managers of transports close what they hold by themselves.
    def leave(method):
        def __exit__(self, *args):
            other = self.__dict__.pop(_MARK, None)
            if other is not None:
                other.close()
            return method(self, *args)

        return __exit__

    def aleave(method):
        async def __aexit__(self, *args):
            other = self.__dict__.pop(_MARK, None)
            if other is not None:
                await other.aclose()
            return await method(self, *args)

        return __aexit__

    for kind in (module.HTTPTransport, module.AsyncHTTPTransport):
        _wrap(kind, "__init__", created)
    _wrap(module.HTTPTransport, "__exit__", leave)
    _wrap(module.AsyncHTTPTransport, "__aexit__", aleave)
    _wrap(module.HTTPTransport, "handle_request", sync)
    _wrap(module.HTTPTransport, "close", close)
    _wrap(module.AsyncHTTPTransport, "handle_async_request", asynchronous)
    _wrap(module.AsyncHTTPTransport, "aclose", aclose)


_TRUST = _MARK + "_trust"


def _is_usual(transport):
    """Whether a transport connects with nothing but what the gateway has as well."""
    pool, context, usual = transport.__dict__[_TRUST]
    return usual and pool is transport._pool and (context is None or _gateway.trusts_context(context))


def _proxy_of(transport):
    """`host:port` of the proxy that a transport goes through, '' without one, None where it connects in its own way."""
    pool = transport._pool
    if getattr(pool, "_uds", None):
        return None
    proxy = getattr(pool, "_proxy_url", None)
    if proxy is None:
        return ""
    return "%s:%s" % (proxy.host.decode(), proxy.port)


def _httpx_request(module, transport, request):
    """The same request for the gateway. Its copy shares everything but the address with the program's."""
    try:
        led = _gateway.lead(str(request.url))
        if led is None or "target" in request.extensions or not _is_usual(transport):
            return None
        proxy = _proxy_of(transport)
        if proxy is None or (proxy and not _is_environments(proxy)):
            return None
        copy = type(request).__new__(type(request))
        copy.__dict__.update(request.__dict__)
        copy.url = module.URL(led)
        # The address as it would have been asked for, byte for byte.
        copy.extensions = dict(request.extensions, target=_target(led, request.url.raw_path))
        trace = _trace(request.headers.__contains__)
        if trace:
            copy.headers = module.Headers(request.headers.raw + [(k.encode(), v.encode()) for k, v in trace.items()])
        return copy
    except Exception:
        return None


def _target(led, raw_path):
    prefix = led.split("/", 3)[3].split("/h/", 1)
    name = prefix[1].split("/", 1)[0]
    return b"/" + prefix[0].encode() + b"/h/" + name.encode() + raw_path


def _direct(kind, transport):
    """The transport itself, or where it has a proxy another one without."""
    if not _proxy_of(transport):
        return transport
    other = transport.__dict__.get(_MARK)
    if other is None:
        other = transport.__dict__[_MARK] = kind(verify=False, trust_env=False)
    return other


# -- requests ---------------------------------------------------------------------------------------------------------


def _requests(module):
    adapters = module.adapters

    def wrapped(method):
        def send(self, request, *args, **kwargs):
            led = _requests_request(adapters, self, request, args, kwargs)
            if led is None:
                return method(self, request, *args, **kwargs)
            copy, args, kwargs_led = led
            try:
                response = method(self, copy, *args, **kwargs_led)
            except adapters.ConnectionError as error:
                if not _is_refusal(error):
                    _say_who_asked(error, copy, request)
                    raise
                _note_refusal(error)
                return method(self, request, *args, **kwargs)
            except adapters.RequestException as error:
                _say_who_asked(error, copy, request)
                raise
            try:
                response.url, response.request = request.url, request
                response.cookies.clear()
                module.cookies.extract_cookies_to_jar(response.cookies, request, response.raw)
            except Exception:
                pass
            return response

        return send

    adapters.RequestException = module.exceptions.RequestException
    _wrap(adapters.HTTPAdapter, "send", wrapped)


def _requests_request(adapters, adapter, request, args, kwargs):
    try:
        led = _gateway.lead(request.url)
        if led is None or len(args) > 5:
            return None
        names = ("stream", "timeout", "verify", "cert", "proxies")
        kwargs = dict(kwargs, **dict(zip(names, args)))
        proxy = adapters.select_proxy(request.url, kwargs.get("proxies"))
        if kwargs.get("cert") or (proxy and not _is_environments(proxy)):
            return None
        if not _gateway.trusts(kwargs.get("verify", True)) or not _is_plain(adapters.HTTPAdapter, adapter):
            return None
        copy = request.copy()
        copy.body, copy.hooks = request.body, request.hooks
        copy.url = led
        # No Host is set: the connection writes it in its usual place, and the gateway the provider's name into it.
        copy.headers.update(_trace(copy.headers.__contains__))
        return copy, (), dict(kwargs, proxies={})
    except Exception:
        return None


def _is_plain(plain, adapter):
    """Whether an adapter connects as that of requests does. Others have certificates, addresses or ways of their own."""
    how = ("get_connection", "get_connection_with_tls_context", "_get_connection",
           "build_connection_pool_key_attributes", "cert_verify")
    given = adapter.poolmanager.connection_pool_kw
    # Subclasses set options of sockets and retries in this way, too.
    if any(getattr(type(adapter), name, None) is not getattr(plain, name, None) for name in how):
        return False
    own = {name for name, value in given.items() if value is not None} - {"block", "socket_options", "ssl_context",
                                                                          "timeout", "maxsize", "retries"}
    context = given.get("ssl_context")
    return not own and (context is None or _gateway.trusts_context(context))


def _host(url):
    return url.split("://", 1)[1].split("/", 1)[0].split("?", 1)[0].rsplit("@", 1)[-1]


def _say_who_asked(error, led, request):
    """The error names the program's request, and the path that it asked for."""
    try:
        error.request = request
        before, after = led.path_url, request.path_url
        for _ in range(4):
            if getattr(error, "url", None) == before:
                error.url = after
            error.args = tuple(arg.replace(before, after) if isinstance(arg, str) else arg for arg in error.args)
            error = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
            if error is None:
                break
    except Exception:
        pass


def _is_refusal(error):
    """Whether nobody listens there: then nothing of the request has been sent."""
    seen = 0
    while error is not None and seen < 8:
        if type(error).__name__ == "NewConnectionError" or isinstance(error, ConnectionRefusedError):
            return True
        reason = getattr(error, "reason", None)
        inner = error.args[0] if getattr(error, "args", None) else None
        error = next((one for one in (reason, inner, error.__cause__) if isinstance(one, BaseException)), None)
        seen += 1
    return False


# -- botocore ---------------------------------------------------------------------------------------------------------


def _botocore(module):
    """After signing: the signature is for the host that the provider sees, because the gateway tells it that host."""

    def wrapped(method):
        def send(self, request):
            led = _botocore_request(self, request)
            if led is None:
                return method(self, request)
            try:
                response = method(self, led)
            except module.EndpointConnectionError as error:
                _note_refusal(error)
                return method(self, request)
            except Exception as error:
                # What it says names the endpoint.
                _endpoint(error, led.url, request.url)
                raise
            response.url = request.url
            return response

        return send

    _wrap(module.URLLib3Session, "send", wrapped)


def _botocore_request(session, request):
    try:
        led = _gateway.lead(request.url)
        if led is None:
            return None
        config = session._proxy_config
        proxy = config.proxy_url_for(request.url)
        if getattr(session, "_cert_file", None) or (proxy and not _is_environments(proxy)) or config.proxy_url_for(led):
            return None
        if not _gateway.trusts(getattr(session, "_verify", None)):
            return None
        import copy  # botocore has it

        other = copy.copy(request)
        other.url, other.headers = led, request.headers.copy()
        # No Host is set: the connection writes it in its usual place, and the gateway the provider's name into it.
        for name, value in _trace(lambda name: request.headers.get(name) is not None).items():
            other.headers[name] = value
        return other
    except Exception:
        return None


def _endpoint(error, led, url):
    try:
        error.args = tuple(arg.replace(led, url) if isinstance(arg, str) else arg for arg in error.args)
        error.kwargs["endpoint_url"] = url
    except Exception:
        pass


# -- aiohttp ----------------------------------------------------------------------------------------------------------


def _aiohttp(module):
    """Each request of a session, of which there is one for each redirect; the answer tells the program's address."""
    import inspect  # aiohttp has it

    request_class = module.client_reqrep.ClientRequest
    parameters = inspect.signature(request_class.__init__).parameters

    def created(method):
        def __init__(self, verb, url, *args, **kwargs):
            led = _aiohttp_request(module, url, kwargs)
            if led is None:
                return method(self, verb, url, *args, **kwargs)
            method(self, verb, led, *args, **dict(kwargs, proxy=None))
            try:
                self.__dict__[_MARK] = True
                params = kwargs.get("params")
                self.original_url = url.extend_query(params) if params else url
                self.headers["Host"] = _host(str(url))
                self.headers.update(_trace(self.headers.__contains__))
            except Exception:
                pass
            return None

        return __init__

    def requested(method):
        async def _request(self, verb, url, *args, **kwargs):
            try:
                return await method(self, verb, url, *args, **kwargs)
            except module.ClientConnectorError as error:
                if (error.host, error.port) != (_gateway.host, _gateway.port) or not _is_refused(error):
                    raise
                _gateway.gone = True
                # A form or a stream can be read once.
                if not isinstance(kwargs.get("data"), (type(None), bytes, bytearray, str, dict)):
                    raise
            return await method(self, verb, url, *args, **kwargs)

        return _request

    info = request_class.__dict__.get("request_info")

    def request_info(self):
        told = info.fget(self)
        return told._replace(url=self.original_url.with_fragment(None)) if _MARK in self.__dict__ else told

    if "url" in parameters and "proxy" in parameters:
        _wrap(request_class, "__init__", created)
        _wrap(module.ClientSession, "_request", requested)
        if isinstance(info, property):
            request_class.request_info = property(request_info)


def _aiohttp_request(module, url, kwargs):
    try:
        connector = kwargs["session"].connector
        if not _connects_plainly(type(connector), module.TCPConnector) or getattr(connector, "_local_addr_infos", None):
            return None
        if not all(_is_trusted(value) for value in (kwargs.get("ssl"), getattr(connector, "_ssl", None))):
            return None
        led = _gateway.lead(str(url))
        proxy = kwargs.get("proxy")
        if led is None or (proxy is not None and not _is_environments(str(proxy))):
            return None
        return type(url)(led, encoded=True)
    except Exception:
        return None


def _is_refused(error):
    return isinstance(getattr(error, "os_error", None), ConnectionRefusedError)


def _is_trusted(ssl):
    """Authorities as usual: not none, not a fingerprint, not those of a context with others."""
    return ssl is None or ssl is True or (hasattr(ssl, "cert_store_stats") and _gateway.trusts_context(ssl))


def _connects_plainly(kind, plain):
    """Whether a connector connects as aiohttp's own does. Others connect to a socket or a proxy of their own."""
    how = ("connect", "_create_connection", "_create_direct_connection", "_wrap_create_connection", "_resolve_host")
    return issubclass(kind, plain) and all(getattr(kind, name, None) is getattr(plain, name, None) for name in how)


# -- who looks at the variables ----------------------------------------------------------------------------------------


def _langchain(module):
    """It streams without token counts where it finds a base URL: ours goes, because its calls are led all the same.

    Only for this process: programs that are started from it find the variable where it was.
    """
    gateway = "http://%s:%d/" % (_gateway.host, _gateway.port)
    for name in os.environ.get("OTEL_GENAI_SHIM_HIDE", "").split(","):
        if name and os.environ.get(name, "").startswith(gateway):
            os.environ._data.pop(os.environ.encodekey(name), None)


_HOOKS = {
    "ssl": _ssl,
    "httpx": _httpx,
    "httpx2": _httpx,
    "requests": _requests,
    "botocore.httpsession": _botocore,
    "aiohttp": _aiohttp,
    "langchain_openai": _langchain,
}
