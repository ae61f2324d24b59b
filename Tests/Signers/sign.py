"""sign.py keys FOLDER: makes up secrets. sign.py post HOST:PORT: signs with each library, and tampers with what it signed."""
import base64
import datetime
import gzip
import hashlib
import hmac
import http.client
import os
import sys
import time

import nacl.signing
import slack_sdk.signature
import standardwebhooks
import stripe
import svix.webhooks
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

BODY = '{"event":{"event":"opened","uuid":"é","distinct_id":"usr_1"},"person":{"properties":{}}}'
SEEDS = [hashlib.sha256(text).digest() for text in (b"one", b"two", b"strange")]


# Frozen while one signer is tried, so that two signatures are of one second.
frozen = time.time()


def clock():
    return frozen


def b64(data):
    return base64.b64encode(data).decode()


def keys(folder):
    publics = [Ed25519PrivateKey.from_private_bytes(seed).public_key() for seed in SEEDS]
    raw = publics[0].public_bytes(Encoding.Raw, PublicFormat.Raw)
    with open(f"{folder}/public.pem", "wb") as file:
        file.write(publics[1].public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    secrets = {
        "WEBHOOK_NEW": "whsec_" + b64(b"canary new " + bytes(range(200, 220))),
        "WEBHOOK_OLD": "whsec_" + b64(b"canary old " + bytes(range(200, 220))),
        "WEBHOOK_PUBLIC": "whpk_" + b64(raw), "RAW_PUBLIC": raw.hex(),
        "STRIPE_NEW": "whsec_canarynew", "STRIPE_OLD": "whsec_canaryold",
        "TEXT_NEW": "canary-new", "TEXT_OLD": "canary-old", "BASIC_NEW": "user:canary-new", "BASIC_OLD": "user:canary:old",
    }
    with open(f"{folder}/secrets", "w") as file:
        file.writelines(f"{name}='{value}'\n" for name, value in secrets.items())


class Message:
    """What goes over the wire: a list of headers, because one may stand there twice."""

    def __init__(self, source, headers, body=BODY, path=None):
        self.path = path or f"/hooks/{source}"
        self.headers = list(headers.items())
        self.body = body.encode() if isinstance(body, str) else body

    def but(self, **changes):
        other = Message("", {})
        other.__dict__.update(self.__dict__, **changes)
        return other

    def with_header(self, name, value):
        return self.but(headers=[(n, value if n == name else v) for n, v in self.headers])

    def without(self, name):
        return self.but(headers=[(n, v) for n, v in self.headers if n != name])


def post(address, message):
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.putrequest("POST", message.path, skip_accept_encoding=True)
    for name, value in [*message.headers, ("Content-Type", "application/json"), ("Content-Length", str(len(message.body)))]:
        connection.putheader(name, value.encode())
    connection.endheaders(message.body)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


# Signers. Each gives a message signed with secret `which` (new, old, strange) at a time that is `offset` seconds off.

def text(which):
    return {"new": "canary-new", "old": "canary-old"}.get(which, "strange")


def seed(which):
    return SEEDS[{"new": 0, "old": 1}.get(which, 2)]


def webhook(which):
    return os.environ[f"WEBHOOK_{which.upper()}"] if which != "strange" else "whsec_" + b64(b"strange")


def moment(offset):
    return datetime.datetime.fromtimestamp(int(clock()) + offset, datetime.timezone.utc)


def sign_standardwebhooks(which, offset, body=BODY):
    at = moment(offset)
    signature = standardwebhooks.Webhook(webhook(which)).sign("msg_1", at, body)
    return Message("standardwebhooks", {
        "webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}, body)


def sign_v1a(library):
    def sign(which, offset, body=BODY):
        stamp = str(int(clock()) + offset)
        signed = f"msg_1.{stamp}.{body}".encode()
        # Only one public key is configured here: who else signs is a stranger.
        key = SEEDS[0 if which == "new" else 2]
        if library == "PyNaCl":
            signature = nacl.signing.SigningKey(key).sign(signed).signature
        else:
            signature = Ed25519PrivateKey.from_private_bytes(key).sign(signed)
        return Message("standardwebhooks", {
            "webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": "v1a," + b64(signature)}, body)
    return sign


def sign_svix(which, offset, body=BODY):
    at = moment(offset)
    return Message("svix", {
        "svix-id": "msg_1", "svix-timestamp": str(int(at.timestamp())),
        "svix-signature": svix.webhooks.Webhook(webhook(which)).sign("msg_1", at, body)}, body)


def sign_stripe(which, offset, body=BODY):
    stamp = int(clock()) + offset
    secret = {"new": "whsec_canarynew", "old": "whsec_canaryold"}.get(which, "whsec_strange")
    signature = stripe.WebhookSignature._compute_signature(f"{stamp}.{body}", secret)
    return Message("stripe", {"Stripe-Signature": f"t={stamp},v1={signature}"}, body)


def sign_slack(which, offset, body=BODY):
    stamp = str(int(clock()) + offset)
    signature = slack_sdk.signature.SignatureVerifier(text(which)).generate_signature(timestamp=stamp, body=body)
    return Message("slack", {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}, body)


def sign_github(which, offset, body=BODY):
    digest = hmac.new(text(which).encode(), body if isinstance(body, bytes) else body.encode(), "sha256").hexdigest()
    return Message("github", {"X-Hub-Signature-256": "sha256=" + digest}, body)


def sign_shopify(which, offset, body=BODY):
    digest = hmac.new(text(which).encode(), body.encode(), "sha256").digest()
    return Message("shopify", {"X-Shopify-Hmac-Sha256": b64(digest)}, body)


def sign_ed25519(library):
    def sign(which, offset, body=BODY):
        stamp = str(int(clock()) + offset)
        signed = (stamp + body).encode()
        if library == "PyNaCl":
            signature = nacl.signing.SigningKey(seed(which)).sign(signed).signature
        else:
            signature = Ed25519PrivateKey.from_private_bytes(seed(which)).sign(signed)
        return Message("ed25519", {"X-Signature-Timestamp": stamp, "X-Signature-Ed25519": signature.hex()}, body)
    return sign


def sign_template(which, offset, body=BODY):
    stamp = str(int((clock() + offset) * 1000))
    signed = f"POST /hooks/hmac?a=1&b=%20|id-1|{stamp}|{body}".encode()
    digest = base64.urlsafe_b64encode(hmac.new(text(which).encode(), signed, "sha512").digest()).decode().rstrip("=")
    return Message(
        "hmac", {"X-Id": "id-1", "X-Signature": f"t={stamp},v9={digest}"}, body, path="/hooks/hmac?a=1&b=%20")


class Case:
    """A signer, and where in what it makes the signature, the id and the time stand."""

    def __init__(self, name, sign, header, tolerance=300, mark="", ident=None, stamp=None, old=True):
        self.name, self.sign, self.header, self.tolerance = name, sign, header, tolerance
        self.mark, self.ident, self.stamp, self.old = mark, ident, stamp, old


CASES = [
    Case("standardwebhooks v1", sign_standardwebhooks, "webhook-signature", mark="v1,", ident="webhook-id", stamp="webhook-timestamp"),
    Case("PyNaCl v1a", sign_v1a("PyNaCl"), "webhook-signature", mark="v1a,", ident="webhook-id", stamp="webhook-timestamp", old=False),
    Case("cryptography v1a", sign_v1a("cryptography"), "webhook-signature", mark="v1a,", ident="webhook-id", stamp="webhook-timestamp", old=False),
    Case("svix", sign_svix, "svix-signature", mark="v1,", ident="svix-id", stamp="svix-timestamp"),
    Case("stripe", sign_stripe, "Stripe-Signature", mark="v1="),
    Case("slack_sdk", sign_slack, "X-Slack-Signature", mark="v0=", stamp="X-Slack-Request-Timestamp"),
    Case("GitHub (hmac)", sign_github, "X-Hub-Signature-256", mark="sha256=", tolerance=None),
    Case("Shopify (hmac)", sign_shopify, "X-Shopify-Hmac-Sha256", tolerance=None),
    Case("PyNaCl ed25519", sign_ed25519("PyNaCl"), "X-Signature-Ed25519", stamp="X-Signature-Timestamp"),
    Case("cryptography ed25519", sign_ed25519("cryptography"), "X-Signature-Ed25519", stamp="X-Signature-Timestamp"),
    Case("template (hmac)", sign_template, "X-Signature", mark="v9=", ident="X-Id", tolerance=60),
]


def accepted(case):
    yield "new secret", case.sign("new", 0)
    if case.old:
        yield "old secret", case.sign("old", 0)
    yield "another body", case.sign("new", 0, BODY.replace("usr_1", "usr_ü😀"))
    if case.tolerance:
        yield "a little ago", case.sign("new", 5 - case.tolerance)
        yield "a little ahead", case.sign("new", case.tolerance - 5)


def joined(case, *messages):
    """The signatures of several messages in one header, the first one's time; separated as the sender does."""
    values = [dict(message.headers)[case.header] for message in messages]
    if case.header.startswith(("webhook", "svix")):
        return " ".join(values)
    return ",".join([values[0]] + [value[value.index(case.mark):] for value in values[1:]])


def tampered(case):
    good = case.sign("new", 0)
    value = dict(good.headers)[case.header]
    head, mark, signature = value.rpartition(case.mark) if case.mark else ("", "", value)
    with_signature = lambda text: good.with_header(case.header, head + mark + text)
    for place in (0, len(good.body) // 2, len(good.body) - 1):
        body = bytearray(good.body)
        body[place] ^= 1
        yield f"body byte {place}", good.but(body=bytes(body))
    yield "body longer", good.but(body=good.body + b" ")
    yield "body shorter", good.but(body=good.body[:-1])
    yield "no body", good.but(body=b"")
    for place in (0, len(signature) // 2):
        other = "0" if signature[place] != "0" else "1"
        yield f"signature digit {place}", with_signature(signature[:place] + other + signature[place + 1:])
    yield "signature truncated", with_signature(signature[:-4])
    yield "signature halved", with_signature(signature[: len(signature) // 2])
    yield "signature longer", with_signature(signature + "AAAA")
    yield "signature twice in one", with_signature(signature * 2)
    yield "signature empty", with_signature("")
    yield "only zeros", with_signature("0" * len(signature))
    yield "garbage", good.with_header(case.header, "garbage")
    yield "not of the alphabet", with_signature("%" * len(signature))
    yield "not ASCII", with_signature("é" * len(signature))
    yield "very long", with_signature("A" * 7000)
    yield "very many", good.with_header(case.header, " ,".join([mark + "AAAA"] * 900))
    yield "header empty", good.with_header(case.header, "")
    yield "only separators", good.with_header(case.header, ",;= ,;=")
    yield "wrong secret", case.sign("strange", 0)
    yield "two wrong ones", good.with_header(case.header, joined(case, case.sign("strange", 0), case.sign("strange", 1)))
    if case.mark:
        yield "without its mark", good.with_header(case.header, head + signature)
        yield "of another kind", good.with_header(case.header, head + "v7" + mark[-1] + signature)
    for name, value in good.headers:
        yield f"{name} missing", good.without(name)
        yield f"{name} twice", good.but(headers=good.headers + [(name, value)])
        yield f"{name} twice, one wrong", good.but(headers=[(name, "1")] + good.headers)
    yield "no headers", good.but(headers=[])
    if case.ident:
        yield "another id", good.with_header(case.ident, "msg_2")
        yield "empty id", good.with_header(case.ident, "")
    if case.tolerance:
        yield "stale", case.sign("new", -case.tolerance - 5)
        yield "from the future", case.sign("new", case.tolerance + 5)
        yield "an hour ago", case.sign("new", -3600)
    if case.stamp:
        now = int(dict(good.headers)[case.stamp])
        for stamp in (now + 1, f"0{now}", f"{now}.0", f"-{now}", "", "now", "9" * 300, f"{now} {now}", "0x1", "１７３１"):
            yield f"time {str(stamp)[:12]}", good.with_header(case.stamp, str(stamp))
    if "?" in good.path:
        yield "another query", good.but(path=good.path + "&c=1")


def tokens():
    basic = lambda text: {"Authorization": "Basic " + b64(text.encode())}
    yield "token in query", [
        Message("query", {}, path="/hooks/query?token=canary-new"), Message("query", {}, path="/hooks/query?a=1&token=canary%2Dold"),
    ], [Message("query", {}, path="/hooks/query" + query) for query in (
        "", "?token=", "?token=canary-ne", "?token=canary-newx", "?token=wrong", "?Token=canary-new",
        "?token=canary-new&token=canary-new", "?token=canary-new&token=x", "?token=" + "A" * 7000)]
    yield "token in path", [
        Message("path", {}, path="/hooks/path/canary-new"), Message("path", {}, path="/hooks/path/canary%2Dold/"),
    ], [Message("path", {}, path="/hooks/path" + rest) for rest in (
        "", "/", "/wrong", "/canary-ne", "/canary-newx", "/CANARY-NEW", "?token=canary-new", "/" + "A" * 7000)]
    yield "token in header", [
        Message("header", {"Authorization": "Bearer canary-new"}), Message("header", {"Authorization": "bearer canary-old"}),
    ], [Message("header", headers) for headers in (
        {}, {"Authorization": ""}, {"Authorization": "Bearer "}, {"Authorization": "canary-new"},
        {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer " + "A" * 7000}, {"X-Other": "Bearer canary-new"})]
    yield "Basic", [
        Message("basic", basic("user:canary-new")), Message("basic", basic("user:canary:old")),
    ], [Message("basic", headers) for headers in (
        {}, basic(""), basic("user"), basic("user:"), basic("user:wrong"), basic("canary-new:user"),
        {"Authorization": "Basic"}, {"Authorization": "Basic %%%"}, {"Authorization": "Basic " + "A" * 7000})]
    at = lambda client, token="canary-new": Message("address", {"Authorization": token, "X-Forwarded-For": client})
    yield "addresses and token", [at("203.0.113.9"), at("1.1.1.1, 2001:db8::7")], [
        at("203.0.114.9"), at("2001:db9::7"), at("203.0.113.9, 1.1.1.1"), at("nonsense"), at("203.0.113.9", "wrong"),
        Message("address", {"Authorization": "canary-new"})]


def main(address):
    failures = []
    refusal = None
    print(f"{'signer':24}{'accepted':>10}{'refused':>10}")

    def table(name, good, bad):
        nonlocal refusal
        for what, message in good:
            status, text = post(address, message)
            if status != 200:
                failures.append(f"{name}: {what}: {status} {text}")
        for what, message in bad:
            status, text = post(address, message)
            # Whatever is wrong, its sender hears the same.
            refusal = refusal or text
            if status != 401 or text != refusal:
                failures.append(f"{name}: {what}: {status} {text}")
        print(f"{name:24}{len(good):>10}{len(bad):>10}")

    global frozen
    for case in CASES:
        frozen = time.time()
        good = list(accepted(case))
        if case.old and case.mark:
            good.append(("right and wrong", case.sign("new", 0).with_header(
                case.header, joined(case, case.sign("strange", 0), case.sign("new", 0), case.sign("strange", 1)))))
        table(case.name, good, list(tampered(case)))
    # Vendors sign what they send: the compressed bytes.
    packed = gzip.compress(BODY.encode())
    sent = sign_github("new", 0, packed)
    coding = ("Content-Encoding", "gzip")
    plain = sign_github("new", 0)
    table("GitHub, gzip", [("signed as sent", sent.but(headers=sent.headers + [coding]))], [
        ("signed before it was packed", plain.but(headers=plain.headers + [coding], body=packed)),
        ("packed again", sent.but(headers=sent.headers + [coding], body=gzip.compress(BODY.encode(), 1, mtime=1)))])
    for name, good, bad in tokens():
        table(name, [("", message) for message in good], [(str(message.path)[:40], message) for message in bad])
    for failure in failures:
        print(failure, file=sys.stderr)
    if failures:
        sys.exit(1)
    print("What is signed is accepted; what is tampered with is 401, and all of it sounds the same.")


if __name__ == "__main__":
    keys(sys.argv[2]) if sys.argv[1] == "keys" else main(sys.argv[2])
