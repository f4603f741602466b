"""Credentials of clouds: what the gateway signs is verified by the clouds' own
libraries, google-auth and botocore."""

import json
import re
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import google.auth.jwt
import openai
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

import answers
from gateway import Gateway
from mock import Provider

HELLO = [{"role": "user", "content": "Say hello"}]
ROLE = "arn:aws:iam::123456789012:role/gateway"

STS = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleResult><Credentials>
<AccessKeyId>ASIAROLE</AccessKeyId>
<SecretAccessKey>role/secret</SecretAccessKey>
<SessionToken>role+session==</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>""".encode()


@pytest.fixture
def cloud():
    """Where tokens come from."""
    provider = Provider("cloud")
    yield provider
    provider.close()


@pytest.fixture
def model():
    provider = Provider("openai")
    provider.answer(answers.one_shot("openai", answers.TEXT))
    yield provider
    provider.close()


def chat(client, name, **options):
    return client.chat.completions.create(
        model=name, messages=HELLO, max_tokens=50, **options
    )


def call(auth, model, name="m", provider="format openai;", use=chat):
    """One call through a gateway whose provider has these words of auth."""
    gateway = Gateway(
        f"""
    llm_provider model {{
        {provider}
        url http://127.0.0.1:{model.port};
        auth {auth};
    }}
""",
        "location / { llm_pass model; llm_pass_through on; }",
    )
    try:
        client = openai.OpenAI(
            base_url=f"http://127.0.0.1:{gateway.port}/v1",
            api_key="client-key",
            max_retries=0,
        )
        use(client, name)
    finally:
        unwanted = gateway.stop()
    assert not unwanted


def check_signature(request, port, keys, service):
    """Signs the request that came once more, as the SDK does it."""
    authorization = request.headers["authorization"]
    scope, signed, signature = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=\S+?/(\S+), ?SignedHeaders=(\S+),"
        r" ?Signature=(\w+)",
        authorization,
    ).groups()
    date = request.headers["x-amz-date"]
    assert scope == f"{date[:8]}/eu-west-1/{service}/aws4_request"

    names = signed.split(";")
    assert "host" in names and "x-amz-date" in names
    assert ("x-amz-security-token" in names) == bool(keys.token)
    again = botocore.awsrequest.AWSRequest(
        method=request.method,
        url=f"http://127.0.0.1:{port}{request.path}",
        data=request.body,
        headers={name: request.headers[name] for name in names},
    )
    again.context["timestamp"] = date
    auth = botocore.auth.SigV4Auth(keys, service, "eu-west-1")
    canonical = auth.canonical_request(again)
    to_sign = auth.string_to_sign(again, canonical)
    assert auth.signature(to_sign, again) == signature


def test_google_verifies_the_assertion(cloud, model, tmp_path):
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM,
        serialization.PublicFormat.SubjectPublicKeyInfo,
    )
    file = tmp_path / "key.json"
    file.write_text(
        json.dumps(
            {
                "type": "service_account",
                "private_key_id": "key-1",
                "private_key": pem.decode(),
                "client_email": "gateway@p.iam.gserviceaccount.com",
                "token_uri": "https://oauth2.googleapis.com/token",
            }
        )
    )
    cloud.answer({"access_token": "ya29.token", "expires_in": 3599,
                  "token_type": "Bearer"})
    call(f"google file={file} token_url=http://127.0.0.1:{cloud.port}/token",
         model)

    assert model.request.headers["authorization"] == "Bearer ya29.token"
    form = urllib.parse.parse_qs(cloud.request.body.decode())
    assert form["grant_type"] == [
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    ]
    claims = google.auth.jwt.decode(
        form["assertion"][0],
        certs={"key-1": public},
        audience="https://oauth2.googleapis.com/token",
    )
    assert claims["iss"] == "gateway@p.iam.gserviceaccount.com"
    assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"


@pytest.mark.parametrize("token", ["", "session+token=="])
def test_aws_verifies_the_signature(model, token):
    keys = botocore.credentials.Credentials("AKID", "secret/key+1", token)
    words = f" session_token={token}" if token else ""
    call("aws region=eu-west-1 access_key=AKID secret_key=secret/key+1"
         + words, model)
    check_signature(model.request, model.port, keys, "bedrock")


def test_aws_verifies_the_signature_of_a_path_with_escapes(model):
    """Which are escaped once more for the signature; and of a query."""
    call("aws region=eu-west-1 access_key=AKID secret_key=secret", model,
         "us.anthropic.claude-v1:0",
         "format openai; hosting azure; api_version 2024-10-21;")
    assert "-v1%3A0/" in model.request.path
    assert "?api-version=2024-10-21" in model.request.path
    check_signature(
        model.request, model.port,
        botocore.credentials.Credentials("AKID", "secret"), "bedrock",
    )


KEYS = botocore.credentials.Credentials("AKID", "secret/key+1", "token==")
AWS = (
    "aws region=eu-west-1 access_key=AKID secret_key=secret/key+1"
    " session_token=token=="
)
TITAN = {"embedding": [1, 2], "inputTextTokenCount": 3}
CONVERSE = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 9, "outputTokens": 4, "totalTokens": 13},
    "metrics": {"latencyMs": 7},
}


def stream(client, name):
    # The answer may come whole all the same.
    assert list(chat(client, name, stream=True))


def embed(client, name):
    assert client.embeddings.create(model=name, input="x").data


def upload(client, name):
    del name
    client.files.create(file=("a.bin", bytes(range(256)) * 30),
                        purpose="batch")


@pytest.mark.parametrize(
    ("provider", "answer", "use", "end"),
    [
        ("format bedrock;", CONVERSE, chat, "/converse"),
        ("format bedrock;", CONVERSE, stream, "/converse-stream"),
        ("format bedrock;", TITAN, embed, "/invoke"),
        ("preset bedrock-anthropic;",
         answers.one_shot("anthropic", answers.TEXT), chat, "/invoke"),
        ("preset bedrock-anthropic;",
         answers.one_shot("anthropic", answers.TEXT), stream,
         "/invoke-with-response-stream"),
        ("format openai;", {"id": "f", "object": "file"}, upload, "/files"),
    ],
)
def test_aws_verifies_the_signature_of_each_api(
    model, provider, answer, use, end
):
    model.answer(answer)
    call(AWS, model, "amazon.titan-embed-text-v2:0", provider, use)
    assert model.request.path.endswith(end)
    check_signature(model.request, model.port, KEYS, "bedrock")


def test_sts_verifies_the_signature_for_a_role(cloud, model):
    cloud.answer(STS)
    call("aws region=eu-west-1 access_key=AKID secret_key=secret"
         f" role={ROLE} sts_url=http://127.0.0.1:{cloud.port}", model)
    check_signature(
        cloud.request, cloud.port,
        botocore.credentials.Credentials("AKID", "secret"), "sts",
    )
    form = urllib.parse.parse_qs(cloud.request.body.decode())
    assert form["RoleArn"] == [ROLE]
    check_signature(
        model.request, model.port,
        botocore.credentials.Credentials("ASIAROLE", "role/secret",
                                         "role+session=="),
        "bedrock",
    )


def test_a_token_endpoint_that_fails_is_a_server_error(cloud, model):
    cloud.answer({"error": "invalid_grant"})
    with pytest.raises(openai.InternalServerError) as caught:
        call(f"google metadata_url=http://127.0.0.1:{cloud.port}", model)
    assert caught.value.status_code == 502
    assert "answered 200 (invalid_grant)" in str(caught.value)
    assert model.requests == []
