"""Holds an exchange against api/openapi.yaml: the status, the headers, the body, each event of a stream and their
order."""
import copy
import functools
import json
import pathlib
import re

import jsonschema
import referencing
import referencing.jsonschema
import yaml

API = pathlib.Path(__file__).resolve().parents[2] / "api"
BASE = API.as_uri() + "/"
DOCUMENTS = {file.name: yaml.safe_load(file.read_text()) for file in sorted(API.glob("*.yaml"))}
SPEC = DOCUMENTS["openapi.yaml"]
METHODS = ("get", "post", "put", "patch", "delete")


def closed(schema):
    """The same schema for what the node writes itself: no member but those described, nothing that is passed on."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-mesh-passed"):
        return False
    out = {name: closed(value) for name, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema and "type" in schema:
        out["additionalProperties"] = False
    return out


def _registry(change):
    made = referencing.Registry()
    for name, document in DOCUMENTS.items():
        resource = referencing.Resource.from_contents(change(document), referencing.jsonschema.DRAFT202012)
        made = made.with_resource(BASE + name, resource)
    return made


@functools.cache
def _registries():
    return {False: _registry(copy.deepcopy), True: _registry(closed)}


@functools.cache
def _validator(pointer, translated):
    return jsonschema.Draft202012Validator({"$ref": f"{BASE}openapi.yaml#{pointer}"},
                                           registry=_registries()[translated])


def _find(*keys):
    """(pointer, value) of a place in openapi.yaml; references on the way are followed."""
    pointer, here = "", SPEC
    for number, key in enumerate(keys):
        if "$ref" in here:
            return _find(*here["$ref"].removeprefix("#/").split("/"), *keys[number:])
        if key not in here:
            return None, None
        pointer, here = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", here[key]
    if isinstance(here, dict) and here.get("$ref", "").startswith("#/"):
        return _find(*here["$ref"].removeprefix("#/").split("/"))
    return pointer, here


def mismatches(pointer, value, translated=False):
    worst = jsonschema.exceptions.best_match(_validator(pointer, translated).iter_errors(value))
    return [f"{worst.json_path}: {worst.message[:300]}"] if worst else []


def path_of(exchange):
    """The path of the specification that was asked, or None."""
    for path, item in SPEC["paths"].items():
        owners = any("owner" in item[method]["tags"] for method in METHODS if method in item)
        if re.fullmatch(re.sub(r"\{\w+\}", ".+", path), exchange.path) and (exchange.owner or not owners):
            return path
    return None


def events_of(text):
    """(name, data) of each event of a stream, WHATWG's way; comments are left out."""
    for block in text.replace("\r\n", "\n").split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        fields = [(name, value.removeprefix(" ")) for name, _, value in (line.partition(":") for line in lines)]
        if fields:
            yield (next((value for name, value in fields if name == "event"), ""),
                   "\n".join(value for name, value in fields if name == "data"))


class Judge:
    """`speaks` says which dialect each node speaks. `seen` gathers what was met, for the test of completeness."""

    def __init__(self, speaks):
        self.speaks, self.seen = speaks, set()

    def faults(self, exchange):
        """What is wrong with an exchange, in words; nothing where all is well."""
        if exchange.status == 204 and exchange.method == "OPTIONS":
            return []
        place, found = self._place(exchange)
        if found is None:
            return [f"{exchange.method} {exchange.path} -> {exchange.status}: not in the specification"]
        out = self._headers(exchange, found)
        media = exchange.answer_headers.get("content-type", "").split(";")[0]
        if media not in found["content"]:
            return [*out, f"content type {media!r}"]
        self.seen.add((place[0], place[1], exchange.status, media))
        pointer, _ = _find(*place[2], "content", media, "schema")
        if media == "text/event-stream":
            out += self._stream(exchange, pointer)
        elif media == "application/json" and exchange.method != "HEAD":
            out += self._whole(exchange, pointer)
        if exchange.status == 200:
            out += self._request(exchange)
        return out

    def _place(self, exchange):
        """((path, method, keys of the response), the response). Unknown paths and methods have their own answers."""
        path = path_of(exchange)
        anthropic = exchange.path.startswith("/v1/messages")
        if b'"invalid_http"' in exchange.answer:
            keys = ("components", "responses", "NotHttp")
            return ("", "", keys), _find(*keys)[1]
        method = {"head": "get"}.get(exchange.method.lower(), exchange.method.lower())
        item = SPEC["paths"].get(path, {})
        asked = next((one for one in METHODS if one in item), "")
        fits = method in item
        if path is None:
            named = {401: "Unauthorized", 403: "Problem", 404: "Problem"}.get(exchange.status, "None")
            keys = ("components", "responses", ("Anthropic" if anthropic else "OpenAI") + named)
        elif not fits and exchange.status not in (401, 403, 405):
            return ("", "", ()), None
        else:
            keys = ("paths", path, method if fits else asked, "responses", str(exchange.status))
        return (path or "", method if fits else asked, keys), _find(*keys)[1]

    def _headers(self, exchange, found):
        out = []
        for name in found.get("headers", {}):
            value = exchange.answer_headers.get(name.lower())
            _, header = _find(*found["headers"][name]["$ref"].removeprefix("#/").split("/")) \
                if "$ref" in found["headers"][name] else ("", found["headers"][name])
            if value is None and header.get("required"):
                out.append(f"the header {name} is missing")
            if value is not None and not re.fullmatch(header["schema"].get("pattern", ".*"), value):
                out.append(f"the header {name} is {value!r}")
        known = {name.lower() for name in found.get("headers", {})}
        return out + [f"the header {name} is not in the specification" for name in exchange.answer_headers
                      if name.startswith("x-mesh-") and name not in known]

    def _translated(self, exchange, story):
        """Whether none of those whose words the caller has speaks its dialect: then all of it is ours."""
        story = story or {}
        nodes = [story.get("node") or exchange.answer_headers.get("x-mesh-route", "").split("/")[0]]
        nodes += [one["node"] for one in story.get("failed", []) if one["streamed"]]
        door = "anthropic" if exchange.path.startswith("/v1/messages") else "openai"
        return all(self.speaks.get(node, door) != door for node in nodes)

    def _whole(self, exchange, pointer):
        if not exchange.whole:
            return []
        try:
            body = json.loads(exchange.answer)
        except ValueError as wrong:
            return [f"no JSON: {wrong}"]
        story = body.get("mesh") if isinstance(body, dict) else None
        out = mismatches(pointer, body, self._translated(exchange, story))
        told = (story or {}).get("request_id") or body.get("request_id")
        if told not in (None, exchange.answer_headers.get("x-mesh-request-id")):
            out.append("the request's id differs between header and body")
        return out

    def _stream(self, exchange, pointer):
        events = list(events_of(exchange.answer.decode()))
        cut = not exchange.whole
        if cut and exchange.left == "caller" and events:
            events.pop()  # the last one may be half of itself
        try:
            parsed = [(name, data if data == "[DONE]" else json.loads(data)) for name, data in events]
        except ValueError as wrong:
            return [f"an event is no JSON: {wrong}"]
        story = next((data["mesh"] for _, data in reversed(parsed) if "mesh" in data and data != "[DONE]"), None)
        translated, out = self._translated(exchange, story), []
        for name, data in parsed:
            if data == "[DONE]":
                continue
            kind = data.get("type") or ("error" if "error" in data else "chunk")
            self.seen.add((exchange.path, kind, 200, "event"))
            out += mismatches(pointer, data, translated)
            if exchange.path == "/v1/messages" and name != kind:
                out.append(f"an event of type {kind} is named {name!r}")
        order = anthropic_order if exchange.path == "/v1/messages" else openai_order
        if not cut or exchange.left == "node":
            out += order([data for _, data in parsed], json.loads(exchange.body))
        return out

    def _request(self, exchange):
        path = path_of(exchange)
        pointer, _ = _find("paths", path, exchange.method.lower(), "requestBody", "content", "application/json",
                           "schema")
        if pointer is None:
            return []
        return [f"the request was taken, and the specification says: {one}"
                for one in mismatches(pointer, json.loads(exchange.body))]


