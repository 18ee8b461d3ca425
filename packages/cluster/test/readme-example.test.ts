import { expect, test } from "vitest";
// @boundaries-ignore how every README is tried
import { withReadmeExample } from "../../../tooling/docs/readme-example.ts";

const readme = new URL("../README.md", import.meta.url);

test("the README's example runs and balances", () =>
  withReadmeExample(readme, { "port: 8080": "port: 0" }, async (example) => {
    const url = /http:\S+/.exec(await example.output())?.[0] ?? "";
    const answers = [await (await fetch(url)).text(), await (await fetch(url)).text()];
    expect(answers).toEqual(["it is http://10.0.0.1\n", "it is http://10.0.0.2\n"]);
  }));
