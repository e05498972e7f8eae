"""Flask 3. Its own server is for trying it out: in production, let gunicorn or uWSGI run `app`."""

import os

from flask import Flask, Response, request
from verify import make_hmac_verifier, make_jwt_verifier

env = os.environ
app = Flask(__name__)
# Tidings sends at most 256 KB.
app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024

if env.get("SCHEME") == "jwt":
    verify = make_jwt_verifier(env["JWKS_URL"], env["ISSUER"], env["AUDIENCE"])
else:
    verify = make_hmac_verifier(env["WEBHOOK_SECRET"])


# --- the important part: the bytes (get_data), not request.json
@app.post("/webhooks")
def webhooks() -> Response:
    body = request.get_data()
    try:
        event = verify(body, request.headers)
    except Exception:  # whatever is wrong with it, it is not ours
        return Response(status=401)
    handle(event)
    return Response(status=204)
# ---


def handle(event: dict) -> None:
    """Your work. At least once means: an event["id"] seen before is done already. Queue what takes seconds."""
    print(f"verified {event['type']} {event['id']}", flush=True)


if __name__ == "__main__":
    app.run(
        host=env.get("HOST", "127.0.0.1"),
        port=int(env.get("PORT", "8443")),
        ssl_context=(env["TLS_CERT_FILE"], env["TLS_KEY_FILE"]),
        threaded=True,
    )
