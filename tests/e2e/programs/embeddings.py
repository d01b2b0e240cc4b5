"""Embeddings, one with the client's default encoding and one asked for as floats."""
import json

from openai import OpenAI

client = OpenAI()
one = client.embeddings.create(model="text-embedding-3-small", input="hello")
two = client.embeddings.create(
    model="text-embedding-3-large", input=["a", "b"], encoding_format="float", dimensions=4
)
print(json.dumps({
    "one": one.data[0].embedding,
    "two": [item.embedding for item in two.data],
    "usage": [one.usage.model_dump(), two.usage.model_dump()],
}))
