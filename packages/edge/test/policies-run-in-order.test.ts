import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { policySections } from "@proxy/config";
import { insertBefore } from "@proxy/pipeline";
// @boundaries-ignore the doubles of the pipeline's own tests
import { FakeClock } from "../../pipeline/test/support/fake-clock.ts";
// @boundaries-ignore the doubles of the pipeline's own tests
import type { FakeRequest } from "../../pipeline/test/support/fake-exchange.ts";
import { edgeSteps } from "../src/index.ts";
import { testScheme } from "./authentication/test-scheme.ts";
import { configOf, edgeProxy } from "./proxies.ts";

const manual = (name: string): string => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), "utf8");

/** The names in backquotes of the first cells of the rows under a heading, in order. */
function firstCells(page: string, heading: string): string[] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return [...section.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = ""]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));
}

describe("the order of the steps", () => {
  it("is that of the manual", () => {
    expect(firstCells(manual("policies/README.md"), "Order")).toEqual([...edgeSteps]);
    const life = manual("life-of-a-request.md");
    expect(life).toContain(`| ${edgeSteps.map((name) => `\`${name}\``).join(", ")} |`);
  });

  it("is that in which they stand in a proxy: behind timeout, before answer", async () => {
    let names: readonly string[] = [];
    await edgeProxy(configOf(undefined), {}, {
      steps(steps) {
        names = steps.map(({ name }) => name);
        return steps;
      },
    });
    expect(names.slice(names.indexOf("timeout") + 1, names.indexOf("answer"))).toEqual([...edgeSteps]);
  });

  it("is that in which a request meets them", async () => {
    const clock = new FakeClock();
    const { send, clients } = await edgeProxy(
      configOf(
        {
          access: { a: { denyHeaders: ["X-Denied"] } },
          cors: { o: { origins: ["https://app.test"] } },
          compression: { z: { minimumSize: 1 } },
          rateLimiter: { Default: { permitLimit: 4, sendHeaders: false }, u: { permitLimit: 2, partitionBy: "User" } },
          authorization: { p: {} },
          outputCache: { k: { varyByUser: true, duration: 60_000 } },
        },
        { accessPolicy: "a", corsPolicy: "o", compressionPolicy: "z", rateLimiterPolicy: "u", authorizationPolicy: "p", outputCachePolicy: "k" },
      ),
      { schemes: [testScheme("a")] },
      { clock, script: (call) => call.respond(200, [["Content-Type", "text/plain"]], "text") },
    );
    const origin = ["Origin", "https://app.test"] as const;
    const ann = ["X-A", "ann"] as const;
    const ask = async (request: FakeRequest) => {
      const { response } = await send({ ...request, headers: [["Accept-Encoding", "gzip"], ...(request.headers ?? [])] });
      return [response.status, response.header("Access-Control-Allow-Origin"), response.header("Content-Encoding"), response.header("Age")].map((value) => value ?? "-").join(" ");
    };
    const preflight: FakeRequest = { method: "OPTIONS", headers: [origin, ["Access-Control-Request-Method", "GET"]] };
    // Neither what access refuses nor preflights count, and no one is asked who they are.
    for (let i = 0; i < 10; i++) expect([await ask({ headers: [ann, origin, ["X-Denied", "1"]] }), await ask(preflight)]).toEqual(["400 - - -", "204 https://app.test - -"]);
    // Who does not say who it is counts by address, but not by user, and pages may read that they are refused.
    expect(await ask({ headers: [origin] })).toBe("401 https://app.test - -");
    // Compressed anew each time, kept for those who may.
    expect(await ask({ headers: [origin, ann] })).toBe("200 https://app.test gzip -");
    expect(await ask({ headers: [origin, ann] })).toBe("200 https://app.test gzip 0");
    // Kept answers count by user too; then by address.
    expect(await ask({ headers: [origin, ann] })).toBe("429 https://app.test - -");
    expect(await ask({ headers: [origin, ["X-A", "bob"]] })).toBe("429 https://app.test - -");
    expect(clients.flatMap(({ calls }) => calls).length).toBe(1);
  });
});

describe("the manual", () => {
  it("has a row for each kind of policies, with its section and its page", () => {
    const page = manual("policies/README.md");
    for (const section of Object.values(policySections)) expect(page).toMatch(new RegExp(`^\\| \\[[^\\]]+\\]\\([a-z-]+\\.md\\) \\| \`Policies:${section}\` \\|`, "m"));
    for (const [, name = ""] of page.matchAll(/^\| \[[^\]]+\]\(([a-z-]+\.md)\) \|/gm)) expect(manual(`policies/${name}`)).toMatch(/^# /);
  });

  it("has a step of one's own go where it says", async () => {
    const { send } = await edgeProxy(configOf({ access: { a: { denyHeaders: ["X-Denied"] } } }, { accessPolicy: "a" }), {}, {
      steps: (steps) =>
        insertBefore(steps, "access", {
          name: "mine",
          run(ctx, next) {
            ctx.exchange.request.headers.append("X-Denied", "1");
            return next(ctx);
          },
        }),
    });
    expect((await send()).response.status).toBe(400);
  });
});
