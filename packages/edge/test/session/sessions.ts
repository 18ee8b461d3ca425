import { createKeyRing, type KeyProtector } from "@proxy/cluster";
import type { CookieSessionConfig } from "@proxy/config";
import { HeaderList } from "@proxy/http";
import { CookieSessions } from "../../src/session/cookie-sessions.ts";
import { newSession, type Session } from "../../src/session/session.ts";

export const minute = 60_000;

/** A clock that stands still until it is set. */
export class SetClock {
  time = Date.UTC(2026, 0, 1);
  date = (): number => this.time;
  pass(milliseconds: number): void {
    this.time += milliseconds;
  }
}

export const ringOf = (...secrets: readonly string[]): KeyProtector => createKeyRing({ secrets: secrets.map((each) => each.padEnd(32, "x")), use: "session cookie" });

export function sessionsOf(config: CookieSessionConfig = {}, { keys = ringOf("a"), clock = new SetClock(), scheme = "cookies" } = {}) {
  return { sessions: new CookieSessions(config, { scheme, keys, clock }), clock, keys };
}

export function sessionOf(clock: SetClock, content: Partial<Session> = {}): Session {
  return { ...newSession({ scheme: "oidc", user: "u-1", claims: { role: ["a", "b"] }, tokens: undefined }, clock.time), ...content };
}

/** What a browser sends after it got `lines`, beside what it had. */
export function cookiesAfter(lines: readonly string[], before: HeaderList = new HeaderList()): HeaderList {
  const jar = new Map<string, string>();
  for (const pair of (before.get("cookie") ?? "").split("; ").filter(Boolean)) jar.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
  for (const line of lines) {
    const pair = line.split(";")[0] as string;
    const name = pair.slice(0, pair.indexOf("="));
    if (/; Max-Age=0(;|$)/.test(line)) jar.delete(name);
    else jar.set(name, pair.slice(name.length + 1));
  }
  return cookies([...jar].map(([name, value]) => `${name}=${value}`).join("; "));
}

export function cookies(...lines: readonly string[]): HeaderList {
  return HeaderList.from(lines.filter((line) => line !== "").map((line) => ["Cookie", line] as const));
}
