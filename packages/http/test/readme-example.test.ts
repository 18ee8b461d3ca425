import { expect, test } from "vitest";
// @boundaries-ignore how every README is tried
import { withReadmeExample } from "../../../tooling/docs/readme-example.ts";
import { RawClient } from "./contract/raw-client.ts";

const readme = new URL("../README.md", import.meta.url);

test("the README's example runs and echoes", () =>
  withReadmeExample(readme, { "port: 8080": "port: 0" }, async (example) => {
    const client = await RawClient.open(Number(/127\.0\.0\.1:(\d+)/.exec(await example.output())?.[1]));
    client.write("POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello");
    expect((await client.readResponse("POST")).body.toString()).toBe("POST /echo\nhello");
    client.destroy();
  }));
