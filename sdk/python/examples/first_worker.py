"""A worker for tasks of the type greet. Run it beside a server: python first_worker.py"""

from arkitect import Context, JsonObject, Worker

worker = Worker("first-worker", slots=4)


@worker.handler("greet")
async def greet(context: Context, parameters: JsonObject) -> JsonObject:
    context.log("info", "greeting", {"name": parameters["name"]})
    return {"greeting": f"Hello, {parameters['name']}"}


if __name__ == "__main__":
    worker.main()
