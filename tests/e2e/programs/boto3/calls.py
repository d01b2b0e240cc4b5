"""Bedrock Runtime by boto3: Converse and InvokeModel, whole and streamed, with tools, refused, broken off; embeddings."""
import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

MODEL = "anthropic.claude-3-5-haiku-20241022-v1:0"
TOOLS = {"tools": [{"toolSpec": {
    "name": "get_weather", "description": "The weather in a city",
    "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}}]}
client = boto3.client("bedrock-runtime", region_name="us-east-1", config=Config(retries={"total_max_attempts": 1}))
seen = {}


def ask(text):
    return [{"role": "user", "content": [{"text": text}]}]


def plain(answer):
    """What was answered, and the part of the metadata that is not about time."""
    about = answer.pop("ResponseMetadata")
    return {**answer, "status": about["HTTPStatusCode"], "headers": about["HTTPHeaders"]}


def claude(text):
    return json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 64, "temperature": 0.5,
                       "messages": [{"role": "user", "content": text}]})


seen["unary"] = plain(client.converse(
    modelId=MODEL, messages=ask("Say this is a test – ünïcödé 🦀"), system=[{"text": "Answer briefly."}],
    inferenceConfig={"temperature": 0.5, "topP": 0.75, "maxTokens": 64, "stopSequences": ["END"]},
))
seen["stream"] = list(client.converse_stream(modelId=MODEL, messages=ask("In pieces"))["stream"])
seen["thinking"] = list(client.converse_stream(
    modelId=MODEL, messages=ask("Think first"),
    additionalModelRequestFields={"thinking": {"type": "enabled", "budget_tokens": 1024}})["stream"])

messages = ask("How is the weather in Paris?")
first = client.converse(modelId=MODEL, messages=messages, toolConfig=TOOLS)
message = first["output"]["message"]
call = message["content"][-1]["toolUse"]
messages += [message, {"role": "user", "content": [{"toolResult": {
    "toolUseId": call["toolUseId"], "content": [{"text": "18 degrees and sunny"}]}}]}]
second = client.converse(modelId=MODEL, messages=messages, toolConfig=TOOLS)
seen["tools"] = {"call": call, "answer": second["output"]["message"]["content"][0]["text"]}
seen["streamed tools"] = list(client.converse_stream(modelId=MODEL, messages=messages[:1], toolConfig=TOOLS)["stream"])

try:
    client.converse(modelId="amazon.nova-busy-v1:0", messages=ask("Please fail"))
except ClientError as problem:
    seen["error"] = [problem.response["ResponseMetadata"]["HTTPStatusCode"], problem.response["Error"]]

pieces = []
try:
    for event in client.converse_stream(modelId=MODEL, messages=ask("Break off"))["stream"]:
        pieces += event
except Exception as problem:
    pieces.append(f"{type(problem).__name__}: {problem}")
seen["broken stream"] = pieces

answer = client.invoke_model(modelId=MODEL, body=claude("By its own body"))
seen["invoke"] = [answer["contentType"], json.loads(answer["body"].read())]
answer = client.invoke_model_with_response_stream(modelId=MODEL, body=claude("In pieces"))
seen["invoke stream"] = [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]
answer = client.invoke_model(modelId="amazon.titan-embed-text-v2:0", body=json.dumps({"inputText": "one", "dimensions": 256}))
seen["embeddings"] = json.loads(answer["body"].read())
print(json.dumps(seen))
