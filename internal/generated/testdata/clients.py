"""Serialises and stores as Python applications do.

Reads requests from standard input, one JSON object a line, and answers each with a line:
  {"do": ["pickle4", "zlib", "base64"], "doc": {...}}   the serialised bytes, in base64
  {"store": "django", "doc": {...}}                     the key that the framework wrote
argv[1] is the server's Unix socket.
"""
import base64, json, pickle, sys, urllib.parse, zlib, gzip

import bson, brotli, cbor2, itsdangerous, lz4.block, lz4.frame, msgpack, snappy, zstandard
from django.conf import settings
from django.core import signing

settings.configure(
    SECRET_KEY="generated", SESSION_ENGINE="django.contrib.sessions.backends.cache",
    CACHES={"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": f"unix://{sys.argv[1]}?db=0"}})


class Settings:
    """An object of an application."""


def instance(doc):
    s = Settings()
    s.__dict__.update(doc)
    return s


def raw_deflate(b):
    z = zlib.compressobj(9, zlib.DEFLATED, -15)
    return z.compress(b) + z.flush()


STEPS = {
    "json": lambda d: json.dumps(d).encode(),
    "json-compact": lambda d: json.dumps(d, separators=(",", ":"), ensure_ascii=False).encode(),
    "form": lambda d: urllib.parse.urlencode({k: v for k, v in d.items() if not isinstance(v, (dict, list))}).encode(),
    "pickle-object": lambda d: pickle.dumps(instance(d), 4),
    "msgpack": msgpack.packb,
    "cbor": cbor2.dumps,
    "bson": bson.BSON.encode,
    "text": lambda d: d["text"].encode(),
    "base64": base64.b64encode,
    "base64url": lambda b: base64.urlsafe_b64encode(b).rstrip(b"="),
    "hex": lambda b: b.hex().encode(),
    "percent": lambda b: urllib.parse.quote(b, safe="").encode(),
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "deflate": raw_deflate,
    "zstd": lambda b: zstandard.ZstdCompressor().compress(b),
    "lz4": lz4.frame.compress,
    "lz4-block": lz4.block.compress,
    "snappy": snappy.compress,
    "brotli": brotli.compress,
    "signed-flask": lambda b: itsdangerous.URLSafeTimedSerializer("generated").dumps(b.decode()).encode(),
    "signed-django": lambda b: signing.dumps(b.decode(), key="generated", compress=True).encode(),
    "base32": base64.b32encode,
    "0x": lambda b: b"0x" + b.hex().encode(),
    "in-json": lambda b: json.dumps({"id": len(b), "payload": b.decode("latin-1")}).encode(),
    "in-pickle": lambda b: pickle.dumps({"id": len(b), "payload": b}),
}
for protocol in range(6):
    STEPS[f"pickle{protocol}"] = lambda d, p=protocol: pickle.dumps(d, p)


def serialise(r):
    value = r["doc"]
    for step in r["do"]:
        value = STEPS[step](value)
    return base64.b64encode(value).decode()


class Stores:
    """The frameworks, each set up when it is first used."""

    def __init__(self, socket):
        self.socket = socket
        self.ready = {}

    def get(self, name):
        if name not in self.ready:
            self.ready[name] = getattr(self, "setup_" + name)()
        return self.ready[name]

    def setup_django(self):
        import django

        django.setup()
        from django.contrib.sessions.backends.cache import SessionStore

        return SessionStore

    def django(self, doc):
        s = self.get("django")()
        s["_auth_user_id"] = doc["id"]
        s["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
        s["_auth_user_hash"] = doc["hash"]
        s["email"] = doc["email"]
        s.create()
        return ":1:" + s.cache_key

    def setup_flask(self):
        import flask, flask_session, redis

        app = flask.Flask("generated")
        app.config.update(SECRET_KEY="generated", SESSION_TYPE="redis", SESSION_REDIS=redis.Redis(unix_socket_path=self.socket))
        flask_session.Session(app)

        def login():
            flask.session.update(flask.request.get_json())
            return flask.session.sid

        app.add_url_rule("/", "login", login, methods=["POST"])
        return app

    def flask(self, doc):
        sid = self.get("flask").test_client().post("/", json={"_user_id": doc["id"], "_fresh": True, "email": doc["email"], "csrf_token": doc["hash"]}).data.decode()
        return "session:" + sid

    def setup_rq(self):
        import redis, rq

        return rq.Queue("default", connection=redis.Redis(unix_socket_path=self.socket))

    def rq(self, doc):
        return self.get("rq").enqueue("app.mail.send", doc["email"], password=doc["secret"]).key.decode()

    def setup_celery(self):
        import celery

        return celery.Celery(broker=f"redis+socket://{self.socket}")

    def celery(self, doc):
        self.get("celery").send_task("app.tasks.reset", args=[doc["email"]], kwargs={"password": doc["secret"]})
        return "celery"


def main():
    stores = Stores(sys.argv[1])
    for line in sys.stdin:
        r = json.loads(line)
        print(getattr(stores, r["store"])(r["doc"]) if "store" in r else serialise(r), flush=True)


main()
