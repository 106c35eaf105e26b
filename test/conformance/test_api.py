"""The rules of the front door, spoken by hand: what no client library would send."""
import json
import time

import harness

BODY = json.dumps({"model": "gpt-fake", "messages": [{"role": "user", "content": f"hello {harness.CANARY}"}]}).encode()


def exchange(node, raw):
    """Sends bytes, and returns status, headers and body of the first answer."""
    with node.connect() as link:
        link.sendall(raw)
        got = b""
        while b"\r\n\r\n" not in got:
            piece = link.recv(65536)
            if not piece:
                return 0, {}, b""
            got += piece
        head, _, body = got.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
        while len(body) < int(headers.get("content-length", 0)):
            piece = link.recv(65536)
            if not piece:
                break
            body += piece
        return int(lines[0].split()[1]), headers, body


def post(node, path="/v1/chat/completions", body=BODY, **headers):
    given = {"Host": f"127.0.0.1:{node.port}", "Authorization": f"Bearer {harness.KEY}",
             "Content-Type": "application/json", "Content-Length": str(len(body)),
             **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
    return exchange(node, head.encode() + b"\r\n" + body)


def test_an_answer_says_who_gave_it(node):
    status, headers, body = post(node)
    assert status == 200
    assert headers["x-mesh-route"].startswith("openai/gpt-fake; tier=cloud; attempts=1")
    assert headers["x-mesh-request-id"] == json.loads(body)["mesh"]["request_id"]


def test_mesh_never_goes_upstream_and_the_providers_key_does(node):
    post(node, body=json.dumps({**json.loads(BODY), "mesh": {"reach": "cloud"}, "verbosity": "low"}).encode())
    [seen] = node.fakes["openai"].requests()
    assert "mesh" not in json.loads(seen["body"])
    assert json.loads(seen["body"])["verbosity"] == "low"
    assert seen["headers"]["authorization"] == f"Bearer {harness.PROVIDER_KEY}"
    assert harness.KEY not in json.dumps(seen)


def test_pages_of_others_are_refused(node):
    for headers in [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"},
                    {"Sec_Fetch_Site": "same-site"}, {"Origin": "null"}]:
        status, _, body = post(node, **headers)
        assert status == 403, headers
        assert json.loads(body)["error"]["hint"]
    assert node.fakes["openai"].requests() == []


def test_without_a_key_only_healthz_answers(node):
    def get(path, key=""):
        return exchange(node, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{key}\r\n".encode())[0]

    assert get("/healthz") == 200
    for path in ["/readyz", "/metrics", "/v1/models", "/", "/v1/nothing"]:
        assert get(path) == 401, path
        assert get(path, f"x-api-key: {harness.KEY}\r\n") in (200, 404), path
    for path in ["/mesh/status", "/mesh/reload"]:
        assert get(path, f"x-api-key: {harness.KEY}\r\n") == 404, path


def test_reach_is_never_weakened(node):
    body = json.loads(BODY)
    for refused in [post(node, x_mesh_reach="device"),
                    post(node, body=json.dumps({**body, "mesh": {"reach": "site"}}).encode()),
                    post(node, Authorization=f"Bearer {harness.NEAR_KEY}"),
                    post(node, Authorization=f"Bearer {harness.NEAR_KEY}", x_mesh_reach="cloud")]:
        assert refused[0] in (403, 404, 503), refused
        assert json.loads(refused[2])["error"]["message"]
    assert node.fakes["openai"].requests() == []


def test_unknown_mesh_headers_are_named(node):
    status, _, body = post(node, x_mesh_private="true")
    assert status == 400
    assert "x-mesh-private" in json.loads(body)["error"]["param"]


def test_framing_that_two_readers_could_read_differently_is_refused(node):
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nx-api-key: {harness.KEY}\r\n"
    two = f"{head}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}"
    both = f"{head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    folded = f"{head}X-A: b\r\n c\r\nContent-Length: 2\r\n\r\n{{}}"
    gzip = f"{head}Transfer-Encoding: gzip\r\n\r\n"
    bare = head.replace("\r\n", "\n") + "Content-Length: 2\n\n{}"
    no_host = "GET /healthz HTTP/1.1\r\n\r\n"
    two_hosts = "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
    for raw in [two, both, folded, gzip, bare, no_host, two_hosts]:
        assert exchange(node, raw.encode())[0] in (0, 400, 501), raw


def test_too_large_a_body_is_refused_before_it_is_read(node):
    status, _, body = exchange(node, (f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
                                      f"x-api-key: {harness.KEY}\r\nContent-Length: 2000000\r\n\r\n").encode())
    assert status == 413
    assert "max_body" in json.loads(body)["error"]["hint"]


def test_a_caller_that_goes_away_cancels_the_provider(node):
    prompt = "fake:" + json.dumps({"text": "w " * 200, "gap_ms": 20})
    body = json.dumps({"model": "gpt-fake", "stream": True, "messages": [{"role": "user", "content": prompt}]}).encode()
    with node.connect() as link:
        link.sendall((f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nx-api-key: {harness.KEY}\r\n"
                      f"Content-Length: {len(body)}\r\n\r\n").encode() + body)
        assert link.recv(1000)
    until = time.monotonic() + 3
    while node.fakes["openai"].broken_off() == 0 and time.monotonic() < until:
        time.sleep(0.02)
    assert node.fakes["openai"].broken_off() == 1


def test_bad_json_says_so(node):
    for body in [b"{", b"[]", b"{\"model\":1}", b"{\"messages\":[]}", b"\xff", b"[" * 100000]:
        status, _, answer = post(node, body=body)
        assert status == 400, body[:20]
        assert json.loads(answer)["error"]["hint"] is not None
    status, _, answer = post(node, "/v1/messages", b"{}")
    assert status == 400
    assert json.loads(answer)["type"] == "error"


def test_paths_and_methods(node):
    status, _, body = post(node, "/v1/images/generations")
    assert status == 404
    assert json.loads(body)["error"]["code"] == "unknown_path"
    get = f"GET /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nx-api-key: {harness.KEY}\r\n\r\n"
    assert exchange(node, get.encode())[0] == 405


def test_a_bad_reload_names_the_key_and_changes_nothing(node):
    before = node.config.read_text()
    node.config.write_text(before.replace('tier = "cloud"', 'tier = "clout"', 1))
    refused = node.run("reload")
    node.config.write_text(before)
    assert refused.returncode == 4
    assert "tier" in refused.stderr
    assert post(node)[0] == 200
    assert node.run("reload").returncode == 0
    assert post(node)[0] == 200


def test_nothing_of_it_stands_in_the_log(node):
    canary = "canary-9f3b"
    post(node, body=json.dumps({"model": "gpt-fake", "messages": [{"role": "user", "content": canary}]}).encode())
    post(node, body=b"{\"" + canary.encode())
    log = node.log.read_text()
    for secret in [canary, harness.KEY, harness.PROVIDER_KEY]:
        assert secret not in log
