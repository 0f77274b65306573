"""A model's API as OpenAI has it, which judges articles by their words."""

import json
import re
from typing import Any

from fastapi import FastAPI, Header, Request, Response

from samples.apis.faults import Fault, edited
from samples.apis.news import MOODS, TOPICS

# Keywords of a schema that a strict answer may not have.
UNSUPPORTED = re.compile(r'"(minLength|maxLength|pattern|minimum|maximum|minItems|maxItems)"')
SENTIMENT = {"good": 0.8, "bad": -0.7, "neutral": 0.0}


class ModelApi:
    """The API, which `app` is.

    Args:
        key: who sends it may ask.
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self.app = FastAPI()
        self.app.post("/chat/completions")(self._answer)

    async def _answer(self, request: Request, authorization: str = Header(default="")) -> Response:
        if authorization != f"Bearer {self._key}":
            error = {"message": f"Incorrect API key provided: {authorization}", "code": "invalid_api_key"}
            return _json({"error": error}, 401)
        asked = await request.json()
        if refused := UNSUPPORTED.search(json.dumps(asked["response_format"])):
            message = f"Invalid schema for response_format 'judgement': {refused[0]} is not permitted."
            return _json({"error": {"message": message, "code": None}}, 400)
        told = json.loads(asked["messages"][-1]["content"])
        content = json.dumps(judgement(told))
        read, written = len(json.dumps(asked["messages"])) // 4, len(content) // 4
        return _json(
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


def judgement(told: dict[str, str]) -> dict[str, Any]:
    """What the model says of an article."""
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
    """An answer with this content in place of the right one."""
    return edited(lambda body: body["choices"][0]["message"].update(content=content, **message))


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status, media_type="application/json")
