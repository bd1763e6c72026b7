"""An expert that does what its client is after, whatever words the client's library finds for it: it calls get_weather
until it has the result, fills in what is asked for as JSON (a format, or a tool for it), says that it sees a picture,
refuses when it is asked to fail, and begins to speak and then stalls when it is asked to stall."""

import json

from scripted import speak, wants_messages

CITY = {"city": "Paris", "degrees": 21}
HELLO = "hello world, this is more than one delta of a stream"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def said_by(r, role):
    return json.dumps([m["content"] for m in r.json["messages"] if m["role"] == role])


def tools_of(r):
    return [t.get("name") or t["function"]["name"] for t in r.json.get("tools", [])]


def has_result(r):
    return any(m["role"] == "tool" for m in r.json["messages"]) or "tool_result" in said_by(r, "user")


def wants_json(r):
    chat_format = r.json.get("response_format", {}).get("type")
    messages_format = r.json.get("output_config", {}).get("format") or r.json.get("output_format")
    said = "JSON object" in json.dumps(r.json)  # DSPy asks for it in words
    return said or chat_format in ("json_schema", "json_object") or bool(messages_format)


def turn_for(r):
    asked, tools = said_by(r, "user"), tools_of(r)
    if "please fail" in asked:
        return {"status": 400}
    if "please stall" in asked:
        return {"text": HELLO, "stall": True}
    if "get_weather" in tools and not has_result(r):
        return {"calls": [{"id": "toolu_1" if wants_messages(r) else "call_1", "name": "get_weather",
                           "arguments": {"city": "Paris"}}]}
    others = [name for name in tools if name != "get_weather"]
    if others:
        return {"calls": [{"id": "toolu_2" if wants_messages(r) else "call_2", "name": others[0], "arguments": CITY}]}
    if wants_json(r):
        return {"text": json.dumps(CITY)}
    if '"image"' in asked or '"image_url"' in asked:
        return {"text": "I see a picture"}
    return {"text": "It is sunny" if has_result(r) else HELLO}


def helpful(r):
    speak(r, turn_for(r))


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"
