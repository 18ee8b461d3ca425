import { expect, test } from "vitest";
// @boundaries-ignore how every README is tried
import { withReadmeExample } from "../../../tooling/docs/readme-example.ts";

const readme = new URL("../README.md", import.meta.url);

test("the README's example runs and serves its routes", () =>
  withReadmeExample(readme, { "listen(8080": "listen(0" }, async (example) => {
    const url = `http://127.0.0.1:${/port: (\d+)/.exec(await example.output())?.[1]}`;
    expect(await (await fetch(new URL("/healthy", url))).text()).toBe("yes");
    // Nothing listens behind the other route.
    expect((await fetch(new URL("/api/x", url))).status).toBeOneOf([200, 404, 502]);
    expect((await fetch(new URL("/other", url))).status).toBe(404);
  }));
