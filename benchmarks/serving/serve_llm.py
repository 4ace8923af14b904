"""`ray.serve.llm`'s OpenAI application on a Ray of its own, as its documentation starts it. One argument: JSON."""

# Ray types its builders only in part.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import json
import sys
import threading
from typing import Any

import ray
from ray import serve
from ray.serve.llm import LLMConfig, build_openai_app


def main() -> None:
    told: dict[str, Any] = json.loads(sys.argv[1])
    ray.init(num_cpus=8, include_dashboard=False)
    serve.start(http_options={"host": "127.0.0.1", "port": told["port"]})
    config = LLMConfig(
        model_loading_config={"model_id": told["model"], "model_source": told["folder"]},
        engine_kwargs=told["engine"],
        deployment_config={"num_replicas": 1, "max_ongoing_requests": 256},
        placement_group_config={"bundles": [{"CPU": 1}]},
    )
    serve.run(build_openai_app({"llm_configs": [config]}), name="llm", route_prefix="/")
    threading.Event().wait()


if __name__ == "__main__":
    main()
