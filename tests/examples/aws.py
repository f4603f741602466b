"""The signature of AWS' requests (SigV4), made anew of what came:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html"""

import hashlib
import hmac
import re
import urllib.parse


def _sha256(data):
    return hashlib.sha256(data).hexdigest()


def _hmac(key, text):
    return hmac.digest(key, text.encode(), "sha256")


def check(asked, region, keys):
    """That a request to Bedrock was signed with these keys of a session."""
    credential, signed, signature = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=(\S+), ?SignedHeaders=(\S+),"
        r" ?Signature=(\w+)",
        asked.headers["authorization"],
    ).groups()
    time = asked.headers["x-amz-date"]
    scope = f"{time[:8]}/{region}/bedrock/aws4_request"
    assert credential == f"{keys['AccessKeyId']}/{scope}"
    assert asked.headers["x-amz-security-token"] == keys["Token"]
    names = signed.split(";")
    assert {"host", "x-amz-date", "x-amz-security-token"} <= set(names)

    path, _, query = asked.path.partition("?")
    assert not query
    canonical = "\n".join([
        asked.method,
        # Of what is escaped already the signature is of the escapes.
        urllib.parse.quote(path, safe="/-_.~"),
        "",
        *(f"{name}:{asked.headers[name].strip()}" for name in names),
        "",
        signed,
        _sha256(asked.body),
    ])
    to_sign = "\n".join(
        ["AWS4-HMAC-SHA256", time, scope, _sha256(canonical.encode())]
    )
    key = ("AWS4" + keys["SecretAccessKey"]).encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    assert signature == _hmac(key, to_sign).hex()
