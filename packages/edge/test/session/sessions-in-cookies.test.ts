import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HeaderList } from "@proxy/http";
import { encodeSession } from "../../src/session/session.ts";
import { sealText } from "../../src/session/sealed-text.ts";
import { cookies, cookiesAfter, minute, ringOf, sessionOf, sessionsOf, SetClock } from "./sessions.ts";

const none = new HeaderList();

describe("a session in a cookie", () => {
  it("comes back as it was", () => {
    const { sessions, clock } = sessionsOf();
    const session = sessionOf(clock, { tokens: { accessToken: "at", refreshToken: "rt", idToken: "it", expiresAt: 7 } });
    const lines = sessions.write(none, session) ?? [];
    expect(lines).toEqual([expect.stringMatching(/^__Host-session=[\w-]+; Path=\/; Secure; HttpOnly; SameSite=Lax$/)]);
    expect(sessions.find(cookiesAfter(lines))).toEqual({ session, isStale: false });
  });

  it("tells its holder nothing", () => {
    const { sessions, clock } = sessionsOf();
    const line = sessions.write(none, sessionOf(clock, { user: "somebody-known" }))?.[0] ?? "";
    expect(Buffer.from(line.split(/[=;]/)[1] ?? "", "base64url").includes("somebody")).toBe(false);
  });

  it("says what the settings say", () => {
    const all = { cookieName: "sid", domain: "example.test", path: "/app", sameSite: "Strict", persistent: true } as const;
    const { sessions, clock } = sessionsOf(all);
    const lines = sessions.write(none, sessionOf(clock)) ?? [];
    expect(lines[0]).toMatch(/^sid=[\w-]+; Path=\/app; Domain=example\.test; Max-Age=28800; Secure; HttpOnly; SameSite=Strict$/);
    expect(sessions.clear(cookiesAfter(lines))).toEqual(["sid=; Path=/app; Domain=example.test; Max-Age=0; Secure; HttpOnly; SameSite=Strict"]);
    expect(sessionsOf({ domain: "example.test" }).sessions.attributes.name).toBe("__Secure-session");
    expect(sessionsOf({ secure: false }).sessions.attributes.name).toBe("session");
  });

  it("has attributes that browsers keep, or is refused", () => {
    expect(() => sessionsOf({ cookieName: "__Host-a", domain: "b.test" })).toThrow("__Host-");
    expect(() => sessionsOf({ cookieName: "__Secure-a", secure: false })).toThrow("__Secure-");
    expect(() => sessionsOf({ sameSite: "None", secure: false })).toThrow("SameSite None");
    expect(() => sessionsOf({ cookieName: "a b" })).toThrow("can be no name");
  });
});

describe("a cookie that is no session of this scheme", () => {
  it("is nobody's, and stale, whichever bit was changed", () => {
    const { sessions, clock } = sessionsOf();
    const value = (sessions.write(none, sessionOf(clock))?.[0] ?? "").split(/[=;]/)[1] ?? "";
    const bytes = Buffer.from(value, "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit += 5) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(sessions.find(cookies(`__Host-session=${changed.toString("base64url")}`))).toEqual({ session: undefined, isStale: true });
    }
  });

  it("whatever stands there", () => {
    const { sessions } = sessionsOf();
    fc.assert(fc.property(fc.string(), (text) => sessions.find(cookies(`__Host-session=${text}`)).session === undefined));
    fc.assert(fc.property(fc.stringMatching(/^[\w;= -]*$/), (text) => sessions.find(cookies(`__Host-session=chunks-2; __Host-sessionC1=${text}`)).session === undefined));
  });

  it("also when it is another's: scheme, name of the cookie, use, secret", () => {
    const clock = new SetClock();
    const keys = ringOf("a");
    const { sessions } = sessionsOf({}, { keys, clock });
    const session = sessionOf(clock);
    const from = (other: ReturnType<typeof sessionsOf>): HeaderList => {
      const value = (other.sessions.write(none, session)?.[0] ?? "").split(/[=;]/)[1] ?? "";
      return cookies(`__Host-session=${value}`);
    };
    expect(sessions.find(from(sessionsOf({}, { keys, clock }))).session).toEqual(session);
    expect(sessions.find(from(sessionsOf({}, { keys, clock, scheme: "other" }))).session).toBeUndefined();
    expect(sessions.find(from(sessionsOf({ cookieName: "b" }, { keys, clock }))).session).toBeUndefined();
    expect(sessions.find(from(sessionsOf({}, { keys: ringOf("b"), clock }))).session).toBeUndefined();
    const otherUse = sealText(keys, "sign-in", encodeSession(session));
    expect(sessions.find(cookies(`__Host-session=${otherUse}`)).session).toBeUndefined();
  });

  it("comes twice: nobody knows which one is meant", () => {
    const { sessions, clock } = sessionsOf();
    const value = (sessions.write(none, sessionOf(clock))?.[0] ?? "").split(/[=;]/)[1] ?? "";
    expect(sessions.find(cookies(`__Host-session=${value}; __Host-session=${value}`)).session).toBeUndefined();
    expect(sessions.find(cookies(`__Host-session=${value}`, `__Host-session=${value}`)).session).toBeUndefined();
  });

  it("is not there at all: nothing is stale", () => {
    const { sessions } = sessionsOf();
    for (const headers of [none, cookies("a=b"), cookies("__Host-sessions=b; x__Host-session=c")]) expect(sessions.find(headers)).toEqual({ session: undefined, isStale: false });
  });
});

