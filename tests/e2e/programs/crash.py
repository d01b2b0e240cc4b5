"""An exception that nobody catches: a traceback and exit status 1."""
from openai import OpenAI

print("before")
OpenAI(max_retries=0).chat.completions.create(model="no-such-model", messages=[{"role": "user", "content": "x"}])
