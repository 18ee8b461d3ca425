import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startChild } from "../support/child-gateway.ts";
import { bodyOf, getRaw } from "../support/raw-client.ts";

const start = ["--conditions=@proxy/source", fileURLToPath(new URL("../../sample/start.ts", import.meta.url))];

test("the sample proxies, balances, says what to try, and ends with Ctrl-C", async () => {
  await using sample = startChild(["0"], {}, start);
  const [port] = await sample.listening();
  const names = [await getRaw(port!, "/"), await getRaw(port!, "/")].map((answer) => bodyOf(answer).split(" ", 1)[0]);
  expect(names.toSorted()).toEqual(["first", "second"]);
  expect(bodyOf(await getRaw(port!, "/", "x", "X-Beta: yes\r\n"))).toMatch(/^second received GET \//);
  expect(bodyOf(await getRaw(port!, "/hello"))).toBe("Hello from the gateway itself.\n");
  expect(sample.stdout()).toContain(`curl http://127.0.0.1:${port}/`);
  await using late = startChild([String(port)], {}, start);
  expect((await late.ended).code).toBe(1);
  expect(late.stderr()).toContain(`Port ${port} is taken by another program`);
  sample.process.kill("SIGINT");
  expect(await sample.ended).toEqual({ code: 0, signal: null });
});
