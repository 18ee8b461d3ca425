import { describe, expect, it } from "vitest";
import type { TokenExchangeConfig } from "@proxy/config";
// @boundaries-ignore the doubles of the pipeline's own tests
import { FakeClock } from "../../../pipeline/test/support/fake-clock.ts";
// @boundaries-ignore the doubles of the pipeline's own tests
import { RecordedEvents } from "../../../pipeline/test/support/recorded-events.ts";
import { testScheme } from "../authentication/test-scheme.ts";
import { configOf, edgeProxy } from "../proxies.ts";

const endpoint = "https://sts.example/token";

async function exchanging(answer: (form: URLSearchParams) => Response | Promise<Response>, exchange: TokenExchangeConfig = {}) {
  const questions: { form: URLSearchParams; authorization: string | null }[] = [];
  const clock = new FakeClock();
  const events = new RecordedEvents();
  const fetch: typeof globalThis.fetch = async (url, init) => {
    expect(String(url)).toBe(endpoint);
    const form = new URLSearchParams(String(init?.body));
    questions.push({ form, authorization: new Headers(init?.headers).get("authorization") });
    return answer(form);
  };
  const policies = { authorization: { p: { forward: { token: "Exchange", exchange: { endpoint, audience: "orders", clientId: "gate way", clientSecret: "s:e/c", ...exchange } } } } } as const;
  const { send, clients } = await edgeProxy(configOf(policies, { authorizationPolicy: "p" }), { clock, fetch, logger: events, schemes: [testScheme("a")] });
  return {
    clock,
    events,
    questions,
    async ask(who = "ann") {
      const before = clients[0]?.calls.length ?? 0;
      const { response } = await send({ headers: [["X-A", who], ["Authorization", "Bearer own"]] });
      return { response, authorization: (clients[0]?.calls.length ?? 0) > before ? clients[0]?.calls.at(-1)?.request.headers.getAll("authorization") : undefined };
    },
  };
}

const token = (text: string, lifetime?: number) => Response.json({ access_token: text, token_type: "Bearer", issued_token_type: "x", ...(lifetime === undefined ? {} : { expires_in: lifetime }) });

describe("a token exchange", () => {
  it("asks for a token of the destination's, and forwards that alone", async () => {
    const { ask, questions } = await exchanging((form) => token(`for-${form.get("subject_token")}`, 300));
    expect((await ask()).authorization).toEqual(["Bearer for-token-of-ann"]);
    const [question] = questions;
    expect(Object.fromEntries(question?.form ?? [])).toEqual({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token: "token-of-ann",
      subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
      audience: "orders",
    });
    expect(Buffer.from((question?.authorization ?? "").slice(6), "base64").toString()).toBe("gate+way:s%3Ae%2Fc");
  });

  it("keeps what it got until shortly before its end, for each token by itself", async () => {
    const { ask, questions, clock } = await exchanging((form) => token(`for-${form.get("subject_token")}`, 300));
    await ask();
    await ask();
    expect(questions.length).toBe(1);
    expect((await ask("bob")).authorization).toEqual(["Bearer for-token-of-bob"]);
    clock.set(289_999);
    await ask();
    expect(questions.length).toBe(2);
    clock.set(290_000);
    await ask();
    expect(questions.length).toBe(3);
  });

  it("asks once for all that want the same token", async () => {
    const gate = Promise.withResolvers<Response>();
    const { ask, questions } = await exchanging(() => gate.promise);
    const all = [ask(), ask(), ask()];
    gate.resolve(token("x", 300));
    expect((await Promise.all(all)).map(({ response }) => response.status)).toEqual([200, 200, 200]);
    expect(questions.length).toBe(1);
  });

  it("that is refused is 403, one that fails 503; nothing is forwarded then", async () => {
    const cases: [() => Response, number][] = [
      [() => Response.json({ error: "invalid_grant" }, { status: 400 }), 403],
      [() => Response.json({ error: "invalid_target" }, { status: 400 }), 403],
      [() => Response.json({ error: "invalid_client" }, { status: 401 }), 503],
      [() => Response.json({ access_token: "x", token_type: "N_A" }), 503],
      [() => Response.json({ access_token: 1, token_type: "Bearer" }), 503],
      [() => new Response("{"), 503],
      [() => new Response(null, { status: 302, headers: { location: "https://evil.example/" } }), 503],
    ];
    for (const [answer, status] of cases) {
      const { ask } = await exchanging(answer);
      const { response, authorization } = await ask();
      expect([response.status, authorization]).toEqual([status, undefined]);
    }
  });

  it("tells operators what failed, and no secret", async () => {
    const { ask, events } = await exchanging(() => Response.json({ error: "invalid_client", error_description: "s:e/c" }, { status: 401 }));
    await ask();
    expect(JSON.stringify(events.named("token-exchange-failed"))).toContain("invalid_client");
    expect(JSON.stringify(events.named("token-exchange-failed"))).not.toMatch(/s:e\/c|token-of-ann/);
  });
});
