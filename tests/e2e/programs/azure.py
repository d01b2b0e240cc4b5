"""The Azure client, pointed at its endpoint by the environment."""
import json

from openai import AzureOpenAI

client = AzureOpenAI(api_version="2024-10-21")
completion = client.chat.completions.create(
    model="my-deployment", messages=[{"role": "user", "content": "hello azure"}]
)
print(json.dumps({"content": completion.choices[0].message.content, "model": completion.model}))
