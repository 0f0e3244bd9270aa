"""A small OpenID Connect provider on loopback: code flow with PKCE, signed ID tokens. It can be told to misbehave."""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "samlad-test", "a secret: with/signs"


class Provider:
    """``claims`` go into the ID token; ``changes`` overwrite what it would say truthfully."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.foreign_key = RSAKey.generate_key(2048, {"kid": "one"})
        self.claims: dict[str, Any] = {"sub": "kim-1", "email": "Kim@Example.com", "email_verified": True}
        self.changes: dict[str, Any] = {}
        self.signing_key = self.key
        self.algorithm = "RS256"
        self.by_userinfo = False
        self.codes: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.get(self)

            def do_POST(self) -> None:
                provider.post(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def get(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        if url.path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
            document = {name: f"{self.issuer}/{path}" for name, path in names.items()}
            document |= {"issuer": self.issuer, "userinfo_endpoint": f"{self.issuer}/userinfo"}
            document["token_endpoint_auth_methods_supported"] = ["client_secret_basic"]
            self._answer(handler, document)
        elif url.path == "/jwks":
            self._answer(handler, {"keys": [self.key.as_dict(private=False)]})
        elif url.path == "/authorize":
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            assert asked["client_id"] == CLIENT
            assert asked["response_type"] == "code"
            assert asked["code_challenge_method"] == "S256"
            code = secrets.token_urlsafe(16)
            self.codes[code] = asked
            query = urlencode({"code": code, "state": asked["state"]})
            handler.send_response(302)
            handler.send_header("Location", f"{asked['redirect_uri']}?{query}")
            handler.end_headers()
        elif url.path == "/userinfo":
            assert handler.headers["Authorization"] == "Bearer access"
            self._answer(handler, self.claims)

    def post(self, handler: BaseHTTPRequestHandler) -> None:
        form = parse_qs(handler.rfile.read(int(handler.headers["Content-Length"])).decode())
        asked = self.codes.pop(form["code"][0], None)
        basic = base64.b64decode(handler.headers["Authorization"].removeprefix("Basic ")).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"][0].encode()).digest())
        if (
            asked is None
            or basic != "samlad-test:a%20secret%3A%20with%2Fsigns"
            or challenge.decode().rstrip("=") != asked["code_challenge"]
            or form["redirect_uri"][0] != asked["redirect_uri"]
        ):
            self._answer(handler, {"error": "invalid_grant"}, 400)
            return
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": int(time.time()), "exp": int(time.time()) + 60}
        claims |= {"nonce": asked["nonce"], "sub": self.claims["sub"]}
        claims |= ({} if self.by_userinfo else self.claims) | self.changes
        claims = {name: value for name, value in claims.items() if value is not None}
        head = {"alg": self.algorithm, "kid": "one"}
        token = jwt.encode(head, claims, self.signing_key, algorithms=[self.algorithm])
        self._answer(handler, {"access_token": "access", "token_type": "Bearer", "id_token": token})

    def _answer(self, handler: BaseHTTPRequestHandler, document: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(document).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
