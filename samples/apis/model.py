"""An API that answers as OpenAI's does, with a model that judges articles by their words."""

import json
import re
from typing import Any

from fastapi import FastAPI, Header, Request
from fastapi.responses import JSONResponse

from samples.apis.faults import Fault, edited
from samples.apis.news import MOODS, TOPICS

# Keywords that OpenAI refuses, for some models, in the schema of a strict answer.
UNSUPPORTED = re.compile(r'"(minLength|maxLength|pattern|minimum|maximum|minItems|maxItems)"')
SENTIMENT = {"good": 0.8, "bad": -0.7, "neutral": 0.0}


class ModelApi:
    """The API; `app` serves it.

    Args:
        key: the key that requests must send.
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self.app = FastAPI()
        self.app.post("/chat/completions")(self._answer)

    async def _answer(self, request: Request, authorization: str = Header(default="")) -> JSONResponse:
        if authorization != f"Bearer {self._key}":
            error = {"message": f"Incorrect API key provided: {authorization}", "code": "invalid_api_key"}
            return JSONResponse({"error": error}, 401)
        asked = await request.json()
        if refused := UNSUPPORTED.search(json.dumps(asked["response_format"])):
            message = f"Invalid schema for response_format 'enrichment': {refused[0]} is not permitted."
            return JSONResponse({"error": {"message": message, "code": None}}, 400)
        told = json.loads(asked["messages"][-1]["content"])
        content = json.dumps(enrichment(told))
        read, written = len(json.dumps(asked["messages"])) // 4, len(content) // 4
        return JSONResponse(
            {
                "id": "chatcmpl-sample",
                "object": "chat.completion",
                "created": 0,
                "model": asked["model"],
                "choices": [
                    {
                        "index": 0,
                        "finish_reason": "stop",
                        "message": {"role": "assistant", "content": content, "refusal": None},
                    }
                ],
                "usage": {
                    "prompt_tokens": read,
                    "completion_tokens": written,
                    "total_tokens": read + written,
                },
            }
        )


def enrichment(told: dict[str, str]) -> dict[str, Any]:
    """The model's enrichment of an article."""
    text = " ".join(told.values())
    topic = next((topic for topic, (_, name, _) in TOPICS.items() if name in text), "other")
    mood = next((mood for mood, (_, feeling) in MOODS.items() if feeling in text), "neutral")
    names = [name for _, name, _ in TOPICS.values() if name in text]
    return {
        "sentiment": SENTIMENT[mood],
        "topic": topic,
        "summary": told["title"].strip() or "An article.",
        "entities": names,
    }


def says(content: str | None, **message: Any) -> Fault:
    """A fault that puts this content in place of the right one."""
    return edited(lambda body: body["choices"][0]["message"].update(content=content, **message))
