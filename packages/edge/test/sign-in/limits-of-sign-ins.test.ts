import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createKeyRing } from "@proxy/cluster";
import { HeaderList, type BodySink, type BodySource } from "@proxy/http";
// @boundaries-ignore the doubles of the pipeline's own tests
import { FakeExchange } from "../../../pipeline/test/support/fake-exchange.ts";
import { readForm } from "../../src/sign-in/form-body.ts";
import { PendingSignIns } from "../../src/sign-in/pending-sign-ins.ts";
import { RemoteDocument } from "../../src/sign-in/remote-document.ts";
import { RemoteScheme, type SignInProtocol } from "../../src/sign-in/remote-scheme.ts";
import { localUrl } from "../../src/sign-in/return-url.ts";
import { cookiesAfter, SetClock } from "../session/sessions.ts";
import { publicOrigin } from "./browser.ts";
import { siteWith } from "./schemes.ts";

describe("a return address", () => {
  const parts = fc.constantFrom("/", "\\", "//", "/\\", ".", "..", "%2f", "%5c", "\t", "\n", "\r", "\0", " ", "@", ":", "https:", "javascript:", "evil.test", "a", "?", "#", "é", "\u2028");

  it("never leads to another site, however it is written", () => {
    fc.assert(
      fc.property(fc.oneof(fc.array(parts, { maxLength: 8 }).map((all) => all.join("")), fc.webUrl(), fc.string()), (text) => {
        const local = localUrl(text);
        if (local === undefined) return;
        expect(local).toBe(text);
        for (const base of ["https://app.test/", "https://app.test/signin-login?code=1", "http://localhost:8080/a/b/"]) expect(new URL(local, base).origin).toBe(new URL(base).origin);
        expect(HeaderList.from([["Location", local]]).lineAt(0).checked).not.toBe("");
      }),
      { numRuns: 500 },
    );
  });

  it("may be any path of the site", () => {
    for (const path of ["/", "/a/b?c=d&e=%2F#f", "/.//a", "/a//b", "/%E4", "/a:b@c"]) expect(localUrl(path)).toBe(path);
  });
});

describe("a form", () => {
  function exchange(chunks: readonly string[], { type = "application/x-www-form-urlencoded", length = undefined as number | undefined, breaks = false } = {}) {
    const seen = { isCancelled: false };
    const body: BodySource = {
      length,
      started: false,
      read(sink: BodySink) {
        for (const chunk of chunks) {
          if (seen.isCancelled) return;
          sink.onData(Buffer.from(chunk));
        }
        if (seen.isCancelled) return;
        if (breaks) sink.onError(new Error("the client left"));
        else sink.onEnd(undefined);
      },
      pause() {},
      resume() {},
      cancel: () => {
        seen.isCancelled = true;
      },
    };
    return { exchange: new FakeExchange({ method: "POST", headers: [["Content-Type", type]], body }), seen };
  }

  it("is read whole, in whatever pieces it comes", async () => {
    const form = await readForm(exchange(["a=1&b=%C3", "%A4&a=2"]).exchange, 100);
    expect([form?.getAll("a"), form?.get("b")]).toEqual([["1", "2"], "ä"]);
    expect(await readForm(exchange(["a=1"], { type: "Application/X-WWW-Form-Urlencoded; charset=utf-8" }).exchange, 100)).toBeDefined();
  });

  it("that is too large, of another kind, or broken off is none", async () => {
    for (const { exchange: each, seen } of [exchange(["a".repeat(60), "b".repeat(60), "c".repeat(60)]), exchange(["a"], { length: 101 }), exchange(["a=1"], { type: "text/plain" })]) {
      expect(await readForm(each, 100)).toBeUndefined();
      expect(seen.isCancelled).toBe(true);
    }
    expect(await readForm(exchange(["a=1"], { breaks: true }).exchange, 100)).toBeUndefined();
    expect(await readForm(new FakeExchange({ method: "POST", headers: [["Content-Type", "application/x-www-form-urlencoded"]] }), 100)).toBeUndefined();
  });
});

