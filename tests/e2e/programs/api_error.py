"""A call that fails, seen as an exception; arguments: model, timeout in seconds, and "stream" or "plain"."""
import json
import sys

import openai

model, timeout, how = sys.argv[1:4]
client = openai.OpenAI(max_retries=0, timeout=float(timeout))
pieces = []
try:
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "please fail"}], stream=how == "stream"
    )
    if how == "stream":
        for chunk in answer:
            pieces.append(chunk.choices[0].delta.content if chunk.choices else None)
        outcome = {"ok": True}
    else:
        outcome = {"ok": True, "answer": answer if isinstance(answer, str) else answer.model_dump(exclude_unset=True)}
except openai.APIError as problem:
    outcome = {
        "class": type(problem).__name__,
        "message": problem.message,
        "code": problem.code,
        "type": problem.type,
        "body": problem.body,
        "status": getattr(problem, "status_code", None),
        "request_id": getattr(problem, "request_id", None),
    }
except Exception as problem:
    outcome = {"class": type(problem).__name__, "message": str(problem)}
print(json.dumps({"pieces": pieces, "outcome": outcome}))
