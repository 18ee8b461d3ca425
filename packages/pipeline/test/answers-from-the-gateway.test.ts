import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ConfigError, type RedirectAction, type RespondAction } from "@proxy/config";
import { insertAfter, insertBefore } from "@proxy/pipeline";
import { testProxy, type TestProxy } from "./support/proxies.ts";

const folder = mkdtempSync(join(tmpdir(), "answers-"));
afterAll(() => rmSync(folder, { recursive: true }));

const responding = (respond: RespondAction): Promise<TestProxy> =>
  testProxy({ routes: { r: { match: { path: "/{**rest}" }, respond } } });
const redirecting = (redirect: RedirectAction, path = "/{**rest}"): Promise<TestProxy> =>
  testProxy({ routes: { r: { match: { path }, redirect } } });

describe("a route that responds", () => {
  it("sends status, headers and body", async () => {
    const { send } = await responding({ statusCode: 203, headers: { "X-A": "1" }, body: "grüß" });
    const { response } = await send();
    expect([response.status, response.text]).toEqual([203, "grüß"]);
    expect([...(response.head?.headers ?? [])]).toEqual([
      ["X-A", "1"],
      ["Content-Type", "text/plain; charset=utf-8"],
    ]);
  });

  it("answers 200 without a body by default, and keeps a content type that is set", async () => {
    expect((await (await responding({})).send()).response).toMatchObject({ status: 200, text: "" });
    const { response } = await (await responding({ headers: { "content-type": "application/json" }, body: "{}" })).send();
    expect(response.head?.headers.getAll("content-type")).toEqual(["application/json"]);
  });

  it("sends a file that was read at load, and reads it again at the next", async () => {
    const bodyFile = join(folder, "page.html");
    writeFileSync(bodyFile, "<p>one");
    const { send, proxy } = await responding({ bodyFile });
    writeFileSync(bodyFile, "<p>two");
    const { response } = await send();
    expect([response.text, response.header("Content-Type")]).toEqual(["<p>one", "text/html; charset=utf-8"]);
    await proxy.update({ routes: { r: { match: { path: "/{**rest}" }, respond: { bodyFile } } } });
    expect((await send()).response.text).toBe("<p>two");
  });

  it("is refused at load when its file cannot be read", async () => {
    await expect(responding({ bodyFile: join(folder, "nothing") })).rejects.toThrow("cannot be read: ENOENT");
    await expect(responding({ bodyFile: "/dev/zero" })).rejects.toThrow("is no regular file");
  });

  it("passes the steps before 'answer' and none behind it", async () => {
    const seen: string[] = [];
    const note = (name: string) => ({
      name,
      run: (ctx: Parameters<Parameters<typeof insertAfter>[0][number]["run"]>[0], next: (ctx: never) => void | Promise<void>) => {
        seen.push(name);
        return next(ctx as never);
      },
    });
    const { send } = await testProxy(
      { routes: { r: { match: { path: "/" }, respond: { body: "x" } } } },
      { steps: (steps) => insertAfter(insertBefore(steps, "answer", note("before")), "answer", note("after")) },
    );
    await send();
    expect(seen).toEqual(["before"]);
  });
});

describe("a route that redirects", () => {
  it.each<[location: string, path: string, target: string, sent: string]>([
    ["/new", "/{**rest}", "/old", "/new"],
    // The query stays behind.
    ["/new", "/{**rest}", "/old?a=1", "/new"],
    ["https://site.test/{rest}", "/{**rest}", "/a/b%20c", "https://site.test/a/b%20c"],
    ["/x/{id}?from={id}", "/old/{id}", "/old/%C3%A9%26", "/x/%C3%A9%26?from=%C3%A9%26"],
    ["/x/{id}", "/old/{id}", "/old/a%2Fb", "/x/a%2Fb"],
    ["/x/{id}", "/old/{id?}", "/old", "/x/"],
    ["/{**rest}", "/old/{**rest}", "/old/1/2", "/1/2"],
  ])("to %s for %s", async (location, path, target, sent) => {
    const { send } = await redirecting({ location }, path);
    const { response } = await send({ target });
    expect([response.status, response.header("Location"), response.text]).toEqual([302, sent, ""]);
  });

  it("has the status that is set", async () => {
    const { send } = await redirecting({ statusCode: 308, location: "/new" });
    expect((await send()).response.status).toBe(308);
  });

  it("never leads to another site by what a client wrote", async () => {
    const { send } = await redirecting({ location: "/{rest}" });
    for (const target of ["//evil.test/x", "/%2Fevil.test", "/%5Cevil.test", "/\\evil.test", "/%09//evil.test", "/https:%2F%2Fevil.test"]) {
      const location = (await send({ target })).response.header("Location") ?? "";
      expect(new URL(location, "http://gateway.test/").host).toBe("gateway.test");
      expect(location).toMatch(/^\/(?![/\\])[\x21-\x7e]*$/);
    }
  });

  it.each([
    ["{rest}"],
    ["https://{rest}/x"],
    ["https://site.test{rest}"],
    ["javascript:alert(1)"],
    ["//other.test/x"],
    ["relative/x"],
    ["/{nothing}"],
    ["/a b"],
    ["/{rest"],
  ])("is refused at load with the location %s", async (location) => {
    await expect(redirecting({ location })).rejects.toBeInstanceOf(ConfigError);
  });
});