describe("cookies of sign-ins", () => {
  it("are small enough, together with the largest session, for what servers take", () => {
    const clock = new SetClock();
    const pending = new PendingSignIns({ scheme: "s", keys: createKeyRing(), clock, timeout: 900_000, secure: true, crossSitePost: true });
    let headers = new HeaderList();
    const secrets = { verifier: "v".repeat(43), nonce: "n".repeat(43) };
    for (let count = 0; count < 10; count++) {
      clock.pass(1);
      headers = cookiesAfter(pending.begin(headers, { state: pending.newState(), returnUrl: `/${"a".repeat(1535)}`, secrets }), headers);
    }
    expect(headers.get("cookie")?.length).toBeLessThan(12_000);
  });

  it("give way to the newest: what cannot be read goes first", () => {
    const clock = new SetClock();
    const pending = new PendingSignIns({ scheme: "s", keys: createKeyRing(), clock, timeout: 900_000, secure: true, crossSitePost: false });
    let headers = HeaderList.from([["Cookie", "__Host-signin.junk=x"]]);
    const states: string[] = [];
    for (let count = 0; count < 5; count++) {
      clock.pass(1);
      const state = pending.newState();
      states.push(state);
      headers = cookiesAfter(pending.begin(headers, { state, returnUrl: "/", secrets: {} }), headers);
    }
    expect(headers.get("cookie")).not.toContain("junk");
    expect(states.map((state) => pending.find(headers, state).pending?.state === state)).toEqual([false, true, true, true, true]);
  });
});

describe("sign-ins that the other party is asked for", () => {
  it("are 256 at a time, and one beyond is good later", async () => {
    const callback = `${publicOrigin}/signin-slow`;
    const go = Promise.withResolvers<void>();
    let asked = 0;
    const protocol: SignInProtocol = {
      callbackMethod: "GET",
      stateParameter: "state",
      ownClaims: new Set(),
      start: (state) => Promise.resolve({ url: `${callback}?state=${state}`, secrets: {} }),
      async finish() {
        asked++;
        await go.promise;
        return { claims: { sub: "ann" } };
      },
    };
    const { browser } = siteWith((services) => new RemoteScheme("slow", { publicOrigin }, { protocol, services }));
    const atCallback = async () => {
      const own = browser();
      const { url } = await own.openUntil("/", (to) => to.href.startsWith(callback));
      return () => own.ask(new URL(url));
    };
    const flood = [];
    for (let count = 0; count < 256; count++) flood.push((await atCallback())());
    const late = await atCallback();
    expect([(await late()).status, asked]).toEqual([503, 256]);
    go.resolve();
    expect(new Set((await Promise.all(flood)).map(({ status }) => status))).toEqual(new Set([302]));
    expect([(await late()).status, asked]).toEqual([302, 257]);
  });
});

describe("what another party publishes", () => {
  it("is asked for once at a time, and less and less often while it does not answer", async () => {
    let now = 0;
    let asked = 0;
    let answer: (() => Promise<string>) | undefined;
    const failures: boolean[] = [];
    const load = (): Promise<string> => {
      asked++;
      return answer?.() ?? Promise.reject(new Error("down"));
    };
    const document = new RemoteDocument({ load, clock: { now: () => now }, onFailure: (_error, hasOlder) => failures.push(hasOlder) });
    const tries = async (): Promise<string[]> => (await Promise.allSettled([document.get(), document.get()])).map(({ status }) => status);
    for (const pause of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      const before = asked;
      expect(await tries()).toEqual(["rejected", "rejected"]);
      expect(asked).toBe(before + 1);
      now += pause - 1;
      await tries();
      expect(asked).toBe(before + 1);
      now += 1;
    }
    answer = async () => "v1";
    expect(await Promise.all([document.get(), document.get()])).toEqual(["v1", "v1"]);
    answer = undefined;
    now += 3_600_000;
    expect([await document.get(), await document.newer(60_000)]).toEqual(["v1", "v1"]);
    expect(failures.at(-1)).toBe(true);
  });
});
