"""Runs under a Python that has Home Assistant: has its MQTT integration take a device, and prints what it would show.

Standard input: a JSON object with `topic`, `announced` (the discovery message) and `messages` (payloads by topic).
Output: by component, what each message to its topic becomes. What is refused ends this with Home Assistant's sentence.

The steps are those of its discovery.py: abbreviations, the schema of a device, what is shared, then the schema of
each platform and its template. Home Assistant is not started: there is no broker, and nothing is drawn on a screen.
"""

import asyncio
import importlib
import json
import sys
import tempfile
from typing import Any

BASE = "homeassistant.components.mqtt"


async def main() -> None:
    """Read, check, print."""
    asked = json.load(sys.stdin)
    # Templates ask for the house that they are in.
    house = importlib.import_module("homeassistant.core").HomeAssistant(tempfile.gettempdir())
    discovery, models = (importlib.import_module(f"{BASE}.{name}") for name in ("discovery", "models"))
    within = asked["topic"].removeprefix("homeassistant/")
    if not discovery.TOPIC_MATCHER.fullmatch(within) or not within.startswith("device/"):
        sys.exit(f"nobody looks at {asked['topic']}")
    payload = discovery.MQTTDiscoveryPayload(json.loads(asked["announced"]))
    discovery._replace_all_abbreviations(payload)
    discovery.DEVICE_DISCOVERY_SCHEMA(payload)
    shown = {}
    for name, told in payload["components"].items():
        platform = importlib.import_module(f"{BASE}.{told.pop('platform')}")
        component = discovery.MQTTDiscoveryPayload(told)
        component["device"], component["origin"] = payload["device"], payload["origin"]
        discovery._merge_common_device_options(component, payload)
        config = platform.DISCOVERY_SCHEMA(component)
        lost = sorted(set(component) - set(config))
        if lost:
            sys.exit(f"{name}: Home Assistant drops {lost}")
        read = models.MqttValueTemplate(config["value_template"]).async_render_with_possible_json_value
        messages = asked["messages"].get(config["state_topic"], [])
        shown[f"{platform.__name__.rpartition('.')[2]} {name}"] = [_word(config, read(each)) for each in messages]
    json.dump(shown, sys.stdout)
    await house.async_stop(force=True)


def _word(config: dict[str, Any], text: str) -> str:
    """What stands there: on and off where the component knows two words."""
    return {config.get("payload_on"): "on", config.get("payload_off"): "off"}.get(text, text)


if __name__ == "__main__":
    asyncio.run(main())