def openai_order(events, asked):
    """The order of a stream that ended: [DONE] comes last, right before it the story, or an error ends it. Each choice
    has its role once and one finish reason, after which it says nothing."""
    if not events:
        return ["a stream without an event"]
    chunks = [one for one in events if one != "[DONE]"]
    out = []
    if "error" in chunks[-1]:
        if "[DONE]" in events:
            out.append("[DONE] after an error")
    elif events.count("[DONE]") != 1 or events[-1] != "[DONE]":
        out.append("the stream does not end with one [DONE]")
    if [one for one in chunks if "mesh" in one] != chunks[-1:]:
        out.append("mesh stands not in the last event, or not only there")
    if len({one["id"] for one in chunks if "id" in one}) > 1:
        out.append("the answer's id changes on the way")
    wanted = bool((asked.get("stream_options") or {}).get("include_usage"))
    if any(("usage" in one) != wanted for one in chunks if "error" not in one):
        out.append("usage stands where it was not asked for, or not where it was")
    if wanted and any(one["usage"] for one in chunks[:-1]):
        out.append("usage comes before the last chunk")
    choices = {}
    for one in (choice for chunk in chunks for choice in chunk.get("choices", [])):
        choices.setdefault(one["index"], []).append(one)
    return out + [fault for one in choices.values() for fault in _choice_order(one, "error" in chunks[-1])]


def _choice_order(steps, failed):
    roles = [number for number, one in enumerate(steps) if one.get("delta", {}).get("role")]
    ends = [number for number, one in enumerate(steps) if one.get("finish_reason")]
    if "delta" in steps[0] and roles != [0]:
        yield f"the role of a choice stands in its steps {roles}"
    if len(ends) > 1 or (not ends and not failed):
        yield f"a choice has {len(ends)} finish reasons"
    said = [number for number, one in enumerate(steps)
            if one.get("text") or any(value for name, value in one.get("delta", {}).items() if name != "role")]
    if ends and said and said[-1] > ends[0]:
        yield "a choice says something after its end"


def anthropic_order(events, _asked):
    """The order of a stream that ended: message_start, blocks one after the other, message_delta, message_stop."""
    kinds = [one["type"] for one in events]
    failed = kinds[-1:] == ["error"]
    out, following, opened = [], 0, None
    if kinds[:1] not in (["message_start"], ["error"]) or kinds.count("message_start") > 1:
        out.append("the stream does not begin with its one message_start")
    if not failed and kinds[-2:] != ["message_delta", "message_stop"]:
        out.append("the stream does not end with message_delta and message_stop")
    if [one["type"] for one in events if "mesh" in one] != (["error"] if failed else ["message_delta"]):
        out.append("mesh stands not in the last message_delta, or not only there")
    for one in events:
        if one["type"] == "content_block_start":
            if opened is not None or one["index"] != following:
                out.append("a block begins before the last one ended, or out of its turn")
            opened, following = one["index"], following + 1
        elif one["type"].startswith("content_block_"):
            if one["index"] != opened:
                out.append(f"{one['type']} of a block that is not open")
            if one["type"] == "content_block_stop":
                opened = None
    if opened is not None and not failed:
        out.append("a block is left open")
    return out
