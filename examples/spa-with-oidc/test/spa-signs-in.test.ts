import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startExample, type Example } from "./example.ts";

let example: Example;
beforeAll(async () => {
  example = await startExample();
});
afterAll(() => example[Symbol.asyncDispose]());

const asPerson = { Accept: "text/html" };

it("serves the application to everybody, for its own paths too", async () => {
  for (const path of ["/", "/orders/7"]) {
    // `fetch` says of itself that it is a script.
    const [page] = (await once(get(example.site + path, { headers: asPerson }), "response")) as [IncomingMessage];
    expect([page.statusCode, (await text(page)).includes("<h1>Orders</h1>")]).toEqual([200, true]);
  }
  expect((await fetch(`${example.site}/app.js`)).headers.get("content-type")).toContain("javascript");
});

it("has scripts know that nobody is signed in, and sends persons to the provider", async () => {
  const answer = await fetch(`${example.site}/api/me`);
  expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, 'Cookie realm="login"']);
  const page = await fetch(`${example.site}/login?returnUrl=/orders/7`, { headers: asPerson, redirect: "manual" });
  expect([page.status, new URL(page.headers.get("location") ?? "").searchParams.get("code_challenge_method")]).toEqual([302, "S256"]);
  expect(page.headers.getSetCookie()).toEqual([expect.stringMatching(/^__Host-signin\.[\w-]{16}=[\w-]+; Path=\/; Max-Age=900; Secure; HttpOnly; SameSite=Lax$/)]);
});

it("does not believe what clients say of themselves", async () => {
  const answer = await fetch(`${example.site}/api/me`, { headers: { "X-User": "root", Cookie: "__Host-session=AAAA" } });
  expect(answer.status).toBe(401);
});
