import { expect, test } from "vitest";
// @boundaries-ignore how every README is tried
import { withReadmeExample } from "../../../tooling/docs/readme-example.ts";

const readme = new URL("../README.md", import.meta.url);

test("the README's example runs and answers a preflight", () =>
  withReadmeExample(readme, { "port: 8080": "port: 0" }, async (example) => {
    const url = /http:\S+/.exec(await example.output())?.[0] ?? "";
    const headers = { Origin: "https://app.example", "Access-Control-Request-Method": "PUT" };
    const answer = await fetch(new URL("/api/x", url), { method: "OPTIONS", headers });
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-credentials")).toBe("true");
  }));