describe("keys", () => {
  it("that came before are read, and not used for what is new", () => {
    const clock = new SetClock();
    const before = sessionsOf({}, { keys: ringOf("old"), clock }).sessions;
    const between = sessionsOf({}, { keys: ringOf("new", "old"), clock }).sessions;
    const after = sessionsOf({}, { keys: ringOf("new"), clock }).sessions;
    const session = sessionOf(clock);
    const old = cookiesAfter(before.write(none, session) ?? []);
    expect(between.find(old).session).toEqual(session);
    expect(after.find(old)).toEqual({ session: undefined, isStale: true });
    expect(after.find(cookiesAfter(between.write(none, session) ?? [])).session).toEqual(session);
  });
});

describe("a session that is large", () => {
  const large = (clock: SetClock, size: number) => sessionOf(clock, { tokens: { accessToken: "x".repeat(size) } });

  it("is split, each part small enough for browsers, and comes back whole", () => {
    const { sessions, clock } = sessionsOf();
    const session = large(clock, 9000);
    const lines = sessions.write(none, session) ?? [];
    expect(lines.length).toBe(5);
    expect(lines[0]).toMatch(/^__Host-session=chunks-4; /);
    for (const line of lines) expect(line.length).toBeLessThan(4000);
    const sent = cookiesAfter(lines);
    expect(sessions.find(sent).session).toEqual(session);
    const crumbs = (sent.get("cookie") ?? "").split("; ").reverse();
    expect(sessions.find(cookies(...crumbs)).session).toEqual(session);
  });

  it("is none when a part is missing, doubled, from another session or in another place", () => {
    const { sessions, clock } = sessionsOf();
    const parts = (cookiesAfter(sessions.write(none, large(clock, 9000)) ?? []).get("cookie") ?? "").split("; ");
    const others = (cookiesAfter(sessions.write(none, large(clock, 9000)) ?? []).get("cookie") ?? "").split("; ");
    for (let index = 0; index < parts.length; index++) {
      expect(sessions.find(cookies(parts.toSpliced(index, 1).join("; "))).session).toBeUndefined();
      expect(sessions.find(cookies(parts.toSpliced(index, 0, parts[index] as string).join("; "))).session).toBeUndefined();
      if (index > 0) expect(sessions.find(cookies(parts.with(index, others[index] as string).join("; "))).session).toBeUndefined();
    }
    const swapped = parts.map((part) => part.replace("C1=", "C9=").replace("C2=", "C1=").replace("C9=", "C2="));
    expect(sessions.find(cookies(swapped.join("; ")))).toEqual({ session: undefined, isStale: true });
  });

  it("leaves no parts behind when it shrinks, and none when it ends", () => {
    const { sessions, clock } = sessionsOf();
    const sent = cookiesAfter(sessions.write(none, large(clock, 9000)) ?? []);
    const small = sessionOf(clock);
    const then = cookiesAfter(sessions.write(sent, small) ?? [], sent);
    expect((then.get("cookie") ?? "").split("; ").length).toBe(1);
    expect(sessions.find(then).session).toEqual(small);
    expect(cookiesAfter(sessions.clear(sent), sent).size).toBe(0);
  });

  it("is not written beyond the limit, and not read", () => {
    const { sessions, clock, keys } = sessionsOf({ maxSize: 8000 });
    expect(sessions.write(none, large(clock, 9000))).toBeUndefined();
    const wider = sessionsOf({}, { keys, clock }).sessions;
    expect(sessions.find(cookiesAfter(wider.write(none, large(clock, 9000)) ?? []))).toEqual({ session: undefined, isStale: true });
    expect(sessions.find(cookies(`__Host-session=${"A".repeat(100_000)}`))).toEqual({ session: undefined, isStale: true });
    expect(sessions.find(cookies("__Host-session=chunks-99")).session).toBeUndefined();
  });
});

describe("the end of a session", () => {
  it("moves with requests of its second half, up to its longest life", () => {
    const { sessions, clock } = sessionsOf({ expireTimeSpan: 10 * minute, absoluteLifetime: 25 * minute });
    let session = sessionOf(clock);
    clock.pass(4 * minute);
    expect(sessions.renewed(session)).toBeUndefined();
    for (const end of [16, 22, 25]) {
      clock.pass(minute * (end === 16 ? 2 : 6));
      session = sessions.renewed(session) ?? session;
      expect((sessions.expiresAt(session) - session.signedInAt) / minute).toBe(end);
    }
    const sent = cookiesAfter(sessions.write(none, session) ?? []);
    clock.pass(6 * minute);
    expect(sessions.renewed(session)).toBeUndefined();
    expect(sessions.find(sent).session).toEqual(session);
    clock.pass(minute);
    expect(sessions.find(sent)).toEqual({ session: undefined, isStale: true });
  });

  it("stays where it does not slide", () => {
    const { sessions, clock } = sessionsOf({ expireTimeSpan: 10 * minute, slidingExpiration: false });
    const session = sessionOf(clock);
    const sent = cookiesAfter(sessions.write(none, session) ?? []);
    clock.pass(10 * minute - 1);
    expect(sessions.renewed(session)).toBeUndefined();
    expect(sessions.find(sent).session).toEqual(session);
    clock.pass(1);
    expect(sessions.find(sent).session).toBeUndefined();
  });

  it("comes earlier when the settings say so, also for sessions that are there", () => {
    const { sessions, clock, keys } = sessionsOf();
    const sent = cookiesAfter(sessions.write(none, sessionOf(clock)) ?? []);
    clock.pass(30 * minute);
    expect(sessions.find(sent).session).toBeDefined();
    expect(sessionsOf({ expireTimeSpan: 20 * minute }, { keys, clock }).sessions.find(sent).session).toBeUndefined();
  });
});
